package jd

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// The methods that tell about goods.
const (
	methodGoods   = "jd.union.open.goods.query"
	methodPlain   = "jd.union.open.goods.promotiongoodsinfo.query"
	methodDetails = "jd.union.open.goods.bigfield.query"
	methodItemID  = "jd.union.open.goods.itemid.get"
	methodCoupon  = "jd.union.open.coupon.query"
)

// goodsReq is what goods.query is asked.
type goodsReq struct {
	SceneID   int      `json:"sceneId"`
	Keyword   string   `json:"keyword,omitempty"`
	SkuIDs    []int64  `json:"skuIds,omitempty"`
	ItemIDs   []string `json:"itemIds,omitempty"`
	CouponURL string   `json:"couponUrl,omitempty"`
	PageIndex int      `json:"pageIndex"`
	PageSize  int      `json:"pageSize"`
}

// goods is one item of goods.query, as far as we use it.
type goods struct {
	SkuID       text `json:"skuId"`
	ItemID      text `json:"itemId"`
	SkuName     text `json:"skuName"`
	MaterialURL text `json:"materialUrl"`

	Price struct {
		Price             text `json:"price"`
		LowestPrice       text `json:"lowestPrice"`
		LowestCouponPrice text `json:"lowestCouponPrice"`
	} `json:"priceInfo"`

	Commission struct {
		Share     text `json:"commissionShare"`
		PlusShare text `json:"plusCommissionShare"`
	} `json:"commissionInfo"`

	Coupons struct {
		List many[coupon] `json:"couponList"`
	} `json:"couponInfo"`

	Image struct {
		List many[struct {
			URL text `json:"url"`
		}] `json:"imageList"`
	} `json:"imageInfo"`

	Shop struct {
		Name text `json:"shopName"`
	} `json:"shopInfo"`

	Category struct {
		Name text `json:"cid1Name"`
	} `json:"categoryInfo"`
}

// styleMinus is the coupon that takes a fixed sum off. Others (so much percent,
// so much for each) do not say what they take off one piece.
const styleMinus = "0"

// coupon is one of the coupons of goods.
type coupon struct {
	Link     text `json:"link"`
	Discount text `json:"discount"`
	Quota    text `json:"quota"`
	Style    text `json:"couponStyle"`
	Best     flag `json:"isBest"`
	GetEnd   text `json:"getEndTime"`
	UseStart text `json:"useStartTime"`
	UseEnd   text `json:"useEndTime"`
}

// findGoods returns what goods.query finds; none is not an error.
func (c *Client) findGoods(ctx context.Context, req goodsReq) ([]goods, error) {
	a, err := c.call(ctx, methodGoods, map[string]goodsReq{"goodsReqDTO": req})
	if refusedWith(err, codeNoGoods, codePastPages) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	raws, err := list(a.data)
	if err != nil {
		return nil, c.garbled(methodGoods, err)
	}
	found := make([]goods, 0, len(raws))
	for _, raw := range raws {
		var g goods
		if err := json.Unmarshal(raw, &g); err != nil {
			return nil, c.garbled(methodGoods, err)
		}
		found = append(found, g)
	}
	return found, nil
}

// garbled says that an answer had an inner document that cannot be read.
func (c *Client) garbled(method string, err error) error {
	return fault.Newf(fault.Unavailable, "", "%s: unreadable answer: %s", method, c.clean(err.Error()))
}

// offer makes an offer of goods as goods.query tells them.
func (c *Client) offer(g goods, source link.Ref) (link.Offer, error) {
	price, err := firstPrice(g.Price.LowestPrice, g.Price.Price)
	if err != nil {
		return link.Offer{}, c.garbled(methodGoods, err)
	}
	rate, err := g.Commission.Share.percent()
	if err != nil {
		return link.Offer{}, c.garbled(methodGoods, err)
	}
	o := link.Offer{
		Title: string(g.SkuName), Shop: string(g.Shop.Name), Category: string(g.Category.Name),
		Price: price, Final: price, Rate: rate, Source: source,
		Material: material(g),
	}
	if len(g.Image.List) > 0 {
		o.Image = image(string(g.Image.List[0].URL))
	}
	if coupon, ok := c.best(g.Coupons.List, price); ok {
		o.Coupon, o.Final = coupon, price-coupon.Amount
		told, err := g.Price.LowestCouponPrice.yuan()
		if err == nil && told > 0 && told <= price { // what the app will show
			o.Final = told
		}
	}
	if plus, err := g.Commission.PlusShare.percent(); err == nil && plus > 0 && plus < rate {
		o.Caveats = append(o.Caveats, "offer.plus_rate_lower")
	}
	return c.finish(o, g.SkuID, g.ItemID)
}

