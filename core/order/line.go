package order

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"time"

	"fanli/core/link"
	"fanli/core/money"
)

// A Register is the newest revision of one aspect of a line.
type Register struct {
	Revision Revision
	Hash     [16]byte // of its content
}

// A Line is what we know of one item of an order.
type Line struct {
	ID    int64 // ours, in order of first sight
	Key   Key
	Rev   int64     // counts the changes of the line, from 1
	Whole *Register // what the order row says; nil while only a refund row came
	Back  *Register // what the refund row says; nil for none
	Facts

	User     int64  // 0: nobody's yet
	Link     int64  // the link that it came through; 0: not known
	Step     Step   // what decided whose it is
	Evidence string // in words for operators
	Promise  link.Promise
	Seen     time.Time // first sight
}

// Facts are what the registers say together.
type Facts struct {
	State      State
	Why        string
	Commission money.Fen // what we have or expect from the line now
	Price      money.Fen
	Refunded   money.Fen
	Disputed   bool
	SettledAt  time.Time // when the state became Settled; zero before
}

// Row returns the order row, or an empty one while only a refund came.
func (l *Line) Row() Revision {
	if l.Whole == nil {
		return Revision{Key: l.Key}
	}
	return l.Whole.Revision
}

// sum returns the hash of a revision's content. Raw is left out: a network may
// send the same facts in other bytes.
func sum(r Revision) [16]byte {
	h := sha256.New()
	for _, s := range []string{
		r.Key.Network, r.Key.Account, r.Key.ID, string(r.Aspect), r.Order, r.Parent, r.Item, r.Title, r.Shop, r.Image,
		r.Category, string(r.State), r.Why, r.Tag, r.Slot,
	} {
		put(h, int64(len(s)))
		_, _ = h.Write([]byte(s))
	}
	flags := int64(0)
	if r.ActualKnown {
		flags |= 1
	}
	if r.Disputed {
		flags |= 2
	}
	if r.Unsaid {
		flags |= 4
	}
	put(h, int64(r.Quantity), int64(r.Price), int64(r.Refunded), int64(r.Estimated), int64(r.Actual), int64(r.Claimed), flags)
	for _, t := range []time.Time{r.Clicked, r.Created, r.PaidAt, r.ReceivedAt, r.SettledAt, r.SettlesOn, r.Modified} {
		if t.IsZero() {
			put(h, 0)
		} else {
			put(h, t.UnixMilli())
		}
	}
	return [16]byte(h.Sum(nil))
}

func put(h hash.Hash, ns ...int64) {
	var b [8]byte
	for _, n := range ns {
		binary.BigEndian.PutUint64(b[:], uint64(n))
		_, _ = h.Write(b[:])
	}
}

// rank orders the states in which a line goes through them: networks tell the
// time in whole seconds, and of two states in one second the further one is later.
func rank(s State) int {
	switch s {
	case Unpaid:
		return 1
	case Paid:
		return 2
	case Received:
		return 3
	case Settled:
		return 4
	case Invalid:
		return 5
	default:
		return 0
	}
}

// newer reports whether a register with r and its hash replaces old. Revisions
// are ordered by the network's own time, then by how far the line has come, then
// by what is left of the commission, and then by content, so that of two
// revisions the same one wins whichever comes first.
func newer(old *Register, r Revision, h [16]byte) bool {
	if old == nil {
		return true
	}
	if c := r.Modified.Compare(old.Revision.Modified); c != 0 {
		return c > 0
	}
	if a, b := rank(r.State), rank(old.Revision.State); a != b {
		return a > b
	}
	if a, b := worth(r), worth(old.Revision); a != b {
		return a < b
	}
	return bytes.Compare(h[:], old.Hash[:]) > 0
}

// worth is the commission that a revision leaves: of two within one second the
// smaller one is later, since goods go back and do not come again.
func worth(r Revision) money.Fen {
	switch {
	case r.Aspect == Return && r.Unsaid:
		return -r.Refunded
	case r.Aspect == Return:
		return -r.Claimed
	case r.ActualKnown:
		return r.Actual
	default:
		return r.Estimated
	}
}

// take lets the line learn a revision and reports whether that changed it.
func (l *Line) take(r Revision, now time.Time) bool {
	reg := &l.Whole
	if r.Aspect == Return {
		reg = &l.Back
	}
	r = normal(r)
	h := sum(r)
	if !newer(*reg, r, h) {
		return false
	}
	r.Raw = nil
	*reg = &Register{Revision: r, Hash: h}
	l.Facts = facts(l.Whole, l.Back, now)
	return true
}

// normal returns r with its times in UTC and whole milliseconds, as databases
// keep them, so that what was stored and what comes again compare equal.
func normal(r Revision) Revision {
	for _, t := range []*time.Time{&r.Clicked, &r.Created, &r.PaidAt, &r.ReceivedAt, &r.SettledAt, &r.SettlesOn, &r.Modified} {
		*t = t.UTC().Truncate(time.Millisecond)
	}
	return r
}

