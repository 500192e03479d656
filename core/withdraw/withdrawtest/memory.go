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

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
	"fanli/core/user"
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

	switches  map[control.Scope]control.Switch
	incidents []withdraw.Incident
	acts      []audit.Act
	autopays  map[int64]withdraw.Autopay
}

var _ withdraw.Store = (*Memory)(nil)

// New returns an empty store.
func New() *Memory {
	return &Memory{book: ledgertest.New(), switches: map[control.Scope]control.Switch{}, autopays: map[int64]withdraw.Autopay{}}
}

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
	t := &tx{Memory: m.book, m: m}
	committed := false
	defer func() {
		if !committed {
			t.rollback()
		}
	}()
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, "withdrawtest.InTx", err)
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, "withdrawtest.InTx", err)
	}
	committed = true
	return nil
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
func (m *Memory) OfUser(ctx context.Context, user, before int64, count int) ([]withdraw.Withdrawal, error) {
	ws, err := m.find(ctx, math.MaxInt, func(w withdraw.Withdrawal) bool { return w.User == user && (before == 0 || w.ID < before) })
	slices.Reverse(ws)
	return ws[:min(count, len(ws))], err
}

// InState returns due withdrawals in one of the states, oldest first.
func (m *Memory) InState(ctx context.Context, now time.Time, count int, states ...withdraw.State) ([]withdraw.Withdrawal, error) {
	return m.find(ctx, count, func(w withdraw.Withdrawal) bool {
		return slices.Contains(states, w.State) && !w.NextAt.After(now)
	})
}

// ByNumber returns the withdrawal with a number at the payer.
func (m *Memory) ByNumber(ctx context.Context, number string) (withdraw.Withdrawal, error) {
	return m.first(ctx, func(w withdraw.Withdrawal) bool { return number != "" && w.Number == number })
}

// OfBatch returns the withdrawals of a batch, oldest first.
func (m *Memory) OfBatch(ctx context.Context, batch string) ([]withdraw.Withdrawal, error) {
	return m.find(ctx, math.MaxInt, func(w withdraw.Withdrawal) bool { return batch != "" && w.Batch == batch })
}

// Incidents returns the newest ones.
func (m *Memory) Incidents(ctx context.Context, count int) ([]withdraw.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.incidents)
	slices.Reverse(out)
	return out[:min(count, len(out))], ctx.Err()
}

// Switches returns all switches, by scope.
func (m *Memory) Switches(ctx context.Context) ([]control.Switch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []control.Switch
	for _, k := range slices.Sorted(maps.Keys(m.switches)) {
		out = append(out, m.switches[k])
	}
	return out, ctx.Err()
}

// Acts returns what staff did, oldest first.
func (m *Memory) Acts() []audit.Act {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.acts)
}

// Control returns the store of the switches.
func (m *Memory) Control() control.Store { return board{m} }

type board struct{ *Memory }

func (b board) InTx(ctx context.Context, fn func(control.Tx) error) error {
	return b.Memory.InTx(ctx, func(tx withdraw.Tx) error { return fn(tx) })
}

// A tx works on the memory itself, which InTx has locked, and remembers how to undo
// what it did.
type tx struct {
	*ledgertest.Memory
	m    *Memory
	undo []func()
}

// rollback undoes everything, latest first.
func (t *tx) rollback() {
	for _, do := range slices.Backward(t.undo) {
		do()
	}
}

// Post posts as a ledger does.
func (t *tx) Post(entries []ledger.Entry, balances map[ledger.Account]money.Fen) error {
	book, sums := len(t.m.book.Book), maps.Clone(t.m.book.Sums)
	t.undo = append(t.undo, func() {
		old := ledgertest.New()
		if err := old.Post(t.m.book.Book[:book], sums); err != nil { // they were in a book before
			panic(err)
		}
		*t.m.book = *old
	})
	return t.Memory.Post(entries, balances)
}

// Emit says e once.
func (t *tx) Emit(e event.Event) error {
	if slices.ContainsFunc(t.m.said, func(o event.Event) bool { return o.ID == e.ID }) {
		return fault.Newf(fault.Conflict, "", "event %s is there", e.ID)
	}
	said := len(t.m.said)
	t.undo = append(t.undo, func() { t.m.said = t.m.said[:said] })
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
	last, all := t.m.Last, len(t.m.all)
	t.undo = append(t.undo, func() { t.m.Last, t.m.all = last, t.m.all[:all] })
	t.m.Last++
	w.ID = t.m.Last
	t.m.all = append(t.m.all, w)
	return w.ID, nil
}

