package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/sandbox"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/logtest"
	"fanli/core/money"
	"fanli/core/user"
)

// A shopfront is the sandbox with its server, in which somebody buys a membership.
type shopfront struct {
	t     *testing.T
	app   *app
	world *sandbox.World
	srv   *httptest.Server

	mu   sync.Mutex
	told []string
}

func (s *shopfront) Name() string                                 { return "test" }
func (s *shopfront) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }
func (s *shopfront) Send(_ context.Context, _ user.Identity, r bot.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, r.Text)
	return nil
}

func openShopfront(t *testing.T, change func(*configs.Config)) *shopfront {
	t.Helper()
	return openShopfrontAt(t, time.Now, change)
}

// openShopfrontAt is a shopfront whose world's clock begins at a time of its own.
func openShopfrontAt(t *testing.T, now func() time.Time, change func(*configs.Config)) *shopfront {
	t.Helper()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	edge := &server{}
	s := &shopfront{t: t, srv: httptest.NewUnstartedServer(edge)}
	t.Cleanup(s.srv.Close)
	base := "http://" + s.srv.Listener.Addr().String()
	cfg.Data = t.TempDir()
	if s.world, err = sandbox.New(sandbox.Options{BaseURL: base, Still: true, Now: now, Notify: base + "/pay/charge/alipay", Keys: alipayKeys(t)}); err != nil {
		t.Fatal(err)
	}
	cfg = withTill(inSandbox(cfg, s.world))
	cfg.Sync.Rescan = false // forty days that the world has not had, each hour of them a request
	if change != nil {
		change(&cfg)
	}
	if err := migratedAt(databasePath(cfg)); err != nil {
		t.Fatal(err)
	}
	s.app, err = newApp(t.Context(), cfg, surroundings{log: logtest.New(nil), now: s.world.Now, http: http.DefaultClient, holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.app.close() })
	s.app.tell.Channels = []bot.Channel{s}
	edge.app, edge.world = s.app, s.world
	s.srv.Start()
	return s
}

func (s *shopfront) say(id, text string) bot.Reply {
	s.t.Helper()
	return s.app.bot.Handle(s.t.Context(), bot.Message{From: user.Identity{Channel: "test", External: "ann"}, Chat: "ann", ID: id, Text: text, Locale: "zh"})
}

// request asks the server as a browser on its pages does.
func (s *shopfront) request(method, address string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := s.srv.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// until asks about charges until one is at a stage, and then runs all jobs.
func (s *shopfront) until(id int64, stage collect.Stage) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute) // the race detector and fifty others have the machine, too
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := s.app.dues.Run(ctx); err != nil {
			s.t.Fatal(err)
		}
		d, err := s.app.dues.Store.Due(ctx, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if d.Stage == stage {
			if err := s.app.settleDown(ctx); err != nil {
				s.t.Fatal(err)
			}
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("charge %d stays %s", id, d.Stage)
		case <-tick.C:
		}
	}
}

func (s *shopfront) level(want int) {
	s.t.Helper()
	level, err := s.app.level(s.t.Context(), 1)
	if err != nil || level != want {
		s.t.Errorf("level %d, %v; want %d", level, err, want)
	}
}

func (s *shopfront) wantTold(part string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.told {
		if strings.Contains(text, part) {
			return
		}
	}
	s.t.Errorf("nobody said %q, but %q", part, s.told)
}

// From the question in the chat to the level and back, through Alipay's wire.
func TestAMembershipInTheSandbox(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, nil)
	if r := s.say("1", "会员"); len(r.Cards) != 1 || len(r.Cards[0].Rows) != 3 {
		t.Fatalf("%+v", r)
	}
	r := s.say("2", "会员 1")
	if len(r.Cards) != 1 || len(r.Cards[0].Buttons) != 1 || !strings.HasPrefix(r.Cards[0].Buttons[0].URL, s.srv.URL+"/shop/pay/") {
		t.Fatalf("%+v", r)
	}
	page := r.Cards[0].Buttons[0].URL
	if status, body := s.request(http.MethodGet, page); status != http.StatusOK || !strings.Contains(body, "¥9.90") || !strings.Contains(body, "待付款") {
		t.Fatalf("the page says %d\n%s", status, body)
	}
	s.level(0)
	if status, body := s.request(http.MethodPost, page); status != http.StatusOK || !strings.Contains(body, "已付款") {
		t.Fatalf("the page says %d\n%s", status, body)
	}
	s.until(1, collect.Received) // the clock stands: only the callback can have told
	s.level(1)
	s.wantTold("会员已开通 30 天")
	if status, body := s.request(http.MethodPost, page); status != http.StatusOK || !strings.Contains(body, "没有做成") {
		t.Errorf("paid a second time: %d\n%s", status, body)
	}
	if got := s.world.Charged(); got != 9_90 {
		t.Errorf("Alipay has %s", got)
	}
	b, err := s.app.db.Ledger().Balance(t.Context(), ledger.Membership)
	if err != nil || b != 9_90 {
		t.Errorf("house/membership has %s, %v", b, err)
	}
	if _, err := s.app.dues.Refund(t.Context(), 1, "cli", "goodwill"); err != nil {
		t.Fatal(err)
	}
	s.until(1, collect.Refunded)
	s.level(0)
	s.wantTold("已经原路退回")
	if got := s.world.Charged(); got != 0 {
		t.Errorf("Alipay has %s", got)
	}
	if rep, err := s.app.prove(t.Context()); err != nil || !rep.OK() || rep.Charges != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// A membership ends by the clock; what it gave ends with it, and is told.
