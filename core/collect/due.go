package collect

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A Purpose is what money is asked for.
type Purpose string

// The purposes.
const (
	Membership Purpose = "membership" // a user's level for a while; What is "level/1/30"
	TopUp      Purpose = "topup"      // the operator's own money, for bonuses; What is empty
)

// account is where the money of a purpose goes.
func (p Purpose) account() ledger.Account {
	if p == TopUp {
		return ledger.Marketing
	}
	return ledger.Membership
}

// Stage is how far a due has come.
type Stage string

// The stages.
const (
	Created   Stage = "created"   // the intent is committed; the collector may or may not know
	Asked     Stage = "asked"     // it has a code that can be paid
	Received  Stage = "received"  // the money is ours
	Held      Stage = "held"      // money came that is not what was asked for: a person decides
	Refunding Stage = "refunding" // it is to be given back; the number of that is committed
	Refunded  Stage = "refunded"  // final
	Lapsed    Stage = "lapsed"    // nobody paid; what comes all the same is given back
)

// next lists the legal changes of stage.
var next = map[Stage][]Stage{
	Created:   {Asked, Received, Held, Lapsed},
	Asked:     {Received, Held, Lapsed},
	Received:  {Refunding},
	Held:      {Refunding},
	Lapsed:    {Refunding, Held},
	Refunding: {Refunded},
}

// Stages returns all stages, in the order in which a due meets them.
func Stages() []Stage { return []Stage{Created, Asked, Received, Held, Refunding, Refunded, Lapsed} }

// Next returns the stages that follow s, none for a final one.
func (s Stage) Next() []Stage { return slices.Clone(next[s]) }

// Open reports whether it may still be paid.
func (s Stage) Open() bool { return s == Created || s == Asked }

// Taken reports whether money has come in and is in the books.
func (s Stage) Taken() bool { return s != Created && s != Asked && s != Lapsed }

// A Due is a charge with what it is for and how far it has come.
type Due struct {
	ID        int64
	Key       string // idempotency key of who asked
	Purpose   Purpose
	User      int64  // who is asked; 0 for the house itself
	What      string // what is bought, in the words of who sells it; may be empty
	Amount    money.Fen
	Subject   string // what people read who pay
	Collector string
	Number    string // ours, at the collector; that of its refund is the same with an R behind it
	Stage     Stage
	Reason    string         // stable key: why it lapsed, is held or goes back
	Code      string         // what people scan; "" before there is one
	Receipt   string         // the collector's own number
	Paid      money.Fen      // what came; 0 before
	Account   ledger.Account // where it went in the books; "" before
	Rev       int64          // counts the changes, from 1
	Tries     int            // how often the collector was asked since its last news
	At        time.Time
	Changed   time.Time // of the stage
	Expires   time.Time // nobody can pay after it
	NextAt    time.Time // when to ask again; zero: never
}

// RefundNumber names the refund of a due.
func (d Due) RefundNumber() string { return RefundNumber(d.Number) }

// RefundNumber names the one refund of the charge with a number.
func RefundNumber(number string) string { return number + "R" }

// RefundOf returns the number of the charge that a refund's number is of; ok is
// false for a number that is none of a refund.
func RefundOf(number string) (charge string, ok bool) { return strings.CutSuffix(number, "R") }

// Cause is what a due's entries and acts are about.
func Cause(id int64) string { return "charge/" + strconv.FormatInt(id, 10) }

// Changed is the content of charge.changed.
type Changed struct {
	ID      int64     `json:"id"`
	Purpose Purpose   `json:"purpose"`
	User    int64     `json:"user,omitempty"`
	What    string    `json:"what,omitempty"`
	Amount  money.Fen `json:"amount"`
	Paid    money.Fen `json:"paid,omitempty"`
	Stage   Stage     `json:"stage"`
	Was     Stage     `json:"was,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
}

// A Store keeps dues, together with the ledger. Implementations pass
// storetest.Collections.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Due returns one or fault.NotFound.
	Due(ctx context.Context, id int64) (Due, error)
	// ByNumber returns the due with a number at the collector, or
	// fault.NotFound.
	ByNumber(ctx context.Context, number string) (Due, error)
	// Waiting returns dues whose NextAt has come, the longest waiting first.
	Waiting(ctx context.Context, now time.Time, count int) ([]Due, error)
	// Newest returns the newest dues in one of the stages, in any for none.
	Newest(ctx context.Context, count int, stages ...Stage) ([]Due, error)
}

// A Tx is what a transaction can do.
type Tx interface {
	event.Emitter
	ledger.Tx
	audit.Recorder
	// ByKey returns the due with an idempotency key, or fault.NotFound.
	ByKey(key string) (Due, error)
	// OpenOf returns a user's newest open due for a purpose, or fault.NotFound.
	OpenOf(user int64, p Purpose) (Due, error)
	// Insert stores a new one and returns its id. It has no number yet.
	Insert(d Due) (int64, error)
	// Swap stores d if its stored stage still is was and its stored Rev is one
	// less than that of d. ok is false, and nothing is stored, if not.
	Swap(d Due, was Stage) (ok bool, err error)
}
