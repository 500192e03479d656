package linktest_test

import (
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
)

// TestMemory keeps the network without a wire to the promises of all networks.
func TestMemory(t *testing.T) {
	t.Parallel()
	linktest.Run(t, func(*testing.T) linktest.Subject {
		now := func() time.Time { return time.Unix(1768451696, 0) }
		m := market.New(now, 1000, 0)
		m.Stock(
			market.Goods{ID: "1", Title: "red kettle", Price: 1999, Coupon: 500, CouponFrom: 1000, Rate: 777, Aliases: []string{"abc", "https://x.test/s"}},
			market.Goods{ID: "2", Title: "blue kettle", Price: 500, Rate: 100},
			market.Goods{ID: "3", Title: "green kettle", Price: 500, Rate: 100, Unlisted: true},
		)
		n := linktest.NewMemory("memory", m, now)
		return linktest.Subject{
			Network: n, Market: m,
			Known: []link.Ref{
				{Network: "memory", Kind: link.Item, ID: "1"},
				{Network: "memory", Kind: link.Token, Token: "abc"},
				{Network: "memory", Kind: link.Short, URL: "https://x.test/s"},
			},
			Unlisted: link.Ref{Network: "memory", Kind: link.Item, ID: "3"},
			Foreign:  link.Ref{Network: "memory", Kind: link.Order, ID: "9"},
			Words:    "kettle", Click: n.Click, Fail: n.Fail,
		}
	})
}
