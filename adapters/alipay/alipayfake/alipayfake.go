// Package alipayfake is Alipay's gateway in this process, as far as package
// alipay calls it: an HTTP handler with its own book, its own certificates, and
// every way to fail that hurts.
//
// # Guarantees
//
//   - It takes only requests that are signed with the application's key and name
//     its certificate and the root's by their serial numbers.
//   - It signs the raw bytes of an answer's node.
//   - A number names one transfer for ever. The same request again gets the
//     first one's result, another one PAYMENT_INFO_INCONSISTENCY.
//   - The same holds for charges and for refunds of one charge.
//   - A transfer that failed never leaves under its number.
//   - The book can be saved and loaded.
//
// It imports nothing of the tests, so that the sandbox can run it.
package alipayfake

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// The states of a transfer.
const (
	Dealing = "DEALING"
	Success = "SUCCESS"
	Failed  = "FAIL"
	Refund  = "REFUND" // it left and came back
)

// The modes: how new transfers are decided.
const (
	Instant = ""        // paid at once
	Holds   = "holds"   // DEALING until Decide
	Refuses = "refuses" // taken, and failed at once
)

// The ways to fail. The empty one is health.
const (
	LostRequest = "lost_request" // breaks the connection, without an effect
	LostAnswer  = "lost_answer"  // has the effect, breaks the connection
	Down        = "down"         // status 503, without an effect
	Garbage     = "garbage"      // has the effect, answers half a document
	Forged      = "forged"       // answers the opposite with a wrong signature, without an effect
	Foreign     = "foreign"      // answers the opposite, signed with a certificate of somebody else's
	Unsigned    = "unsigned"     // answers the opposite without a signature, without an effect
	Bare        = "bare"         // has the effect and answers truly, without a signature
	Late        = "late"         // does not find a number when first asked about it
	Slow        = "slow"         // answers truly, after SlowFor
	Stall       = "stall"        // never answers
	Denied      = "denied"       // calls every signature wrong
	SystemError = "system_error" // has the effect and says SYSTEM_ERROR, once for each number
	Broken      = "broken"       // the same with code 20000
	ToldFirst   = "told_first"   // tells of a transfer before it answers
	ToldTwice   = "told_twice"   // tells of each transfer twice
	ToldWrong   = "told_wrong"   // tells the opposite
)

// Ways lists the ways to fail, for a page of switches.
func Ways() []string {
	return []string{
		LostRequest, LostAnswer, Down, Garbage, Forged, Foreign, Unsigned, Bare, Late, Slow, Stall, Denied, SystemError, Broken,
		ToldFirst, ToldTwice, ToldWrong,
	}
}

// SlowFor is how long a slow answer takes.
const SlowFor = 3 * time.Second

// deposit is what the merchant has at first.
const deposit money.Fen = 100_000_000

// Config is one merchant's application.
type Config struct {
	App  string
	Keys *Keys
	Now  func() time.Time
	// PageMax is the most rows that a page of the account's log has; 0 means what
	// is asked for.
	PageMax int
	// Codes begins the codes of charges; "" means Alipay's own.
	Codes string
}

// A Transfer is one number in the book.
type Transfer struct {
	Number   string    `json:"number"`
	Amount   money.Fen `json:"amount"`
	Kind     string    `json:"kind"` // of Identity
	Identity string    `json:"identity"`
	Name     string    `json:"name"`
	Title    string    `json:"title"`
	Remark   string    `json:"remark"`
	Order    string    `json:"order"` // Alipay's number
	State    string    `json:"state"`
	Error    string    `json:"error,omitempty"`
	At       time.Time `json:"at"`
	Decided  time.Time `json:"decided"`
	Returned time.Time `json:"returned"`
}

// same reports whether two requests under one number ask for the same.
func (t Transfer) same(o Transfer) bool {
	return t.Amount == o.Amount && t.Kind == o.Kind && t.Identity == o.Identity && t.Name == o.Name
}

// A Fake is the gateway. It is safe for concurrent use.
type Fake struct {
	cfg Config

	mu      sync.Mutex
	book    book
	once    map[string]bool // numbers that a way has met once
	calls   []string
	changed func()
	told    func(form string)
	noticed func(form string)
}

// book is what is kept.
type book struct {
	Mode      string            `json:"mode"`
	Way       string            `json:"way"`
	Refuse    string            `json:"refuse"`
	Balance   money.Fen         `json:"balance"`
	Transfers []*Transfer       `json:"transfers"`
	Trades    map[string]*Trade `json:"trades"`
}

// New returns a gateway with an empty book.
func New(cfg Config) *Fake {
	return &Fake{cfg: cfg, once: map[string]bool{}, book: book{Balance: deposit, Trades: map[string]*Trade{}}}
}

// OnChange makes f hear of every change, to keep the book. It is called without a
// lock and may call Snapshot.
func (f *Fake) OnChange(g func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = g
}

