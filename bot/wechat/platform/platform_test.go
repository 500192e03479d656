package platform_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	memory "fanli/adapters/cache"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/cache"
	"fanli/core/fault"
)

// account is a client and the platform that it speaks to.
type account struct {
	*platform.Client
	fake *wechatfake.Server
	now  *clock
}

// A clock is set by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMilli(c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Milliseconds()) }

func config(profile string) platform.Config {
	return platform.Config{
		AppID: wechatfake.DefaultAppID, AppSecret: wechatfake.DefaultSecret, Token: wechatfake.DefaultToken, AESKey: wechatfake.DefaultAESKey,
		Profile: profile, Endpoint: "http://127.0.0.1:1",
	}
}

// open returns an account of a profile, with one follower, o1, who has just written.
func open(t *testing.T, profile wechatfake.Profile, c cache.Cache) *account {
	t.Helper()
	now := &clock{}
	now.at.Store(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixMilli())
	fake := wechatfake.New(wechatfake.Config{Profile: profile, Now: now.Now})
	fake.Connect("http://callback/", wechatfake.Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	fake.Say(t.Context(), "o1", "hello")
	return &account{client(t, fake, now, c), fake, now}
}

// client is a further process of an account.
func client(t *testing.T, fake *wechatfake.Server, now *clock, c cache.Cache) *platform.Client {
	t.Helper()
	p, err := platform.New(config(platform.Service), platform.Options{HTTP: wechatfake.Local(fake), Cache: c, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (a *account) asked() int { return len(a.fake.Calls("/cgi-bin/stable_token")) }

var png = []byte("\x89PNG\r\n\x1a\n and so on")

func TestWhatPeopleSee(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, wechatfake.Service, nil), t.Context()
	media, until, err := a.UploadImage(ctx, "qr.png", png)
	if kept, ok := a.fake.Media(media); err != nil || !ok || !bytes.Equal(kept, png) || !until.Equal(a.now.Now().Add(72*time.Hour)) {
		t.Fatalf("uploaded %q until %v, %v", kept, until, err)
	}
	if err := a.Typing(ctx, "o1", true); err != nil || !a.fake.Typing("o1") {
		t.Errorf("typing: %v", err)
	}
	if err := a.Typing(ctx, "o1", true); err != nil { // WeChat minds being told twice
		t.Errorf("typing again: %v", err)
	}
	a.fake.Consent("o1", "tpl", "7")
	a.fake.Subscribe(ctx, "o1", "sub", true)
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error { return a.SendText(ctx, "o1", "a<b> & 返利") }, "a<b> & 返利"},
		{func() error {
			return a.SendNews(ctx, "o1", platform.Article{Title: "t", Text: "d", URL: "https://x", Image: "https://p"})
		}, "[t | d | https://x]"},
		{func() error { return a.SendImage(ctx, "o1", media) }, "<image " + media + ">"},
		{func() error {
			return a.SendChoices(ctx, "o1", platform.Choices{Head: "h", Tail: "z", Items: []platform.Choice{{1, "余额"}, {2, "订单"}}})
		}, "h\nz {1:余额 2:订单}"},
		{func() error {
			id, err := a.SendTemplate(ctx, "o1", platform.Notice{Template: "TM", Key: "k", Fields: map[string]string{"thing1": "x"}})
			again, err2 := a.SendTemplate(ctx, "o1", platform.Notice{Template: "TM", Key: "k", Fields: map[string]string{"thing1": "x"}})
			if id == 0 || id != again {
				return fmt.Errorf("sent as %d and %d", id, again)
			}
			return errors.Join(err, err2)
		}, "(TM) thing1=x"},
		{func() error {
			return a.SendOnce(ctx, "o1", platform.Once{Template: "tpl", Scene: 7, Title: "返利", Text: "到账"})
		}, "(tpl) 返利: 到账"},
		{func() error {
			return a.SendSubscription(ctx, "o1", platform.Notice{Template: "sub", Fields: map[string]string{"thing1": "y"}})
		}, "(sub) thing1=y"},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	a.fake.Settle()
	if body := a.fake.Calls("/cgi-bin/message/custom/send")[0].Body; !bytes.Contains(body, []byte("a<b> & 返利")) {
		t.Errorf("it is sent as %s", body) // escapes are shown to people as they are
	}
	lines := a.fake.Lines("o1")
	if len(lines) != len(steps) {
		t.Fatalf("o1 sees %q", lines)
	}
	for i, s := range steps {
		if lines[i] != s.want {
			t.Errorf("o1 sees %q, want %q", lines[i], s.want)
		}
	}
	if a.asked() != 1 {
		t.Errorf("%d tokens were asked for", a.asked())
	}
}

// TestRefusals holds the meaning of what WeChat says: one call for each that matters.
func TestRefusals(t *testing.T) {
	t.Parallel()
	text := func(a *account) error { return a.SendText(context.Background(), "o1", "x") }
	tests := []struct {
		name    string
		profile wechatfake.Profile
		before  func(a *account)
		do      func(a *account) error
		code    fault.Code
		reason  string
		number  int64
	}{
		{"too late", "", func(a *account) { a.now.advance(48 * time.Hour) }, text, fault.Denied, platform.WindowClosed, 45015},
		{"a sixth", "", func(a *account) {
			for range 5 {
				_ = text(a)
			}
		}, text, fault.Denied, platform.QuotaUsed, 45047},
		{"gone", "", func(a *account) { a.fake.Unfollow(context.Background(), "o1") }, text, fault.NotFound, platform.NotFollower, 43004},
		{"nobody", "", nil, func(a *account) error { return a.SendText(context.Background(), "o9", "x") }, fault.NotFound, platform.NotFollower, 40003},
		{"personal", wechatfake.Personal, nil, text, fault.Denied, platform.NoRight, 48001},
		{"subscription account", wechatfake.Subscription, nil, func(a *account) error {
			_, err := a.SendTemplate(context.Background(), "o1", platform.Notice{Template: "x"})
			return err
		}, fault.Denied, platform.NoRight, 48001},
		{"sandbox", wechatfake.Sandbox, nil, func(a *account) error {
			return a.SendChoices(context.Background(), "o1", platform.Choices{Items: []platform.Choice{{1, "x"}}})
		}, fault.Denied, platform.NoRight, 40200},
		{"no consent", "", nil, func(a *account) error {
			return a.SendSubscription(context.Background(), "o1", platform.Notice{Template: "x"})
		}, fault.Denied, platform.NoConsent, 43101},
		{"busy", "", func(a *account) { a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Busy()) }, text, fault.Unavailable, platform.Busy, -1},
		{"too often", "", func(a *account) {
			a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{Code: 45009, Text: "reach max api daily quota limit"})
		}, text, fault.Limited, platform.TooOften, 45009},
		{"too long, says WeChat", "", func(a *account) {
			a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{Code: 45002, Text: "content size out of limit"})
		}, text, fault.Invalid, platform.TooLong, 45002},
		{"too long a title, says WeChat", "", func(a *account) {
			a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{Code: 45003, Text: "title size out of limit"})
		}, text, fault.Invalid, platform.TooLong, 45003},
		{"too long, say we", "", nil, func(a *account) error {
			return a.SendText(context.Background(), "o1", strings.Repeat("长", 683))
		}, fault.Invalid, platform.TooLong, 0},
		{"unknown number", "", func(a *account) {
			a.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{Code: 99999, Text: "?"})
		}, text, fault.Internal, "", 99999},
		{"value", "", nil, func(a *account) error {
			_, err := a.SendTemplate(context.Background(), "o1", platform.Notice{Template: "x", Fields: map[string]string{"thing1": strings.Repeat("长", 21)}})
			return err
		}, fault.Invalid, platform.BadTemplate, 47003},
		{"no menu", "", nil, func(a *account) error { _, err := a.Menu(context.Background()); return err }, fault.NotFound, platform.NoMenu, 46003},
		{"a page", "", func(a *account) { a.fake.Fail("*", 1, wechatfake.BadGateway()) }, text, fault.Unavailable, "", 0},
		{"broken", "", func(a *account) { a.fake.Fail("*", 1, wechatfake.Fault{HangUp: true}) }, text, fault.Unavailable, "", 0},
		{"tag twice", "", func(a *account) { _, _ = a.CreateTag(context.Background(), "员工") }, func(a *account) error {
			_, err := a.CreateTag(context.Background(), "员工")
			return err
		}, fault.Conflict, platform.BadTag, 45157},
	}
	for _, tt := range tests {
		profile := tt.profile
		if profile == "" {
			profile = wechatfake.Service
		}
		a := open(t, profile, nil)
		if tt.before != nil {
			tt.before(a)
		}
		err := tt.do(a)
		if fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason || platform.CodeOf(err) != tt.number {
			t.Errorf("%s: %v, code %q, reason %q", tt.name, err, fault.CodeOf(err), fault.ReasonOf(err))
		}
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, wechatfake.Service, nil), t.Context()
	code, err := a.QR(ctx, "r_ab12", 24*time.Hour)
	if err != nil || !code.Until.Equal(a.now.Now().Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", code, err)
	}
	a.fake.ScanCode(ctx, "o2", code.URL)
	u, err := a.User(ctx, "o2")
	if err != nil || !u.Follows || u.Scene != "r_ab12" || u.UnionID == "" || !u.Since.Equal(a.now.Now()) {
		t.Errorf("%+v, %v", u, err)
	}
	tag, err := a.CreateTag(ctx, "员工")
	if err == nil {
		err = a.Tag(ctx, tag, "o1", "o2")
	}
	if err == nil {
		err = a.Untag(ctx, tag, "o2")
	}
	if err != nil || len(a.fake.Tags("o1")) != 1 || len(a.fake.Tags("o2")) != 0 {
		t.Errorf("tags: %v, o1 %v, o2 %v", err, a.fake.Tags("o1"), a.fake.Tags("o2"))
	}
	if tags, err := a.Tags(ctx); err != nil || tags[len(tags)-1] != (platform.Tag{ID: tag, Name: "员工", Count: 1}) {
		t.Errorf("%+v, %v", tags, err)
	}
	if _, err := a.QR(ctx, strings.Repeat("x", 65), time.Hour); !fault.Is(err, fault.Invalid) {
		t.Errorf("a scene too long: %v", err)
	}
}

