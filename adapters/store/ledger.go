package store

import (
	"maps"
	"slices"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// The book of the payment target. An account is a number with a name and a
// balance; an entry refers to two of them by number.

type accountRow struct {
	ID      int64
	Name    string
	Balance int64
}

func (accountRow) TableName() string { return "payment_accounts" }

// A balanceRow is what a post writes of an account. Its sign repeats a rule of
// package ledger so that the database itself can hold it.
type balanceRow struct {
	Name    string
	Sign    int
	Balance int64
}

func (balanceRow) TableName() string { return "payment_accounts" }

// A postRow is what a post writes of an entry.
type postRow struct {
	EntryKey string
	Kind     string
	FromID   int64
	ToID     int64
	Amount   int64
	Cause    string
	Note     string
	At       int64
	BatchID  int64
}

func (postRow) TableName() string { return "payment_entries" }

// A ledgerTx is the part of a transaction of the payment target that credits and
// withdrawals share.
type ledgerTx struct{ *tx }

// Balances implements ledger.Tx.
func (t ledgerTx) Balances(accounts []ledger.Account) (map[ledger.Account]money.Fen, error) {
	rows, err := t.accounts(accounts)
	out := make(map[ledger.Account]money.Fen, len(rows))
	for _, r := range rows {
		out[ledger.Account(r.Name)] = money.Fen(r.Balance)
	}
	return out, err
}

// accounts returns the known ones of names, locked in the order of their names,
// so that two transactions cannot wait for each other. It remembers their ids.
func (t ledgerTx) accounts(names []ledger.Account) ([]accountRow, error) {
	sorted := slices.Sorted(slices.Values(names))
	rows, err := findIn[accountRow](func() *gorm.DB { return locked(t.g) }, "name", sorted)
	if t.ids == nil {
		t.ids = map[string]int64{}
	}
	for _, r := range rows {
		t.ids[r.Name] = r.ID
	}
	return rows, err
}

// Entries implements ledger.Tx.
func (t ledgerTx) Entries(keys []string) (map[string]ledger.Entry, error) {
	rows, err := findIn[postedRow](func() *gorm.DB { return t.g }, "entry_key", keys)
	if err != nil {
		return nil, err
	}
	entries, err := named(t.g, rows)
	out := make(map[string]ledger.Entry, len(entries))
	for _, e := range entries {
		out[e.Key] = e
	}
	return out, err
}

// Post implements ledger.Tx. The entries are a batch, whose digest stands beside
// them. Batches are not chained here: transactions would wait for each other.
func (t ledgerTx) Post(entries []ledger.Entry, balances map[ledger.Account]money.Fen) error {
	if err := t.setBalances(balances); err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].At = at(ms(entries[i].At)) // what is kept of it
	}
	batch := []batchRow{{Entries: int64(len(entries)), Digest: ledger.DigestOf(entries), At: ms(entries[0].At)}}
	if err := insert(t.g, batch); err != nil {
		return err
	}
	rows := make([]postRow, len(entries))
	for i, e := range entries {
		from, to := t.ids[string(e.From)], t.ids[string(e.To)]
		if from == 0 || to == 0 {
			return fault.Newf(fault.Internal, "", "store.Post: %s has no balance for %s or %s", e.Key, e.From, e.To)
		}
		rows[i] = postRow{e.Key, string(e.Kind), from, to, int64(e.Amount), e.Cause, e.Note, ms(e.At), batch[0].ID}
	}
	return insert(t.g, rows)
}

// setBalances sets balances, opening accounts that are new, and knows all their
// ids afterwards.
func (t ledgerTx) setBalances(balances map[ledger.Account]money.Fen) error {
	names := slices.Sorted(maps.Keys(balances))
	rows := make([]balanceRow, len(names))
	var fresh []ledger.Account
	for i, a := range names {
		rows[i] = balanceRow{string(a), a.Class().Sign(), int64(balances[a])}
		if t.ids[string(a)] == 0 {
			fresh = append(fresh, a)
		}
	}
	if err := insert(t.g, rows, upsert([]string{"name"}, "balance")); err != nil {
		return err
	}
	_, err := t.accounts(fresh)
	return err
}
