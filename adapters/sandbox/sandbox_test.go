package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanli/adapters/alipay"
	"fanli/adapters/alipay/alipayfake"
	"fanli/adapters/jd"
	"fanli/adapters/pdd"
	"fanli/adapters/sandbox"
	"fanli/adapters/taobao"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) // noon in Beijing

// stage is a world behind a server.
type stage struct {
	*sandbox.World
	srv *httptest.Server
}

// open starts a world; dir "" forgets it.
func open(t *testing.T, dir string) *stage {
	t.Helper()
	st := &stage{}
	st.srv = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		st.World.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(st.srv.Close)
	keys, err := alipayKeys()
	if err != nil {
		t.Fatal(err)
	}
	w, err := sandbox.New(sandbox.Options{BaseURL: st.srv.URL, Dir: dir, Now: func() time.Time { return start }, Still: true, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	st.World = w
	return st
}

// networks are the real adapters, with what Endpoints says.
func (st *stage) networks(t *testing.T) map[string]link.Network {
	t.Helper()
	at := st.Endpoints()
	tb, err := taobao.New(taobao.Config{
		Endpoint: at["taobao"].URL, AppKey: at["taobao"].Key, AppSecret: at["taobao"].Secret,
		SiteID: at["taobao"].Site, AdzoneIDs: at["taobao"].Slots, MainSite: true,
	}, st.srv.Client(), st.Now)
	if err != nil {
		t.Fatal(err)
	}
	j, err := jd.New(jd.Config{Endpoint: at["jd"].URL, AppKey: at["jd"].Key, AppSecret: at["jd"].Secret, SceneIDs: []int{1, 2}}, st.srv.Client(), st.Now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pdd.New(pdd.Config{Endpoint: at["pdd"].URL, ClientID: at["pdd"].Key, ClientSecret: at["pdd"].Secret, PID: at["pdd"].Slots[0]}, st.srv.Client(), st.Now)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]link.Network{"taobao": tb, "jd": j.Links(), "pdd": p.Links()}
}

// made makes an affiliate link to goods as the bot would.
func (st *stage) made(t *testing.T, network, text string) string {
	t.Helper()
	n := st.networks(t)[network]
	refs := link.Recognise(text)
	if len(refs) == 0 {
		t.Fatalf("nothing is recognised in %q", text)
	}
	o, err := n.Offer(t.Context(), refs[0])
	if err != nil {
		t.Fatal(err)
	}
	m := link.Mark{Tag: "tagofme1"}
	if p, ok := n.(link.Pooled); ok {
		m.Slot = p.Slots()[0]
	}
	l, err := n.Link(t.Context(), o, m)
	if err != nil {
		t.Fatal(err)
	}
	return l.URL
}

// Whatever the shop gives out to be pasted is recognised, and the real adapter
// opens it as the goods it was given out for.
func TestSharesAreOpened(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	networks := st.networks(t)
	for _, s := range st.Shops() {
		for _, g := range s.Market.Shelf() {
			for _, share := range s.Shares(g) {
				refs := link.Recognise(share.Text)
				if len(refs) != 1 || refs[0].Network != s.Name {
					t.Errorf("%s %s: %q is recognised as %+v", s.Name, share.Label, share.Text, refs)
					continue
				}
				o, err := networks[s.Name].Offer(t.Context(), refs[0])
				switch {
				case g.Unlisted && !fault.Is(err, fault.NotFound):
					t.Errorf("%s %s of goods outside the programme: %v, want not found", s.Name, share.Label, err)
				case g.Unlisted:
				case err != nil:
					t.Errorf("%s %s %q: %v", s.Name, share.Label, share.Text, err)
				case o.Title != g.Title || o.Final != g.Final():
					t.Errorf("%s %s of %q opens %q at %s", s.Name, share.Label, g.Title, o.Title, o.Final)
				}
			}
		}
	}
}

// Every article has a picture, and who asks for it where the networks say that it
// is finds it in this process.
func TestPictures(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	for _, s := range st.Shops() {
		if n := len(s.Market.Shelf()); n < 12 {
			t.Errorf("%s sells %d articles, want a dozen", s.Name, n)
		}
		for _, g := range s.Market.Shelf() {
			status, kind, _ := st.get(t, st.Picture(g.Image))
			if status != http.StatusOK || kind != "image/svg+xml" {
				t.Errorf("the picture %s of %q: status %d, %s", g.Image, g.Title, status, kind)
			}
		}
	}
	const other = "https://img.example/a.png"
	if got := st.Picture(other); got != other {
		t.Errorf("Picture(%q) = %q", other, got)
	}
}

func TestDeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		deeds   []sandbox.Deed
		state   market.State
		refused sandbox.Deed // what cannot happen then
	}{
		{"bought", nil, market.Paid, sandbox.Settle},
		{"received", []sandbox.Deed{sandbox.Receive}, market.Received, sandbox.Cancel},
		{"settled", []sandbox.Deed{sandbox.Receive, sandbox.Settle}, market.Settled, sandbox.Receive},
		{"returned after settlement", []sandbox.Deed{sandbox.Receive, sandbox.Settle, sandbox.Refund}, market.Settled, sandbox.Refund},
		{"returned before", []sandbox.Deed{sandbox.Refund}, market.Invalid, sandbox.Receive},
		{"cancelled", []sandbox.Deed{sandbox.Cancel}, market.Invalid, sandbox.Pay},
		{"in violation", []sandbox.Deed{sandbox.Receive, sandbox.Violate}, market.Invalid, sandbox.Settle},
		{"split", []sandbox.Deed{sandbox.Split}, market.Replaced, sandbox.Receive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := open(t, "")
			network, l, err := st.Buy(st.made(t, "jd", "https://item.jd.com/100012043983.html"), 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tt.deeds {
				if err := st.Do(network, l.ID, d, 0); err != nil {
					t.Fatalf("%s: %v", d, err)
				}
			}
			s, _ := st.Shop(network)
			if l, _ := s.Market.Line(l.ID); l.State != tt.state {
				t.Errorf("the line is %s, want %s", l.State, tt.state)
			}
			if err := st.Do(network, l.ID, tt.refused, 0); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v, want conflict", tt.refused, err)
			}
		})
	}
}

