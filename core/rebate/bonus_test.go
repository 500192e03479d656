package rebate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// fest is a campaign.
func fest(change func(*rebate.Rule)) rebate.Rule {
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	r := rebate.Rule{
		Name: "fest", Mode: rebate.Bonus, When: rebate.When{From: from, Until: from.AddDate(0, 0, 7)}, Give: rebate.Give{Fixed: 200}, Budget: "b",
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestACampaignsMistakes(t *testing.T) {
	t.Parallel()
	for part, change := range map[string]func(*rebate.Rule){
		"":                     nil,
		"fine: all of it":      func(r *rebate.Rule) { r.Give = rebate.Give{Rebate: money.Whole} },
		"fine: the most":       func(r *rebate.Rule) { r.UserCap = 1_000_000_00 },
		"needs from and until": func(r *rebate.Rule) { r.When.From = time.Time{} },
		"from and until":       func(r *rebate.Rule) { r.When.Until = time.Time{} },
		"needs one that pays":  func(r *rebate.Rule) { r.Budget = "" },
		"a fixed sum, or":      func(r *rebate.Rule) { r.Give = rebate.Give{Commission: 100} },
		"it gives 2 things":    func(r *rebate.Rule) { r.Give.Rebate = 1 },
		"give.rebate":          func(r *rebate.Rule) { r.Give = rebate.Give{Rebate: money.Whole + 1} },
		"rebate: -":            func(r *rebate.Rule) { r.Give = rebate.Give{Rebate: -1} },
		"user_cap: -":          func(r *rebate.Rule) { r.UserCap = -1 },
		"user_cap: 1":          func(r *rebate.Rule) { r.UserCap = 1_000_000_01 },
		"are for mode bonus":   func(r *rebate.Rule) { r.Mode, r.UserCap = rebate.Add, 1 },
		"rebate are for mode":  func(r *rebate.Rule) { r.Mode, r.Give = rebate.Base, rebate.Give{Rebate: 1} },
	} {
		err := rebate.Rules{Base: 7000, Budgets: []string{"b"}, List: []rebate.Rule{fest(change)}}.Validate()
		if strings.HasPrefix(part, "fine") {
			part = ""
		}
		if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestACampaignIsNoPartOfTheRebate(t *testing.T) {
	t.Parallel()
	with, without := rebate.Rules{Base: 7000, Budgets: []string{"b"}, List: []rebate.Rule{fest(nil)}}, rebate.Rules{Base: 7000}
	s := rebate.Subject{Network: "jd", At: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	a, b := with.Terms(1, s).Rebate(1000), without.Terms(1, s).Rebate(1000)
	if a.Rebate != b.Rebate || a.TopUp != 0 || a.String() != b.String() {
		t.Errorf("%s, and without it %s", a, b)
	}
	if n := len(with.Terms(1, s).Bonuses); n != 1 {
		t.Errorf("%d bonuses within the window", n)
	}
	for _, at := range []time.Time{s.At.Add(-time.Millisecond), s.At.AddDate(0, 0, 7), {}} {
		s.At = at
		if n := len(with.Terms(1, s).Bonuses); n != 0 {
			t.Errorf("%d bonuses at %s", n, at)
		}
	}
}

func TestWhatACampaignGives(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		change   func(*rebate.Rule)
		amount   money.Fen // of the rebate
		price    money.Fen
		refunded money.Fen
		want     string
	}{
		{"fixed", nil, 280, 8900, 0, "[{fest 2.00 b 0.00}]"},
		{"fixed, half of it went back", nil, 140, 8900, 4450, "[{fest 1.00 b 0.00}]"},
		{"fixed, all of it went back", nil, 1, 8900, 8900, "[]"},
		{"of the rebate", func(r *rebate.Rule) { r.Give = rebate.Give{Rebate: 5000} }, 281, 8900, 0, "[{fest 1.40 b 0.00}]"},
		{"of the rebate, capped", func(r *rebate.Rule) { r.Give, r.Cap = rebate.Give{Rebate: 5000}, 100 }, 281, 8900, 0, "[{fest 1.00 b 0.00}]"},
		{"of the rebate, rounded", func(r *rebate.Rule) { r.Give, r.Round = rebate.Give{Rebate: 5000}, 50 }, 281, 8900, 0, "[{fest 1.00 b 0.00}]"},
		{"of the rebate, too little", func(r *rebate.Rule) { r.Give, r.Minimum = rebate.Give{Rebate: 5000}, 141 }, 281, 8900, 0, "[]"},
		{"for one user", func(r *rebate.Rule) { r.UserCap = 500 }, 280, 8900, 0, "[{fest 2.00 b 5.00}]"},
		{"from a price on", func(r *rebate.Rule) { r.When.PriceFrom = 8900 }, 280, 8900, 0, "[{fest 2.00 b 0.00}]"},
		{"below the price", func(r *rebate.Rule) { r.When.PriceFrom = 8901 }, 280, 8900, 0, "[]"},
		{"above the price", func(r *rebate.Rule) { r.When.PriceUntil = 8900 }, 280, 8900, 0, "[]"},
		{"no rebate", nil, 0, 8900, 0, "[]"},
	} {
		rules := rebate.Rules{Base: 7000, Budgets: []string{"b"}, List: []rebate.Rule{fest(tt.change)}}
		terms := rules.Terms(1, rebate.Subject{At: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)})
		terms, err := rebate.ParseTerms(terms.String()) // as frozen on the link
		if err != nil {
			t.Fatal(err)
		}
		r := rebate.Rebate{
			User: 42, Amount: tt.amount, Trace: rebate.Trace{Terms: terms},
			Line: order.ChangedLine{Price: tt.price, Refunded: tt.refunded, State: order.Settled},
		}
		if got := fmt.Sprint(r.Bonuses()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		r.User = 0
		if got := r.Bonuses(); got != nil {
			t.Errorf("%s: nobody gets %v", tt.name, got)
		}
	}
}

// A campaign that gives nothing keeps none after it from giving.
func TestEachCampaignGivesForItself(t *testing.T) {
	t.Parallel()
	dear := fest(func(r *rebate.Rule) { r.Name, r.When.PriceFrom, r.Budget = "dear", 100_000, "dry" })
	rules := rebate.Rules{Base: 7000, Budgets: []string{"b", "dry"}, List: []rebate.Rule{dear, fest(nil)}}
	s := rebate.Subject{At: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
	bonuses := func(price money.Fen, s rebate.Subject) string {
		return fmt.Sprint(rebate.Rebate{
			User: 42, Amount: 280, Trace: rebate.Trace{Terms: rules.Terms(1, s)}, Line: order.ChangedLine{Price: price, State: order.Settled},
		}.Bonuses())
	}
	if got := bonuses(8900, s); got != "[{fest 2.00 b 0.00}]" {
		t.Errorf("below the first one's price: %s", got)
	}
	if got := bonuses(100_000, s); got != "[{dear 2.00 dry 0.00} {fest 2.00 b 0.00}]" {
		t.Errorf("from its price on: %s", got)
	}
}

func TestACampaignInWords(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*rebate.Rule){
		"fest: bonus ¥2.00 when from 2026-12-01T00:00:00Z, until 2026-12-08T00:00:00Z, budget b": nil,
		"fest: bonus 50% of the rebate when from 2026-12-01T00:00:00Z, until 2026-12-08T00:00:00Z, for one user in all at most ¥5.00, budget b": func(r *rebate.Rule) {
			r.Give, r.UserCap = rebate.Give{Rebate: 5000}, 500
		},
	} {
		if got := fest(change).String(); got != want {
			t.Errorf("got %q", got)
		}
	}
}

// TestABonusIsSaidOnceTheRebateIsAvailable, where it was promised: not for what
// came without a link, and not while the budget is dry.
func TestABonusIsSaidOnceTheRebateIsAvailable(t *testing.T) {
	t.Parallel()
	o := open(t)
	rules := someRules()
	rules.Budgets = []string{"b", "c"}
	for name, budget := range map[string]string{"fest": "b", "late": "c"} {
		rules.List = append(rules.List, fest(func(r *rebate.Rule) {
			r.Name, r.Budget, r.When.From, r.When.Until = name, budget, start.Add(-time.Hour), start.Add(48*time.Hour)
		}))
	}
	slices.SortFunc(rules.List, func(a, b rebate.Rule) int { return strings.Compare(a.Name, b.Name) })
	if _, err := o.Enact(t.Context(), rules); err != nil {
		t.Fatal(err)
	}
	dry := false
	o.Dry = func(_ context.Context, budget string) (bool, error) { return dry && budget == "b", nil }
	promise := func() link.Promise {
		p, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000, Final: 8900})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rich := promise()
	dry = true
	poor := promise()
	with := func(p link.Promise) func(l *order.ChangedLine) {
		return func(l *order.ChangedLine) { l.Promise, l.Price = p, 8900 }
	}
	for _, tt := range []struct {
		id     string
		change []func(l *order.ChangedLine)
		want   string
	}{
		{"1", []func(l *order.ChangedLine){with(rich)}, "pending []"},
		{"2", []func(l *order.ChangedLine){with(rich), settled(-100 * 24 * time.Hour)}, "available [{fest 2.00 b 0.00} {late 2.00 c 0.00}]"},
		{"3", []func(l *order.ChangedLine){with(poor), settled(-100 * 24 * time.Hour)}, "available [{late 2.00 c 0.00}]"},
		{"4", []func(l *order.ChangedLine){settled(-100 * 24 * time.Hour)}, "available []"},
	} {
		said := o.hear(line(tt.id, 1, tt.change...))
		if len(said) != 1 {
			t.Fatalf("%s: %+v", tt.id, said)
		}
		if got := fmt.Sprint(said[0].Stage, " ", said[0].Bonuses); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.id, got, tt.want)
		}
		if placed := said[0].Placed; placed.IsZero() != (said[0].Stage == rebate.Pending) {
			t.Errorf("%s was placed at %s", tt.id, placed)
		}
	}
	if dry := o.get("3").Trace.Terms.Dry; fmt.Sprint(dry) != "[fest]" {
		t.Errorf("dry are %v", dry)
	}
}
