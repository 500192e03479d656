package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/market"
)

// wantDegraded kills all processes of a target and keeps them away, first those of
// rebate, then those of payment, while somebody new in the web chat goes on: links and
// orders still work, their money comes when rebate is back; who wants to withdraw while
// payment is away reads when to try again, and can afterwards. The rungs of the ladder
// are on meanwhile, and off again by themselves.
func (c *cluster) wantDegraded(a *saga) {
	c.t.Helper()
	from, ctx := time.Now(), c.t.Context()
	number := len(a.people)
	p := &person{saga: a, name: fmt.Sprint(number), number: number, chat: newCaller(c.where), bought: map[string][]string{}, keys: map[string]string{}}
	p.tongue = browser{p.chat}
	a.people = append(a.people, p)
	var first, second market.Line
	for _, step := range []func() error{
		func() error { return errors.Join(p.greet(ctx), p.payee(ctx, p.account())) },
		func() error {
			return c.without(ctx, rebateTarget, "promises-later", func() (err error) {
				first, err = p.buysWithoutRebate(ctx)
				return err
			})
		},
		func() error { return p.settled(ctx, link.PDD, first) },
		func() error {
			return c.without(ctx, paymentTarget, "withdrawals-later", func() (err error) {
				second, err = p.waitsForPayment(ctx)
				return err
			})
		},
		func() error { return p.settled(ctx, link.JD, second) },
		func() error { return p.cashIn(ctx) },
	} {
		if err := step(); err != nil {
			c.t.Fatal("without a target: ", err)
		}
	}
	p.rounds++
	a.books.settled(c.t, c.out)
	a.wantTold()
	a.books.wantTrue(c.t, c.out, a.shoppers())
	c.wantSound(a.books)
	c.t.Logf("without rebate and without payment: %v", time.Since(from).Round(time.Millisecond))
}

// without does something while no process of a target lives, and brings them back. A
// rung of the ladder has to be on meanwhile, and goes off.
func (c *cluster) without(ctx context.Context, target, rung string, do func() error) (err error) {
	var gone []*node
	var back []func()
	defer func() {
		for _, b := range back {
			b()
		}
	}()
	for _, n := range c.nodes {
		if !strings.HasPrefix(n.name, target+"/") {
			continue
		}
		b, err := n.hold(ctx)
		if err != nil {
			return err
		}
		gone, back = append(gone, n), append(back, b)
	}
	if err := errors.Join(do(), c.climbs(ctx, rung, true)); err != nil {
		return fmt.Errorf("%s is away: %w", target, err)
	}
	for i, n := range gone {
		back[i]()
		err = errors.Join(err, n.serves(ctx))
	}
	return errors.Join(err, c.climbs(ctx, rung, false))
}

// climbs waits until a rung is on at every process of bot, or off.
func (c *cluster) climbs(ctx context.Context, rung string, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, n := range c.nodes {
		if !strings.HasPrefix(n.name, botTarget+"/") {
			continue
		}
		for {
			text, err := peek(ctx, "http://"+n.listen+"/readyz")
			if err == nil && strings.Contains(text, rung) == on {
				break
			}
			if dead := breathe(ctx); dead != nil {
				return fmt.Errorf("%s on is not %v at %s: %q, %w", rung, on, n.name, text, errors.Join(err, dead))
			}
		}
	}
	return nil
}

// peek gets a page.
func peek(ctx context.Context, url string) (string, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// reads asks until the answer has all of some words in it.
func (p *person) reads(ctx context.Context, text string, parts ...string) (bot.Reply, error) {
	return browser{p.chat}.insist(ctx, text, func(r bot.Reply) bool {
		for _, part := range parts {
			if !strings.Contains(words(r), part) {
				return false
			}
		}
		return true
	})
}

// buysWithoutRebate buys with a link whose promise is made later.
func (p *person) buysWithoutRebate(ctx context.Context) (market.Line, error) {
	text, g := p.goods(link.PDD)
	if r, err := p.reads(ctx, text, g.Title, "稍后告诉你"); err != nil || shopLink(r) == "" {
		return market.Line{}, fmt.Errorf("a link: %+v, %w", r, err)
	}
	l, err := p.buy(ctx, link.PDD)
	if err == nil {
		err = p.seen(ctx, link.PDD, l)
	}
	if err == nil {
		_, err = p.reads(ctx, "订单", g.Title, "返利计算中")
	}
	if err != nil {
		return l, err
	}
	m, err := p.books.db.Ledger().Wallet(ctx, p.user)
	if err == nil && m[ledger.Pending] != 0 {
		err = fault.Newf(fault.Internal, "", "%v has been booked by nobody", m)
	}
	return l, err
}

// waitsForPayment reads when to try again, and buys something meanwhile.
func (p *person) waitsForPayment(ctx context.Context) (market.Line, error) {
	if _, err := p.reads(ctx, "提现", "提现暂时办不了", "之后再发“提现”"); err != nil {
		return market.Line{}, err
	}
	if _, err := p.reads(ctx, "余额", "余额暂时查不到"); err != nil {
		return market.Line{}, err
	}
	l, err := p.buy(ctx, link.JD)
	if err == nil {
		err = p.seen(ctx, link.JD, l)
	}
	return l, err
}

// settled waits until an order's money has come, has the network settle it, and waits
// until it can be withdrawn.
func (p *person) settled(ctx context.Context, network string, l market.Line) error {
	brings := l.Commission.Share(7000)
	before, err := p.books.db.Ledger().Wallet(ctx, p.user)
	if err != nil {
		return err
	}
	if err := p.calm(ctx, "pending", func(m pockets) bool { return m[ledger.Pending] == brings }); err != nil {
		return err
	}
	shop, _ := p.out.world.Shop(network)
	if err := errors.Join(shop.Market.Receive(l.ID), shop.Market.Settle(l.ID)); err != nil {
		return err
	}
	return p.calm(ctx, "available", func(m pockets) bool {
		return m[ledger.Pending] == 0 && m[ledger.Available] == before[ledger.Available]+brings
	})
}
