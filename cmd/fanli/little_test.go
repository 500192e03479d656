package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/logtest"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/order/feedtest"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A little world is the outside without a wire: two networks over their books, a
// bank, and a clock that only tests move. The app over it is the real one, with
// its database in a file, or on a server.
type little struct {
	t        *testing.T
	mu       sync.Mutex
	at       time.Time
	markets  map[string]*market.Market
	nets     map[string]*linktest.Memory
	bank     *bank
	path     string
	dsn      string // of the server that has the database; "" for a file
	app      *app
	told     []string
	byHand   bool // a person is the payer now
	hook     func(string) error
	feeds    func(order.Feed) order.Feed // decorates the feeds; nil for none
	links    []event.Event               // link.made, as heard
	received map[string]money.Fen        // what networks have paid us
	tune     func(*configs.Config)       // changes the configuration; nil for none
	equip    func(*app)                  // changes each process before it works; nil for none
}

// littleFee is what the networks of the little world keep.
const littleFee money.Bps = 1000

func newLittle(t *testing.T) *little {
	t.Helper()
	w := littleIn(t, memoryDir(t))
	t.Cleanup(func() {
		if w.app != nil {
			_ = w.app.close()
		}
	})
	return w
}

// littleIn is a little world in a folder; whoever makes it ends it.
func littleIn(t *testing.T, dir string) *little {
	t.Helper()
	w := &little{
		t: t, at: time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC), markets: map[string]*market.Market{},
		nets: map[string]*linktest.Memory{}, path: filepath.Join(dir, "fanli.db"),
	}
	w.bank = &bank{paid: map[string]money.Fen{}}
	for _, name := range []string{link.JD, link.PDD} {
		m := market.New(w.now, littleFee, 1)
		for i := range 4 {
			m.Stock(market.Goods{
				ID: fmt.Sprintf("%s%d", map[string]string{link.JD: "10001204397", link.PDD: "44556677880"}[name], i), Title: fmt.Sprintf("%s 商品 %d", name, i),
				Shop: "小店", Price: money.Fen(5000 + 1300*i), Coupon: 500, CouponFrom: 1000, Rate: money.Bps(1000 + 300*i),
			})
		}
		w.markets[name] = m
		w.nets[name] = linktest.NewMemory(name, m, w.now)
	}
	return w
}

// onServer puts the world's database on a server of MariaDB.
func (w *little) onServer(s *mariadbtest.Server) *little {
	w.t.Helper()
	w.dsn = s.Migrated(w.t)
	return w
}

// memoryDir is a folder in memory where there is one: these tests kill processes,
// not machines, and a disk would only make them slow.
func memoryDir(t *testing.T) string {
	t.Helper()
	const shm = "/dev/shm"
	if st, err := os.Stat(shm); err != nil || !st.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(shm, "fanli-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (w *little) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *little) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// untouched is the configuration of somebody who has set nothing. Who begins a world
// thousands of times need not read it as often; its maps and slices stay as they are.
var untouched = sync.OnceValues(func() (configs.Config, error) {
	return configs.Load("", func(string) (string, bool) { return "", false })
})

// open starts the app, as a process does. Networks and feeds are made anew, the
// books and the bank are not.
func (w *little) open() error {
	cfg, err := untouched()
	if err != nil {
		return err
	}
	cfg.Withdraw.Auto, cfg.Withdraw.Cooling, cfg.Withdraw.Maximum = 10_000_000, 0, 10_000_000
	cfg.Sync.Rescan = false
	if w.tune != nil {
		w.tune(&cfg)
	}
	path := w.path
	if w.dsn != "" {
		path, cfg.Data, cfg.Database.DSN = "", filepath.Dir(w.path), w.dsn
	} else if err := migratedAt(path); err != nil {
		return err
	}
	s := &stands{payer: &hooked{w.bank, w}}
	for _, name := range []string{link.JD, link.PDD} {
		s.networks = append(s.networks, &hookedNet{w.nets[name], w})
		var f order.Feed = feedtest.NewMemory(name, "main", w.markets[name])
		if w.feeds != nil {
			f = w.feeds(f)
		}
		s.feeds = append(s.feeds, hookedFeed{f, w})
	}
	a, err := newApp(context.Background(), cfg, surroundings{
		log: logtest.New(nil), now: w.now, hook: w.point, stands: s, holder: "test", path: path,
	})
	if err != nil {
		return err
	}
	a.tell.Channels = []bot.Channel{w}
	a.bus.Hear(event.LinkMade, "test", func(_ context.Context, e event.Event) error {
		w.links = append(w.links, e)
		return nil
	})
	if w.equip != nil {
		w.equip(a)
	}
	w.app = a
	return nil
}

func (w *little) mustOpen() *little {
	w.t.Helper()
	if err := w.open(); err != nil {
		w.t.Fatal(err)
	}
	return w
}

// point is a fault point.
func (w *little) point(p string) error {
	if w.hook == nil {
		return nil
	}
	return w.hook(p)
}

// The little world is the channel, too.
var _ bot.Channel = (*little)(nil)

func (w *little) Name() string                                 { return "little" }
func (w *little) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return nil }
func (w *little) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	if err := w.point("tell"); err != nil {
		return err
	}
	w.mu.Lock()
	w.told = append(w.told, to.External+": "+bot.RenderText(r))
	w.mu.Unlock()
	return w.point("told")
}

