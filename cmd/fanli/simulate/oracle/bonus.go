package oracle

import (
	"fmt"
	"slices"
	"time"

	"fanli/core/money"
)

// beijing is where days begin.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// bonuses says what everybody got: once, or once a day, whichever of somebody's accounts
// asks, and as long as all of it is left in the budget of the day, the month, and for good.
func bonuses(t Truth) map[int64]money.Fen {
	earned, spent, had := map[int64]money.Fen{}, map[string]money.Fen{}, map[string]bool{}
	for _, x := range t.Bonuses {
		day, month := x.At.In(beijing).Format("2006-01-02"), x.At.In(beijing).Format("2006-01")
		once := func(account int64) string { return fmt.Sprint(x.Budget, account) }
		kin := []int64{x.User}
		if x.Daily {
			once = func(account int64) string { return fmt.Sprint(x.Budget, account, " ", day) }
			kin = people(t.Unions).accounts(x.User, x.At)
		}
		fits := !slices.ContainsFunc(kin, func(account int64) bool { return had[once(account)] })
		limit := t.Budgets[x.Budget]
		spans := map[string]money.Fen{day: limit.Day, month: limit.Month, "": limit.Total}
		for span, most := range spans {
			fits = fits && (most == 0 || spent[x.Budget+span]+x.Amount <= most)
		}
		if !fits {
			continue
		}
		had[once(x.User)] = true
		earned[people(t.Unions).root(x.User)] += x.Amount
		for span := range spans {
			spent[x.Budget+span] += x.Amount
		}
	}
	return earned
}

// cuts divides what the house keeps of a line among those who had brought its
// buyer when the order was placed. What both lose by rounding goes to who lost
// more; a part that is nobody's stays with the house.
func (o evidence) cuts(r *Rules, l Line, buyer int64, kept money.Fen) (cs [2]Cut) {
	earning := []int64{o.who(buyer, l.Created)} // nobody earns from themselves, or twice
	amounts := [2]money.Fen{part(kept, r.First), part(kept, r.Second)}
	if lost := part(kept, r.First+r.Second) - amounts[0] - amounts[1]; lost > 0 {
		most := 0
		if kept*money.Fen(r.Second)%money.Fen(money.Whole) > kept*money.Fen(r.First)%money.Fen(money.Whole) {
			most = 1
		}
		amounts[most] += lost
	}
	for i := range cs {
		by, ok := o.brought[buyer]
		who := o.who(by.Inviter, l.Created)
		if !ok || by.At.After(l.Created) || slices.Contains(earning, who) {
			return cs
		}
		earning = append(earning, who)
		cs[i] = Cut{by.Inviter, amounts[i]}
		buyer = by.Inviter
	}
	return cs
}
