package link_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
)

// boxes is a cache.Cache in memory that ends nothing by itself.
type boxes struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (b *boxes) Get(_ context.Context, key string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.kept[key]
	return v, ok
}

func (b *boxes) Set(_ context.Context, key string, value []byte, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[key] = value
}

func bazaar(t *testing.T) (*counter, map[string]*shop) {
	t.Helper()
	c, shops := street(t, map[string][]string{
		link.Taobao: {"坚果 甲 @ 100 10", "坚果 乙 @ 50 25", "抽纸 @ 30 0"},
		link.JD:     {"坚果 丙 @ 80 0", "抽纸 丁 @ 20 12"},
		link.PDD:    {"坚果 抽纸 @ 10 1"},
	})
	c.DealWords = []string{"坚果", "抽纸"}
	return c, shops
}

func (c *counter) wantDeals(user int64, words string, page int, want string) {
	c.t.Helper()
	ds, err := c.Deals(c.t.Context(), user, words, page, 4)
	if got := fmt.Sprint(items(ds.Quotes), " ", ds.More, " ", ds.Away); err != nil || got != want {
		c.t.Errorf("deals of %q, page %d: %s, %v, want %s", words, page, got, err, want)
	}
}

// asked is how often the shops were, all together, since it was called last.
func asked(shops map[string]*shop) (n int) {
	for _, s := range shops {
		if words := s.searches(); words != "" {
			n += strings.Count(words, "|") + 1
		}
	}
	return n
}

func TestDealsAreTheSameForEverybodyForAWhile(t *testing.T) {
	t.Parallel()
	c, shops := bazaar(t)
	var wg sync.WaitGroup
	for user := range int64(20) {
		wg.Go(func() { c.wantDeals(user+1, "", 1, "[taobao1 taobao0 jd1 jd0] true []") })
	}
	wg.Wait()
	if n := asked(shops); n != 6 {
		t.Errorf("the shops were asked %d times, want once for each word", n)
	}
	c.wantDeals(7, "", 2, "[taobao2 pdd0] false []")
	c.wantDeals(7, "", 3, "[] false []")
	c.rules.share = 10_000
	c.advance(link.DealsFresh - time.Second)
	ds, err := c.Deals(t.Context(), 7, "", 1, 1)
	if err != nil || ds.Quotes[0].Promise.Rebate != 2_50 || ds.Quotes[0].Promise.Terms != "v1 for 7" {
		t.Errorf("what a user gets is the user's own: %+v, %v", ds, err)
	}
	if n := asked(shops); n != 0 {
		t.Errorf("the list is still good, and the shops were asked %d times", n)
	}
	c.advance(time.Second)
	c.wantDeals(7, "", 1, "[taobao1 taobao0 jd1 jd0] true []")
	if n := asked(shops); n != 6 {
		t.Errorf("the list is old, and the shops were asked %d times", n)
	}
	c.wantDeals(7, "抽纸", 1, "[jd1 taobao2 pdd0] false []")
	if len(c.shelf.links) > 0 {
		t.Errorf("links were made: %v", c.shelf.links)
	}
}

func TestDealsOfThoseWhoAnswer(t *testing.T) {
	t.Parallel()
	c, shops := bazaar(t)
	shops[link.Taobao].Fail(linktest.Down)
	c.wantDeals(7, "", 1, "[jd1 jd0 pdd0] false [taobao]")
	shops[link.Taobao].Fail("")
	c.advance(59 * time.Second)
	c.wantDeals(7, "", 1, "[jd1 jd0 pdd0] false [taobao]")
	c.advance(time.Second)
	c.wantDeals(7, "", 1, "[taobao1 taobao0 jd1 jd0] true []")
	c.Stopped = func(_ context.Context, network string) error {
		if network == link.Taobao {
			return fault.New(fault.Denied, "control.stopped")
		}
		return nil
	}
	c.wantDeals(7, "", 1, "[jd1 jd0 pdd0] false [taobao]")
	for _, s := range shops {
		s.Fail(linktest.Limited)
	}
	asked(shops)
	for range 3 {
		if _, err := c.Deals(t.Context(), 7, "茶", 1, 4); !fault.Retryable(err) && fault.CodeOf(err) != fault.Denied {
			t.Errorf("where nobody answers: %v", err)
		}
	}
	if n := asked(shops); n != 2 {
		t.Errorf("shops that are tired of us were asked %d times, want once each", n)
	}
}

func TestAShopThatStallsDoesNotKeepTheOthersDeals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, shops := bazaar(t)
		shops[link.JD].Fail(linktest.Stall)
		before := time.Now()
		c.wantDeals(7, "", 1, "[taobao1 taobao0 taobao2 pdd0] false [jd]")
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestDealsAreSharedBetweenProcesses: another process shows the list that the first one
// has made, for as long as that lasts.
func TestDealsAreSharedBetweenProcesses(t *testing.T) {
	t.Parallel()
	both := &boxes{kept: map[string][]byte{}}
	c, _ := bazaar(t)
	other, shops := bazaar(t)
	c.Shared, other.Shared = both, both
	c.wantDeals(7, "", 1, "[taobao1 taobao0 jd1 jd0] true []")
	other.wantDeals(8, "", 1, "[taobao1 taobao0 jd1 jd0] true []")
	if n := asked(shops); n != 0 {
		t.Errorf("the second process asked %d times", n)
	}
	other.advance(link.DealsFresh)
	other.wantDeals(8, "", 1, "[taobao1 taobao0 jd1 jd0] true []")
	if n := asked(shops); n != 6 {
		t.Errorf("with an old list it asked %d times", n)
	}
}
