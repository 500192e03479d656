package guard_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/guard"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/order/feedtest"
)

// plain lets the promises of a role show through: nothing is kept or retried,
// and nothing rests.
func plain() guard.Options {
	return guard.Options{PerSecond: 1_000_000, Tries: 1, Failures: 1_000_000, OfferTTL: -1}
}

func shelf(now func() time.Time) *market.Market {
	m := market.New(now, 1000, 0)
	m.Stock(
		market.Goods{ID: "1", Title: "red kettle", Price: 1999, Coupon: 500, Rate: 777, Aliases: []string{"abc"}},
		market.Goods{ID: "2", Title: "blue kettle", Price: 500, Rate: 100},
		market.Goods{ID: "3", Title: "green kettle", Price: 500, Rate: 100, Unlisted: true},
	)
	return m
}

// TestGuardedNetwork holds a guarded network to the promises of all networks.
func TestGuardedNetwork(t *testing.T) {
	t.Parallel()
	linktest.Run(t, func(*testing.T) linktest.Subject {
		now := func() time.Time { return time.Unix(1768451696, 0) }
		m := shelf(now)
		n := linktest.NewMemory("memory", m, now)
		return linktest.Subject{
			Network: guard.Network(n, plain()), Market: m,
			Known:    []link.Ref{{Network: "memory", Kind: link.Item, ID: "1"}, {Network: "memory", Kind: link.Token, Token: "abc"}},
			Unlisted: link.Ref{Network: "memory", Kind: link.Item, ID: "3"},
			Foreign:  link.Ref{Network: "memory", Kind: link.Order, ID: "9"},
			Words:    "kettle", Click: n.Click, Fail: n.Fail,
		}
	})
}

// TestGuardedFeed holds a guarded feed to the promises of all feeds.
func TestGuardedFeed(t *testing.T) {
	t.Parallel()
	feedtest.Run(t, func(*testing.T) feedtest.Subject {
		var mu sync.Mutex
		now := time.Unix(1768451696, 0)
		clock := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		m := shelf(clock)
		number := func(n int64) (string, string) { return fmt.Sprintf("o%d", n), fmt.Sprintf("l%d", n) }
		f := feedtest.NewMemory("memory", "main", m)
		return feedtest.Subject{
			Feed: guard.Feed(f, plain()), Market: m, Now: clock, Number: number, Fail: f.Fail, Broken: f.Break,
			Advance: func(d time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				now = now.Add(d)
			},
			Buy: func(item, tag, slot string, quantity int) (market.Line, error) {
				return m.Buy(market.Click{Item: item, Tag: tag, Slot: slot}, quantity, number)
			},
		}
	})
}

type searching struct{ *script }

func (searching) Search(context.Context, string, int, int) ([]link.Offer, error) {
	return []link.Offer{{Item: "1"}}, nil
}

type pool struct{ *script }

func (pool) Slots() []string { return []string{"s1"} }

type both struct {
	searching
	pool
}

func (b both) Name() string { return "both" }
func (b both) Offer(ctx context.Context, r link.Ref) (link.Offer, error) {
	return b.searching.Offer(ctx, r)
}

func (b both) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	return b.searching.Link(ctx, o, m)
}

func TestOnlyWhatWasThereIsThere(t *testing.T) {
	t.Parallel()
	s := &script{}
	tests := []struct {
		name            string
		inner           link.Network
		searches, pools bool
	}{
		{"neither", s, false, false},
		{"searcher", searching{s}, true, false},
		{"pooled", pool{s}, false, true},
		{"both", both{searching{s}, pool{s}}, true, true},
	}
	for _, tt := range tests {
		n := guard.Network(tt.inner, guard.Options{})
		sr, searches := n.(link.Searcher)
		p, pools := n.(link.Pooled)
		if searches != tt.searches || pools != tt.pools || n.Name() != tt.inner.Name() {
			t.Errorf("%s: searches %t, pools %t, named %q", tt.name, searches, pools, n.Name())
		}
		if searches {
			if o, err := sr.Search(t.Context(), "x", 1, 1); err != nil || len(o) != 1 {
				t.Errorf("%s: Search = %v, %v", tt.name, o, err)
			}
		}
		if pools && p.Slots()[0] != "s1" {
			t.Errorf("%s: Slots = %v", tt.name, p.Slots())
		}
	}
}

func TestOptionsNameAllMistakes(t *testing.T) {
	t.Parallel()
	if err := (guard.Options{}).Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	bad := guard.Options{
		PerSecond: -1, Burst: -1, Tries: 11, Backoff: -1, TryTimeout: -1, Timeout: -2, Failures: -1, Rest: -1, MissTTL: -1, OffersMax: -1,
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, key := range []string{"per_second", "burst", "tries", "backoff", "try_timeout", "timeout", "failures", "rest", "miss_ttl", "offers_max"} {
		if !strings.Contains(err.Error(), "guard: "+key+": ") {
			t.Errorf("the mistake in %s is not named:\n%v", key, err)
		}
	}
}
