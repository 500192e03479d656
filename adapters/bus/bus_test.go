package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fanli/adapters/bus"
	"fanli/core/event"
	"fanli/core/fault"
)

func TestEveryHearerHearsWhatItAskedFor(t *testing.T) {
	t.Parallel()
	var b bus.Local
	var heard []string
	hear := func(name event.Name, as string) {
		b.Hear(name, as, func(_ context.Context, e event.Event) error {
			heard = append(heard, as+" "+e.ID)
			return nil
		})
	}
	hear(event.OrderChanged, "rebate")
	hear(event.OrderChanged, "notification")
	hear(event.LinkMade, "order")
	for i, name := range []event.Name{event.OrderChanged, event.LinkMade, event.LedgerPosted} {
		if err := b.Publish(t.Context(), event.Event{ID: fmt.Sprint("e", i), Name: name}); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(heard) != "[rebate e0 notification e0 order e1]" {
		t.Errorf("heard are %v", heard)
	}
}

func TestOneThatFailsKeepsNoOtherFromHearing(t *testing.T) {
	t.Parallel()
	var b bus.Local
	heard := 0
	for _, as := range []string{"first", "second", "third"} {
		b.Hear(event.OrderChanged, as, func(context.Context, event.Event) error {
			heard++
			if as == "second" {
				return nil
			}
			return fault.New(fault.Unavailable, "db.busy")
		})
	}
	err := b.Publish(t.Context(), event.Event{Name: event.OrderChanged})
	if heard != 3 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%d have heard it, %v", heard, err)
	}
	for _, as := range []string{"first: db.busy", "third: db.busy"} {
		if !strings.Contains(err.Error(), as) {
			t.Errorf("%v does not name %s", err, as)
		}
	}
	if strings.Contains(err.Error(), "second") {
		t.Errorf("%v names one that did not fail", err)
	}
}

func TestHearersGetTheContextAndTheWholeEvent(t *testing.T) {
	t.Parallel()
	var b bus.Local
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sent := event.Event{ID: "x", Name: event.LinkMade, Data: []byte(`{"link":1}`)}
	b.Hear(event.LinkMade, "order", func(ctx context.Context, e event.Event) error {
		if e.ID != sent.ID || e.Name != sent.Name || string(e.Data) != string(sent.Data) {
			t.Errorf("heard is %+v", e)
		}
		return ctx.Err()
	})
	if err := b.Publish(ctx, sent); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A hearer may say something itself, and others may begin to hear meanwhile.
func TestManySayAndHearAtOnce(t *testing.T) {
	t.Parallel()
	var b bus.Local
	var first, second atomic.Int64
	b.Hear(event.OrderChanged, "rebate", func(ctx context.Context, e event.Event) error {
		first.Add(1)
		return b.Publish(ctx, event.Event{ID: e.ID, Name: event.RebateChanged})
	})
	b.Hear(event.RebateChanged, "payment", func(context.Context, event.Event) error { second.Add(1); return nil })
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			b.Hear(event.LedgerPosted, fmt.Sprint(i), func(context.Context, event.Event) error { return nil })
			if err := b.Publish(t.Context(), event.Event{ID: fmt.Sprint(i), Name: event.OrderChanged}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if first.Load() != 50 || second.Load() != 50 {
		t.Errorf("heard were %d and %d", first.Load(), second.Load())
	}
}
