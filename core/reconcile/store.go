package reconcile

import (
	"context"
	"time"

	"fanli/core/audit"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
)

// Lines reads the order lines. Implementations pass storetest.Settlements.
type Lines interface {
	// Feeds returns the network and account of every line that settled in the
	// period, in order.
	Feeds(ctx context.Context, from, to time.Time) ([]Subject, error)
	// Settled returns lines that settled in the period, in the byte order of
	// their ids, starting after the line after.
	Settled(ctx context.Context, network, account string, from, to time.Time, after string, count int) ([]Line, error)
	// Known returns the known ones of ids, whatever became of them.
	Known(ctx context.Context, network, account string, ids []string) ([]Line, error)
}

// A Store keeps comparisons, what was accepted, and closed months, together with
// the ledger. Implementations pass storetest.Reconciliations.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error

	// Booked returns what the ledger has made networks owe for order lines: the parts
	// of users, of their inviters and of the house, less what a budget has added.
	Booked(ctx context.Context, keys []order.Key) (map[order.Key]money.Fen, error)
	// Payers returns the names of the payers through which something was paid in
	// the period, in order.
	Payers(ctx context.Context, from, to time.Time) ([]string, error)
	// Payouts returns what was paid through a payer in the period, in the byte
	// order of the numbers, starting after the number after.
	Payouts(ctx context.Context, payer string, from, to time.Time, after string, count int) ([]Payout, error)
	// Sent returns the known ones of numbers, whatever became of them.
	Sent(ctx context.Context, payer string, numbers []string) ([]Payout, error)
	// Collectors returns the names of the collectors through which money has come
	// or gone back in the period, in order.
	Collectors(ctx context.Context, from, to time.Time) ([]string, error)
	// Takings returns what has come and gone back through a collector in the period,
	// in the byte order of the numbers, starting after the number after.
	Takings(ctx context.Context, collector string, from, to time.Time, after string, count int) ([]Taking, error)
	// Taken returns the known ones of numbers, whatever became of them.
	Taken(ctx context.Context, collector string, numbers []string) ([]Taking, error)
	// Accepted returns what was accepted for keys in all periods.
	Accepted(ctx context.Context, s Subject, keys []string) ([]Accepted, error)
	// Frozen returns the known ones of keys.
	Frozen(ctx context.Context, s Subject, keys []string) ([]Frozen, error)
	// Drifted returns lines of closed months for which another sum is booked now
	// than when the month was closed, or that were adjusted since, in order of
	// subject and key, starting after one.
	Drifted(ctx context.Context, after Frozen, count int) ([]Frozen, error)

	// Comparisons returns the newest of every subject and period within a month.
	Comparisons(ctx context.Context, month string) ([]Summary, error)
	// Kept returns the findings that were kept of a comparison.
	Kept(ctx context.Context, comparison int64) ([]Noted, error)
	// Months returns the closed months, oldest first.
	Months(ctx context.Context) ([]Month, error)
	// Caused is that of ledger.Reader.
	Caused(ctx context.Context, cause string) ([]ledger.Entry, error)
}

// A Tx is what a transaction can do.
type Tx interface {
	ledger.Tx
	audit.Recorder
	// Compared stores a comparison and returns its id.
	Compared(s Summary) (int64, error)
	// Keep stores findings of a comparison.
	Keep(comparison int64, fs []Noted) error
	// AcceptedIn returns what was accepted for keys in one period, locked.
	AcceptedIn(s Subject, period string, keys []string) (map[string]Accepted, error)
	// Accept stores what is accepted for keys in a period: with Rev 1 what is new,
	// with a higher one what follows the Rev before. It fails with fault.Conflict
	// if somebody else did at the same time.
	Accept(as []Accepted) error
	// Closed reports whether a month is closed, so that it stays as it is until
	// the transaction ends.
	Closed(month string) (bool, error)
	// Freeze inserts or replaces lines of a month that is about to be closed.
	Freeze(fs []Frozen) error
	// Adjust stores what a line was adjusted by, if it still is was. ok is false,
	// and nothing is stored, if it is not.
	Adjust(f Frozen, was money.Fen) (ok bool, err error)
	// Caused returns the entries with a cause, oldest first, as they stay until the
	// transaction ends.
	Caused(cause string) ([]ledger.Entry, error)
	// Close stores a closed month. It fails with fault.Conflict if the month is
	// closed, or if another one was closed after the one before it.
	Close(m Month) error
}

// Accepted is what was accepted for one key in one period.
type Accepted struct {
	Subject Subject
	Period  string
	Key     string
	Sum     money.Fen
	Fee     money.Fen // of that, kept by a collector
	Rev     int64     // counts the changes, from 1
	At      time.Time
}

// A Noted finding is one in words, as it is kept.
type Noted struct {
	Kind Kind
	Key  string
	Row  int    // line of the file; 0 for none
	Text string // what is wrong
	Raw  string // the row, if it could not be read
}

// A Frozen line is what a line of a closed month was when it was closed, and what
// it was adjusted by since.
type Frozen struct {
	Subject  Subject
	Key      string
	Month    string
	Booked   money.Fen // then
	Now      money.Fen // booked now; Drifted sets it
	Adjusted money.Fen
	Rev      int64 // counts the adjustments
}

// A Month is a closed month.
type Month struct {
	Name     string
	At       time.Time
	Actor    string
	Reason   string // why it was closed with differences; "" for none
	Open     int64  // differences at that time
	Report   string
	Hash     string // of the report, which contains Previous
	Previous string // hash of the month before; "" for the first
}
