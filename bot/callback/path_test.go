package callback_test

import (
	"testing"

	"fanli/bot/binding"
	"fanli/bot/callback"
	"fanli/bot/landing"
	"fanli/bot/telegram"
)

// TestOwnPath: callbacks come to no path at which a page or another channel answers.
func TestOwnPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/wechat": true, "/wecom": true, "/in/wechat-1": true, "/pages": true,
		"": false, "/": false, "wechat": false, "/wechat/": false, "/a/../b": false, "/a//b": false, "/微信": false, "/a?b": false,
		"/api/wechat": false, "/pay": false, "/assets": false, "/readyz": false, "/fake/wechat": false,
		landing.Path + "wechat": false, binding.Path + "wechat": false, telegram.HookPath: false,
	} {
		if callback.OwnPath(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
}
