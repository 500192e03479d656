package main

import (
	"net/http"
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
// told of it, and brings a friend.
func TestWechatStory(t *testing.T) {
	t.Parallel()
	fake := wechatfake.New(wechatfake.Config{Mode: wechatfake.Safe, Profile: wechatfake.Service})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	base := startServe(t, noRescan, "FANLI_WECHAT_APP_ID="+fake.AppID(), "FANLI_WECHAT_APP_SECRET="+fake.Secret(), "FANLI_WECHAT_TOKEN="+fake.Token(),
		"FANLI_WECHAT_ENCODING_AES_KEY="+fake.AESKey(), "FANLI_WECHAT_PROFILE=service", "FANLI_WECHAT_ENDPOINT="+platform.URL)
	fake.Connect(base+"/wechat", nil)
	me := wechatfake.OpenID("Me", 1)
	if err := fake.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	hears := func(who, want string) string { // a busy machine answers late, and then by customer message
		t.Helper()
		for end := time.Now().Add(telegramPatience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			for _, line := range fake.Lines(who) {
				if strings.Contains(line, want) {
					return line
				}
			}
		}
		t.Fatalf("%q is never said: %q", want, fake.Lines(who))
		return ""
	}
	fake.Follow(t.Context(), me, "")
	hears(me, "返利")
	fake.Say(t.Context(), me, "【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开")
	_, rest, _ := strings.Cut(hears(me, "预计返利"), `<a href="`)
	made, _, _ := strings.Cut(rest, `"`)
	if !strings.HasPrefix(made, base) {
		t.Fatalf("the card opens %q", made)
	}
	(&controlPage{t: t, base: base}).buy(made)
	hears(me, "看到你的京东订单了")
	const friend = "oFriend000000000000000000001"
	fake.Say(t.Context(), me, "邀请")
	_, rest, _ = strings.Cut(hears(me, "邀请二维码"), `<a href="`)
	picture, _, _ := strings.Cut(rest, `"`)
	fake.ScanPicture(t.Context(), friend, picture)
	hears(friend, "返利")
	fake.Say(t.Context(), me, "邀请")
	hears(me, "已经邀请了 1 位朋友")
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

// TestWechatBehindTheGateway: a gateway hands WeChat's callbacks on to the bot target, as
// they came, and counts nobody's calls for it.
func TestWechatBehindTheGateway(t *testing.T) {
	t.Parallel()
	var got string
	bot := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.String() })
	cfg := configs.Config{Targets: []string{gatewayTarget}}
	cfg.Wechat.AppID = "wx0123456789abcdef"
	s := &server{app: &app{cfg: cfg}, gateway: &gateway{bot: bot, payment: http.NotFoundHandler()}, wechatPath: wechatPath(cfg)}
	const asked = "/wechat?signature=1&timestamp=2&nonce=3&encrypt_type=aes&msg_signature=4"
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, asked, strings.NewReader("<xml/>")))
	if got != asked {
		t.Errorf("the bot target is asked %q", got)
	}
	if !s.free("/wechat") || s.free("/wechatter") {
		t.Error("WeChat's calls are counted, or others' are not")
	}
}