// Swap stores w if its state still is was and its revision the one before. What was asked for never changes, and
// a number is one withdrawal's.
func (t *tx) Swap(w withdraw.Withdrawal, was withdraw.State) (ok bool, err error) {
	i := slices.IndexFunc(t.m.all, func(o withdraw.Withdrawal) bool { return o.ID == w.ID })
	if i < 0 || t.m.all[i].State != was || t.m.all[i].Rev != w.Rev-1 {
		return false, nil
	}
	if w.Number != "" && slices.ContainsFunc(t.m.all, func(o withdraw.Withdrawal) bool { return o.ID != w.ID && o.Number == w.Number }) {
		return false, fault.Newf(fault.Conflict, "", "number %s is another one's", w.Number)
	}
	old := t.m.all[i]
	w.Key, w.User, w.Amount, w.Payee, w.At = old.Key, old.User, old.Amount, old.Payee, old.At
	t.undo = append(t.undo, func() { t.m.all[i] = old })
	t.m.all[i] = w
	return true, nil
}

// Switches returns those of the scopes that are on.
func (t *tx) Switches(scopes ...control.Scope) (out []control.Switch, err error) {
	for _, k := range slices.Sorted(slices.Values(scopes)) {
		if s := t.m.switches[k]; s.On {
			out = append(out, s)
		}
	}
	return out, nil
}

// SetSwitch stores s.
func (t *tx) SetSwitch(s control.Switch) error {
	switches := maps.Clone(t.m.switches)
	t.undo = append(t.undo, func() { t.m.switches = switches })
	t.m.switches[s.Scope] = s
	return nil
}

// Kin says that nobody is merged into anybody: what is, is proved over a real store.
func (t *tx) Kin(account int64) ([]int64, error) { return []int64{account}, nil }

// Spent counts what q asks for.
func (t *tx) Spent(q withdraw.Query) (count int, sum money.Fen, err error) {
	for _, w := range t.m.all {
		dead := w.State == withdraw.Failed || w.State == withdraw.Refused || w.State == withdraw.Cancelled
		if dead || q.User != 0 && w.User != q.User || !q.Payee.IsZero() && !w.Payee.Same(q.Payee) ||
			!q.Asked.IsZero() && w.At.Before(q.Asked) || !q.Sent.IsZero() && (w.Sent.IsZero() || w.Sent.Before(q.Sent)) {
			continue
		}
		count, sum = count+1, sum+w.Amount
	}
	return count, sum, nil
}

// Sharing counts the other users who asked for money to an account.
func (t *tx) Sharing(p user.Payee, id int64) (int, error) {
	others := map[int64]bool{}
	for _, w := range t.m.all {
		if w.User != id && w.Payee.Same(p) {
			others[w.User] = true
		}
	}
	return len(others), nil
}

// AddIncident keeps an incident once.
func (t *tx) AddIncident(i withdraw.Incident) (fresh bool, err error) {
	if slices.ContainsFunc(t.m.incidents, func(o withdraw.Incident) bool {
		return o.Withdrawal == i.Withdrawal && o.State == i.State && o.Verdict == i.Verdict
	}) {
		return false, nil
	}
	incidents := len(t.m.incidents)
	t.undo = append(t.undo, func() { t.m.incidents = t.m.incidents[:incidents] })
	t.m.incidents = append(t.m.incidents, i)
	return true, nil
}

// Act records a.
func (t *tx) Act(a audit.Act) error {
	if err := a.Check(); err != nil {
		return err
	}
	acts := len(t.m.acts)
	t.undo = append(t.undo, func() { t.m.acts = t.m.acts[:acts] })
	a.ID = int64(acts + 1)
	t.m.acts = append(t.m.acts, a)
	return nil
}

// Autopay returns a user's.
func (m *Memory) Autopay(ctx context.Context, user int64) (withdraw.Autopay, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.autopays[user]; ok {
		return a, ctx.Err()
	}
	return withdraw.Autopay{}, fault.New(fault.NotFound, "")
}

// DueAutopays returns those whose user has enough, by user.
func (m *Memory) DueAutopays(ctx context.Context, day string, after int64, count int) (out []withdraw.Autopay, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(m.autopays)) {
		a := m.autopays[id]
		if id > after && len(out) < count && a.On && a.Day != day && m.book.Sums[ledger.User(id, ledger.Available)] >= a.Threshold {
			out = append(out, a)
		}
	}
	return out, ctx.Err()
}

// SwapAutopay stores a if its revision follows the stored one.
func (t *tx) SwapAutopay(a withdraw.Autopay) (ok bool, err error) {
	old := t.m.autopays[a.User]
	if old.Rev != a.Rev-1 {
		return false, nil
	}
	autopays := maps.Clone(t.m.autopays)
	t.undo = append(t.undo, func() { t.m.autopays = autopays })
	t.m.autopays[a.User] = a
	return true, nil
}
