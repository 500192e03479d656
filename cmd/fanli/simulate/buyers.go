package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/collect"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
)

// A purchase is what somebody has in mind about one charge.
type purchase struct {
	id     int64 // of the charge
	number string
	told   oracle.Charge // what they were asked for, and told
	pays   habit
	from   time.Time // when they will pay, at the earliest
}

// A habit is how somebody pays.
type habit int

// The habits.
const (
	paysSoon  habit = iota // within minutes
	paysLater              // the next time, if it is not too late
	paysOther              // another amount
	paysTwice              // or tries to
	paysLate               // what has lapsed
	paysNever
)

// wantedBack is how many purchases people remember when they want their money back.
const wantedBack = 6

// habits is how often which one is drawn.
func habits() []habit {
	return []habit{paysSoon, paysSoon, paysSoon, paysSoon, paysLater, paysLater, paysLater, paysOther, paysTwice, paysLate, paysLate, paysNever}
}

// A trade is all about memberships and the operator's money, in worlds where there are
// any. It has chance of its own.
type trade struct {
	rng       *rand.Rand
	lasts     time.Duration // of a code
	purchases []*purchase   // by number, oldest first
	asked     int
}

// drawTrade draws whether people are asked for money in this world.
func drawTrade(seed uint64) *trade {
	r := rand.New(rand.NewPCG(seed, 5))
	if r.IntN(3) == 0 {
		return nil
	}
	return &trade{rng: r, lasts: 3*time.Hour + time.Duration(r.IntN(17))*time.Hour}
}

// early reports whether there is time enough for us to ask a last time about what has
// lapsed before the world ends.
func (w *world) early() bool { return w.at.Before(start().AddDate(0, 0, w.opt.Days-2)) }

// patron draws whether somebody buys memberships. Whoever does is nobody's stranger (see
// [world.strange]): what staff give away comes at the level of the day.
func (w *world) patron(p *person) {
	if w.trade == nil {
		return
	}
	if p.buys = w.trade.rng.IntN(2) == 0; p.family != nil {
		p.buys = p.family.members[0].buys
	}
}

// trading lets people and the operator be asked for money, pay it or not, and want it
// back.
func (w *world) trading(ctx context.Context) {
	if w.trade == nil {
		return
	}
	rng := w.trade.rng
	w.paying(ctx)
	if rng.IntN(3) == 0 && len(w.trade.purchases) > 0 {
		w.at = w.at.Add(time.Second)
		newest := w.trade.purchases[max(0, len(w.trade.purchases)-wantedBack):]
		w.givesBack(ctx, newest[rng.IntN(len(newest))])
	}
	for range 1 + rng.IntN(2) {
		w.at = w.at.Add(time.Second)
		p := w.as(w.users[rng.IntN(len(w.users))])
		switch {
		case rng.IntN(5) == 0:
			w.asks(ctx, oracle.Charge{Asked: money.Fen(100 + rng.IntN(5_000))})
		case p.buys:
			w.buys(ctx, p)
		}
	}
	w.at = w.at.Add(time.Duration(10+rng.IntN(300)) * time.Second)
	w.paying(ctx)
	w.rung(ctx)
}

// buys lets somebody ask for a membership. Where goods come that nobody had asked for,
// at the level of the day on which we hear of them, nobody's level changes.
func (w *world) buys(ctx context.Context, p *person) {
	c := oracle.Charge{User: p.id, Level: 1 + w.trade.rng.IntN(2), Days: 1 + w.trade.rng.IntN(5)}
	if w.fixed {
		c.Level = p.level
	}
	if c.Level == 0 {
		return
	}
	c.Asked = money.Fen(290*c.Level + 150*c.Days)
	w.asks(ctx, c)
}

// asks lets somebody be asked for money; some press the button twice. Who is asked for
// the same already gets that.
func (w *world) asks(ctx context.Context, c oracle.Charge) {
	t := w.trade
	t.asked++
	key, what := fmt.Sprintf("buy/%d", t.asked), ""
	if c.User != 0 {
		what = user.What(c.Level, c.Days)
	}
	for range 1 + t.rng.IntN(4)/3 {
		var due collect.Due
		var err error
		_ = w.try(ctx, func() error { // what is wrong is kept
			due, err = w.house.ask(ctx, c, key, what)
			if fault.Is(err, fault.Unavailable) { // the till does not answer: the job goes on
				return nil
			}
			return err
		})
		w.note("user %d is asked for %d for %q, %s : %v", c.User, c.Asked, what, due.Number, err == nil)
		known := slices.ContainsFunc(t.purchases, func(p *purchase) bool { return p.number == due.Number })
		if due.Number == "" || known {
			continue
		}
		c.Number, c.Till = due.Number, tillName
		hs := habits()
		p := &purchase{id: due.ID, number: due.Number, told: c, pays: hs[t.rng.IntN(len(hs))], from: w.at}
		if p.pays == paysLater {
			p.from = w.at.Add(time.Hour)
		}
		t.purchases = append(t.purchases, p)
	}
}

// paying lets those pay who want to by now.
func (w *world) paying(ctx context.Context) {
	t := w.trade
	for _, p := range t.purchases {
		s := w.till.find(p.number)
		if s == nil || w.at.Before(p.from) || p.pays == paysNever || s.state == collect.Paid && p.pays != paysTwice {
			continue
		}
		lapsed, err := w.house.lapsed(ctx, p.number)
		if err != nil {
			w.wrong("charge %s cannot be read: %v", p.number, err)
		}
		if p.pays == paysLate && lapsed.IsZero() || p.pays != paysLate && !s.free() && p.pays != paysTwice {
			continue
		}
		amount := s.Amount
		if p.pays == paysOther {
			amount = max(amount+money.Fen(t.rng.IntN(400)-200), 1)
		}
		ok := w.till.take(s, amount, lapsed)
		w.note("user %d pays %d for %s , late=%v: %v", p.told.User, amount, p.number, !lapsed.IsZero(), ok)
		if p.pays == paysTwice && s.state == collect.Paid && t.rng.IntN(2) == 0 {
			p.pays = paysSoon // no more
		}
	}
}

// givesBack lets staff give back what somebody wants back.
func (w *world) givesBack(ctx context.Context, p *purchase) {
	var err error
	_ = w.try(ctx, func() error { err = w.house.giveBack(ctx, p.number); return err }) // mostly there is nothing to be given back
	w.note("staff gives back %s to user %d : %v", p.number, p.told.User, err == nil)
	if err == nil && p.told.Returned.IsZero() {
		p.told.Returned = w.at
	}
}

// toldOf is a hearer that tells people what has become of what they were asked for.
func (w *world) toldOf(_ context.Context, e event.Event) error {
	var c collect.Changed
	if err := e.Decode(&c); err != nil {
		return err
	}
	if c.Stage == collect.Received && w.told[c.ID].IsZero() {
		w.told[c.ID] = c.At
		w.note("user %d has %q by charge %d", c.User, c.What, c.ID)
	}
	return nil
}

// charges are all that people were asked for, as they know it, and as the till does.
func (w *world) charges() (out []oracle.Charge) {
	if w.trade == nil {
		return nil
	}
	for _, p := range w.trade.purchases {
		c := p.told
		c.Told = w.told[p.id]
		if s := w.till.slips[p.number]; s != nil {
			c.Paid, c.At, c.Late, c.Denied, c.Back = s.came, s.at, s.late, !s.denied.IsZero(), s.back
		}
		out = append(out, c)
	}
	return out
}
