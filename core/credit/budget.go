package credit

import (
	"context"
	"maps"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// A Budget bounds what may be given away under one name; 0: no limit.
type Budget struct {
	Day   money.Fen
	Month money.Fen
	Total money.Fen
}

// budgetMax bounds a limit: more is a slip of the hand.
const budgetMax money.Fen = 1_000_000_00

// Validate refuses limits that make no sense.
func (b Budget) Validate() error {
	for _, n := range []money.Fen{b.Day, b.Month, b.Total} {
		if n < 0 || n > budgetMax {
			return fault.Newf(fault.Invalid, "", "%s is not between 0 and %s", n, budgetMax)
		}
	}
	if b == (Budget{}) {
		return fault.New(fault.Invalid, "a budget needs at least one limit")
	}
	return nil
}

// period is a stretch of time with its limit.
type period struct {
	name  string // "2026-11-27", "2026-11", "total"
	limit money.Fen
}

// spanTotal is all of time.
const spanTotal = "total"

// periods are those that a moment is in, the shortest first.
func (b Budget) periods(now time.Time, zone *time.Location) [3]period {
	if zone == nil {
		zone = time.UTC
	}
	now = now.In(zone)
	return [3]period{{now.Format("2006-01-02"), b.Day}, {now.Format("2006-01"), b.Month}, {spanTotal, b.Total}}
}

// spend takes amount from a budget. It fails with fault.Limited if not all of it
// is there; the transaction must then end.
func (b Budget) spend(tx Tx, name string, amount money.Fen, now time.Time, zone *time.Location) error {
	for _, p := range b.periods(now, zone) {
		ok, err := tx.Spend(name, p.name, amount, p.limit)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Newf(fault.Limited, "bonus.used_up", "budget %s has no %s left for %s", name, amount, p.name)
		}
	}
	return nil
}

// spending collects what a batch takes from budgets and gives back.
type spending map[string]money.Fen

func (s spending) add(old, b Booked) {
	s[old.Budget] -= old.TopUp
	s[b.Budget] += b.TopUp
}

// enter counts it without a limit: these were promised, and a promise is kept. The
// limits decide what is promised.
func (s spending) enter(tx Tx, now time.Time, zone *time.Location) error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if s[name] == 0 {
			continue
		}
		if err := (Budget{}).spend(tx, name, s[name], now, zone); err != nil {
			return err
		}
	}
	return nil
}

// Dry reports whether a budget is used up, for a day, a month or for good. One that
// is not known is.
func (t *Treasurer) Dry(ctx context.Context, name string) (bool, error) {
	b, ok := t.terms().Budgets[name]
	if !ok {
		return true, nil
	}
	var names []string
	for _, p := range b.periods(t.Now(), t.Zone) {
		names = append(names, p.name)
	}
	used, err := t.Store.Used(ctx, name, names)
	if err != nil {
		return false, err
	}
	for _, p := range b.periods(t.Now(), t.Zone) {
		if p.limit > 0 && used[p.name] >= p.limit {
			return true, nil
		}
	}
	return false, nil
}
