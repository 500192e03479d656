package taobaofake

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"fanli/core/market"
	"fanli/core/money"
)

var numericID = regexp.MustCompile(`^[0-9]{5,14}$`)

// item finds goods by id. Numeric ids need the scene of pasted links.
func (c *call) item(id string) (market.Goods, refusal) {
	var g market.Goods
	var ok bool
	switch {
	case strings.Contains(id, "-"):
		g, ok = c.s.goodsByNewID(id)
	case numericID.MatchString(id) && c.form.Get("biz_scene_id") != "2":
		return g, business("35", "该商品id已不支持，请使用新商品id")
	default:
		g, ok = c.s.market.Goods(id)
	}
	if !ok || g.Unlisted {
		return g, business("10000", "商品已下架或非淘客商品")
	}
	return g, refusal{}
}

// material finds goods by what a shopper pasted: a 口令, a page, a short link,
// or a link that this gateway made.
func (c *call) material(m string) (market.Goods, refusal) {
	m = strings.TrimSpace(m)
	for _, try := range []func(string) (market.Goods, bool){c.s.market.Goods, c.byLink, c.byToken, c.byPage} {
		g, ok := try(m)
		switch {
		case ok && g.Unlisted:
			return g, business("10000", "商品已下架或非淘客商品")
		case ok:
			return g, refusal{}
		}
	}
	if strings.Contains(m, "￥") {
		return market.Goods{}, business("20011", "解析内容为空")
	}
	return market.Goods{}, business("20010", "解析失败")
}

func (c *call) byLink(m string) (market.Goods, bool) {
	click, ok := c.s.Click(m)
	if !ok {
		return market.Goods{}, false
	}
	return c.s.market.Goods(click.Item)
}

func (c *call) byToken(m string) (market.Goods, bool) {
	body := strings.Trim(m, "￥")
	if body == m {
		return market.Goods{}, false
	}
	if click, ok := c.s.ClickToken(body); ok {
		return c.s.market.Goods(click.Item)
	}
	return c.s.market.Goods(body)
}

func (c *call) byPage(m string) (market.Goods, bool) {
	u, err := url.Parse(m)
	if err != nil || u.Host == "" {
		return market.Goods{}, false
	}
	for _, id := range []string{u.Query().Get("id"), u.Query().Get("itemId"), u.Query().Get("tk"), strings.TrimPrefix(u.Path, "/")} {
		if id == "" {
			continue
		}
		if g, ok := c.s.market.Goods(id); ok {
			return g, true
		}
	}
	return market.Goods{}, false
}

// search answers the material search.
func (c *call) search() (object, refusal) {
	if no := c.checkPlace(); no.code != 0 {
		return nil, no
	}
	q := strings.TrimSpace(c.form.Get("q"))
	if q == "" && c.form.Get("cat") == "" {
		return nil, business("30002", "q和cat不能都为空")
	}
	page, ok1 := between(c.form.Get("page_no"), 1, 1, 1000)
	size, ok2 := between(c.form.Get("page_size"), 20, 1, 100)
	if !ok1 || !ok2 {
		return nil, invalid("page_no")
	}
	found := c.found(q)
	from := min((page-1)*size, len(found))
	rows := list{class: "map_data"}
	for _, g := range found[from:min(from+size, len(found))] {
		click := market.Click{Item: g.ID, Slot: c.form.Get("adzone_id"), Tag: c.form.Get("relation_id")}
		o := c.describe(g)
		// One result by a title is only told in the scene of pasted links.
		if len(found) > 1 || c.form.Get("biz_scene_id") == "2" {
			p := o["publish_info"].(object)
			p["click_url"] = strings.TrimPrefix(c.s.longURL("/t", click), "https:")
			if g.Final() < g.Price {
				p["coupon_share_url"] = strings.TrimPrefix(c.s.longURL("/coupon/edetail", click), "https:")
			}
		}
		rows.rows = append(rows.rows, o)
	}
	if len(rows.rows) == 0 {
		return nil, business("50001", "无结果")
	}
	return object{"total_results": len(found), "result_list": rows}, refusal{}
}

