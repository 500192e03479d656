package jdfake

import (
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"fanli/core/market"
)

// The platform's limits on goods.
const (
	goodsPageMax   = 30
	detailsMax     = 10
	plainMax       = 100
	couponURLsMax  = 50
	couponLife     = 7 * 24 * time.Hour
	couponsDefault = 1000
)

// The scenes.
const (
	sceneUnion    = 1
	sceneMainSite = 2
)

// ItemID returns the union's id of goods, in the form in which it is made when
// ids do not rotate.
func ItemID(goods string) string { return itemStem(goods) + "_" + letters("tail"+goods, 22) }

// CouponURL returns the page of the coupon of goods.
func CouponURL(goods string) string {
	return "https://coupon.m.jd.com/coupons/show.action?linkKey=" + letters("coupon"+goods, 24) + "&roleId=48763115%2f&utm_term=a|b~c"
}

func itemStem(goods string) string { return letters("stem"+goods, 26) }

// letters makes n letters and digits of a text, always the same.
func letters(of string, n int) string {
	const set = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789"
	sum := sha256.Sum256([]byte(of))
	out := make([]byte, n)
	for i := range out {
		out[i] = set[int(sum[i%len(sum)])%len(set)]
	}
	return string(out)
}

// itemID is the union's id of goods in this answer.
func (s *Server) itemID(goods string) string {
	if s.cfg.RotateItems {
		return itemStem(goods) + "_" + letters(strconv.Itoa(s.next())+goods, 22)
	}
	return ItemID(goods)
}

// sku is the numeric id of goods, as far as the account is told.
func (s *Server) sku(goods string) json.Number {
	if s.cfg.NoSku {
		return "0"
	}
	return number(goods)
}

// goodsParams are the parameters of goods.query.
type goodsParams struct {
	Req struct {
		SceneID   int      `json:"sceneId"`
		Keyword   string   `json:"keyword"`
		SkuIDs    []int64  `json:"skuIds"`
		ItemIDs   []string `json:"itemIds"`
		CouponURL string   `json:"couponUrl"`
		PageIndex int      `json:"pageIndex"`
		PageSize  int      `json:"pageSize"`
	} `json:"goodsReqDTO"`
}

func (s *Server) goodsQuery(raw json.RawMessage) (reply, *refusal) {
	var p goodsParams
	if err := json.Unmarshal(raw, &p); err != nil {
		return reply{}, &refusal{401, "参数错误"}
	}
	q := p.Req
	if q.PageIndex == 0 {
		q.PageIndex = 1
	}
	if q.PageSize == 0 {
		q.PageSize = 20
	}
	switch {
	case q.SceneID == sceneMainSite && s.cfg.NoMainSite:
		return reply{}, &refusal{403, "无访问权限"}
	case q.SceneID != sceneUnion && q.SceneID != sceneMainSite,
		len(q.SkuIDs) > 0 && q.SceneID != sceneMainSite, len(q.ItemIDs) > 0 && q.SceneID != sceneUnion,
		len(q.SkuIDs) > 20, len(q.ItemIDs) > 20, q.PageIndex < 1, q.PageSize < 1:
		return reply{}, &refusal{401, "参数错误"}
	case q.PageSize > goodsPageMax:
		return reply{}, &refusal{202, "分页超过限制"}
	}
	var found []any
	for _, g := range s.market.Shelf() {
		if !g.Unlisted && s.wanted(p, g) {
			found = append(found, s.goodsItem(g, q.SceneID))
		}
	}
	total := len(found)
	from := min((q.PageIndex-1)*q.PageSize, total)
	found = found[from:min(from+q.PageSize, total)]
	if len(found) == 0 {
		if s.cfg.Shape.Empty == "" {
			return reply{}, &refusal{201, "没有找到商品"}
		}
		return reply{data: rows{"goodsResp", nil}}, nil
	}
	return reply{data: rows{"goodsResp", found}, total: int64(total)}, nil
}

