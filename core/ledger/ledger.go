// Package ledger keeps the book of what we owe users, and why.
//
// The book is double-entry: an [Entry] moves an amount from one account to
// another, and nothing else changes a balance. Entries are never changed or
// deleted. A mistake is corrected by a second entry that moves the money back.
//
// Where money is says what state it is in:
//
//	network/jd ─▶ user/42/pending ─▶ user/42/available ─▶ user/42/reserved ─▶ payer/manual
//	      │       order paid         order settled        withdrawal asked    provider confirmed
//	      └─────▶ house/margin       what we keep of the commission
//	user/42/debt  below zero by what was taken back after it had been paid out
//
// # Guarantees
//
//   - Every entry takes from one account what it gives to another, so the
//     balances of all accounts sum to zero before and after every call.
//   - Posting the same key again changes nothing and succeeds. Posting it with
//     other content fails with fault.Conflict.
//   - Every entry is a [Way] of the [Chart]: its kind says between which accounts
//     it may move.
//   - An account under user/ never goes below zero, except user/…/debt, which
//     never goes above: the post fails with fault.Insufficient and writes
//     nothing.
//
// # Not here
//
// How much a user earns is decided in package rebate and entered by package
// credit; paying it out is package withdraw.
package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// An Account names where money is: "network/jd", "user/42/pending".
type Account string

// A Pocket is one of a user's accounts.
type Pocket string

// The pockets.
const (
	Pending   Pocket = "pending"
	Available Pocket = "available"
	Reserved  Pocket = "reserved"
	Debt      Pocket = "debt"
)

// The accounts of the house. Those of networks, payers and collectors are clearing accounts:
// once everything has been paid and compared, they are at zero.
const (
	Margin      Account = "house/margin"      // what the house keeps of commissions
	Bank        Account = "house/bank"        // below zero by the money that is there, at banks and payers
	Marketing   Account = "house/marketing"   // pays bonuses; below zero by what they have cost beyond what was put in
	WrittenOff  Account = "house/writtenoff"  // below zero by debts that were given up
	Adjustments Account = "house/adjustments" // what a closed month turned out to be wrong by
	Membership  Account = "house/membership"  // what users have paid for a level
	Fees        Account = "house/fees"        // below zero by what collectors have kept of what people paid
	Suspense    Account = "house/suspense"    // what people paid and we cannot keep: it goes back, or a person decides
)

// User returns a user's account.
func User(id int64, p Pocket) Account {
	return Account("user/" + strconv.FormatInt(id, 10) + "/" + string(p))
}

// Network returns what a network owes us, below zero by what we have booked of
// it.
func Network(name string) Account { return Account("network/" + name) }

// Payer returns what went out through a payer.
func Payer(name string) Account { return Account("payer/" + name) }

// Collector returns what people have paid to a collector, below zero by what is not
// at the bank yet.
func Collector(name string) Account { return Account("collector/" + name) }

// Clearing reports whether an account is a network's, a payer's or a collector's.
func (a Account) Clearing() bool {
	for _, of := range []Account{Network(""), Payer(""), Collector("")} {
		if strings.HasPrefix(string(a), string(of)) {
			return true
		}
	}
	return false
}

// Owner returns the user and pocket of an account; ok is false for others.
func (a Account) Owner() (user int64, p Pocket, ok bool) {
	rest, ok := strings.CutPrefix(string(a), "user/")
	if !ok {
		return 0, "", false
	}
	id, pocket, ok := strings.Cut(rest, "/")
	if !ok {
		return 0, "", false
	}
	user, err := strconv.ParseInt(id, 10, 64)
	return user, Pocket(pocket), err == nil
}

// allows reports whether the account may have this balance.
func (a Account) allows(balance money.Fen) bool { return a.Class().Allows(balance) }

// Allows reports whether an account of the class may have this balance.
func (c Class) Allows(balance money.Fen) bool {
	switch c.Sign() {
	case 1:
		return balance >= 0
	case -1:
		return balance <= 0
	default:
		return true
	}
}

// A Kind says in one word why an entry was made; a shopper's statement shows it.
type Kind string