// found returns the listed goods that a page link names, or whose title has
// every word.
func (c *call) found(q string) []market.Goods {
	if strings.HasPrefix(q, "http") {
		if g, ok := c.byPage(q); ok && !g.Unlisted && c.form.Get("biz_scene_id") == "2" {
			return []market.Goods{g}
		}
		return nil
	}
	var out []market.Goods
	for _, g := range c.s.market.Shelf() {
		all := !g.Unlisted
		for _, word := range strings.Fields(q) {
			all = all && strings.Contains(g.Title, word)
		}
		if all {
			out = append(out, g)
		}
	}
	return out
}

// details answers item.info.upgrade.get. Goods that are not in the programme are
// absent.
func (c *call) details() (object, refusal) {
	ids := strings.Split(c.form.Get("item_id"), ",")
	switch {
	case ids[0] == "":
		return nil, missing("item_id")
	case len(ids) > 20:
		return nil, invalid("item_id")
	case c.form.Get("biz_scene_id") == "2" && !c.s.cfg.MainSite:
		return nil, business("1911", "无场景权限")
	}
	rows := list{class: "tbk_item_detail"}
	for _, id := range ids {
		g, no := c.item(id)
		if no.sub == "35" {
			return nil, no
		}
		if no.code != 0 {
			continue
		}
		o := c.describe(g)
		o["input_item_iid"] = id
		rows.rows = append(rows.rows, o)
	}
	return object{"results": rows}, refusal{}
}

// describe writes goods as search and details do.
func (c *call) describe(g market.Goods) object {
	commission := g.Final().Share(g.Rate)
	price := object{
		"reserve_price": g.Price.String(), "zk_final_price": g.Price.String(), "final_promotion_price": g.Final().String(),
		"final_promotion_path_list": list{class: "final_promotion_path_map_data"},
		"promotion_tag_list":        list{"promotion_tag_map_data", []any{object{"tag_name": "包邮"}}},
	}
	if g.Final() < g.Price {
		now := c.s.cfg.Now()
		price["final_promotion_path_list"] = list{"final_promotion_path_map_data", []any{object{
			"promotion_title": "商品券", "promotion_desc": couponText(g), "promotion_fee": g.Coupon.String(), "promotion_id": "fake",
			"promotion_start_time": strconv.FormatInt(now.AddDate(0, 0, -1).UnixMilli(), 10),
			"promotion_end_time":   strconv.FormatInt(now.AddDate(0, 0, 6).UnixMilli(), 10),
		}}}
	}
	return object{
		"item_id": c.s.itemID(g),
		"publish_info": object{
			"income_rate": percent(g.Rate), "commission_type": "MKT", "daily_promotion_sales": 111, "two_hour_promotion_sales": 24,
			"income_info": object{
				"commission_rate": percent(g.Rate), "commission_amount": commission.String(),
				"subsidy_rate": "0", "subsidy_amount": "0", "subsidy_type": "--",
			},
		},
		"price_promotion_info": price,
		"item_basic_info": object{
			"title": g.Title, "short_title": g.Title, "pict_url": strings.TrimPrefix(g.Image, "https:"),
			"small_images": list{class: "string"}, "level_one_category_name": g.Category, "category_name": g.Category,
			"seller_id": 123456789, "user_type": 1, "shop_title": g.Shop, "volume": 3837, "tk_total_sales": "11", "annual_vol": "1万+",
		},
		"scope_info": object{"superior_brand": "1"},
	}
}

func couponText(g market.Goods) string {
	return "满" + yuan(g.CouponFrom) + "减" + yuan(g.Coupon)
}

// yuan writes an amount without needless zeros, as in coupon texts.
func yuan(f money.Fen) string {
	return strings.TrimRight(strings.TrimRight(f.String(), "0"), ".")
}

func percent(b money.Bps) string { return money.Fen(b).String() }
