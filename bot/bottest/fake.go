package bottest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/market"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Start is when a fake world begins: a Sunday noon in Beijing.
var start = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// Channel is the channel of a fake world.
const channel = "test"

// A Fake is a world in memory: the services of core themselves over stores,
// networks and a payer that live as long as the test.
type Fake struct {
	Bot   *bot.Bot
	Clock *Clock

	store    *store
	networks map[string]*network
	payer    *payer

	users  *user.Directory
	links  *link.Desk
	book   *order.Book
	clerk  *rebate.Clerk
	cash   *credit.Cashier
	gifts  *credit.Treasurer
	desk   *withdraw.Desk
	board  *control.Board
	office *notify.Office
	till   *counter
	room   *staffRoom
	merger *credit.Merger

	absence  *absence
	waitlist *waitlist
	tell     *bot.Deliverer

	mu    sync.Mutex
	level int
	told  []Told
	lines []placed // what was bought, in order
}

type placed struct{ network, line string }

// june is when a campaign begins that no other story of a fake world meets.
var june = start.AddDate(0, 3, 0)

// september is when a campaign with bonuses begins, for a while.
var september = start.AddDate(0, 6, 0)

// Rules are those of a fake world.
func rules() rebate.Rules {
	return rebate.Rules{
		Base: 7_000, Fee: 1_000, Levels: map[int]fenBps{1: 500}, Cap: 300_00, Minimum: 1,
		HoldDays: map[string]int{"": 7}, Referral: rebate.Referral{First: 1_000, Second: 500}, Budgets: []string{"marketing", "campaign"},
		List: []rebate.Rule{
			{Name: "六月加码", Mode: rebate.Add, When: rebate.When{From: june, Until: june.AddDate(0, 0, 30)}, Give: rebate.Give{Fixed: 2_00}, Budget: "marketing"},
			{Name: "实付返", Mode: rebate.Add, When: rebate.When{From: june, Until: june.AddDate(0, 0, 30), LevelFrom: 1}, Give: rebate.Give{Price: 100}, Budget: "marketing"},
			{Name: "九月奖励", Mode: rebate.Bonus, When: rebate.When{From: september, Until: september.AddDate(0, 0, 30)}, Give: rebate.Give{Fixed: 1_50}, Budget: "campaign"},
		},
	}
}

// New opens a fake world. Nothing has been bought in it.
func New(t *testing.T) *Fake {
	t.Helper()
	f := &Fake{Clock: NewClock(start), store: newStore(), payer: &payer{}}
	now := f.Clock.Now
	at := func() inbox { return inbox{f.store, map[string]bool{}} }
	f.users = &user.Directory{Store: userStore{at()}, Now: now}
	f.clerk = &rebate.Clerk{Store: rebateStore{at()}, Level: f.levelOf, Now: now}
	f.clerk.Inviters = func(ctx context.Context, id int64, at time.Time) (rebate.Inviters, error) {
		in, err := f.users.Inviters(ctx, id, at)
		return rebate.Inviters(in), err
	}
	f.links = &link.Desk{Promises: f.clerk, Store: linkStore{at()}, Now: now, Deadline: time.Minute, DealWords: []string{"焖烧罐", "保温杯", "毛巾", "水壶"}}
	f.book = &order.Book{Store: orderStore{at()}, Now: now}
	f.cash = &credit.Cashier{Store: creditStore{at()}, Now: now}
	f.gifts = &credit.Treasurer{
		Store: creditStore{at()}, Now: now, CheckIn: 5, CheckInBudget: "checkin",
		Budgets: map[string]credit.Budget{"checkin": {Day: 5, Month: 100}, "campaign": {Total: 2_00}, "marketing": {Total: 1_000_00}, "friends": {Total: 10_00}},
		Inviter: func(ctx context.Context, id int64, at time.Time) (int64, error) {
			in, err := f.users.Inviters(ctx, id, at)
			return in[0], err
		},
	}
	f.desk = &withdraw.Desk{
		Store: withdrawStore{at()}, Payers: map[string]withdraw.Payer{"": f.payer}, Payee: f.users.Payee, Now: now, Prefix: "T",
		Limits: withdraw.Limits{Minimum: 1_00, Maximum: 500_00, Auto: 50_00, Cooling: 24 * time.Hour},
	}
	f.board = &control.Board{Store: controlStore{at()}, Now: now}
	f.clerk.Dry = f.gifts.Dry
	f.links.Stopped = func(ctx context.Context, network string) error { return f.board.Check(ctx, control.Network(network)) }
	f.till = newCounter(now, f.users)
	f.stock()
	f.Bot = &bot.Bot{
		Users: f.users, Links: f.links, Orders: f.book, Rebates: f.clerk,
		Money: credit.Purse{Ledger: ledgerReader{f.store}}, Withdrawals: f.desk, Memory: memory{f.store},
		Autopays: f.desk, Invites: f.users, Gifts: f.gifts, Memberships: f.till, CheckIn: bot.Daily{Amount: 5, Budget: "checkin"},
		Limits: f.desk.Limits, PaidWithin: 10 * time.Minute, SearchText: true, Switches: f.board,
		ConfirmURL: func(w withdraw.Withdrawal) string { return fmt.Sprintf("https://fanli.example/pay/confirm/%d", w.ID) },
		Log:        logtest.New(nil), Now: now, Rand: &Random{},
	}
	f.linking(at)
	f.depart()
	f.staffed(at())
	f.tell = &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{f}}
	f.office = &notify.Office{Store: messageStore{at()}, Now: now, Sender: f.tell, Wishes: f.users, Zone: time.FixedZone("UTC+8", 8*60*60)}
	if _, err := f.clerk.Enact(t.Context(), rules()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *Fake) levelOf(context.Context, int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.level, nil
}

