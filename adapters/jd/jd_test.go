package jd_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/adapters/jd/jdfake"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// The account of the tests.
const (
	appKey    = "0123456789abcdef0123456789abcdef"
	appSecret = "fedcba9876543210fedcba9876543210"
	token     = "token-that-nobody-may-see"
)

// fee is what JD keeps of a commission, in basis points.
const fee = 1000

// A clock is set by its test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 15, 12, 34, 56, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// The shelf of the tests: a kettle and a headset with coupons, tea without one
// and something outside the programme.
const (
	kettle   = "100012043978"
	headset  = "10062823443011"
	tea      = "5089253"
	offShelf = "1963486"

	unionShort = "https://u.jd.com/YO58R3K"
	shareShort = "https://3.cn/-2porp-78"
	otherClick = "https://union-click.jd.com/jdc?e=618%7Cpc%7C&d=Qzk2ZGFy"
)

func shelf() []market.Goods {
	return []market.Goods{
		{
			ID: kettle, Title: "海尔 电热水壶 1.7升", Shop: "海尔旗舰店", Image: "https://img14.360buyimg.com/n1/kettle.jpg", Category: "家用电器",
			Price: 6900, Coupon: 1500, CouponFrom: 5900, Rate: 500,
			Aliases: []string{jdfake.ItemID(kettle), "YO58R3K", "-2porp-78", otherClick, jdfake.CouponURL(kettle)},
		},
		{
			ID: headset, Title: "蓝牙耳机 降噪 <Pro> & \"Max\"", Shop: "声音专营店", Image: "http://img10.360buyimg.com/n1/headset.jpg", Category: "手机数码",
			Price: 29999, Coupon: 2000, CouponFrom: 30000, Rate: 1050, Aliases: []string{jdfake.ItemID(headset)},
		},
		{ID: tea, Title: "明前 龙井 蓝牙 250克", Shop: "茶庄", Category: "食品饮料", Price: 10001, Rate: 233, Aliases: []string{jdfake.ItemID(tea)}},
		{ID: offShelf, Title: "不在推广的 水壶", Price: 5000, Rate: 500, Unlisted: true},
	}
}

// A world is a platform with its book and a client.
type world struct {
	clock  *clock
	market *market.Market
	fake   *jdfake.Server
	url    string
	client *jd.Client
}

// open starts a platform with the peculiarities of f and a client with the rest
// of c.
func open(t *testing.T, c jd.Config, f jdfake.Config) *world {
	t.Helper()
	w := &world{clock: newClock()}
	w.market = market.New(w.clock.Now, fee, 0)
	w.market.Stock(shelf()...)
	f.AppKey, f.AppSecret, f.AccessToken, f.Now = appKey, appSecret, token, w.clock.Now
	w.fake = jdfake.New(f, w.market)
	srv := httptest.NewServer(w.fake)
	t.Cleanup(srv.Close)
	w.url = srv.URL + "/routerjson"
	c.Endpoint, c.AppKey, c.AppSecret, c.AccessToken = w.url, appKey, appSecret, token
	w.client = mustNew(t, c, srv.Client(), w.clock.Now)
	return w
}

