package rebate_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/rebate"
)

// one is a version with one sound rule, which a budget pays.
func one() rebate.Rules {
	return rebate.Rules{Budgets: []string{"m"}, List: []rebate.Rule{{Name: "r", Mode: rebate.Add, Give: rebate.Give{Fixed: 1}, Budget: "m"}}}
}

// Bounds that are not there.
const (
	free    = math.MinInt64
	endless = math.MaxInt64
)

// A bound is what a number in a version may be at least and at most. Beyond it a
// mistake is found that begins with what.
type bound struct {
	what        string
	least, most int64
	set         func(r *rebate.Rules, n int64)
}

func TestEveryNumberOfAVersionHasItsBounds(t *testing.T) {
	t.Parallel()
	bps := func(n int64) map[string]money.Bps { return map[string]money.Bps{"x": money.Bps(n)} }
	check(t, []bound{
		{"base:", 0, 10_000, func(r *rebate.Rules, n int64) { r.Base = money.Bps(n) }},
		{"fee:", 0, 10_000, func(r *rebate.Rules, n int64) { r.Fee = money.Bps(n) }},
		{"levels.3:", -10_000, 10_000, func(r *rebate.Rules, n int64) { r.Levels = map[int]money.Bps{3: money.Bps(n)} }},
		{"levels.", 0, endless, func(r *rebate.Rules, n int64) { r.Levels = map[int]money.Bps{int(n): 1} }},
		{"networks.x:", -10_000, 10_000, func(r *rebate.Rules, n int64) { r.Networks = bps(n) }},
		{"categories.x:", -10_000, 10_000, func(r *rebate.Rules, n int64) { r.Categories = bps(n) }},
		{"cap:", 0, endless, func(r *rebate.Rules, n int64) { r.Cap = money.Fen(n) }},
		{"minimum:", 0, endless, func(r *rebate.Rules, n int64) { r.Minimum = money.Fen(n) }},
		{"minimum:", 0, 500, func(r *rebate.Rules, n int64) { r.Cap, r.Minimum = 500, money.Fen(n) }},
		{"hold_days.x:", 0, 180, func(r *rebate.Rules, n int64) { r.HoldDays = map[string]int{"x": int(n)} }},
		{"referral.first:", 0, 10_000, func(r *rebate.Rules, n int64) { r.Referral.First = money.Bps(n) }},
		{"referral.second:", 0, 10_000, func(r *rebate.Rules, n int64) { r.Referral.Second = money.Bps(n) }},
		{"referral", 0, 7000, func(r *rebate.Rules, n int64) { r.Referral = rebate.Referral{First: 3000, Second: money.Bps(n)} }},
		{"rules:", free, 200, func(r *rebate.Rules, n int64) {
			r.List = nil
			for i := range n {
				r.List = append(r.List, rebate.Rule{Name: fmt.Sprint(i), Mode: rebate.Add, Give: rebate.Give{Fixed: 1}, Budget: "m"})
			}
		}},
	})
}

