// Package market is a small model of the outside world: goods, orders and what
// becomes of them. The fake networks render it in their wire forms, the
// sandbox lets people buy in it, and tests ask it for the truth. Nothing that
// earns money imports it.
//
// A [Market] is one affiliate network's own book. It is safe for concurrent use.
// All its times come from its clock, all changes stamp the line's Modified time,
// and the whole book can be saved and loaded.
package market

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// Goods are something that a shop sells.
type Goods struct {
	ID         string    `json:"id"` // the network's item id
	Title      string    `json:"title"`
	Shop       string    `json:"shop"`
	Image      string    `json:"image"`
	Category   string    `json:"category"`
	Price      money.Fen `json:"price"`
	Coupon     money.Fen `json:"coupon"`      // amount of the coupon, 0 for none
	CouponFrom money.Fen `json:"coupon_from"` // price from which it counts
	Rate       money.Bps `json:"rate"`        // commission rate
	Aliases    []string  `json:"aliases"`     // other ids, short codes and 口令 bodies that mean the same goods
	Unlisted   bool      `json:"unlisted"`    // sold, but not in the affiliate programme
}

// Final is the price after the coupon.
func (g Goods) Final() money.Fen {
	if g.Coupon > 0 && g.Price >= g.CouponFrom && g.Coupon < g.Price {
		return g.Price - g.Coupon
	}
	return g.Price
}

// A Click is what an affiliate link carries.
type Click struct {
	Item string `json:"item"`
	Tag  string `json:"tag"`  // sub id, custom parameters …
	Slot string `json:"slot"` // pid, adzone, position

	Buyer string `json:"buyer,omitempty"` // the account of the shop who buys; "" where it makes no difference
}

// State is how far a line has come.
type State string

// The states of a line in its network's book.
const (
	Created  State = "created"
	Paid     State = "paid"
	Received State = "received"
	Settled  State = "settled"
	Invalid  State = "invalid"  // cancelled, refunded before settlement, or in violation; see Why
	Replaced State = "replaced" // split; its children follow with Parent set
)

// A Return is money given back after settlement. Some networks tell of it in a
// feed of its own and leave the order row as it was.
type Return struct {
	At     time.Time `json:"at"`
	Amount money.Fen `json:"amount"`
}

// A Line is one item of an order in its network's book.
type Line struct {
	ID         string    `json:"id"`     // unique line number
	Order      string    `json:"order"`  // the number that the buyer sees
	Parent     string    `json:"parent"` // order number that this one was split from
	Click      Click     `json:"click"`
	Goods      Goods     `json:"goods"` // as it was when it was bought
	Quantity   int       `json:"quantity"`
	State      State     `json:"state"`
	Why        string    `json:"why"`        // "cancelled", "refunded", "violation"
	Price      money.Fen `json:"price"`      // what the buyer paid for the line
	Refunded   money.Fen `json:"refunded"`   // of that, given back
	Returns    []Return  `json:"returns"`    // the part of Refunded that came after settlement, oldest first
	Commission money.Fen `json:"commission"` // what the network owes for the line now, after its own fee
	Rate       money.Bps `json:"rate"`       // may be changed by the network later
	Created    time.Time `json:"created"`
	PaidAt     time.Time `json:"paid_at"`
	ReceivedAt time.Time `json:"received_at"`
	SettledAt  time.Time `json:"settled_at"`
	RefundedAt time.Time `json:"refunded_at"`
	Modified   time.Time `json:"modified"`
	Seq        int64     `json:"seq"` // grows with every change in the book: a tie-breaker for Modified
}

// A Market is one network's book.
type Market struct {
	mu    sync.Mutex
	now   func() time.Time
	book  book
	fee   money.Bps // the part of the commission that the network keeps
	saved func([]byte)
}

type book struct {
	Next  int64            `json:"next"`
	Seq   int64            `json:"seq"`
	Goods []Goods          `json:"goods"`
	Lines map[string]*Line `json:"lines"`
}

// New returns an empty book that takes its time from now. fee is the part of
// each commission that the network keeps. It starts numbering orders at first.
func New(now func() time.Time, fee money.Bps, first int64) *Market {
	return &Market{now: now, fee: fee, book: book{Next: first, Lines: map[string]*Line{}}}
}

