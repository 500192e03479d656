package rebate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/money"
	"fanli/core/rebate"
)

var june18 = time.Date(2026, 6, 18, 4, 0, 0, 0, time.UTC)

// rich is a version with every form that a rule can have.
func rich() rebate.Rules {
	return rebate.Rules{
		Base: 5000, Fee: 1000, Levels: map[int]money.Bps{1: 500}, Cap: 30_00, Minimum: 1, Budgets: []string{"marketing"},
		List: []rebate.Rule{
			{Name: "vip", Mode: rebate.Base, When: rebate.When{Users: []int64{7}}, Give: rebate.Give{Commission: 9000}},
			{Name: "phones", Mode: rebate.Base, When: rebate.When{Categories: []string{"手机"}, PriceFrom: 1000_00}, Give: rebate.Give{Fixed: 5_00}, Budget: "marketing"},
			{Name: "phones cheap", Mode: rebate.Base, When: rebate.When{Categories: []string{"手机"}}, Give: rebate.Give{Commission: 2000}},
			{Name: "books", Mode: rebate.Base, When: rebate.When{Categories: []string{"图书"}}, Give: rebate.Give{Tiers: []rebate.Tier{{0, 1000}, {100_00, 3000}, {500_00, 6000}}}},
			{Name: "shop", Mode: rebate.Add, When: rebate.When{Shops: []string{"京东自营"}, LevelFrom: 2}, Give: rebate.Give{Commission: -1000}},
			{Name: "item", Mode: rebate.Add, When: rebate.When{Items: []string{"sku1"}}, Give: rebate.Give{Price: 100}, Cap: 2_00, Minimum: 10, Round: 10, Budget: "marketing"},
			{Name: "618", Mode: rebate.Add, When: rebate.When{From: june18, Until: june18.AddDate(0, 0, 2)}, Give: rebate.Give{Commission: 500}, Cap: 1_00},
		},
	}
}

