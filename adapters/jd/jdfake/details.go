package jdfake

import (
	"encoding/json"
	"strconv"
	"strings"

	"fanli/core/market"
)

// plainQuery is goods.promotiongoodsinfo.query: numeric skus, no coupons.
func (s *Server) plainQuery(raw json.RawMessage) (reply, *refusal) {
	var p struct {
		SkuIDs string `json:"skuIds"`
	}
	err := json.Unmarshal(raw, &p)
	ids := strings.Split(p.SkuIDs, ",")
	if err != nil || p.SkuIDs == "" || len(ids) > plainMax {
		return reply{}, &refusal{400, "参数错误"}
	}
	found := rows{wrapper: "promotionGoodsResp"}
	for _, g := range s.listed(ids) {
		found.items = append(found.items, map[string]any{
			"skuId": number(g.ID), "goodsName": g.Title, "unitPrice": yuan(g.Price + 100), "wlUnitPrice": yuan(g.Price),
			"commisionRatioPc": percent(g.Rate), "commisionRatioWl": percent(g.Rate), "imgUrl": g.Image,
			"materialUrl": "http://item.jd.com/" + g.ID + ".html", "shopId": 709982, "vid": 709982,
			"cid": 1620, "cidName": g.Category, "inOrderCount": 321, "isJdSale": 0, "isFreeShipping": 0, "isSeckill": 0,
		})
	}
	return reply{data: found}, nil
}

// itemIDGet is goods.itemid.get: the union's ids of numeric skus.
func (s *Server) itemIDGet(raw json.RawMessage) (reply, *refusal) {
	var p struct {
		Req struct {
			SkuIDs []int64 `json:"skuIds"`
		} `json:"itemIdReq"`
	}
	if err := json.Unmarshal(raw, &p); err != nil || len(p.Req.SkuIDs) == 0 {
		return reply{}, &refusal{400, "参数错误"}
	}
	found := rows{wrapper: "itemIdResp"}
	for _, g := range s.listed(digits(p.Req.SkuIDs)) {
		found.items = append(found.items, map[string]any{"skuId": number(g.ID), "itemId": s.itemID(g.ID)})
	}
	return reply{data: found}, nil
}

// detailsQuery is goods.bigfield.query: it knows goods outside the programme too.
func (s *Server) detailsQuery(raw json.RawMessage) (reply, *refusal) {
	var p struct {
		Req struct {
			SceneID int      `json:"sceneId"`
			SkuIDs  []int64  `json:"skuIds"`
			ItemIDs []string `json:"itemIds"`
		} `json:"goodsReq"`
	}
	err := json.Unmarshal(raw, &p)
	ids := append(digits(p.Req.SkuIDs), p.Req.ItemIDs...)
	switch {
	case err != nil || len(ids) == 0:
		return reply{}, &refusal{400, "参数错误"}
	case len(ids) > detailsMax:
		return reply{}, &refusal{1002011, "sku数量超过10个"}
	case p.Req.SceneID == sceneMainSite && s.cfg.NoMainSite:
		return reply{}, &refusal{403, "无访问权限"}
	}
	found := rows{wrapper: "bigFieldGoodsResp"}
	for _, id := range ids {
		if at, ok := s.open(id); ok && at.goods.ID != "" {
			status := 1
			if at.goods.Unlisted {
				status = 0
			}
			found.items = append(found.items, map[string]any{
				"skuId": s.sku(at.goods.ID), "itemId": s.itemID(at.goods.ID), "skuName": at.goods.Title, "skuStatus": status, "owner": "p",
			})
		}
	}
	if len(found.items) == 0 {
		return reply{}, &refusal{1002016, "没有查到商品"}
	}
	return reply{data: found}, nil
}

// couponQuery is coupon.query.
func (s *Server) couponQuery(raw json.RawMessage) (reply, *refusal) {
	var p struct {
		URLs []string `json:"couponUrls"`
	}
	if err := json.Unmarshal(raw, &p); err != nil || len(p.URLs) == 0 || len(p.URLs) > couponURLsMax {
		return reply{}, &refusal{2006400, "参数错误"}
	}
	now := s.cfg.Now()
	found := rows{wrapper: "couponResp"}
	for _, link := range p.URLs {
		g, ok := s.couponGoods(link)
		if !ok {
			continue
		}
		s.mu.Lock()
		left, told := s.left[g.ID]
		s.mu.Unlock()
		if !told {
			left = couponsDefault
		}
		found.items = append(found.items, map[string]any{
			"link": link, "remainNum": left, "num": couponsDefault, "quota": yuan(g.CouponFrom), "discount": yuan(g.Coupon), "yn": "1", "platform": "1",
			"takeBeginTime": now.Add(-couponLife).UnixMilli(), "takeEndTime": now.Add(couponLife).UnixMilli(),
			"beginTime": now.Add(-couponLife).UnixMilli(), "endTime": now.Add(couponLife).UnixMilli(),
		})
	}
	return reply{data: found}, nil
}

// couponGoods finds the goods whose coupon has the page.
func (s *Server) couponGoods(link string) (market.Goods, bool) {
	for _, g := range s.market.Shelf() {
		if g.Coupon > 0 && link == CouponURL(g.ID) {
			return g, true
		}
	}
	return market.Goods{}, false
}

// listed returns the goods of ids that are in the programme.
func (s *Server) listed(ids []string) []market.Goods {
	var found []market.Goods
	for _, g := range s.market.Shelf() {
		for _, id := range ids {
			if g.ID == id && !g.Unlisted {
				found = append(found, g)
			}
		}
	}
	return found
}

func digits(ids []int64) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strconv.FormatInt(id, 10)
	}
	return out
}
