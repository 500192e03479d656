package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/guard"
	"fanli/core/fault"
	"fanli/core/link"
)

// open is a cache that can be looked into.
type open struct {
	*cache.Memory
	mu  sync.Mutex
	all map[string]string
}

func newOpen(now func() time.Time) *open {
	return &open{Memory: cache.NewMemory(now), all: map[string]string{}}
}

func (o *open) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[key] = string(value)
	o.Memory.Set(ctx, key, value, ttl)
}

// fill puts something into every field that v has.
func fill(v reflect.Value, n *int64) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, 0, int(*n), time.UTC)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprint("text", *n))
	case v.Kind() == reflect.Int64 || v.Kind() == reflect.Int:
		v.SetInt(9_007_199_254_740_993 + *n) // no float keeps it
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	}
}

// offered is a network with one offer that has everything.
type offered struct {
	script
	offer link.Offer
}

func (o *offered) Offer(ctx context.Context, _ link.Ref) (link.Offer, error) {
	return o.offer, o.run(ctx)
}

func TestOffersAreShared(t *testing.T) {
	t.Parallel()
	rule(t, "WhatOneProcessHasAskedTheOthersKnow", func(t *testing.T) {
		shared := newOpen(time.Now)
		var full link.Offer
		n := int64(0)
		fill(reflect.ValueOf(&full).Elem(), &n)
		a, b := &offered{offer: full}, &offered{offer: full}
		first := guard.Network(a, guard.Options{Cache: shared})
		second := guard.Network(b, guard.Options{Cache: shared})
		ref := item("1")
		want, err := first.Offer(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Second)
		for range 2 {
			got, err := second.Offer(t.Context(), ref)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the other process has %+v, %v\nwant %+v", got, err, want)
			}
		}
		wantCalls(t, &b.script, 0)
		time.Sleep(21 * time.Second) // it is a minute old, not forty seconds
		if _, err := second.Offer(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, &b.script, 1)
		for key, text := range shared.all {
			if !strings.HasPrefix(key, "offer/1/script/") || strings.Contains(text, full.Source.URL) {
				t.Errorf("%s: %s", key, text)
			}
		}
	})
	rule(t, "AlsoThatThereIsNothing", func(t *testing.T) {
		shared := newOpen(time.Now)
		a, b := &script{next: failing(missing, 9)}, &script{}
		_, err1 := guard.Network(a, guard.Options{Cache: shared}).Offer(t.Context(), item("1"))
		_, err2 := guard.Network(b, guard.Options{Cache: shared}).Offer(t.Context(), item("1"))
		if !fault.Is(err2, fault.NotFound) || fault.ReasonOf(err2) != fault.ReasonOf(err1) {
			t.Errorf("%v, and elsewhere %v", err1, err2)
		}
		wantCalls(t, b, 0)
	})
	rule(t, "WhatCannotBeReadIsNotThere", func(t *testing.T) {
		for _, text := range []string{"", "x", "{}", `{"until":"2100-01-01T00:00:00Z","offer":{"Price":1.5}}`} {
			shared := newOpen(time.Now)
			a, b := &script{}, &script{}
			_, _ = guard.Network(a, guard.Options{Cache: shared}).Offer(t.Context(), item("1"))
			for key := range shared.all {
				shared.Memory.Set(t.Context(), key, []byte(text), time.Hour)
			}
			if _, err := guard.Network(b, guard.Options{Cache: shared}).Offer(t.Context(), item("1")); err != nil {
				t.Error(err)
			}
			wantCalls(t, b, 1)
		}
	})
}

// TestTheFormOfSharedOffers fails where an offer has changed: shelfVersion must, too,
// because processes of two versions run side by side during an update.
func TestTheFormOfSharedOffers(t *testing.T) {
	t.Parallel()
	var full link.Offer
	n := int64(0)
	fill(reflect.ValueOf(&full).Elem(), &n)
	b, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	const version1 = "At Category Caveats Commission Coupon Final Image Item Material Network Price Rate SameItem Shop Source Title"
	if got := strings.Join(slices.Sorted(maps.Keys(fields)), " "); got != version1 {
		t.Errorf("an offer has %s;\nversion 1 has %s", got, version1)
	}
}

func TestTheRateIsShared(t *testing.T) {
	t.Parallel()
	rule(t, "TwoProcessesHaveOneRate", func(t *testing.T) {
		limits := cache.NewMemory(time.Now)
		o := guard.Options{PerSecond: 2, Burst: 2, Limits: limits, OfferTTL: -1}
		a, b := &script{}, &script{}
		first, second := guard.Network(a, o), guard.Network(b, o)
		began := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _, _ = first.Link(t.Context(), link.Offer{}, link.Mark{}) })
			all.Go(func() { _, _ = second.Link(t.Context(), link.Offer{}, link.Mark{}) })
		}
		all.Wait()
		if d := time.Since(began); d < 2900*time.Millisecond || d > 3100*time.Millisecond {
			t.Errorf("eight calls at two a second, two at once: %s, want 3s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := first.Link(ctx, link.Offer{}, link.Mark{})
		_, err2 := second.Link(ctx, link.Offer{}, link.Mark{})
		if time.Since(began) > 3100*time.Millisecond || !fault.Is(err, fault.Limited) || !fault.Is(err2, fault.Limited) {
			t.Errorf("a turn beyond the deadline: %v, %v after %s", err, err2, time.Since(began))
		}
	})
}
