package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/store/mariadbtest"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// deadly are the moments at which the database's server is killed: as a
// transaction of each target is about to commit, as one has committed, and while
// money is with the payer.
func deadly() []string {
	return []string{
		"order.commit", "withdraw.commit", "bank.sent", "credit.commit", "rebate.commit", "withdraw.committed",
		"link.commit", "notify.commit", "outbox.commit", "memory.commit", "credit.committed",
	}
}

// A trap kills a server when the process comes to a point.
type trap struct {
	mu    sync.Mutex
	point string        // "" for none
	hit   chan struct{} // somebody is at the point,
	dead  chan struct{} // and waits until the server is dead
}

// hook is the world's.
func (k *trap) hook(point string) error {
	k.mu.Lock()
	here := k.point == point
	if here {
		k.point = ""
	}
	k.mu.Unlock()
	if here {
		k.hit <- struct{}{}
		<-k.dead
	}
	return nil
}

func (k *trap) set(point string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.point = point
}

// TestTheDatabaseServerDies kills the database's server, again and again, each time
// at another moment, while people shop and withdraw, payees confirm, the payer
// calls back and the jobs run, all at once. Nobody restarts fanli. Afterwards every
// order is its shopper's, every withdrawal that was accepted is there and has
// ended, and the books are those of the networks and, payment by payment, of the
// bank.
func TestTheDatabaseServerDies(t *testing.T) {
	t.Parallel()
	server := mariadbtest.New(t)
	w := newLittle(t).onServer(server).mustOpen()
	k := &trap{hit: make(chan struct{}), dead: make(chan struct{})}
	w.hook = k.hook
	const shoppers = 4
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var orders [shoppers]atomic.Int64
	accepted := make([][]string, shoppers) // keys of withdrawals
	for i := range shoppers {
		wg.Go(func() {
			who := fmt.Sprint("shopper", i)
			for n := 0; ctx.Err() == nil; n++ {
				if key := fmt.Sprint(who, "/direct/", n); w.requests(ctx, who, key) {
					accepted[i] = append(accepted[i], key)
				}
				if w.shops(ctx, who, n) {
					orders[i].Add(1)
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
	wg.Go(func() { w.callsBack(ctx) })
	for _, point := range deadly() {
		k.set(point)
		<-k.hit
		server.Kill(t)
		k.dead <- struct{}{}
		server.Start(t)
	}
	stop()
	wg.Wait()
	w.calmsDown(shoppers)
	w.wantSound()
	if all := slices.Concat(accepted...); len(all) == 0 {
		t.Error("no withdrawal was accepted")
	}
	for i := range shoppers {
		w.wantServed(fmt.Sprint("shopper", i), int(orders[i].Load()), accepted[i])
	}
	if w.bank.sum() == money.Fen(0) {
		t.Error("nobody was paid")
	}
	if dead, err := w.dead(); err != nil || dead > 0 {
		t.Errorf("%d events were given up, %v", dead, err)
	}
}

// requests asks for all that somebody has, with the same key until there is an
// answer. It reports whether the withdrawal was accepted.
func (w *little) requests(ctx context.Context, who, key string) bool {
	for ctx.Err() == nil {
		u, _, err := w.app.users.Resolve(ctx, identityOf(who), "zh")
		if err == nil {
			_, err = w.app.payouts.Request(ctx, u.ID, 0, key)
		}
		switch fault.CodeOf(err) {
		case "":
			return true
		case fault.Unavailable, fault.Unknown, fault.Internal:
			continue
		default:
			return false // there is nothing to withdraw, or one is open
		}
	}
	return false
}

// callsBack is the bank: of what it is sent, some waits for its payee, who confirms
// soon; and it calls back about each payment, again and again.
func (w *little) callsBack(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		w.bank.tap()
		w.bank.wait(n%2 == 0)
		for number := range w.bank.known() {
			_ = w.app.payouts.Heard(ctx, w.bankName(), number) // fails while the server is dead
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond): // so that others get a turn
		}
	}
	w.bank.tap()
}

func (w *little) bankName() string { return (&hooked{w.bank, w}).Name() }

// calmsDown lets everything end that is on its way; whoever was too quick for their
// money asks once more.
func (w *little) calmsDown(shoppers int) {
	w.t.Helper()
	for range 10 { // what failed waits longer each time
		w.advance(6 * time.Hour)
		_ = w.settle()
	}
	w.mustSettle()
	for i := range shoppers {
		who := fmt.Sprint("shopper", i)
		if c := confirmation(w.say(who, who+"/last/ask", "提现")); c != "" {
			w.say(who, who+"/last/confirm", c)
		}
	}
	w.mustSettle()
}

// wantServed checks that somebody has their orders and their withdrawals, which
// have ended and are those of the bank.
func (w *little) wantServed(who string, orders int, accepted []string) {
	w.t.Helper()
	u, _, err := w.app.users.Resolve(w.t.Context(), identityOf(who), "zh")
	if err != nil {
		w.t.Fatal(err)
	}
	ls, err := w.app.orders.OfUser(w.t.Context(), u.ID, 0, 1000)
	if err != nil || len(ls) != orders {
		w.t.Errorf("%s has %d orders, %v; bought %d", who, len(ls), err, orders)
	}
	ws, err := w.app.payouts.OfUser(w.t.Context(), u.ID, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	paid := w.bank.known()
	for _, x := range ws {
		if x.State != withdraw.Paid || paid[x.Number] != x.Amount {
			w.t.Errorf("%s: withdrawal %d of %s is %s, and the bank has sent %s", who, x.ID, x.Amount, x.State, paid[x.Number])
		}
		accepted = slices.DeleteFunc(accepted, func(key string) bool { return key == x.Key })
	}
	if len(accepted) > 0 {
		w.t.Errorf("%s was told that %q are accepted, and they are gone", who, accepted)
	}
}

// dead counts the events that nobody will hear.
func (w *little) dead() (n int, err error) {
	for _, o := range w.app.db.Outboxes() {
		d, err := o.Dead(context.Background(), 0, 100)
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