func (w *little) settle() error { return w.app.settleDown(context.Background()) }

func (w *little) mustSettle() {
	w.t.Helper()
	if err := w.settle(); err != nil {
		w.t.Fatal(err)
	}
}

// say sends a message under an id.
func (w *little) say(who, id, text string) bot.Reply {
	return w.app.bot.Handle(context.Background(), bot.Message{
		From: user.Identity{Channel: w.Name(), External: who}, Chat: who, ID: id, Text: text, Locale: "zh",
	})
}

// itemLink is what a shopper pastes for goods.
func itemLink(network string, n int) string {
	if network == link.JD {
		return fmt.Sprintf("https://item.jd.com/10001204397%d.html", n)
	}
	return fmt.Sprintf("https://mobile.yangkeduo.com/goods.html?goods_id=44556677880%d", n)
}

// follow opens the link of a reply and orders; the order is paid.
func (w *little) follow(network string, r bot.Reply, quantity int) (market.Line, error) {
	for _, c := range r.Cards {
		for _, b := range c.Buttons {
			if b.URL == "" {
				continue
			}
			click, ok := w.nets[network].Click(link.Made{URL: b.URL})
			if !ok {
				return market.Line{}, fault.Newf(fault.NotFound, "", "nothing behind %s", b.URL)
			}
			l, err := w.markets[network].Buy(click, quantity, func(n int64) (string, string) {
				return fmt.Sprintf("26%010d", n), fmt.Sprintf("%s-%d", network, n)
			})
			if err != nil {
				return l, err
			}
			return l, w.markets[network].Pay(l.ID)
		}
	}
	return market.Line{}, fault.Newf(fault.NotFound, "", "no link in %q", bot.RenderText(r))
}

// entries is the ledger, without the times.
func (w *little) entries() []string {
	w.t.Helper()
	out, err := w.list()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *little) list() (out []string, err error) {
	err = w.app.db.Ledger().Walk(context.Background(), func(e ledger.Entry) error {
		out = append(out, fmt.Sprintf("%s %s→%s %d %s", e.Kind, e.From, e.To, e.Amount, e.Key))
		return nil
	})
	return out, err
}

// wantSound adds up the books, and holds them against those of the outside.
func (w *little) wantSound() {
	w.t.Helper()
	for _, bad := range w.unsound() {
		w.t.Error(bad)
	}
}

// unsound says what is wrong with the books.
func (w *little) unsound() (bad []string) {
	rep, err := w.app.prove(context.Background())
	if err != nil || !rep.OK() {
		bad = append(bad, fmt.Sprintf("the books are not sound: %+v, %v", rep, err))
	}
	accounts, err := w.app.db.Ledger().Accounts(context.Background())
	if err != nil {
		return append(bad, err.Error())
	}
	for name, m := range w.markets {
		var owed money.Fen
		for _, l := range m.Lines(nil) {
			if l.State != market.Created {
				owed += l.Commission
			}
		}
		if got := -accounts[ledger.Network(name)]; got != owed-w.received[name] {
			bad = append(bad, fmt.Sprintf("%s owes %s by its own book, %s by ours", name, owed-w.received[name], got))
		}
	}
	if got, want := accounts[ledger.Payer("bank")], w.bank.sum()-w.bank.billed; got != want {
		bad = append(bad, fmt.Sprintf("the bank has sent %s, our book says %s", want, got))
	}
	return bad
}

