package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/logtest"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/jobs"
)

// two opens one database in two processes with a clock of their own.
func two(t *testing.T, here store.Config) (a, b *store.DB, c *clock) {
	t.Helper()
	c = &clock{at: start}
	here.Now = c.now
	return open(t, here), reopen(t, here), c
}

func say(id string) event.Event {
	return event.Event{ID: id, Name: event.OrderChanged, At: start, Data: []byte("{}")}
}

func emitIn(ctx context.Context, db *store.DB, id string) error {
	return db.Orders().InTx(ctx, func(tx order.Tx) error { return tx.Emit(say(id)) })
}

func wantLost(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != lock.Lost {
		t.Errorf("%s under a lease that was lost: %v", what, err)
	}
}

// TestAHolderThatSleptWritesNothing: the lease ends, another process takes it over,
// and then the first one goes on with what it was about to write.
func TestAHolderThatSleptWritesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		a, b, c := two(t, here)
		l, err := a.Leases().Take(t.Context(), "job/x", "a", time.Minute)
		must(t, err)
		under := lock.Under(t.Context(), l)
		must(t, emitIn(under, a, "first"))
		c.advance(2 * time.Minute)
		must(t, emitIn(under, a, "late")) // nobody else has it: nothing is in danger
		next, err := b.Leases().Take(t.Context(), "job/x", "b", time.Minute)
		must(t, err)

		box := box(a, "order")
		waiting, err := box.Waiting(t.Context(), c.now(), 10)
		must(t, err)
		note := func(ctx context.Context, db *store.DB) error {
			return db.Orders().InTx(ctx, func(tx order.Tx) error {
				return tx.SetProgress(order.Progress{Place: order.Place{Network: "jd", Rung: "follow"}, Done: c.now()})
			})
		}
		wantLost(t, "an event", emitIn(under, a, "second"))
		wantLost(t, "progress", note(under, a))
		wantLost(t, "a relay's mark", box.Sent(under, []int64{waiting[0].Seq}))
		wantLost(t, "a relay's failure", box.Failed(under, waiting[0].Seq, "x", c.now(), true))
		wantLost(t, "another target's message", a.Messages().InTx(under, func(tx notify.Tx) error {
			return tx.Write([]notify.Message{{Key: "m", User: 1, Kind: notify.OrderSeen, Data: []byte("{}"), State: notify.Waiting}})
		}))
		if err := a.Orders().InTx(under, func(order.Tx) error { return errors.New("its own fault") }); err == nil || err.Error() == "" {
			t.Errorf("a transaction that fails by itself: %v", err)
		}

		after, err := box.Waiting(t.Context(), c.now(), 10)
		must(t, err)
		if len(after) != 2 || after[0].Tries != 0 {
			t.Errorf("the outbox is %v", after)
		}
		told, err := a.Messages().Waiting(t.Context(), c.now(), 10)
		if err != nil || len(told) != 0 {
			t.Errorf("told is %v, %v", told, err)
		}
		must(t, note(lock.Under(t.Context(), next), b))
		must(t, b.Leases().Drop(t.Context(), "job/x", "b"))
		wantLost(t, "an event after the other one gave it back", emitIn(under, a, "third"))
		must(t, emitIn(t.Context(), a, "by nobody's lease"))
		must(t, a.Leases().Drop(under, "job/x", "a")) // leases themselves are not fenced
	})
}

// TestATakeoverWithinATransaction: the other process takes the lease over between a
// statement and the commit.
func TestATakeoverWithinATransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		if here.DSN == "" {
			return // on a file nobody takes a lease while a transaction writes
		}
		a, b, c := two(t, here)
		l, err := a.Leases().Take(t.Context(), "job/x", "a", time.Minute)
		must(t, err)
		err = a.Orders().InTx(lock.Under(t.Context(), l), func(tx order.Tx) error {
			must(t, tx.Emit(say("slow")))
			c.advance(time.Hour)
			_, err := b.Leases().Take(t.Context(), "job/x", "b", time.Minute)
			return err
		})
		wantLost(t, "what had begun before", err)
		if n, _, err := box(a, "order").Depth(t.Context()); n != 0 || err != nil {
			t.Errorf("%d events wait, %v", n, err)
		}
	})
}

