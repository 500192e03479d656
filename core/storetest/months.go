package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/reconcile"
)

func closedOnce(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	ctx := t.Context()
	c.line("1", "2026-10-05", 1200)
	_, err := c.desk.Close(ctx, c.period("2026-10"), "ann", "")
	wantCode(t, "with open differences", err, fault.Conflict)
	_, err = c.desk.Close(ctx, c.period("2026-12"), "ann", "x")
	wantCode(t, "before it is over", err, fault.Invalid)
	_, err = c.desk.Close(ctx, c.period("2026-10-05"), "ann", "x")
	wantCode(t, "a day", err, fault.Invalid)
	_, _ = c.accept(jd(), "2026-10", map[string]money.Fen{"1": 1200})
	closed, errs := together(10, func(int) (reconcile.Month, error) { return c.desk.Close(ctx, c.period("2026-10"), "ann", "") })
	wins := 0
	for i, err := range errs {
		if err == nil {
			wins++
			want(t, "open", closed[i].Open, int64(0))
		} else {
			wantCode(t, "Close", err, fault.Conflict)
		}
	}
	want(t, "closed", wins, 1)
	_, _, err = c.desk.Accept(ctx, jd(), c.period("2026-10"), "ann", rows(map[string]money.Fen{"1": 1200}), func(reconcile.Finding) error { return nil })
	wantCode(t, "accept into a closed month", err, fault.Conflict)
	c.at = c.at.AddDate(0, 2, 0)
	_, err = c.desk.Close(ctx, c.period("2026-12"), "ann", "")
	wantCode(t, "a month left out", err, fault.Conflict)
	_, err = c.desk.Close(ctx, c.period("2026-11"), "ann", "")
	must(t, err)
	months, err := s.Store.Months(ctx)
	must(t, err)
	want(t, "months", len(months), 2)
	want(t, "chained", months[1].Previous, months[0].Hash)
	want(t, "proven", reconcile.Proven(months), "")
	months[0].Report += " "
	want(t, "edited", reconcile.Proven(months), "2026-10")
}

func adjustments(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	ctx := t.Context()
	for id, sum := range map[string]money.Fen{"back": 1200, "gone": 500, "same": 300, "open": 700} {
		c.line(id, "2026-10-05", sum)
	}
	_, _ = c.accept(jd(), "2026-10", map[string]money.Fen{"back": 1200, "gone": 500, "same": 300})
	m, err := c.desk.Close(ctx, c.period("2026-10"), "ann", "jd is asked")
	must(t, err)
	want(t, "open", m.Open, int64(1))
	c.change("back", 900) // goods went back, and the network has not deducted it
	c.change("open", 600)
	c.change("gone", 0)
	_, open := c.accept(jd(), "2026-11", map[string]money.Fen{"gone": -500, "open": 600}) // both late, and both right
	want(t, "open", open, int64(0))
	c.balance(ledger.Network("jd"), 300)
	c.at = c.at.AddDate(0, 2, 0)
	_, err = c.desk.Close(ctx, c.period("2026-11"), "ann", "")
	must(t, err)
	c.balance(ledger.Network("jd"), 0)
	c.balance(ledger.Adjustments, 300)
	es, err := s.Store.Caused(ctx, "close/2026-11")
	must(t, err)
	want(t, "adjustments", len(es), 1)
	want(t, "kind", es[0].Kind, ledger.Correct)
	// The network deducts it after all.
	_, open = c.accept(jd(), "2026-12", map[string]money.Fen{"back": -300})
	want(t, "open", open, int64(0))
	_, err = c.desk.Close(ctx, c.period("2026-12"), "ann", "")
	must(t, err)
	c.balance(ledger.Network("jd"), 0)
	c.balance(ledger.Adjustments, 0)
	months, err := s.Store.Months(ctx)
	must(t, err)
	want(t, "the first report", months[0].Report, m.Report)
}

