package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/order"
)

// emit writes n events in a transaction each.
func emit(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for i := range n {
		must(t, db.Orders().InTx(t.Context(), func(tx order.Tx) error {
			return tx.Emit(event.Event{ID: fmt.Sprint("e", i), Name: event.OrderChanged, At: start.Add(time.Duration(i) * time.Minute), Data: []byte("{}")})
		}))
	}
}

func idsOf(stored []event.Stored) []string {
	out := []string{}
	for _, s := range stored {
		out = append(out, s.Event.ID)
	}
	return out
}

func wantWaiting(t *testing.T, o *store.Outbox, at time.Time, ids ...string) []event.Stored {
	t.Helper()
	got, err := o.Waiting(t.Context(), at, 10)
	must(t, err)
	if !slices.Equal(idsOf(got), append([]string{}, ids...)) {
		t.Errorf("Waiting = %v, want %v", idsOf(got), ids)
	}
	return got
}

func TestOutboxNamesItsTarget(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range open(t, store.Config{}).Outboxes() {
		names = append(names, o.Name())
	}
	if want := []string{"bot", "user", "order", "rebate", "payment", "notification", "gateway"}; !slices.Equal(names, want) {
		t.Errorf("Outboxes = %v, want %v", names, want)
	}
}

func TestOutboxKeepsEventsUntilTheyAreSent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		o := box(db, "order")
		emit(t, db, 3)
		got := wantWaiting(t, o, now(), "e0", "e1", "e2")
		count, oldest, err := o.Depth(t.Context())
		if err != nil || count != 3 || !oldest.Equal(start) {
			t.Errorf("Depth = %d since %s, %v", count, oldest, err)
		}
		two, err := o.Waiting(t.Context(), now(), 2)
		if err != nil || !slices.Equal(idsOf(two), []string{"e0", "e1"}) {
			t.Errorf("the first two are %v, %v", idsOf(two), err)
		}
		must(t, o.Sent(t.Context(), []int64{got[0].Seq, got[2].Seq}))
		must(t, o.Sent(t.Context(), []int64{got[0].Seq})) // again is nothing
		must(t, o.Sent(t.Context(), nil))
		wantWaiting(t, o, now(), "e1")
		wantWaiting(t, box(db, "rebate"), now())
		must(t, o.Sent(t.Context(), []int64{got[1].Seq}))
		if count, oldest, err = o.Depth(t.Context()); err != nil || count != 0 || !oldest.IsZero() {
			t.Errorf("Depth = %d since %s, %v, want none", count, oldest, err)
		}
		emit(t, db, 1)
		if again := wantWaiting(t, o, now(), "e0"); again[0].Seq <= got[2].Seq {
			t.Errorf("seq %d was used before", again[0].Seq)
		}
	})
}

func TestOutboxTriesAgainLater(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		o := box(db, "order")
		emit(t, db, 2)
		first := wantWaiting(t, o, now(), "e0", "e1")[0]
		must(t, o.Failed(t.Context(), first.Seq, strings.Repeat("错", 600), now().Add(time.Hour), false))
		wantWaiting(t, o, now(), "e1")
		later := wantWaiting(t, o, now().Add(time.Hour), "e0", "e1")[0]
		if later.Tries != 1 || !later.NextAt.Equal(now().Add(time.Hour)) || len([]rune(later.Error)) != 500 {
			t.Errorf("after a failure: %d tries, next %s, error of %d characters", later.Tries, later.NextAt, len([]rune(later.Error)))
		}
		if count, _, err := o.Depth(t.Context()); err != nil || count != 2 {
			t.Errorf("Depth = %d, %v, want 2: what is put off waits too", count, err)
		}
	})
}

func TestOutboxKeepsDeadLetters(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		o := box(db, "order")
		emit(t, db, 3)
		all := wantWaiting(t, o, now(), "e0", "e1", "e2")
		for _, s := range all[:2] {
			must(t, o.Failed(t.Context(), s.Seq, "no", time.Time{}, true))
		}
		wantWaiting(t, o, now().AddDate(1, 0, 0), "e2")
		dead, err := o.Dead(t.Context(), 0, 10)
		if err != nil || !slices.Equal(idsOf(dead), []string{"e0", "e1"}) || dead[0].Error != "no" {
			t.Errorf("Dead = %+v, %v", dead, err)
		}
		if rest, err := o.Dead(t.Context(), dead[0].Seq, 10); err != nil || !slices.Equal(idsOf(rest), []string{"e1"}) {
			t.Errorf("Dead after the first = %v, %v", idsOf(rest), err)
		}
		act := func(id string) event.Event {
			return event.Event{ID: id, Name: event.StaffActed, At: now(), Data: []byte("{}")}
		}
		must(t, o.Retry(t.Context(), all[0].Seq, act("retried")))
		if s := wantWaiting(t, o, now(), "e0", "e2", "retried")[0]; s.Tries != 0 {
			t.Errorf("a retried event has %d tries", s.Tries)
		}
		must(t, o.Discard(t.Context(), all[1].Seq, act("discarded")))
		if dead, err = o.Dead(t.Context(), 0, 10); err != nil || len(dead) != 0 {
			t.Errorf("Dead = %v, %v, want none", idsOf(dead), err)
		}
		for name, err := range map[string]error{
			"Retry of what is not dead":   o.Retry(t.Context(), all[2].Seq, act("not")),
			"Discard of what is not dead": o.Discard(t.Context(), all[2].Seq, act("not")),
			"Discard of what is gone":     o.Discard(t.Context(), all[1].Seq, act("not")),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want not found", name, err)
			}
		}
		wantWaiting(t, o, now(), "e0", "e2", "retried", "discarded") // what did not happen is not recorded
	})
}

func TestOutboxSaysWhenThereIsSomething(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		o := box(db, "order")
		ready := func() bool {
			select {
			case <-o.Ready():
				return true
			default:
				return false
			}
		}
		if ready() {
			t.Error("ready before anything was emitted")
		}
		err := db.Orders().InTx(t.Context(), func(tx order.Tx) error {
			must(t, tx.Emit(event.Event{ID: "no", Name: event.OrderChanged, At: start}))
			return errCrash
		})
		if !errors.Is(err, errCrash) || ready() {
			t.Errorf("ready although the transaction was rolled back: %v", err)
		}
		emit(t, db, 3)
		if !ready() || ready() {
			t.Error("want to be ready once after three commits")
		}
		must(t, db.Orders().InTx(t.Context(), func(order.Tx) error { return nil }))
		if ready() {
			t.Error("ready although nothing was emitted")
		}
	})
}
