package configs

import (
	"maps"
	"slices"

	"fanli/core/money"
)

// Bounds of what makes sense in a day.
const (
	dayCountMax      = 100
	dayMax      Yuan = 1_000_000_00  // of one user or payout account
	houseMax    Yuan = 50_000_000_00 // of the house
	riskMax          = 160           // all signs together
	payerMinMax Yuan = 100_00
)

// checkDays refuses limits of a day that make no sense, or that no withdrawal
// could keep.
func (w Withdraw) checkDays(k *checker) {
	if w.DayCount < 0 || w.DayCount > dayCountMax {
		k.bad("withdraw.day_count", "%d is not between 0, which is any number, and %d", w.DayCount, dayCountMax)
	}
	if w.Risk < 0 || w.Risk > riskMax {
		k.bad("withdraw.risk", "%d is not between 0 and %d, all points together", w.Risk, riskMax)
	}
	day := func(key string, v, most Yuan) {
		switch {
		case v < 0:
			k.bad(key, "it is below zero")
		case v > most:
			k.bad(key, "%s is more than %s", money.Fen(v), money.Fen(most))
		case v > 0 && v < w.Minimum:
			k.bad(key, "it is below withdraw.minimum: nothing could be withdrawn; 0 means no limit")
		}
	}
	day("withdraw.day_amount", w.DayAmount, dayMax)
	day("withdraw.payee_day", w.PayeeDay, dayMax)
	day("withdraw.house_day", w.HouseDay, houseMax)
	if w.FourEyes < 0 || w.FourEyes > payoutMax {
		k.bad("withdraw.four_eyes", "%s is not between 0 and %s", money.Fen(w.FourEyes), money.Fen(payoutMax))
	}
	if w.FourEyes > 0 && w.FourEyes < w.Auto {
		k.bad("withdraw.four_eyes", "it is below withdraw.auto: more than two people look at would go by itself")
	}
	for _, name := range slices.Sorted(maps.Keys(w.PayerMinimum)) {
		if v := w.PayerMinimum[name]; v < 0 || v > payerMinMax {
			k.bad(join("withdraw.payer_minimum", name), "%s is not between 0 and %s", money.Fen(v), money.Fen(payerMinMax))
		}
	}
}