// A frozen process does nothing until it thaws: its leases are not renewed.
type frozen struct {
	lock.Leases
	mu    sync.Mutex
	until chan struct{}
}

func (f *frozen) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until = make(chan struct{})
}

func (f *frozen) thaw() { close(f.until) }

func (f *frozen) Take(ctx context.Context, name, holder string, d time.Duration) (lock.Lease, error) {
	f.mu.Lock()
	until := f.until
	f.mu.Unlock()
	if until != nil {
		<-until
	}
	return f.Leases.Take(ctx, name, holder, d)
}

// A listener is a bus that hears everything, and stops in the middle where it is told to.
type listener struct {
	mu    sync.Mutex
	heard map[string]int
	total int
	stop  func(id string)
}

func (l *listener) Publish(_ context.Context, e event.Event) error {
	if l.stop != nil {
		l.stop(e.ID)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard == nil {
		l.heard = map[string]int{}
	}
	l.heard[e.ID]++
	l.total++
	return nil
}

// TestARelayThatWasPaused: a process stops in the middle of a batch, as by SIGSTOP.
// Another one takes over and says everything. When the first one goes on, it marks
// nothing: its lease has passed on, and the database knows.
func TestARelayThatWasPaused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		a, b, c := two(t, here)
		emit(t, a, 5)
		leases := &frozen{Leases: a.Leases()}
		asleep, awake := make(chan struct{}), make(chan struct{})
		slow := &listener{stop: func(id string) {
			if id == "e2" {
				close(asleep)
				<-awake
			}
		}}
		planned := func(leases lock.Leases, holder string, db *store.DB, to *listener) *jobs.Runner {
			relay := &jobs.Relay{Outbox: box(db, "order"), Bus: to, Now: c.now}
			r, err := jobs.New([]jobs.Plan{{Job: relay, Leases: leases}}, nil, holder, time.UTC, logtest.New(nil))
			must(t, err)
			return r
		}
		first, second := planned(leases, "a", a, slow), &listener{}
		done := make(chan error)
		go func() { done <- first.Drain(t.Context()) }()
		<-asleep
		leases.freeze()
		c.advance(2 * time.Minute)
		must(t, planned(b.Leases(), "b", b, second).Drain(t.Context()))
		if second.total != 5 {
			t.Errorf("the successor said %d of 5 events", second.total)
		}
		must(t, emitIn(t.Context(), b, "new"))
		close(awake)
		leases.thaw()
		wantLost(t, "a paused relay", <-done)
		wantWaiting(t, box(a, "order"), c.now(), "new")
		if st := first.Status()[0]; st.Error != lock.Lost {
			t.Errorf("operators see %+v", st)
		}
		must(t, first.Drain(t.Context())) // it asks for the lease and leaves the work to who has it
		wantWaiting(t, box(a, "order"), c.now(), "new")
	})
}

// TestHeldLeases shows who has what.
func TestHeldLeases(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		a, b, c := two(t, here)
		for i, db := range []*store.DB{a, b} {
			for _, name := range []string{"z", "y", "x"} {
				_, err := db.Leases().Take(t.Context(), fmt.Sprint(name, i), fmt.Sprint("p", i), time.Duration(i+1)*time.Minute)
				must(t, err)
			}
		}
		must(t, b.Leases().Drop(t.Context(), "y1", "p1"))
		held, err := a.Leases().Held(t.Context())
		if want := "[{x0 p0} {x1 p1} {y0 p0} {z0 p0} {z1 p1}]"; err != nil || fmt.Sprint(held) != want {
			t.Errorf("Held = %v, %v, want %s", held, err, want)
		}
		c.advance(time.Minute)
		held, err = a.Leases().Held(t.Context())
		if want := "[{x1 p1} {z1 p1}]"; err != nil || fmt.Sprint(held) != want {
			t.Errorf("after a minute, Held = %v, %v, want %s", held, err, want)
		}
	})
}
