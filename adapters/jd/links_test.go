package jd_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/adapters/jd/jdfake"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

const (
	goodsQuery = "jd.union.open.goods.query"
	itemIDGet  = "jd.union.open.goods.itemid.get"
	plainQuery = "jd.union.open.goods.promotiongoodsinfo.query"
	details    = "jd.union.open.goods.bigfield.query"
	byTag      = "jd.union.open.promotion.bysubunionid.get"
)

func skuRef(id string) link.Ref {
	return link.Ref{Network: "jd", Kind: link.Item, ID: id, URL: "https://item.jd.com/" + id + ".html"}
}

func mustOffer(t *testing.T, c *jd.Client, ref link.Ref) link.Offer {
	t.Helper()
	o, err := c.Offer(t.Context(), ref)
	if err != nil {
		t.Fatalf("Offer(%+v): %v", ref, err)
	}
	return o
}

func mustLink(t *testing.T, c *jd.Client, o link.Offer) link.Made {
	t.Helper()
	made, err := c.Link(t.Context(), o, link.Mark{Tag: "tg_10001"})
	if err != nil {
		t.Fatalf("Link: %v", err)
	}
	return made
}

// TestWaysToASku counts which methods an account needs for the number of goods.
func TestWaysToASku(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		scenes []int
		fake   jdfake.Config
		want   map[string]int
		final  money.Fen
	}{
		{"MainSite", []int{1, 2}, jdfake.Config{}, map[string]int{goodsQuery: 1}, 5400},
		{"UnionOnly", []int{1}, jdfake.Config{}, map[string]int{itemIDGet: 1, goodsQuery: 1}, 5400},
		{"MainSiteRefused", []int{1, 2}, jdfake.Config{NoMainSite: true}, map[string]int{goodsQuery: 2, itemIDGet: 1}, 5400},
		{"OnlyTheOldMethod", []int{1}, jdfake.Config{Refused: []string{itemIDGet}}, map[string]int{itemIDGet: 1, plainQuery: 1}, 6900},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{SceneIDs: tt.scenes}, tt.fake)
			o := mustOffer(t, w.client, skuRef(kettle))
			if o.Final != tt.final || o.SameItem != kettle || o.Rate != 500 {
				t.Errorf("offer = %+v", o)
			}
			for _, method := range []string{goodsQuery, itemIDGet, plainQuery, details, byTag} {
				if got := w.fake.Calls(method); got != tt.want[method] {
					t.Errorf("%s was called %d times, want %d", method, got, tt.want[method])
				}
			}
			made := mustLink(t, w.client, o)
			if c, ok := w.fake.Click(made.URL); !ok || c.Item != kettle {
				t.Errorf("the link leads to %+v, %v", c, ok)
			}
		})
	}
}

