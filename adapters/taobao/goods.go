package taobao

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// goods is an item as search and details describe it.
type goods struct {
	ItemID  money.Number `json:"item_id"`
	InputID money.Number `json:"input_item_iid"`
	Publish struct {
		IncomeRate money.Number `json:"income_rate"`
		ClickURL   money.Number `json:"click_url"`
		CouponURL  money.Number `json:"coupon_share_url"`
		Income     struct {
			Rate       money.Number `json:"commission_rate"`
			Commission money.Number `json:"commission_amount"`
			Subsidy    money.Number `json:"subsidy_amount"`
		} `json:"income_info"`
	} `json:"publish_info"`
	Price struct {
		Sale  money.Number `json:"zk_final_price"`
		Final money.Number `json:"final_promotion_price"`
		Path  list         `json:"final_promotion_path_list"`
	} `json:"price_promotion_info"`
	Basic struct {
		Title    money.Number `json:"title"`
		Image    money.Number `json:"pict_url"`
		Shop     money.Number `json:"shop_title"`
		Category money.Number `json:"level_one_category_name"`
	} `json:"item_basic_info"`
}

// url is the link of a search result: to the coupon where there is one.
func (g goods) url() string {
	if u := address(g.Publish.CouponURL); u != "" {
		return u
	}
	return address(g.Publish.ClickURL)
}

// offer translates goods. It fails on goods without id or price.
func (c *Client) offer(g goods) (link.Offer, error) {
	o := link.Offer{
		Network: link.Taobao, Item: text(g.ItemID), SameItem: SameItem(text(g.ItemID)), Title: text(g.Basic.Title),
		Shop: text(g.Basic.Shop), Image: address(g.Basic.Image), Category: text(g.Basic.Category), At: c.now(),
	}
	var err error
	if o.Price, err = yuan(g.Price.Sale, money.HalfUp); err != nil {
		return o, err
	}
	if !itemID.MatchString(o.Item) || o.Price <= 0 {
		return o, fault.Newf(fault.Invalid, "", "goods %q at %s", short(o.Item), o.Price)
	}
	for _, raw := range g.Price.Path {
		if err := addCoupon(&o.Coupon, raw); err != nil {
			return o, err
		}
	}
	if o.Final, err = yuan(g.Price.Final, money.HalfUp); err != nil {
		return o, err
	}
	if o.Final <= 0 {
		o.Final = max(o.Price-o.Coupon.Amount, 0)
	}
	rate := g.Publish.IncomeRate
	if text(rate) == "" {
		rate = g.Publish.Income.Rate
	}
	if o.Rate, err = percent(rate); err != nil {
		return o, err
	}
	o.Commission, err = c.expected(g, o)
	return o, err
}

// expected is what we can expect to earn: the commission without the platform's
// service fee, and the subsidy, which is free of it.
func (c *Client) expected(g goods, o link.Offer) (money.Fen, error) {
	commission, err := yuan(g.Publish.Income.Commission, money.Down)
	if err != nil {
		return 0, err
	}
	subsidy, err := yuan(g.Publish.Income.Subsidy, money.Down)
	if err != nil {
		return 0, err
	}
	if commission == 0 {
		commission, subsidy = o.Final.Share(o.Rate), 0
	}
	return commission.Share(money.Whole-c.cfg.ServiceFee) + subsidy, nil
}

// addCoupon adds one step on the way to the final price, if a shopper has to
// take it before buying.
func addCoupon(o *link.CouponOffer, raw json.RawMessage) error {
	var p struct {
		Title  money.Number `json:"promotion_title"`
		Desc   money.Number `json:"promotion_desc"`
		Fee    money.Number `json:"promotion_fee"`
		Starts money.Number `json:"promotion_start_time"`
		Ends   money.Number `json:"promotion_end_time"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	if !strings.Contains(string(p.Title), "券") {
		return nil
	}
	fee, err := yuan(p.Fee, money.HalfUp)
	if err != nil {
		return err
	}
	o.Amount += fee
	o.Threshold = max(o.Threshold, threshold(p.Desc))
	if o.Starts, err = instant(p.Starts); err != nil {
		return err
	}
	o.Ends, err = deadline(p.Ends)
	return err
}

var atLeast = regexp.MustCompile(`满([0-9.]{1,12})元?减`)

// threshold reads "满79减10" and "满79元减10元"; other texts have none.
func threshold(desc money.Number) money.Fen {
	m := atLeast.FindStringSubmatch(string(desc))
	if m == nil {
		return 0
	}
	f, err := money.ParseYuan(m[1], money.HalfUp)
	if err != nil {
		return 0
	}
	return f
}

// instant reads the times of coupons: milliseconds, a time, or a day.
func instant(n money.Number) (time.Time, error) {
	s := text(n)
	if s == "" || s == "0" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) == 13 {
		return time.UnixMilli(ms), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, beijing); err == nil {
		return t, nil
	}
	return moment(n)
}

// deadline reads the end of a coupon: a day counts to its last second.
func deadline(n money.Number) (time.Time, error) {
	t, err := instant(n)
	if len(text(n)) == len(time.DateOnly) && err == nil {
		t = t.Add(24*time.Hour - time.Second)
	}
	return t, err
}

// converted is one element of a conversion.
type converted struct {
	Code money.Number `json:"code"`
	Msg  string       `json:"msg"`
	Link struct {
		MaterialType money.Number `json:"material_type"`
		MaterialID   money.Number `json:"material_id"`
		ItemID       money.Number `json:"item_id"`
		CouponLong   money.Number `json:"coupon_long_url"`
		CouponShort  money.Number `json:"coupon_short_url"`
		CouponToken  money.Number `json:"coupon_full_tpwd"`
		Long         money.Number `json:"cps_long_url"`
		Short        money.Number `json:"cps_short_url"`
		Token        money.Number `json:"cps_full_tpwd"`
	} `json:"link_info_dto"`
	Coupon couponInfo `json:"coupon_info_dto"`
}

// couponInfo is the coupon of a conversion.
type couponInfo struct {
	Amount money.Number `json:"coupon_amount"`
	Desc   money.Number `json:"coupon_desc"`
	Starts money.Number `json:"coupon_start_time"`
	Ends   money.Number `json:"coupon_end_time"`
	Left   money.Number `json:"coupon_remain_count"`
}

func (e converted) item() string {
	if id := text(e.Link.ItemID); id != "" {
		return id
	}
	return text(e.Link.MaterialID)
}

// made picks the links to the coupon where there is one, else to the goods, and
// the long link of which a 口令 can be made.
func (e converted) made() (m link.Made, long string) {
	l := e.Link
	m = link.Made{URL: address(l.CouponShort), Token: text(l.CouponToken)}
	long = address(l.CouponLong)
	if m.URL == "" && long == "" {
		m = link.Made{URL: address(l.Short), Token: text(l.Token)}
		long = address(l.Long)
	}
	if m.URL == "" {
		m.URL = long
	}
	if long == "" {
		long = m.URL
	}
	return m, long
}

func (i couponInfo) offer() (o link.CouponOffer, err error) {
	if o.Amount, err = yuan(i.Amount, money.HalfUp); err != nil {
		return o, err
	}
	o.Threshold = threshold(i.Desc)
	if o.Starts, err = instant(i.Starts); err != nil {
		return o, err
	}
	if o.Ends, err = deadline(i.Ends); err != nil {
		return o, err
	}
	if left, err := strconv.ParseInt(text(i.Left), 10, 64); err == nil {
		o.Left = left
	}
	return o, nil
}