// wanted reports whether goods are asked for.
func (s *Server) wanted(p goodsParams, g market.Goods) bool {
	q := p.Req
	switch {
	case len(q.SkuIDs) > 0:
		for _, id := range q.SkuIDs {
			if strconv.FormatInt(id, 10) == g.ID {
				return true
			}
		}
		return false
	case len(q.ItemIDs) > 0:
		for _, id := range q.ItemIDs {
			if at, ok := s.open(id); ok && at.goods.ID == g.ID {
				return true
			}
		}
		return false
	case q.CouponURL != "":
		return g.Coupon > 0 && q.CouponURL == CouponURL(g.ID)
	}
	if at, ok := s.open(q.Keyword); ok {
		return at.goods.ID == g.ID && (at.kind == kindUnion || at.kind == kindItem || q.SceneID == sceneMainSite)
	}
	if strings.Contains(q.Keyword, "://") {
		return false
	}
	for _, word := range strings.Fields(strings.ToLower(q.Keyword)) {
		if !strings.Contains(strings.ToLower(g.Title), word) {
			return false
		}
	}
	return strings.TrimSpace(q.Keyword) != ""
}

// goodsItem is one item of goods.query.
func (s *Server) goodsItem(g market.Goods, scene int) map[string]any {
	now := s.cfg.Now()
	item := s.itemID(g.ID)
	page := "jingfen.jd.com/detail/" + item + ".html"
	if scene == sceneMainSite {
		page = "item.jd.com/" + g.ID + ".html"
	}
	out := map[string]any{
		"skuName": g.Title, "materialUrl": page, "itemId": item, "owner": "p", "isHot": 1, "isJdSale": 0, "deliveryType": 1,
		"comments": 12000, "goodCommentsShare": json.Number("98.0"), "inOrderCount30Days": 321, "inOrderComm30Days": json.Number("1.2345678E7"),
		"spuid": number(g.ID), "brandName": g.Shop, "forbidTypes": []any{0}, "jxFlags": []any{},
		"priceInfo": map[string]any{
			"price": yuan(g.Price), "lowestPrice": yuan(g.Price), "lowestPriceType": 1, "lowestCouponPrice": yuan(g.Final()),
		},
		"commissionInfo": map[string]any{
			"commission": yuan(g.Price.Share(g.Rate)), "commissionShare": percent(g.Rate), "couponCommission": yuan(g.Final().Share(g.Rate)),
			"plusCommissionShare": percent(g.Rate), "isLock": 0,
			"startTime": now.Add(-couponLife).UnixMilli(), "endTime": now.Add(couponLife).UnixMilli(),
		},
		"couponInfo":   map[string]any{"couponList": s.coupons(g)},
		"imageInfo":    map[string]any{"imageList": rows{"urlInfo", []any{map[string]any{"url": g.Image}}}, "whiteImage": ""},
		"shopInfo":     map[string]any{"shopId": 709982, "shopName": g.Shop, "shopLevel": json.Number("4.9")},
		"categoryInfo": map[string]any{"cid1": 1620, "cid1Name": g.Category, "cid2": 11158, "cid2Name": g.Category},
	}
	if sku := s.sku(g.ID); sku != "0" {
		out["skuId"] = sku
	}
	return out
}

// coupons are those of goods: the one that counts, and some that look better and
// do not.
func (s *Server) coupons(g market.Goods) rows {
	if g.Coupon <= 0 {
		return rows{wrapper: "coupon"}
	}
	now := s.cfg.Now()
	coupon := func(link string, discount json.Number, style, best int, from, to time.Time) any {
		return map[string]any{
			"link": link, "discount": discount, "quota": yuan(g.CouponFrom), "bindType": 3, "platformType": 0,
			"couponStyle": style, "isBest": best, "isInputCoupon": 0, "hotValue": 7, "couponStatus": 0,
			"getStartTime": from.UnixMilli(), "getEndTime": to.UnixMilli(), "useStartTime": from.UnixMilli(), "useEndTime": to.UnixMilli(),
		}
	}
	link := CouponURL(g.ID)
	return rows{"coupon", []any{
		coupon(link+"&old", yuan(g.Coupon+1), 0, 0, now.Add(-2*couponLife), now.Add(-couponLife)),
		coupon(link+"&share", yuan(g.Coupon+2), 3, 0, now.Add(-couponLife), now.Add(couponLife)),
		coupon(link, yuan(g.Coupon), 0, 1, now.Add(-couponLife), now.Add(couponLife)),
		coupon(link+"&soon", yuan(g.Coupon+3), 0, 0, now.Add(couponLife), now.Add(2*couponLife)),
	}}
}
