package notify_test

import (
	"fmt"
	"slices"
	"testing"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/withdraw"
)

// A piece of news, as it may arrive in any order.
type piece struct {
	id   string
	name event.Name
	data any
	hear func(*notify.Office) event.Handler
}

// permutations calls do with every order of 0 to n-1.
func permutations(n int, do func([]int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var rec func(k int)
	rec = func(k int) {
		if k == n {
			do(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			rec(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	rec(0)
}

// TestNobodyIsToldAnOlderStateAfterANewerOne hears every order of the news of one
// thing, some of it twice. The last that is told is always the newest; what is told is
// in order.
func TestNobodyIsToldAnOlderStateAfterANewerOne(t *testing.T) {
	t.Parallel()
	paid := func(rev int, state, was withdraw.State, auto bool) piece {
		return piece{
			fmt.Sprintf("withdrawal/7/%d-%s", rev, state), event.WithdrawalChanged,
			withdraw.Changed{ID: 7, User: 42, Amount: 100, State: state, Was: was, Auto: auto},
			func(o *notify.Office) event.Handler { return o.WithdrawalChanged },
		}
	}
	posted := func(seq int64, with func(*credit.Change)) piece {
		return piece{
			fmt.Sprint("ledger/", seq), event.LedgerPosted, credit.Posted{Changes: []credit.Change{change(seq, with)}},
			func(o *notify.Office) event.Handler { return o.LedgerPosted },
		}
	}
	claimed := func(rev int, s order.ClaimState) piece {
		return piece{
			fmt.Sprintf("claim/3/rev%d", rev), event.ClaimChanged, order.ClaimChanged{ID: 3, User: 42, State: s},
			func(o *notify.Office) event.Handler { return o.ClaimChanged },
		}
	}
	charged := func(rev int, s collect.Stage) piece {
		return piece{
			fmt.Sprintf("charge/3/%d", rev), event.ChargeChanged, collect.Changed{ID: 3, User: 42, Stage: s},
			func(o *notify.Office) event.Handler { return o.ChargeChanged },
		}
	}
	for name, news := range map[string][]piece{
		"a withdrawal": {
			paid(1, withdraw.Requested, "", true), paid(3, withdraw.Unknown, withdraw.Sending, true), paid(5, withdraw.Failed, withdraw.Sending, true),
			paid(12, withdraw.Paid, withdraw.Failed, true),
		},
		"an order": {
			posted(1, func(c *credit.Change) { c.Before, c.Was = 0, rebate.Nothing }), posted(2, func(c *credit.Change) { c.Now = 80 }),
			posted(9, func(c *credit.Change) { c.Stage, c.State = rebate.Available, order.Settled }),
			posted(10, func(c *credit.Change) { c.Now, c.Stage, c.State = 0, rebate.Nothing, order.Invalid }),
		},
		"a claim":  {claimed(1, order.ClaimWaiting), claimed(2, order.ClaimRefused), claimed(10, order.ClaimGranted)},
		"a charge": {charged(2, collect.Held), charged(3, collect.Refunding), charged(4, collect.Refunded)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			permutations(len(news), func(p []int) {
				o := open(t)
				at, last, most := -1, "", 0
				for _, i := range slices.Concat(p, p[:1]) {
					n := news[i]
					o.hear(n.id, n.name, n.data, n.hear(o.Office))
					if i > most {
						most = i
					}
					if told := o.tray.all; len(told) > 0 && told[len(told)-1].Key != last {
						if last = told[len(told)-1].Key; i < at || i != most {
							t.Errorf("in order %v, state %d is told after state %d", p, i, at)
						}
						at = i
					}
				}
				if at != len(news)-1 {
					t.Errorf("in order %v, the last that is told is state %d of %d", p, at, len(news))
				}
			})
		})
	}
}

// TestADebtIsAlwaysTold, also when something newer about the order came before.
func TestADebtIsAlwaysTold(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, c := range []credit.Change{
		change(5, func(c *credit.Change) { c.Now = 120 }),
		change(4, func(c *credit.Change) { c.Now, c.Debt = 0, 100 }),
		change(3, func(c *credit.Change) { c.Now = 90 }),
	} {
		o.hear(fmt.Sprint("ledger/", c.Seq), event.LedgerPosted, credit.Posted{Changes: []credit.Change{c}}, o.LedgerPosted)
	}
	if len(o.tray.all) != 2 || o.tray.all[1].Kind != notify.RebateClawed {
		t.Errorf("told are %+v", o.tray.all)
	}
}

// TestOthersAreNotOvertaken: revisions count for each thing alone.
func TestOthersAreNotOvertaken(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, id := range []string{"withdrawal/70/9-paid", "withdrawal/7/3-paid", "withdrawal/8/1-paid", "withdrawal/7/2-failed"} {
		o.hear(id, event.WithdrawalChanged, withdraw.Changed{User: 42, State: withdraw.Paid}, o.WithdrawalChanged)
	}
	if len(o.tray.all) != 3 {
		t.Errorf("told are %+v", o.tray.all)
	}
}
