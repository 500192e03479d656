package storetest

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/lock"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/reconcile"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A ReconcileStore is the stores of reconcile with what fills them.
type ReconcileStore struct {
	Lines   reconcile.Lines
	Store   reconcile.Store
	Orders  order.Store
	Credits credit.Store
	Payouts withdraw.Store
	Charges collect.Store
	Ledger  ledger.Reader
	Leases  lock.Leases
}

// Reconciliations holds stores to the promises of reconcile.
func Reconciliations(t *testing.T, open func(t *testing.T) ReconcileStore) {
	t.Helper()
	run(t, open, []check[ReconcileStore]{
		{"LinesByPeriodAndKey", linesByPeriod},
		{"PayoutsByPeriodAndNumber", payoutsByPeriod},
		{"AcceptedMoneyMovesOnce", acceptedOnce},
		{"BillsClearPayers", billsClear},
		{"TakingsByPeriodAndNumber", takingsByPeriod},
		{"CollectorsBillsClearCollectors", takingsClear},
		{"ManyAcceptAtOnce", manyAccept},
		{"AMonthIsClosedOnce", closedOnce},
		{"NothingMovesBetweenReadingAndFreezing", closesMeet},
		{"WhatChangesLaterIsAnAdjustment", adjustments},
		{"WhatInvitersGetAndBudgetsAddIsReconciled", sharedLines},
		{"NewestComparisonCounts", newestComparison},
	})
}

// A reconciling is a story on a ReconcileStore.
type reconciling struct {
	t    *testing.T
	s    ReconcileStore
	desk *reconcile.Desk
	at   time.Time
	seq  int64
}

func reconcilingOn(t *testing.T, s ReconcileStore) *reconciling {
	c := &reconciling{t: t, s: s, at: time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC)}
	c.desk = &reconcile.Desk{Lines: s.Lines, Store: s.Store, Now: func() time.Time { return c.at }, Zone: time.UTC, Leases: s.Leases}
	return c
}

func (c *reconciling) period(name string) reconcile.Period {
	c.t.Helper()
	p, err := reconcile.ParsePeriod(name, time.UTC)
	must(c.t, err)
	return p
}

// jd is the subject of the stories.
func jd() reconcile.Subject { return reconcile.OfNetwork("jd", "main") }

// line stores a settled line.
func (c *reconciling) line(id, day string, commission money.Fen) {
	c.t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	must(c.t, err)
	k := order.Key{Network: "jd", Account: "main", ID: id}
	l := &order.Line{
		Key: k, Rev: 1, Whole: &order.Register{Revision: order.Revision{Key: k, Aspect: order.Whole, Order: "o" + id}}, Seen: at,
		Facts: order.Facts{State: order.Settled, Commission: commission, Price: 10 * commission, SettledAt: at},
	}
	must(c.t, c.s.Orders.InTx(c.t.Context(), func(tx order.Tx) error { return tx.Put([]*order.Line{l}) }))
	c.book(id, commission)
}

// book makes the ledger have a commission for a line.
func (c *reconciling) book(id string, commission money.Fen) {
	c.t.Helper()
	c.seq++
	e, err := event.New(fmt.Sprintf("rebate/%s/%d", id, c.seq), event.RebateChanged, c.at, rebate.Changed{Rebates: []rebate.ChangedRebate{{
		Key: order.Key{Network: "jd", Account: "main", ID: id}, Seq: c.seq, Stage: rebate.Nothing, Margin: commission,
	}}})
	must(c.t, err)
	must(c.t, (&credit.Cashier{Store: c.s.Credits, Now: func() time.Time { return c.at }}).RebateChanged(c.t.Context(), e))
}

// share makes the ledger have a commission for a line of which inviters get something
// and to which a budget adds something.
func (c *reconciling) share(id string, commission money.Fen) {
	c.t.Helper()
	c.seq++
	r := rebate.ChangedRebate{
		Key: order.Key{Network: "jd", Account: "main", ID: id}, Seq: c.seq, User: 7, Stage: rebate.Available, Amount: commission / 2,
		Cuts: [2]rebate.Cut{{User: 8, Amount: commission / 10}, {User: 9, Amount: commission / 20}}, TopUp: commission / 25, Budget: "gifts",
	}
	r.Margin = commission + r.TopUp - r.Amount - r.Cuts[0].Amount - r.Cuts[1].Amount
	e, err := event.New(fmt.Sprintf("rebate/%s/%d", id, c.seq), event.RebateChanged, c.at, rebate.Changed{Rebates: []rebate.ChangedRebate{r}})
	must(c.t, err)
	must(c.t, (&credit.Cashier{Store: c.s.Credits, Now: func() time.Time { return c.at }}).RebateChanged(c.t.Context(), e))
}

// change changes a line's commission, and what is booked for it.
func (c *reconciling) change(id string, commission money.Fen) {
	c.t.Helper()
	c.changeLine(id, commission)
	c.book(id, commission)
}

