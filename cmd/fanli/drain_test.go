package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/adapters/bus/brokertest"
	"fanli/adapters/store/mariadbtest"
	"fanli/configs"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/user"
)

// An hour of 100,000 users, and a busy one: one in twenty pastes a link, one in a
// hundred buys something. docs/targets.md says where the figures come from.
const (
	hourLinks  = 5_000
	hourOrders = 1_000
	hourPages  = 720 // of orders: a stream is asked every five seconds
	hourUsers  = 300 // who they are does not matter
)

// drainMost is how long an hour of events may take once the broker is back, and of the
// processor wherever it is played.
const drainMost = time.Minute

// TestABrokerThatWasAwayForAnHour: people go on for an hour while there is no broker.
// They do not notice. When it is back, everything that was to follow has followed
// within a minute: links have met their orders, rebates are booked and messages
// written. The minute holds on a machine that does nothing else, so it is played alone;
// where others have the machine, it is held against what as many links take right then.
func TestABrokerThatWasAwayForAnHour(t *testing.T) {
	if underRace {
		t.Skip("skipped under the race detector: its minute is timed; stage 2 plays it")
	}
	for name, open := range map[string]func(testing.TB) *brokertest.Broker{"RabbitMQ": brokertest.RabbitMQ, "Redis": brokertest.Redis} {
		t.Run(name, func(t *testing.T) {
			anHourWithoutABroker(t, open(t))
		})
	}
}

func anHourWithoutABroker(t *testing.T, broker *brokertest.Broker) {
	t.Helper()
	a := splitApp(t, broker)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = a.runner.Run(ctx) })
	running.Go(func() { _ = a.peers.run(ctx) })
	a.relayOnEmit(ctx)
	t.Cleanup(func() { stop(); running.Wait() })
	people := peopleOf(t, a)
	quick := newLinks(t, a, people, "before", hourLinks/10) // while it is there
	settle(t, a, "before")
	broker.Kill(t)
	slow := newLinks(t, a, people, "hour", hourLinks)
	bought(t, a, hourOrders, hourPages)
	t.Logf("a link took %s with the broker, %s without", quick, slow)
	waiting := depth(t, a)
	if waiting < int64(hourLinks) {
		t.Errorf("only %d events wait", waiting)
	}
	broker.Start(t)
	began, had := time.Now(), shareOf(os.Getpid())
	settle(t, a, "after")
	took, used := time.Since(began), shareOf(os.Getpid()).used-had.used
	if slow > 3*quick+2*time.Millisecond { // or others have come to the machine meanwhile: then so is one with it
		quick = max(quick, newLinks(t, a, people, "again", hourLinks/10))
	}
	if slow > 3*quick+2*time.Millisecond {
		t.Errorf("writers wait for a broker that is away: %s for a link, %s with it", slow, quick)
	}
	t.Logf("%d events that had waited, and what followed from them, took %s, %s of the processor", waiting, took, used)
	if took > drainMost {
		began := time.Now()
		newLinks(t, a, people, "another", hourLinks)
		settle(t, a, "another")
		same := time.Since(began)
		t.Logf("as many new links take %s", same)
		if took > 4*same || used > drainMost { // orders have more that follows from them
			t.Errorf("it took %s, %s of the processor", took, used)
		}
	}
	everythingFollowed(t, a, hourOrders)
}

