package rebate_test

import (
	"testing"

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
