package platform_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/credential"

	memory "fanli/adapters/cache"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/fault"
)

// The defects of silenceper/wechat/v2 2.1.12 as far as calls are concerned, by their
// numbers in docs/wechat.md. Those of callbacks (1 to 4, half of 16, 17) are the channel's.
func TestDefectsOfTheLibrary(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	defects := []struct {
		name string
		test func(t *testing.T)
	}{
		{"5: ids of choices that are no numbers lose the message", func(t *testing.T) {
			a := open(t, wechatfake.Service, nil)
			if err := a.SendChoices(ctx, "o1", platform.Choices{Items: []platform.Choice{{101, "余额"}}}); err != nil {
				t.Fatal(err)
			}
			if o := a.fake.Tap(ctx, "o1", "101"); len(o.Deliveries) != 1 {
				t.Errorf("the line can't be tapped: %+v", o)
			}
		}},
		{"6 and 7: its cache and its lazy parts race", func(t *testing.T) {
			a := open(t, wechatfake.Service, memory.NewMemory(time.Now))
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { _, _ = a.Menu(ctx); _, _ = a.Tags(ctx) })
				wg.Go(a.fake.DropTokens)
			}
			wg.Wait()
		}},
		{"8: a token of 300 seconds or less fails every call", func(t *testing.T) {
			for _, life := range []time.Duration{300 * time.Second, 200 * time.Second, 2 * time.Second} {
				a := open(t, wechatfake.Service, nil)
				a.fake.TokenLife(life)
				for range 2 {
					if err := a.SendText(ctx, "o1", "x"); err != nil {
						t.Errorf("%v: %v", life, err)
					}
				}
				if a.asked() != 1 {
					t.Errorf("%v: asked %d times", life, a.asked())
				}
			}
		}},
		{"9: nothing is made again with another token", tokenIsChanged},
		{"9: a token that others have is not forced", tokenIsNotForced},
		{"10: numbers are in texts", func(t *testing.T) {
			a := open(t, wechatfake.Personal, nil)
			_, template := a.SendTemplate(ctx, "o1", platform.Notice{Template: "x"})
			for _, err := range []error{a.SendText(ctx, "o1", "x"), template} {
				if platform.CodeOf(err) != 48001 || !strings.Contains(err.Error(), "rid: ") {
					t.Errorf("got %v", err)
				}
			}
		}},
		{"11: errors have the address with token and secret", noSecretIsTold},
		{"12: no context, no timeout", func(t *testing.T) { // TestATimeoutEndsACall has the rest
			a := open(t, wechatfake.Service, nil)
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			if err := a.SendText(ctx, "o1", "x"); !fault.Is(err, fault.Unavailable) || len(a.fake.Lines("o1")) > 0 {
				t.Errorf("got %v", err)
			}
		}},
		{"13: a code with errmsg ok is an error, and its ticket is not escaped", codeIsTaken},
		{"14: an empty miniprogram in every template message", func(t *testing.T) {
			a := open(t, wechatfake.Service, nil)
			_, _ = a.SendTemplate(ctx, "o1", platform.Notice{Template: "x"})
			_ = a.SendSubscription(ctx, "o1", platform.Notice{Template: "x"})
			for _, c := range a.fake.Calls("") {
				if strings.Contains(string(c.Body), "miniprogram") {
					t.Errorf("%s: %s", c.Path, c.Body)
				}
			}
		}},
		{"15: conditional menus know no tag, and their id is dropped", func(t *testing.T) {
			a := open(t, wechatfake.Service, nil)
			_ = a.SetMenu(ctx, platform.Menu{{Name: "a", Say: "x"}})
			tag, _ := a.CreateTag(ctx, "员工")
			id, err := a.AddConditionalMenu(ctx, platform.Menu{{Name: "b", Say: "y"}}, platform.Match{Tag: tag})
			calls := a.fake.Calls("/cgi-bin/menu/addconditional")
			if err != nil || id == "" || !strings.Contains(string(calls[0].Body), `"tag_id":"100"`) {
				t.Errorf("id %q, %v", id, err)
			}
		}},
		{"16: files and answers are taken whole, however large", tooLarge},
		{"16: times end in 2038", func(t *testing.T) {
			a := open(t, wechatfake.Service, nil)
			a.now.at.Store(time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
			a.fake.Follow(ctx, "o3", "")
			if u, err := a.User(ctx, "o3"); err != nil || u.Since.Year() < 2039 {
				t.Errorf("%+v, %v", u, err)
			}
		}},
	}
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.test(t)
		})
	}
}

// tooLarge: a picture that WeChat would refuse is not even sent, and an answer without an
// end ends the call.
func tooLarge(t *testing.T) {
	a := open(t, wechatfake.Service, nil)
	before := len(a.fake.Calls(""))
	if _, _, err := a.UploadImage(t.Context(), "a.png", make([]byte, 10<<20+1)); fault.ReasonOf(err) != platform.TooLong {
		t.Errorf("a picture: %v", err)
	}
	if n := len(a.fake.Calls("")) - before; n > 0 {
		t.Errorf("%d calls are made for it", n)
	}
	said := `{"errcode":0,"ticket":"t","padding":"` + strings.Repeat("x", 5<<20) + `"}`
	a.fake.Fail("/cgi-bin/qrcode/create", 1, wechatfake.Fault{Status: http.StatusOK, Body: said})
	if _, err := a.QR(t.Context(), "17", time.Minute); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an answer: %v", err)
	}
}

