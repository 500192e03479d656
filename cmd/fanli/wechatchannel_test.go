package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/bot/wechat/wechatfake"
	"fanli/configs"
	"fanli/core/user"
)

// TestWechatStory is the beginning of the loop through an official account, against a
// platform that checks what the real one checks: somebody follows, pastes, buys and is
// told of it.
func TestWechatStory(t *testing.T) {
	t.Parallel()
	fake := wechatfake.New(wechatfake.Config{Mode: wechatfake.Safe, Profile: wechatfake.Service})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	base := startServe(t, "FANLI_WECHAT_APP_ID="+fake.AppID(), "FANLI_WECHAT_APP_SECRET="+fake.Secret(), "FANLI_WECHAT_TOKEN="+fake.Token(),
		"FANLI_WECHAT_ENCODING_AES_KEY="+fake.AESKey(), "FANLI_WECHAT_PROFILE=service", "FANLI_WECHAT_ENDPOINT="+platform.URL)
	fake.Connect(base+"/wechat", nil)
	const me = "oMe0000000000000000000000001"
	if err := fake.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := fake.Follow(t.Context(), me, ""); !strings.Contains(o.Seen.Text, "返利") {
		t.Fatalf("the welcome is %+v", o)
	}
	o := fake.Say(t.Context(), me, "【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开")
	_, rest, _ := strings.Cut(o.Seen.Text, `<a href="`)
	made, _, _ := strings.Cut(rest, `"`)
	if o.Verdict != wechatfake.Shown || !strings.HasPrefix(made, base) {
		t.Fatalf("the answer to a link is %s %q, %s", o.Verdict, o.Seen.Text, o.Why)
	}
	(&controlPage{t: t, base: base}).buy(made)
	for end := time.Now().Add(telegramPatience); ; time.Sleep(10 * time.Millisecond) {
		all := fake.Seen(me)
		if last := all[len(all)-1]; last.By == "custom" && strings.Contains(last.Text, "看到你的京东订单了") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nobody tells of the order: %q", fake.Lines(me))
		}
	}
	if d := fake.Forge(t.Context(), me, "余额", wechatfake.Unencrypted); d.Status == 200 {
		t.Errorf("an unencrypted callback is answered %d %q", d.Status, d.Body)
	}
}

// TestOwnPayee: WeChat Pay pays the account that somebody writes with, if it is the one
// whose openids it knows.
func TestOwnPayee(t *testing.T) {
	t.Parallel()
	from := user.Identity{Channel: "wechat", External: "oMe"}
	for _, tt := range []struct {
		payer, method, app string
		want               bool
	}{
		{"wechatpay", "", "wx1", true},
		{"alipay", "wechatpay", "wx1", true},
		{"wechatpay", "manual", "wx1", false},
		{"alipay", "", "wx1", false},
		{"wechatpay", "", "wx2", false},
	} {
		var cfg configs.Config
		cfg.Wechat.AppID, cfg.Wechatpay.AppID, cfg.Payer = "wx1", tt.app, tt.payer
		if tt.method != "" {
			cfg.Payers = map[string]string{"wechat": tt.method}
		}
		own := ownPayee(cfg)
		if (own != nil) != tt.want {
			t.Errorf("%+v: %v", tt, own != nil)
			continue
		}
		if own == nil {
			continue
		}
		if account, ok := own(from); account != "oMe" || !ok {
			t.Errorf("%+v: %q, %v", tt, account, ok)
		}
		if _, ok := own(user.Identity{Channel: "telegram", External: "1"}); ok {
			t.Errorf("%+v: somebody on Telegram has an account there", tt)
		}
	}
}
