package main

import (
	"net/http/httptest"
	"testing"

	"fanli/bot/wechat/wechatfake"
)

// TestWechatMenu publishes the menu at WeChat's fake, over HTTP, and takes it away.
func TestWechatMenu(t *testing.T) {
	t.Parallel()
	fake := wechatfake.New(wechatfake.Config{})
	at := httptest.NewServer(fake)
	t.Cleanup(at.Close)
	fake.Say(t.Context(), "o1", "hello")
	env := []string{
		"FANLI_WECHAT_APP_ID=" + fake.AppID(), "FANLI_WECHAT_APP_SECRET=" + fake.Secret(), "FANLI_WECHAT_TOKEN=" + fake.Token(),
		"FANLI_WECHAT_ENCODING_AES_KEY=" + fake.AESKey(), "FANLI_WECHAT_PROFILE=service", "FANLI_WECHAT_ENDPOINT=" + at.URL,
		"FANLI_WECHAT_TAGGED_MENUS={员工: [{name: 控制台, url: 'https://x.cn/console'}]}",
	}
	dir := memoryDir(t)
	wechat := func(args ...string) result {
		return cli(t, "", env, append(append([]string{"wechat"}, args...), "--data", dir)...)
	}
	wechat("check").want(t, exitOK, "WeChat takes our calls", "https://HOST/wechat", "mode safe")
	wechat("menu", "show").want(t, exitOK, "there is no menu", "publish would make of it", "我的返利")
	wechat("menu", "publish", "--as", "wang", "--reason", "opening").want(t, exitOK, "published")
	wechat("tag", "员工", "o1").want(t, exitOK, "1 people")
	wechat("menu", "show").want(t, exitOK, "余额提现 → 余额", "for those with tag 100", "控制台 → https://x.cn/console")
	if m := fake.MenuOf("o1"); len(m) != 1 || m[0].Name != "控制台" {
		t.Errorf("o1 sees %v", m)
	}
	wechat("untag", "员工", "o1").want(t, exitOK)
	if m := fake.MenuOf("o1"); len(m) != 3 {
		t.Errorf("o1 sees %v", m)
	}
	fake.SetProfile(wechatfake.Personal)
	wechat("menu", "show").want(t, exitFailed, "48001", "docs/wechat.md")
	fake.SetProfile(wechatfake.Service)
	wechat("menu", "delete").want(t, exitOK, "no menu any more")
	cli(t, "", env, "acts", "--data", dir).want(t, exitOK, "wechat.menu.publish", "cli:wang", "wechat.menu.delete")
	env[1] = "FANLI_WECHAT_APP_SECRET=ffffffffffffffffffffffffffffffff"
	wechat("check").want(t, exitFailed, "40125", "compare wechat.app_id")
	wechat("tag", "员工").want(t, exitUsage, "at least one openid")
	cli(t, "", nil, "wechat", "check").want(t, exitUsage, "docs/wechat.md")
}