// Fee is the part of each commission that the network keeps.
func (m *Market) Fee() money.Bps { return m.fee }

// OnChange makes f hear of the whole book after every change, to keep it. f is
// called with the book locked and must not call back.
func (m *Market) OnChange(f func(book []byte)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saved = f
}

// Load replaces the book by one that OnChange gave out.
func (m *Market) Load(b []byte) error {
	var bk book
	if err := json.Unmarshal(b, &bk); err != nil {
		return fault.Wrap(fault.Invalid, "market.Load", err)
	}
	if bk.Lines == nil {
		bk.Lines = map[string]*Line{}
	}
	for id, l := range bk.Lines {
		if l == nil {
			return fault.Newf(fault.Invalid, "", "market.Load: line %q is empty", id)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.book = bk
	return nil
}

// Save returns the book.
func (m *Market) Save() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.save()
}

func (m *Market) save() []byte {
	b, err := json.Marshal(m.book)
	if err != nil { // every field is plain data
		panic(err)
	}
	return b
}

// Stock puts goods on the shelf, replacing those with the same id.
func (m *Market) Stock(goods ...Goods) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range goods {
		i := slices.IndexFunc(m.book.Goods, func(o Goods) bool { return o.ID == g.ID })
		if i < 0 {
			m.book.Goods = append(m.book.Goods, g)
		} else {
			m.book.Goods[i] = g
		}
	}
	m.changed()
}

// Shelf returns all goods in the order in which they were stocked.
func (m *Market) Shelf() []Goods {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.book.Goods)
}

// Goods finds goods by id or alias.
func (m *Market) Goods(id string) (Goods, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.goods(id)
}

func (m *Market) goods(id string) (Goods, bool) {
	for _, g := range m.book.Goods {
		if g.ID == id || id != "" && slices.Contains(g.Aliases, id) {
			return g, true
		}
	}
	return Goods{}, false
}

// Buy places one order of quantity pieces through c; the line is Created. The
// order number is made by number from the running count, the line's by line.
func (m *Market) Buy(c Click, quantity int, number func(n int64) (order, line string)) (Line, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, ok := m.goods(c.Item)
	if !ok || quantity < 1 || quantity > 1000 {
		return Line{}, fault.Newf(fault.NotFound, "market.no_goods", "item %q × %d", c.Item, quantity)
	}
	m.book.Next++
	order, id := number(m.book.Next)
	l := &Line{
		ID: id, Order: order, Click: c, Goods: g, Quantity: quantity, State: Created,
		Price: g.Final() * money.Fen(quantity), Rate: g.Rate, Created: m.now(),
	}
	m.book.Lines[id] = l
	m.touch(l)
	return *l, nil
}

// touch recomputes what the network owes for l and stamps the change.
func (m *Market) touch(l *Line) {
	switch l.State {
	case Invalid, Replaced:
		l.Commission = 0
	default:
		// Both rates at once, so that what an offer promises and what the order
		// brings are rounded alike.
		l.Commission = (l.Price - l.Refunded).Mul(int64(l.Rate)*int64(money.Whole-m.fee), int64(money.Whole)*int64(money.Whole))
	}
	m.book.Seq++
	l.Seq = m.book.Seq
	l.Modified = m.now()
	m.changed()
}

func (m *Market) changed() {
	if m.saved != nil {
		m.saved(m.save())
	}
}

// change runs f on the line if it is in one of the states from. If f refuses, it
// has changed nothing.
func (m *Market) change(id string, from []State, f func(l *Line) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.book.Lines[id]
	if !ok {
		return fault.Newf(fault.NotFound, "market.no_line", "line %q", id)
	}
	if !slices.Contains(from, l.State) {
		return fault.Newf(fault.Conflict, "market.wrong_state", "line %s is %s, not one of %v", id, l.State, from)
	}
	if err := f(l); err != nil {
		return err
	}
	m.touch(l)
	return nil
}

// Pay marks the line paid.
func (m *Market) Pay(id string) error {
	return m.change(id, []State{Created}, func(l *Line) error {
		l.State, l.PaidAt = Paid, m.now()
		return nil
	})
}