func TestEveryNumberOfARuleHasItsBounds(t *testing.T) {
	t.Parallel()
	rule := func(set func(r *rebate.Rule, n int64)) func(*rebate.Rules, int64) {
		return func(r *rebate.Rules, n int64) { set(&r.List[0], n) }
	}
	when := func(set func(w *rebate.When, n int64)) func(*rebate.Rules, int64) {
		return func(r *rebate.Rules, n int64) { set(&r.List[0].When, n) }
	}
	give := func(set func(g *rebate.Give, n int64)) func(*rebate.Rules, int64) {
		return func(r *rebate.Rules, n int64) { r.List[0].Give = rebate.Give{}; set(&r.List[0].Give, n) }
	}
	texts := func(n int64) []string { return slices.Repeat([]string{"x"}, int(n)) }
	check(t, []bound{
		{"rules.0.name:", 1, 60, rule(func(r *rebate.Rule, n int64) { r.Name = strings.Repeat("n", int(n)) })},
		{"rules.0.minimum:", 0, 1_000_000_00, rule(func(r *rebate.Rule, n int64) { r.Minimum = money.Fen(n) })},
		{"rules.0.minimum:", 0, 300, rule(func(r *rebate.Rule, n int64) { r.Cap, r.Minimum = 300, money.Fen(n) })},
		{"rules.0.minimum:", 0, 1, rule(func(r *rebate.Rule, n int64) { r.Cap, r.Minimum = 1, money.Fen(n) })},
		{"rules.0.cap:", 0, 1_000_000_00, rule(func(r *rebate.Rule, n int64) { r.Cap = money.Fen(n) })},
		{"rules.0.round:", 0, 100, rule(func(r *rebate.Rule, n int64) { r.Round = money.Fen(n) })},
		{"rules.0.when.networks:", free, 1000, when(func(w *rebate.When, n int64) { w.Networks = texts(n) })},
		{"rules.0.when.categories:", free, 1000, when(func(w *rebate.When, n int64) { w.Categories = texts(n) })},
		{"rules.0.when.shops:", free, 1000, when(func(w *rebate.When, n int64) { w.Shops = texts(n) })},
		{"rules.0.when.items:", free, 1000, when(func(w *rebate.When, n int64) { w.Items = texts(n) })},
		{"rules.0.when.users:", 1, endless, when(func(w *rebate.When, n int64) { w.Users = []int64{7, n} })},
		{"rules.0.when.levels:", 0, 100, when(func(w *rebate.When, n int64) { w.LevelFrom = int(n) })},
		{"rules.0.when.levels:", 0, 100, when(func(w *rebate.When, n int64) { w.LevelTo = int(n) })},
		{"rules.0.when.levels:", 7, 100, when(func(w *rebate.When, n int64) { w.LevelFrom, w.LevelTo = 7, int(n) })},
		{"rules.0.when.levels:", 0, 0, when(func(w *rebate.When, n int64) { w.LevelOnly, w.LevelFrom = true, int(n) })},
		{"rules.0.when.until:", 1, int64(400 * 24 * time.Hour), when(func(w *rebate.When, n int64) { w.From, w.Until = june18, june18.Add(time.Duration(n)) })},
		{"rules.0.when.price:", 0, 1_000_000_00, when(func(w *rebate.When, n int64) { w.PriceFrom = money.Fen(n) })},
		{"rules.0.when.price:", 0, 1_000_000_00, when(func(w *rebate.When, n int64) { w.PriceUntil = money.Fen(n) })},
		{"rules.0.when.price:", 101, 1_000_000_00, when(func(w *rebate.When, n int64) { w.PriceFrom, w.PriceUntil = 100, money.Fen(n) })},
		{"rules.0.give", 1, 10_000, give(func(g *rebate.Give, n int64) { g.Commission = money.Bps(n) })},
		{"rules.0.give", -10_000, -1, give(func(g *rebate.Give, n int64) { g.Commission = money.Bps(n) })},
		{"rules.0.give", 1, 2000, give(func(g *rebate.Give, n int64) { g.Price = money.Bps(n) })},
		{"rules.0.give", 1, 100_00, give(func(g *rebate.Give, n int64) { g.Fixed = money.Fen(n) })},
		{"rules.0.give", 1, 20, give(func(g *rebate.Give, n int64) {
			for i := range n {
				g.Tiers = append(g.Tiers, rebate.Tier{From: money.Fen(i), Share: 1})
			}
		})},
		{"rules.0.give.tiers.0.share:", 0, 10_000, give(func(g *rebate.Give, n int64) { g.Tiers = []rebate.Tier{{0, money.Bps(n)}} })},
		{"rules.0.give.tiers.0.from:", 0, 1_000_000_00, give(func(g *rebate.Give, n int64) { g.Tiers = []rebate.Tier{{money.Fen(n), 1}} })},
		{"rules.0.give.tiers.1.from:", 101, 1_000_000_00, give(func(g *rebate.Give, n int64) { g.Tiers = []rebate.Tier{{100, 1}, {money.Fen(n), 1}} })},
	})
}