func TestRefundInPart(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	network, l, err := st.Buy(st.made(t, "taobao", "￥CZ0005AbCdE￥"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Do(network, l.ID, sandbox.Refund, 1_00); err != nil {
		t.Fatal(err)
	}
	if err := st.Do(network, l.ID, sandbox.Refund, l.Price); !fault.Is(err, fault.Invalid) {
		t.Errorf("giving back more than is left: %v, want invalid", err)
	}
	s, _ := st.Shop(network)
	got, _ := s.Market.Line(l.ID)
	if got.State != market.Paid || got.Refunded != 1_00 {
		t.Errorf("the line is %s with %s given back", got.State, got.Refunded)
	}
}

// An order that lost its mark reaches the network's book without anything that
// says whose it is.
func TestStray(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	for network, item := range map[string]string{"taobao": "678901234501", "jd": "100012043978", "pdd": "445566778801"} {
		l, err := st.Stray(network, item)
		if err != nil {
			t.Fatal(err)
		}
		if l.State != market.Paid || l.Click.Tag != "" {
			t.Errorf("%s: %+v", network, l.Click)
		}
		for _, slot := range st.Endpoints()["taobao"].Slots {
			if l.Click.Slot == slot {
				t.Errorf("%s: the stray is in slot %s of somebody", network, slot)
			}
		}
	}
	if _, err := st.Stray("jd", "nothing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stray of nothing: %v, want not found", err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	if got := st.Now(); !got.Equal(start) {
		t.Errorf("the world begins at %s, want %s", got, start)
	}
	if err := st.Advance(-time.Second); !fault.Is(err, fault.Invalid) {
		t.Errorf("a step back: %v, want invalid", err)
	}
	if err := st.Advance(st.UntilSettlement()); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 12, 21, 2, 0, 0, 0, time.UTC)
	if got := st.Now(); !got.Equal(want) {
		t.Errorf("the next settlement is %s, want %s", got, want)
	}
	if d := st.UntilSettlement(); d != 31*24*time.Hour {
		t.Errorf("on the day itself the next one is %s away, want 31 days", d)
	}
}

// A world that is closed and opened again is the same: its time, orders, links,
// payments and switches.
func TestWorldSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := open(t, dir)
	links := map[string]string{}
	for network, text := range map[string]string{
		"taobao": "￥CZ0005AbCdE￥", "jd": "https://item.jd.com/100012043983.html", "pdd": "https://mobile.yangkeduo.com/goods.html?goods_id=445566778803",
	} {
		made := st.made(t, network, text)
		links[network] = strings.TrimPrefix(made, st.srv.URL)
		if _, _, err := st.Buy(made, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Advance(48 * time.Hour); err != nil {
		t.Fatal(err)
	}
	st.payer(t).send(t, "W1")

	again := open(t, dir)
	if got := again.Now(); !got.Equal(start.Add(48 * time.Hour)) {
		t.Errorf("it is %s after the restart", got)
	}
	if orders, all := again.Orders(10); all != 3 || len(orders) != 3 {
		t.Errorf("%d orders after the restart, want 3", all)
	}
	if p := again.World.Pay().Transfers(); len(p) != 1 || p[0].Number != "W1" {
		t.Errorf("payments after the restart: %+v", p)
	}
	for network, path := range links {
		if _, _, err := again.Buy(again.srv.URL+path, 1); err != nil {
			t.Errorf("an old link of %s: %v", network, err)
		}
	}
}

func TestUnreadableWorldIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sandbox.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sandbox.New(sandbox.Options{BaseURL: "http://127.0.0.1:1", Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "sandbox.json") {
		t.Errorf("half a world: %v, want an error that names the file", err)
	}
}

// alipayKeys are those of all worlds: making them takes a moment.
var alipayKeys = sync.OnceValues(func() (*alipayfake.Keys, error) { return alipayfake.NewKeys(start) })

// payer is the real client at the world's payer.
type payer struct{ withdraw.Payer }

func (st *stage) payer(t *testing.T) payer {
	t.Helper()
	keys, app, gateway, _ := st.Alipay()
	c, err := alipay.New(keys.Client(app, gateway), st.srv.Client(), st.Now)
	if err != nil {
		t.Fatal(err)
	}
	return payer{c}
}

func (p payer) send(t *testing.T, number string) withdraw.Verdict {
	t.Helper()
	o, err := p.Send(t.Context(), withdraw.Payment{
		Number: number, Amount: 12_00, Payee: user.Payee{Method: "alipay", Account: "13800138000", Name: "张三"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o.Verdict
}

func TestPayerOfTheWorld(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	p := st.payer(t)
	if v := p.send(t, "W1"); v != withdraw.Done {
		t.Errorf("Send says %s", v)
	}
	st.World.Pay().Mode(alipayfake.Holds)
	if v := p.send(t, "W2"); v != withdraw.Busy {
		t.Errorf("Send says %s while payments are held", v)
	}
	if got := st.World.Pay().Paid("W1"); len(got) != 1 || got[0] != money.Fen(12_00) {
		t.Errorf("the book has %v under W1", got)
	}
}

// Whoever wants to look after a change hears of it.
func TestOnChange(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	made := st.made(t, "jd", "https://item.jd.com/100012043983.html")
	var rung atomic.Int32
	st.OnChange(func() { rung.Add(1) })
	var line string
	steps := map[string]func() error{
		"a purchase": func() error { _, l, err := st.Buy(made, 1); line = l.ID; return err },
	}
	steps["time"] = func() error { return st.Advance(time.Hour) }
	steps["a failing network"] = func() error { return st.Fail("pdd", "down") }
	for name, do := range steps {
		before := rung.Load()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if rung.Load() == before {
			t.Errorf("nobody hears of %s", name)
		}
	}
	before := rung.Load()
	if err := st.Do("jd", line, sandbox.Receive, 0); err != nil {
		t.Fatal(err)
	}
	if rung.Load() == before {
		t.Error("nobody hears of a deed")
	}
}

// A network that is switched off fails for the real adapter, and recovers.
func TestFailingNetwork(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	n := st.networks(t)
	ref := link.Recognise("https://item.jd.com/100012043983.html")[0]
	for mode, want := range map[string]fault.Code{"down": fault.Unavailable, "limited": fault.Limited, "garbage": fault.Unavailable, "denied": fault.Denied, "stall": fault.Unavailable} {
		if err := st.Fail("jd", mode); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if mode != "stall" {
			ctx = t.Context()
		}
		if _, err := n["jd"].Offer(ctx, ref); !fault.Is(err, want) {
			t.Errorf("%s: %v, want %s", mode, err, want)
		}
		cancel()
	}
	if err := st.Fail("jd", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := n["jd"].Offer(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if err := st.Fail("jd", "on fire"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown way to fail: %v, want invalid", err)
	}
	if err := st.Fail("amazon", "down"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown network: %v, want not found", err)
	}
}
