package configs_test

import (
	"fmt"
	"strings"
	"testing"

	"fanli/configs"
)

const wechatYAML = `
networks: {jd: {app_key: k, app_secret: s}}
wechat:
  app_id: wx0123456789abcdef
  app_secret: 0123456789abcdef0123456789abcdef
  token: made0up
  encoding_aes_key: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg
  profile: service
  templates: {rebate.ready: {id: TM1, fields: {thing1: "{title}"}}}
  menu: [{name: 返利, sub: [{name: 余额, say: 余额}]}]
`

// TestWechat reads an account, and says of one that is wrong all that is wrong with it,
// by the names of the keys and without a secret.
func TestWechat(t *testing.T) {
	t.Parallel()
	c := load(t, wechatYAML, none)
	if w := c.Wechat; w.Mode != "safe" || w.Callback() != "/wechat" || w.Templates["rebate.ready"].Fields["thing1"] != "{title}" || w.Menu[0].Sub[0].Say != "余额" {
		t.Errorf("read as mode %q, path %q, %+v, %+v", w.Mode, w.Callback(), w.Templates, w.Menu)
	}
	if s := fmt.Sprintf("%v %+v %#v", c.Wechat, c.Wechat, c.Wechat); strings.Contains(s, "made0up") || strings.Contains(s, "0123456789abcdef0") {
		t.Errorf("a secret is printed: %s", s)
	}
	for key, line := range map[string]string{
		"app_secret": "app_secret: short", "token": "token: has-a-dash", "encoding_aes_key": `encoding_aes_key: ""`, "mode": "mode: open",
		"profile": "profile: huge", "endpoint": "endpoint: http://api.example.com", "callback_path": "callback_path: /api/wechat",
		"account": "account: wx1", "templates": `templates: {rebate.ready: {id: x, fields: {thing1: "{tittle}"}}}`,
		"menu": "menu: [{name: 一二三四五六, say: x}]", "tagged_menus": "tagged_menus: {员工: [{name: x}]}", "app_id": "app_id: x",
	} {
		var lines []string
		for l := range strings.Lines(wechatYAML) {
			if !strings.HasPrefix(l, "  "+key+":") {
				lines = append(lines, l)
			}
		}
		_, err := configs.Load(file(t, strings.Join(lines, "")+"  "+line+"\n"), none)
		if err == nil || !strings.Contains(err.Error(), "wechat."+key+": ") || strings.Contains(err.Error(), "made0up") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := configs.Load(file(t, "wechat: {token: made0up}"), none); err == nil || !strings.Contains(err.Error(), "wechat.app_id") {
		t.Errorf("without an id: %v", err)
	}
	plain := "wechat: {app_id: wx0123456789abcdef, token: made0up, mode: plain}"
	if c := load(t, plain, none); c.Wechat.Calls() {
		t.Error("without a secret it calls WeChat")
	}
}
