// Package order keeps what the networks say was bought, and finds out whose it
// is.
//
// The unit of everything is the [Line]. A network describes a line again and
// again; each description is a [Revision]. Revisions of one line may come twice,
// late, and in any order: the line is always what the newest revision of each
// [Aspect] says.
//
// # Guarantees
//
//   - Any order of arrival of the same revisions gives the same line.
//   - An unchanged revision writes nothing and says nothing.
//   - A row that cannot be read is kept with its raw text and shown to operators;
//     the rest of its page goes on.
//   - A line belongs to a user only with evidence, and the step that decided is
//     stored with it. Never by a guess.
package order

import (
	"context"
	"time"

	"fanli/core/money"
)

// State is how far a line has come.
type State string

// The states.
const (
	Unpaid   State = "unpaid"
	Paid     State = "paid"
	Received State = "received"
	Settled  State = "settled" // the network has paid us, or has bound itself to
	Invalid  State = "invalid"
)

// A Key names a line for ever.
type Key struct {
	Network string `json:"network"`
	Account string `json:"account"` // ours at the network; a feed knows it
	ID      string `json:"id"`      // the network's own id of the line
}

// String returns the key as it stands in ledger keys: "jd/main/4159…".
func (k Key) String() string { return k.Network + "/" + k.Account + "/" + k.ID }

// An Aspect is a part of a line that a network describes on its own.
type Aspect string

// The aspects.
const (
	Whole  Aspect = "order"  // the order row
	Return Aspect = "refund" // a row of the refund feed, where a network has one
)

// A Revision is one description of one aspect of a line, as an adapter read it.
type Revision struct {
	Key    Key
	Aspect Aspect

	Order    string // the order number that the buyer sees
	Parent   string // the order that was placed, if the network split it; "" if it did not
	Item     string // comparable with link.Link.Item
	Title    string
	Shop     string
	Image    string
	Category string
	Quantity int

	State     State
	Why       string    // for Invalid: stable key such as "order.cancelled", "order.violation"
	Price     money.Fen // what the buyer paid for the line
	Refunded  money.Fen // of that, given back; the Return aspect sets it for its part
	Estimated money.Fen // commission expected before settlement, after the network's fee, net of refunds that the row knows
	Actual    money.Fen // commission at settlement, likewise; counts if ActualKnown
	Claimed   money.Fen // Return only: commission that the network takes back

	ActualKnown bool
	Unsaid      bool // Return only: the network does not say what it takes back; the commission shrinks as the price does
	Disputed    bool // an after-sale case is open: nothing becomes available meanwhile

	Tag                                             string // what came back of link.Mark
	Slot                                            string
	Clicked, Created, PaidAt, ReceivedAt, SettledAt time.Time // zero: not, or not known
	SettlesOn                                       time.Time // a received line counts as settled from then on; zero: only State says so
	Modified                                        time.Time // the network's own; revisions of an aspect are ordered by it, then by content

	Raw []byte // the row as received
}

// WhySplit is why a line is invalid that the network has replaced by others, whose
// Parent is its order.
const WhySplit = "order.split"

// Root returns the number of the order as it was placed. An order and all that it
// was split into share it.
func (r Revision) Root() string {
	if r.Parent != "" {
		return r.Parent
	}
	return r.Order
}

// A Bad row could not be read.
type Bad struct {
	Key Key    // as far as known
	Raw []byte // as received
	Err error
}

// A Scene is one stream of rows that a network has to be asked for separately.
type Scene struct {
	Name string // stable: watermarks are stored under it

	Window time.Duration // the longest window that may be asked for
	Delay  time.Duration // rows may become visible this late
	Keeps  time.Duration // how far back the network answers at all

	// Mends says that rows are found by the time of their last change, so that
	// following the stream sees every change. Where it is false the stream finds
	// rows by another time and only re-scans see later changes.
	Mends bool
}

// A Window is a closed stretch of time: From ≤ t < To.
type Window struct {
	Scene    string
	From, To time.Time
}

// A Page is one answer of a feed.
type Page struct {
	Revisions []Revision
	Bad       []Bad
	Next      string // cursor of the next page; "" after the last
}

// A Feed is where a network tells what was bought. Implementations pass
// feedtest.Run.
type Feed interface {
	// Network is the name stored in keys; Account is ours there.
	Network() string
	Account() string

	// Scenes returns the streams in a fixed order.
	Scenes() []Scene

	// Pull returns one page of w. The first call has an empty cursor, each
	// later one the Next of the page before. Reading all pages of a window
	// returns every row that was in it when the first page was read, even if
	// rows change meanwhile; rows may come twice. It fails with fault.Limited
	// or fault.Unavailable if later may help, and with fault.Invalid with the
	// reason "feed.window_too_long" or "feed.window_too_full" if a shorter
	// window is wanted.
	Pull(ctx context.Context, w Window, cursor string) (Page, error)
}
