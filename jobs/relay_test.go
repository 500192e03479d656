package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/jobs"
)

// An outbox is an event.Outbox in memory.
type outbox struct {
	waiting []event.Stored
	dead    []event.Stored
	down    bool
}

func newOutbox(n int) *outbox {
	o := &outbox{}
	for i := range n {
		o.waiting = append(o.waiting, event.Stored{Event: event.Event{ID: fmt.Sprint("e", i), Name: event.OrderChanged}, Seq: int64(i + 1)})
	}
	return o
}

func (o *outbox) Name() string { return "order" }

func (o *outbox) Waiting(_ context.Context, now time.Time, count int) (due []event.Stored, err error) {
	for _, s := range o.waiting {
		if !s.NextAt.After(now) && len(due) < count {
			due = append(due, s)
		}
	}
	return due, nil
}

func (o *outbox) Sent(_ context.Context, seqs []int64) error {
	if o.down {
		return fault.New(fault.Unavailable, "")
	}
	o.waiting = slices.DeleteFunc(o.waiting, func(s event.Stored) bool { return slices.Contains(seqs, s.Seq) })
	return nil
}

func (o *outbox) Failed(_ context.Context, seq int64, cause string, next time.Time, dead bool) error {
	i := slices.IndexFunc(o.waiting, func(s event.Stored) bool { return s.Seq == seq })
	s := &o.waiting[i]
	s.Tries++
	s.NextAt, s.Error = next, cause
	if dead {
		o.dead = append(o.dead, *s)
		o.waiting = slices.Delete(o.waiting, i, i+1)
	}
	return nil
}

// A hearing is a bus that fails for chosen events.
type hearing struct {
	heard []string
	fails func(id string) error
}

func (h *hearing) Publish(_ context.Context, e event.Event) error {
	if h.fails != nil {
		if err := h.fails(e.ID); err != nil {
			return err
		}
	}
	h.heard = append(h.heard, e.ID)
	return nil
}

func relay(o event.Outbox, h *hearing, now *time.Time) *jobs.Relay {
	return &jobs.Relay{Outbox: o, Bus: h, Now: func() time.Time { return *now }}
}

func TestARelayCarriesEventsOldestFirst(t *testing.T) {
	t.Parallel()
	o, h, now := newOutbox(250), &hearing{}, start
	r := relay(o, h, &now)
	var done []int
	for range 4 {
		rep, err := r.Run(t.Context(), lease(1))
		must(t, err)
		done = append(done, rep.Done)
	}
	if fmt.Sprint(done) != "[100 100 50 0]" || len(o.waiting) != 0 || r.Name() != "relay/order" {
		t.Errorf("%s carried %v, %d are left", r.Name(), done, len(o.waiting))
	}
	for i, id := range h.heard {
		if id != fmt.Sprint("e", i) {
			t.Fatalf("event %d is %s", i, id)
		}
	}
}

func TestAnEventThatFailsIsPutOffAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	o, now := newOutbox(5), start
	h := &hearing{fails: func(id string) error {
		if id == "e1" || id == "e3" {
			return fault.New(fault.Unavailable, "db.busy")
		}
		return nil
	}}
	r := relay(o, h, &now)
	rep, err := r.Run(t.Context(), lease(1))
	if rep.Done != 3 || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "e1") || !strings.Contains(err.Error(), "e3") {
		t.Errorf("%+v, %v", rep, err)
	}
	if fmt.Sprint(h.heard) != "[e0 e2 e4]" || len(o.waiting) != 2 || o.waiting[0].Error != "db.busy" {
		t.Errorf("heard %v, waiting %+v", h.heard, o.waiting)
	}
	if rep, err := r.Run(t.Context(), lease(1)); rep.Done != 0 || err != nil {
		t.Errorf("before their time: %+v, %v", rep, err)
	}
	h.fails = nil
	now = now.Add(time.Second)
	if rep, err := r.Run(t.Context(), lease(1)); rep.Done != 2 || err != nil {
		t.Errorf("when it works again: %+v, %v", rep, err)
	}
}