// facts is what the two registers say together at a time. It is a pure function
// of them, so the order in which they came cannot matter.
func facts(whole, back *Register, now time.Time) Facts {
	if whole == nil { // a refund of something we have not seen yet
		f := Facts{State: Unpaid}
		if back != nil {
			f.Refunded, f.Disputed = back.Revision.Refunded, back.Revision.Disputed
		}
		return f
	}
	w := whole.Revision
	f := Facts{State: w.State, Why: w.Why, Price: w.Price, Refunded: w.Refunded, Disputed: w.Disputed, SettledAt: w.SettledAt}
	if w.State == Received && !w.SettlesOn.IsZero() && !now.Before(w.SettlesOn) {
		f.State, f.SettledAt = Settled, w.SettlesOn
	}
	if f.State == Settled && f.SettledAt.IsZero() {
		f.SettledAt = w.Modified
	}
	commission := w.Estimated
	if w.ActualKnown {
		commission = w.Actual
	}
	if back != nil {
		b := back.Revision
		f.Refunded = max(f.Refunded, b.Refunded)
		f.Disputed = f.Disputed || b.Disputed
		commission -= claimed(w, b, commission)
	}
	if f.State == Unpaid || f.State == Invalid || commission < 0 {
		commission = 0
	}
	f.Commission = commission
	return f
}

// claimed is what a refund row takes from a commission: the network's own figure,
// or, where it says none, as much of it as went back of the price. What the order
// row knows to have gone back is out of its commission already.
func claimed(w, b Revision, commission money.Fen) money.Fen {
	left := w.Price - w.Refunded
	if !b.Unsaid || b.Refunded <= w.Refunded || left <= 0 {
		return b.Claimed
	}
	return commission - commission.Mul(int64(max(w.Price-b.Refunded, 0)), int64(left))
}

// ripen reports whether time alone has changed what the line is: the network's
// settlement date has come.
func (l *Line) ripen(now time.Time) bool {
	f := facts(l.Whole, l.Back, now)
	if f == l.Facts {
		return false
	}
	l.Facts = f
	return true
}

// MarshalText writes a register for the database.
func (g Register) MarshalText() ([]byte, error) { return json.Marshal(g.Revision) }

// UnmarshalText reads what MarshalText wrote.
func (g *Register) UnmarshalText(b []byte) error {
	if err := json.Unmarshal(b, &g.Revision); err != nil {
		return err
	}
	g.Hash = sum(g.Revision)
	return nil
}

// Changed is the content of order.changed: one page's worth of lines, each as it
// is now. A hearer that has a higher Rev of a line ignores the older one.
type Changed struct {
	Lines []ChangedLine `json:"lines"`
}

// A ChangedLine is what others need to know of a line.
type ChangedLine struct {
	Line       int64        `json:"line"` // Line.ID
	Key        Key          `json:"key"`
	Rev        int64        `json:"rev"`
	Order      string       `json:"order"`
	Title      string       `json:"title"`
	Category   string       `json:"category,omitempty"`
	Item       string       `json:"item,omitempty"`
	Shop       string       `json:"shop,omitempty"`
	State      State        `json:"state"`
	Why        string       `json:"why,omitempty"`
	Price      money.Fen    `json:"price"`
	Refunded   money.Fen    `json:"refunded,omitempty"`
	Commission money.Fen    `json:"commission"`
	Estimated  money.Fen    `json:"estimated,omitempty"` // what it was expected to be, less what went back; 0: not known
	Disputed   bool         `json:"disputed,omitempty"`
	User       int64        `json:"user,omitempty"`
	Promise    link.Promise `json:"promise"`
	CreatedAt  time.Time    `json:"created_at"`
	SettledAt  time.Time    `json:"settled_at,omitzero"`
	SettlesOn  time.Time    `json:"settles_on,omitzero"` // expected, while received
}

// estimated is what the order row expects, less what the refund row takes back.
func (l *Line) estimated() money.Fen {
	e := l.Row().Estimated
	if l.Back != nil {
		e -= claimed(l.Row(), l.Back.Revision, e)
	}
	return max(e, 0)
}

func (l *Line) changed() ChangedLine {
	r := l.Row()
	return ChangedLine{
		Line: l.ID, Key: l.Key, Rev: l.Rev, Order: r.Order, Title: r.Title, Category: r.Category, Item: r.Item, Shop: r.Shop,
		State: l.State, Why: l.Why, Price: l.Price, Refunded: l.Refunded, Commission: l.Commission, Estimated: l.estimated(),
		Disputed: l.Disputed, User: l.User, Promise: l.Promise,
		CreatedAt: r.Created, SettledAt: l.SettledAt, SettlesOn: r.SettlesOn,
	}
}