// TestShortLinkOfTheShop: accounts that cannot ask the main site have JD convert
// the link, and ask for the result.
func TestShortLinkOfTheShop(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{NoMainSite: true})
	o := mustOffer(t, w.client, link.Ref{Kind: link.Short, URL: shareShort})
	if o.SameItem != kettle || w.fake.Calls(byTag) != 1 {
		t.Errorf("offer of %s after %d conversions", o.SameItem, w.fake.Calls(byTag))
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	item := jdfake.ItemID(kettle)
	sku := "https://item.jd.com/" + kettle + ".html"
	tests := []struct {
		name   string
		ref    link.Ref
		want   fault.Code
		reason string
	}{
		{"LinkWithoutID", link.Ref{Kind: link.Item, URL: sku}, "", ""},
		{"LinkWithoutScheme", link.Ref{Kind: link.Item, URL: "item.m.jd.com/product/" + kettle + ".html?ad_od=share"}, "", ""},
		{"LoudLink", link.Ref{Kind: link.Item, URL: "HTTPS://ITEM.JD.COM/" + kettle + ".HTML"}, "", ""},
		{"LinkWithTail", link.Ref{Kind: link.Item, URL: "https://wqsitem.jd.com/detail/" + kettle + "_0_0_item.html"}, "", ""},
		{"SkuInQuery", link.Ref{Kind: link.Item, URL: "https://wqitem.jd.com/item/view?sku=" + kettle}, "", ""},
		{"UnionPage", link.Ref{Kind: link.Item, URL: "https://jingfen.jd.com/detail/" + item + ".html"}, "", ""},
		{"CouponOnTheWayToGoods", link.Ref{Kind: link.Coupon, URL: "https://coupon.m.jd.com/coupons/show.action?key=1&to=" + url.QueryEscape(sku)}, "", ""},
		{"CouponTwiceOnTheWay", link.Ref{Kind: link.Coupon, URL: "https://coupon.m.jd.com/a?to=" + url.QueryEscape("https://plogin.m.jd.com/login?returnurl="+url.QueryEscape(sku))}, "", ""},
		{"CouponOfNothing", link.Ref{Kind: link.Coupon, URL: "https://coupon.m.jd.com/coupons/show.action?key=2"}, fault.NotFound, "offer.not_in_programme"},
		{"CouponOnTheWayElsewhere", link.Ref{Kind: link.Coupon, URL: "https://coupon.m.jd.com/a?to=https%3A%2F%2Fevil.example%2F"}, fault.NotFound, "offer.not_in_programme"},
		{"UnknownShort", link.Ref{Kind: link.Short, URL: "https://u.jd.com/nothing"}, fault.NotFound, "offer.not_in_programme"},
		{"UnknownSku", skuRef("777777777777"), fault.NotFound, "offer.not_in_programme"},
		{"OffTheShelf", skuRef(offShelf), fault.NotFound, "offer.off_shelf"},
		{"OtherNetwork", link.Ref{Network: "pdd", Kind: link.Item, ID: "1234567"}, fault.Invalid, "link.kind_unsupported"},
		{"Token", link.Ref{Kind: link.Token, Token: "3DIFi3EsIAhRkW"}, fault.Invalid, "link.token_unsupported"},
		{"Activity", link.Ref{Kind: link.Activity, URL: "https://pro.m.jd.com/mall/active/x/index.html"}, fault.Invalid, "link.kind_unsupported"},
		{"OrderNumber", link.Ref{Kind: link.Order, ID: "300000000001"}, fault.Invalid, "link.kind_unsupported"},
		{"Nothing", link.Ref{}, fault.Invalid, "link.kind_unsupported"},
		{"ItemWithoutAnything", link.Ref{Kind: link.Item}, fault.Invalid, "link.unreadable"},
		{"NotOurs", link.Ref{Kind: link.Short, URL: "https://u.jd.com.evil.com/x"}, fault.Invalid, "link.unreadable"},
		{"NotOursAtAll", link.Ref{Kind: link.Item, URL: "https://notjd.com/1234567.html"}, fault.Invalid, "link.unreadable"},
		{"OtherScheme", link.Ref{Kind: link.Item, URL: "javascript://item.jd.com/1.html"}, fault.Invalid, "link.unreadable"},
		{"NoAddress", link.Ref{Kind: link.Short, URL: "https://%zz"}, fault.Invalid, "link.unreadable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{SceneIDs: []int{1, 2}}, jdfake.Config{})
			o, err := w.client.Offer(t.Context(), tt.ref)
			wantFault(t, err, tt.want, tt.reason)
			if err == nil && o.SameItem != kettle {
				t.Errorf("found %s, want the kettle", o.SameItem)
			}
		})
	}
}

// TestSeveralGoodsAreNotGuessed: a link that leads to more than one item has no
// offer.
func TestSeveralGoodsAreNotGuessed(t *testing.T) {
	t.Parallel()
	const one = `{\"itemId\":\"aaaaaaaa\",\"skuName\":\"x\",\"priceInfo\":{\"price\":1.0},\"commissionInfo\":{\"commissionShare\":5}}`
	c := always(t, jd.Config{}, `{"METHOD":{"code":"0","queryResult":"{\"code\":200,\"data\":[`+one+`,`+one+`]}"}}`)
	_, err := c.Offer(t.Context(), link.Ref{Kind: link.Short, URL: unionShort})
	wantFault(t, err, fault.NotFound, "offer.several_goods")
}

// TestOddGoods has goods.query tell what makes no sense.
func TestOddGoods(t *testing.T) {
	t.Parallel()
	goods := func(more string) string {
		return strings.ReplaceAll(`{"itemId":"aaaaaaaa_1","skuName":"x",`+more+`}`, `"`, `\"`)
	}
	const price, rate = `"priceInfo":{"price":69.0,"lowestPrice":0}`, `"commissionInfo":{"commissionShare":5.0}`
	tests := []struct {
		name, goods string
		want        fault.Code
	}{
		{"ListPriceOnly", goods(price + "," + rate), ""},
		{"NoPrice", goods(rate), fault.Unavailable},
		{"PriceBelowZero", goods(`"priceInfo":{"price":-1},` + rate), fault.Unavailable},
		{"PriceIsText", goods(`"priceInfo":{"price":"cheap"},` + rate), fault.Unavailable},
		{"NoRate", goods(price), fault.NotFound},
		{"RateAboveAll", goods(price + `,"commissionInfo":{"commissionShare":100.01}`), fault.Unavailable},
		{"RateIsText", goods(price + `,"commissionInfo":{"commissionShare":"high"}`), fault.Unavailable},
		{"NoName", `{\"priceInfo\":{\"price\":69.0},\"commissionInfo\":{\"commissionShare\":5.0}}`, fault.Unavailable},
		{"NotAnObject", "17,18", fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := always(t, jd.Config{}, `{"METHOD":{"code":"0","queryResult":"{\"code\":200,\"data\":[`+tt.goods+`]}"}}`)
			o, err := c.Offer(t.Context(), link.Ref{Kind: link.Short, URL: unionShort})
			if fault.CodeOf(err) != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err == nil && (o.Price != 6900 || o.Final != 6900 || o.Commission != 310) {
				t.Errorf("offer = %+v, want 69.00 and 310 fen of 345", o)
			}
		})
	}
}