// The kinds.
const (
	Earn     Kind = "earn"     // an order brings a rebate
	Adjust   Kind = "adjust"   // the network changed the commission, or goods went back in part
	Settle   Kind = "settle"   // pending becomes available
	Revoke   Kind = "revoke"   // the order brings nothing any more
	Claw     Kind = "claw"     // taken back after it had been paid out: a debt
	Repay    Kind = "repay"    // a debt is paid from what came in
	Keep     Kind = "keep"     // the house's part
	Reserve  Kind = "reserve"  // a withdrawal was asked for
	Release  Kind = "release"  // a withdrawal did not happen
	Payout   Kind = "payout"   // a withdrawal was paid
	Bonus    Kind = "bonus"    // a gift of the house: a check-in; or what a budget adds to a line
	Invite   Kind = "invite"   // a gift of the house: somebody who was invited has come
	Campaign Kind = "campaign" // a gift of the house: an order in a campaign
	Refer    Kind = "refer"    // a part of a friend's order
	Forgive  Kind = "forgive"  // a debt was written off
	Receive  Kind = "receive"  // a network's money has arrived
	Clear    Kind = "clear"    // a payer's bill agrees with what we paid, a collector's with what we were paid
	Collect  Kind = "collect"  // somebody has paid a charge
	Refund   Kind = "refund"   // what somebody had paid was given back
	Fee      Kind = "fee"      // what a collector keeps of what people paid, by its bill
	Correct  Kind = "correct"  // a difference that reconciliation found
	Merge    Kind = "merge"    // two accounts became one person's, and the way back
	Manual   Kind = "manual"   // an act of staff, with its reason
)

// An Entry moves an amount.
type Entry struct {
	ID     int64  // in order of posting; set by the store
	Key    string // unique, a sentence: "rebate/jd/main/4159/rev2/earn"
	Kind   Kind
	From   Account
	To     Account
	Amount money.Fen // above zero
	Cause  string    // what it is about: "jd/main/4159", "withdrawal/7"
	Note   string    // a title for people; may be empty
	At     time.Time
}

// same reports whether two entries make the same move.
func (e Entry) same(o Entry) bool {
	return e.Kind == o.Kind && e.From == o.From && e.To == o.To && e.Amount == o.Amount && e.Cause == o.Cause
}

// wellFormed reports whether an entry moves something somewhere for a cause.
func (e Entry) wellFormed() bool { return e.Amount > 0 && e.From != e.To && e.Cause != "" }

// A Tx is what a transaction on the book can do. It works on batches.
type Tx interface {
	// Balances returns the balances of accounts; those that have none are zero.
	// Nobody else changes them until the transaction ends.
	Balances(accounts []Account) (map[Account]money.Fen, error)
	// Entries returns the known ones of keys.
	Entries(keys []string) (map[string]Entry, error)
	// Post inserts entries and sets balances.
	Post(entries []Entry, balances map[Account]money.Fen) error
}

// A Reader answers questions about the book.
type Reader interface {
	// Balance returns one balance.
	Balance(ctx context.Context, a Account) (money.Fen, error)
	// Wallet returns the balances of all of a user's pockets in one read.
	Wallet(ctx context.Context, user int64) (map[Pocket]money.Fen, error)
	// Paid returns the sum of what was paid out to a user.
	Paid(ctx context.Context, user int64) (money.Fen, error)
	// Statement returns the entries that touch a user's accounts, newest first,
	// starting after the entry with id before (0: from the newest).
	Statement(ctx context.Context, user int64, before int64, count int) ([]Entry, error)
	// Caused returns the entries with a cause, oldest first.
	Caused(ctx context.Context, cause string) ([]Entry, error)
	// Walk calls fn for every entry, oldest first, in constant memory.
	Walk(ctx context.Context, fn func(Entry) error) error
	// Accounts returns all balances.
	Accounts(ctx context.Context) (map[Account]money.Fen, error)
}

// A Journal collects entries and posts them together. It sees its own entries:
// Balance is what the account will have once they are posted.
type Journal struct {
	tx       Tx
	now      time.Time
	balances map[Account]money.Fen
	entries  []Entry
}

// Open starts a journal whose entries bear the time now. It reads the balances
// of the accounts that will be used; others are read when they are first asked
// for.
func Open(tx Tx, now time.Time, accounts ...Account) (*Journal, error) {
	b, err := tx.Balances(accounts)
	if err != nil {
		return nil, err
	}
	j := &Journal{tx: tx, now: now, balances: make(map[Account]money.Fen, len(accounts))}
	for _, a := range accounts {
		j.balances[a] = b[a]
	}
	return j, nil
}

// Balance returns what the account will have.
func (j *Journal) Balance(a Account) (money.Fen, error) {
	if b, ok := j.balances[a]; ok {
		return b, nil
	}
	m, err := j.tx.Balances([]Account{a})
	if err != nil {
		return 0, err
	}
	j.balances[a] = m[a]
	return m[a], nil
}

