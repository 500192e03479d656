package wechatpay_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// On a road where three in ten requests and half of the answers get lost, and
// which lies at times, every payment leaves once, or never if it was called back;
// and what we are told last is what happened.
func TestRoughRoad(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 7))
			w := open(t, wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NameFrom = "0.30" })
			for i := range 8 {
				p := payment()
				p.Number, p.Amount = fmt.Sprintf("F%dX%d", seed, i), money.Fen(100+i)
				back := dice.IntN(4) == 0
				v := walk(t, w, dice, p, back)
				left := w.fake.Paid(p.Number)
				if v == withdraw.Done && (len(left) != 1 || left[0] != p.Amount) || v == withdraw.Dead && (len(left) != 0 || !back) {
					t.Errorf("%s is %s, and %v left", p.Number, v, left)
				}
			}
		})
	}
}

// walk pays p, or calls it back once it waits, as long as it takes.
func walk(t *testing.T, w *world, dice *rand.Rand, p withdraw.Payment, back bool) withdraw.Verdict {
	t.Helper()
	ways := []string{wechatpayfake.LostRequest, wechatpayfake.LostRequest, wechatpayfake.LostRequest, wechatpayfake.LostAnswer, wechatpayfake.LostAnswer,
		wechatpayfake.LostAnswer, wechatpayfake.LostAnswer, wechatpayfake.Late, wechatpayfake.SystemError, wechatpayfake.Unsigned, wechatpayfake.Lying, ""}
	verdict, called := withdraw.Absent, false
	for range 400 {
		w.fake.Fail(ways[dice.IntN(len(ways))])
		var o withdraw.Outcome
		var err error
		switch {
		case verdict == withdraw.Absent:
			o, err = w.Send(t.Context(), p)
		case verdict == withdraw.Waiting && back || called:
			called = true
			o, err = w.Cancel(t.Context(), p.Number)
		case verdict == withdraw.Waiting:
			if err := w.fake.Confirm(p.Number); err != nil {
				t.Fatal(err)
			}
			o, err = w.Query(t.Context(), p.Number)
		default:
			o, err = w.Query(t.Context(), p.Number)
		}
		if err != nil {
			o.Verdict = withdraw.Unclear
		}
		if verdict = o.Verdict; verdict == withdraw.Done || verdict == withdraw.Dead {
			return verdict
		}
	}
	t.Errorf("%s did not come to an end", p.Number)
	return verdict
}
