package storetest

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/reconcile"
)

// A taker is a desk at which people pay, for reconciliation.
type taker struct {
	*reconciling
	till  *collecttest.Till
	dues  *collect.Desk
	clock time.Time
}

// took plays two days at a till: on the first, three are paid, a top-up among them,
// and one lapses; on the second, one is given back, and so is another top-up.
func took(t *testing.T, s ReconcileStore) *taker {
	c := &taker{reconciling: reconcilingOn(t, s), clock: time.Date(2026, 10, 3, 8, 0, 0, 0, time.UTC)}
	now := func() time.Time { return c.clock }
	c.till = collecttest.NewTill(now)
	c.dues = &collect.Desk{Store: s.Charges, Collectors: []collect.Collector{c.till}, Prefix: "T", Lasts: time.Hour, Now: now}
	c.pay("a", 7, 1990)
	c.pay("b", 0, 500_00)
	back := c.pay("c", 8, 1000)
	_, err := c.dues.Ask(t.Context(), c.request("d", 9, 1990))
	must(t, err)
	c.clock = c.clock.Add(24 * time.Hour)
	c.run()
	top := c.pay("e", 0, 300_00)
	for _, d := range []collect.Due{back, top} {
		_, err = c.dues.Refund(t.Context(), d.ID, "ann", "goodwill")
		must(t, err)
	}
	c.run()
	return c
}

func (c *taker) request(key string, user int64, amount money.Fen) collect.Request {
	r := collect.Request{Key: key, Purpose: collect.Membership, User: user, What: "level/1/30", Amount: amount, Subject: "会员"}
	if user == 0 {
		r.Purpose, r.What = collect.TopUp, ""
	}
	return r
}

func (c *taker) pay(key string, user int64, amount money.Fen) collect.Due {
	c.t.Helper()
	d, err := c.dues.Ask(c.t.Context(), c.request(key, user, amount))
	must(c.t, err)
	must(c.t, c.till.Pay(d.Number))
	c.clock = c.clock.Add(time.Minute)
	c.run()
	return d
}

func (c *taker) run() {
	c.t.Helper()
	_, err := c.dues.Run(c.t.Context())
	must(c.t, err)
}

func takingsByPeriod(t *testing.T, s ReconcileStore) {
	c := took(t, s)
	p := c.period("2026-10-04")
	var got []reconcile.Taking
	for after := ""; ; {
		page, err := s.Store.Takings(t.Context(), "till", p.From, p.To, after, 2)
		must(t, err)
		got = append(got, page...)
		if len(page) < 2 {
			break
		}
		after = page[1].Number
	}
	for i := range got {
		if !p.From.Before(got[i].At) || got[i].At.After(c.clock) {
			t.Errorf("%+v is not of that day", got[i])
		}
		got[i].At = time.Time{}
	}
	want(t, "takings of the second day", got, []reconcile.Taking{
		{Number: "TC3R", Amount: -1000, Booked: -1000, State: "refunded"},
		{Number: "TC5", Amount: 300_00, Booked: 300_00, Cleared: 300_00, State: "refunded"},
		{Number: "TC5R", Amount: -300_00, Booked: -300_00, Cleared: -300_00, State: "refunded"},
	})
	known, err := s.Store.Taken(t.Context(), "till", []string{"TC4", "TC1R", "TC3", "x", "R"})
	must(t, err)
	byNumber := map[string]reconcile.Taking{}
	for _, k := range known {
		k.At = time.Time{}
		byNumber[k.Number] = k
	}
	want(t, "known, whatever became of them", byNumber, map[string]reconcile.Taking{
		"TC4": {Number: "TC4", State: "lapsed"}, "TC1R": {Number: "TC1R", State: "received"},
		"TC3": {Number: "TC3", Amount: 1000, Booked: 1000, State: "refunded"},
	})
	known, err = s.Store.Taken(t.Context(), "alipay", []string{"TC1"})
	must(t, err)
	want(t, "known to another collector", len(known), 0)
	names, err := s.Store.Collectors(t.Context(), p.From, p.To)
	must(t, err)
	want(t, "collectors", names, []string{"till"})
	names, err = s.Store.Collectors(t.Context(), p.To, p.To.AddDate(1, 0, 0))
	must(t, err)
	want(t, "collectors of another year", len(names), 0)
}

