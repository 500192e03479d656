package pddfake

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"fanli/core/market"
	"fanli/core/money"
)

// customBytesMax is the limit for custom_parameters.
const customBytesMax = 64

// Sign returns the goods_sign of goods with this id.
func Sign(id string) string {
	if !allDigits(id) {
		return id
	}
	sum := sha256.Sum256([]byte("goods " + id))
	text := base64.RawURLEncoding.EncodeToString(sum[:])
	return "E9" + strings.ReplaceAll(text[:20], "_", "x") + "_J" + strings.ReplaceAll(text[20:30], "_", "y")
}

// bySign finds goods by their goods_sign.
func (s *Server) bySign(sign string) (market.Goods, bool) {
	for _, g := range s.market.Shelf() {
		if Sign(g.ID) == sign {
			return g, true
		}
	}
	return market.Goods{}, false
}

// position checks a pid and what goes with it.
func (s *Server) position(pid, custom string) *refusal {
	if !slices.Contains(s.cfg.PIDs, pid) {
		return refuse(10000, "参数错误:pid")
	}
	if len(custom) > customBytesMax {
		return refuse(10000, "参数错误:custom_parameters")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.authorised[pid] {
		return &refusal{code: 50001, sub: "60001", text: "该pid或custom_parameters未授权备案，请参考 jinbao.pinduoduo.com/qa-system?questionId=204"}
	}
	return nil
}

// search finds goods by words, by a link as words, or by goods_sign.
func (s *Server) search(p params) (answer, *refusal) {
	if no := s.position(p["pid"], p["custom_parameters"]); no != nil {
		return answer{}, no
	}
	page, no := p.number("page", 1, 10000, 1)
	if no != nil {
		return answer{}, no
	}
	size, no := p.number("page_size", 10, 100, 100)
	if no != nil {
		return answer{}, no
	}
	found, no := s.found(p)
	if no != nil {
		return answer{}, no
	}
	total := len(found)
	from := min(int((page-1)*size), total)
	list := []any{}
	for i, g := range found[from:min(from+int(size), total)] {
		list = append(list, goodsRow(g, i))
	}
	return answer{"goods_search_response", map[string]any{
		"goods_list": list, "list_id": "rec_sp_" + strconv.Itoa(total), "search_id": "search_" + p["page"], "total_count": strconv.Itoa(total),
	}}, nil
}

func (s *Server) found(p params) ([]market.Goods, *refusal) {
	if text := p["goods_sign_list"]; text != "" {
		var signs []string
		if err := json.Unmarshal([]byte(text), &signs); err != nil {
			return nil, refuse(10000, "参数错误:goods_sign_list")
		}
		var found []market.Goods
		for _, sign := range signs {
			if g, ok := s.bySign(sign); ok && !g.Unlisted {
				found = append(found, g)
			}
		}
		return found, nil
	}
	words := strings.TrimSpace(p["keyword"])
	if words == "" {
		return nil, refuse(10000, "参数错误:keyword")
	}
	if strings.Contains(words, "://") {
		if g, ok := s.behind(words, 0); ok && !g.Unlisted {
			return []market.Goods{g}, nil
		}
		return nil, nil
	}
	var found []market.Goods
	for _, g := range s.market.Shelf() {
		if !g.Unlisted && matches(g, words) {
			found = append(found, g)
		}
	}
	return found, nil
}

// matches reports whether every word is in the goods' title or shop.
func matches(g market.Goods, words string) bool {
	for _, word := range strings.Fields(words) {
		if !strings.Contains(g.Title+" "+g.Shop, word) {
			return false
		}
	}
	return true
}

// goodsRow renders goods as an element of a search. Every other row has its
// numbers as strings, as it happens on the real platform.
func goodsRow(g market.Goods, i int) map[string]any {
	num := func(n int64) any {
		if i%2 == 1 {
			return strconv.FormatInt(n, 10)
		}
		return n
	}
	row := map[string]any{
		"goods_sign": Sign(g.ID), "goods_name": g.Title, "goods_desc": nil, "mall_name": g.Shop, "mall_id": 1,
		"goods_thumbnail_url": g.Image, "goods_image_url": g.Image, "opt_name": g.Category, "opt_id": num(1281),
		"min_group_price": num(int64(g.Price)), "min_normal_price": num(int64(g.Price + g.Price/10)),
		"promotion_rate": num(perMille(g.Rate)), "predict_promotion_rate": num(perMille(g.Rate)),
		"has_coupon": g.Coupon > 0, "coupon_discount": num(int64(g.Coupon)), "coupon_min_order_amount": num(int64(g.CouponFrom)),
		"coupon_start_time": nil, "coupon_end_time": nil, "coupon_total_quantity": nil, "coupon_remain_quantity": nil,
		"sales_tip": "1.2万", "activity_tags": []int{7}, "service_tags": nil, "cat_ids": []int{1, 2, 3, 0},
		"search_id": "", "zs_duo_id": 0, "merchant_type": num(3),
	}
	if g.Coupon > 0 {
		row["coupon_total_quantity"], row["coupon_remain_quantity"] = num(10000), num(4321)
	}
	if id, err := strconv.ParseInt(g.ID, 10, 64); err == nil && i%2 == 0 {
		row["goods_id"] = id // going out of use: not every row has it
	}
	return row
}

// perMille is the platform's unit for rates.
func perMille(b money.Bps) int64 { return int64(b) / 10 }

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