func TestEveryFormOfARule(t *testing.T) {
	t.Parallel()
	if err := rich().Validate(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		subject rebate.Subject
		sale    rebate.Sale
		want    money.Fen
		topUp   money.Fen
		trace   string
	}{
		{"nothing special", rebate.Subject{Network: "jd"}, rebate.Sale{Commission: 1000, Price: 100_00}, 450, 0,
			"base 50% × ¥9.00 (commission ¥10.00 − fee 10%) = ¥4.50"},
		{"a user's own basis", rebate.Subject{User: 7, Level: 1}, rebate.Sale{Commission: 1000, Price: 100_00}, 855, 0,
			"rule vip 90% + level 1 5% = 95% × ¥9.00 (commission ¥10.00 − fee 10%) = ¥8.55"},
		{"fixed, dear", rebate.Subject{Category: "手机"}, rebate.Sale{Commission: 2000, Price: 1000_00}, 500, 0,
			"0% × ¥18.00 (commission ¥20.00 − fee 10%) = ¥0.00 + rule phones fixed ¥5.00 = ¥5.00; together ¥5.00"},
		{"fixed, half goes back", rebate.Subject{Category: "手机"}, rebate.Sale{Commission: 1000, Price: 1000_00, Refunded: 333_33}, 333, 0,
			"rule phones fixed ¥5.00 = ¥3.33"},
		{"fixed, more than the commission", rebate.Subject{Category: "手机"}, rebate.Sale{Commission: 100, Price: 1000_00}, 500, 410,
			"together ¥5.00; budget marketing pays ¥4.10 of it"},
		{"fixed, but no commission at all", rebate.Subject{Category: "手机"}, rebate.Sale{Price: 1000_00}, 0, 0, "= ¥0.00"},
		{"the same rule does not know cheap ones", rebate.Subject{Category: "手机"}, rebate.Sale{Commission: 1000, Price: 999_99}, 180, 0, "rule phones cheap 20% × ¥9.00"},
		{"lowest tier", rebate.Subject{Category: "图书"}, rebate.Sale{Commission: 1000, Price: 99_99}, 90, 0, "rule books 10%"},
		{"middle tier", rebate.Subject{Category: "图书"}, rebate.Sale{Commission: 1000, Price: 100_00}, 270, 0, "rule books 30%"},
		{"highest tier", rebate.Subject{Category: "图书"}, rebate.Sale{Commission: 1000, Price: 9999_00}, 540, 0, "rule books 60%"},
		{"a shop lowers it from a level on", rebate.Subject{Shop: "京东自营", Level: 2}, rebate.Sale{Commission: 1000, Price: 10_00}, 360, 0, "base 50% + rule shop -10% = 40%"},
		{"but not below that level", rebate.Subject{Shop: "京东自营", Level: 0}, rebate.Sale{Commission: 1000, Price: 10_00}, 450, 0, "base 50% ×"},
		{"of the price, rounded to a jiao", rebate.Subject{Item: "sku1"}, rebate.Sale{Commission: 1000, Price: 89_00}, 530, 0,
			"= ¥4.50 + rule item 1% × paid ¥89.00 = ¥0.80; together ¥5.30"},
		{"of the price, capped", rebate.Subject{Item: "sku1"}, rebate.Sale{Commission: 1000, Price: 900_00}, 650, 0, "= ¥2.00; together ¥6.50"},
		{"of the price, below its minimum", rebate.Subject{Item: "sku1"}, rebate.Sale{Commission: 1000, Price: 9_00}, 450, 0, "rule item 1% × paid ¥9.00 = ¥0.00"},
		{"campaign begins", rebate.Subject{At: june18}, rebate.Sale{Commission: 1000}, 495, 0, "+ rule 618 5% × ¥9.00 = ¥0.45"},
		{"campaign has not begun", rebate.Subject{At: june18.Add(-time.Second)}, rebate.Sale{Commission: 1000}, 450, 0, "= ¥4.50"},
		{"campaign is over", rebate.Subject{At: june18.AddDate(0, 0, 2)}, rebate.Sale{Commission: 1000}, 450, 0, "= ¥4.50"},
		{"nobody knows when", rebate.Subject{}, rebate.Sale{Commission: 1000}, 450, 0, "= ¥4.50"},
		{"the cap of all", rebate.Subject{User: 7}, rebate.Sale{Commission: 100_00, Price: 1}, 30_00, 0, "at most ¥30.00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			terms, err := rebate.ParseTerms(rich().Terms(3, tt.subject).String())
			if err != nil {
				t.Fatal(err)
			}
			tr := terms.Of(tt.sale)
			if tr.Rebate != tt.want || tr.TopUp != tt.topUp || !strings.Contains(tr.String(), tt.trace) {
				t.Errorf("got %d with %d on top by %q, want %d with %d by %q", tr.Rebate, tr.TopUp, tr, tt.want, tt.topUp, tt.trace)
			}
		})
	}
}

// TestTermsOfTheFirstLinksStayReadable holds what was frozen before there was a
// list of rules: texts on links in real databases.
func TestTermsOfTheFirstLinksStayReadable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		want  money.Fen
		trace string
	}{
		{`{"rules":3,"parts":[{"kind":"base","bps":7000},{"kind":"level","name":"1","bps":500}],"share":7500,"fee":1000,"cap":3000,"minimum":1,"hold_days":15}`, 810,
			"base 70% + level 1 5% = 75% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥8.10"},
		{`{"rules":1,"parts":[{"kind":"base","bps":7000}],"share":7000}`, 840, "base 70% × commission ¥12.00 = ¥8.40"},
		{`{"rules":1,"parts":[{"kind":"base","bps":9000},{"kind":"network","name":"jd","bps":2000}],"share":10000}`, 1200, "= 100% × commission ¥12.00 = ¥12.00"},
		{`{"rules":1,"parts":[{"kind":"base","bps":100},{"kind":"network","name":"jd","bps":-2000}],"share":0}`, 0, "= 0% × commission ¥12.00 = ¥0.00"},
		{`{"rules":1,"parts":[{"kind":"base","bps":7000}],"share":7000,"cap":100}`, 100, "at most ¥1.00"},
	}
	for _, tt := range tests {
		terms, err := rebate.ParseTerms(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := terms.String(); got != tt.text {
			t.Errorf("%s is written again as %s", tt.text, got)
		}
		if tr := terms.Rebate(1200); tr.Rebate != tt.want || !strings.Contains(tr.String(), tt.trace) {
			t.Errorf("%s gives %d by %q", tt.text, tr.Rebate, tr)
		}
	}
}

