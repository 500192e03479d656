package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/bot/telegram/telegramfake"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A saga is what happens to some people, of whom every other one has Telegram. It is
// the same wherever it is told: each of them buys at three networks, gets the money
// and gives one thing back, again and again. A step begins when the one before is in
// the books, so that each one's entries are the same whatever fails meanwhile.
type saga struct {
	t      *testing.T
	out    *outside
	books  *books
	links  links
	people []*person
	steps  atomic.Int64 // that are done
}

// A person has a part in a saga.
type person struct {
	*saga
	name   string
	number int
	tongue
	chat *caller // of those in the web chat
	user int64   // 0 while nobody has seen an order of theirs

	rounds int
	bought map[string][]string // lines by network, in their order
	keys   map[string]string   // of order lines, and what they are to us
}

// A tongue is how somebody talks with the bot. What they ask for is asked again until
// it is there, as people do who read that they should try again.
type tongue interface {
	// greet says hello.
	greet(ctx context.Context) error
	// payee says where money should go.
	payee(ctx context.Context, account string) error
	// link pastes a text and returns where the card of a product leads.
	link(ctx context.Context, text, product string) (string, error)
	// withdraw asks for all there is and confirms; it may have had no effect.
	withdraw(ctx context.Context) error
	// told waits until somebody was told unasked.
	told(ctx context.Context, words string, times int) error
}

// Links are those that the bot has made, beside those that order knows.
type links struct {
	db         *sql.DB
	bot, order string // in front of their tables
}

// known reports whether order has heard of a link.
func (l links) known(ctx context.Context, url string) (bool, string) {
	var made, heard int
	err := l.db.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(w.link_id) FROM "+l.bot+"bot_links l LEFT JOIN "+l.order+"order_ways w ON w.link_id = l.id WHERE l.made_url = ?", url).
		Scan(&made, &heard)
	return err == nil && made > 0 && heard == made, fmt.Sprintf("%d were made, order knows %d, %v", made, heard, err)
}

func newSaga(t *testing.T, out *outside, b *books, l links, phones *telegramfake.Server, where func(context.Context) (string, error), people int) *saga {
	t.Helper()
	a := &saga{t: t, out: out, books: b, links: l}
	for i := range people {
		p := &person{saga: a, name: fmt.Sprint(i), number: i, bought: map[string][]string{}, keys: map[string]string{}}
		if i%2 == 0 {
			p.chat = newCaller(where)
			p.tongue = browser{p.chat}
		} else {
			p.tongue = &telephone{fake: phones, me: int64(4242 + i), base: out.base}
		}
		a.people = append(a.people, p)
	}
	return a
}

// oneProcess is the same in one process on SQLite.
func oneProcess(t *testing.T, people int) *saga {
	t.Helper()
	dir := memoryDir(t)
	out := newOutside(t)
	env, args := out.settings(t, dir)
	phones, telegram := newPhones(t)
	p := launch(t, append(env, telegram...), serveArgs(args)...)
	base := p.mustReady(t)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "data", "fanli.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return newSaga(t, out, openBooks(t, filepath.Join(dir, "data")), links{db: db}, phones, func(context.Context) (string, error) { return base, nil }, people)
}