// OnMessage makes g get the messages about transfers that have ended, as Alipay
// posts them. It is called without a lock.
func (f *Fake) OnMessage(g func(form string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = g
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

// SetNow moves the gateway's clock.
func (f *Fake) SetNow(now func() time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg.Now = now
}

// time is what the gateway's clock says.
func (f *Fake) time() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cfg.Now()
}

// Mode says how new transfers are decided.
func (f *Fake) Mode(mode string) { f.change(func() { f.book.Mode = mode }) }

// Refuse makes the gateway refuse new transfers with a sub code, without taking
// them into its book, until it is called with "".
func (f *Fake) Refuse(subCode string) { f.change(func() { f.book.Refuse = subCode }) }

// Fail makes the gateway fail in one way until it is called with "". It reports
// whether it knows the way.
func (f *Fake) Fail(way string) bool {
	if way != "" && !slices.Contains(Ways(), way) {
		return false
	}
	f.change(func() { f.book.Way, f.once = way, map[string]bool{} })
	return true
}

// Now returns the mode and the way to fail that are in force.
func (f *Fake) Now() (mode, way string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.book.Mode, f.book.Way
}

// SetBalance says what the merchant has.
func (f *Fake) SetBalance(b money.Fen) { f.change(func() { f.book.Balance = b }) }

// Calls returns the methods that were called so far.
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Decide ends a transfer that is held and tells of it. It fails with
// fault.NotFound for a number that is not in the book and with fault.Conflict for
// a transfer that is final.
func (f *Fake) Decide(number string, paid bool) (err error) {
	f.change(func() {
		t := f.find(number)
		switch {
		case t == nil:
			err = fault.Newf(fault.NotFound, "", "number %q", number)
		case t.State != Dealing:
			err = fault.Newf(fault.Conflict, "", "number %q is %s", number, t.State)
		default:
			f.settle(t, paid)
		}
	})
	if err == nil {
		f.tell(number)
	}
	return err
}

// Return sends the money of a transfer that was paid back to the merchant.
func (f *Fake) Return(number string) (err error) {
	f.change(func() {
		t := f.find(number)
		if t == nil || t.State != Success {
			err = fault.Newf(fault.Conflict, "", "number %q is not paid", number)
			return
		}
		t.State, t.Returned = Refund, f.cfg.Now()
		f.book.Balance += t.Amount
	})
	return err
}

// settle ends a transfer. The lock is held.
func (f *Fake) settle(t *Transfer, paid bool) {
	t.Decided = f.cfg.Now()
	if !paid {
		t.State, t.Error = Failed, "PAYEE_ACCOUNT_NOT_EXSIT"
		return
	}
	t.State = Success
	f.book.Balance -= t.Amount
}

func (f *Fake) find(number string) *Transfer {
	i := slices.IndexFunc(f.book.Transfers, func(t *Transfer) bool { return t.Number == number })
	if i < 0 {
		return nil
	}
	return f.book.Transfers[i]
}

// Transfers returns the book, newest first.
func (f *Fake) Transfers() []Transfer {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Transfer, 0, len(f.book.Transfers))
	for _, t := range slices.Backward(f.book.Transfers) {
		out = append(out, *t)
	}
	return out
}

// Paid returns what has left under a number.
func (f *Fake) Paid(number string) []money.Fen {
	var out []money.Fen
	for _, t := range f.Transfers() {
		if t.Number == number && t.State == Success {
			out = append(out, t.Amount)
		}
	}
	return out
}

// Snapshot returns the book with its switches.
func (f *Fake) Snapshot() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return mustJSON(f.book)
}

// Restore replaces the book by one that Snapshot returned.
func (f *Fake) Restore(b []byte) error {
	var bk book
	if err := json.Unmarshal(b, &bk); err != nil {
		return fault.Wrap(fault.Invalid, "alipayfake.Restore", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.book = bk; bk.Trades == nil {
		f.book.Trades = map[string]*Trade{}
	}
	return nil
}

// take books a request, or finds the transfer that it made before. code is why it
// was not booked.
func (f *Fake) take(t Transfer) (_ Transfer, code string) {
	f.change(func() {
		if old := f.find(t.Number); old != nil {
			if !old.same(t) {
				code = "PAYMENT_INFO_INCONSISTENCY"
			}
			t = *old
			return
		}
		switch {
		case f.book.Refuse != "":
			code = f.book.Refuse
			return
		case t.Amount > f.book.Balance:
			code = "PAYER_BALANCE_NOT_ENOUGH"
			return
		}
		t.At, t.State = f.cfg.Now(), Dealing
		t.Order = fmt.Sprintf("%s110070001506%08d", t.At.In(beijing).Format("20060102"), len(f.book.Transfers)+1)
		f.book.Transfers = append(f.book.Transfers, &t)
		if f.book.Mode != Holds {
			f.settle(&t, f.book.Mode != Refuses)
		}
		t = *f.find(t.Number)
	})
	return t, code
}

// look finds a transfer; while Late, not at first.
func (f *Fake) look(number string) (Transfer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.find(number)
	if t == nil || f.book.Way == Late && f.first(number) {
		return Transfer{}, false
	}
	return *t, true
}

// first reports whether a number is met for the first time since the last Fail.
// The lock is held.
func (f *Fake) first(number string) bool {
	met := f.once[number]
	f.once[number] = true
	return !met
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // answers and books are plain data
		panic(err)
	}
	return b
}