func TestSimpleRulesAreAList(t *testing.T) {
	t.Parallel()
	r := someRules()
	r.List = []rebate.Rule{{Name: "vip", Mode: rebate.Base, When: rebate.When{Users: []int64{7}}, Give: rebate.Give{Commission: 8000}}}
	var names []string
	for _, rule := range r.All() {
		names = append(names, string(rule.Mode)+" "+rule.Name)
	}
	if got := strings.Join(names, ", "); got != "base vip, base base, add level 1, add network jd" {
		t.Error(got)
	}
}

func TestValidateRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	r := rebate.Rules{
		Base: 5000, Referral: rebate.Referral{First: 9000, Second: 2000}, Settle: "never", SettleBudget: "none",
		List: []rebate.Rule{
			{},
			{Name: "all", Mode: rebate.Base, Give: rebate.Give{Commission: 6000}},
			{Name: "late", Mode: rebate.Base, When: rebate.When{Users: []int64{0}}, Give: rebate.Give{Commission: 20_000}},
			{Name: "late", Mode: rebate.Add, When: rebate.When{LevelFrom: 3, LevelTo: 2}, Give: rebate.Give{Price: 100}},
			{Name: "both", Mode: rebate.Add, When: rebate.When{From: june18, Until: june18}, Give: rebate.Give{Fixed: 1, Price: 1}, Budget: "none"},
			{Name: "tiers", Mode: rebate.Add, When: rebate.When{PriceFrom: 10, PriceUntil: 10}, Give: rebate.Give{Tiers: []rebate.Tier{{10, -1}, {10, 1}}}, Minimum: 5, Cap: 3, Round: 1000},
			{Name: "much", Mode: rebate.Add, When: rebate.When{From: june18, Until: june18.AddDate(10, 0, 0)}, Give: rebate.Give{Fixed: 100_01}, Budget: "none", Cap: -1},
			{Name: "rate", Mode: rebate.Add, When: rebate.When{Networks: []string{""}}, Give: rebate.Give{Price: 2001}},
		},
	}
	err := r.Validate()
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, part := range []string{
		"referral: inviters would get 110%", "settle: \"never\"", "settle_budget: there is no budget",
		"rules.0.name:", "rules.0.mode:", "rules.0.give: it gives 0 things", "rules.2: it never applies, because rule 1",
		"rules.2.when.users:", "rules.2.give.commission:", "rules.3.name: \"late\" is the name of rule 2", "rules.3.when.levels:", "rules.3.budget: what it gives",
		"rules.4.give: it gives 2 things", "rules.4.when.until:", "rules.4.budget: there is no budget \"none\"",
		"rules.5.when.price:", "rules.5.give.tiers.0.share:", "rules.5.give.tiers.1.from:", "rules.5.minimum:", "rules.5.round:",
		"rules.6.when.until: a campaign may last", "rules.6.give.fixed:", "rules.6.cap:", "rules.7.when.networks:", "rules.7.give.price:",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not among the mistakes", part)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestTheGuardFindsTheWorstCase(t *testing.T) {
	t.Parallel()
	add := func(name string, b money.Bps, w rebate.When) rebate.Rule {
		return rebate.Rule{Name: name, Mode: rebate.Add, When: w, Give: rebate.Give{Commission: b}}
	}
	tests := []struct {
		name  string
		rules rebate.Rules
		want  string // "" for none
	}{
		{"levels exclude each other", rebate.Rules{Base: 7000, Levels: map[int]money.Bps{1: 1000, 2: 2000, 3: 3000}}, ""},
		{"but not networks", rebate.Rules{Base: 7000, Levels: map[int]money.Bps{1: 1000, 3: 3000}, Networks: map[string]money.Bps{"jd": 1}}, "100.01%"},
		{"what lowers it counts", rebate.Rules{Base: 9000, Networks: map[string]money.Bps{"jd": -1000}, List: []rebate.Rule{add("x", 2000, rebate.When{Networks: []string{"jd"}})}}, ""},
		{"campaigns one after the other", rebate.Rules{Base: 7000, List: []rebate.Rule{
			add("a", 3000, rebate.When{From: june18, Until: june18.AddDate(0, 0, 1)}), add("b", 3000, rebate.When{From: june18.AddDate(0, 0, 1), Until: june18.AddDate(0, 0, 2)})}}, ""},
		{"campaigns that overlap", rebate.Rules{Base: 7000, List: []rebate.Rule{
			add("a", 3000, rebate.When{From: june18, Until: june18.AddDate(0, 0, 2)}), add("b", 3000, rebate.When{From: june18.AddDate(0, 0, 1)})}}, "130%"},
		{"prices one above the other", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 3000, rebate.When{PriceUntil: 100}), add("b", 3000, rebate.When{PriceFrom: 100})}}, ""},
		{"prices that overlap", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 3000, rebate.When{PriceUntil: 101}), add("b", 3000, rebate.When{PriceFrom: 100})}}, "130%"},
		{"another user", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 3000, rebate.When{Users: []int64{1}}), add("b", 3000, rebate.When{Users: []int64{2}})}}, ""},
		{"one user and one shop", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 3000, rebate.When{Users: []int64{1}}), add("b", 3000, rebate.When{Shops: []string{"s"}})}}, "130%"},
		{"a basis that is passed over", rebate.Rules{Base: 9000, Levels: map[int]money.Bps{1: 2000}, List: []rebate.Rule{
			{Name: "low", Mode: rebate.Base, When: rebate.When{LevelFrom: 1}, Give: rebate.Give{Commission: 5000}}}}, ""},
		{"a campaign that has always been", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 4000, rebate.When{Until: june18})}}, "110%"},
		{"a campaign that never ends", rebate.Rules{Base: 7000, List: []rebate.Rule{add("a", 4000, rebate.When{From: june18})}}, "110%"},
		{"what stands behind a basis that is passed over counts", rebate.Rules{Base: 9000, Levels: map[int]money.Bps{1: 2000}, List: []rebate.Rule{
			{Name: "first", Mode: rebate.Base, Give: rebate.Give{Commission: 9000}}}}, "110% of the commission: [first level 1]"},
		{"a budget pays", rebate.Rules{Base: 9000, Budgets: []string{"m"}, List: []rebate.Rule{{Name: "more", Mode: rebate.Add, Give: rebate.Give{Commission: 5000}, Budget: "m"}}}, ""},
		{"tiers", rebate.Rules{Base: 9000, List: []rebate.Rule{{Name: "t", Mode: rebate.Add, Give: rebate.Give{Tiers: []rebate.Tier{{0, 1}, {5, 1001}}}}}}, "100.01%"},
		{"estimate without a budget", rebate.Rules{Base: 1, Settle: rebate.SettleEstimate}, "settle_budget"},
	}
	for _, tt := range tests {
		err := tt.rules.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// anyRules draws a version with up to six rules, sound or not.
func anyRules(t *rapid.T) rebate.Rules {
	bps := func(from, to int64, name string) money.Bps {
		return money.Bps(rapid.Int64Range(from, to).Draw(t, name))
	}
	fen := func(to int64, name string) money.Fen { return money.Fen(rapid.Int64Range(0, to).Draw(t, name)) }
	r := rebate.Rules{
		Base: bps(0, 7000, "base"), Fee: bps(0, 3000, "fee"), Levels: map[int]money.Bps{1: bps(-2000, 2000, "level")},
		Cap: fen(2, "capped") * fen(5000, "cap"), Minimum: 1, Budgets: []string{"m"}, SettleBudget: "m",
		Referral: rebate.Referral{First: bps(0, 5000, "first"), Second: bps(0, 5000, "second")},
		Settle:   rapid.SampledFrom([]rebate.Settle{rebate.SettleActual, rebate.SettleLower, rebate.SettleEstimate}).Draw(t, "settle"),
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "rules") {
		rule := rebate.Rule{
			Name: fmt.Sprint(i), Mode: rapid.SampledFrom([]rebate.Mode{rebate.Base, rebate.Add}).Draw(t, "mode"),
			When: rebate.When{PriceFrom: fen(3, "from") * 30_00}, Round: fen(100, "round"), Cap: fen(1, "rule capped") * fen(900, "rule cap"),
			Budget: rapid.SampledFrom([]string{"", "m"}).Draw(t, "budget"),
		}
		if rapid.Bool().Draw(t, "for level 1") {
			rule.When.LevelFrom = 1
		}
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			rule.Give.Commission = bps(-3000, 9000, "commission")
		case 1:
			rule.Give.Price, rule.Budget = bps(1, 2000, "price"), "m"
		case 2:
			rule.Give.Fixed, rule.Budget = fen(2000, "fixed"), "m"
		default:
			rule.Give.Tiers = []rebate.Tier{{0, bps(0, 4000, "low")}, {50_00, bps(0, 4000, "high")}}
		}
		r.List = append(r.List, rule)
	}
	return r
}

func TestPartsAlwaysAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := anyRules(t)
		if rules.Validate() != nil {
			t.Skip("refused")
		}
		s := rebate.Sale{
			Commission: money.Fen(rapid.Int64Range(0, 50_00).Draw(t, "commission")), Estimated: money.Fen(rapid.Int64Range(0, 50_00).Draw(t, "estimated")),
			Price: money.Fen(rapid.Int64Range(0, 200_00).Draw(t, "price")), Settled: rapid.Bool().Draw(t, "settled"),
		}
		s.Refunded = money.Fen(rapid.Int64Range(0, int64(s.Price)).Draw(t, "refunded"))
		subject := rebate.Subject{Level: rapid.IntRange(0, 2).Draw(t, "level"), Price: s.Price}
		terms, err := rebate.ParseTerms(rules.Terms(1, subject).String())
		if err != nil {
			t.Fatal(err)
		}
		tr := terms.Of(s)
		net := s.Commission - s.Commission.Share(rules.Fee)
		house := s.Commission + tr.TopUp - tr.Rebate - tr.Cuts.Sum()
		switch {
		case tr.Rebate < 0 || tr.TopUp < 0 || tr.Cuts[0] < 0 || tr.Cuts[1] < 0:
			t.Fatalf("below zero: %+v", tr)
		case house < s.Commission.Share(rules.Fee):
			t.Fatalf("the house keeps %d of %d, less than the fee: %s", house, s.Commission, tr)
		case tr.TopUp == 0 && tr.Rebate+tr.Cuts.Sum() > net:
			t.Fatalf("%d and %d of %d are given without a budget: %s", tr.Rebate, tr.Cuts.Sum(), net, tr)
		case rules.Settle != rebate.SettleEstimate && tr.TopUp != max(tr.Rebate-net, 0):
			t.Fatalf("%d on top, although %d of the commission cover all but %d: %s", tr.TopUp, net, max(tr.Rebate-net, 0), tr)
		case tr.TopUp > 0 && tr.Budget == "":
			t.Fatalf("nobody pays %d: %s", tr.TopUp, tr)
		case tr.Cuts.Sum() != max(net+tr.TopUp-tr.Rebate, 0).Share(rules.Referral.First+rules.Referral.Second):
			t.Fatalf("the inviters' parts %v are not the whole of their share", tr.Cuts)
		case rules.Cap > 0 && tr.Rebate > rules.Cap:
			t.Fatalf("%d is above the cap", tr.Rebate)
		case s.Commission == 0 && tr.Rebate != 0:
			t.Fatalf("no commission brings %d", tr.Rebate)
		}
		if again := terms.Of(s); fmt.Sprint(again) != fmt.Sprint(tr) {
			t.Fatal("computing it again gives something else")
		}
	})
}

