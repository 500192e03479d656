package reconciletest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/reconcile"
)

// Books are ours in memory, as far as comparing needs them.
type Books struct {
	reconcile.Store // what comparing does not need
	World           *World
	Paid            []reconcile.Payout
	Took            []reconcile.Taking
	Noted           []reconcile.Noted
	Reads           int // pages that were asked for
}

// Feeds implements reconcile.Lines.
func (b *Books) Feeds(context.Context, time.Time, time.Time) ([]reconcile.Subject, error) {
	return []reconcile.Subject{reconcile.OfNetwork("jd", "main")}, nil
}

// Settled implements reconcile.Lines.
func (b *Books) Settled(_ context.Context, _, _ string, from, to time.Time, after string, count int) ([]reconcile.Line, error) {
	b.Reads++
	return page(b.World.Lines, after, count, func(l reconcile.Line) (string, bool) {
		return l.ID, l.State == order.Settled && !l.SettledAt.Before(from) && l.SettledAt.Before(to)
	}), nil
}

// Known implements reconcile.Lines.
func (b *Books) Known(_ context.Context, _, _ string, ids []string) ([]reconcile.Line, error) {
	b.Reads++
	return among(b.World.Lines, ids, func(l reconcile.Line) string { return l.ID }), nil
}

// Booked implements reconcile.Store.
func (b *Books) Booked(_ context.Context, keys []order.Key) (map[order.Key]money.Fen, error) {
	out := map[order.Key]money.Fen{}
	for _, k := range keys {
		out[k] = b.World.Booked[k.ID]
	}
	return out, nil
}

// Payouts implements reconcile.Store.
func (b *Books) Payouts(_ context.Context, _ string, from, to time.Time, after string, count int) ([]reconcile.Payout, error) {
	return page(b.Paid, after, count, func(p reconcile.Payout) (string, bool) {
		return p.Number, p.State == "paid" && !p.At.Before(from) && p.At.Before(to)
	}), nil
}

// Sent implements reconcile.Store.
func (b *Books) Sent(_ context.Context, _ string, numbers []string) ([]reconcile.Payout, error) {
	return among(b.Paid, numbers, func(p reconcile.Payout) string { return p.Number }), nil
}

// Takings implements reconcile.Store.
func (b *Books) Takings(_ context.Context, _ string, from, to time.Time, after string, count int) ([]reconcile.Taking, error) {
	return page(b.Took, after, count, func(t reconcile.Taking) (string, bool) {
		return t.Number, t.Amount != 0 && !t.At.Before(from) && t.At.Before(to)
	}), nil
}

// Taken implements reconcile.Store.
func (b *Books) Taken(_ context.Context, _ string, numbers []string) ([]reconcile.Taking, error) {
	return among(b.Took, numbers, func(t reconcile.Taking) string { return t.Number }), nil
}

// Accepted implements reconcile.Store.
func (b *Books) Accepted(context.Context, reconcile.Subject, []string) ([]reconcile.Accepted, error) {
	return nil, nil
}

// Frozen implements reconcile.Store.
func (b *Books) Frozen(context.Context, reconcile.Subject, []string) ([]reconcile.Frozen, error) {
	return nil, nil
}

// InTx implements reconcile.Store.
func (b *Books) InTx(_ context.Context, fn func(reconcile.Tx) error) error { return fn(booksTx{b: b}) }

type booksTx struct {
	reconcile.Tx
	b *Books
}

// Compared implements reconcile.Tx.
func (t booksTx) Compared(reconcile.Summary) (int64, error) { return 1, nil }

// Keep implements reconcile.Tx.
func (t booksTx) Keep(_ int64, fs []reconcile.Noted) error {
	t.b.Noted = append(t.b.Noted, fs...)
	return nil
}

// page returns what is wanted of all after a key, in order.
func page[T any](all []T, after string, count int, of func(T) (key string, wanted bool)) []T {
	var out []T
	for _, x := range all {
		if key, wanted := of(x); wanted && key > after {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(x, y T) int {
		a, _ := of(x)
		b, _ := of(y)
		return cmp.Compare(a, b)
	})
	return out[:min(len(out), count)]
}

// among returns those of all whose key is one of keys.
func among[T any](all []T, keys []string, of func(T) string) []T {
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	var out []T
	for _, x := range all {
		if wanted[of(x)] {
			out = append(out, x)
		}
	}
	return out
}