// tell lets everybody go through round after round until it is over for them.
func (a *saga) tell(ctx context.Context, over func(p *person, rounds int) bool) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, p := range a.people {
		all.Go(func() error {
			err := errors.Join(p.greet(ctx), p.payee(ctx, p.account()))
			for err == nil && !over(p, p.rounds) {
				err = p.round(ctx)
				p.rounds++
			}
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", p.name, p.rounds, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// account is where the person's money goes.
func (p *person) account() string { return "1380000000" + p.name }

// networksInOrder are where people buy.
func networksInOrder() []string { return []string{link.JD, link.Taobao, link.PDD} }

// goods is what the person buys at a network.
func (p *person) goods(network string) (text string, g market.Goods) {
	shop, _ := p.out.world.Shop(network)
	id, form := "", ""
	switch network {
	case link.JD:
		id, form = fmt.Sprint(100012043978+p.number), "看看这个 https://item.jd.com/%s.html 怎么样"
	case link.Taobao:
		id, form = fmt.Sprint(678901234501+p.number), "https://item.taobao.com/item.htm?id=%s"
	default:
		id, form = fmt.Sprint(445566778801+p.number), "https://mobile.yangkeduo.com/goods.html?goods_id=%s"
	}
	g, _ = shop.Market.Goods(id)
	return fmt.Sprintf(form, id), g
}

// round is the whole loop, once.
func (p *person) round(ctx context.Context) error {
	lines := map[string]market.Line{}
	var pending money.Fen
	for _, network := range networksInOrder() {
		l, err := p.buy(ctx, network)
		if err != nil {
			return fmt.Errorf("buying at %s: %w", network, err)
		}
		lines[network] = l
		pending += l.Commission.Share(7000)
		if err := p.seen(ctx, network, l); err != nil {
			return err
		}
		if err := p.calm(ctx, "bought at "+network, func(m pockets) bool { return m[ledger.Pending] == pending }); err != nil {
			return err
		}
	}
	for _, network := range networksInOrder() {
		shop, _ := p.out.world.Shop(network)
		l := lines[network]
		if err := errors.Join(shop.Market.Receive(l.ID), shop.Market.Settle(l.ID)); err != nil {
			return err
		}
		pending -= l.Commission.Share(7000)
		if err := p.calm(ctx, "settled at "+network, func(m pockets) bool { return m[ledger.Pending] == pending }); err != nil {
			return err
		}
	}
	if err := p.cashIn(ctx); err != nil {
		return err
	}
	shop, _ := p.out.world.Shop(link.JD)
	back := lines[link.JD]
	if err := shop.Market.Refund(back.ID, back.Price); err != nil {
		return err
	}
	return p.calm(ctx, "given back", func(m pockets) bool { return m[ledger.Debt] == -back.Commission.Share(7000) })
}

// buy orders one thing through the link that the bot makes of it, once order has heard
// of the link: an order that is seen before its link is nobody's for a while, and the
// ledger says so.
func (p *person) buy(ctx context.Context, network string) (market.Line, error) {
	text, g := p.goods(network)
	url, err := p.link(ctx, text, g.Title)
	if err != nil {
		return market.Line{}, err
	}
	if err := p.until(ctx, "link "+url, func() (bool, string) { return p.links.known(ctx, url) }); err != nil {
		return market.Line{}, err
	}
	got, l, err := p.out.world.Buy(url, 1)
	if err != nil {
		return l, fmt.Errorf("%s: %w", url, err)
	}
	if got != network || l.Goods.ID != g.ID {
		return l, fmt.Errorf("%s leads to %s at %q, not to %s", url, l.Goods.ID, got, g.ID)
	}
	p.bought[network] = append(p.bought[network], l.ID)
	return l, nil
}

// seen waits until an order is in the books, and remembers whose it is.
func (p *person) seen(ctx context.Context, network string, l market.Line) error {
	return p.until(ctx, "order "+l.Order, func() (bool, string) {
		known, err := p.books.db.Orders().ByNumber(ctx, l.Order)
		if err != nil || len(known) != 1 || known[0].User == 0 {
			return false, fmt.Sprintf("%+v, %v", known, err)
		}
		if p.user != 0 && known[0].User != p.user {
			return false, fmt.Sprintf("it is user %d's, not %d's", known[0].User, p.user)
		}
		p.user = known[0].User
		p.keys[known[0].Key.String()] = fmt.Sprintf("%s/%d", network, p.rounds)
		return true, ""
	})
}

// cashIn withdraws everything, and waits until it was paid out.
func (p *person) cashIn(ctx context.Context) error {
	payments := func() int { return len(p.payments()) }
	want := payments() + 1
	for again := range time.Tick(10 * time.Millisecond) {
		_ = again
		if err := p.withdraw(ctx); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, patience/4)
		err := p.calm(short, "paid out", func(m pockets) bool {
			return payments() == want && m[ledger.Available] == 0 && m[ledger.Reserved] == 0
		})
		tired := short.Err() != nil && ctx.Err() == nil
		cancel()
		if !tired {
			return err
		}
	}
	return nil
}

// payments are those that the payer has sent to the person.
func (p *person) payments() (out []money.Fen) {
	for _, x := range p.out.world.Pay().Transfers() {
		if x.Identity == p.account() {
			out = append(out, x.Amount)
		}
	}
	return out
}

// pockets are those of one user.
type pockets = map[ledger.Pocket]money.Fen

// calm waits until a condition of the person's money holds.
func (p *person) calm(ctx context.Context, what string, holds func(m pockets) bool) error {
	return p.until(ctx, what, func() (bool, string) {
		m, err := p.books.db.Ledger().Wallet(ctx, p.user)
		return err == nil && holds(m), fmt.Sprintf("%v, %v", m, err)
	})
}

// stepMax is how long a step of a saga may take while everything fails.
const stepMax = 3 * time.Minute

// until looks at the books until a condition holds.
func (p *person) until(ctx context.Context, what string, holds func() (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, stepMax)
	defer cancel()
	for {
		ok, why := holds()
		if ok {
			p.steps.Add(1)
			return nil
		}
		if err := breathe(ctx); err != nil {
			return fmt.Errorf("%s: %w: %s", what, err, why)
		}
	}
}

// shoppers are the people as others' tests know them.
func (a *saga) shoppers() (out []*shopper) {
	for _, p := range a.people {
		out = append(out, &shopper{caller: p.chat, name: p.name, bought: p.bought, out: a.out})
	}
	return out
}

// wantTold checks that everybody was told of their money, that in the web chat each
// message was answered once, and that Telegram has nothing left that nobody took.
func (a *saga) wantTold() {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	for _, p := range a.people {
		if err := p.told(ctx, "已到账", p.rounds); err != nil {
			a.t.Errorf("%s had %d withdrawals: %v", p.name, p.rounds, err)
		}
	}
	wantAnswered(a.t, slices.DeleteFunc(a.shoppers(), func(s *shopper) bool { return s.caller == nil }))
}

// chapters are the entries of each person, in their order and in words that have no
// time and no number of the database in them.
func (a *saga) chapters(t *testing.T) [][]string {
	t.Helper()
	open, err := a.books.db.Withdrawals().InState(t.Context(), time.Now().AddDate(1, 0, 0), 100_000, withdraw.Paid)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(open, func(x, y withdraw.Withdrawal) int { return int(x.ID - y.ID) })
	names := make([]map[string]string, len(a.people))
	for i, p := range a.people {
		names[i] = map[string]string{}
		for key, name := range p.keys {
			names[i][key] = name
		}
		count := 0
		for _, w := range open {
			if w.User == p.user {
				names[i][fmt.Sprintf("withdrawal/%d", w.ID)] = fmt.Sprintf("withdrawal %d", count)
				count++
			}
		}
	}
	out := make([][]string, len(a.people)+1) // the last one is nobody's
	err = a.books.db.Ledger().Walk(t.Context(), func(e ledger.Entry) error {
		at, text := len(a.people), fmt.Sprintf("%s %s %s → %s %s %s", e.Key, e.Kind, e.From, e.To, e.Amount, e.Cause)
		for i, p := range a.people {
			if name, ok := names[i][e.Cause]; ok {
				at = i
				text = strings.ReplaceAll(text, e.Cause, name)
				text = strings.ReplaceAll(text, fmt.Sprintf("user/%d/", p.user), "user/")
			}
		}
		out[at] = append(out[at], text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantSame compares the entries of each person. One process may have told more rounds
// than many: then the first ones are compared.
func wantSame(t *testing.T, one, many [][]string) {
	t.Helper()
	for i := range one {
		want := one[i][:min(len(one[i]), len(many[i]))]
		if slices.Equal(want, many[i]) {
			continue
		}
		n := 0
		for n < len(want) && want[n] == many[i][n] {
			n++
		}
		end := min(n+5, len(want))
		t.Errorf("of %d the first %d entries are alike; then one process has\n%s\nand the cluster has\n%s", i, n,
			strings.Join(want[n:end], "\n"), strings.Join(many[i][n:min(n+5, len(many[i]))], "\n"))
	}
	if last := len(one) - 1; len(one[last])+len(many[last]) > 0 {
		t.Errorf("nobody's are %q and %q", one[last], many[last])
	}
}