func TestCouponThatCounts(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{SceneIDs: []int{1, 2}}, jdfake.Config{})
	o := mustOffer(t, w.client, skuRef(kettle))
	if o.Coupon.Amount != 1500 || o.Coupon.Threshold != 5900 || o.Coupon.URL != jdfake.CouponURL(kettle) {
		t.Errorf("Coupon = %+v, want the one that can be taken now, unchanged in any character", o.Coupon)
	}
	if now := w.clock.Now(); !o.Coupon.Starts.Before(now) || !o.Coupon.Ends.After(now) {
		t.Errorf("the coupon counts from %s to %s", o.Coupon.Starts, o.Coupon.Ends)
	}
	if o := mustOffer(t, w.client, skuRef(headset)); o.Coupon.Amount != 0 || o.Final != o.Price {
		t.Errorf("a coupon from ¥300 is on goods of %s: %+v", o.Price, o.Coupon)
	}
}

func TestCouponsAreCounted(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{SceneIDs: []int{1, 2}, CouponQuery: true}, jdfake.Config{})
	w.fake.CouponsLeft(kettle, 17)
	if o := mustOffer(t, w.client, skuRef(kettle)); o.Coupon.Left != 17 || o.Final != 5400 {
		t.Errorf("%d coupons left, final %s, want 17 and 54.00", o.Coupon.Left, o.Final)
	}
	w.fake.CouponsLeft(kettle, 0)
	if o := mustOffer(t, w.client, skuRef(kettle)); o.Coupon != (link.CouponOffer{}) || o.Final != 6900 || o.Commission != 310 {
		t.Errorf("offer = %+v, want none of the exhausted coupon and the commission of the whole price", o)
	}
}

func TestCouponThatIsNotTakenIsLeftOut(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world, o *link.Offer){
		"NoRight": func(*world, *link.Offer) {},
		"RunOut": func(w *world, _ *link.Offer) {
			g, _ := w.market.Goods(kettle)
			g.Coupon = 0
			w.market.Stock(g)
		},
		"OfOtherGoods": func(_ *world, o *link.Offer) { o.Coupon.URL = jdfake.CouponURL(headset) },
		"Changed":      func(_ *world, o *link.Offer) { o.Coupon.URL += "&" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{SceneIDs: []int{1, 2}}, jdfake.Config{NoCoupons: name == "NoRight"})
			o := mustOffer(t, w.client, skuRef(kettle))
			change(w, &o)
			made := mustLink(t, w.client, o)
			if c, ok := w.fake.Click(made.URL); !ok || c.Item != kettle || c.Tag != "tg_10001" {
				t.Errorf("the link leads to %+v, %v", c, ok)
			}
			if n := w.fake.Calls(byTag); n != 2 {
				t.Errorf("%d calls, want one with the coupon and one without", n)
			}
		})
	}
}

// TestNumericPagesAreReplaced: JD has ceased to make links from numbers.
func TestNumericPagesAreReplaced(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{NoNumeric: true})
	o := link.Offer{Network: "jd", Material: "https://item.jd.com/" + kettle + ".html"}
	made := mustLink(t, w.client, o)
	if c, _ := w.fake.Click(made.URL); c.Item != kettle {
		t.Errorf("the link leads to %+v", c)
	}
	w = open(t, jd.Config{}, jdfake.Config{NoNumeric: true, Refused: []string{itemIDGet}})
	_, err := w.client.Link(t.Context(), o, link.Mark{Tag: "a"})
	wantFault(t, err, fault.Invalid, "link.unreadable")
}

func TestMadeLinks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		cfg     jd.Config
		prefix  string
		expires time.Duration
		token   bool
	}{
		{"Chat", jd.Config{}, "https://u.jd.com/", 60 * 24 * time.Hour, false},
		{"ChatWithCommand", jd.Config{Command: true}, "https://u.jd.com/", 60 * 24 * time.Hour, true},
		{"Vendor", jd.Config{UnionID: 5, AuthKey: "k"}, "https://u.jd.com/", 60 * 24 * time.Hour, false},
		{"Site", jd.Config{SiteID: 5}, "https://union-click.jd.com/jdc?", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, tt.cfg, jdfake.Config{})
			made := mustLink(t, w.client, mustOffer(t, w.client, skuRef(tea)))
			if !strings.HasPrefix(made.URL, tt.prefix) || (made.Token != "") != tt.token {
				t.Errorf("made = %+v", made)
			}
			if want := w.clock.Now().Add(tt.expires); tt.expires > 0 && !made.Expires.Equal(want) || tt.expires == 0 && !made.Expires.IsZero() {
				t.Errorf("Expires = %s, want %s from now", made.Expires, tt.expires)
			}
		})
	}
}

