package bottest

import (
	"context"
	"slices"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/order"
	"fanli/core/user/usertest"
)

// pointers are the merges in force, from the newer account to the older one. In
// conversations all targets learn of them at once.
type pointers map[int64]int64

func (p pointers) root(id int64) int64 {
	for p[id] != 0 {
		id = p[id]
	}
	return id
}

// set says whether a points to b.
func (p pointers) set(a, b int64, linked bool) {
	delete(p, a)
	if linked {
		p[a] = b
	}
}

// linking lets accounts be linked, and returns who hears of it.
func (f *Fake) linking(at func() inbox) {
	f.users.Merges = &usertest.Merges{Emit: func(e event.Event) {
		f.store.mu.Lock()
		defer f.store.mu.Unlock()
		f.store.outbox = append(f.store.outbox, e)
	}}
	f.users.Rand = &Random{}
	f.merger = &credit.Merger{Store: movedStore{at()}, Now: f.Clock.Now}
	f.Bot.Linking = f.users
}

// Roots implements credit.Tx.
func (t creditTx) Roots(ids []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for _, id := range ids {
		if r := t.money.root(id); r != id {
			out[id] = r
		}
	}
	return out, nil
}

// movedStore is a credit.MergeStore.
type movedStore struct{ inbox }

type movedTx struct{ withdrawTx }

func (s movedStore) InTx(_ context.Context, fn func(credit.MergeTx) error) error {
	return s.run(func(t *tx) error { return fn(movedTx{withdrawTx{t}}) })
}

func (t movedTx) Moved(id int64) (credit.Moved, error) {
	if m, ok := t.moved[id]; ok {
		return m, nil
	}
	return credit.Moved{}, fault.New(fault.NotFound, "")
}

func (t movedTx) PutMoved(m credit.Moved) error {
	t.moved[m.ID] = m
	t.money.set(m.Absorbed, m.Survivor, m.Stage == credit.MoneyMoved)
	return nil
}

func (t movedTx) Members(id int64) ([]int64, error) { return t.kin(id), nil }

// Kin implements credit.Tx.
func (t creditTx) Kin(id int64) ([]int64, error) { return t.kin(t.money.root(id)), nil }

// Kin implements withdraw.Tx.
func (t withdrawTx) Kin(id int64) ([]int64, error) { return t.kin(t.money.root(id)), nil }

// kin are a user's accounts.
func (t *tx) kin(id int64) (out []int64) {
	for u := range t.users {
		if u == id || t.money.root(u) == id {
			out = append(out, u)
		}
	}
	return out
}

func (t movedTx) LineSums(ids []int64) (s credit.LineSums, err error) {
	for _, b := range t.booked {
		for _, part := range append(b.Cuts[:], credit.BookedCut{User: b.User, Pending: b.Pending, Available: b.Available}) {
			if slices.Contains(ids, part.User) {
				s.Pending, s.Available = s.Pending+part.Pending, s.Available+part.Available
			}
		}
	}
	return s, nil
}

// Merged implements order.Tx.
func (t orderTx) Merged(id int64) (order.Merged, error) {
	if m, ok := t.merged[id]; ok {
		return m, nil
	}
	return order.Merged{}, fault.New(fault.NotFound, "")
}

// PutMerged implements order.Tx.
func (t orderTx) PutMerged(m order.Merged) error {
	t.merged[m.ID] = m
	t.owners.set(m.Absorbed, m.Survivor, m.Linked)
	return nil
}

// Root implements order.Tx.
func (t orderTx) Root(id int64) (int64, error) { return t.owners.root(id), nil }

// owned shows lines as of who their accounts are now.
func (s *store) owned(ls []order.Line) []order.Line {
	for i := range ls {
		ls[i].User = s.owners.root(ls[i].User)
	}
	return ls
}
