package rebate_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// drawer is a rebate.Store in memory. Every transaction is run twice, as after a
// deadlock.
type drawer struct {
	rules   []rebate.Rules
	acts    []rebate.Edition
	rebates map[order.Key]rebate.Rebate
	handled map[string]bool
	said    []event.Event
	puts    int
	down    error
	gate    func() error // may let a step fail; nil: none does
}

// pass asks the gate.
func (d *drawer) pass() error {
	if d.gate == nil {
		return nil
	}
	return d.gate()
}

type drawerTx struct{ *drawer }

func newDrawer() *drawer {
	return &drawer{rebates: map[order.Key]rebate.Rebate{}, handled: map[string]bool{}}
}

func (d *drawer) InTx(_ context.Context, fn func(rebate.Tx) error) error {
	was := *d
	was.rebates, was.handled = maps.Clone(d.rebates), maps.Clone(d.handled)
	undo := func() {
		*d = was
		d.rebates, d.handled = maps.Clone(was.rebates), maps.Clone(was.handled)
	}
	if err := fn(drawerTx{d}); err != nil {
		undo()
		return err
	}
	undo()
	err := fn(drawerTx{d})
	if err != nil {
		undo()
	}
	return err
}

func (d *drawer) Rebates(_ context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	return drawerTx{d}.Rebates(keys)
}

func (d *drawer) Rules(_ context.Context, version int64) (rebate.Rules, int64, error) {
	return drawerTx{d}.Rules(version)
}

func (t drawerTx) Emit(e event.Event) error {
	if err := t.pass(); err != nil {
		return err
	}
	if slices.ContainsFunc(t.said, func(o event.Event) bool { return o.ID == e.ID }) {
		return fault.Newf(fault.Conflict, "", "event %s is there", e.ID)
	}
	t.said = append(slices.Clip(t.said), e)
	return nil
}

func (t drawerTx) Handled(id string) (bool, error) {
	before := t.handled[id]
	t.handled[id] = true
	return before, t.pass()
}

func (t drawerTx) Rebates(keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	out := map[order.Key]rebate.Rebate{}
	for _, k := range keys {
		if r, ok := t.rebates[k]; ok {
			out[k] = r
		}
	}
	return out, t.pass()
}

