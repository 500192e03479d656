// Package withdraw is how a balance leaves us.
//
// A [Withdrawal] is a user's request. Money is reserved in the transaction that
// accepts it. To send it, the intent (payer, number, amount, payee) is committed
// first and the payer is called afterwards, outside of any transaction; after a
// crash or a time-out the payer is only ever asked about that number, or sent
// the same request under the same number again.
//
//	requested ─▶ reviewing ─▶ approved ─▶ sending ─▶ paid
//	    │            │            │          ├─────▶ failed    (money back)
//	    └────────────┴─▶ refused, cancelled  ├─────▶ confirming ─▶ paid | failed | unknown
//	                                         └─────▶ unknown ─▶ confirming | paid | failed
//
// Who pays is decided by the payee's method when the intent is committed, and
// stays: whatever is configured later, that payer is the one that is asked.
//
// # Guarantees
//
//   - However often and from wherever a user asks at the same time, no fen is
//     reserved twice.
//   - One withdrawal leads to at most one payment: its number never changes.
//   - A withdrawal whose outcome is not known stays reserved until it is.
//   - Every change is compare-and-set, by state and revision; an illegal or
//     repeated one changes nothing.
//   - A payer's word is heard in every order: by reply, by callback and by query.
//     The first final one counts; one that contradicts it later moves nothing and
//     is kept as an [Incident].
//   - A payer that refuses us is paused: nothing new goes through it until a
//     person turns its switch off. Package control says what else can be stopped.
//   - Above a limit two different people approve.
//   - What a user wants to happen without asking ([Autopay]) goes the same way as
//     what they ask for, at most once a day.
package withdraw

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
)

// State is how far a withdrawal has come.
type State string

// The states.
const (
	Requested  State = "requested"  // money is reserved; nobody has looked yet
	Reviewing  State = "reviewing"  // a person has to decide; Reason says why
	Approved   State = "approved"   // will be sent by the next run
	Sending    State = "sending"    // the intent is committed; the payer may or may not know
	Confirming State = "confirming" // the payer waits for the payee to confirm in their app
	Unknown    State = "unknown"    // the payer did not say; only queries from here
	Paid       State = "paid"       // final
	Failed     State = "failed"     // final; money is available again
	Refused    State = "refused"    // final; by staff; money is available again
	Cancelled  State = "cancelled"  // final; by the user; money is available again
)

// next lists the legal changes of state.
var next = map[State][]State{
	Requested:  {Reviewing, Approved, Refused, Cancelled},
	Reviewing:  {Approved, Refused, Cancelled},
	Approved:   {Sending, Reviewing, Refused, Cancelled},
	Sending:    {Confirming, Paid, Failed, Unknown},
	Confirming: {Paid, Failed, Unknown},
	Unknown:    {Confirming, Paid, Failed},
}

// States returns all states, in the order in which a withdrawal meets them.
func States() []State {
	return []State{Requested, Reviewing, Approved, Sending, Confirming, Unknown, Paid, Failed, Refused, Cancelled}
}

// Next returns the states that follow s, none for a final one.
func (s State) Next() []State { return slices.Clone(next[s]) }

// Final reports whether nothing can change any more.
func (s State) Final() bool { return len(next[s]) == 0 }

// A Withdrawal is a user's request to be paid.
type Withdrawal struct {
	ID      int64
	Key     string // idempotency key of the request, made by the asker
	User    int64
	Amount  money.Fen
	Payee   user.Payee // as it was when the request was made
	State   State
	Reason  string // stable key: why it is reviewed, failed or was refused
	Payer   string // name of the payer that it was given to
	Number  string // at the payer: letters and digits, ≤ 32
	Actor   string // who approved, refused or confirmed: "auto", "cli", "telegram:12"
	First   string // who approved first, where two have to
	Risk    int    // points, as Assess gave them; above Limits.Risk a person decides
	Signs   string // the reasons of the points: stable keys, with commas between
	Receipt string // the payer's own number of the payment
	Confirm string // Confirming: what the page hands to the payer's app
	Batch   string // the file by which a person pays it; "" for none
	Rev     int64  // counts the changes, from 1
	Tries   int    // how often the payer was asked since its last news
	At      time.Time
	Changed time.Time // of the state
	NextAt  time.Time // Approved, Sending, Confirming, Unknown: not before then
	Sent    time.Time // when the intent to pay was committed; zero before
}