func mustNew(t *testing.T, c jd.Config, client *http.Client, now func() time.Time) *jd.Client {
	t.Helper()
	cl, err := jd.New(c, client, now)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// documented is the form in which the platform's documentation shows answers.
var documented = jdfake.Shape{Response: true, Object: true, Quoted: true, Wrapped: true, Empty: "missing"}

func TestNetwork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  jd.Config
		fake jdfake.Config
	}{
		{"Chat", jd.Config{SceneIDs: []int{1, 2}, SubUnionID: true, Command: true}, jdfake.Config{RotateItems: true}},
		{"ChatWithPositions", jd.Config{SceneIDs: []int{2, 1}, PositionIDs: []int64{3000000001, 3000000002, 3000000003}}, jdfake.Config{NoTags: true}},
		{"Site", jd.Config{SiteID: 435676, SceneIDs: []int{1, 2}, SubUnionID: true}, jdfake.Config{}},
		{"VendorOfUnionGoodsOnly", jd.Config{UnionID: 1000618618, AuthKey: "key-that-nobody-may-see"}, jdfake.Config{NoMainSite: true, NoSku: true, NoNumeric: true}},
		{"MainSiteRefusedAfterAll", jd.Config{SceneIDs: []int{1, 2}}, jdfake.Config{NoMainSite: true}},
		{"DocumentedShape", jd.Config{SceneIDs: []int{1, 2}, CouponQuery: true}, jdfake.Config{Shape: documented}},
		{"LinksOfLoopback", jd.Config{}, jdfake.Config{BaseURL: "http://127.0.0.1:8080/jd", Shape: jdfake.Shape{Empty: "null"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) linktest.Subject {
				w := open(t, tt.cfg, tt.fake)
				return linktest.Subject{
					Network: w.client.Links(), Market: w.market,
					Known: []link.Ref{
						{Network: "jd", Kind: link.Item, ID: kettle, URL: "https://item.jd.com/" + kettle + ".html"},
						{Network: "jd", Kind: link.Item, ID: headset},
						{Network: "jd", Kind: link.Item, ID: jdfake.ItemID(tea)},
						{Network: "jd", Kind: link.Short, ID: "YO58R3K", URL: unionShort},
						{Network: "jd", Kind: link.Short, ID: "-2porp-78", URL: shareShort},
						{Network: "jd", Kind: link.Click, URL: otherClick},
						{Network: "jd", Kind: link.Coupon, URL: jdfake.CouponURL(kettle)},
					},
					Unlisted: link.Ref{Network: "jd", Kind: link.Item, ID: offShelf},
					Foreign:  link.Ref{Network: "jd", Kind: link.Token, Token: "3DIFi3EsIAhRkW"},
					Click:    func(m link.Made) (market.Click, bool) { return w.fake.Click(m.URL) },
					Words:    "蓝牙", Fail: w.fake.Fail, Secret: token,
				}
			})
		})
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  jd.Config
		fake jdfake.Config
		slot string
	}{
		{"Chat", jd.Config{SubUnionID: true}, jdfake.Config{RotateItems: true}, ""},
		{"Positions", jd.Config{PositionIDs: []int64{3000000001}}, jdfake.Config{NoTags: true}, "3000000001"},
		{"Vendor", jd.Config{UnionID: 1000618618, AuthKey: "key"}, jdfake.Config{NoSku: true}, ""},
		{"DocumentedShape", jd.Config{}, jdfake.Config{Shape: documented}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if underRace && tt.name != tests[0].name {
				t.Skip("skipped under the race detector, which sees the same goroutines in every shape: stage 2 runs it")
			}
			tt.cfg.PageSize = 25
			feedtest.Run(t, func(t *testing.T) feedtest.Subject {
				w := open(t, tt.cfg, tt.fake)
				return feedtest.Subject{
					Feed: w.client, Market: w.market, Now: w.clock.Now, Advance: w.clock.Advance,
					Buy:  w.buy,
					Slot: tt.slot, Number: jdfake.NumberFor, Fail: w.fake.Fail, PageShift: w.fake.BetweenPages, Broken: w.fake.Broken,
					Secret: token,
				}
			})
		})
	}
}

// buy places an order as a shopper does who came through a link.
func (w *world) buy(item, tag, slot string, quantity int) (market.Line, error) {
	return w.market.Buy(market.Click{Item: item, Tag: tag, Slot: slot}, quantity, jdfake.NumberFor)
}

func TestPoolIsSeenOnlyWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for name, ids := range map[string][]int64{"none": nil, "two": {7, 8}} {
		w := open(t, jd.Config{PositionIDs: ids}, jdfake.Config{})
		p, ok := w.client.Links().(link.Pooled)
		if ok != (len(ids) > 0) {
			t.Errorf("%s: a pool is seen: %v", name, ok)
		}
		if ok && (len(p.Slots()) != 2 || p.Slots()[0] != "7") {
			t.Errorf("%s: Slots() = %q", name, p.Slots())
		}
		if _, ok := any(w.client).(order.Feed); !ok {
			t.Errorf("%s: the client is no feed", name)
		}
	}
}
