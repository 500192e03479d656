package withdraw_test

import (
	"testing"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// TestLimitsChangeWhileTheDeskIsAtWork: what is asked for afterwards meets the new
// ones, and the fields are those at first.
func TestLimitsChangeWhileTheDeskIsAtWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(7, 10_000)
	w.give(8, 10_000)
	w.request(7, 100)
	l := w.Limits
	l.Minimum, l.Maximum, l.FourEyes = 500, 2_000, 1_500
	w.Change(l)
	for amount, reason := range map[int64]string{499: "withdraw.below_minimum", 2_001: "withdraw.above_maximum"} {
		if _, err := w.Request(t.Context(), 8, money.Fen(amount), "k"); fault.ReasonOf(err) != reason {
			t.Errorf("%d: %v, want %s", amount, err, reason)
		}
	}
	l.Auto = 0
	w.Change(l)
	big := w.request(8, 2_000)
	if got, err := w.Approve(t.Context(), big.ID, "an"); err != nil || got.State != withdraw.Reviewing {
		t.Errorf("one has approved: %s, %v", got.State, err)
	}
	if got, err := w.Approve(t.Context(), big.ID, "bo"); err != nil || got.State != withdraw.Approved {
		t.Errorf("two have approved: %s, %v", got.State, err)
	}
}
