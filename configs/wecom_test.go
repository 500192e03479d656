package configs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/configs"
)

const wecomYAML = `
networks: {jd: {app_key: k, app_secret: s}}
wecom:
  corp_id: ww0123456789abcdef
  secret: 0123456789abcdef0123456789abcdef0123456789a
  token: made0up
  encoding_aes_key: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg
  open_kfid: wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q
  link: "https://work.weixin.qq.com/kf/kfc1?enc_scene=ENC2"
`

// TestWecom reads an account, and says of one that is wrong all that is wrong with it, by
// the names of the keys and without a secret.
func TestWecom(t *testing.T) {
	t.Parallel()
	w := load(t, wecomYAML, none).Wecom
	if w.Callback() != "/wecom" || w.Every() != time.Minute || w.LinkWith("r_1") != "https://work.weixin.qq.com/kf/kfc1?enc_scene=ENC2&scene_param=r_1" {
		t.Errorf("read as path %q, every %v, link %q", w.Callback(), w.Every(), w.LinkWith("r_1"))
	}
	if s := fmt.Sprintf("%v %+v %#v", w, w, w); strings.Contains(s, "made0up") || strings.Contains(s, "0123456789abcdef0") {
		t.Errorf("a secret is printed: %s", s)
	}
	for key, line := range map[string]string{
		"corp_id": "corp_id: x", "secret": "secret: short", "token": "token: has-a-dash", "encoding_aes_key": `encoding_aes_key: ""`, "open_kfid": "open_kfid: kf1",
		"link": "link: work.weixin.qq.com", "endpoint": "endpoint: http://api.example.com", "callback_path": "callback_path: /api/wecom", "poll": "poll: 1s",
	} {
		var lines []string
		for l := range strings.Lines(wecomYAML) {
			if !strings.HasPrefix(l, "  "+key+":") {
				lines = append(lines, l)
			}
		}
		_, err := configs.Load(file(t, strings.Join(lines, "")+"  "+line+"\n"), none)
		if err == nil || !strings.Contains(err.Error(), "wecom."+key+": ") || strings.Contains(err.Error(), "made0up") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if c := load(t, "wecom: {corp_id: ww0123456789abcdef, secret: 0123456789abcdef0123}", none).Wecom; c.Enabled() || !c.Calls() {
		t.Error("with what calls need alone the channel is on, or nothing is called")
	}
	if _, err := configs.Load(file(t, "wecom: {token: made0up}"), none); err == nil || !strings.Contains(err.Error(), "wecom.corp_id") {
		t.Errorf("without a company: %v", err)
	}
	if _, err := configs.Load(file(t, wecomYAML+"  callback_path: /both\n"+strings.TrimPrefix(wechatYAML, "\nnetworks: {jd: {app_key: k, app_secret: s}}\n")+"  callback_path: /both\n"), none); err == nil || !strings.Contains(err.Error(), "wecom.callback_path") {
		t.Errorf("with both at one address: %v", err)
	}
}
