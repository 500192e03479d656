// Package wechatpayfake is the WeChat Pay that package wechatpay pays through: an
// HTTP handler with its own book and keys. It checks signatures, times and
// encrypted names, keeps one bill for a number for ever, and can be told to decide
// and to fail in every way that hurts. The charges that people pay and the refunds
// of them are in a book of their own.
//
// # Guarantees
//
//   - A number names one bill. The same request again gets the bill's state; another
//     request under the number is refused.
//   - Money leaves at most once under a number, and never after the bill has failed
//     or was cancelled.
//   - Bills change state only as WeChat's do: see [Fake.Move].
//
// Its cryptography is the standard library's and not the SDK's, so that the two
// sides check each other. It imports nothing of the tests, so that the sandbox can
// run it.
package wechatpayfake

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The states of a bill, in WeChat's spelling.
const (
	Accepted   = "ACCEPTED"
	Processing = "PROCESSING"
	Wait       = "WAIT_USER_CONFIRM"
	Transfer   = "TRANSFERING" //nolint:misspell // WeChat writes it so
	Success    = "SUCCESS"
	Fail       = "FAIL"
	Canceling  = "CANCELING"
	Cancelled  = "CANCELLED"
)

// next lists the legal changes of state.
var next = map[string][]string{
	Accepted:   {Processing, Fail, Canceling},
	Processing: {Wait, Success, Fail, Canceling},
	Wait:       {Transfer, Fail, Canceling},
	Transfer:   {Success, Fail},
	Canceling:  {Cancelled},
}

// The modes: how new bills are decided.
const (
	Instant = ""        // they wait for the payee at once
	Holds   = "holds"   // they stay in PROCESSING, as for a merchant without money
	Refuses = "refuses" // they fail at once
)

// The ways to fail. The empty one is health.
const (
	LostRequest = "lost_request" // breaks the connection, without an effect
	LostAnswer  = "lost_answer"  // has the effect, breaks the connection
	Down        = "down"         // status 503 without a document, without an effect
	SystemError = "system_error" // has the effect, status 500 and SYSTEM_ERROR
	Garbage     = "garbage"      // has the effect, answers half a document, signed
	Forged      = "forged"       // answers the opposite, signed with another key, without an effect
	Unsigned    = "unsigned"     // answers the opposite without a signature, without an effect
	Lying       = "lying"        // an unsigned refusal that says the bill failed, without an effect
	Late        = "late"         // does not find a number when first asked about it
	Stall       = "stall"        // never answers
	Denied      = "denied"       // calls every signature wrong
	Short       = "short"        // refuses new bills with NOT_ENOUGH
	Early       = "early"        // pays at once, and calls back before it answers
	SlowCancel  = "slow_cancel"  // leaves cancelled bills in CANCELING
	Slow        = "slow"         // has the effect, answers truly after SlowFor
	ToldTwice   = "told_twice"   // calls back twice
)

// Ways lists the ways to fail, for a page of switches.
func Ways() []string {
	return []string{
		LostRequest, LostAnswer, Down, SystemError, Garbage, Forged, Unsigned, Lying, Late, Stall, Denied, Short, Early, SlowCancel,
		Slow, ToldTwice,
	}
}

// SlowFor is how long a slow answer takes.
const SlowFor = 3 * time.Second

// Config is one merchant, as WeChat knows it.
type Config struct {
	MchID    string
	AppID    string
	Serial   string         // of the merchant's certificate
	Merchant *rsa.PublicKey // checks requests, and encrypts for the merchant
	APIv3Key string
	Platform *rsa.PrivateKey // WeChat's own; nil makes one
	Stranger *rsa.PrivateKey // signs what is forged; nil makes one
	KeyID    string          // PUB_KEY_ID_…; "" means platform certificates
	Now      func() time.Time
	// CallBack delivers a callback; nil delivers none. It is called without a
	// lock.
	CallBack func(url string, c withdraw.Callback)
}

// A Bill is one number in the book.
type Bill struct {
	Number     string
	BillNo     string
	OpenID     string
	Name       string // decrypted; "" where none was sent
	Amount     money.Fen
	Scene      string
	Remark     string
	NotifyURL  string
	State      string
	FailReason string
	Package    string
	Created    time.Time
	Updated    time.Time
	payments   []money.Fen // what has left
}

// same reports whether two requests under one number ask for the same.
func (b Bill) same(o Bill) bool {
	return b.Amount == o.Amount && b.OpenID == o.OpenID && b.Name == o.Name && b.Scene == o.Scene && b.Remark == o.Remark && b.NotifyURL == o.NotifyURL
}

// A Fake is WeChat Pay. It is safe for concurrent use.
type Fake struct {
	cfg   Config
	other *rsa.PrivateKey // somebody else's
	cert  certificate     // in certificate mode

	mu     sync.Mutex
	mode   string
	way    string
	bills  []*Bill
	trades map[string]*Trade // charges, by number
	hidden map[string]bool   // numbers that were asked about while Late
}

