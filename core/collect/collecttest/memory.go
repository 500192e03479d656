package collecttest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
)

// A Memory is a collect.Store in memory, with its ledger. It passes
// storetest.Collections. It is safe for concurrent use; its transactions run one
// after the other.
type Memory struct {
	// Before is called before every transaction, outside of it; an error from it is
	// the transaction's. Tests let things happen there.
	Before func() error

	mu   sync.Mutex
	book *ledgertest.Memory
	all  []collect.Due
	said []event.Event
	acts []audit.Act
}

var _ collect.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{book: ledgertest.New()} }

// Reader reads the ledger while no transaction is running.
func (m *Memory) Reader() ledger.Reader { return ledgertest.Reader{Memory: m.book} }

// Heard returns what was emitted and committed, oldest first.
func (m *Memory) Heard() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.said)
}

// Acts returns what staff did, oldest first.
func (m *Memory) Acts() []audit.Act {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.acts)
}

// InTx runs fn on copies, which count if it returns nil.
func (m *Memory) InTx(ctx context.Context, fn func(collect.Tx) error) error {
	if m.Before != nil {
		if err := m.Before(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, "collecttest.InTx", err)
	}
	book := ledgertest.New()
	if err := book.Post(m.book.Book, maps.Clone(m.book.Sums)); err != nil {
		return err
	}
	t := &tx{Memory: book, all: slices.Clone(m.all), said: slices.Clone(m.said), acts: slices.Clone(m.acts)}
	err := fn(t)
	if err == nil && ctx.Err() != nil {
		err = fault.Wrap(fault.Unavailable, "collecttest.InTx", ctx.Err())
	}
	if err != nil {
		return err
	}
	*m.book, m.all, m.said, m.acts = *book, t.all, t.said, t.acts
	return nil
}

// find returns at most count dues, oldest first.
func (m *Memory) find(ctx context.Context, is func(collect.Due) bool) (out []collect.Due, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.all {
		if is(d) {
			out = append(out, d)
		}
	}
	return out, ctx.Err()
}

func (m *Memory) first(ctx context.Context, is func(collect.Due) bool) (collect.Due, error) {
	ds, err := m.find(ctx, is)
	if err == nil && len(ds) == 0 {
		err = fault.New(fault.NotFound, "")
	}
	if err != nil {
		return collect.Due{}, err
	}
	return ds[0], nil
}

// Due returns one or fault.NotFound.
func (m *Memory) Due(ctx context.Context, id int64) (collect.Due, error) {
	return m.first(ctx, func(d collect.Due) bool { return d.ID == id })
}

// ByNumber returns the due with a number.
func (m *Memory) ByNumber(ctx context.Context, number string) (collect.Due, error) {
	return m.first(ctx, func(d collect.Due) bool { return number != "" && d.Number == number })
}

// Waiting returns dues whose NextAt has come.
func (m *Memory) Waiting(ctx context.Context, now time.Time, count int) ([]collect.Due, error) {
	ds, err := m.find(ctx, func(d collect.Due) bool { return !d.NextAt.IsZero() && !d.NextAt.After(now) })
	slices.SortStableFunc(ds, func(a, b collect.Due) int { return a.NextAt.Compare(b.NextAt) })
	return ds[:min(count, len(ds))], err
}

// Newest returns the newest dues in one of the stages.
func (m *Memory) Newest(ctx context.Context, count int, stages ...collect.Stage) ([]collect.Due, error) {
	ds, err := m.find(ctx, func(d collect.Due) bool { return len(stages) == 0 || slices.Contains(stages, d.Stage) })
	slices.Reverse(ds)
	return ds[:min(count, len(ds))], err
}

type tx struct {
	*ledgertest.Memory
	all  []collect.Due
	said []event.Event
	acts []audit.Act
}

// Emit says e once.
func (t *tx) Emit(e event.Event) error {
	if slices.ContainsFunc(t.said, func(o event.Event) bool { return o.ID == e.ID }) {
		return fault.Newf(fault.Conflict, "", "event %s is there", e.ID)
	}
	t.said = append(t.said, e)
	return nil
}

// Act records a.
func (t *tx) Act(a audit.Act) error {
	if err := a.Check(); err != nil {
		return err
	}
	a.ID = int64(len(t.acts) + 1)
	t.acts = append(t.acts, a)
	return nil
}

// ByKey returns the due with a key.
func (t *tx) ByKey(key string) (collect.Due, error) {
	i := slices.IndexFunc(t.all, func(d collect.Due) bool { return d.Key == key })
	if i < 0 {
		return collect.Due{}, fault.New(fault.NotFound, "")
	}
	return t.all[i], nil
}

// OpenOf returns a user's newest open due.
func (t *tx) OpenOf(user int64, p collect.Purpose) (collect.Due, error) {
	for _, d := range slices.Backward(t.all) {
		if d.User == user && d.Purpose == p && d.Stage.Open() {
			return d, nil
		}
	}
	return collect.Due{}, fault.New(fault.NotFound, "")
}

// Insert stores d under the next id.
func (t *tx) Insert(d collect.Due) (int64, error) {
	if _, err := t.ByKey(d.Key); err == nil {
		return 0, fault.Newf(fault.Conflict, "", "key %s is there", d.Key)
	}
	d.ID = int64(len(t.all) + 1)
	t.all = append(t.all, d)
	return d.ID, nil
}

// Swap stores d if its stage still is was and its revision the one before. What was
// asked for never changes, and a number is one due's.
func (t *tx) Swap(d collect.Due, was collect.Stage) (bool, error) {
	i := slices.IndexFunc(t.all, func(o collect.Due) bool { return o.ID == d.ID })
	if i < 0 || t.all[i].Stage != was || t.all[i].Rev != d.Rev-1 {
		return false, nil
	}
	if slices.ContainsFunc(t.all, func(o collect.Due) bool { return o.ID != d.ID && o.Number == d.Number && d.Number != "" }) {
		return false, fault.Newf(fault.Conflict, "", "number %s is another one's", d.Number)
	}
	old := t.all[i]
	d.Key, d.Purpose, d.User, d.What, d.Amount, d.Subject, d.Collector = old.Key, old.Purpose, old.User, old.What, old.Amount, old.Subject, old.Collector
	d.At, d.Expires = old.At, old.Expires
	t.all[i] = d
	return true, nil
}
