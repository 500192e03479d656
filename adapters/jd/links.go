package jd

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// searchSizeMax is JD's limit for a page of goods.
const searchSizeMax = 30

// wordsRunesMax limits what is searched for: longer texts find nothing.
const wordsRunesMax = 100

// Offer says what JD offers for ref now. It opens goods by sku and by itemId,
// short links, affiliate links, and coupon pages that lead to one item.
func (c *Client) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	t, err := aim(ref)
	if err != nil {
		return link.Offer{}, err
	}
	var o link.Offer
	switch {
	case t.sku != "":
		o, err = c.offerBySku(ctx, ref, t.sku)
	case t.item != "":
		o, err = c.offerBy(ctx, ref, goodsReq{SceneID: sceneUnion, ItemIDs: []string{t.item}})
	case t.coupon != "":
		o, err = c.offerBy(ctx, ref, goodsReq{SceneID: c.cfg.SceneIDs[0], CouponURL: t.coupon})
	default:
		o, err = c.offerByPage(ctx, ref, t.page)
	}
	if fault.Is(err, fault.NotFound) {
		return link.Offer{}, c.why(ctx, t, err)
	}
	if err != nil {
		return link.Offer{}, err
	}
	return c.countCoupons(ctx, o)
}

// offerBy asks for exactly one item. Several are not an answer: nobody knows
// which one is meant.
func (c *Client) offerBy(ctx context.Context, ref link.Ref, req goodsReq) (link.Offer, error) {
	req.PageIndex, req.PageSize = 1, 2
	found, err := c.findGoods(ctx, req)
	switch {
	case err != nil:
		return link.Offer{}, err
	case len(found) == 0:
		return link.Offer{}, fault.New(fault.NotFound, reasonNotListed)
	case len(found) > 1:
		return link.Offer{}, fault.New(fault.NotFound, reasonSeveral)
	}
	return c.offer(found[0], ref)
}

// offerBySku asks for goods by their number, in the ways that the account may
// have, best first: as goods of the main site, as goods of the union by the
// itemId that belongs to the number, and by the older method that knows no
// coupons.
func (c *Client) offerBySku(ctx context.Context, ref link.Ref, sku string) (link.Offer, error) {
	n, err := strconv.ParseInt(sku, 10, 64)
	if err != nil {
		return link.Offer{}, fault.Wrap(fault.Invalid, "jd.Offer", err)
	}
	if c.cfg.mainSite() {
		o, err := c.offerBy(ctx, ref, goodsReq{SceneID: sceneMainSite, SkuIDs: []int64{n}})
		if !fault.Is(err, fault.Denied) {
			return o, err
		}
	}
	item, err := c.itemID(ctx, n)
	if err == nil {
		return c.offerBy(ctx, ref, goodsReq{SceneID: sceneUnion, ItemIDs: []string{item}})
	}
	if !fault.Is(err, fault.Denied) {
		return link.Offer{}, err
	}
	return c.offerPlain(ctx, ref, sku)
}

// itemID returns the union's id of goods by their number.
func (c *Client) itemID(ctx context.Context, sku int64) (string, error) {
	a, err := c.call(ctx, methodItemID, map[string]any{"itemIdReq": map[string][]int64{"skuIds": {sku}}})
	if err != nil {
		return "", err
	}
	var found many[struct {
		ItemID text `json:"itemId"`
	}]
	if err := found.UnmarshalJSON(a.data); err != nil {
		return "", c.garbled(methodItemID, err)
	}
	if len(found) != 1 || found[0].ItemID == "" {
		return "", fault.New(fault.NotFound, reasonNotListed)
	}
	return string(found[0].ItemID), nil
}

// offerByPage asks for the goods behind a link. The union's own links are known
// to both scenes, ordinary short links to the main site only; without it, JD is
// made to convert the link first, and the result is asked for.
func (c *Client) offerByPage(ctx context.Context, ref link.Ref, page string) (link.Offer, error) {
	if unionLink(page) {
		return c.offerBy(ctx, ref, goodsReq{SceneID: c.cfg.SceneIDs[0], Keyword: page})
	}
	if c.cfg.mainSite() {
		o, err := c.offerBy(ctx, ref, goodsReq{SceneID: sceneMainSite, Keyword: page})
		if !fault.Is(err, fault.Denied) {
			return o, err
		}
	}
	made, err := c.promote(ctx, promotion{MaterialID: page})
	if err != nil {
		return link.Offer{}, err
	}
	return c.offerBy(ctx, ref, goodsReq{SceneID: sceneUnion, Keyword: made.best()})
}