// changeLine changes a line's commission.
func (c *reconciling) changeLine(id string, commission money.Fen) {
	c.t.Helper()
	k := order.Key{Network: "jd", Account: "main", ID: id}
	must(c.t, c.s.Orders.InTx(c.t.Context(), func(tx order.Tx) error {
		known, err := tx.Lines([]order.Key{k})
		if err != nil {
			return err
		}
		l := known[k]
		l.Rev, l.Commission = l.Rev+1, commission
		return tx.Put([]*order.Line{&l})
	}))
}

// payout stores a withdrawal that was paid through a payer.
func (c *reconciling) payout(payer, number string, at time.Time, amount money.Fen) {
	c.t.Helper()
	must(c.t, c.s.Payouts.InTx(c.t.Context(), func(tx withdraw.Tx) error {
		id, err := tx.Insert(withdraw.Withdrawal{
			Key: number, User: 7, Amount: amount, Payee: user.Payee{Method: "alipay", Account: "a@example.com"}, State: withdraw.Paid,
			Payer: payer, Number: number, Rev: 1, At: at, Changed: at,
		})
		if err != nil {
			return err
		}
		j, err := ledger.Open(tx, at)
		if err != nil {
			return err
		}
		held := ledger.User(7, ledger.Reserved)
		return errors.Join(
			j.Move(ledger.Entry{Key: number + "/held", Kind: ledger.Manual, From: ledger.Margin, To: held, Amount: amount, Cause: "manual/" + number}),
			j.Move(ledger.Entry{Key: number, Kind: ledger.Payout, From: held, To: ledger.Payer(payer), Amount: amount, Cause: withdraw.Cause(id)}),
			j.Post())
	}))
}

// rows makes a book of "key sum" pairs.
func rows(pairs map[string]money.Fen) reconcile.Rows {
	return func() iter.Seq2[reconcile.Row, error] {
		return func(yield func(reconcile.Row, error) bool) {
			for _, key := range slices.Sorted(maps.Keys(pairs)) {
				if !yield(reconcile.Row{Key: key, Sum: pairs[key], Raw: key}, nil) {
					return
				}
			}
		}
	}
}

// accept accepts and returns what moved and how many findings are open.
func (c *reconciling) accept(s reconcile.Subject, period string, pairs map[string]money.Fen) (money.Fen, int64) {
	c.t.Helper()
	sum, moved, err := c.desk.Accept(c.t.Context(), s, c.period(period), "ann", rows(pairs), func(reconcile.Finding) error { return nil })
	must(c.t, err)
	return moved, sum.Open()
}

func (c *reconciling) balance(a ledger.Account, want_ money.Fen) {
	c.t.Helper()
	b, err := c.s.Ledger.Balance(c.t.Context(), a)
	must(c.t, err)
	want(c.t, string(a), b, want_)
}

func linesByPeriod(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	for id, day := range map[string]string{"b": "2026-10-01", "a": "2026-10-31", "A": "2026-10-15", "c": "2026-11-01", "d": "2026-09-30"} {
		c.line(id, day, 100)
	}
	p := c.period("2026-10")
	var ids []string
	for after := ""; ; {
		ls, err := s.Lines.Settled(t.Context(), "jd", "main", p.From, p.To, after, 2)
		must(t, err)
		for _, l := range ls {
			ids, after = append(ids, l.ID), l.ID
		}
		if len(ls) < 2 {
			break
		}
	}
	want(t, "settled in October", ids, []string{"A", "a", "b"})
	known, err := s.Lines.Known(t.Context(), "jd", "main", []string{"d", "x", "d"})
	must(t, err)
	want(t, "known", len(known), 1)
	want(t, "known", known[0].Commission, money.Fen(100))
	feeds, err := s.Lines.Feeds(t.Context(), p.From, p.To)
	must(t, err)
	want(t, "feeds", feeds, []reconcile.Subject{jd()})
	feeds, err = s.Lines.Feeds(t.Context(), p.To.AddDate(1, 0, 0), p.To.AddDate(2, 0, 0))
	must(t, err)
	want(t, "feeds a year later", len(feeds), 0)
}

func payoutsByPeriod(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	p := c.period("2026-10-03")
	c.payout("alipay", "F2", p.From, 200)
	c.payout("alipay", "F1", p.To.Add(-time.Millisecond), 100)
	c.payout("alipay", "F3", p.To, 300)
	c.payout("manual", "F4", p.From, 400)
	ps, err := s.Store.Payouts(t.Context(), "alipay", p.From, p.To, "", 10)
	must(t, err)
	want(t, "payouts", ps, []reconcile.Payout{
		{Number: "F1", Amount: 100, Booked: 100, State: "paid", At: p.To.Add(-time.Millisecond)}, {Number: "F2", Amount: 200, Booked: 200, State: "paid", At: p.From},
	})
	ps, err = s.Store.Payouts(t.Context(), "alipay", p.From, p.To, "F1", 10)
	must(t, err)
	want(t, "payouts after F1", len(ps), 1)
	ps, err = s.Store.Sent(t.Context(), "alipay", []string{"F3", "F4"})
	must(t, err)
	want(t, "sent", len(ps), 1)
	names, err := s.Store.Payers(t.Context(), p.From, p.To)
	must(t, err)
	want(t, "payers", names, []string{"alipay", "manual"})
}