func TestTheFenThatIsLeftOverGoesToTheLargerRemainder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kept          money.Fen
		first, second money.Bps
		want          rebate.Cuts
	}{
		{100, 1000, 500, rebate.Cuts{10, 5}},
		{9, 5000, 5000, rebate.Cuts{5, 4}}, // equal: the first
		{10, 3300, 3700, rebate.Cuts{3, 4}},
		{10, 3700, 3300, rebate.Cuts{4, 3}},
		{10, 1900, 5200, rebate.Cuts{2, 5}}, // nine tenths against two
		{10, 5200, 1900, rebate.Cuts{5, 2}},
		{10_010, 1900, 5200, rebate.Cuts{1902, 5205}},
		{1, 4999, 4999, rebate.Cuts{0, 0}},
		{1, 10_000, 0, rebate.Cuts{1, 0}},
		{0, 5000, 5000, rebate.Cuts{}},
	}
	for _, tt := range tests {
		terms := rebate.Rules{Referral: rebate.Referral{First: tt.first, Second: tt.second}}.Terms(1, rebate.Subject{})
		if got := terms.Rebate(tt.kept).Cuts; got != tt.want {
			t.Errorf("%d by %s and %s: %v, want %v", tt.kept, tt.first, tt.second, got, tt.want)
		}
	}
}