// LogValue keeps the account out of structured logs, in any format.
func (w Withdrawal) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int64("id", w.ID), slog.Int64("user", w.User), slog.String("amount", w.Amount.String()), slog.String("payee", w.Payee.String()),
		slog.String("state", string(w.State)), slog.String("reason", w.Reason), slog.String("payer", w.Payer), slog.String("number", w.Number),
	)
}

// Changed is the content of withdrawal.changed.
type Changed struct {
	ID     int64     `json:"id"`
	User   int64     `json:"user"`
	Amount money.Fen `json:"amount"`
	State  State     `json:"state"`
	Was    State     `json:"was,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Payee  string    `json:"payee"`          // masked
	Auto   bool      `json:"auto,omitempty"` // nobody asked for it by hand: the user's Autopay did
}

// A Payment is what a payer is asked to do.
type Payment struct {
	Number string
	Amount money.Fen
	Payee  user.Payee
	Note   string // what the payee reads
}

// LogValue keeps the account out of structured logs, in any format.
func (p Payment) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("number", p.Number), slog.String("amount", p.Amount.String()), slog.String("payee", p.Payee.String()),
	)
}

// A Verdict is what a payer says about a payment.
type Verdict string

// The verdicts.
const (
	Done    Verdict = "done"    // the money has left
	Dead    Verdict = "dead"    // it will never leave under this number
	Busy    Verdict = "busy"    // accepted, not finished
	Unclear Verdict = "unclear" // it may or may not have been accepted
	Absent  Verdict = "absent"  // the payer does not know the number: send again, same number
	Waiting Verdict = "waiting" // accepted; leaves when the payee confirms it, for which Outcome.Confirm is needed
	Short   Verdict = "short"   // our money at the payer, or our quota there, is used up: send again later, same number
	Barred  Verdict = "barred"  // the payer refuses us, not the payee: a person has to look; the money stays reserved
)

// An Outcome is a verdict with its reason.
type Outcome struct {
	Verdict Verdict
	Reason  string // stable key for people: "payout.no_such_account"
	Receipt string // the payer's own number of the payment, where it has given one
	Confirm string // Waiting: what the page on which the payee confirms hands to the payer's app
	// Amount is what the payment is of, where the payer says it; 0: it does not. Another one
	// than was asked for is another payment's, of a number that was used before: by a book
	// that has since been restored from a backup, say.
	Amount money.Fen
}

// A Payer sends money. Implementations pass payertest.Run. Repeating Send with
// the same payment sends the money at most once.
type Payer interface {
	// Name is short, lower case and never changes: it is stored with every
	// withdrawal.
	Name() string
	// Send asks for a payment. An error means Unclear.
	Send(ctx context.Context, p Payment) (Outcome, error)
	// Query asks what became of a number. An error means Unclear.
	Query(ctx context.Context, number string) (Outcome, error)
}

// What only some payers can do. A payer says so by having the method.

// A Canceller can call back a payment that its payee has not confirmed yet.
type Canceller interface {
	// Cancel asks for it. The outcome is that of the payment: Dead once it is
	// called back, Busy while that is under way, Done if it was too late. An
	// error means Unclear. Repeating it is safe.
	Cancel(ctx context.Context, number string) (Outcome, error)
}

// A Callback is what a payer sent us, as received.
type Callback struct {
	Header http.Header
	Body   []byte
}

// A Hearer is called back by its payer.
type Hearer interface {
	// Hear returns the number of the payment that a callback is about. It fails
	// with fault.Denied if the payer did not make it, or made it too long ago. A
	// callback is a hint and decides nothing: whoever calls Hear asks Query.
	Hear(ctx context.Context, c Callback) (number string, err error)
	// Answer is the reply that the payer understands: that the callback was
	// taken, for nil, or that it should come again.
	Answer(err error) (status int, contentType, body string)
}

// A Biller tells what it has paid, for reconciliation.
type Biller interface {
	// Bill returns the payments of a day, in the payer's zone. It fails with
	// fault.Unavailable while the bill is not ready.
	Bill(ctx context.Context, day time.Time) ([]BillLine, error)
}

// A BillLine is one payment in a payer's own book.
type BillLine struct {
	Number  string // ours
	Receipt string // the payer's
	Amount  money.Fen
	Paid    bool // false: it came back
	At      time.Time
}

// A Store keeps withdrawals, together with the ledger.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Withdrawal returns one or fault.NotFound.
	Withdrawal(ctx context.Context, id int64) (Withdrawal, error)
	// OfUser returns a user's withdrawals, newest first, starting after the one with
	// id before; from the newest if before is 0.
	OfUser(ctx context.Context, user, before int64, count int) ([]Withdrawal, error)
	// InState returns withdrawals in one of the states whose NextAt is not
	// after now, oldest first.
	InState(ctx context.Context, now time.Time, count int, states ...State) ([]Withdrawal, error)
	// ByNumber returns the withdrawal with a number at the payer, or
	// fault.NotFound.
	ByNumber(ctx context.Context, number string) (Withdrawal, error)
	// OfBatch returns the withdrawals of a batch, oldest first; none for "".
	OfBatch(ctx context.Context, batch string) ([]Withdrawal, error)
	// Autopay returns what a user wants to happen without asking, or
	// fault.NotFound.
	Autopay(ctx context.Context, user int64) (Autopay, error)
	// DueAutopays returns those that are on, were not tried on day, and whose user
	// has as much available as the threshold says: by user, those above after.
	DueAutopays(ctx context.Context, day string, after int64, count int) ([]Autopay, error)
	// Incidents returns the newest ones.
	Incidents(ctx context.Context, count int) ([]Incident, error)
}

// An Incident is a payer's word against a final state. It moves nothing: a
// person has to look.
type Incident struct {
	Withdrawal int64
	State      State   // what it is here
	Verdict    Verdict // what the payer says
	Reason     string
	At         time.Time
}

// A Query says which withdrawals Tx.Spent counts: those that satisfy all that is
// set, and whose money has left or may.
type Query struct {
	User  int64      // 0: everybody
	Payee user.Payee // zero: wherever
	Asked time.Time  // asked for since then; zero: whenever
	Sent  time.Time  // sent since then; zero: also what was not sent
}

// A Tx is what a transaction can do.
type Tx interface {
	event.Emitter
	ledger.Tx
	control.Tx
	// ByKey returns the withdrawal with an idempotency key, or fault.NotFound.
	ByKey(key string) (Withdrawal, error)
	// Open returns how many of the user's withdrawals are not final.
	Open(user int64) (int, error)
	// Insert stores a new one and returns its id.
	Insert(w Withdrawal) (int64, error)
	// Swap stores w if its stored state still is was and its stored Rev is one
	// less than that of w. ok is false, and nothing is stored, if not.
	Swap(w Withdrawal, was State) (ok bool, err error)
	// SwapAutopay stores a if the stored Rev is one less than that of a; one that
	// was never set has 0. ok is false, and nothing is stored, if not.
	SwapAutopay(a Autopay) (ok bool, err error)
	// Kin returns all accounts of the person that an account belongs to, itself among
	// them.
	Kin(account int64) ([]int64, error)
	// Spent returns how many withdrawals satisfy q, and their sum. Those that
	// failed, were refused or cancelled do not count.
	Spent(q Query) (count int, sum money.Fen, err error)
	// Sharing returns how many users other than one have ever asked for money to
	// the same account. Accounts that are merged are one user.
	Sharing(p user.Payee, user int64) (int, error)
	// AddIncident keeps an incident; the same one again is ignored, and is not
	// fresh.
	AddIncident(i Incident) (fresh bool, err error)
}
