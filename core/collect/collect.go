// Package collect is how people pay us: a membership, the operator's own money.
//
// A [Charge] is a sum that we ask for under a number of our own, at a [Collector]:
//
//	absent ─▶ open ─▶ paid ─▶ closed  (given back in full)
//	   │        └───────────▶ closed  (nobody paid)
//	   └─▶ (it expires)
//
// A [Due] is a charge with what it is for, as we know it. The [Desk] commits number
// and amount first, then creates the charge, shows its code, and believes nothing
// but what [Collector.Query] says about that number: a callback is a hint. Money is
// given back under a number of its own, likewise committed before it is asked for.
//
//	created ─▶ asked ─▶ received ─▶ refunding ─▶ refunded
//	    │        ├────▶ held ──────────▶│    (another amount: a person decides)
//	    └────────┴────▶ lapsed ────────▶┘    (it came too late: it goes back)
//
// # Guarantees
//
//   - A number is one charge, and a refund's number is one refund, however often
//     either is asked for.
//   - No call that fails says anything about what became of the money: its number
//     is asked about again.
//   - Money that came is in the ledger in the transaction that notes it, once. What
//     came too late goes back by itself; another amount than was asked for waits
//     for a person. Neither ever counts as what was asked for.
//   - Every change is compare-and-set, by stage and revision; an illegal or repeated
//     one changes nothing.
//
// # Not here
//
// What a membership is good for is package user's, which hears charge.changed. Only
// whole charges are given back.
package collect

import (
	"context"
	"time"

	"fanli/core/money"
	"fanli/core/withdraw"
)

// A Charge is a sum that we ask for.
type Charge struct {
	Number  string // ours: letters and digits, ≤ 32
	Amount  money.Fen
	Subject string    // what the payer reads
	Expires time.Time // nobody can pay after it
}

// State is what has become of a charge.
type State string

// The states.
const (
	// Absent: the collector does not know the number. Some do not before
	// somebody has opened the code, so that until the charge expires it may
	// still be paid.
	Absent State = "absent"
	Open   State = "open"   // somebody is paying, or may
	Paid   State = "paid"   // the money came; it may have been given back, in part or, where a collector cannot tell, in full
	Closed State = "closed" // nothing is there under this number, and nothing will be
)

// A Collection is what a collector says about a charge.
type Collection struct {
	State   State
	Amount  money.Fen // Paid: what was asked for and paid
	Receipt string    // the collector's own number, where it has given one
}

// RefundState is what has become of a refund.
type RefundState string

// The states of a refund.
const (
	Returned   RefundState = "returned"   // the money has left
	Returning  RefundState = "returning"  // it was taken and is not known to have ended
	Unreturned RefundState = "unreturned" // it is not known, or has failed: it may be asked for again, under the same number
)

// A Refund is money to be given back.
type Refund struct {
	Charge string // its number
	Number string // the refund's own: letters and digits, ≤ 32
	Amount money.Fen
}

// A Collector takes money for us. Implementations pass collecttest.Run. It is
// safe for concurrent use.
//
// All calls fail with fault.Unavailable where nothing is known, and with
// fault.Denied where the collector refuses us and a person has to look.
type Collector interface {
	// Name is short, lower case and never changes: it is stored with every
	// charge.
	Name() string
	// Create asks for a charge and returns the text of the code that people
	// scan. Repeating it with the same charge is safe. It fails with
	// fault.Conflict if the number was used for another one, or cannot be paid
	// any more.
	Create(ctx context.Context, c Charge) (code string, err error)
	// Query asks what became of a charge.
	Query(ctx context.Context, number string) (Collection, error)
	// Close ends a charge that nobody has paid, and returns what it has become:
	// Closed; Paid if it was too late; Absent if there was nothing to close yet.
	// Repeating it is safe.
	Close(ctx context.Context, number string) (Collection, error)
	// Refund gives money of a paid charge back. Repeating it with the same
	// refund gives it back at most once. It fails with fault.Conflict if the
	// number was used for another refund, with fault.Invalid if so much is not
	// there to be given back, and with fault.Insufficient if we have not the
	// money.
	Refund(ctx context.Context, r Refund) (RefundState, error)
	// QueryRefund asks what became of a refund, and returns how much it was if it
	// was made.
	QueryRefund(ctx context.Context, charge, number string) (RefundState, money.Fen, error)
	// Hear returns the number of the charge that a callback is about, and Answer
	// the reply to it, as those of payouts do.
	withdraw.Hearer
}
