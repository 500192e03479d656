package configs

// checkWechat checks the official account; one without an id is off.
func (c Config) checkWechat(k *checker) {
	w := c.Wechat
	if w.Enabled() {
		k.part("wechat", w.Validate())
		return
	}
	if w.AppSecret != "" || w.Token != "" || w.AESKey != "" {
		k.bad("wechat.app_id", "it is missing, and without it nothing else of wechat is used")
	}
}