func acceptedOnce(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	c.line("1", "2026-10-05", 1200)
	c.line("2", "2026-10-06", 800)
	c.balance(ledger.Network("jd"), -2000)
	file := map[string]money.Fen{"1": 1200, "2": 700}
	moved, open := c.accept(jd(), "2026-10", file)
	want(t, "moved", moved, money.Fen(1200))
	want(t, "open", open, int64(1))
	moved, _ = c.accept(jd(), "2026-10", file)
	want(t, "moved again", moved, money.Fen(0))
	c.balance(ledger.Network("jd"), -800)
	c.balance(ledger.Bank, -1200)
	c.change("2", 700) // the network was right
	moved, open = c.accept(jd(), "2026-10", file)
	want(t, "moved after the correction", moved, money.Fen(700))
	want(t, "open", open, int64(0))
	c.balance(ledger.Network("jd"), 0)
	// A deduction in the month after.
	c.change("1", 900)
	moved, open = c.accept(jd(), "2026-11", map[string]money.Fen{"1": -300})
	want(t, "deducted", moved, money.Fen(-300))
	want(t, "open", open, int64(0))
	c.balance(ledger.Network("jd"), 0)
	c.balance(ledger.Bank, -1600)
	// The same line again is money for nothing.
	moved, open = c.accept(jd(), "2026-12", map[string]money.Fen{"1": 900})
	want(t, "paid twice", moved, money.Fen(0))
	want(t, "open", open, int64(1))
}

func billsClear(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	p := c.period("2026-10-03")
	c.payout("alipay", "F1", p.From, 100)
	c.payout("alipay", "F2", p.From, 200)
	moved, open := c.accept(reconcile.OfPayer("alipay"), "2026-10-03", map[string]money.Fen{"F1": 100})
	want(t, "moved", moved, money.Fen(100))
	want(t, "open", open, int64(1))
	c.balance(ledger.Payer("alipay"), 200)
	_, open = c.accept(reconcile.OfPayer("alipay"), "2026-10-04", map[string]money.Fen{"F2": 200}) // they say it was after midnight
	want(t, "open", open, int64(0))
	c.balance(ledger.Payer("alipay"), 0)
	es, err := s.Store.Caused(t.Context(), "bill/alipay/2026-10-03")
	must(t, err)
	want(t, "entries", len(es), 1)
	want(t, "kind", es[0].Kind, ledger.Clear)
	_, open = c.accept(reconcile.OfPayer("alipay"), "2026-10-03", map[string]money.Fen{"F1": 100})
	want(t, "nothing is due for F2 any more", open, int64(0))
}

func manyAccept(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	c.line("1", "2026-10-05", 1200)
	_, errs := together(20, func(int) (money.Fen, error) {
		_, moved, err := c.desk.Accept(t.Context(), jd(), c.period("2026-10"), "ann", rows(map[string]money.Fen{"1": 1200}), func(reconcile.Finding) error { return nil })
		return moved, err
	})
	for _, err := range errs {
		if err != nil {
			wantCode(t, "Accept", err, fault.Conflict)
		}
	}
	c.balance(ledger.Bank, -1200)
	c.balance(ledger.Network("jd"), 0)
}

func newestComparison(t *testing.T, s ReconcileStore) {
	c := reconcilingOn(t, s)
	ctx := t.Context()
	_, _ = c.accept(jd(), "2026-10", map[string]money.Fen{"x": 1, "y": 2})
	_, open := c.accept(jd(), "2026-10", map[string]money.Fen{"x": 1})
	want(t, "open", open, int64(1))
	_, _ = c.accept(reconcile.OfPayer("alipay"), "2026-10-31", map[string]money.Fen{"F": 1})
	_, _ = c.accept(jd(), "2026-11", map[string]money.Fen{"z": 1})
	got, err := s.Store.Comparisons(ctx, "2026-10")
	must(t, err)
	want(t, "comparisons", len(got), 2)
	want(t, "rows", got[0].Rows, int64(1))
	want(t, "counts", got[0].Counts, map[reconcile.Kind]int64{reconcile.MissingHere: 1})
	kept, err := s.Store.Kept(ctx, got[0].ID)
	must(t, err)
	want(t, "kept", kept, []reconcile.Noted{{Kind: reconcile.MissingHere, Key: "x", Text: "they list 0.01; we do not know it"}})
	_, err = c.desk.Close(ctx, c.period("2026-10"), "ann", "")
	wantCode(t, "closing with strays", err, fault.Conflict)
}
