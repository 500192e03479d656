package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"fanli/configs"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/money"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// A ledgerer is a payer with a bill and a balance.
type ledgerer struct {
	withdraw.Payer
	ready   bool
	lines   []withdraw.BillLine
	asked   []string
	balance money.Fen
}

func (*ledgerer) Name() string { return "bank" }

func (l *ledgerer) Bill(_ context.Context, day time.Time) ([]withdraw.BillLine, error) {
	if !l.ready {
		return nil, fault.New(fault.Unavailable, "")
	}
	l.asked = append(l.asked, day.Format(time.DateOnly))
	return l.lines, nil
}

func (l *ledgerer) Balance(context.Context) (money.Fen, error) { return l.balance, nil }

// The bill of a day is asked for once it is ready, held against the books, and not
// asked for again; staff hears of what differs, and that money runs low.
func TestPayersAreWatched(t *testing.T) {
	t.Parallel()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC) // nine in the morning in China
	p := &ledgerer{balance: 400_00}
	var out bytes.Buffer
	cfg.Data, cfg.Withdraw.PayerFloor = t.TempDir(), map[string]configs.Yuan{"bank": 500_00}
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(&out), now: func() time.Time { return now }, stands: &stands{payer: p}, holder: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	run := func(want int) {
		t.Helper()
		if n, err := a.compareBills(t.Context()); n != want || err != nil {
			t.Errorf("at %s: %d bills, %v; want %d", now, n, err, want)
		}
	}
	p.ready = true
	run(0) // too early to ask
	now, p.ready = now.Add(time.Hour), false
	run(0) // not ready
	p.ready = true
	run(1)
	run(0) // once
	if !strings.Contains(out.String(), "agrees with our books") {
		t.Errorf("nothing paid, nothing listed: %s", out.String())
	}
	now, p.lines = now.AddDate(0, 0, 1), []withdraw.BillLine{{Number: "F404", Amount: 5, Paid: true, At: now}}
	run(1)
	if got := out.String(); !strings.Contains(got, "differs from our books") || !strings.Contains(got, "fanli reconcile payer bank 2026-11-27") {
		t.Errorf("a payment that we do not know: %s", got)
	}
	if got := strings.Join(p.asked, " "); got != "2026-11-26 2026-11-27" {
		t.Errorf("asked for %s", got)
	}
	sums, err := a.reconciliation().Store.Comparisons(t.Context(), "2026-11")
	if err != nil || len(sums) != 2 || sums[1].Counts[reconcile.MissingHere] != 1 {
		t.Errorf("%+v, %v", sums, err)
	}
	w := a.watch()
	for range 3 {
		if n, err := w.Run(t.Context()); n != 1 || err != nil {
			t.Errorf("%d asked, %v", n, err)
		}
	}
	if n := strings.Count(out.String(), "runs low"); n != 1 {
		t.Errorf("said %d times that money runs low", n)
	}
}