// tokenIsChanged: a refused token is dropped, and the call made once more.
func tokenIsChanged(t *testing.T) {
	ctx := t.Context()
	for name, spoil := range map[string]func(a *account){
		"40001": func(a *account) { a.fake.DropTokens() },
		"42001": func(a *account) { a.fake.ExpireTokens() },
		"40014": func(a *account) {
			a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{Code: 40014, Text: "invalid access_token"})
		},
	} {
		a := open(t, wechatfake.Service, memory.NewMemory(time.Now))
		if err := a.SendText(ctx, "o1", "1"); err != nil {
			t.Fatal(err)
		}
		spoil(a)
		if err := a.SendText(ctx, "o1", "2"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(a.fake.Lines("o1"), " "); got != "1 2" {
			t.Errorf("%s: o1 sees %q", name, got)
		}
		calls := a.fake.Calls("/cgi-bin/message/custom/send")
		if first, last := calls[0], calls[len(calls)-1]; first.Query.Get("access_token") == last.Query.Get("access_token") {
			t.Errorf("%s: the same token was used again", name)
		}
		a.fake.Fail("/cgi-bin/message/custom/send", 2, wechatfake.Fault{Code: 40001, Text: "invalid credential"})
		before := len(a.fake.Calls("/cgi-bin/message/custom/send"))
		a.now.advance(time.Minute) // WeChat lets a token be forced each half minute
		if err := a.SendText(ctx, "o1", "3"); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != platform.BadToken {
			t.Errorf("%s, for ever: %v", name, err)
		}
		if n := len(a.fake.Calls("/cgi-bin/message/custom/send")) - before; n != 2 {
			t.Errorf("%s, for ever: %d calls", name, n)
		}
	}
}

// tokenIsNotForced: another process has a newer token, or WeChat has.
func tokenIsNotForced(t *testing.T) {
	a := open(t, wechatfake.Service, nil)
	shared := memory.NewMemory(a.now.Now)
	one, two := client(t, a.fake, a.now, shared), client(t, a.fake, a.now, shared)
	for _, c := range []*platform.Client{one, two} {
		if err := c.SendText(t.Context(), "o1", "x"); err != nil {
			t.Fatal(err)
		}
	}
	a.fake.DropTokens()
	for _, c := range []*platform.Client{one, two} {
		if err := c.SendText(t.Context(), "o1", "x"); err != nil {
			t.Error(err)
		}
	}
	if a.asked() != 2 { // one at the beginning, and one for both
		t.Errorf("asked %d times", a.asked())
	}
	for _, c := range a.fake.Calls("/cgi-bin/stable_token") {
		if strings.Contains(string(c.Body), `"force_refresh":true`) {
			t.Error("a token was forced")
		}
	}
	var _ credential.AccessTokenContextHandle = one.Tokens()
}

// noSecretIsTold: whatever goes wrong, no error tells a secret or a token.
func noSecretIsTold(t *testing.T) {
	a := open(t, wechatfake.Service, nil)
	token, err := a.Tokens().GetAccessToken()
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{token, wechatfake.DefaultSecret, wechatfake.DefaultAESKey, wechatfake.DefaultToken, "access_token=80_"}
	said := "no: access_token=" + token + "x secret=" + wechatfake.DefaultSecret + " " + token + " " + wechatfake.DefaultSecret + " " + wechatfake.DefaultAESKey
	for _, f := range []wechatfake.Fault{
		{HangUp: true}, {Code: 45009, Text: said}, {Status: 502, Body: said}, {Status: 200, Body: said},
	} {
		for _, path := range []string{"/cgi-bin/message/custom/send", "/cgi-bin/stable_token"} {
			a.fake.Fail(path, 1, f)
			fresh := client(t, a.fake, a.now, nil)
			err := fresh.SendText(t.Context(), "o1", "x")
			if err == nil {
				t.Errorf("%+v: no error", f)
				continue
			}
			for _, s := range secrets {
				if strings.Contains(err.Error(), s) {
					t.Errorf("%s tells a secret: %v", path, err)
				}
			}
		}
	}
	nowhere, err := platform.New(config(platform.Service), platform.Options{Now: a.now.Now}) // nobody listens at port 1
	if err != nil {
		t.Fatal(err)
	}
	if err := nowhere.SendText(t.Context(), "o1", "x"); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "://") {
		t.Errorf("got %v", err)
	}
}

// codeIsTaken: success is what has no errcode, whatever errmsg says.
func codeIsTaken(t *testing.T) {
	ticket := "gQ+/=="
	said := map[string]any{"errcode": 0, "errmsg": "ok", "ticket": ticket, "url": "http://weixin.qq.com/q/x", "expire_seconds": 60}
	body, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, wechatfake.Service, nil)
	a.fake.Fail("/cgi-bin/qrcode/create", 1, wechatfake.Fault{Status: http.StatusOK, Body: string(body)})
	code, err := a.QR(t.Context(), "17", time.Minute)
	if err != nil || code.Ticket != ticket {
		t.Fatalf("%+v, %v", code, err)
	}
	u, err := url.Parse(a.PictureURL(code))
	if err != nil || u.Query().Get("ticket") != ticket {
		t.Errorf("the picture is at %v, %v", u, err)
	}
	real, err := a.QR(t.Context(), "17", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.PictureURL(real), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := wechatfake.Local(a.fake).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	picture, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(picture), "\xff\xd8\xff") {
		t.Errorf("the picture is %d %.20q", resp.StatusCode, picture)
	}
}
