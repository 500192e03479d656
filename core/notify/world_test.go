package notify_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/notify"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// tray is a notify.Store in memory. Every transaction is run twice, as after a
// deadlock.
type tray struct {
	mu      sync.Mutex
	all     []notify.Message
	next    map[int64]time.Time
	why     map[int64]string
	handled map[string]bool
	down    error
	cuts    map[int64]notify.Cuts
	told    map[int64]time.Time
}

type trayTx struct{ *tray }

func newTray() *tray {
	return &tray{next: map[int64]time.Time{}, why: map[int64]string{}, handled: map[string]bool{}, cuts: map[int64]notify.Cuts{}, told: map[int64]time.Time{}}
}

func (s *tray) InTx(_ context.Context, fn func(notify.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, handled, cuts, told := slices.Clone(s.all), maps.Clone(s.handled), maps.Clone(s.cuts), maps.Clone(s.told)
	undo := func() {
		s.all, s.handled, s.cuts, s.told = slices.Clone(all), maps.Clone(handled), maps.Clone(cuts), maps.Clone(told)
	}
	if err := fn(trayTx{s}); err != nil {
		undo()
		return err
	}
	undo()
	err := fn(trayTx{s})
	if err != nil {
		undo()
	}
	return err
}

func (t trayTx) Handled(id string) (bool, error) {
	before := t.handled[id]
	t.handled[id] = true
	return before, t.down
}

func (t trayTx) Write(ms []notify.Message) error {
	for _, m := range ms {
		if slices.ContainsFunc(t.all, func(o notify.Message) bool { return o.Key == m.Key }) {
			continue
		}
		m.ID = int64(len(t.all) + 1)
		t.all = append(t.all, m)
	}
	return nil
}

func (t trayTx) Keys(prefixes []string) (out []string, err error) {
	for _, m := range t.all {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(m.Key, p) }) {
			out = append(out, m.Key)
		}
	}
	return out, t.down
}

func (t trayTx) AddCuts(cs []notify.Cuts) error {
	for _, c := range cs {
		x := t.cuts[c.User]
		if x.Since.IsZero() {
			x.Since = c.Since
		}
		x.User, x.Given, x.Taken, x.Debt, x.Lines = c.User, x.Given+c.Given, x.Taken+c.Taken, x.Debt+c.Debt, x.Lines+c.Lines
		t.cuts[c.User] = x
	}
	return nil
}

func (t trayTx) TakeCuts(now, since, told time.Time, count int) (out []notify.Cuts, err error) {
	for _, id := range slices.Sorted(maps.Keys(t.cuts)) {
		if c := t.cuts[id]; !c.Since.After(since) && !t.told[id].After(told) && len(out) < count {
			out = append(out, c)
			t.told[id] = now
			delete(t.cuts, id)
		}
	}
	return out, t.down
}

func (s *tray) Waiting(_ context.Context, now time.Time, count int) (out []notify.Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, held, urgent := map[int64]bool{}, map[int64]bool{}, map[int64]bool{}
	for _, m := range s.all {
		first := !before[m.User]
		overtakes := held[m.User] && m.Topic() == "" && !urgent[m.User]
		if m.State != notify.Waiting || !first && !overtakes {
			continue
		}
		before[m.User] = true
		held[m.User] = held[m.User] || m.Held
		urgent[m.User] = urgent[m.User] || m.Topic() == ""
		if !s.next[m.ID].After(now) && len(out) < count {
			out = append(out, m)
		}
	}
	return out, s.down
}

func (s *tray) Mark(ctx context.Context, id int64, o notify.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil || s.down != nil {
		return fault.New(fault.Unavailable, "db.busy")
	}
	m := &s.all[id-1]
	m.State, m.Tries, m.Held, s.next[id], s.why[id] = o.State, o.Tries, o.Held, o.Next, o.Reason
	return nil
}

func (s *tray) Told(_ context.Context, prefix string) (out []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.all {
		if m.State == notify.Sent && strings.HasPrefix(m.Key, prefix) {
			out = append(out, m.Key)
		}
	}
	return out, s.down
}

func (s *tray) Untold(context.Context, int64, int64, int) ([]notify.Untold, error) { return nil, nil }

// An office with a clock that only the test moves, and a sender that fails for
// whom the test says.
type office struct {
	*notify.Office
	t     *testing.T
	tray  *tray
	at    time.Time
	sent  []string // keys, in the order of delivery
	fails map[int64]error
	first func() // called once, before the first delivery
}

func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, tray: newTray(), at: start, fails: map[int64]error{}}
	o.Office = &notify.Office{Store: o.tray, Sender: o, Now: func() time.Time { return o.at }}
	return o
}

// Send is the sender.
func (o *office) Send(ctx context.Context, m notify.Message) error {
	if o.first != nil {
		o.first()
		o.first = nil
	}
	if err := o.fails[m.User]; err != nil {
		return err
	}
	o.sent = append(o.sent, m.Key)
	return ctx.Err()
}

// write puts messages with these keys to a user into the tray.
func (o *office) write(user int64, keys ...string) {
	o.t.Helper()
	for _, k := range keys {
		m := notify.Message{Key: k, User: user, Kind: notify.OrderSeen, Data: []byte("{}"), At: o.at, State: notify.Waiting}
		must(o.t, o.tray.InTx(o.t.Context(), func(tx notify.Tx) error { return tx.Write([]notify.Message{m}) }))
	}
}

// hear lets the office hear of something, twice.
func (o *office) hear(id string, name event.Name, content any, handle event.Handler) {
	o.t.Helper()
	e, err := event.New(id, name, o.at, content)
	must(o.t, err)
	for range 2 {
		must(o.t, handle(o.t.Context(), e))
	}
}

// deliver delivers one batch and wants so many to arrive.
func (o *office) deliver(want int) {
	o.t.Helper()
	if n, err := o.Deliver(o.t.Context()); n != want || err != nil {
		o.t.Errorf("at %s %d messages arrive, %v, want %d", o.at, n, err, want)
	}
}

// deliverAll delivers until nothing arrives any more.
func (o *office) deliverAll() {
	o.t.Helper()
	for {
		n, err := o.Deliver(o.t.Context())
		must(o.t, err)
		if n == 0 {
			return
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