// offerPlain asks the older method, which needs no approval. It knows prices and
// rates, but no coupons.
func (c *Client) offerPlain(ctx context.Context, ref link.Ref, sku string) (link.Offer, error) {
	a, err := c.call(ctx, methodPlain, map[string]string{"skuIds": sku})
	if err != nil {
		return link.Offer{}, err
	}
	var found many[struct {
		SkuID    text `json:"skuId"`
		Name     text `json:"goodsName"`
		Price    text `json:"unitPrice"`
		AppPrice text `json:"wlUnitPrice"`
		Rate     text `json:"commisionRatioWl"` // JD's spelling
		Image    text `json:"imgUrl"`
		Page     text `json:"materialUrl"`
		Category text `json:"cidName"`
	}]
	if err := found.UnmarshalJSON(a.data); err != nil {
		return link.Offer{}, c.garbled(methodPlain, err)
	}
	if len(found) != 1 {
		return link.Offer{}, fault.New(fault.NotFound, reasonNotListed)
	}
	g := found[0]
	o := link.Offer{
		Title: string(g.Name), Image: image(string(g.Image)), Category: string(g.Category), Source: ref,
		Material: material(goods{SkuID: g.SkuID, MaterialURL: g.Page}),
	}
	var errPrice, errRate error
	o.Price, errPrice = firstPrice(g.AppPrice, g.Price)
	o.Rate, errRate = g.Rate.percent()
	if err := errors.Join(errPrice, errRate); err != nil {
		return link.Offer{}, c.garbled(methodPlain, err)
	}
	o.Final = o.Price
	return c.finish(o, g.SkuID, "")
}

// why looks for a better word than "not in the programme" for goods that were
// not found: they may be off the shelf. Whatever goes wrong here, the answer
// stays what it was.
func (c *Client) why(ctx context.Context, t target, notFound error) error {
	req := map[string]any{"sceneId": sceneUnion, "itemIds": []string{t.item}}
	if n, err := strconv.ParseInt(t.sku, 10, 64); err == nil && c.cfg.mainSite() {
		req = map[string]any{"sceneId": sceneMainSite, "skuIds": []int64{n}}
	} else if t.item == "" {
		return notFound
	}
	a, err := c.call(ctx, methodDetails, map[string]any{"goodsReq": req})
	if err != nil {
		return notFound
	}
	var found many[struct {
		Status text `json:"skuStatus"`
	}]
	if err := json.Unmarshal(a.data, &found); err == nil && len(found) == 1 && found[0].Status == "0" {
		return fault.New(fault.NotFound, reasonOffShelf)
	}
	return notFound
}

// countCoupons asks how many of the offer's coupons are left, if the account may.
// An exhausted one is taken off the offer. A failure leaves the offer as it is.
func (c *Client) countCoupons(ctx context.Context, o link.Offer) (link.Offer, error) {
	if !c.cfg.CouponQuery || o.Coupon.URL == "" {
		return o, nil
	}
	a, err := c.call(ctx, methodCoupon, map[string][]string{"couponUrls": {o.Coupon.URL}})
	if err != nil {
		return o, nil //nolint:nilerr // the offer stands without the count
	}
	var found many[struct {
		Left *text `json:"remainNum"`
	}]
	if err := found.UnmarshalJSON(a.data); err != nil || len(found) != 1 || found[0].Left == nil {
		return o, nil //nolint:nilerr // likewise
	}
	switch n, err := found[0].Left.whole(); {
	case err == nil && n > 0:
		o.Coupon.Left = n
	case err == nil:
		o.Coupon, o.Final = link.CouponOffer{}, o.Price
		o.Commission = c.expect(o.Final, o.Rate)
	}
	return o, nil
}

// Search returns offers for words, in JD's order.
func (c *Client) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	words = strings.TrimSpace(words)
	if r := []rune(words); len(r) > wordsRunesMax {
		words = string(r[:wordsRunesMax])
	}
	if words == "" || page < 1 || count < 1 {
		return nil, fault.Newf(fault.Invalid, "", "jd: search for %q, page %d of %d", words, page, count)
	}
	found, err := c.findGoods(ctx, goodsReq{SceneID: c.cfg.SceneIDs[0], Keyword: words, PageIndex: page, PageSize: min(count, searchSizeMax)})
	if err != nil {
		return nil, err
	}
	var offers []link.Offer
	for _, g := range found[:min(count, len(found))] {
		o, err := c.offer(g, link.Ref{Network: Name, Kind: link.Item, ID: string(g.ItemID)})
		if err == nil { // an odd one among many is no reason to show none
			offers = append(offers, o)
		}
	}
	return offers, nil
}
