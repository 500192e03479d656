package pdd

import (
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// caveatStraight is the sentence for goods whose commission falls when the buyer
// has compared prices first: buy straight through the link.
const caveatStraight = "offer.buy_straight"

// goods is an element of a search. Only what we use is read.
type goods struct {
	Sign      string       `json:"goods_sign"`
	ID        money.Number `json:"goods_id"` // going out of use; may be missing
	Name      string       `json:"goods_name"`
	Mall      string       `json:"mall_name"`
	Thumbnail string       `json:"goods_thumbnail_url"`
	Image     string       `json:"goods_image_url"`
	Opt       string       `json:"opt_name"`
	Price     money.Number `json:"min_group_price"`
	Rate      money.Number `json:"promotion_rate"`
	Predicted money.Number `json:"predict_promotion_rate"`
	HasCoupon money.Number `json:"has_coupon"`
	Coupon    money.Number `json:"coupon_discount"`
	From      money.Number `json:"coupon_min_order_amount"`
	Starts    money.Number `json:"coupon_start_time"`
	Ends      money.Number `json:"coupon_end_time"`
	Left      money.Number `json:"coupon_remain_quantity"`
	Search    string       `json:"search_id"`
}

// offer reads g as it is at now.
func (g goods) offer(now time.Time) (link.Offer, error) {
	var r reader
	price, rate, predicted := r.fen(g.Price), r.perMille(g.Rate), r.perMille(g.Predicted)
	coupon := g.coupon(&r, now)
	if g.Sign == "" || price <= 0 || rate < 0 || rate > money.Whole {
		r.fail("goods %q at %q with rate %q", g.Sign, g.Price, g.Rate)
	}
	if r.err != nil {
		return link.Offer{}, fault.Wrap(fault.Unavailable, "pdd.goods", r.err)
	}
	final := price
	if coupon.Amount > 0 && price >= coupon.Threshold && coupon.Amount < price {
		final -= coupon.Amount
	}
	o := link.Offer{
		Network: Name, Item: g.Sign, Title: g.Name, Shop: g.Mall, Image: secure(firstOf(g.Thumbnail, g.Image)), Category: g.Opt,
		Price: price, Coupon: coupon, Final: final, Rate: rate, Commission: final.Share(rate),
		Material: strings.TrimSpace(g.Sign + " " + g.Search), At: now,
	}
	if g.Predicted != "" && predicted < rate {
		o.Caveats = append(o.Caveats, caveatStraight)
	}
	return o, nil
}

// coupon returns the coupon that a buyer can have now.
func (g goods) coupon(r *reader, now time.Time) link.CouponOffer {
	c := link.CouponOffer{
		Amount: r.fen(g.Coupon), Threshold: r.fen(g.From),
		Starts: r.time(g.Starts), Ends: r.time(g.Ends), Left: r.integer(g.Left),
	}
	switch {
	case g.HasCoupon != "true" && g.HasCoupon != "1", c.Amount <= 0,
		g.Left != "" && c.Left == 0,
		!c.Starts.IsZero() && now.Before(c.Starts),
		!c.Ends.IsZero() && now.After(c.Ends):
		return link.CouponOffer{}
	}
	return c
}

// secure returns an https address, or nothing.
func secure(u string) string {
	switch {
	case strings.HasPrefix(u, "https://"):
		return u
	case strings.HasPrefix(u, "http://"):
		return "https" + strings.TrimPrefix(u, "http")
	case strings.HasPrefix(u, "//"):
		return "https:" + u
	}
	return ""
}

// A reader reads numbers and remembers the first that it could not.
type reader struct{ err error }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.Newf(fault.Invalid, "", format, args...)
	}
}

// integer reads a whole number; an absent one is 0.
func (r *reader) integer(n money.Number) int64 {
	if n == "" {
		return 0
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		r.fail("not a whole number: %.40q", string(n))
	}
	return i
}

// fen reads an amount. The platform counts in fen; none is negative.
func (r *reader) fen(n money.Number) money.Fen {
	f := money.Fen(r.integer(n))
	if f < 0 || f > money.FenMax {
		r.fail("not an amount: %.40q", string(n))
		return 0
	}
	return f
}

// perMille reads a rate.
func (r *reader) perMille(n money.Number) money.Bps {
	i := r.integer(n)
	if i < 0 || i > 1000 {
		r.fail("not a rate: %.40q", string(n))
		return 0
	}
	return money.Bps(i * 10)
}

// yearMax bounds times: a later one is in other units.
const yearMax = 2200

// time reads unix seconds; absent and 0 are the zero time.
func (r *reader) time(n money.Number) time.Time {
	i := r.integer(n)
	if i == 0 {
		return time.Time{}
	}
	t := time.Unix(i, 0).UTC()
	if i < 0 || t.Year() > yearMax {
		r.fail("not a time: %.40q", string(n))
		return time.Time{}
	}
	return t
}
