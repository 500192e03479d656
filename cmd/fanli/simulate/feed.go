package simulate

import (
	"context"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/order"
)

// What the simulated networks are like.
const (
	account    = "main"
	changes    = "changes"           // the stream of order rows
	returns    = "returns"           // the stream of refund rows, of networks that have one
	longest    = 24 * time.Hour      // window
	delay      = 5 * time.Minute     // rows may show up this late
	lateMax    = 3 * time.Minute     // what Late uses of it; the clocks' difference takes the rest
	skewMax    = 60 * time.Second    // how far a network's clock is off
	lostMax    = 4 * time.Hour       // how late what following has lost shows up
	keeps      = 90 * 24 * time.Hour // how far back a network answers
	bindsAfter = 4 * 24 * time.Hour  // a network without a settled state binds itself to settle
	awayMax    = 4 * 24 * time.Hour  // the longest outage
	fee        = money.Bps(1000)     // of each commission, kept by the network
)

// A net is a network: its book, and how it tells of it.
type net struct {
	w      *world
	name   string
	market *market.Market
	skew   time.Duration
	binds  bool // a received line counts as settled after a time; there is no settled state
	apart  bool // returns after settlement are told in a stream of their own
	rows   int  // of a page
	away   time.Time

	log      []change         // oldest first
	newest   map[string]int64 // the newest change of each line
	disputed map[string]bool
	baskets  map[string]bool // order numbers of more than one line
}

// A change is one entry of a network's log of changes.
type change struct {
	seq   int64
	id    string
	at    time.Time // by the network's clock, in whole seconds
	shows time.Time // by ours
}

// touched enters in the log that a line has changed.
func (n *net) touched(id string) {
	l, _ := n.market.Line(id)
	shows := n.w.now()
	switch {
	case n.w.ill.strikes(Lost, 0.3):
		shows = shows.Add(n.w.ill.upTo(lostMax))
	case n.w.ill.strikes(Late, 1):
		shows = shows.Add(n.w.ill.upTo(lateMax))
	}
	n.log = append(n.log, change{l.Seq, id, l.Modified.Truncate(time.Second), shows})
	n.newest[id] = l.Seq
	n.w.note("%s %s is %s, owes %d, at %d", n.name, id, l.State, l.Commission, l.Modified.Unix())
}

// feed is the network as one process sees it.
func (n *net) feed() order.Feed { return (*feed)(n) }

type feed net

var _ order.Feed = (*feed)(nil)

// Network implements order.Feed.
func (f *feed) Network() string { return f.name }

// Account implements order.Feed.
func (f *feed) Account() string { return account }

// Scenes implements order.Feed.
func (f *feed) Scenes() []order.Scene {
	s := []order.Scene{{Name: changes, Window: longest, Delay: delay, Keeps: keeps, Mends: true}}
	if f.apart {
		s = append(s, order.Scene{Name: returns, Window: longest, Delay: delay, Keeps: keeps, Mends: true})
	}
	return s
}

// Pull implements order.Feed.
func (f *feed) Pull(_ context.Context, w order.Window, cursor string) (order.Page, error) {
	ill := f.w.ill
	if ill.strikes(Outage, 0.02) {
		f.away = f.w.now().Add(ill.upTo(awayMax))
		f.w.note("%s is away until %d", f.name, f.away.Unix())
	}
	if ill.has(Outage) && f.w.now().Before(f.away) || ill.strikes(Lost, 0.5) {
		return order.Page{}, fault.New(fault.Unavailable, "")
	}
	if w.To.Sub(w.From) > longest {
		return order.Page{}, fault.New(fault.Invalid, "feed.window_too_long")
	}
	after, err := strconv.ParseInt("0"+cursor, 10, 64)
	if err != nil {
		return order.Page{}, fault.Wrap(fault.Invalid, "simulate.Pull", err)
	}
	if cursor != "" && ill.strikes(Shift, 3) {
		f.w.meddle((*net)(f))
	}
	var p order.Page
	last := int64(0)
	from := sort.Search(len(f.log), func(i int) bool { return !f.log[i].at.Before(w.From) })
	for _, c := range f.log[from:] {
		if !c.at.Before(w.To) {
			break
		}
		if c.seq <= after || f.newest[c.id] != c.seq || f.w.now().Before(c.shows) {
			continue
		}
		if len(p.Revisions) == f.rows {
			p.Next = strconv.FormatInt(last, 10)
			break
		}
		l, _ := f.market.Line(c.id)
		if w.Scene == returns && len(l.Returns) == 0 {
			continue
		}
		last = c.seq
		p.Revisions = append(p.Revisions, f.row(l, w.Scene))
	}
	return f.disturb(p), nil
}