func TestWhatASettledLineIsComputedFrom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		way             rebate.Settle
		sale            rebate.Sale
		want, topUp     money.Fen
		commissionShown money.Fen
	}{
		{rebate.SettleActual, rebate.Sale{Commission: 800, Estimated: 1000, Settled: true}, 400, 0, 800},
		{rebate.SettleActual, rebate.Sale{Commission: 1200, Estimated: 1000, Settled: true}, 600, 0, 1200},
		{rebate.SettleLower, rebate.Sale{Commission: 800, Estimated: 1000, Settled: true}, 400, 0, 800},
		{rebate.SettleLower, rebate.Sale{Commission: 1200, Estimated: 1000, Settled: true}, 500, 0, 1000},
		{rebate.SettleLower, rebate.Sale{Commission: 1200, Estimated: 1000}, 600, 0, 1200}, // not settled yet
		{rebate.SettleLower, rebate.Sale{Commission: 1200, Settled: true}, 600, 0, 1200},   // nobody had an estimate
		{rebate.SettleEstimate, rebate.Sale{Commission: 800, Estimated: 1000, Settled: true}, 500, 100, 1000},
		{rebate.SettleEstimate, rebate.Sale{Commission: 100, Estimated: 1000, Settled: true}, 500, 450, 1000},
		{rebate.SettleEstimate, rebate.Sale{Commission: 1200, Estimated: 1000, Settled: true}, 600, 0, 1200},
		{rebate.SettleEstimate, rebate.Sale{Commission: 0, Estimated: 1000, Settled: true}, 0, 0, 0}, // it all went back
		{rebate.SettleEstimate, rebate.Sale{Commission: 400, Estimated: 1000, Price: 100, Refunded: 50, Settled: true}, 250, 50, 500},
		{rebate.SettleEstimate, rebate.Sale{Commission: 1000, Estimated: 1000, Settled: true}, 500, 0, 1000},
		{rebate.SettleEstimate, rebate.Sale{Commission: 800, Estimated: 1, Settled: true}, 400, 0, 800},
		{rebate.SettleEstimate, rebate.Sale{Commission: 1, Estimated: 1000, Settled: true}, 500, 500, 1000},
	}
	for _, tt := range tests {
		terms := rebate.Rules{Base: 5000, Settle: tt.way, SettleBudget: "m", Budgets: []string{"m"}}.Terms(1, rebate.Subject{})
		tr := terms.Of(tt.sale)
		if tr.Rebate != tt.want || tr.TopUp != tt.topUp || tr.Commission != tt.commissionShown {
			t.Errorf("%s of %+v: %d with %d on top from %d, want %d with %d from %d", tt.way, tt.sale, tr.Rebate, tr.TopUp, tr.Commission, tt.want, tt.topUp, tt.commissionShown)
		}
	}
}

func TestAPartialRefundLowersWhatDependsOnThePrice(t *testing.T) {
	t.Parallel()
	terms := rich().Terms(1, rebate.Subject{Category: "手机", Item: "sku1"})
	var before money.Fen = 1 << 40
	for _, back := range []money.Fen{0, 1, 100_00, 500_00, 999_99, 1000_00} {
		tr := terms.Of(rebate.Sale{Commission: 1000_00 - back, Price: 1000_00, Refunded: back})
		if tr.Rebate > before {
			t.Errorf("after %s went back it is %s, more than %s", back, tr.Rebate, before)
		}
		before = tr.Rebate
	}
	if before != 0 {
		t.Errorf("everything went back and %s is left", before)
	}
}