// sharedLines: what a network owes for a line is the same, whoever gets it.
func sharedLines(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	for _, id := range []string{"kept", "back"} {
		c.line(id, "2026-10-05", 1000)
		c.share(id, 1000)
	}
	c.balance(ledger.Network("jd"), -2000)
	moved, open := c.accept(jd(), "2026-10", map[string]money.Fen{"kept": 1000, "back": 1000})
	want(t, "open", open, int64(0))
	want(t, "moved", moved, money.Fen(2000))
	c.balance(ledger.Network("jd"), 0)
	m, err := c.desk.Close(t.Context(), c.period("2026-10"), "ann", "")
	must(t, err)
	want(t, "open", m.Open, int64(0))
	c.changeLine("back", 600) // and the network does not deduct it
	c.share("back", 600)
	c.share("kept", 1000)
	c.at = c.at.AddDate(0, 2, 0)
	_, err = c.desk.Close(t.Context(), c.period("2026-11"), "ann", "")
	must(t, err)
	c.balance(ledger.Network("jd"), 0)
	c.balance(ledger.Adjustments, 400)
}

// A meddler does something before every transaction of a store.
type meddler struct {
	reconcile.Store
	before func()
}

func (m meddler) InTx(ctx context.Context, fn func(reconcile.Tx) error) error {
	m.before()
	return m.Store.InTx(ctx, fn)
}

// A quitter does everything of a close but the last step.
type quitter struct{ reconcile.Store }

type quitting struct{ reconcile.Tx }

func (q quitter) InTx(ctx context.Context, fn func(reconcile.Tx) error) error {
	return q.Store.InTx(ctx, func(tx reconcile.Tx) error { return fn(quitting{tx}) })
}

func (quitting) Close(reconcile.Month) error { return fault.New(fault.Conflict, "") }

// closesMeet lets somebody else close the same month, and a line of a closed month
// change, before each step of a close. Whoever wins, the report says what was moved
// and what was frozen.
func closesMeet(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	ctx := t.Context()
	c.line("old", "2026-10-05", 1200)
	_, _ = c.accept(jd(), "2026-10", map[string]money.Fen{"old": 1200})
	_, err := c.desk.Close(ctx, c.period("2026-10"), "ann", "")
	must(t, err)
	c.line("new", "2026-11-05", 500)
	c.at = c.at.AddDate(0, 2, 0)
	won, step := []reconcile.Month{}, money.Fen(0)
	try := func(d *reconcile.Desk, who string) {
		m, err := d.Close(ctx, c.period("2026-11"), who, "a story")
		if err == nil {
			won = append(won, m)
		} else {
			wantCode(t, who+" closes", err, fault.Conflict)
		}
	}
	slow, bob := *c.desk, *c.desk
	bob.Store = quitter{s.Store}
	slow.Store = meddler{s.Store, func() {
		step++
		c.change("old", 1200-10*step)
		c.change("new", 500-step)
		try(&bob, "bob")
	}}
	try(&slow, "ann")
	if len(won) != 1 || step < 3 {
		t.Fatalf("%d have closed the month in %d steps", len(won), step)
	}
	es, err := s.Store.Caused(ctx, "close/2026-11")
	must(t, err)
	var moved money.Fen
	for _, e := range es {
		if e.To == ledger.Adjustments {
			moved -= e.Amount
		} else {
			moved += e.Amount
		}
	}
	if says := fmt.Sprintf("adjustments of earlier months: %d, together %s\n", len(es), moved); !strings.Contains(won[0].Report, says) {
		t.Errorf("the books say %q, the report\n%s", says, won[0].Report)
	}
	fs, err := s.Store.Frozen(ctx, jd(), []string{"new"})
	must(t, err)
	if says := fmt.Sprintf(" 1 %14s ", fs[0].Booked); len(fs) != 1 || fs[0].Month != "2026-11" || !strings.Contains(won[0].Report, says) {
		t.Errorf("%+v is frozen, the report says\n%s", fs, won[0].Report)
	}
}