// check wants the least and the most of each bound accepted, and what is just
// beyond them refused.
func check(t *testing.T, bounds []bound) {
	t.Helper()
	for _, b := range bounds {
		good, bad := []int64{b.most}, []int64{}
		if b.most != endless {
			bad = append(bad, b.most+1)
		}
		if b.least != free {
			good, bad = append(good, b.least, min(b.least+1, b.most)), append(bad, b.least-1)
		}
		for _, n := range good {
			r := one()
			b.set(&r, n)
			if err := r.Validate(); err != nil {
				t.Errorf("%s %d is refused: %v", b.what, n, err)
			}
		}
		for _, n := range bad {
			r := one()
			b.set(&r, n)
			if err := r.Validate(); err == nil || !strings.HasPrefix(err.Error(), b.what) {
				t.Errorf("%s %d: %v", b.what, n, err)
			}
		}
	}
}

func TestWhatOnlyLooksLikeAMistake(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]rebate.When{
		"a campaign without a beginning": {Until: june18},
		"a campaign without an end":      {From: june18},
		"levels without an end":          {LevelFrom: 100},
		"the lowest level only":          {LevelOnly: true},
		"a price without an end":         {PriceFrom: 5},
	} {
		r := one()
		r.List[0].When = w
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestABasisForEverythingIsTheLast: what stands behind it would never apply. With
// any condition it is not for everything.
func TestABasisForEverythingIsTheLast(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]rebate.When{
		"": {}, "networks": {Networks: []string{"x"}}, "categories": {Categories: []string{"x"}}, "shops": {Shops: []string{"x"}}, "items": {Items: []string{"x"}},
		"users": {Users: []int64{1}}, "networks and categories": {Networks: []string{"x"}, Categories: []string{"x"}}, "from level": {LevelFrom: 1},
		"to level": {LevelTo: 1}, "lowest level": {LevelOnly: true}, "from": {From: june18}, "until": {Until: june18}, "price from": {PriceFrom: 1}, "price until": {PriceUntil: 1},
	} {
		err := rebate.Rules{List: []rebate.Rule{
			{Name: "first", Mode: rebate.Base, When: w, Give: rebate.Give{Commission: 1}}, {Name: "second", Mode: rebate.Base, Give: rebate.Give{Commission: 2}},
		}}.Validate()
		if never := err != nil && strings.Contains(err.Error(), "rules.1: it never applies, because rule 0"); never != (name == "") || (err == nil) != (name != "") {
			t.Errorf("a basis with condition %q before another: %v", name, err)
		}
	}
}

func TestTheGuardGivesUpWhereThereIsTooMuchToTry(t *testing.T) {
	t.Parallel()
	// n networks, n categories and n shops, each adding so much.
	each := func(n int, adds money.Bps) (r rebate.Rules) {
		for i := range n {
			for j, w := range []rebate.When{{Networks: []string{fmt.Sprint(i)}}, {Categories: []string{fmt.Sprint(i)}}, {Shops: []string{fmt.Sprint(i)}}} {
				r.List = append(r.List, rebate.Rule{Name: fmt.Sprint(i, j), Mode: rebate.Add, When: w, Give: rebate.Give{Commission: adds}})
			}
		}
		r.Base = 7000
		return r
	}
	for _, tt := range []struct {
		n    int
		adds money.Bps
		want string
	}{
		{20, 1000, ""}, {20, 1001, "100.03%"}, {30, 1000, "so many conditions"}, {30, 10, ""},
	} {
		if err := each(tt.n, tt.adds).Validate(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("three times %d rules of %s: %v, want %q", tt.n, tt.adds, err, tt.want)
		}
	}
}

// One slip of the finger is one mistake: the sum is spoken of where each part is
// right by itself.
func TestInvitersPartsAreJudgedOnce(t *testing.T) {
	t.Parallel()
	for r, want := range map[rebate.Referral]string{
		{First: 10_000, Second: 1}:  "referral: inviters would get 100.01% of what the house keeps",
		{First: 1, Second: 10_000}:  "referral: inviters would get 100.01% of what the house keeps",
		{First: 10_001, Second: 0}:  "referral.first: 100.01% is not between 0% and 100% of what the house keeps",
		{First: 0, Second: 10_001}:  "referral.second: 100.01% is not between 0% and 100% of what the house keeps",
		{First: 10_001, Second: 10}: "referral.first: 100.01% is not between 0% and 100% of what the house keeps",
	} {
		rules := one()
		rules.Referral = r
		if err := rules.Validate(); err == nil || err.Error() != want {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
