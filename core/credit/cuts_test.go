package credit_test

import (
	"fmt"
	"testing"

	"fanli/core/money"
	"fanli/core/rebate"
)

// TestWhatIsSaidOfInvitersParts follows one line: what came, what only changed its
// place, what went to somebody else, and what went back after it was paid out.
func TestWhatIsSaidOfInvitersParts(t *testing.T) {
	t.Parallel()
	b := open()
	steps := []struct {
		name   string
		stage  rebate.Stage
		user   int64
		cuts   [2]rebate.Cut
		spends money.Fen // by user 8, before
		want   string
	}{
		{"an order without them", rebate.Pending, 42, [2]rebate.Cut{}, 0, "[]"},
		{"it settles", rebate.Pending, 42, [2]rebate.Cut{{User: 8, Amount: 15}, {User: 9, Amount: 8}}, 0, "[{8 0.00 0.15 0.00} {9 0.00 0.08 0.00}]"},
		{"it becomes available", rebate.Available, 42, [2]rebate.Cut{{User: 8, Amount: 15}, {User: 9, Amount: 8}}, 0, "[]"},
		{"a part goes back", rebate.Available, 42, [2]rebate.Cut{{User: 8, Amount: 10}, {User: 9, Amount: 8}}, 0, "[{8 0.15 0.10 0.00}]"},
		{"it was invited by another", rebate.Available, 42, [2]rebate.Cut{{User: 8, Amount: 10}, {User: 7, Amount: 8}}, 0, "[{9 0.08 0.00 0.00} {7 0.00 0.08 0.00}]"},
		{"nobody bought it", rebate.Nothing, 0, [2]rebate.Cut{}, 4, "[{8 0.10 0.00 0.04} {7 0.08 0.00 0.00}]"},
	}
	for i, s := range steps {
		if s.spends > 0 {
			spend(t, b, 8, s.spends)
		}
		r := at(int64(i+1), s.user, s.stage, 100, 50)
		r.Cuts = s.cuts
		if s.user == 0 {
			r.Amount = 0
		}
		if got := fmt.Sprint(hear(t, b, r).Cuts); got != s.want {
			t.Errorf("%s: said is %s, want %s", s.name, got, s.want)
		}
	}
}
