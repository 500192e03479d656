package credit

import (
	"fmt"
	"slices"

	"fanli/core/fault"
	"fanli/core/money"
)

// What is bounded for one person is bounded over all accounts that are linked at the
// moment of the gift. Each account counts what came through it, so nothing needs to be
// moved when accounts are linked, and when they are taken apart again each has used what
// it has used. All of it is read in the transaction of the gift, and writers of a target
// take turns: of two gifts at once the second one sees the first.

// fits reports whether a person may have a gift at all, and cuts it to what their cap
// leaves of it.
func (g *Gift) fits(tx Tx) (bool, error) {
	if g.account == 0 {
		return true, nil
	}
	kin, err := tx.Kin(g.account)
	if err != nil {
		return false, err
	}
	if slices.Contains(kin, g.inviter) {
		return false, nil
	}
	if g.came {
		if came, err := tx.Came(kin); err != nil || came {
			return false, err
		}
	}
	if g.same != nil {
		return g.only(tx, kin)
	}
	return g.capTo(tx, kin)
}

// only reports whether none of a person's accounts was given the same.
func (g *Gift) only(tx Tx, kin []int64) (bool, error) {
	if len(kin) < 2 { // whose key it is was looked up by that
		return true, nil
	}
	keys := make([]string, len(kin))
	for i, account := range kin {
		keys[i] = g.same(account)
	}
	known, err := tx.Entries(keys)
	return len(known) == 0, err
}

// capTo cuts the gift to what a person's cap leaves, and counts it for its account.
func (g *Gift) capTo(tx Tx, kin []int64) (bool, error) {
	own := func(account int64) string { return fmt.Sprintf("user/%d/%s", account, g.capped) }
	var all, mine money.Fen
	for _, account := range kin {
		n, err := tx.Spent(own(account), spanTotal)
		if err != nil {
			return false, err
		}
		if all += n; account == g.account {
			mine = n
		}
	}
	if g.Amount = min(g.Amount, g.cap-all); g.Amount <= 0 {
		return false, nil
	}
	ok, err := tx.Spend(own(g.account), spanTotal, g.Amount, g.cap-all+mine)
	if err == nil && !ok {
		err = fault.Newf(fault.Internal, "", "%s has no %s left", own(g.account), g.Amount)
	}
	return ok, err
}
