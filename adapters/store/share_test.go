package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/logtest"
	"fanli/core/order"
	"fanli/jobs"
)

// streamsMax is how many streams the processes of the test share.
const streamsMax = 12

// A shop is a process that follows streams. Each writes how far it has come, in its
// database, under its lease.
type shop struct {
	lock.Leases
	name string
	dead atomic.Bool
	stop func()
}

// Take implements lock.Leases for a process that may be dead.
func (p *shop) Take(ctx context.Context, name, holder string, d time.Duration) (lock.Lease, error) {
	if p.dead.Load() {
		return lock.Lease{}, fault.New(fault.Unavailable, "test.dead")
	}
	return p.Leases.Take(ctx, name, holder, d)
}

// Drop implements lock.Leases for a process that may be dead.
func (p *shop) Drop(ctx context.Context, name, holder string) error {
	if p.dead.Load() {
		return fault.New(fault.Unavailable, "test.dead")
	}
	return p.Leases.Drop(ctx, name, holder)
}

// die ends it as kill -9 does.
func (p *shop) die() {
	p.dead.Store(true)
	p.stop()
}

// opens starts one over a database of its own handle.
func opens(t *testing.T, here store.Config, name string, term time.Duration, overlaps *atomic.Int64, busy *sync.Map) *shop {
	t.Helper()
	db := reopen(t, here)
	p := &shop{Leases: db.Leases(), name: name}
	var plans []jobs.Plan
	for i := range streamsMax {
		at := order.Place{Network: "jd", Account: "main", Scene: fmt.Sprintf("s%02d", i), Rung: jobs.Follow}
		plans = append(plans, jobs.Plan{
			Shared: "feeds/follow", Every: "@every 1s", Leases: p, Term: term,
			Job: jobs.Func{As: "sync/" + at.Scene, Do: func(ctx context.Context) (int, error) {
				if _, other := busy.LoadOrStore(at, name); other {
					overlaps.Add(1)
				}
				defer busy.Delete(at)
				l, _ := lock.Of(ctx)
				return 0, db.Orders().InTx(ctx, func(tx order.Tx) error {
					return tx.SetProgress(order.Progress{Place: at, At: time.Now(), Error: name, Fence: l.Token})
				})
			}},
		})
	}
	r, err := jobs.New(plans, nil, name, time.UTC, logtest.New(nil))
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	p.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(p.stop)
	return p
}

// inHands counts the streams that each process holds.
func inHands(t *testing.T, db *store.DB) map[string]int {
	t.Helper()
	held, err := db.Leases().Held(t.Context())
	must(t, err)
	got := map[string]int{}
	for _, h := range held {
		if strings.HasPrefix(h.Name, "job/") {
			got[h.Holder]++
		}
	}
	return got
}

// hands waits until the streams are held so. How soon that must be is for the tests of
// jobs to say, whose clock does not depend on how busy the machine is.
func hands(t *testing.T, db *store.DB, want map[string]int) {
	t.Helper()
	for began := time.Now(); ; {
		got := inHands(t, db)
		if fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the streams are with %v, want %v", got, want)
		}
		time.Sleep(20 * time.Millisecond) // other processes are at work
	}
}

// TestProcessesShareStreams: three processes over one database have four of twelve
// streams each; one dies, and within its leases' time the others have six each, which
// go on where it was.
func TestProcessesShareStreams(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		const term = 3 * time.Second
		db := open(t, here)
		var overlaps atomic.Int64
		var busy sync.Map
		a := opens(t, here, "a", term, &overlaps, &busy)
		hands(t, db, map[string]int{"a": streamsMax})
		b := opens(t, here, "b", term, &overlaps, &busy)
		c := opens(t, here, "c", term, &overlaps, &busy)
		hands(t, db, map[string]int{"a": 4, "b": 4, "c": 4})
		b.die()
		died := time.Now()
		hands(t, db, map[string]int{"a": 6, "c": 6})
		progressed(t, db, died, "a", "c")
		a.stop()
		if n := inHands(t, db)["a"]; n > 0 { // their leases would have lasted longer
			t.Errorf("who has stopped in order still has %d streams", n)
		}
		hands(t, db, map[string]int{"c": streamsMax})
		c.stop()
		if n := overlaps.Load(); n != 0 {
			t.Errorf("%d times two processes were at one stream", n)
		}
		hands(t, db, map[string]int{})
	})
}

// progressed waits until every stream has gone on after a time, and looks by whom.
func progressed(t *testing.T, db *store.DB, after time.Time, by ...string) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		places, err := db.Orders().Places(t.Context())
		must(t, err)
		on := 0
		for _, p := range places {
			if p.At.After(after) {
				on++
				if p.Error != by[0] && p.Error != by[1] {
					t.Errorf("%s was written by %s", p.Scene, p.Error)
				}
			}
		}
		if on == streamsMax {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d of %d streams have gone on", on, streamsMax)
		}
	}
}
