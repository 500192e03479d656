package simulate

import (
	"context"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/money"
)

// The budgets of every world, and what comes out of them.
const (
	checkInFund = "checkin"
	welcomeFund = "welcome"
	giftFund    = "gifts"

	checkInBrings money.Fen = 30
	welcomeBrings money.Fen = 200
)

// drawFunds draws how much the house gives away. Most budgets run dry.
func (w *world) drawFunds() {
	upTo := func(n int) money.Fen { return money.Fen(w.rng.IntN(n)) }
	w.funds = map[string]oracle.Limit{
		checkInFund: {Day: 30 + upTo(100), Month: 200 + upTo(800), Total: 300 + upTo(1200)},
		welcomeFund: {Total: 200 + upTo(2000)},
		giftFund:    {Day: 50 + upTo(500), Total: 500 + upTo(5000)},
	}
}

// invited lets a user say who has brought them: mostly somebody who was there
// before, and sometimes nobody who could have been, or one more.
func (w *world) invited(ctx context.Context, p *person) {
	by := w.as(w.users[w.rng.IntN(len(w.users))])
	if p.hides() || by.hides() {
		return
	}
	err := w.try(ctx, func() error { return w.house.bind(ctx, p.id, by.id) })
	w.said = append(w.said, oracle.Invitation{User: p.id, Inviter: by.id, At: w.at})
	w.note("user %d enters the code of user %d : %v", p.id, by.id, err == nil)
}

// bonus lets a few users check in, and one ask for what everybody gets once.
func (w *world) bonus(ctx context.Context) {
	for i := range 1 + w.rng.IntN(6) {
		p := w.as(w.users[w.rng.IntN(len(w.users))])
		b := oracle.Bonus{User: p.id, Budget: checkInFund, Amount: checkInBrings, Daily: true, At: w.at}
		if i == 0 {
			b = oracle.Bonus{User: p.id, Budget: welcomeFund, Amount: welcomeBrings, At: w.at}
		}
		err := w.try(ctx, func() error {
			if b.Daily {
				return w.house.come(ctx, p.id)
			}
			return w.house.welcome(ctx, p.id)
		})
		w.asked = append(w.asked, b)
		w.note("user %d asks for %s: %v", p.id, b.Budget, err == nil)
	}
}
