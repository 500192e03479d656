package bottest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fanli/bot"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ladder"
	"fanli/core/link"
	fen "fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// An absence is who is away of the targets and networks of a fake world, and the
// ladder that follows from it.
type absence struct {
	*ladder.Ladder
	f  *Fake
	mu sync.Mutex
	of map[string]bool
}

// depart puts the services behind what can be away.
func (f *Fake) depart() {
	a := &absence{f: f, of: map[string]bool{}}
	a.Ladder = ladder.New([]ladder.Rung{
		{Name: "search-off", Effect: ladder.Search, Load: 80},
		{Name: "links-queued", Effect: ladder.Queue, Of: []string{"network/*"}},
		{Name: "withdrawals-later", Effect: ladder.Payouts, Of: []string{"payment"}},
	}, f.dependencies())
	f.absence, f.waitlist = a, &waitlist{}
	b := f.Bot
	b.Ladder, b.Waiting = a, f.waitlist
	b.Users, b.Orders, b.Rebates = awayUsers{b.Users, a}, awayOrders{b.Orders, a}, awayRebates{b.Rebates, a}
	b.Money, b.Withdrawals = awayMoney{b.Money, a}, awayWithdrawals{b.Withdrawals, a}
	b.Switches = &control.Careful{Service: awaySwitches{f.board, a}}
	f.links.Stopped = func(ctx context.Context, network string) error {
		return b.Switches.Check(ctx, control.Network(network))
	}
	f.links.Promises = awayPromises{f.clerk, a}
	f.links.Later = func(ctx context.Context, id int64, o link.Offer) (link.Promise, error) {
		level, err := f.levelOf(ctx, id)
		return rebate.Later(id, level, o, f.Clock.Now()), err
	}
}

func (f *Fake) dependencies() []string {
	out := []string{"user", "order", "rebate", "payment"}
	for name := range f.networks {
		out = append(out, "network/"+name)
	}
	slices.Sort(out)
	return out
}

// check fails while a target is away.
func (a *absence) check(target string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[target] {
		return fault.New(fault.Unavailable, fault.Down)
	}
	return nil
}

// holds reports whether an event has to wait, because who hears it is away.
func (a *absence) holds(name event.Name) bool {
	hearer := map[event.Name]string{event.LinkMade: "order", event.OrderChanged: "rebate", event.RebateChanged: "payment", event.MergeChanged: "payment"}[name]
	return a.check(hearer) != nil
}

// look lets the ladder see how everybody is.
func (a *absence) look(load int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := ladder.Measure{At: a.f.Clock.Now(), Load: load, Of: map[string]ladder.Health{}}
	for _, d := range a.f.dependencies() {
		m.Of[d] = ladder.Health{Away: a.of[d]}
	}
	a.Observe(m)
}

// leave is "away rebate", "away network/jd", and turn back is "back rebate".
func (f *Fake) leave(away bool, names ...string) error {
	for _, name := range names {
		if !slices.Contains(f.dependencies(), name) {
			return fmt.Errorf("nobody is called %s", name)
		}
		f.absence.mu.Lock()
		f.absence.of[name] = away
		f.absence.mu.Unlock()
		for network, n := range f.networks {
			if name != "network/"+network {
				continue
			}
			n.Fail(nil)
			if away {
				n.Fail(errStalled)
			}
		}
	}
	f.absence.look(0)
	return f.after(nil)
}

// crowd is "crowd 90": so full is the house, in percent.
func (f *Fake) crowd(args ...string) error {
	load := 0
	if _, err := fmt.Sscan(args[0], &load); err != nil {
		return err
	}
	f.absence.look(load)
	return nil
}

type awayUsers struct {
	bot.Users
	a *absence
}

func (s awayUsers) Resolve(ctx context.Context, i user.Identity, locale string) (user.User, bool, error) {
	if err := s.a.check("user"); err != nil {
		return user.User{}, false, err
	}
	return s.Users.Resolve(ctx, i, locale)
}

type awayOrders struct {
	bot.Orders
	a *absence
}

func (s awayOrders) OfUser(ctx context.Context, id, before int64, count int) ([]order.Line, error) {
	if err := s.a.check("order"); err != nil {
		return nil, err
	}
	return s.Orders.OfUser(ctx, id, before, count)
}

type awayRebates struct {
	bot.Rebates
	a *absence
}

func (s awayRebates) Of(ctx context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	if err := s.a.check("rebate"); err != nil {
		return nil, err
	}
	return s.Rebates.Of(ctx, keys)
}

func (s awayRebates) Standing(ctx context.Context, id int64, networks []string) (rebate.Standing, error) {
	if err := s.a.check("rebate"); err != nil {
		return rebate.Standing{}, err
	}
	return s.Rebates.Standing(ctx, id, networks)
}

type awayPromises struct {
	link.Promiser
	a *absence
}

func (s awayPromises) Promise(ctx context.Context, id int64, o link.Offer) (link.Promise, error) {
	if err := s.a.check("rebate"); err != nil {
		return link.Promise{}, err
	}
	return s.Promiser.Promise(ctx, id, o)
}

type awayMoney struct {
	bot.Money
	a *absence
}

func (s awayMoney) Wallet(ctx context.Context, id int64) (credit.Wallet, error) {
	if err := s.a.check("payment"); err != nil {
		return credit.Wallet{}, err
	}
	return s.Money.Wallet(ctx, id)
}

type awayWithdrawals struct {
	bot.Withdrawals
	a *absence
}

func (s awayWithdrawals) Request(ctx context.Context, id int64, amount fen.Fen, key string) (withdraw.Withdrawal, error) {
	if err := s.a.check("payment"); err != nil {
		return withdraw.Withdrawal{}, err
	}
	return s.Withdrawals.Request(ctx, id, amount, key)
}

type awaySwitches struct {
	control.Service
	a *absence
}

func (s awaySwitches) Check(ctx context.Context, scopes ...control.Scope) error {
	if err := s.a.check("payment"); err != nil {
		return err
	}
	return s.Service.Check(ctx, scopes...)
}

// A waitlist is a link.Waitlist in memory.
type waitlist struct {
	mu   sync.Mutex
	last int64
	all  []link.Waiting
}

// Wait implements link.Waitlist.
func (l *waitlist) Wait(_ context.Context, w link.Waiting, perUser, all int) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	theirs := 0
	for _, o := range l.all {
		switch {
		case o.User == w.User && o.Ref.Key() == w.Ref.Key():
			return true, nil
		case o.User == w.User:
			theirs++
		}
	}
	if theirs >= perUser || len(l.all) >= all {
		return false, nil
	}
	l.last++
	w.ID = l.last
	l.all = append(l.all, w)
	return true, nil
}

// Due implements link.Waitlist.
func (l *waitlist) Due(_ context.Context, now time.Time, count int) (due []link.Waiting, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.all {
		if (!w.NextAt.After(now) || !w.Until.After(now)) && len(due) < count {
			due = append(due, w)
		}
	}
	return due, nil
}

// PutOff implements link.Waitlist.
func (l *waitlist) PutOff(_ context.Context, id int64, next time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.all {
		if l.all[i].ID == id {
			l.all[i].NextAt = next
			l.all[i].Tries++
		}
	}
	return nil
}

// Done implements link.Waitlist.
func (l *waitlist) Done(_ context.Context, id int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = slices.DeleteFunc(l.all, func(w link.Waiting) bool { return w.ID == id })
	return nil
}
