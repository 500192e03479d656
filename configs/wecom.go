package configs

// checkWecom checks the account of customer service; one without a company is off.
func (c Config) checkWecom(k *checker) {
	w := c.Wecom
	switch {
	case w.Enabled():
		k.part("wecom", w.Validate())
		if c.Wechat.Enabled() && w.Callback() == c.Wechat.Callback() {
			k.bad("wecom.callback_path", "it is the same as wechat.callback_path")
		}
	case w.Calls():
		k.part("wecom", w.ValidateCalls())
	case w.Secret != "" || w.OpenKfID != "" || w.Token != "" || w.AESKey != "":
		k.bad("wecom.corp_id", "it is missing, and without it nothing else of wecom is used")
	}
}
