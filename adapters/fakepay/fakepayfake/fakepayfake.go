// Package fakepayfake is the provider that package fakepay pays through: an HTTP
// handler with its own book. It checks signatures, pays a number at most once,
// and can be told to decide and to fail in every way that hurts.
//
// # Guarantees
//
//   - A number names one payment for ever. The same request again gets the
//     payment's state; another request under the number is refused.
//   - A payment that failed never leaves under its number.
//   - The book can be saved and loaded.
//
// It imports nothing of the tests, so that the sandbox can run it.
package fakepayfake

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// The states of a payment.
const (
	Held   = "held"
	Paid   = "paid"
	Failed = "failed"
)

// The modes: how new payments are decided.
const (
	Instant = ""        // paid at once
	Holds   = "holds"   // held until Decide
	Refuses = "refuses" // failed at once
)

// The ways to fail. The empty one is health.
const (
	LostRequest = "lost_request" // breaks the connection, without an effect
	LostAnswer  = "lost_answer"  // has the effect, breaks the connection
	Down        = "down"         // status 503, without an effect
	Garbage     = "garbage"      // has the effect, answers half a document
	Forged      = "forged"       // answers the opposite with a wrong signature, without an effect
	Unsigned    = "unsigned"     // answers the opposite without a signature, without an effect
	Late        = "late"         // does not find a number when first asked about it
	Slow        = "slow"         // answers truly, after SlowFor
	Stall       = "stall"        // never answers
	Denied      = "denied"       // calls every signature wrong
)

// Ways lists the ways to fail, for a page of switches.
func Ways() []string {
	return []string{LostRequest, LostAnswer, Down, Garbage, Forged, Unsigned, Late, Slow, Stall, Denied}
}

// SlowFor is how long a slow answer takes.
const SlowFor = 3 * time.Second

// Config is one merchant at the provider.
type Config struct {
	Merchant string
	Secret   string
	Now      func() time.Time
}

// A Payment is one number in the book.
type Payment struct {
	Number  string    `json:"number"`
	Amount  money.Fen `json:"amount"`
	Method  string    `json:"method"`
	Account string    `json:"account"`
	Payee   string    `json:"payee"`
	Note    string    `json:"note"`
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Decided time.Time `json:"decided"`
}

// same reports whether two requests under one number ask for the same.
func (p Payment) same(o Payment) bool {
	return p.Amount == o.Amount && p.Method == o.Method && p.Account == o.Account && p.Payee == o.Payee
}

// A Fake is the provider. It is safe for concurrent use.
type Fake struct {
	cfg Config

	mu      sync.Mutex
	book    book
	hidden  map[string]bool // numbers that were asked about while Late
	changed func()
}

// book is what is kept.
type book struct {
	Mode     string     `json:"mode"`
	Way      string     `json:"way"`
	Payments []*Payment `json:"payments"`
}

// New returns a provider with an empty book.
func New(cfg Config) *Fake { return &Fake{cfg: cfg, hidden: map[string]bool{}} }

// OnChange makes f hear of every change, to keep the book. f is called without a
// lock and may call Snapshot.
func (f *Fake) OnChange(g func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = g
}

// change runs g on the book and tells of it.
func (f *Fake) change(g func()) {
	f.mu.Lock()
	g()
	hear := f.changed
	f.mu.Unlock()
	if hear != nil {
		hear()
	}
}

// Mode says how new payments are decided.
func (f *Fake) Mode(mode string) { f.change(func() { f.book.Mode = mode }) }

// Fail makes the provider fail in one way until it is called with "". It
// reports whether it knows the way.
func (f *Fake) Fail(way string) bool {
	if way != "" && !slices.Contains(Ways(), way) {
		return false
	}
	f.change(func() { f.book.Way, f.hidden = way, map[string]bool{} })
	return true
}

// Now returns the mode and the way to fail that are in force.
func (f *Fake) Now() (mode, way string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.book.Mode, f.book.Way
}

// Decide ends a payment that is held. It fails with fault.NotFound for a number
// that is not in the book and with fault.Conflict for a payment that is final.
func (f *Fake) Decide(number string, paid bool) (err error) {
	f.change(func() {
		p := f.find(number)
		switch {
		case p == nil:
			err = fault.Newf(fault.NotFound, "fakepay.no_payment", "number %q", number)
		case p.State != Held:
			err = fault.Newf(fault.Conflict, "fakepay.final", "number %q is %s", number, p.State)
		case paid:
			p.State, p.Decided = Paid, f.cfg.Now()
		default:
			p.State, p.Reason, p.Decided = Failed, "no_such_account", f.cfg.Now()
		}
	})
	return err
}

func (f *Fake) find(number string) *Payment {
	i := slices.IndexFunc(f.book.Payments, func(p *Payment) bool { return p.Number == number })
	if i < 0 {
		return nil
	}
	return f.book.Payments[i]
}

// Payments returns the book, newest first.
func (f *Fake) Payments() []Payment {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Payment, 0, len(f.book.Payments))
	for _, p := range slices.Backward(f.book.Payments) {
		out = append(out, *p)
	}
	return out
}

// Paid returns what has left under a number.
func (f *Fake) Paid(number string) []money.Fen {
	var out []money.Fen
	for _, p := range f.Payments() {
		if p.Number == number && p.State == Paid {
			out = append(out, p.Amount)
		}
	}
	return out
}

// Snapshot returns the book with its switches.
func (f *Fake) Snapshot() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := json.Marshal(f.book)
	if err != nil { // every field is plain data
		panic(err)
	}
	return b
}

// Restore replaces the book by one that Snapshot returned.
func (f *Fake) Restore(b []byte) error {
	var bk book
	if err := json.Unmarshal(b, &bk); err != nil {
		return fault.Wrap(fault.Invalid, "fakepayfake.Restore", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.book = bk
	return nil
}

// take books a request, or finds the payment that it made before. ok is false
// for another request under a known number.
func (f *Fake) take(p Payment) (_ Payment, ok bool) {
	ok = true
	f.change(func() {
		if old := f.find(p.Number); old != nil {
			ok = old.same(p)
			p = *old
			return
		}
		p.At = f.cfg.Now()
		switch f.book.Mode {
		case Holds:
			p.State = Held
		case Refuses:
			p.State, p.Reason, p.Decided = Failed, "no_such_account", p.At
		default:
			p.State, p.Decided = Paid, p.At
		}
		f.book.Payments = append(f.book.Payments, &p)
	})
	return p, ok
}

// look finds a payment; while Late, not at first.
func (f *Fake) look(number string) (Payment, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.find(number)
	if p == nil {
		return Payment{}, false
	}
	if f.book.Way == Late && !f.hidden[number] {
		f.hidden[number] = true
		return Payment{}, false
	}
	return *p, true
}