// Receive marks the line received by the buyer.
func (m *Market) Receive(id string) error {
	return m.change(id, []State{Paid}, func(l *Line) error {
		l.State, l.ReceivedAt = Received, m.now()
		return nil
	})
}

// Settle marks the line as settled between shop and network.
func (m *Market) Settle(id string) error {
	return m.change(id, []State{Received}, func(l *Line) error {
		l.State, l.SettledAt = Settled, m.now()
		return nil
	})
}

// Cancel closes a line that was not received.
func (m *Market) Cancel(id string) error {
	return m.change(id, []State{Created, Paid}, func(l *Line) error {
		l.State, l.Why = Invalid, "cancelled"
		return nil
	})
}

// Refund gives amount back to the buyer, at any time after payment. When nothing
// of the price is left before settlement the line becomes Invalid; after
// settlement it stays Settled and owes nothing. An amount above what is left
// fails with fault.Invalid.
func (m *Market) Refund(id string, amount money.Fen) error {
	return m.change(id, []State{Paid, Received, Settled}, func(l *Line) error {
		if amount <= 0 || amount > l.Price-l.Refunded {
			return fault.Newf(fault.Invalid, "market.refund_amount", "refund %s of %s", amount, l.Price-l.Refunded)
		}
		l.Refunded += amount
		l.RefundedAt = m.now()
		if l.State == Settled {
			l.Returns = append(slices.Clip(l.Returns), Return{l.RefundedAt, amount})
		}
		if l.Refunded == l.Price && l.State != Settled {
			l.State, l.Why = Invalid, "refunded"
		}
		return nil
	})
}

// Violate marks the line as against the network's rules, at any time.
func (m *Market) Violate(id string) error {
	return m.change(id, []State{Created, Paid, Received, Settled}, func(l *Line) error {
		l.State, l.Why = Invalid, "violation"
		return nil
	})
}

// Reprice changes the commission rate of a line that was bought already.
func (m *Market) Reprice(id string, rate money.Bps) error {
	return m.change(id, []State{Created, Paid, Received, Settled}, func(l *Line) error {
		l.Rate = rate
		return nil
	})
}

// Split replaces a paid line by one line for each of parts pieces, which must
// sum to its quantity. Price and what was given back are divided among them, to
// the fen. number makes each child's order and line number.
func (m *Market) Split(id string, parts []int, number func(n int64) (order, line string)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.book.Lines[id]
	sum, least := 0, 1
	for _, p := range parts {
		sum, least = sum+p, min(least, p)
	}
	if !ok || l.State != Paid || sum != l.Quantity || len(parts) < 2 || least < 1 {
		return fault.Newf(fault.Conflict, "market.wrong_state", "cannot split line %q into %v", id, parts)
	}
	left, back := l.Price, l.Refunded
	for i, p := range parts {
		m.book.Next++
		child := *l
		child.Order, child.ID = number(m.book.Next)
		child.Parent, child.Quantity = l.Order, p
		child.Price = l.Price.Mul(int64(p), int64(l.Quantity))
		if i == len(parts)-1 {
			child.Price = left
		}
		left -= child.Price
		child.Refunded = back - l.Refunded.Mul(int64(left), int64(l.Price)) // in step with the price, so never above it
		back -= child.Refunded
		m.book.Lines[child.ID] = &child
		m.touch(&child)
	}
	l.State = Replaced
	m.touch(l)
	return nil
}

// Line returns one line.
func (m *Market) Line(id string) (Line, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.book.Lines[id]
	if !ok {
		return Line{}, false
	}
	return *l, true
}

// Lines returns the lines for which keep is true (all for nil), by Modified and
// Seq, oldest first: the order in which a network pages them.
func (m *Market) Lines(keep func(Line) bool) []Line {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Line
	for _, l := range m.book.Lines {
		if keep == nil || keep(*l) {
			out = append(out, *l)
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		if c := a.Modified.Compare(b.Modified); c != 0 {
			return c
		}
		return int(a.Seq - b.Seq)
	})
	return out
}

// String says how many goods and lines there are, for logs.
func (m *Market) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%d goods, %d lines", len(m.book.Goods), len(m.book.Lines))
}