// stock opens the shops.
func (f *Fake) stock() {
	f.networks = map[string]*network{}
	for i, name := range []string{link.Taobao, link.JD, link.PDD} {
		n := &network{name: name, clock: f.Clock, opaque: name == link.Taobao, book: market.New(f.Clock.Now, 0, int64(1000*(i+1)))}
		n.book.Stock(goods(name)...)
		f.networks[name] = n
		if n.opaque {
			f.links.Networks = append(f.links.Networks, slotted{n})
		} else {
			f.links.Networks = append(f.links.Networks, n)
		}
	}
}

// World is what the player needs.
func (f *Fake) World() World {
	return World{Handle: f.Handle, Channel: channel, Directives: f.directives(), Told: f.Told}
}

// Handle answers a message and lets its consequences happen.
func (f *Fake) Handle(ctx context.Context, m bot.Message) bot.Reply {
	r := f.Bot.Handle(ctx, m)
	if err := f.Settle(ctx); err != nil {
		r.Text += fmt.Sprintf("\n(the world is broken: %v)", err)
	}
	return r
}

// settleRoundsMax bounds how far one event can lead.
const settleRoundsMax = 100

// Settle lets everything happen that follows from what has happened: events are
// heard, time does its work, and people are told.
func (f *Fake) Settle(ctx context.Context) error {
	if _, err := f.book.SettleDue(ctx); err != nil {
		return err
	}
	if _, err := f.book.ReviewClaims(ctx); err != nil {
		return err
	}
	if _, err := f.users.EndMemberships(ctx); err != nil {
		return err
	}
	for range settleRoundsMax {
		f.store.mu.Lock()
		f.store.outbox = append(f.store.outbox, f.till.news()...)
		f.store.mu.Unlock()
		if err := f.hear(ctx); err != nil {
			return err
		}
		if _, err := f.tell.AnswerWaiting(ctx); err != nil {
			return err
		}
		if n, err := f.clerk.ReleaseDue(ctx); err != nil {
			return err
		} else if n > 0 {
			continue
		}
		if _, err := f.office.TellCuts(ctx); err != nil {
			return err
		}
		if n, err := f.office.Deliver(ctx); err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("it never ends")
}

// hear carries the events that wait to those who hear them.
func (f *Fake) hear(ctx context.Context) error {
	var held []event.Event
	defer func() {
		f.store.mu.Lock()
		defer f.store.mu.Unlock()
		f.store.outbox = append(held, f.store.outbox...)
	}()
	for {
		f.store.mu.Lock()
		waiting := f.store.outbox
		f.store.outbox = nil
		f.store.mu.Unlock()
		if len(waiting) == 0 {
			return nil
		}
		for _, e := range waiting {
			if f.absence.holds(e.Name) {
				held = append(held, e)
				continue
			}
			for _, h := range f.hearers(e.Name) {
				if err := h(ctx, e); err != nil {
					return err
				}
			}
		}
	}
}

func (f *Fake) hearers(name event.Name) []event.Handler {
	return map[event.Name][]event.Handler{
		event.LinkMade:          {f.book.LinkMade},
		event.OrderChanged:      {f.clerk.OrderChanged},
		event.RebateChanged:     {f.cash.RebateChanged, f.gifts.RebateChanged},
		event.BonusGiven:        {f.office.BonusGiven},
		event.LedgerPosted:      {f.office.LedgerPosted},
		event.WithdrawalChanged: {f.office.WithdrawalChanged},
		event.ClaimChanged:      {f.office.ClaimChanged},
		event.AutopayHeld:       {f.office.AutopayHeld},
		event.ChargeChanged:     {f.users.ChargeChanged, f.office.ChargeChanged},
		event.StaffActed:        {f.acted},
		event.MembershipChanged: {f.office.MembershipChanged},
		event.PayeeChanged:      {f.office.PayeeChanged},
		event.MergeChanged:      {f.merger.MergeChanged, f.book.MergeChanged, f.office.MergeChanged},
		event.MergeAnswered:     {f.users.MergeAnswered},
	}[name]
}

// Name makes the world a channel that people are told on.
func (f *Fake) Name() string { return channel }

// Run has nothing to do: the player calls Handle.
func (f *Fake) Run(ctx context.Context, _ bot.Handler) error {
	<-ctx.Done()
	return nil
}

// Send writes down what somebody was told.
func (f *Fake) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, Told{to, r})
	return nil
}

// Told returns what people were told since the last call.
func (f *Fake) Told() []Told {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

// A payer pays at once, unless it was told what to say.
type payer struct {
	mu  sync.Mutex
	say *withdraw.Outcome
}

// Name is the payer's.
func (*payer) Name() string { return "fake" }

// Send pays.
func (p *payer) Send(context.Context, withdraw.Payment) (withdraw.Outcome, error) {
	return p.outcome(), nil
}

// Query says the same again.
func (p *payer) Query(context.Context, string) (withdraw.Outcome, error) { return p.outcome(), nil }

// Cancel calls back what waits for its payee.
func (p *payer) Cancel(context.Context, string) (withdraw.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.say != nil && p.say.Verdict == withdraw.Waiting {
		p.say = &withdraw.Outcome{Verdict: withdraw.Dead, Reason: "payout.refused"}
	}
	return *p.say, nil
}

func (p *payer) outcome() withdraw.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.say != nil {
		return *p.say
	}
	return withdraw.Outcome{Verdict: withdraw.Done}
}

var errStalled = fault.New(fault.Unavailable, "")
