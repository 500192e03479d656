package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// TestTheDatabaseServerDies kills the database's server, again and again, while
// people shop and withdraw and the jobs run. Nobody restarts fanli. Afterwards
// every order is its shopper's, and the books are those of the networks and of
// the bank.
func TestTheDatabaseServerDies(t *testing.T) {
	t.Parallel()
	server := mariadbtest.New(t)
	w := newLittle(t).onServer(server).mustOpen()
	const shoppers, kills, between = 4, 4, 5
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var orders [shoppers]atomic.Int64
	bought := make(chan struct{}, 1000)
	for i := range shoppers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if w.shops(ctx, fmt.Sprint("shopper", i), n) {
					orders[i].Add(1)
					bought <- struct{}{}
				}
			}
		})
	}
	wg.Go(func() { // time and jobs
		for ctx.Err() == nil {
			_ = w.settle() // fails while the server is dead
			w.advance(time.Minute)
		}
	})
	for range kills {
		for range between {
			<-bought
		}
		server.Kill(t)
		server.Start(t)
	}
	for range between {
		<-bought
	}
	stop()
	wg.Wait()
	for range 10 { // what failed waits longer each time
		w.advance(6 * time.Hour)
		_ = w.settle()
	}
	w.mustSettle()
	for i := range shoppers { // whoever was too quick for their money asks once more
		who := fmt.Sprint("shopper", i)
		if c := confirmation(w.say(who, who+"/last/ask", "提现")); c != "" {
			w.say(who, who+"/last/confirm", c)
		}
	}
	w.mustSettle()
	w.wantSound()
	for i := range shoppers {
		who := fmt.Sprint("shopper", i)
		u, _, err := w.app.users.Resolve(t.Context(), identityOf(who), "zh")
		if err != nil {
			t.Fatal(err)
		}
		ls, err := w.app.orders.OfUser(t.Context(), u.ID, 0, 1000)
		if want := int(orders[i].Load()); err != nil || len(ls) != want {
			t.Errorf("%s has %d orders, %v; bought %d", who, len(ls), err, want)
		}
	}
	if w.bank.sum() == money.Fen(0) {
		t.Error("nobody was paid")
	}
	if dead, err := w.dead(); err != nil || dead > 0 {
		t.Errorf("%d events were given up, %v", dead, err)
	}
}

// dead counts the events that nobody will hear.
func (w *little) dead() (n int, err error) {
	for _, o := range w.app.db.Outboxes() {
		d, err := o.Dead(w.t.Context(), 0, 100)
		if err != nil {
			return n, err
		}
		n += len(d)
	}
	return n, nil
}

// shops buys one thing and withdraws what there is. Whoever gets no answer asks
// again, with the same words. It reports whether there was an order.
func (w *little) shops(ctx context.Context, who string, n int) bool {
	network := []string{link.JD, link.PDD}[n%2]
	id := func(what string) string { return fmt.Sprint(who, "/", n, "/", what) }
	for ctx.Err() == nil {
		l, err := w.follow(network, w.say(who, id("link"), itemLink(network, n%4)), 1)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			w.t.Errorf("%s could not order: %v", who, err)
			return false
		}
		m := w.markets[network]
		for _, do := range []func(string) error{m.Receive, m.Settle} {
			if err := do(l.ID); err != nil {
				w.t.Errorf("%s: %v", who, err)
			}
		}
		w.say(who, id("payee"), "收款 1380000000"+who[len(who)-1:]+" 张三") // one account for each
		if c := confirmation(w.say(who, id("ask"), "提现")); c != "" {
			w.say(who, id("confirm"), c)
		}
		return true
	}
	return false
}
