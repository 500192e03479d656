package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"fanli/adapters/store"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/order"
	"fanli/jobs"
)

// These are the ways in which outboxes that follow a high-water mark, or read under
// locks while hearers work, lose or repeat events or hold up writers (as one of the
// libraries did that were tried). Each is played here against ours.

// put writes an event as some other writer would, with a number or the next one.
func put(ctx context.Context, on interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, seq int64, id string,
) error {
	var number any
	if seq > 0 {
		number = seq
	}
	_, err := on.ExecContext(ctx, "INSERT INTO order_outbox (seq, event_id, name, at, data, tries, next_at, dead, error) "+
		"VALUES (?, ?, 'order.changed', 0, x'7b7d', 0, 0, 0, '')", number, id)
	return err
}

func relayOf(db *store.DB, to *listener) *jobs.Relay {
	return &jobs.Relay{Outbox: box(db, "order"), Bus: to, Now: now}
}

// carry runs a relay until nothing waits.
func carry(t *testing.T, r *jobs.Relay) {
	t.Helper()
	for {
		rep, err := r.Run(t.Context(), leaseless)
		must(t, err)
		if rep.Done == 0 {
			return
		}
	}
}

func wantHeard(t *testing.T, l *listener, times int, ids ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if l.heard[id] != times {
			t.Errorf("%s was heard %d times, want %d", id, l.heard[id], times)
		}
	}
}

// TestALateCommitWithASmallerNumberIsHeard: numbers are given before the commit. A
// transaction that commits late brings a number that is smaller than what the relay
// has had long ago.
func TestALateCommitWithASmallerNumberIsHeard(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		shell, heard := raw(t, here), &listener{}
		relay := relayOf(db, heard)
		if here.DSN == "" { // one writer at a time: a smaller number comes only by hand
			must(t, put(t.Context(), shell, 7, "fast"))
			carry(t, relay)
			must(t, put(t.Context(), shell, 3, "slow"))
		} else {
			slow, err := shell.BeginTx(t.Context(), nil)
			must(t, err)
			must(t, put(t.Context(), slow, 0, "slow"))
			must(t, put(t.Context(), shell, 0, "fast"))
			carry(t, relay)
			wantHeard(t, heard, 0, "slow")
			must(t, slow.Commit())
		}
		wantHeard(t, heard, 1, "fast")
		carry(t, relay)
		wantHeard(t, heard, 1, "fast", "slow")
	})
}

// TestGapsInTheNumbersHoldUpNothing: what was rolled back has taken numbers, and
// there may be many.
func TestGapsInTheNumbersHoldUpNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		heard := &listener{}
		for i := range 30 {
			err := db.Orders().InTx(t.Context(), func(tx order.Tx) error {
				must(t, tx.Emit(say(fmt.Sprint("e", i))))
				if i%3 != 0 {
					return errors.New("it did not happen")
				}
				return nil
			})
			if (err == nil) != (i%3 == 0) {
				t.Fatal(err)
			}
		}
		must(t, put(t.Context(), raw(t, here), 1_000_000, "far"))
		carry(t, relayOf(db, heard))
		wantHeard(t, heard, 1, "e0", "e3", "e27", "far")
		wantHeard(t, heard, 0, "e1", "e2", "e28", "e29")
		if heard.total != 11 {
			t.Errorf("heard are %d", heard.total)
		}
	})
}

// TestWritersDoNotWaitForHearers: while a hearer takes its time, writers write.
func TestWritersDoNotWaitForHearers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		inside, done := make(chan struct{}), make(chan struct{})
		heard := &listener{stop: sync.OnceValue(func() func(string) {
			first := sync.OnceFunc(func() { close(inside); <-done })
			return func(string) { first() }
		})()}
		must(t, emitIn(t.Context(), db, "held"))
		finished := make(chan error)
		go func() {
			_, err := relayOf(db, heard).Run(t.Context(), leaseless)
			finished <- err
		}()
		<-inside // the hearer will not end before the writers have
		for i := range 50 {
			must(t, emitIn(t.Context(), db, fmt.Sprint("meanwhile", i)))
		}
		close(done)
		must(t, <-finished)
		carry(t, relayOf(db, heard))
		if heard.total != 51 {
			t.Errorf("heard are %d of 51", heard.total)
		}
	})
}

// TestManyWritersAndOneRelay: nothing is lost, nothing comes twice, and neither sees
// a deadlock.
func TestManyWritersAndOneRelay(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) { writersAndRelays(t, here, 1) })
}

// TestTwoRelaysAtOnceLoseNothing: should there ever be two, as when a process was
// paused, an event may come twice and its hearer's inbox knows it; none is lost, and
// none of the relays fails.
func TestTwoRelaysAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) { writersAndRelays(t, here, 2) })
}

func writersAndRelays(t *testing.T, here store.Config, relays int) {
	t.Helper()
	const writers, each = 8, 40
	first, heard := open(t, here), &listener{}
	var writing, relaying sync.WaitGroup
	over := make(chan struct{})
	for w := range writers {
		db := first
		if w%2 == 1 { // of another process
			db = reopen(t, here)
		}
		writing.Go(func() {
			for i := range each {
				err := db.Orders().InTx(t.Context(), func(tx order.Tx) error {
					if err := tx.Emit(say(fmt.Sprintf("w%d/%d", w, i))); err != nil {
						return err
					}
					if i%5 == 4 {
						return fault.New(fault.Invalid, "test.no")
					}
					return nil
				})
				if err != nil && i%5 != 4 {
					t.Error(err)
				}
			}
		})
	}
	for range relays {
		relay := relayOf(reopen(t, here), heard)
		relaying.Go(func() {
			for ended := false; ; {
				rep, err := relay.Run(t.Context(), leaseless)
				if err != nil {
					t.Error(err)
				}
				if ended && rep.Done == 0 {
					return
				}
				select {
				case <-over:
					ended = true
				default:
				}
			}
		})
	}
	writing.Wait()
	close(over)
	relaying.Wait()
	if n, _, err := box(first, "order").Depth(t.Context()); n != 0 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	for w := range writers {
		for i := range each {
			id, want := fmt.Sprintf("w%d/%d", w, i), i%5 != 4
			if got := heard.heard[id]; (got > 0) != want || relays == 1 && got > 1 {
				t.Errorf("%s was heard %d times", id, got)
			}
		}
	}
	t.Logf("%d events were heard %d times by %d relays", writers*each*4/5, heard.total, relays)
}

// leaseless is for relays that are run by hand: they write under no lease.
var leaseless = lock.Lease{}
