// Package withdrawtest holds a withdraw.Store in memory, for tests of what stands
// on it. It passes the suite of package storetest; it keeps no promises about
// crashes: those are the database's.
package withdrawtest

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/withdraw"
)

// A Memory is a store of withdrawals with their ledger. It is safe for concurrent
// use. Its transactions run one after the other.
type Memory struct {
	// Before is called before every transaction, outside of it; an error from it
	// is the transaction's. Tests let things happen there.
	Before func() error
	// Last is the id of the last withdrawal.
	Last int64

	mu   sync.Mutex
	book *ledgertest.Memory
	all  []withdraw.Withdrawal
	said []event.Event
}

var _ withdraw.Store = (*Memory)(nil)

// New returns an empty store.
func New() *Memory { return &Memory{book: ledgertest.New()} }

// Reader reads the ledger while no transaction is running.
func (m *Memory) Reader() ledger.Reader { return ledgertest.Reader{Memory: m.book} }

// Heard returns what was emitted and committed, oldest first.
func (m *Memory) Heard() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.said)
}

// InTx runs fn and undoes what it did unless it returns nil.
func (m *Memory) InTx(ctx context.Context, fn func(withdraw.Tx) error) error {
	if m.Before != nil {
		if err := m.Before(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	undo := m.mark()
	committed := false
	defer func() {
		if !committed {
			undo()
		}
	}()
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, "withdrawtest.InTx", err)
	}
	if err := fn(&tx{m.book, m}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, "withdrawtest.InTx", err)
	}
	committed = true
	return nil
}

// mark remembers how everything is; the returned function makes it so again.
func (m *Memory) mark() (undo func()) {
	last, all, said := m.Last, slices.Clone(m.all), len(m.said)
	entries, sums := len(m.book.Book), maps.Clone(m.book.Sums)
	return func() {
		m.Last, m.all, m.said = last, all, m.said[:said]
		if len(m.book.Book) == entries {
			return
		}
		book := ledgertest.New()
		if err := book.Post(m.book.Book[:entries], sums); err != nil { // they were in a book before
			panic(err)
		}
		*m.book = *book
	}
}

// Withdrawal returns one or fault.NotFound.
func (m *Memory) Withdrawal(ctx context.Context, id int64) (withdraw.Withdrawal, error) {
	return m.first(ctx, func(w withdraw.Withdrawal) bool { return w.ID == id })
}

func (m *Memory) first(ctx context.Context, is func(w withdraw.Withdrawal) bool) (withdraw.Withdrawal, error) {
	ws, err := m.find(ctx, 1, is)
	if err == nil && len(ws) == 0 {
		err = fault.New(fault.NotFound, "")
	}
	if err != nil {
		return withdraw.Withdrawal{}, err
	}
	return ws[0], nil
}

// find returns at most count withdrawals, oldest first.
func (m *Memory) find(ctx context.Context, count int, is func(w withdraw.Withdrawal) bool) (out []withdraw.Withdrawal, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.all {
		if len(out) < count && is(w) {
			out = append(out, w)
		}
	}
	return out, ctx.Err()
}

// OfUser returns a user's withdrawals, newest first.
func (m *Memory) OfUser(ctx context.Context, user int64, count int) ([]withdraw.Withdrawal, error) {
	ws, err := m.find(ctx, math.MaxInt, func(w withdraw.Withdrawal) bool { return w.User == user })
	slices.Reverse(ws)
	return ws[:min(count, len(ws))], err
}

// InState returns due withdrawals in one of the states, oldest first.
func (m *Memory) InState(ctx context.Context, now time.Time, count int, states ...withdraw.State) ([]withdraw.Withdrawal, error) {
	return m.find(ctx, count, func(w withdraw.Withdrawal) bool {
		return slices.Contains(states, w.State) && !w.NextAt.After(now)
	})
}

// A tx works on the memory itself, which InTx has locked.
type tx struct {
	*ledgertest.Memory
	m *Memory
}

// Emit says e once.
func (t *tx) Emit(e event.Event) error {
	if slices.ContainsFunc(t.m.said, func(o event.Event) bool { return o.ID == e.ID }) {
		return fault.Newf(fault.Conflict, "", "event %s is there", e.ID)
	}
	t.m.said = append(t.m.said, e)
	return nil
}

// ByKey returns the withdrawal with a key.
func (t *tx) ByKey(key string) (withdraw.Withdrawal, error) {
	i := slices.IndexFunc(t.m.all, func(w withdraw.Withdrawal) bool { return w.Key == key })
	if i < 0 {
		return withdraw.Withdrawal{}, fault.New(fault.NotFound, "")
	}
	return t.m.all[i], nil
}

// Open counts what is not final.
func (t *tx) Open(user int64) (n int, err error) {
	for _, w := range t.m.all {
		if w.User == user && !w.State.Final() {
			n++
		}
	}
	return n, nil
}

// Insert stores w under the next id.
func (t *tx) Insert(w withdraw.Withdrawal) (int64, error) {
	if _, err := t.ByKey(w.Key); err == nil {
		return 0, fault.Newf(fault.Conflict, "", "key %s is there", w.Key)
	}
	t.m.Last++
	w.ID = t.m.Last
	t.m.all = append(t.m.all, w)
	return w.ID, nil
}

// Swap stores w if its state still is was. What was asked for never changes, and
// a number is one withdrawal's.
func (t *tx) Swap(w withdraw.Withdrawal, was withdraw.State) (ok bool, err error) {
	i := slices.IndexFunc(t.m.all, func(o withdraw.Withdrawal) bool { return o.ID == w.ID })
	if i < 0 || t.m.all[i].State != was {
		return false, nil
	}
	if w.Number != "" && slices.ContainsFunc(t.m.all, func(o withdraw.Withdrawal) bool { return o.ID != w.ID && o.Number == w.Number }) {
		return false, fault.Newf(fault.Conflict, "", "number %s is another one's", w.Number)
	}
	old := t.m.all[i]
	w.Key, w.User, w.Amount, w.Payee, w.At = old.Key, old.User, old.Amount, old.Payee, old.At
	t.m.all[i] = w
	return true, nil
}