// Move adds an entry. It fails with fault.Invalid if the chart of accounts does
// not have such a move, and with fault.Insufficient if an account would have a
// balance that it may not have. Moving nothing adds nothing.
func (j *Journal) Move(e Entry) error {
	if e.Amount == 0 {
		return nil
	}
	if e.Key == "" || !e.wellFormed() {
		return fault.Newf(fault.Invalid, "ledger.bad_entry", "%s: %d from %s to %s", e.Key, e.Amount, e.From, e.To)
	}
	if !e.Charted() {
		return fault.Newf(fault.Invalid, "ledger.not_charted", "%s: the chart has no %s from %s to %s", e.Key, e.Kind, e.From, e.To)
	}
	from, err := j.Balance(e.From)
	if err != nil {
		return err
	}
	to, err := j.Balance(e.To)
	if err != nil {
		return err
	}
	if from, err = money.Add(from, -e.Amount); err != nil {
		return err
	}
	if to, err = money.Add(to, e.Amount); err != nil {
		return err
	}
	if !e.From.allows(from) || !e.To.allows(to) {
		return fault.Newf(fault.Insufficient, "ledger.insufficient", "%s: %s would leave %s", e.Key, e.From, from)
	}
	e.At = j.now
	j.balances[e.From], j.balances[e.To] = from, to
	j.entries = append(j.entries, e)
	return nil
}

// Post writes the journal. Entries that are in the book already are left out; if
// one of them makes another move, Post fails with fault.Conflict and nothing is
// written. A journal is all new or all old: a mixture is a fault.Conflict too,
// because its balances were checked as a whole.
func (j *Journal) Post() error {
	if len(j.entries) == 0 {
		return nil
	}
	keys := make([]string, len(j.entries))
	for i, e := range j.entries {
		keys[i] = e.Key
	}
	known, err := j.tx.Entries(keys)
	if err != nil {
		return err
	}
	for _, e := range j.entries {
		if old, ok := known[e.Key]; ok && !old.same(e) {
			return fault.Newf(fault.Conflict, "ledger.key_reused", "%s was %s from %s to %s", e.Key, old.Amount, old.From, old.To)
		}
	}
	switch len(known) {
	case 0:
	case len(j.entries):
		return nil
	default:
		return fault.Newf(fault.Conflict, "ledger.half_posted", "%d of %d entries are in the book", len(known), len(keys))
	}
	touched := map[Account]money.Fen{}
	for _, e := range j.entries {
		touched[e.From], touched[e.To] = j.balances[e.From], j.balances[e.To]
	}
	return j.tx.Post(j.entries, touched)
}

// Entries returns what the journal holds, for events.
func (j *Journal) Entries() []Entry { return j.entries }

// An AuditReport is the outcome of an audit.
type AuditReport struct {
	Entries  int64
	Accounts int
	Sum      money.Fen // of all balances; zero in a sound book
	Faults   []string  // each says what is wrong with which account or entry
}

// OK reports whether the book is sound.
func (r AuditReport) OK() bool { return r.Sum == 0 && len(r.Faults) == 0 }

// auditFaultsMax bounds how many differences an audit spells out.
const auditFaultsMax = 20

// Audit adds up every entry from the first one on and holds the sums against the
// balances. It needs memory for the accounts, not for the entries.
func Audit(ctx context.Context, r Reader) (AuditReport, error) {
	rep := AuditReport{}
	sums := map[Account]money.Fen{}
	note := func(format string, args ...any) {
		if len(rep.Faults) < auditFaultsMax {
			rep.Faults = append(rep.Faults, fmt.Sprintf(format, args...))
		}
	}
	balances, err := r.Accounts(ctx)
	if err != nil {
		return rep, err
	}
	err = r.Walk(ctx, func(e Entry) error {
		rep.Entries++
		if !e.wellFormed() {
			note("entry %d %s is malformed: %s from %s to %s", e.ID, e.Key, e.Amount, e.From, e.To)
		}
		if !e.Charted() {
			note("entry %d %s is not in the chart: %s from %s to %s", e.ID, e.Key, e.Kind, e.From, e.To)
		}
		sums[e.From] -= e.Amount
		sums[e.To] += e.Amount
		for _, a := range []Account{e.From, e.To} {
			if !a.allows(sums[a]) {
				note("entry %d %s leaves %s at %s", e.ID, e.Key, a, sums[a])
			}
		}
		return nil
	})
	if err != nil {
		return rep, err
	}
	for a, b := range balances {
		rep.Sum += b
		if sums[a] != b {
			note("%s has a balance of %s, but its entries add up to %s", a, b, sums[a])
		}
		delete(sums, a)
	}
	for a, s := range sums {
		if s != 0 {
			note("%s has no balance, but its entries add up to %s", a, s)
		}
	}
	rep.Accounts = len(balances)
	return rep, nil
}