// splitApp is all targets in one process, each with a database of its own, who tell
// each other by way of a broker.
func splitApp(t *testing.T, broker *brokertest.Broker) *app {
	t.Helper()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	name := "drain" + fmt.Sprint(time.Now().UnixNano()%1_000_000)
	cfg.Data, cfg.Targets = t.TempDir(), configs.Targets()
	cfg.Database.DSN = databasesOf(t, mariadbtest.Shared(t), name)
	cfg.Database.SealKey = fmt.Sprintf("%064x", 1)
	cfg.Broker.URL, cfg.Broker.Prefix = broker.URL(), name
	cfg.Peers.Listen, cfg.Peers.Token = "127.0.0.1:0", "a token that only this test knows"
	cfg.Sync.Rescan = false
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(nil), now: time.Now, holder: "test", stands: &stands{payer: &hooked{&bank{paid: map[string]money.Fen{}}, &little{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	return a
}

func peopleOf(t *testing.T, a *app) []int64 {
	t.Helper()
	ids := make([]int64, hourUsers)
	for i := range ids {
		u, _, err := a.users.Resolve(t.Context(), user.Identity{Channel: "drain", External: fmt.Sprint(i)}, "zh")
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = u.ID
	}
	return ids
}

// newLinks says that links were made, a transaction each, and returns how long the
// median one took.
func newLinks(t *testing.T, a *app, people []int64, as string, count int) time.Duration {
	t.Helper()
	took := make([]time.Duration, count)
	for i := range count {
		tag := fmt.Sprintf("%s-%d", as, i)
		e, err := event.New("link/"+tag, event.LinkMade, time.Now(), link.LinkMade{
			Link: int64(len(as)*1_000_000 + i), User: people[i%len(people)], Network: link.JD, Item: fmt.Sprint("item", i), Tag: tag,
			Promise: link.Promise{}, At: time.Now().Add(-time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := a.db.Links().InTx(t.Context(), func(tx link.Tx) error { return tx.Emit(e) }); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[count/2]
}

// bought lets the network say what was bought through the links.
func bought(t *testing.T, a *app, orders, pages int) {
	t.Helper()
	n := 0
	for p := range pages {
		var page order.Page
		for ; n*pages < (p+1)*orders; n++ {
			at := time.Now().Add(-30 * time.Minute)
			page.Revisions = append(page.Revisions, order.Revision{
				Key: order.Key{Network: link.JD, Account: "main", ID: fmt.Sprint(n)}, Aspect: order.Whole, Order: fmt.Sprint("o", n),
				Item: fmt.Sprint("item", n), Title: "保温杯", Quantity: 1, State: order.Paid, Price: 8_900, Estimated: 1_000,
				Tag: fmt.Sprint("hour-", n), Clicked: at, Created: at, PaidAt: at, Modified: at, Raw: []byte(`{}`),
			})
		}
		if _, err := a.orders.Apply(t.Context(), page, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func depth(t *testing.T, a *app) (sum int64) {
	t.Helper()
	for _, o := range a.db.Outboxes() {
		n, _, err := o.Depth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// settle says something by the way and waits until it has come through behind all
// else, and nothing waits.
func settle(t *testing.T, a *app, as string) {
	t.Helper()
	mark := fmt.Sprint("mark-", as)
	e, err := event.New("link/"+mark, event.LinkMade, time.Now(), link.LinkMade{Link: int64(len(as)) + 9, User: 1, Network: link.PDD, Item: mark, Tag: mark, At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.db.Links().InTx(t.Context(), func(tx link.Tx) error { return tx.Emit(e) }); err != nil {
		t.Fatal(err)
	}
	calm := 0
	for limit := time.Now().Add(5 * time.Minute); calm < 3; time.Sleep(100 * time.Millisecond) { // others are at work
		if calm++; depth(t, a) > 0 || !heardLink(t, a, "link/"+mark) {
			calm = 0
		}
		if time.Now().After(limit) {
			t.Fatalf("%d events still wait", depth(t, a))
		}
	}
}

// heardLink reports whether order has heard of a link.
func heardLink(t *testing.T, a *app, id string) (before bool) {
	t.Helper()
	errAsked := errors.New("asked") // it only looks
	err := a.db.Orders().InTx(t.Context(), func(tx order.Tx) (err error) {
		if before, err = tx.Handled(id); err == nil {
			err = errAsked
		}
		return err
	})
	if !errors.Is(err, errAsked) {
		t.Fatal(err)
	}
	return before
}

// everythingFollowed holds the ends of all ways against their beginnings.
func everythingFollowed(t *testing.T, a *app, orders int) {
	t.Helper()
	for limit := time.Now().Add(3 * patience); ; time.Sleep(100 * time.Millisecond) { // what is in a queue is not in an outbox
		accounts, err := a.db.Ledger().Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, want := -accounts[ledger.Network(link.JD)], money.Fen(orders*1_000)
		if got == want {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the network owes us %s by our book, and %s in truth", got, want)
		}
	}
	for _, o := range a.db.Outboxes() {
		if dead, err := o.Dead(t.Context(), 0, 10); err != nil || len(dead) > 0 {
			t.Errorf("given up are %v, %v", dead, err)
		}
	}
}