func TestLinkRefusesWhatJDWould(t *testing.T) {
	t.Parallel()
	ours := link.Offer{Network: "jd", Material: "https://jingfen.jd.com/detail/a_b.html"}
	tests := []struct {
		name string
		cfg  jd.Config
		o    link.Offer
		m    link.Mark
	}{
		{"NoTag", jd.Config{}, ours, link.Mark{}},
		{"TagWithBlank", jd.Config{}, ours, link.Mark{Tag: "a b"}},
		{"LongTag", jd.Config{}, ours, link.Mark{Tag: strings.Repeat("a", 81)}},
		{"SlotIsNoPosition", jd.Config{}, ours, link.Mark{Tag: "a", Slot: "mm_1"}},
		{"SlotIsZero", jd.Config{}, ours, link.Mark{Tag: "a", Slot: "0"}},
		{"NoSlotWhereOnlySlotsTell", jd.Config{PositionIDs: []int64{5}}, ours, link.Mark{Tag: "a"}},
		{"OtherNetwork", jd.Config{}, link.Offer{Network: "pdd", Material: ours.Material}, link.Mark{Tag: "a"}},
		{"NoMaterial", jd.Config{}, link.Offer{Network: "jd"}, link.Mark{Tag: "a"}},
		{"MaterialElsewhere", jd.Config{}, link.Offer{Network: "jd", Material: "https://evil.example/1.html"}, link.Mark{Tag: "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := stubbed(t, tt.cfg, func(url.Values) (int, string) {
				t.Error("JD was asked")
				return 500, ""
			})
			_, err := c.Link(t.Context(), tt.o, tt.m)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("Link: %v, want invalid", err)
			}
		})
	}
}

// TestAnswerWithoutLink: what JD calls a success and has no link in it is none.
func TestAnswerWithoutLink(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{}`, `null`, `[]`, `{\"shortURL\":\"\"}`, `{\"shortURL\":\"javascript:alert(1)\"}`, `{\"clickURL\":{}}`} {
		c := always(t, jd.Config{}, `{"METHOD":{"code":"0","getResult":"{\"code\":200,\"data\":`+data+`}"}}`)
		_, err := c.Link(t.Context(), link.Offer{Network: "jd", Material: "https://jingfen.jd.com/detail/a_b.html"}, link.Mark{Tag: "a"})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("data %s: %v, want unavailable", data, err)
		}
	}
}

func TestSearchRefusesNothingAndCutsMuch(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{})
	for name, run := range map[string]func() ([]link.Offer, error){
		"NoWords": func() ([]link.Offer, error) { return w.client.Search(t.Context(), " \n", 1, 10) },
		"PageNil": func() ([]link.Offer, error) { return w.client.Search(t.Context(), "茶", 0, 10) },
		"None":    func() ([]link.Offer, error) { return w.client.Search(t.Context(), "茶", 1, 0) },
	} {
		if _, err := run(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	offers, err := w.client.Search(t.Context(), "龙井"+strings.Repeat(" ", 90)+strings.Repeat("茶", 200), 1, 1000)
	if err != nil || len(offers) != 0 {
		t.Errorf("long words: %d offers, %v", len(offers), err)
	}
	offers, err = w.client.Search(t.Context(), "龙井", 1, 1000)
	if err != nil || len(offers) != 1 || offers[0].SameItem != tea || offers[0].Source.ID != offers[0].Item {
		t.Errorf("Search = %+v, %v; want the tea, asked for by its id", offers, err)
	}
}

// TestPlusMembersAreWarned: where members of PLUS bring less, the offer says so.
func TestPlusMembersAreWarned(t *testing.T) {
	t.Parallel()
	for share, want := range map[string]int{"3.0": 1, "5.0": 0, "0": 0} {
		c := always(t, jd.Config{}, `{"METHOD":{"code":"0","queryResult":"{\"code\":200,\"data\":[{\"itemId\":\"aaaaaaaa_1\",`+
			`\"priceInfo\":{\"price\":69.0},\"commissionInfo\":{\"commissionShare\":5.0,\"plusCommissionShare\":`+share+`}}]}"}}`)
		o := mustOffer(t, c, link.Ref{Kind: link.Short, URL: unionShort})
		if len(o.Caveats) != want {
			t.Errorf("PLUS at %s %%: %q", share, o.Caveats)
		}
	}
}
