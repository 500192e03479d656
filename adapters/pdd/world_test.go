package pdd_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fanli/adapters/pdd"
	"fanli/adapters/pdd/pddfake"
	"fanli/core/market"
)

const (
	clientID = "abcdef0123456789abcdef0123456789"
	secret   = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
	pid      = "8000001_160000001"
	pid2     = "8000001_160000002"
)

// start is when the world of every test begins: 2026-01-15 12:34:56 in Beijing.
var start = time.Unix(1768451696, 0)

// A clock is the one time of a test's world.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A world is a real client that talks to a fake platform.
type world struct {
	clock  *clock
	market *market.Market
	fake   *pddfake.Server
	client *pdd.Client
}

// goods are what the shops of the tests sell.
func goods() []market.Goods {
	return []market.Goods{
		{
			ID: "445566778", Title: "示例手机壳 透明防摔", Shop: "示例店", Image: "http://img.pddpic.com/x.jpg", Category: "数码",
			Price: 1990, Coupon: 500, CouponFrom: 1000, Rate: 2000,
			Aliases: []string{"https://p.pinduoduo.com/sKvbBwgP", "sKvbBwgP", "FuXUG9Y3SE", "https://mobile.yangkeduo.com/goods2.html?ps=FuXUG9Y3SE", pddfake.Sign("445566778")},
		},
		{
			ID: "9876543210123", Title: "示例手机支架", Shop: "示例店", Image: "https://img.pddpic.com/y.jpg", Category: "数码",
			Price: 2599, Coupon: 500, CouponFrom: 9900, Rate: 1230,
			Aliases: []string{landing},
		},
		{ID: "555000111", Title: "示例抽纸整箱", Shop: "百货店", Image: "https://img.pddpic.com/z.jpg", Price: 3333, Rate: 500},
		{ID: "404404404", Title: "不参加推广的商品", Shop: "百货店", Price: 1000, Rate: 500, Unlisted: true},
	}
}

// landing is another promoter's link.
const landing = "https://mobile.yangkeduo.com/duo_coupon_landing.html?goods_id=9876543210123&pid=9_9&cpsSign=CC_1&duoduo_type=2"

// open starts a platform and a client of it.
func open(t *testing.T, change func(*pdd.Config)) *world {
	t.Helper()
	w := &world{clock: &clock{t: start}}
	w.market = market.New(w.clock.Now, 0, 0)
	w.market.Stock(goods()...)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.fake = pddfake.New(pddfake.Config{
		ClientID: clientID, ClientSecret: secret, PIDs: []string{pid, pid2}, BaseURL: server.URL, Now: w.clock.Now,
	}, w.market)
	mux.Handle("/", w.fake)
	t.Cleanup(func() { w.fake.Fail("") })
	cfg := pdd.Config{
		Endpoint: server.URL + "/api/router", ClientID: clientID, ClientSecret: secret, PID: pid, UID: "tg_10001", PageSize: 20,
	}
	if change != nil {
		change(&cfg)
	}
	client, err := pdd.New(cfg, server.Client(), w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.client = client
	return w
}

// buy places an order behind an affiliate link.
func (w *world) buy(item, tag, slot string, quantity int) (market.Line, error) {
	return w.market.Buy(market.Click{Item: item, Tag: tag, Slot: slot}, quantity, w.fake.NumberFor)
}
