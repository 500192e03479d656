// Package ledgertest holds a ledger in memory, for tests of what stands on the
// ledger. It keeps no promises about crashes: those are the database's.
package ledgertest

import (
	"context"
	"maps"
	"slices"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A Memory is a ledger in memory. It is not safe for concurrent use.
type Memory struct {
	Book  []ledger.Entry
	Sums  map[ledger.Account]money.Fen
	byKey map[string]ledger.Entry
}

var (
	_ ledger.Tx     = (*Memory)(nil)
	_ ledger.Reader = Reader{}
)

// New returns an empty ledger.
func New() *Memory {
	return &Memory{Sums: map[ledger.Account]money.Fen{}, byKey: map[string]ledger.Entry{}}
}

// Balances returns the balances of accounts.
func (m *Memory) Balances(accounts []ledger.Account) (map[ledger.Account]money.Fen, error) {
	out := map[ledger.Account]money.Fen{}
	for _, a := range accounts {
		out[a] = m.Sums[a]
	}
	return out, nil
}

// Entries returns the known ones of keys.
func (m *Memory) Entries(keys []string) (map[string]ledger.Entry, error) {
	out := map[string]ledger.Entry{}
	for _, k := range keys {
		if e, ok := m.byKey[k]; ok {
			out[k] = e
		}
	}
	return out, nil
}

// Post inserts entries and sets balances; a known key is refused, as a database
// would.
func (m *Memory) Post(entries []ledger.Entry, balances map[ledger.Account]money.Fen) error {
	for _, e := range entries {
		if _, ok := m.byKey[e.Key]; ok {
			return fault.Newf(fault.Conflict, "", "key %s stands twice", e.Key)
		}
		e.ID = int64(len(m.Book) + 1)
		m.byKey[e.Key] = e
		m.Book = append(m.Book, e)
	}
	maps.Copy(m.Sums, balances)
	return nil
}

// A Reader reads a Memory.
type Reader struct{ *Memory }

// Balance returns one balance.
func (r Reader) Balance(_ context.Context, a ledger.Account) (money.Fen, error) {
	return r.Sums[a], nil
}

// Wallet returns a user's pockets.
func (r Reader) Wallet(_ context.Context, user int64) (map[ledger.Pocket]money.Fen, error) {
	out := map[ledger.Pocket]money.Fen{}
	for a, b := range r.Sums {
		if u, p, ok := a.Owner(); ok && u == user {
			out[p] = b
		}
	}
	return out, nil
}

// Paid returns what was paid out to a user.
func (r Reader) Paid(_ context.Context, user int64) (sum money.Fen, err error) {
	for _, e := range r.Book {
		if e.Kind == ledger.Payout && e.From == ledger.User(user, ledger.Reserved) {
			sum += e.Amount
		}
	}
	return sum, nil
}

// Statement returns the entries of a user, newest first.
func (r Reader) Statement(_ context.Context, user, before int64, count int) ([]ledger.Entry, error) {
	var out []ledger.Entry
	for _, e := range slices.Backward(r.Book) {
		from, _, isFrom := e.From.Owner()
		to, _, isTo := e.To.Owner()
		if (isFrom && from == user || isTo && to == user) && (before == 0 || e.ID < before) && len(out) < count {
			out = append(out, e)
		}
	}
	return out, nil
}

// Caused returns the entries with a cause.
func (r Reader) Caused(_ context.Context, cause string) ([]ledger.Entry, error) {
	var out []ledger.Entry
	for _, e := range r.Book {
		if e.Cause == cause {
			out = append(out, e)
		}
	}
	return out, nil
}

// Walk calls fn for every entry.
func (r Reader) Walk(_ context.Context, fn func(ledger.Entry) error) error {
	for _, e := range r.Book {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

// Accounts returns all balances.
func (r Reader) Accounts(context.Context) (map[ledger.Account]money.Fen, error) {
	return maps.Clone(r.Sums), nil
}
