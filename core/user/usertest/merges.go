// Package usertest has merges in memory, for tests of those who link accounts.
package usertest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// Merges is a user.MergeStore in memory. Emit hears what a transaction has said, once it
// has committed.
type Merges struct {
	Emit func(e event.Event)

	mu sync.Mutex
	merges
}

// merges is what a transaction can change.
type merges struct {
	all     []user.Merge
	codes   map[int64]code
	guesses map[int64]guesses
	heard   map[string]bool
	said    []event.Event
}

type code struct {
	text  string
	until time.Time
}

type guesses struct {
	n     int
	since time.Time
}

func (m merges) clone() merges {
	return merges{slices.Clone(m.all), maps.Clone(m.codes), maps.Clone(m.guesses), maps.Clone(m.heard), nil}
}

// InTx implements user.MergeStore.
func (s *Merges) InTx(_ context.Context, fn func(user.MergeTx) error) error {
	s.mu.Lock()
	t := &mergeTx{s.clone()}
	if t.codes == nil {
		t.codes, t.guesses, t.heard = map[int64]code{}, map[int64]guesses{}, map[string]bool{}
	}
	err := fn(t)
	if err == nil {
		s.merges = t.merges
	}
	s.mu.Unlock()
	if err == nil && s.Emit != nil {
		for _, e := range t.said {
			s.Emit(e)
		}
	}
	return err
}

// where returns merges that satisfy fn, oldest first.
func (s *Merges) where(fn func(user.Merge) bool) []user.Merge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.all), func(m user.Merge) bool { return !fn(m) })
}

// SurvivorOf implements user.MergeStore.
func (s *Merges) SurvivorOf(_ context.Context, id int64) (int64, error) {
	for _, m := range s.where(func(m user.Merge) bool { return m.Absorbed == id && m.Stage.Linked() }) {
		return m.Survivor, nil
	}
	return 0, nil
}

// AbsorbedBy implements user.MergeStore.
func (s *Merges) AbsorbedBy(_ context.Context, id int64) ([]user.Merge, error) {
	ms := s.where(func(m user.Merge) bool { return m.Survivor == id && m.Stage.Linked() })
	slices.SortFunc(ms, func(a, b user.Merge) int { return int(a.Absorbed - b.Absorbed) })
	return ms, nil
}

// Merge implements user.MergeStore.
func (s *Merges) Merge(_ context.Context, id int64) (user.Merge, error) {
	return newest(s.where(func(m user.Merge) bool { return m.ID == id }))
}

func newest(ms []user.Merge) (user.Merge, error) {
	if len(ms) == 0 {
		return user.Merge{}, fault.New(fault.NotFound, "")
	}
	return ms[len(ms)-1], nil
}

// Newest implements user.MergeStore.
func (s *Merges) Newest(_ context.Context, id int64) (user.Merge, error) {
	return newest(s.where(func(m user.Merge) bool {
		return (m.Absorbed == id || m.Survivor == id) && (m.Stage.Linked() || m.Stage.UnderWay())
	}))
}

// Merges implements user.MergeStore.
func (s *Merges) Merges(_ context.Context, before int64, count int) ([]user.Merge, error) {
	ms := s.where(func(m user.Merge) bool { return before == 0 || m.ID < before })
	slices.Reverse(ms)
	return ms[:min(count, len(ms))], nil
}

// StuckMerges implements user.MergeStore.
func (s *Merges) StuckMerges(_ context.Context, since time.Time, count int) ([]user.Merge, error) {
	ms := s.where(func(m user.Merge) bool { return m.Stage.UnderWay() && m.Changed.Before(since) })
	return ms[:min(count, len(ms))], nil
}

type mergeTx struct{ merges }

// Emit implements event.Emitter.
func (t *mergeTx) Emit(e event.Event) error { t.said = append(t.said, e); return nil }

// Handled implements event.Inbox.
func (t *mergeTx) Handled(id string) (bool, error) {
	before := t.heard[id]
	t.heard[id] = true
	return before, nil
}

// InsertMerge implements user.MergeTx.
func (t *mergeTx) InsertMerge(m user.Merge) (int64, error) {
	m.ID = int64(len(t.all) + 1)
	t.all = append(t.all, m)
	return m.ID, nil
}

// Merge implements user.MergeTx.
func (t *mergeTx) Merge(id int64) (user.Merge, error) {
	if id < 1 || id > int64(len(t.all)) {
		return user.Merge{}, fault.New(fault.NotFound, "")
	}
	return t.all[id-1], nil
}

// SwapMerge implements user.MergeTx.
func (t *mergeTx) SwapMerge(m user.Merge, rev int64) (bool, error) {
	if t.all[m.ID-1].Rev != rev {
		return false, nil
	}
	t.all[m.ID-1] = m
	return true, nil
}

// Pointed implements user.MergeTx.
func (t *mergeTx) Pointed(id int64) (int64, error) {
	for _, m := range t.all {
		if m.Absorbed == id && m.Stage.Linked() {
			return m.Survivor, nil
		}
	}
	return 0, nil
}

// Busy implements user.MergeTx.
func (t *mergeTx) Busy(ids ...int64) (bool, error) {
	return slices.ContainsFunc(t.all, func(m user.Merge) bool {
		return m.Stage.UnderWay() && (slices.Contains(ids, m.Absorbed) || slices.Contains(ids, m.Survivor))
	}), nil
}

// PutLinkCode implements user.MergeTx.
func (t *mergeTx) PutLinkCode(id int64, text string, until time.Time) error {
	t.codes[id] = code{text, until}
	return nil
}

// LinkCode implements user.MergeTx.
func (t *mergeTx) LinkCode(text string) (int64, time.Time, error) {
	for id, c := range t.codes {
		if c.text == text {
			return id, c.until, nil
		}
	}
	return 0, time.Time{}, fault.New(fault.NotFound, "")
}

// DropLinkCode implements user.MergeTx.
func (t *mergeTx) DropLinkCode(id int64) error { delete(t.codes, id); return nil }

// Guesses implements user.MergeTx.
func (t *mergeTx) Guesses(id int64) (int, time.Time, error) {
	g := t.guesses[id]
	return g.n, g.since, nil
}

// SetGuesses implements user.MergeTx.
func (t *mergeTx) SetGuesses(id int64, n int, since time.Time) error {
	t.guesses[id] = guesses{n, since}
	return nil
}
