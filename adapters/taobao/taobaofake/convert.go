package taobaofake

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/market"
)

// convert answers the universal conversion, of ids or of pasted things.
func (c *call) convert() (object, refusal) {
	if no := c.checkPlace(); no.code != 0 {
		return nil, no
	}
	var ids, materials []struct {
		ItemID   string `json:"item_id"`
		Material string `json:"material_url"`
	}
	switch dto := c.form.Get("material_dto"); {
	case c.form.Get("item_dto") != "":
		if json.Unmarshal([]byte(c.form.Get("item_dto")), &ids) != nil {
			return nil, invalid("item_dto")
		}
	case strings.HasPrefix(dto, "{") && !c.s.cfg.ListMaterial:
		if json.Unmarshal([]byte("["+dto+"]"), &materials) != nil {
			return nil, invalid("material_dto")
		}
	case dto != "":
		if json.Unmarshal([]byte(dto), &materials) != nil {
			return nil, invalid("material_dto")
		}
	default:
		return nil, missing("material_dto")
	}
	data := object{}
	if len(ids) > 0 {
		rows := list{class: "item_url_list"}
		for _, in := range ids {
			g, no := c.item(in.ItemID)
			rows.rows = append(rows.rows, c.converted(object{"input_item_id": in.ItemID}, g, no))
		}
		data["item_url_list"] = rows
	}
	if len(materials) > 0 {
		rows := list{class: "material_url_list"}
		for _, in := range materials {
			if eventPage(in.Material) {
				rows.rows = append(rows.rows, c.event(in.Material))
				continue
			}
			g, no := c.material(in.Material)
			rows.rows = append(rows.rows, c.converted(object{"input_material_url": in.Material}, g, no))
		}
		data["material_url_list"] = rows
	}
	return object{"data": data}, refusal{}
}

// converted completes one element, which may fail on its own.
func (c *call) converted(o object, g market.Goods, no refusal) object {
	if no.code != 0 {
		code, err := strconv.Atoi(no.sub)
		if err != nil {
			code = 1
		}
		o["code"], o["msg"] = code, no.subMsg
		return o
	}
	s := c.s
	click := market.Click{Item: g.ID, Slot: c.form.Get("adzone_id"), Tag: c.form.Get("relation_id")}
	id := s.itemID(g)
	links := object{
		"material_type": 1, "material_id": id, "item_id": id,
		"cps_long_url": s.longURL("/t", click), "cps_short_url": s.shortURL(click),
	}
	short, long := s.token(click, g.Title)
	if !s.cfg.Bare {
		links["cps_short_tpwd"], links["cps_full_tpwd"] = short, long
	}
	if g.Final() < g.Price {
		links["coupon_long_url"], links["coupon_short_url"] = s.longURL("/coupon/edetail", click), s.shortURL(click)
		if !s.cfg.Bare {
			links["coupon_short_tpwd"], links["coupon_full_tpwd"] = short, long
		}
		now := s.cfg.Now().In(beijing)
		o["coupon_info_dto"] = object{
			"activity_id": "19d114f1a6464c98a30b01b3cb17dad6", "coupon_amount": g.Coupon.String(), "coupon_desc": "满" + yuan(g.CouponFrom) + "元减" + yuan(g.Coupon) + "元",
			"coupon_start_time": now.AddDate(0, 0, -1).Format(time.DateOnly) + " 00:00:00", "coupon_end_time": now.AddDate(0, 0, 6).Format(time.DateOnly) + " 23:59:59",
			"coupon_remain_count": 99944, "coupon_type": 0,
		}
	}
	o["link_info_dto"] = links
	o["promotion_info_dto"] = object{"commission_rate": percent(g.Rate), "commission_type": "MKT", "promotion_price": int64(g.Final())}
	return o
}

// eventHosts are where Taobao has pages of events.
var eventHosts = []string{"pages.tmall.com", "pages.taobao.com", "huodong.taobao.com", "market.m.taobao.com"}

func eventPage(material string) bool {
	u, err := url.Parse(material)
	return err == nil && slices.Contains(eventHosts, u.Host)
}

// event is the element of an event's page, which has no coupon and no rate.
func (c *call) event(material string) object {
	click := market.Click{Slot: c.form.Get("adzone_id"), Tag: c.form.Get("relation_id")}
	links := object{
		"material_type": 3, "material_id": c.s.letters(12, material), "cps_long_url": c.s.longURL("/t", click), "cps_short_url": c.s.shortURL(click),
	}
	if !c.s.cfg.Bare {
		links["cps_short_tpwd"], links["cps_full_tpwd"] = c.s.token(click, "活动")
	}
	return object{"input_material_url": material, "link_info_dto": links}
}

// createToken answers tpwd.create, for links that this gateway made.
func (c *call) createToken() (object, refusal) {
	link := c.form.Get("url")
	if link == "" {
		return nil, missing("url")
	}
	if !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, c.s.cfg.BaseURL) {
		return nil, business("20000", "url不支持转换")
	}
	click, ok := c.s.Click(link)
	if !ok {
		return nil, business("26", "链接不是联盟链接或被修改")
	}
	g, ok := c.s.market.Goods(click.Item)
	if !ok && click.Item != "" {
		return nil, business("23", "链接内容为空")
	}
	short, long := c.s.token(click, g.Title)
	return object{"data": object{"password_simple": short, "model": long}}, refusal{}
}
