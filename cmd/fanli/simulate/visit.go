package simulate

import (
	"context"
	"fmt"
	"time"

	"fanli/core/money"
)

// visitors lets users come for their money and their orders, and operators change
// the rules.
func (w *world) visitors(ctx context.Context) {
	for range 3 {
		w.at = w.at.Add(time.Second)
		p := w.as(w.users[w.rng.IntN(len(w.users))])
		switch d := w.rng.IntN(25); {
		case d < 12:
			w.withdraw(ctx, p)
		case d < 13:
			w.account(ctx, p)
		case d < 15:
			w.cancel(ctx, p)
		case d < 17:
			w.claims(ctx)
		case d < 18:
			w.contest(ctx)
		case d < 19 && len(w.users) < usersMax:
			w.join(ctx)
		case d < 20:
			w.invited(ctx, p)
		case d < 24:
			w.bonus(ctx)
		default:
			w.newRules(ctx)
		}
	}
}

// newRules enacts other rules; links that are out keep theirs.
func (w *world) newRules(ctx context.Context) {
	if w.fixed {
		return
	}
	w.rules = w.drawRules()
	_ = w.try(ctx, func() error { return w.house.enact(ctx, w.rules) }) // what is wrong is kept
	w.note("rules: base %d fee %d cap %d minimum %d", w.rules.Base, w.rules.Fee, w.rules.Cap, w.rules.Minimum)
}

// withdraw asks for a user's money, all of it or some.
func (w *world) withdraw(ctx context.Context, p *person) {
	amount := money.Fen(0)
	if w.rng.IntN(3) == 0 {
		amount = money.Fen(100 + w.rng.IntN(3000))
	}
	p.asked++
	key := fmt.Sprintf("sim/%d/%d", p.id, p.asked)
	var got money.Fen
	err := w.try(ctx, func() error {
		x, err := w.house.payouts.Request(ctx, p.id, amount, key)
		got = x.Amount
		return err
	})
	if err == nil {
		w.note("user %d withdraws %d", p.id, got)
	}
}

// cancel calls a user's withdrawal back, if that is still possible.
func (w *world) cancel(ctx context.Context, p *person) {
	open, err := w.house.open(ctx)
	if err != nil {
		w.wrong("withdrawals cannot be read: %v", err)
		return
	}
	for _, x := range open {
		if x.user != p.id || w.left[x.id] {
			continue
		}
		err := w.try(ctx, func() error { _, err := w.house.payouts.Cancel(ctx, p.id, x.id); return err })
		w.note("user %d cancels %d: %v", p.id, x.id, err == nil)
	}
}

// staff decides what waits for a person. Some is left waiting for good; the truth
// knows which.
func (w *world) staff(ctx context.Context, all bool) {
	open, err := w.house.open(ctx)
	if err != nil {
		w.wrong("withdrawals cannot be read: %v", err)
		return
	}
	for _, x := range open {
		if !x.review || w.left[x.id] || !all && w.rng.IntN(2) == 0 {
			continue
		}
		d := w.rng.IntN(10)
		if d == 0 && all {
			w.left[x.id] = true
			w.note("withdrawal %d of user %d waits for a person: %d", x.id, x.user, x.amount)
			continue
		}
		approve := d < 7
		err := w.try(ctx, func() error { return w.house.decide(ctx, x.id, approve) })
		w.note("staff decides %d of user %d: approved=%v, %v", x.id, x.user, approve, err == nil)
	}
	w.judge(ctx, all)
}
