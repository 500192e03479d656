// Package sandbox is a world inside the process: three affiliate networks that
// speak the real wire protocols over HTTP on loopback, the shops behind them, a
// payer, an Alipay that takes money, and a clock that can be moved. The real adapters talk to it, so a
// newcomer sees the whole way of the money without a key.
//
// # Guarantees
//
//   - The fakes are those that the tests use. They check signatures, windows and
//     pages as the real ones do.
//   - The world survives a restart: what was bought yesterday can be returned
//     today. Its state is written after every change, whole, under another name
//     and then renamed.
//   - The clock never goes back.
//
// No real money and no real shop can be reached from here.
package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanli/adapters/alipay/alipayfake"
	"fanli/adapters/jd/jdfake"
	"fanli/adapters/pdd/pddfake"
	"fanli/adapters/taobao/taobaofake"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// Options say where the world is.
type Options struct {
	// BaseURL is where Handler is reached, without a trailing slash:
	// "http://127.0.0.1:8080".
	BaseURL string
	// Dir keeps the world across restarts; "" for a world that ends with the
	// process.
	Dir string
	// Now is the clock that the world's runs ahead of; nil means time.Now.
	Now func() time.Time
	// Still makes the world's clock stand unless it is moved, as simulations and
	// tests want.
	Still bool
	// Notify is where the world's Alipay tells of charges that were paid, and Tell
	// where it tells of transfers; "" for nowhere.
	Notify, Tell string
	// Keys are those of the world's Alipay; nil makes new ones, which takes a moment.
	Keys *alipayfake.Keys
}

// What the networks keep of each commission. Pinduoduo names only what is left.
const (
	taobaoFee money.Bps = 1000
	jdFee     money.Bps = 1000
	pddFee    money.Bps = 0
)

// A Shop is one affiliate network with the shop behind it.
type Shop struct {
	Name   string // "taobao", "jd", "pdd"
	Title  string // as people call it
	Market *market.Market

	gateway http.Handler
	click   func(made string) (market.Click, bool)
	number  func(n int64) (order, line string)
	fail    func(mode string)
	save    func() []byte
	load    func([]byte) error
	mode    string
}

// A World is the whole sandbox. It is safe for concurrent use.
type World struct {
	opts  Options
	clock *clock
	shops []*Shop
	pay   *alipayfake.Fake
	pages *pages
	mux   *http.ServeMux

	mu       sync.Mutex
	onChange func()
	books    map[string][]byte // newest book of each market
	written  []byte            // last state on disk
}

// New makes the world, or wakes the one that is kept in o.Dir.
func New(o Options) (*World, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	w := &World{opts: o, clock: newClock(o.Now, o.Still), books: map[string][]byte{}}
	if err := w.openAlipay(); err != nil {
		return nil, err
	}
	w.shops = []*Shop{w.taobao(), w.jd(), w.pdd()}
	if err := w.wake(); err != nil {
		return nil, err
	}
	for _, s := range w.shops {
		s.Market.Stock(shelf(s.Name)...)
		s.Market.OnChange(func(book []byte) { w.keepBook(s.Name, book) })
		w.keepBook(s.Name, s.Market.Save())
	}
	w.pay.OnChange(w.ring)
	if err := w.loadPages(); err != nil {
		return nil, err
	}
	w.mux = w.routes()
	return w, nil
}

// secret derives a key of the sandbox. It protects nothing: both sides of the
// sandbox are in this process. It is there so that signatures are checked.
func secret(name string) string {
	m := hmac.New(sha256.New, []byte("fanli sandbox"))
	_, _ = m.Write([]byte(name)) // never fails
	return hex.EncodeToString(m.Sum(nil))[:32]
}

// How people bind the account that they have at the sandbox's Taobao.
const (
	memberInvite = "SANDBOX"
	memberBack   = "/bind/taobao/back" // of fanli, below the base
)

const (
	taobaoSite = "222222222"
	pddPID     = "8000001_160000001"
)

// adzones are Taobao's pool: as many users can ask for one item within ten days
// and still be told apart.
func adzones() []string {
	return []string{"333333301", "333333302", "333333303", "333333304", "333333305", "333333306", "333333307", "333333308"}
}

func (w *World) taobao() *Shop {
	m := market.New(w.Now, taobaoFee, 1)
	f := taobaofake.New(taobaofake.Config{
		AppKey: "30000001", AppSecret: secret(link.Taobao), PubID: "111111111", SiteID: taobaoSite, Adzones: adzones(),
		BaseURL: w.opts.BaseURL + "/go/taobao", Now: w.Now, MainSite: true,
		InviteCode: memberInvite, Callback: w.opts.BaseURL + memberBack,
	}, m)
	return &Shop{
		Name: link.Taobao, Title: "淘宝", Market: m, gateway: f, number: taobaofake.NumberFor, fail: f.Fail,
		click: func(made string) (market.Click, bool) {
			if c, ok := f.Click(made); ok {
				return c, true
			}
			return f.ClickToken(made)
		},
	}
}

