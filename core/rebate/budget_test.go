package rebate_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/rebate"
)

// gifts are a tenth of the commission for everybody, and two fixed gifts with
// budgets, of five yuan and of one.
func gifts(settle rebate.Settle) rebate.Rules {
	return rebate.Rules{
		Base: 1000, Settle: settle, SettleBudget: "estimates", Budgets: []string{"estimates", "five", "one"},
		List: []rebate.Rule{
			{Name: "big", Mode: rebate.Add, Give: rebate.Give{Fixed: 500}, Budget: "five"},
			{Name: "small", Mode: rebate.Add, Give: rebate.Give{Fixed: 100}, Budget: "one"},
			{Name: "capped", Mode: rebate.Add, Give: rebate.Give{Commission: 1000}, Cap: 10},
		},
	}
}

// TestABudgetPaysWhatTheCommissionDoesNotCover, and not a fen more.
func TestABudgetPaysWhatTheCommissionDoesNotCover(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		settle      rebate.Settle
		sale        rebate.Sale
		want, topUp money.Fen
		budget      string
	}{
		{"all is covered", "", rebate.Sale{Commission: 1000}, 710, 0, "one"},
		{"to the fen", "", rebate.Sale{Commission: 678}, 677, 0, "one"},
		{"two fen less", "", rebate.Sale{Commission: 676}, 677, 1, "one"},
		{"hardly anything is covered", "", rebate.Sale{Commission: 10}, 602, 592, "one"},
		{"no commission, no gift", "", rebate.Sale{}, 0, 0, ""},
		{"the lower one of both, and gifts", rebate.SettleLower, rebate.Sale{Commission: 500, Estimated: 100, Settled: true}, 620, 120, "one"},
		{"the lower one of both, and the gifts are covered", rebate.SettleLower, rebate.Sale{Commission: 650, Estimated: 10, Settled: true}, 602, 0, "one"},
		{"as estimated: the difference, and what the gifts need", rebate.SettleEstimate, rebate.Sale{Commission: 100, Estimated: 1000, Settled: true}, 710, 90 + 520, "one"},
		{"as estimated: more came", rebate.SettleEstimate, rebate.Sale{Commission: 1000, Estimated: 100, Settled: true}, 710, 0, "one"},
	}
	for _, tt := range tests {
		tr := gifts(tt.settle).Terms(1, rebate.Subject{}).Of(tt.sale)
		if tr.Rebate != tt.want || tr.TopUp != tt.topUp || tr.Budget != tt.budget {
			t.Errorf("%s: %d, %d of it from %q; want %d, %d of it from %q: %s", tt.name, tr.Rebate, tr.TopUp, tr.Budget, tt.want, tt.topUp, tt.budget, tr)
		}
	}
}

// TestALowerCommissionCanBringMore, where a rule takes from what a budget gives:
// even then the budget pays nothing that the commission covers.
func TestALowerCommissionCanBringMore(t *testing.T) {
	t.Parallel()
	r := rebate.Rules{Settle: rebate.SettleLower, Budgets: []string{"m"}, List: []rebate.Rule{
		{Name: "gift", Mode: rebate.Add, Give: rebate.Give{Fixed: 100}, Budget: "m"}, {Name: "less", Mode: rebate.Add, Give: rebate.Give{Commission: -1000}, Budget: "m"},
	}}
	tr := r.Terms(1, rebate.Subject{}).Of(rebate.Sale{Commission: 1000, Estimated: 100, Settled: true})
	if tr.Rebate != 90 || tr.TopUp != 0 {
		t.Errorf("%d, %d of it from the budget: %s", tr.Rebate, tr.TopUp, tr)
	}
}

