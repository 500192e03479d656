package rebate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// busy opens an office that has something of everything: rules with inviters,
// estimates and a budget, a line that waits for its hold and one that is paid.
// Everybody was invited by 8, and 8 by 9.
func busy(t *testing.T) *office {
	t.Helper()
	o := open(t)
	r := someRules()
	r.Fee, r.Referral = 0, rebate.Referral{First: 2000, Second: 1000}
	r.Settle, r.Budgets = rebate.SettleLower, []string{"m"}
	r.List = []rebate.Rule{{Name: "gift", Mode: rebate.Add, When: rebate.When{PriceFrom: 100_00}, Give: rebate.Give{Fixed: 500}, Budget: "m"}}
	if _, err := o.Set(t.Context(), r, 1, "ann", "a test"); err != nil {
		t.Fatal(err)
	}
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) {
		return rebate.Inviters{8, 9}, o.drawer.pass()
	}
	o.Level = func(context.Context, int64) (int, error) { return 0, o.drawer.pass() }
	o.Dry = func(context.Context, string) (bool, error) { return false, o.drawer.pass() }
	o.hear(line("1", 1, settled(-6*24*time.Hour)), line("2", 1))
	o.at = start.AddDate(0, 0, 2)
	return o
}

func (d *drawer) state() string {
	return fmt.Sprint(d.rules, d.acts, d.rebates, d.handled, d.said)
}

// TestAStepThatFailsIsSaidAndChangesNothing lets every step of every act fail, one
// after the other, until there are no more.
func TestAStepThatFailsIsSaidAndChangesNothing(t *testing.T) {
	t.Parallel()
	news, err := event.New("order/x", event.OrderChanged, start, order.Changed{Lines: []order.ChangedLine{line("2", 2, settled(0)), line("3", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	other := someRules()
	other.Base = 1000
	acts := []struct {
		name   string
		steps  int
		writes bool
		do     func(o *office) error
	}{
		{"promise", 3, false, func(o *office) error {
			_, err := o.Promise(o.t.Context(), 42, link.Offer{Network: "jd", Commission: 1000, Final: 100_00})
			return err
		}},
		{"hear news", 12, true, func(o *office) error { return o.OrderChanged(o.t.Context(), news) }},
		{"release", 6, true, func(o *office) error { _, err := o.ReleaseDue(o.t.Context()); return err }},
		{"set rules", 6, true, func(o *office) error { _, err := o.Set(o.t.Context(), other, 2, "bob", "why"); return err }},
		{"go back", 7, true, func(o *office) error { _, err := o.Rollback(o.t.Context(), 1, 2, "bob", "why"); return err }},
		{"start again", 4, false, func(o *office) error { _, err := o.Enact(o.t.Context(), other); return err }},
		{"try rules", 3, false, func(o *office) error {
			r := other
			r.Referral.First = 1
			_, err := o.WhatIf(o.t.Context(), r, start.AddDate(0, 0, -30))
			return err
		}},
		{"read", 1, false, func(o *office) error { _, err := o.Of(o.t.Context(), []order.Key{key("1")}); return err }},
		{"read who gets what", 1, false, func(o *office) error { _, err := o.Referral(o.t.Context()); return err }},
	}
	broken := errors.New("broken")
	for _, act := range acts {
		for at := 1; at <= act.steps+1; at++ {
			o, n := busy(t), 0
			before := o.drawer.state()
			o.drawer.gate = func() error {
				if n++; n == at {
					return broken
				}
				return nil
			}
			err := act.do(o)
			changed := o.drawer.state() != before
			switch {
			case at <= act.steps && (!errors.Is(err, broken) || changed):
				t.Errorf("%s: step %d fails: %v, it changes something: %v", act.name, at, err, changed)
			case at > act.steps && (err != nil || n != act.steps || changed != act.writes):
				t.Errorf("%s: %v after %d steps, it changes something: %v", act.name, err, n, changed)
			}
		}
	}
}

func TestASettledLineIsComputedAsTheRulesSay(t *testing.T) {
	t.Parallel()
	o := busy(t)
	estimated := func(l *order.ChangedLine) { l.Estimated = 500 }
	o.hear(line("3", 1, estimated))
	o.want("3", "pending 600 of 42, margin 400, seq 1") // what is expected now
	o.hear(line("3", 2, estimated, settled(0)))
	if r := o.get("3"); r.Amount != 300 || r.Cuts != [2]rebate.Cut{{User: 8, Amount: 140}, {User: 9, Amount: 70}} || r.Margin != 490 {
		t.Errorf("settled for more than was expected: %+v", r)
	}
}

// TestABudgetIsNamedWhereItPays, and only there.
func TestABudgetIsNamedWhereItPays(t *testing.T) {
	t.Parallel()
	for commission, want := range map[money.Fen]struct {
		topUp  money.Fen
		budget string
	}{2000: {}, 1250: {}, 1000: {100, "m"}} {
		o := busy(t)
		dear := func(l *order.ChangedLine) { l.Price = 100_00 }
		p, err := o.Promise(t.Context(), 42, link.Offer{Network: "jd", Commission: commission, Final: 100_00})
		if err != nil {
			t.Fatal(err)
		}
		said := o.hear(line("3", 1, brings(commission), dear, func(l *order.ChangedLine) { l.Promise = p }))
		if len(said) != 1 || said[0].TopUp != want.topUp || said[0].Budget != want.budget || said[0].Margin+said[0].Amount != commission+want.topUp {
			t.Errorf("of %d it is said %+v, want %+v", commission, said, want)
		}
	}
}

func TestWhoNobodyKnowsIsAnError(t *testing.T) {
	t.Parallel()
	o := open(t)
	down := fault.New(fault.Unavailable, "user.down")
	r := someRules()
	r.Referral.First = 1000
	if _, err := o.Enact(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) { return rebate.Inviters{}, down }
	e, err := event.New("order/x", event.OrderChanged, start, order.Changed{Lines: []order.ChangedLine{line("1", 1, settled(0))}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.OrderChanged(t.Context(), e); !fault.Is(err, fault.Unavailable) || len(o.drawer.rebates) != 0 {
		t.Errorf("a settled line whose inviters nobody knows: %v", err)
	}
}