func (w *World) jd() *Shop {
	m := market.New(w.Now, jdFee, 1)
	f := jdfake.New(jdfake.Config{
		AppKey: secret("jd app"), AppSecret: secret(link.JD), BaseURL: w.opts.BaseURL + "/go/jd", Now: w.Now,
		FinalRate: money.Whole - jdFee,
	}, m)
	return &Shop{
		Name: link.JD, Title: "京东", Market: m, gateway: f, number: jdfake.NumberFor, fail: f.Fail,
		click: f.Click, save: f.Save, load: f.Load,
	}
}

func (w *World) pdd() *Shop {
	m := market.New(w.Now, pddFee, 1)
	f := pddfake.New(pddfake.Config{
		ClientID: secret("pdd app"), ClientSecret: secret(link.PDD), PIDs: []string{pddPID},
		BaseURL: w.opts.BaseURL + "/go/pdd", Now: w.Now,
	}, m)
	return &Shop{
		Name: link.PDD, Title: "拼多多", Market: m, gateway: http.StripPrefix("/go/pdd", f), number: f.NumberFor, fail: f.Fail,
		click: f.Click, save: f.Save, load: f.Load,
	}
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.clock.now() }

// Advance moves the world's clock forward. A step back is refused with
// fault.Invalid.
func (w *World) Advance(d time.Duration) error {
	if d < 0 {
		return fault.New(fault.Invalid, "sandbox.clock_back")
	}
	w.clock.advance(d)
	w.changed()
	return nil
}

// OnChange makes f hear after every change of the world that an order system
// might want to look at. f must return at once.
func (w *World) OnChange(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onChange = f
}

// Shops returns the shops in a fixed order.
func (w *World) Shops() []*Shop { return w.shops }

// Shop returns the shop of a network.
func (w *World) Shop(network string) (*Shop, bool) {
	for _, s := range w.shops {
		if s.Name == network {
			return s, true
		}
	}
	return nil, false
}

// Click returns what is behind an affiliate link or 口令 of the world.
func (w *World) Click(made string) (*Shop, market.Click, bool) {
	for _, s := range w.shops {
		if c, ok := s.click(made); ok {
			return s, c, true
		}
	}
	return nil, market.Click{}, false
}

// Buy opens an affiliate link as a shopper does, orders quantity pieces and pays.
func (w *World) Buy(made string, quantity int) (network string, l market.Line, err error) {
	return w.BuyItem(made, "", quantity)
}

// BuyItem is Buy of one item of many, by a link to a page without goods of its own. Links
// to goods are of those, whichever item is named.
func (w *World) BuyItem(made, item string, quantity int) (network string, l market.Line, err error) {
	s, c, ok := w.Click(made)
	if !ok {
		return "", l, fault.New(fault.NotFound, "sandbox.no_link")
	}
	if c.Item == "" {
		c.Item = item
	}
	if l, err = s.Order(c, quantity); err != nil {
		return s.Name, l, err
	}
	if err := s.Market.Pay(l.ID); err != nil {
		return s.Name, l, err
	}
	l, _ = s.Market.Line(l.ID)
	w.Save()
	return s.Name, l, nil
}

// Order places an order through a click; it is not paid yet.
func (s *Shop) Order(c market.Click, quantity int) (market.Line, error) {
	return s.Market.Buy(c, quantity, s.number)
}

// Split sends the parts of a paid line in orders of their own, as warehouses do.
func (s *Shop) Split(id string, parts []int) error { return s.Market.Split(id, parts, s.number) }

// Fail makes the network fail in one of the ways "stall", "limited", "down",
// "garbage" and "denied" until it is called with "".
func (w *World) Fail(network, mode string) error {
	s, ok := w.Shop(network)
	if !ok {
		return fault.New(fault.NotFound, "sandbox.no_shop")
	}
	switch mode {
	case "", "stall", "limited", "down", "garbage", "denied":
	default:
		return fault.New(fault.Invalid, "sandbox.no_mode")
	}
	w.mu.Lock()
	s.mode = mode
	w.mu.Unlock()
	s.fail(mode)
	w.changed()
	return nil
}

// Mode returns in which way the network fails now; "" for not at all.
func (w *World) Mode(s *Shop) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.mode
}
