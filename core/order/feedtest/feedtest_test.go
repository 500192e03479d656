package feedtest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// TestMemory keeps the feed without a wire to the promises of all feeds.
func TestMemory(t *testing.T) {
	t.Parallel()
	feedtest.Run(t, func(*testing.T) feedtest.Subject {
		var mu sync.Mutex
		now := time.Unix(1768451696, 500)
		clock := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		m := market.New(clock, 1000, 0)
		m.Stock(
			market.Goods{ID: "1", Title: "red kettle", Price: 1999, Coupon: 500, Rate: 777},
			market.Goods{ID: "2", Title: "blue kettle", Price: 500, Rate: 100},
		)
		number := func(n int64) (string, string) { return fmt.Sprintf("o%d", n), fmt.Sprintf("l%d", n) }
		f := feedtest.NewMemory("memory", "main", m)
		return feedtest.Subject{
			Feed: f, Market: m, Now: clock, Number: number, Fail: f.Fail, Broken: f.Break,
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

// endless is a feed whose pages never end.
type endless struct{ *feedtest.Memory }

func (endless) Pull(context.Context, order.Window, string) (order.Page, error) {
	return order.Page{Next: "again"}, nil
}

func TestAllStopsAnEndlessFeed(t *testing.T) {
	t.Parallel()
	_, _, err := feedtest.All(t.Context(), endless{}, order.Window{Scene: "changes"})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("All = %v, want internal", err)
	}
}