func (t drawerTx) Due(now time.Time, count int) (due []rebate.Rebate, err error) {
	for _, r := range t.rebates {
		if r.Stage == rebate.Pending && !r.Due.IsZero() && !r.Due.After(now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b rebate.Rebate) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	return due[:min(count, len(due))], t.pass()
}

func (t drawerTx) Put(rs []rebate.Rebate) error {
	t.puts++
	for _, r := range rs {
		t.rebates[r.Key] = r
	}
	return t.pass()
}

func (t drawerTx) Rules(version int64) (rebate.Rules, int64, error) {
	if version == 0 {
		version = int64(len(t.rules))
	}
	if t.down != nil || version == 0 || version > int64(len(t.rules)) {
		return rebate.Rules{}, 0, cmp.Or(t.down, error(fault.New(fault.NotFound, "")))
	}
	return t.rules[version-1], version, t.pass()
}

func (t drawerTx) AddRules(r rebate.Rules, a rebate.Edition) (int64, error) {
	if a.Before != int64(len(t.rules)) {
		return 0, fault.New(fault.Conflict, "")
	}
	t.rules = append(slices.Clip(t.rules), r)
	a.Version = int64(len(t.rules))
	t.acts = append(slices.Clip(t.acts), a)
	return a.Version, t.pass()
}

func (t drawerTx) Edition() (rebate.Edition, error) {
	if t.down != nil || len(t.acts) == 0 {
		return rebate.Edition{}, cmp.Or(t.down, error(fault.New(fault.NotFound, "")))
	}
	return t.acts[len(t.acts)-1], t.pass()
}

func (d *drawer) Editions(_ context.Context, before int64, count int) (out []rebate.Edition, err error) {
	for _, a := range slices.Backward(d.acts) {
		if (before == 0 || a.Version < before) && len(out) < count {
			out = append(out, a)
		}
	}
	return out, nil
}

func (d *drawer) Walk(_ context.Context, since time.Time, fn func(rebate.Rebate) error) error {
	for _, r := range d.rebates {
		if r.Changed.Before(since) {
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return d.pass()
}

// An office is a clerk with a clock that only the test moves.
type office struct {
	*rebate.Clerk
	t      *testing.T
	drawer *drawer
	at     time.Time
	levels map[int64]int
	asked  int // how often for a level
	n      int
}

// open opens an office with rules in force: 70 %, level 1 five more, JD ten less,
// a week of hold.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, drawer: newDrawer(), at: start, levels: map[int64]int{}}
	o.Clerk = &rebate.Clerk{
		Store: o.drawer, Now: func() time.Time { return o.at },
		Level: func(_ context.Context, user int64) (int, error) { o.asked++; return o.levels[user], nil },
	}
	if _, err := o.Enact(t.Context(), someRules()); err != nil {
		t.Fatal(err)
	}
	return o
}

func someRules() rebate.Rules {
	return rebate.Rules{
		Base: 7000, Fee: 1000, Levels: map[int]money.Bps{1: 500}, Networks: map[string]money.Bps{"jd": -1000},
		HoldDays: map[string]int{"": 7, "pdd": 15},
	}
}

func key(id string) order.Key { return order.Key{Network: "jd", Account: "main", ID: id} }

// line is a paid line of user 42, with a commission of ¥10.00.
func line(id string, rev int64, change ...func(l *order.ChangedLine)) order.ChangedLine {
	l := order.ChangedLine{
		Line: 1, Key: key(id), Rev: rev, Order: "n" + id, Title: "水壶", State: order.Paid, Price: 8900, Commission: 1000, User: 42, CreatedAt: start,
	}
	for _, c := range change {
		c(&l)
	}
	return l
}

func in(s order.State) func(l *order.ChangedLine) {
	return func(l *order.ChangedLine) { l.State = s }
}

// settled is settled so long after start.
func settled(after time.Duration) func(l *order.ChangedLine) {
	return func(l *order.ChangedLine) { l.State, l.SettledAt = order.Settled, start.Add(after) }
}

func brings(n money.Fen) func(l *order.ChangedLine) {
	return func(l *order.ChangedLine) { l.Commission = n }
}

func disputed(l *order.ChangedLine) { l.Disputed = true }
func nobodys(l *order.ChangedLine)  { l.User = 0 }

// hear lets the clerk hear of lines, and returns what it says.
func (o *office) hear(lines ...order.ChangedLine) (said []rebate.ChangedRebate) {
	o.t.Helper()
	o.n++
	e, err := event.New(fmt.Sprint("order/", o.n), event.OrderChanged, o.at, order.Changed{Lines: lines})
	if err != nil {
		o.t.Fatal(err)
	}
	n := len(o.drawer.said)
	for range 2 { // news comes twice
		if err := o.OrderChanged(o.t.Context(), e); err != nil {
			o.t.Fatal(err)
		}
	}
	return o.since(n)
}

// since returns what was said after the first n events.
func (o *office) since(n int) (said []rebate.ChangedRebate) {
	o.t.Helper()
	for _, e := range o.drawer.said[n:] {
		var c rebate.Changed
		if err := e.Decode(&c); err != nil {
			o.t.Fatal(err)
		}
		said = append(said, c.Rebates...)
	}
	return said
}

// get returns a rebate.
func (o *office) get(id string) rebate.Rebate {
	o.t.Helper()
	got, err := o.Of(o.t.Context(), []order.Key{key(id)})
	if err != nil {
		o.t.Fatal(err)
	}
	return got[key(id)]
}

// want judges a rebate in short: "pending 540 of 42, margin 460, seq 1".
func (o *office) want(id, want string) {
	o.t.Helper()
	r := o.get(id)
	if got := fmt.Sprintf("%s %d of %d, margin %d, seq %d", r.Stage, r.Amount, r.User, r.Margin, r.Seq); got != want {
		o.t.Errorf("line %s brings %s, want %s", id, got, want)
	}
}

// release lets time do its work and wants so many rebates to change.
func (o *office) release(want int) {
	o.t.Helper()
	n, err := o.ReleaseDue(o.t.Context())
	if err != nil || n != want {
		o.t.Errorf("at %s %d rebates become available, %v, want %d", o.at, n, err, want)
	}
}