// TestPicturesAreForPeople: a proxy for our own calls shows people nothing; the fake does.
func TestPicturesAreForPeople(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"":                         "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=a%2Bb",
		"https://proxy.internal":   "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=a%2Bb",
		"http://127.0.0.1:8090/wx": "http://127.0.0.1:8090/wx/cgi-bin/showqrcode?ticket=a%2Bb",
	} {
		c, err := platform.New(platform.Config{
			AppID: wechatfake.DefaultAppID, AppSecret: wechatfake.DefaultSecret, Token: wechatfake.DefaultToken, AESKey: wechatfake.DefaultAESKey, Endpoint: endpoint,
		}, platform.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.PictureURL(platform.Code{Ticket: "a+b"}); got != want {
			t.Errorf("with endpoint %q the picture is at %s, want %s", endpoint, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	text := func(a *account) error { return a.SendText(context.Background(), "o1", "x") }
	t.Run("ManyAskOnce", func(t *testing.T) {
		t.Parallel()
		a := open(t, wechatfake.Service, nil)
		a.fake.Say(t.Context(), "o1", "again")
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { _ = a.Typing(t.Context(), "o1", true) })
		}
		wg.Wait()
		if a.asked() != 1 {
			t.Errorf("asked %d times", a.asked())
		}
	})
	t.Run("ProcessesShareOne", func(t *testing.T) {
		t.Parallel()
		a := open(t, wechatfake.Service, nil)
		shared := memory.NewMemory(a.now.Now)
		for range 3 {
			if err := client(t, a.fake, a.now, shared).SendText(t.Context(), "o1", "x"); err != nil {
				t.Error(err)
			}
		}
		if a.asked() != 1 {
			t.Errorf("asked %d times", a.asked())
		}
	})
	t.Run("EndsInTime", func(t *testing.T) {
		t.Parallel()
		a := open(t, wechatfake.Service, memory.NewMemory(time.Now))
		for range 4 { // every two hours less five minutes
			if err := text(a); err != nil {
				t.Error(err)
			}
			a.now.advance(2*time.Hour - 5*time.Minute)
		}
		if n := a.asked(); n != 4 {
			t.Errorf("asked %d times", n)
		}
		for _, c := range a.fake.Calls("/cgi-bin/message/custom/send") {
			if c.Code != 0 {
				t.Errorf("a call with a token that had ended: %d", c.Code)
			}
		}
	})
	t.Run("WrongSecretIsDenied", func(t *testing.T) {
		t.Parallel()
		a := open(t, wechatfake.Service, nil)
		cfg := config(platform.Service)
		cfg.AppSecret = strings.Repeat("f", 32)
		c, err := platform.New(cfg, platform.Options{HTTP: wechatfake.Local(a.fake), Now: a.now.Now})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			err = c.SendText(t.Context(), "o1", "x")
			if !fault.Is(err, fault.Denied) || fault.ReasonOf(err) != platform.Credentials || strings.Contains(err.Error(), cfg.AppSecret) {
				t.Errorf("got %v", err)
			}
		}
		if n := a.asked(); n != 1 { // asking is counted
			t.Errorf("asked %d times", n)
		}
		a.now.advance(5 * time.Second)
		if err = c.SendText(t.Context(), "o1", "x"); !fault.Is(err, fault.Denied) || a.asked() != 2 {
			t.Errorf("after a rest: %v, asked %d times", err, a.asked())
		}
	})
	t.Run("AFlushCostsOneCall", func(t *testing.T) {
		t.Parallel()
		a := open(t, wechatfake.Service, nil)
		for range 2 { // each process with a cache of its own that is empty
			if err := client(t, a.fake, a.now, memory.NewMemory(a.now.Now)).SendText(t.Context(), "o1", "x"); err != nil {
				t.Error(err)
			}
		}
		if n := a.asked(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestATimeoutEndsACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := wechatfake.New(wechatfake.Config{})
		p, err := platform.New(config(platform.Service), platform.Options{HTTP: wechatfake.Local(fake)})
		if err != nil {
			t.Fatal(err)
		}
		fake.Say(t.Context(), "o1", "hello")
		if err := p.SendText(t.Context(), "o1", "with a token"); err != nil {
			t.Fatal(err)
		}
		fake.Fail("/cgi-bin/message/custom/send", 2, wechatfake.Fault{Stall: true})
		began := time.Now()
		if err := p.SendText(t.Context(), "o1", "x"); !fault.Is(err, fault.Unavailable) || time.Since(began) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if err := p.SendText(ctx, "o1", "x"); !fault.Is(err, fault.Unavailable) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		fake.DropTokens()
		fake.Fail("/cgi-bin/stable_token", 1, wechatfake.Fault{Stall: true})
		began = time.Now()
		if err := p.SendText(t.Context(), "o1", "x"); !fault.Is(err, fault.Unavailable) || time.Since(began) != 4*time.Second {
			t.Errorf("without a token: %v after %v", err, time.Since(began))
		}
		time.Sleep(time.Minute) // the asking for the token belongs to nobody
	})
}