// disturb repeats and shuffles rows, and adds what cannot be read.
func (f *feed) disturb(p order.Page) order.Page {
	ill := f.w.ill
	if ill.strikes(Duplicate, 2) {
		p.Revisions = append(p.Revisions, p.Revisions...)
	}
	if ill.strikes(Reorder, 3) {
		r := rand.New(rand.NewPCG(ill.rng.Uint64(), 3))
		r.Shuffle(len(p.Revisions), func(i, j int) { p.Revisions[i], p.Revisions[j] = p.Revisions[j], p.Revisions[i] })
	}
	if ill.strikes(Odd, 0.3) {
		p.Bad = []order.Bad{{
			Key: order.Key{Network: f.name, Account: account}, Raw: []byte(strconv.Itoa(ill.rng.IntN(50))), Err: fault.New(fault.Invalid, "row.odd"),
		}}
	}
	return p
}

// owes is a commission as the network computes it, from a part of the price.
func owes(price money.Fen, l market.Line) money.Fen {
	return price.Mul(int64(l.Rate)*int64(money.Whole-fee), int64(money.Whole)*int64(money.Whole))
}

// row is a line as one of the streams tells it.
func (f *feed) row(l market.Line, scene string) order.Revision {
	second := func(t time.Time) time.Time { return t.Truncate(time.Second) }
	r := order.Revision{
		Key: order.Key{Network: f.name, Account: account, ID: l.ID}, Aspect: order.Whole, Modified: second(l.Modified),
		Order: l.Order, Parent: l.Parent, Item: l.Goods.ID, Title: l.Goods.Title, Category: l.Goods.Category, Quantity: l.Quantity,
		Price: l.Price, Refunded: l.Refunded, Estimated: l.Commission, Tag: l.Click.Tag, Slot: l.Click.Slot, Disputed: f.disputed[l.ID],
		Created: second(l.Created), PaidAt: second(l.PaidAt), ReceivedAt: second(l.ReceivedAt), SettledAt: second(l.SettledAt),
		Raw: []byte(l.ID),
	}
	f.misread(&r)
	back := money.Fen(0)
	for _, t := range l.Returns {
		back += t.Amount
	}
	before := l.Commission
	if f.apart && back > 0 && l.State == market.Settled {
		before = owes(l.Price-l.Refunded+back, l)
		r.Refunded -= back
	}
	if scene == returns {
		return order.Revision{
			Key: r.Key, Aspect: order.Return, Order: r.Order, Modified: r.Modified, Refunded: l.Refunded,
			Claimed: before - l.Commission, Disputed: r.Disputed, Raw: r.Raw,
		}
	}
	r.Estimated = before
	switch l.State {
	case market.Created:
		r.State = order.Unpaid
	case market.Paid:
		r.State = order.Paid
	case market.Received:
		r.State = order.Received
		if f.binds {
			r.SettlesOn = r.ReceivedAt.Add(bindsAfter)
		}
	case market.Settled:
		r.State, r.Actual, r.ActualKnown = order.Settled, before, true
	case market.Replaced:
		r.State, r.Why = order.Invalid, order.WhySplit
	case market.Invalid:
		r.State, r.Why = order.Invalid, "order."+strings.ToLower(l.Why)
	}
	return r
}