func TestWhomARuleIsFor(t *testing.T) {
	t.Parallel()
	day := june18.AddDate(0, 0, 1)
	tests := []struct {
		name string
		when rebate.When
		fits []rebate.Subject
		not  []rebate.Subject
	}{
		{"everybody", rebate.When{}, []rebate.Subject{{}, {Level: 9, Network: "jd", User: 1, At: day}}, nil},
		{"networks", rebate.When{Networks: []string{"jd", "pdd"}}, []rebate.Subject{{Network: "jd"}, {Network: "pdd"}}, []rebate.Subject{{}, {Network: "taobao"}}},
		{"categories", rebate.When{Categories: []string{"手机"}}, []rebate.Subject{{Category: "手机"}}, []rebate.Subject{{}, {Shop: "手机"}}},
		{"shops", rebate.When{Shops: []string{"自营"}}, []rebate.Subject{{Shop: "自营"}}, []rebate.Subject{{}, {Category: "自营"}}},
		{"items", rebate.When{Items: []string{"1"}}, []rebate.Subject{{Item: "1"}}, []rebate.Subject{{}, {Item: "11"}}},
		{"users", rebate.When{Users: []int64{7}}, []rebate.Subject{{User: 7}}, []rebate.Subject{{}, {User: 8}}},
		{"levels from", rebate.When{LevelFrom: 2}, []rebate.Subject{{Level: 2}, {Level: 99}}, []rebate.Subject{{Level: 0}, {Level: 1}}},
		{"levels to", rebate.When{LevelTo: 2}, []rebate.Subject{{Level: 0}, {Level: 2}}, []rebate.Subject{{Level: 3}}},
		{"levels from and to", rebate.When{LevelFrom: 1, LevelTo: 2}, []rebate.Subject{{Level: 1}, {Level: 2}}, []rebate.Subject{{Level: 0}, {Level: 3}}},
		{"the lowest level", rebate.When{LevelOnly: true}, []rebate.Subject{{Level: 0}}, []rebate.Subject{{Level: 1}}},
		{"from", rebate.When{From: june18}, []rebate.Subject{{At: june18}, {At: day}}, []rebate.Subject{{}, {At: june18.Add(-1)}}},
		{"until", rebate.When{Until: day}, []rebate.Subject{{At: june18}, {At: day.Add(-1)}}, []rebate.Subject{{}, {At: day}}},
		{"from and until", rebate.When{From: june18, Until: day}, []rebate.Subject{{At: june18}, {At: day.Add(-1)}}, []rebate.Subject{{}, {At: june18.Add(-1)}, {At: day}}},
		{"two things", rebate.When{Networks: []string{"jd"}, Users: []int64{7}}, []rebate.Subject{{Network: "jd", User: 7}}, []rebate.Subject{{Network: "jd"}, {User: 7}}},
	}
	for _, tt := range tests {
		r := rebate.Rules{Base: 5000, List: []rebate.Rule{{Name: "r", Mode: rebate.Add, When: tt.when, Give: rebate.Give{Commission: 1000}}}}
		for _, s := range tt.fits {
			if got := r.Terms(1, s).Share; got != 6000 {
				t.Errorf("%s: it is not for %+v", tt.name, s)
			}
		}
		for _, s := range tt.not {
			if got := r.Terms(1, s).Share; got != 5000 {
				t.Errorf("%s: it is for %+v", tt.name, s)
			}
		}
	}
}

// TestThePriceDecidesWhenTheOrderComes: conditions on it stay open in the terms,
// which hold no basis that can never count.
func TestThePriceDecidesWhenTheOrderComes(t *testing.T) {
	t.Parallel()
	base := func(name string, from, until money.Fen, b money.Bps) rebate.Rule {
		return rebate.Rule{Name: name, Mode: rebate.Base, When: rebate.When{PriceFrom: from, PriceUntil: until}, Give: rebate.Give{Commission: b}}
	}
	r := rebate.Rules{Base: 4000, List: []rebate.Rule{base("low", 0, 100, 1000), base("middle", 100, 200, 2000), base("high", 500, 0, 3000)}}
	for price, want := range map[money.Fen]money.Fen{0: 100, 99: 100, 100: 200, 199: 200, 200: 400, 499: 400, 500: 300, 1 << 40: 300} {
		if tr := r.Terms(1, rebate.Subject{}).Of(rebate.Sale{Commission: 1000, Price: price}); tr.Rebate != want {
			t.Errorf("at %d it is %d, want %d: %s", price, tr.Rebate, want, tr)
		}
	}
	if n := len(r.Terms(1, rebate.Subject{}).Parts); n != 4 {
		t.Errorf("of three bases for some prices and one for all, %d are in the terms", n)
	}
	r.List = append([]rebate.Rule{base("all", 0, 0, 5000)}, r.List...)
	if n := len(r.Terms(1, rebate.Subject{}).Parts); n != 1 {
		t.Errorf("behind a basis for all prices, %d are in the terms", n-1)
	}
}