// TestWhatNobodyValidatedIsBoundedAllTheSame: terms are texts on links; whatever
// they say, no more is given than there is.
func TestWhatNobodyValidatedIsBoundedAllTheSame(t *testing.T) {
	t.Parallel()
	fixed := rebate.Part{Kind: "rule", Name: "gift", Fixed: 500}
	price := rebate.Part{Kind: "rule", Name: "gift", Price: 1000}
	base := rebate.Part{Kind: "base", Bps: 5000}
	tests := []struct {
		name    string
		terms   rebate.Terms
		sale    rebate.Sale
		want    money.Fen
		limited bool
	}{
		{"a fixed part that is covered", rebate.Terms{Parts: []rebate.Part{base, fixed}}, rebate.Sale{Commission: 1001}, 1000, false},
		{"to the fen", rebate.Terms{Parts: []rebate.Part{base, fixed}}, rebate.Sale{Commission: 1000}, 1000, false},
		{"a fixed part that is not", rebate.Terms{Parts: []rebate.Part{base, fixed}}, rebate.Sale{Commission: 998}, 998, true},
		{"a part of the price", rebate.Terms{Parts: []rebate.Part{base, price}}, rebate.Sale{Commission: 100, Price: 9000}, 100, true},
		{"after the fee", rebate.Terms{Parts: []rebate.Part{base, fixed}, Fee: 1000}, rebate.Sale{Commission: 100}, 90, true},
		{"all of it", rebate.Terms{Parts: []rebate.Part{{Kind: "base", Bps: 10_000}}}, rebate.Sale{Commission: 100}, 100, false},
		{"more than all of it", rebate.Terms{Parts: []rebate.Part{{Kind: "base", Bps: 20_000}}}, rebate.Sale{Commission: 100}, 100, false},
		{"less than nothing", rebate.Terms{Parts: []rebate.Part{{Kind: "base", Bps: -1}}}, rebate.Sale{Commission: 100}, 0, false},
		{"less than nothing, by a rule of its own", rebate.Terms{Parts: []rebate.Part{base, {Kind: "rule", Bps: -9000, Cap: 100}}}, rebate.Sale{Commission: 100}, 0, false},
		{"an estimate that nobody pays", rebate.Terms{Parts: []rebate.Part{base}, Settle: rebate.SettleEstimate}, rebate.Sale{Commission: 100, Estimated: 1000, Settled: true}, 50, true},
		{"an estimate that is met", rebate.Terms{Parts: []rebate.Part{base}, Settle: rebate.SettleEstimate}, rebate.Sale{Commission: 1000, Estimated: 1000, Settled: true}, 500, false},
	}
	for _, tt := range tests {
		tr := tt.terms.Of(tt.sale)
		if tr.Rebate != tt.want || tr.Limited != tt.limited || tr.TopUp != 0 || tr.Budget != "" {
			t.Errorf("%s: %d, limited %v, %d from %q; want %d, %v: %s", tt.name, tr.Rebate, tr.Limited, tr.TopUp, tr.Budget, tt.want, tt.limited, tr)
		}
	}
}

// TestTheLimitsOfOneRule: rounded down, at least, at most, in this order from the
// inside out.
func TestTheLimitsOfOneRule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		part rebate.Part
		sale rebate.Sale
		want money.Fen
	}{
		{"no limits", rebate.Part{Bps: 1000, Budget: "m"}, rebate.Sale{Commission: 999}, 99},
		{"below the minimum", rebate.Part{Bps: 1000, Minimum: 100}, rebate.Sale{Commission: 999}, 0},
		{"the minimum", rebate.Part{Bps: 1000, Minimum: 100}, rebate.Sale{Commission: 1000}, 100},
		{"below the cap", rebate.Part{Bps: 1000, Cap: 100}, rebate.Sale{Commission: 999}, 99},
		{"above the cap", rebate.Part{Bps: 1000, Cap: 100}, rebate.Sale{Commission: 1019}, 100},
		{"rounded to a jiao", rebate.Part{Bps: 1000, Round: 10}, rebate.Sale{Commission: 1099}, 100},
		{"rounded to a fen", rebate.Part{Bps: 1000, Round: 1}, rebate.Sale{Commission: 1099}, 109},
		{"capped, then rounded", rebate.Part{Bps: 1000, Cap: 99, Round: 10}, rebate.Sale{Commission: 1099}, 90},
		{"rounded below the minimum", rebate.Part{Bps: 1000, Round: 10, Minimum: 101}, rebate.Sale{Commission: 1099}, 0},
		{"fixed, nothing goes back", rebate.Part{Fixed: 100, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300}, 100},
		{"fixed, a third goes back", rebate.Part{Fixed: 100, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300, Refunded: 100}, 66},
		{"fixed, all goes back", rebate.Part{Fixed: 100, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300, Refunded: 300}, 0},
		{"fixed, more goes back than was paid", rebate.Part{Fixed: 100, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300, Refunded: 400}, 0},
		{"fixed, of a price that nobody knows", rebate.Part{Fixed: 100, Budget: "m"}, rebate.Sale{Commission: 1, Refunded: 100}, 100},
		{"of the price, a third goes back", rebate.Part{Price: 1000, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300, Refunded: 100}, 20},
		{"of the price, more goes back than was paid", rebate.Part{Price: 1000, Budget: "m"}, rebate.Sale{Commission: 1, Price: 300, Refunded: 400}, 0},
	}
	for _, tt := range tests {
		tt.part.Kind = "rule"
		terms := rebate.Terms{Parts: []rebate.Part{{Kind: "base"}, tt.part}}
		if tr := terms.Of(tt.sale); len(tr.Yields) != 1 || tr.Yields[0] != tt.want {
			t.Errorf("%s: %v, want %d", tt.name, tr.Yields, tt.want)
		}
	}
	lowered := rebate.Terms{Parts: []rebate.Part{{Kind: "base", Bps: 5000}, {Kind: "rule", Bps: -1000, Minimum: 200}}}
	if tr := lowered.Rebate(1000); tr.Rebate != 400 {
		t.Errorf("a rule that lowers the rebate is held to its minimum: %s", tr)
	}
}