func TestAMembershipEnds(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, nil)
	page := s.say("1", "会员 2").Cards[0].Buttons[0].URL
	s.request(http.MethodPost, page)
	s.until(1, collect.Received)
	s.level(2)
	if err := s.world.Advance(30 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	s.level(0)
	if err := s.app.settleDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantTold("会员结束了")
}

// Nobody is asked to pay where nobody takes money.
func TestNobodyTakesMoney(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, func(c *configs.Config) { c.Collect.Collector = "" })
	if r := s.say("1", "会员 1"); !strings.Contains(r.Text, "没有会员") {
		t.Errorf("%+v", r)
	}
	for _, path := range []string{"/pay/charge/alipay", "/pay/charge/nobody"} {
		if status, _ := s.request(http.MethodPost, s.srv.URL+path); status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, status)
		}
	}
}

// Anybody can knock at the callback; only Alipay is heard.
func TestForgedCallbacksAboutCharges(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, nil)
	s.say("1", "会员 1")
	form := url.Values{"out_trade_no": {"FC1"}, "trade_status": {"TRADE_SUCCESS"}, "sign": {"x"}}
	res, err := s.srv.Client().PostForm(s.srv.URL+"/pay/charge/alipay", form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) == "success" {
		t.Error("a forged callback was taken")
	}
	if err := s.app.settleDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, err := s.app.dues.Store.Due(t.Context(), 1); err != nil || d.Stage != collect.Asked {
		t.Errorf("%+v, %v", d, err)
	}
}

// A code is shown to who has its link, while it can be paid.
func TestTheCodeIsShown(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, func(c *configs.Config) { c.Collect.PageURL = "https://pay.example.com" })
	r := s.say("1", "会员 1")
	picture, ok := strings.CutPrefix(r.Cards[0].Image, "https://pay.example.com")
	if !ok || !strings.HasSuffix(picture, ".png") {
		t.Fatalf("the picture is at %q", r.Cards[0].Image)
	}
	page := strings.TrimSuffix(picture, ".png")
	if status, body := s.request(http.MethodGet, s.srv.URL+picture); status != http.StatusOK || !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("the picture: %d", status)
	}
	if status, body := s.request(http.MethodGet, s.srv.URL+page); status != http.StatusOK || !strings.Contains(body, "data:image/png") {
		t.Errorf("the page: %d\n%s", status, body)
	}
	for _, wrong := range []string{page[:len(page)-1], page + "0", strings.Replace(page, "/1-", "/2-", 1), "/pay/code/", "/pay/code/1", "/pay/code/x-y"} {
		if status, _ := s.request(http.MethodGet, s.srv.URL+wrong); status != http.StatusNotFound {
			t.Errorf("%s answers %d", wrong, status)
		}
	}
	if err := s.world.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.request(http.MethodGet, s.srv.URL+picture); status != http.StatusNotFound {
		t.Errorf("the picture of what has lapsed: %d", status)
	}
	if status, body := s.request(http.MethodGet, s.srv.URL+page); status != http.StatusOK || !strings.Contains(body, "已经失效") {
		t.Errorf("the page of what has lapsed: %d\n%s", status, body)
	}
}

// What staff sees of charges and does to them, beside the process that serves.
func TestCollectionsCommands(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, nil)
	dir := s.app.cfg.Data
	s.request(http.MethodPost, s.say("1", "会员 1").Cards[0].Buttons[0].URL)
	s.until(1, collect.Received)
	s.say("2", "会员 1")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"list"}, exitOK, "asked"},
		{[]string{"list", "--all"}, exitOK, "received"},
		{[]string{"refund", "1"}, exitUsage, "--reason"},
		{[]string{"refund", "x", "--reason", "goodwill"}, exitUsage, "not the number"},
		{[]string{"refund", "404", "--reason", "goodwill"}, exitFailed, "no charge 404"},
		{[]string{"refund", "2", "--reason", "goodwill"}, exitFailed, "nothing to give back"},
		{[]string{"refund", "1", "--reason", "goodwill", "--as", "anna"}, exitOK, "refunding, ¥9.90"},
		{[]string{"topup", "x"}, exitUsage, "not an amount"},
		{[]string{"topup", "500"}, exitUsage, "collect.collector"},
	} {
		r := cli(t, "", nil, append(append([]string{"collections"}, tt.args...), "--data", dir)...)
		if r.code != tt.code || !strings.Contains(r.out+r.err, tt.says) {
			t.Errorf("collections %v: %+v, want %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	if err := s.world.Advance(time.Hour); err != nil { // the command goes by the real clock, which has not stood still
		t.Fatal(err)
	}
	s.until(1, collect.Refunded)
	if r := cli(t, "", nil, "acts", "--data", dir); !strings.Contains(r.out, "charge.refund") || !strings.Contains(r.out, "cli:anna") {
		t.Errorf("acts: %+v", r)
	}
}

// The operator puts money in; it stands at the bank, for bonuses.
func TestTheOperatorPutsMoneyIn(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, nil)
	d, err := s.app.dues.Ask(t.Context(), collect.Request{Key: "topup/1", Purpose: collect.TopUp, Amount: 500_00, Subject: "充值"})
	if err != nil {
		t.Fatal(err)
	}
	s.request(http.MethodPost, d.Code)
	s.until(d.ID, collect.Received)
	all, err := s.app.db.Ledger().Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[ledger.Account]money.Fen{ledger.Bank: -500_00, ledger.Marketing: 500_00, ledger.Collector("alipay"): 0} {
		if all[a] != want {
			t.Errorf("%s has %s, want %s", a, all[a], want)
		}
	}
}
