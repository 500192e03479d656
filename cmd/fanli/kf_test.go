package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/bot/kf/kffake"
	"fanli/configs"
)

// wecomEnv configures the account of a fake.
func wecomEnv(fake *kffake.Server, at string) []string {
	return []string{
		"FANLI_WECOM_CORP_ID=" + fake.CorpID(), "FANLI_WECOM_SECRET=" + fake.Secret(), "FANLI_WECOM_ENDPOINT=" + at, "FANLI_WECOM_TOKEN=" + fake.Token(),
		"FANLI_WECOM_ENCODING_AES_KEY=" + fake.AESKey(), "FANLI_WECOM_OPEN_KFID=" + fake.OpenKfID(),
	}
}

// TestKfStory is the beginning of the loop through WeCom's customer service, against a
// platform that checks what the real one checks: somebody opens the chat, pastes, buys and
// is told of it.
func TestKfStory(t *testing.T) {
	t.Parallel()
	fake := kffake.New(kffake.Config{})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	base := startServe(t, append(wecomEnv(fake, platform.URL), noRescan, "FANLI_WECOM_LINK=https://work.weixin.qq.com/kf/kfc1?enc_scene=ENC2")...)
	fake.Connect(base+"/wecom", nil)
	me := kffake.Customer("Me", 1)
	if err := fake.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	hears := func(want string) kffake.Seen {
		t.Helper()
		for end := time.Now().Add(telegramPatience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			for _, seen := range fake.Seen(me) {
				if strings.Contains(seen.Text, want) {
					return seen
				}
			}
		}
		t.Fatalf("%q is never said: %q", want, fake.Lines(me))
		return kffake.Seen{}
	}
	fake.Enter(t.Context(), me, "")
	if seen := hears("返利"); seen.By != "greeting" {
		t.Errorf("the greeting is a %s", seen.By)
	}
	fake.Say(t.Context(), me, "【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开")
	card := hears("预计返利")
	if len(card.Items) == 0 || !strings.HasPrefix(card.Items[0].URL, base) {
		t.Fatalf("the card opens %v", card.Items)
	}
	(&controlPage{t: t, base: base}).buy(card.Items[0].URL)
	hears("看到你的京东订单了")
	fake.Say(t.Context(), me, "邀请")
	hears("scene_param=r_")
	if d := fake.Forge(t.Context(), "unencrypted"); d.Status == 200 {
		t.Errorf("an unencrypted callback is answered %d %q", d.Status, d.Body)
	}
}

// TestKfCommands asks WeCom's fake, over HTTP, for what a configuration needs.
func TestKfCommands(t *testing.T) {
	t.Parallel()
	fake := kffake.New(kffake.Config{})
	at := httptest.NewServer(fake)
	t.Cleanup(at.Close)
	env := wecomEnv(fake, at.URL)
	cli(t, "", env[:3], "kf", "accounts").want(t, exitOK, fake.OpenKfID(), "返利客服")
	cli(t, "", env, "kf", "accounts").want(t, exitOK, "(configured)")
	cli(t, "", env, "kf", "check").want(t, exitOK, "WeCom takes our calls", "https://HOST/wecom")
	cli(t, "", env, "kf", "link", "--scene", "poster").want(t, exitOK, "https://work.weixin.qq.com/kf/kfc", "enc_scene=ENCposter")
	env[1] = "FANLI_WECOM_SECRET=ffffffffffffffffffffffffffffffff"
	cli(t, "", env, "kf", "check").want(t, exitFailed, "40001", "compare wecom.corp_id")
	cli(t, "", nil, "kf", "check").want(t, exitUsage, "docs/wecom.md")
}

// TestKfBehindTheGateway: a gateway hands WeCom's callbacks on to the bot target, as they
// came, and counts nobody's calls for it.
func TestKfBehindTheGateway(t *testing.T) {
	t.Parallel()
	var got string
	bot := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.String() })
	cfg := configs.Config{Targets: []string{gatewayTarget}}
	cfg.Wecom.CorpID, cfg.Wecom.OpenKfID = "ww0123456789abcdef", "wk1"
	s := &server{app: &app{cfg: cfg}, gateway: &gateway{bot: bot, payment: http.NotFoundHandler()}, kfPath: kfPath(cfg)}
	const asked = "/wecom?timestamp=2&nonce=3&msg_signature=4"
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, asked, strings.NewReader("<xml/>")))
	if got != asked {
		t.Errorf("the bot target is asked %q", got)
	}
	if !s.free("/wecom") || s.free("/wecoms") {
		t.Error("WeCom's calls are counted, or others' are not")
	}
}