// TestTheLimitsOfAll are those of the line as a whole.
func TestTheLimitsOfAll(t *testing.T) {
	t.Parallel()
	terms := rebate.Terms{Parts: []rebate.Part{{Kind: "base", Bps: 5000}}, Cap: 100, Minimum: 10}
	for commission, want := range map[money.Fen]struct {
		rebate        money.Fen
		capped, small bool
	}{
		0: {}, 1: {}, 2: {small: true}, 19: {small: true}, 20: {rebate: 10}, 199: {rebate: 99}, 201: {rebate: 100}, 202: {rebate: 100, capped: true},
	} {
		if tr := terms.Rebate(commission); tr.Rebate != want.rebate || tr.Capped != want.capped || tr.Small != want.small {
			t.Errorf("%d brings %+v, want %+v", commission, tr, want)
		}
	}
}

func TestOneOfSeveralBudgetsIsUsedUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		dry   string
		want  money.Fen // of a commission of ten yuan
		parts int
		text  string
	}{
		{"", 710, 4, `"settle":"estimate","settle_budget":"estimates"`},
		{"five", 210, 3, `"settle":"estimate","settle_budget":"estimates","dry":["big"]`},
		{"one", 610, 3, `"settle":"estimate","settle_budget":"estimates","dry":["small"]`},
		{"five one", 110, 2, `"dry":["big","small"]`},
		{"estimates", 710, 4, `"share":1000}`},
	}
	for _, tt := range tests {
		o := open(t)
		o.Dry = func(_ context.Context, name string) (bool, error) {
			return slices.Contains(strings.Fields(tt.dry), name), nil
		}
		if _, err := o.Enact(t.Context(), gifts(rebate.SettleEstimate)); err != nil {
			t.Fatal(err)
		}
		p, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000})
		if err != nil {
			t.Fatal(err)
		}
		terms, err := rebate.ParseTerms(p.Terms)
		if err != nil || p.Rebate != tt.want || len(terms.Parts) != tt.parts || !strings.Contains(p.Terms, tt.text) {
			t.Errorf("without %q it is %d by %s, %v; want %d by %s", tt.dry, p.Rebate, p.Terms, err, tt.want, tt.text)
		}
	}
	only := rebate.Rules{Budgets: []string{"m"}, List: []rebate.Rule{{Name: "all", Mode: rebate.Base, Give: rebate.Give{Fixed: 100}, Budget: "m"}}}
	o := open(t)
	o.Dry = func(context.Context, string) (bool, error) { return true, nil }
	if _, err := o.Enact(t.Context(), only); err != nil {
		t.Fatal(err)
	}
	if p, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000}); err != nil || p.Rebate != 0 || p.Share != 0 {
		t.Errorf("where all comes from a budget that is used up: %+v, %v", p, err)
	}
}