// finish fills in what every offer has, whichever method told of the goods.
func (c *Client) finish(o link.Offer, sku, item text) (link.Offer, error) {
	o.Network, o.At = Name, c.now()
	o.Item, o.SameItem = itemKeys(sku, item)
	if o.Item == "" || o.Price <= 0 || o.Rate < 0 || o.Rate > money.Whole {
		return link.Offer{}, fault.Newf(fault.Unavailable, "", "jd: goods %.40q at %s with rate %s make no offer", o.Item, o.Price, o.Rate)
	}
	if o.Rate == 0 {
		return link.Offer{}, fault.New(fault.NotFound, reasonNotListed)
	}
	o.Commission = c.expect(o.Final, o.Rate)
	return o, nil
}

// expect is the commission that JD leaves us of a sale: at most this much, for
// the true sum is counted on what the buyer pays in the end.
func (c *Client) expect(final money.Fen, rate money.Bps) money.Fen {
	return final.Share(rate).Mul(int64(c.cfg.FinalRate), 100)
}

// firstPrice returns the first of prices that is told.
func firstPrice(prices ...text) (money.Fen, error) {
	for _, t := range prices {
		if n, err := t.yuan(); err != nil || n != 0 {
			return n, err
		}
	}
	return 0, nil
}

// itemKeys returns how JD names goods now, and how they can be compared: by sku
// where JD tells it. The same rule reads order rows.
func itemKeys(sku, item text) (name, same string) {
	if sku == "0" {
		sku = ""
	}
	return string(cmp.Or(item, sku)), string(cmp.Or(sku, item))
}

// best picks the coupon that takes most off price now; JD's own mark decides
// between equals.
func (c *Client) best(all []coupon, price money.Fen) (best link.CouponOffer, ok bool) {
	now, marked := c.now(), false
	for _, cp := range all {
		o, err := cp.offer()
		usable := err == nil && (cp.Style == styleMinus || cp.Style == "") && o.Amount > 0 && o.Amount < price && o.Threshold <= price
		if !usable || !o.Starts.IsZero() && now.Before(o.Starts) || !o.Ends.IsZero() && now.After(o.Ends) {
			continue
		}
		if !ok || o.Amount > best.Amount || o.Amount == best.Amount && bool(cp.Best) && !marked {
			best, ok, marked = o, true, bool(cp.Best)
		}
	}
	return best, ok
}

// offer reads a coupon. It ends when it can no longer be taken or no longer be
// used, whichever comes first.
func (cp coupon) offer() (link.CouponOffer, error) {
	amount, err := cp.Discount.yuan()
	if err != nil {
		return link.CouponOffer{}, err
	}
	threshold, err := cp.Quota.yuan()
	if err != nil {
		return link.CouponOffer{}, err
	}
	o := link.CouponOffer{Amount: amount, Threshold: threshold, URL: string(cp.Link), Starts: cp.UseStart.millis(), Ends: cp.UseEnd.millis()}
	if end := cp.GetEnd.millis(); !end.IsZero() && (o.Ends.IsZero() || end.Before(o.Ends)) {
		o.Ends = end
	}
	return o, nil
}

// millis reads a time in milliseconds; zero where there is none.
func (t text) millis() time.Time {
	n, err := t.whole()
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// material returns what a link to g is made from: the page that JD names, or one
// made of the id. Since 2024 only pages with an itemId are sure to be taken.
func material(g goods) string {
	if g.ItemID != "" {
		return "https://jingfen.jd.com/detail/" + string(g.ItemID) + ".html"
	}
	if u, ok := page(string(g.MaterialURL)); ok {
		return u
	}
	return skuPage(string(g.SkuID))
}

// image returns an https address, or "" where s cannot be one.
func image(s string) string {
	switch {
	case strings.HasPrefix(s, "https://"):
		return s
	case strings.HasPrefix(s, "http://"):
		return "https://" + s[len("http://"):]
	case strings.HasPrefix(s, "//"):
		return "https:" + s
	default:
		return ""
	}
}
