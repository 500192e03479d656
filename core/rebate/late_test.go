package rebate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// TestALatePromiseIsWhatItWouldHaveBeen: whatever has changed since the link was
// made, an order brings what was promised, or what would have been.
func TestALatePromiseIsWhatItWouldHaveBeen(t *testing.T) {
	t.Parallel()
	offer := link.Offer{Network: "jd", Item: "1", SameItem: "same", Category: "厨具", Shop: "旗舰店", Final: 8900, Commission: 1000}
	rules := someRules()
	rules.Referral = rebate.Referral{First: 1000}
	rules.List = []rebate.Rule{
		{Name: "campaign", Mode: rebate.Add, When: rebate.When{From: start, Until: start.Add(time.Hour), Shops: []string{"旗舰店"}, Items: []string{"same"}}, Give: rebate.Give{Commission: 300}},
		for1("none", 200), for1("some", 400),
	}
	for name, after := range map[string]func(o *office){
		"nothing":     func(*office) {},
		"other rules": func(o *office) { o.enact(rebate.Rules{Base: 100}) },
		"three others": func(o *office) {
			o.enact(rebate.Rules{Base: 1})
			o.enact(rebate.Rules{Base: 2})
			o.enact(rebate.Rules{Base: 3})
		},
		"a level":    func(o *office) { o.levels[42] = 0 },
		"a campaign": func(o *office) { o.at = start.Add(48 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			o.Inviters = func(_ context.Context, _ int64, at time.Time) (rebate.Inviters, error) {
				if at.After(start.Add(time.Hour)) {
					return rebate.Inviters{}, errors.New("asked as of another time")
				}
				return rebate.Inviters{7}, nil
			}
			o.enact(rules)
			o.levels[42] = 1
			o.at = start.Add(time.Minute)
			now, err := o.Promise(t.Context(), 42, offer)
			if err != nil {
				t.Fatal(err)
			}
			late := rebate.Later(42, 1, offer, o.at)
			if !late.Late() || now.Late() || (link.Promise{}).Late() {
				t.Errorf("late: %v, made at once: %v", late.Late(), now.Late())
			}
			o.at = start.Add(2 * time.Hour)
			after(o)
			for _, change := range [][]func(*order.ChangedLine){{}, {settled(0), brings(1777)}, {settled(0), brings(900)}} {
				o.n++
				o.hear(line("now", int64(o.n), append(change, func(l *order.ChangedLine) { l.Promise = now })...),
					line("late", int64(o.n), append(change, func(l *order.ChangedLine) { l.Promise = late })...))
				a, b := o.get("now"), o.get("late")
				if a.Amount != b.Amount || a.Margin != b.Margin || a.Cuts != b.Cuts || !a.Due.Equal(b.Due) || a.Amount == 0 {
					t.Errorf("made at once it brings %s (cuts %v, due %s), later %s (cuts %v, due %s)", a.Amount, a.Cuts, a.Due, b.Amount, b.Cuts, b.Due)
				}
				if b.Trace.Terms.Rules != now.Rules {
					t.Errorf("it was made by version %d, not %d", b.Trace.Terms.Rules, now.Rules)
				}
			}
		})
	}
}

// TestALatePromiseIsMadeOnce: what a budget had when it was made, counts.
func TestALatePromiseIsMadeOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	dry := false
	o.Dry = func(context.Context, string) (bool, error) { return dry, nil }
	o.enact(rebate.Rules{Base: 5000, Budgets: []string{"marketing"}, List: []rebate.Rule{
		{Name: "two more", Mode: rebate.Add, Give: rebate.Give{Fixed: 200}, Budget: "marketing"},
	}})
	late := func(l *order.ChangedLine) {
		l.Promise = rebate.Later(42, 0, link.Offer{Network: "jd", Item: "1"}, start)
	}
	o.hear(line("1", 1, late))
	o.want("1", "pending 700 of 42, margin 300, seq 1")
	dry = true
	o.hear(line("1", 2, late, settled(0)))
	if r := o.get("1"); r.Amount != 700 {
		t.Errorf("the budget was used up later, and it brings %s", r.Amount)
	}
	o.hear(line("2", 1, late))
	o.want("2", "pending 500 of 42, margin 500, seq 1")
	o.hear(line("3", 1, late, nobodys))
	if r := o.get("3"); r.Amount != 0 {
		t.Errorf("nobody gets %s", r.Amount)
	}
}

// TestALatePromiseWaitsForWhoIsAsked: the news fails, and comes again.
func TestALatePromiseWaitsForWhoIsAsked(t *testing.T) {
	t.Parallel()
	o := open(t)
	down := errors.New("nobody answers")
	o.Dry = func(context.Context, string) (bool, error) { return false, down }
	o.enact(rebate.Rules{Base: 5000, Budgets: []string{"marketing"}, List: []rebate.Rule{
		{Name: "two more", Mode: rebate.Add, Give: rebate.Give{Fixed: 200}, Budget: "marketing"},
	}})
	l := line("1", 1, func(l *order.ChangedLine) {
		l.Promise = rebate.Later(42, 0, link.Offer{Network: "jd", Item: "1"}, start)
	})
	e, err := event.New("order/late", event.OrderChanged, o.at, order.Changed{Lines: []order.ChangedLine{l}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.OrderChanged(t.Context(), e); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	o.Dry = nil
	if err := o.OrderChanged(t.Context(), e); err != nil {
		t.Error(err)
	}
	o.want("1", "pending 700 of 42, margin 300, seq 1")
}

// TestALatePromiseFromBeforeAllRules is made by the first ones.
func TestALatePromiseFromBeforeAllRules(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.enact(rebate.Rules{Base: 100})
	o.hear(line("1", 1, func(l *order.ChangedLine) {
		l.Promise = rebate.Later(42, 0, link.Offer{Network: "pdd"}, start.Add(-time.Hour))
	}))
	if r := o.get("1"); r.Trace.Terms.Rules != 1 || r.Amount != money.Fen(630) {
		t.Errorf("it brings %s by version %d", r.Amount, r.Trace.Terms.Rules)
	}
}

func (o *office) enact(r rebate.Rules) {
	o.t.Helper()
	if _, err := o.Enact(o.t.Context(), r); err != nil {
		o.t.Fatal(err)
	}
}