// A bank is a payer in memory with a book of its own. The same number is paid
// once, whatever happens.
type bank struct {
	mu     sync.Mutex
	paid   map[string]money.Fen
	asked  map[string]money.Fen // waits for its payee to tap
	waits  bool                 // what is sent waits for its payee
	billed money.Fen            // what its bills have told
	calls  int
}

// tap is the payees saying yes to everything that waits for them.
func (b *bank) tap() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for number, amount := range b.asked {
		b.paid[number] = amount
	}
	b.asked, b.waits = nil, false
}

// wait says whether what is sent from now on waits for its payee.
func (b *bank) wait(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits = on
}

// known is what it has sent, and what waits for its payee.
func (b *bank) known() map[string]money.Fen {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := maps.Clone(b.paid)
	maps.Copy(out, b.asked)
	return out
}

func (b *bank) sum() (s money.Fen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.paid {
		s += a
	}
	return s
}

// text is the bank's book.
func (b *bank) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(b.paid, b.asked, b.waits, b.billed)
}

// hooked is the bank behind fault points: a crash may come before the request
// leaves, and after the money did.
type hooked struct {
	*bank
	w *little
}

var _ withdraw.Payer = (*hooked)(nil)

func (h *hooked) Name() string { return "bank" }

func (h *hooked) Send(_ context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	if err := h.w.point("bank.send"); err != nil {
		return withdraw.Outcome{}, err
	}
	h.mu.Lock()
	h.calls++
	if old, ok := h.paid[p.Number]; ok && old != p.Amount {
		h.mu.Unlock()
		return withdraw.Outcome{}, fmt.Errorf("number %s was used for %s", p.Number, old)
	}
	waits := h.waits && h.paid[p.Number] == 0
	if waits {
		if h.asked == nil {
			h.asked = map[string]money.Fen{}
		}
		h.asked[p.Number] = p.Amount
	} else {
		h.paid[p.Number] = p.Amount
	}
	h.mu.Unlock()
	if err := h.w.point("bank.sent"); err != nil {
		return withdraw.Outcome{}, err
	}
	if waits {
		return withdraw.Outcome{Verdict: withdraw.Waiting, Confirm: "page"}, nil
	}
	return withdraw.Outcome{Verdict: withdraw.Done}, nil
}

func (h *hooked) Query(_ context.Context, number string) (withdraw.Outcome, error) {
	if err := h.w.point("bank.query"); err != nil {
		return withdraw.Outcome{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.paid[number]; ok {
		return withdraw.Outcome{Verdict: withdraw.Done}, nil
	}
	if _, ok := h.asked[number]; ok {
		return withdraw.Outcome{Verdict: withdraw.Waiting, Confirm: "page"}, nil
	}
	return withdraw.Outcome{Verdict: withdraw.Absent}, nil
}

// confirmation returns the action of the button that confirms.
func confirmation(r bot.Reply) string {
	bs := slices.Clone(r.Buttons)
	for _, c := range r.Cards {
		bs = append(bs, c.Buttons...)
	}
	for _, b := range bs {
		if strings.HasPrefix(b.Action, "确认") {
			return b.Action
		}
	}
	return ""
}

// twin is a fresh app in the same world that knows the same people and links, but
// no orders: its feeds are silent.
func (w *little) twin() *little {
	w.t.Helper()
	o := newLittle(w.t)
	o.at, o.markets, o.nets = w.now(), w.markets, w.nets
	o.feeds = func(f order.Feed) order.Feed { return silent{f} }
	o.mustOpen()
	for id := int64(1); ; id++ { // the same people get the same ids
		ids, err := w.app.users.Identities(context.Background(), id)
		if err != nil || len(ids) == 0 {
			break
		}
		if u, _, err := o.app.users.Resolve(context.Background(), ids[0], "zh"); err != nil || u.ID != id {
			w.t.Fatalf("user %d became %d, %v", id, u.ID, err)
		}
	}
	for _, e := range w.links {
		if err := o.app.orders.LinkMade(context.Background(), e); err != nil {
			w.t.Fatal(err)
		}
	}
	return o
}

func identityOf(who string) user.Identity { return user.Identity{Channel: "little", External: who} }

// silent is a feed in which nothing ever happens.
type silent struct{ order.Feed }

func (silent) Pull(context.Context, order.Window, string) (order.Page, error) {
	return order.Page{}, nil
}