// New returns a WeChat Pay with an empty book.
func New(cfg Config) (*Fake, error) {
	f := &Fake{cfg: cfg, trades: map[string]*Trade{}, hidden: map[string]bool{}}
	var err error
	if f.cfg.Platform == nil {
		if f.cfg.Platform, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return nil, err
		}
	}
	if f.other = cfg.Stranger; f.other == nil {
		if f.other, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return nil, err
		}
	}
	if cfg.KeyID == "" {
		f.cert, err = newCertificate(f.cfg.Platform, cfg.Now())
	}
	return f, err
}

// Mode says how new bills are decided.
func (f *Fake) Mode(mode string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = mode
}

// Fail makes WeChat fail in one way until it is called with "". It reports whether
// it knows the way.
func (f *Fake) Fail(way string) bool {
	if way != "" && !slices.Contains(Ways(), way) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.way, f.hidden = way, map[string]bool{}
	return true
}

func (f *Fake) failing() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.way
}

// Bill returns the bill with a number; ok is false if there is none.
func (f *Fake) Bill(number string) (b Bill, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.find(number); p != nil {
		return *p, true
	}
	return b, false
}

// Paid returns what has left under a number.
func (f *Fake) Paid(number string) []money.Fen {
	b, _ := f.Bill(number)
	return slices.Clone(b.payments)
}

func (f *Fake) find(number string) *Bill {
	i := slices.IndexFunc(f.bills, func(b *Bill) bool { return b.Number == number })
	if i < 0 {
		return nil
	}
	return f.bills[i]
}

// Move gives a bill its next state, with the reason of a failure. It fails with
// fault.NotFound for a number that is not in the book and with fault.Conflict for a
// state that does not follow. A final state is called back.
func (f *Fake) Move(number, state, failReason string) error {
	f.mu.Lock()
	b := f.find(number)
	if b == nil {
		f.mu.Unlock()
		return fault.Newf(fault.NotFound, "", "no bill %q", number)
	}
	if !slices.Contains(next[b.State], state) {
		f.mu.Unlock()
		return fault.Newf(fault.Conflict, "", "a bill in %s does not become %s", b.State, state)
	}
	f.set(b, state, failReason)
	moved := *b
	f.mu.Unlock()
	f.callBack(moved)
	return nil
}

// set changes a bill under the lock.
func (f *Fake) set(b *Bill, state, failReason string) {
	b.State, b.FailReason, b.Updated = state, failReason, f.cfg.Now()
	switch state {
	case Wait:
		b.Package = "affffddafdfafddffda==" + b.BillNo
	case Success:
		b.payments = append(b.payments, b.Amount)
	}
}

// Decide ends a bill that is held in PROCESSING.
func (f *Fake) Decide(number string, paid bool) error {
	if paid {
		return f.Move(number, Success, "")
	}
	return f.Move(number, Fail, "ACCOUNT_FROZEN")
}

// Confirm is the payee pressing the button. Pressing it again changes nothing; it
// fails with fault.Conflict for a bill that cannot be confirmed any more.
func (f *Fake) Confirm(number string) error {
	if b, ok := f.Bill(number); ok && (b.State == Success || b.State == Transfer) {
		return nil
	}
	err := f.Move(number, Transfer, "")
	if fault.Is(err, fault.Conflict) { // somebody pressed it at the same time
		if b, _ := f.Bill(number); b.State == Success || b.State == Transfer {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return f.Move(number, Success, "")
}

// Expire closes a bill that nobody confirmed.
func (f *Fake) Expire(number string) error { return f.Move(number, Fail, "OVERDUE_CLOSE") }

// take books a request, or finds the bill that it made before. ok is false for
// another request under a known number.
func (f *Fake) take(b Bill) (_ Bill, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.find(b.Number); old != nil {
		return *old, old.same(b)
	}
	b.BillNo = fmt.Sprintf("1330000071100999991182020050700%06d", len(f.bills)+1)
	b.Created = f.cfg.Now()
	f.set(&b, Processing, "")
	switch {
	case f.way == Early:
		f.set(&b, Success, "")
	case f.mode == Holds:
	case f.mode == Refuses:
		f.set(&b, Fail, "ACCOUNT_FROZEN")
	default:
		f.set(&b, Wait, "")
	}
	f.bills = append(f.bills, &b)
	return b, true
}

// look finds a bill; while Late, not at first.
func (f *Fake) look(number string) (Bill, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.find(number)
	if b == nil {
		return Bill{}, false
	}
	if f.way == Late && !f.hidden[number] {
		f.hidden[number] = true
		return Bill{}, false
	}
	return *b, true
}

// cancel calls a bill back; ok is false where it is too late.
func (f *Fake) cancel(number string) (b Bill, found, ok bool) {
	f.mu.Lock()
	p := f.find(number)
	if p == nil {
		f.mu.Unlock()
		return b, false, false
	}
	switch {
	case p.State == Canceling || p.State == Cancelled:
		ok = true
	case slices.Contains(next[p.State], Canceling):
		ok = true
		f.set(p, Canceling, "")
		if f.way != SlowCancel {
			f.set(p, Cancelled, "")
		}
	}
	b = *p
	f.mu.Unlock()
	if ok {
		f.callBack(b)
	}
	return b, true, ok
}

// final reports whether a bill does not change any more.
func (b Bill) final() bool { return len(next[b.State]) == 0 }
