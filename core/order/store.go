package order

import (
	"context"
	"time"

	"fanli/core/event"
)

// A Store keeps orders. Implementations pass storetest.Orders.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock,
	// so it must touch nothing but its Tx.
	InTx(ctx context.Context, fn func(Tx) error) error
	Reader
}

// A Reader answers questions about orders. It shows every line and claim as of who its
// account is now (see [Merged]); which account that was stands in the evidence.
type Reader interface {
	// OfUser returns a user's lines, newest first, starting after the line
	// with id before (0: from the newest).
	OfUser(ctx context.Context, user int64, before int64, count int) ([]Line, error)
	// ByNumber returns all lines of an order number at any network, and of what was
	// split from it.
	ByNumber(ctx context.Context, number string) ([]Line, error)
	// History returns the raw rows of a line, oldest first.
	History(ctx context.Context, key Key) ([]Past, error)
	// Progress returns where a feed stands; a zero one with At zero if unknown.
	Progress(ctx context.Context, at Place) (Progress, error)
	// Places returns where all feeds stand.
	Places(ctx context.Context) ([]Progress, error)
	// Claims returns a user's claims, newest first, starting after the one with id
	// before; from the newest if before is 0.
	Claims(ctx context.Context, user, before int64, count int) ([]Claim, error)
	// DueClaims returns claims that are not decided and whose Next is not after
	// now, earliest first.
	DueClaims(ctx context.Context, now time.Time, count int) ([]Claim, error)
	// StaffedClaims returns claims that wait for a person, earliest Until first.
	StaffedClaims(ctx context.Context, count int) ([]Claim, error)
	// Members returns the accounts that are bound to a user, or to an account that is
	// merged into theirs, oldest first; all of them as the user's.
	Members(ctx context.Context, user int64) ([]Member, error)
	// Contests returns those since a time, newest first.
	Contests(ctx context.Context, since time.Time, count int) ([]Contest, error)
	// Counts says how many lines, unattributed lines and quarantined rows there are.
	Counts(ctx context.Context) (Counts, error)
}

// Counts are figures for operators.
type Counts struct {
	Lines, Unattributed, Quarantined int64
}

// A Past is one raw row as it was received.
type Past struct {
	Key    Key
	Aspect Aspect
	At     time.Time // when we received it
	Raw    []byte
}

// A Tx is what a transaction on orders can do. It works on batches.
type Tx interface {
	event.Emitter
	event.Inbox

	// Lines returns the known ones of keys, locked.
	Lines(keys []Key) (map[Key]Line, error)
	// ByOrder returns all lines of an order number and of what was split from it,
	// locked.
	ByOrder(network, number string) ([]Line, error)
	// Unowned returns lines of a network that are nobody's yet and carry the
	// tag, or the item, locked, at most count.
	Unowned(network, tag, item string, count int) ([]Line, error)
	// Wanted returns lines that are nobody's yet, and to whose item an account has a link,
	// or one that is merged into it: the newest, locked, at most count.
	Wanted(account int64, count int) ([]Line, error)
	// Alike returns lines of a network that are nobody's yet and whose order number
	// ends in suffix, locked, at most count.
	Alike(network, suffix string, count int) ([]Line, error)
	// Due returns received lines whose settlement date is not after now, locked,
	// at most count.
	Due(now time.Time, count int) ([]Line, error)
	// Put inserts lines with ID 0 and updates the others; it sets the ids.
	Put(lines []*Line) error
	// Keep stores raw rows.
	Keep(rows []Past) error
	// Quarantine stores rows that could not be read. The same row is stored once.
	Quarantine(rows []Bad, at time.Time) error

	// AddWay stores a link for the ladder; a known one changes nothing.
	AddWay(w Way) error
	// Ways returns what could explain lines of one network with these tags, items
	// and order numbers (their own and their Roots), looking back to since.
	Ways(network string, tags, items, orders, suffixes []string, since time.Time) (Ways, error)
	// AddSuffix stores that user confirmed a buyer's suffix.
	AddSuffix(network, suffix string, user int64) error

	// PutMember stores a bound account, or returns the one that has its tag.
	PutMember(m Member) (Member, error)
	// DropMember forgets a bound account, and who contested it; was is false if there was
	// none.
	DropMember(network, tag string) (was bool, err error)
	// PutContest stores a contest; a second one of the same user for the same account
	// changes nothing.
	PutContest(c Contest) error
	// SpendTicket stores that a ticket was used, at least until it ends; fresh is false
	// if it was before. What has ended by now may be forgotten.
	SpendTicket(ticket string, until, now time.Time) (fresh bool, err error)

	// PutClaim stores a claim, or returns the one that the same user has for
	// the same order.
	PutClaim(c Claim) (Claim, error)
	// Claim returns one, locked, or fault.NotFound.
	Claim(id int64) (Claim, error)
	// ClaimsOf returns all claims of an order, oldest first, locked.
	ClaimsOf(network, number string) ([]Claim, error)
	// SwapClaim stores c if its stored revision still is rev. ok is false, and
	// nothing is stored, if it is not.
	SwapClaim(c Claim, rev int64) (ok bool, err error)
	// CountClaims returns how many claims a user has made since a time, and when
	// the last of them was.
	CountClaims(user int64, since time.Time) (n int, last time.Time, err error)

	// Merged returns what is known of a merge, or fault.NotFound.
	Merged(id int64) (Merged, error)
	// PutMerged inserts or updates it.
	PutMerged(m Merged) error
	// Root returns the account into which one is merged in the end; itself for most.
	Root(account int64) (int64, error)

	// SetProgress stores where a feed stands. It fails with fault.Conflict if a
	// holder with a higher fence wrote before.
	SetProgress(p Progress) error
}

// A Place names one stream that is followed: a scene of a feed, on one rung of
// the re-scan ladder.
type Place struct {
	Network, Account, Scene string
	Rung                    string // "follow", or how far back the re-scan looks
}

// Progress is where following a stream stands. Everything before Done was read
// completely.
type Progress struct {
	Place
	Done    time.Time // the watermark
	To      time.Time // end of the window that is being read; zero: none
	Cursor  string    // next page of that window
	At      time.Time // last success
	Failing time.Time // since when it fails; zero: it does not
	Fails   int
	Error   string // code and reason of the last failure
	Fence   int64  // token of the lease under which it was written
}
