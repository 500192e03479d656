package rebate_test

import (
	"slices"
	"strings"
	"testing"

	"fanli/core/money"
	"fanli/core/rebate"
)

// TestTheTraceWordByWord holds whole traces: what is not there to be said is not
// said either.
func TestTheTraceWordByWord(t *testing.T) {
	t.Parallel()
	base := rebate.Part{Kind: "base", Bps: 5000}
	gift := rebate.Part{Kind: "rule", Name: "gift", Fixed: 300, Budget: "m"}
	price := rebate.Part{Kind: "rule", Name: "item", Price: 100, Budget: "n"}
	more := rebate.Part{Kind: "rule", Name: "more", Bps: 1000, Cap: 90}
	parts := func(ps ...rebate.Part) rebate.Terms { return rebate.Terms{Parts: ps} }
	tests := []struct {
		name  string
		terms rebate.Terms
		sale  rebate.Sale
		want  string
	}{
		{"one share", parts(base), rebate.Sale{Commission: 1000}, "base 50% × commission ¥10.00 = ¥5.00"},
		{"two", parts(base, rebate.Part{Kind: "level", Name: "1", Bps: 500}), rebate.Sale{Commission: 1000}, "base 50% + level 1 5% = 55% × commission ¥10.00 = ¥5.50"},
		{"none", parts(gift), rebate.Sale{Commission: 1000}, "0% × commission ¥10.00 = ¥0.00 + rule gift fixed ¥3.00 = ¥3.00; together ¥3.00"},
		{"every form", parts(base, gift, price, more), rebate.Sale{Commission: 2000, Price: 100_00, Refunded: 25_00},
			"base 50% × commission ¥20.00 = ¥10.00 + rule gift fixed ¥3.00 = ¥2.25 + rule item 1% × paid ¥75.00 = ¥0.75 + rule more 10% × ¥20.00 = ¥0.90; together ¥13.90"},
		{"more went back than was paid", parts(base, price), rebate.Sale{Commission: 100, Price: 100, Refunded: 101}, "base 50% × commission ¥1.00 = ¥0.50 + rule item 1% × paid ¥0.00 = ¥0.00; together ¥0.50"},
		{"a budget pays", parts(base, gift), rebate.Sale{Commission: 100}, "base 50% × commission ¥1.00 = ¥0.50 + rule gift fixed ¥3.00 = ¥3.00; together ¥3.50; budget m pays ¥2.50 of it"},
		{"a fee", rebate.Terms{Parts: []rebate.Part{base}, Fee: 1000}, rebate.Sale{Commission: 1000}, "base 50% × ¥9.00 (commission ¥10.00 − fee 10%) = ¥4.50"},
		{"limited", parts(base, rebate.Part{Kind: "rule", Name: "gift", Fixed: 300}), rebate.Sale{Commission: 100},
			"base 50% × commission ¥1.00 = ¥0.50 + rule gift fixed ¥3.00 = ¥3.00; together ¥3.50, at most the commission after the fee ¥1.00"},
		{"capped", rebate.Terms{Parts: []rebate.Part{base}, Cap: 100}, rebate.Sale{Commission: 1000}, "base 50% × commission ¥10.00 = ¥5.00, at most ¥1.00"},
		{"small", rebate.Terms{Parts: []rebate.Part{base}, Minimum: 10}, rebate.Sale{Commission: 10}, "base 50% × commission ¥0.10 = ¥0.05, below ¥0.10: nothing"},
		{"settled for less", rebate.Terms{Parts: []rebate.Part{base}, Settle: rebate.SettleEstimate, SettleBudget: "m"}, rebate.Sale{Commission: 800, Estimated: 1000, Settled: true},
			"base 50% × commission ¥10.00 = ¥5.00; the network settled ¥8.00; budget m pays ¥1.00 of it"},
		{"used up", rebate.Terms{Parts: []rebate.Part{base}, Dry: []string{"gift", "item"}}, rebate.Sale{Commission: 1000}, "base 50% × commission ¥10.00 = ¥5.00; budget used up for gift, item"},
	}
	for _, tt := range tests {
		if got := tt.terms.Of(tt.sale).String(); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}

func TestAVersionLineByLine(t *testing.T) {
	t.Parallel()
	r := rebate.Rules{
		Base: 7000, Fee: 1000, Levels: map[int]money.Bps{2: 700, 1: 500}, Networks: map[string]money.Bps{"jd": -1000}, HoldDays: map[string]int{"pdd": 15, "": 7},
		Cap: 3000, Minimum: 10, Referral: rebate.Referral{First: 1000, Second: 500}, Budgets: []string{"m", "n"},
		List: []rebate.Rule{
			{Name: "a", Mode: rebate.Base, When: rebate.When{Users: []int64{7, 8}, LevelFrom: 1, LevelTo: 3}, Give: rebate.Give{Commission: 100}},
			{Name: "b", Mode: rebate.Add, When: rebate.When{LevelOnly: true, PriceFrom: 1, PriceUntil: 100}, Give: rebate.Give{Fixed: 5}, Minimum: 1, Cap: 2, Round: 3, Budget: "m"},
			{Name: "c", Mode: rebate.Add, When: rebate.When{LevelFrom: 2, Shops: []string{"自营"}}, Give: rebate.Give{Price: 10}, Budget: "n"},
		},
	}
	want := []string{
		"1. a: base 1% of the commission when users [7 8], level 1 to 3",
		"2. b: add ¥0.05 when level 0 to 0, price from ¥0.01, price below ¥1.00, at least ¥0.01, at most ¥0.02, in steps of ¥0.03, budget m",
		"3. c: add 0.1% of the price when shops [自营], level 2 or above, budget n",
		"base 70% of the commission", "fee 10%, before it is shared", "level 1 adds 5%", "level 2 adds 7%", "network jd adds -10%",
		"at most ¥30.00 for one line", "nothing below ¥0.10", "hold default: 7 days", "hold pdd: 15 days",
		"inviters get 10% and 5% of what the house keeps", "a settled line is computed from: settled", "budgets that may pay: m, n",
	}
	if got := r.Lines(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	o := r
	o.Settle = rebate.SettleActual
	if got := rebate.Compare(r, o); !slices.Equal(got, []string{"  the same in other words"}) {
		t.Errorf("two words for one thing: %q", got)
	}
	o.Settle, o.SettleBudget, o.Budgets = rebate.SettleEstimate, "m", []string{"m"}
	if got := rebate.Compare(r, o); !slices.Equal(got, []string{
		"- a settled line is computed from: settled", "- budgets that may pay: m, n", "+ a settled line is computed from: estimate m", "+ budgets that may pay: m",
	}) {
		t.Errorf("another way and one budget less: %q", got)
	}
	if got := (rebate.Rules{}).Lines(); !slices.Equal(got, []string{
		"base 0% of the commission", "fee 0%, before it is shared", "at most anything for one line", "nothing below ¥0.00",
		"inviters get 0% and 0% of what the house keeps", "a settled line is computed from: settled",
	}) {
		t.Errorf("no rules: %q", got)
	}
}
