// Package proof shows that the books are right, or says what is wrong first.
//
// # What is proved
//
//   - Every balance is the sum of its account's entries, and all balances are
//     zero together. No account was on the wrong side of zero after any entry.
//   - Every entry is in the chart of accounts, has a cause, and a key that fits
//     its kind and cause. Ids rise.
//   - The entries of an order line add up, account by account, to what is booked
//     for the line. A withdrawal has exactly the entries that its state demands, and
//     a charge those that its stage does.
//     A user's reserved money is the sum of their open withdrawals. A merge has moved
//     between two accounts what it says, there and back; of the lines of accounts that
//     were ever merged the money is somewhere among them.
//   - Every batch of entries still has the digest that was kept when it was
//     posted, and every seal the hash of the batches of its day and of the seal
//     before. The acts of staff are the chain that they were.
//
// # How
//
// Entries are read once, in the order of their ids, in memory that grows with the
// accounts and not with the entries. Whether the entries of millions of causes
// agree with what is booked is found without a sum for each: see sketch. Only
// when it differs are the entries read again, for the story.
//
// # Not proved
//
// That what was booked is what the networks said, and that what was paid has
// arrived: that is reconciliation. An edit of everything at once, digests and
// seals included, shows only to whoever remembers a seal's hash: see
// Prover.Head.
package proof

import (
	"context"
	"time"

	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// An Account is an account as it is stored.
type Account struct {
	ID      int64
	Name    ledger.Account
	Sign    int
	Balance money.Fen
}

// An Entry is an entry as it is stored: it refers to accounts by number.
type Entry struct {
	ID, Batch, From, To int64
	Amount              money.Fen
	At                  time.Time
	Key, Kind           string
	Cause, Note         string
}

// A Batch is what one transaction posted. Batch 0 is what was posted before
// there were batches; it has no digest.
type Batch struct {
	ID      int64
	Entries int64 // how many
	Digest  string
	At      time.Time
}

// A Page is a part of the entries, with the batches that begin in it.
type Page struct {
	Entries []Entry // in the order of their ids
	Batches []Batch // in the order of their ids; all up to the newest of Entries
}

// A Line is what is booked for an order line.
type Line struct {
	Key       order.Key
	User      int64
	Pending   money.Fen
	Available money.Fen
	Margin    money.Fen
	Cuts      [2]Cut    // of those who brought the user
	TopUp     money.Fen // what a budget added
	Intact    bool      // whether the row has the mark that it was written with
}

// A Cut is what is booked of a line for somebody who brought its user.
type Cut struct {
	User      int64
	Pending   money.Fen
	Available money.Fen
}

// A Withdrawal is what the books need to know of one.
type Withdrawal struct {
	ID     int64
	User   int64
	Amount money.Fen
	State  withdraw.State
	Payer  string
	Intact bool
}

// A Charge is what the books need to know of one.
type Charge struct {
	ID        int64
	Stage     collect.Stage
	Collector string
	Account   ledger.Account // where it went
	Paid      money.Fen
	Intact    bool
}

// A Merge is what the books need to know of one: what it moved between the accounts of
// two users, and back.
type Merge struct {
	ID          int64
	Absorbed    int64
	Survivor    int64
	There       bool // it has moved something, perhaps nothing
	Back        bool // and back
	Pending     money.Fen
	Available   money.Fen
	Debt        money.Fen
	Repaid      money.Fen
	BackPending money.Fen
	BackNet     money.Fen
	Intact      bool
}

// A Source is where the books are read, all of it as of one moment. What the
// functions are given is theirs only until they return.
type Source interface {
	audit.Reader
	// WalkAccounts calls fn for every account.
	WalkAccounts(ctx context.Context, fn func(*Account) error) error
	// Pages calls fn with all entries and batches. The last page may have batches
	// alone.
	Pages(ctx context.Context, fn func(Page) error) error
	// WalkLines calls fn for everything booked.
	WalkLines(ctx context.Context, fn func(*Line) error) error
	// WalkWithdrawals calls fn for every withdrawal.
	WalkWithdrawals(ctx context.Context, fn func(*Withdrawal) error) error
	// WalkCharges calls fn for every charge.
	WalkCharges(ctx context.Context, fn func(*Charge) error) error
	// WalkMerges calls fn for every merge, also those that were undone.
	WalkMerges(ctx context.Context, fn func(*Merge) error) error
	// Seals returns the seals, oldest first.
	Seals(ctx context.Context) ([]Seal, error)
	// Caused returns the entries with a cause, oldest first.
	Caused(ctx context.Context, cause string) ([]ledger.Entry, error)
}

// A Report is the outcome of a proof.
type Report struct {
	Entries     int64
	Accounts    int
	Sum         money.Fen // of all balances; zero in sound books
	Lines       int64
	Withdrawals int64
	Charges     int64
	Merges      int64
	Batches     int64
	Unbatched   int64 // entries older than batches, which no digest protects
	Seals       int
	Acts        int64
	Head        string // hash of the newest seal, to be remembered elsewhere
	HeadDay     string
	Faults      []string       // the first difference with its story, then how many of each kind
	Counts      map[string]int // differences by kind
}

// OK reports whether the books are sound.
func (r Report) OK() bool { return r.Sum == 0 && len(r.Counts) == 0 }