func TestAnEventWaitsLongerEachTimeAndIsDeadInTheEnd(t *testing.T) {
	t.Parallel()
	o, now := newOutbox(1), start
	h := &hearing{fails: func(string) error { return errors.New("no") }}
	r := relay(o, h, &now)
	var waits []time.Duration
	for len(o.waiting) > 0 {
		if _, err := r.Run(t.Context(), lease(1)); err == nil {
			t.Fatal("it does not fail")
		}
		if len(o.waiting) > 0 {
			waits = append(waits, o.waiting[0].NextAt.Sub(now))
			now = o.waiting[0].NextAt
		}
		if len(waits) > 100 {
			t.Fatal("it never dies")
		}
	}
	if len(o.dead) != 1 || o.dead[0].Tries != 50 {
		t.Errorf("dead are %+v", o.dead)
	}
	if fmt.Sprint(waits[:4]) != "[250ms 500ms 1s 2s]" || slices.Max(waits) != time.Hour || !slices.IsSorted(waits) {
		t.Errorf("the waits are %v", waits)
	}
	if took := now.Sub(start); took < 20*time.Hour || took > 48*time.Hour {
		t.Errorf("it is given up after %s", took)
	}
}

func TestAHearerThatPanicsHoldsUpNothing(t *testing.T) {
	t.Parallel()
	o, now := newOutbox(3), start
	h := &hearing{fails: func(id string) error {
		if id == "e0" {
			panic("a defect")
		}
		return nil
	}}
	r := relay(o, h, &now)
	rep, err := r.Run(t.Context(), lease(1))
	if rep.Done != 2 || err == nil || len(o.waiting) != 1 || o.waiting[0].Tries != 1 {
		t.Errorf("%+v, %v, waiting %+v", rep, err, o.waiting)
	}
	wantText(t, "what is kept of it", o.waiting[0].Error, "a defect")
}

func TestBeingStoppedIsNotTheEventsFault(t *testing.T) {
	t.Parallel()
	o, now := newOutbox(3), start
	ctx, cancel := context.WithCancel(t.Context())
	h := &hearing{fails: func(id string) error {
		if id == "e1" {
			cancel()
		}
		return ctx.Err()
	}}
	_, err := relay(o, h, &now).Run(ctx, lease(1))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for _, s := range o.waiting {
		if s.Tries != 0 || !s.NextAt.IsZero() {
			t.Errorf("%s is blamed: %+v", s.Event.ID, s)
		}
	}
}

func TestWhatWasHeardIsSaidAgainIfThatCouldNotBeKept(t *testing.T) {
	t.Parallel()
	o, h, now := newOutbox(2), &hearing{}, start
	o.down = true
	r := relay(o, h, &now)
	if _, err := r.Run(t.Context(), lease(1)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	o.down = false
	if _, err := r.Run(t.Context(), lease(1)); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(h.heard) != "[e0 e1 e0 e1]" || len(o.waiting) != 0 {
		t.Errorf("heard %v, %d wait", h.heard, len(o.waiting))
	}
}

// A batching bus takes events in one go.
type batching struct {
	hearing
	down  bool
	calls int
}

func (b *batching) PublishAll(ctx context.Context, es []event.Event) []error {
	b.calls++
	errs := make([]error, len(es))
	for i, e := range es {
		if b.down && e.ID != "e0" && e.ID != "e1" {
			errs[i] = &fault.Error{Code: fault.Unavailable, Reason: event.Down}
			continue
		}
		errs[i] = b.Publish(ctx, e)
	}
	return errs
}

// TestABusThatIsAwayBlamesNoEvent: an hour without a broker must not put off events
// by an hour more, nor end in dead letters.
func TestABusThatIsAwayBlamesNoEvent(t *testing.T) {
	t.Parallel()
	o, now := newOutbox(30), time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	b := &batching{down: true}
	b.fails = func(id string) error {
		if id == "e1" {
			return fault.New(fault.Invalid, "event.too_large")
		}
		return nil
	}
	r := &jobs.Relay{Outbox: o, Bus: b, Now: func() time.Time { return now }}
	for try := range 100 {
		rep, err := r.Run(t.Context(), lock.Lease{})
		if fault.ReasonOf(err) == "" || strings.Count(err.Error(), event.Down) > 1 {
			t.Fatalf("try %d: %v", try, err)
		}
		if try == 0 && rep.Done != 1 {
			t.Errorf("%d were said", rep.Done)
		}
		now = now.Add(time.Second)
	}
	for _, s := range o.waiting {
		if tried := s.Event.ID == "e1"; tried != (s.Tries > 0) || !tried && !s.NextAt.IsZero() {
			t.Errorf("%s was tried %d times and waits until %s", s.Event.ID, s.Tries, s.NextAt)
		}
	}
	now = now.Add(time.Hour)
	b.down, b.heard = false, nil
	rep, err := r.Run(t.Context(), lock.Lease{})
	if rep.Done < 20 || len(o.dead) != 0 {
		t.Errorf("after its return %d were said, %d are dead, %v", rep.Done, len(o.dead), err)
	}
}