// takingsFees accepts the bills again, now with what the collector has kept of one charge,
// and of one that was given back: the bank has that much less, and the collector's account
// is where it was.
func takingsFees(t *testing.T, s ReconcileStore, c *taker) {
	t.Helper()
	till, account := reconcile.OfCollector("till"), ledger.Collector("till")
	fees := func(period string, rows ...reconcile.Row) {
		for _, again := range []bool{false, true} {
			_, moved, err := c.desk.Accept(t.Context(), till, c.period(period), "ann", func() iter.Seq2[reconcile.Row, error] {
				return func(yield func(reconcile.Row, error) bool) {
					for _, r := range rows {
						if !yield(r, nil) {
							return
						}
					}
				}
			}, func(reconcile.Finding) error { return nil })
			must(t, err)
			want(t, fmt.Sprint("moved by fees, again ", again), moved, money.Fen(0))
		}
	}
	fees("2026-10-03", reconcile.Row{Key: "TC1", Sum: 1990, Fee: 12, HasFee: true}, reconcile.Row{Key: "TC3", Sum: 1000, Fee: 6, HasFee: true})
	c.balance(account, 0)
	c.balance(ledger.Fees, -18)
	c.balance(ledger.Bank, -500_00-1990+18)
	fees("2026-10-04", reconcile.Row{Key: "TC3R", Sum: -1000, Fee: -6, HasFee: true}, reconcile.Row{Key: "TC5R", Sum: -300_00})
	c.balance(account, 0)
	c.balance(ledger.Fees, -12)
	c.balance(ledger.Bank, -500_00-1990+12)
	es, err := s.Store.Caused(t.Context(), "takings/till/2026-10-04")
	must(t, err)
	last := es[len(es)-1]
	want(t, "the entry of a fee that was given back", []any{last.Kind, last.Key, last.From, last.To, last.Amount}, []any{
		ledger.Fee, "takings/till/2026-10-04/TC3R/rev2/fee", account, ledger.Fees, money.Fen(6),
	})
}

func takingsClear(t *testing.T, s ReconcileStore) {
	c := took(t, s)
	till, account := reconcile.OfCollector("till"), ledger.Collector("till")
	c.balance(account, -1990)
	c.balance(ledger.Bank, -500_00) // the operator's own money, of which some went back
	_, err := c.desk.Close(t.Context(), c.period("2026-10"), "ann", "")
	wantCode(t, "closing before the collector's bills", err, fault.Conflict)
	moved, open := c.accept(till, "2026-10-03", map[string]money.Fen{"TC1": 1990, "TC2": 500_00, "TC3": 1000})
	want(t, "moved on the first day", moved, money.Fen(2990))
	want(t, "open", open, int64(0))
	c.balance(account, 1000)
	second := map[string]money.Fen{"TC3R": -1000, "TC5": 300_00, "TC5R": -300_00, "TC4": 1990, "TC2": 0}
	moved, open = c.accept(till, "2026-10-04", second)
	want(t, "moved on the second day", moved, money.Fen(-1000))
	want(t, "open: one that has lapsed here was paid there", open, int64(1))
	c.balance(account, 0)
	c.balance(ledger.Bank, -500_00-1990)
	moved, _ = c.accept(till, "2026-10-04", second)
	want(t, "moved again", moved, money.Fen(0))
	_, err = c.desk.Close(t.Context(), c.period("2026-10"), "ann", "")
	wantCode(t, "closing with what differs", err, fault.Conflict)
	delete(second, "TC4")
	_, open = c.accept(till, "2026-10-04", second)
	want(t, "open", open, int64(0))
	takingsFees(t, s, c)
	es, err := s.Store.Caused(t.Context(), "takings/till/2026-10-03")
	must(t, err)
	want(t, "entries", len(es), 3)
	want(t, "kind", es[0].Kind, ledger.Clear)
	m, err := c.desk.Close(t.Context(), c.period("2026-10"), "ann", "")
	must(t, err)
	want(t, "open differences", m.Open, int64(0))
}
