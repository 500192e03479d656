package pddfake

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fanli/core/market"
)

// The limits of order lists.
const (
	windowMax = 24 * time.Hour
	keeps     = 90 * 24 * time.Hour
)

// beijing is the zone of times that travel as text.
var beijing = time.FixedZone("CST", 8*60*60)

// NumberFor returns the nth order number of today. An order has one line, and
// both have this number.
func (s *Server) NumberFor(n int64) (order, line string) {
	sn := fmt.Sprintf("%s-%015d", s.cfg.Now().In(beijing).Format("060102"), 401_069_834_900_000+n)
	return sn, sn
}

// updatedOrders is order.list.increment.get: rows by the time of their last
// change, both ends included.
func (s *Server) updatedOrders(p params) (answer, *refusal) {
	start, no := p.number("start_update_time", 1, 1<<40, 0)
	if no != nil || start == 0 {
		return answer{}, refuse(10000, "参数错误:start_update_time")
	}
	end, no := p.number("end_update_time", 1, 1<<40, 0)
	if no != nil || end == 0 {
		return answer{}, refuse(10000, "参数错误:end_update_time")
	}
	from, to := time.Unix(start, 0), time.Unix(end, 0)
	if no := s.window(from, to); no != nil {
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
	lines := s.market.Lines(func(l market.Line) bool { return within(l.Modified, from, to) })
	first := min(int((page-1)*size), len(lines))
	body := map[string]any{"order_list": s.rows(lines[first:min(first+int(size), len(lines))])}
	if p["return_count"] != "false" {
		body["total_count"] = strconv.Itoa(len(lines))
	}
	s.runBetween()
	return answer{"order_list_get_response", body}, nil
}

// paidOrders is order.list.range.get: rows by the time of payment, both ends
// included, after the order that the cursor names.
func (s *Server) paidOrders(p params) (answer, *refusal) {
	from, err := time.ParseInLocation(time.DateTime, p["start_time"], beijing)
	if err != nil {
		return answer{}, refuse(10000, "参数错误:start_time")
	}
	to, err := time.ParseInLocation(time.DateTime, p["end_time"], beijing)
	if err != nil {
		return answer{}, refuse(10000, "参数错误:end_time")
	}
	if no := s.window(from, to); no != nil {
		return answer{}, no
	}
	size, no := p.number("page_size", 10, 300, 300)
	if no != nil {
		return answer{}, no
	}
	lines := s.market.Lines(func(l market.Line) bool { return !l.PaidAt.IsZero() && within(l.PaidAt, from, to) })
	slices.SortFunc(lines, func(a, b market.Line) int {
		return cmp.Or(a.PaidAt.Compare(b.PaidAt), cmp.Compare(a.ID, b.ID))
	})
	if last := p["last_order_id"]; last != "" {
		i := slices.IndexFunc(lines, func(l market.Line) bool { return orderID(l) == last })
		if i < 0 {
			return answer{}, refuse(10000, "参数错误:last_order_id")
		}
		lines = lines[i+1:]
	}
	lines = lines[:min(len(lines), int(size))]
	body := map[string]any{"order_list": s.rows(lines), "last_order_id": nil}
	if n := len(lines); n > 0 {
		body["last_order_id"] = orderID(lines[n-1])
	}
	s.runBetween()
	return answer{"order_list_get_response", body}, nil
}

func (s *Server) runBetween() {
	s.mu.Lock()
	f := s.between
	s.mu.Unlock()
	if f != nil {
		f()
	}
}

// window checks the ends of a window.
func (s *Server) window(from, to time.Time) *refusal {
	switch {
	case !from.Before(to):
		return refuse(10000, "参数错误:开始时间需小于结束时间")
	case to.Sub(from) > windowMax:
		return refuse(10000, "参数错误:时间间隔不能超过24小时")
	case s.cfg.Now().Sub(from) > keeps+windowMax:
		return refuse(10000, "参数错误:仅支持查询最近90天的订单")
	}
	return nil
}

// within compares in whole seconds, as the platform keeps its times.
func within(t, from, to time.Time) bool {
	t = t.Truncate(time.Second)
	return !t.Before(from) && !t.After(to)
}

// rows renders lines, and the broken row if one is due.
func (s *Server) rows(lines []market.Line) []any {
	out := make([]any, 0, len(lines)+1)
	for i, l := range lines {
		out = append(out, s.row(l, i))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		s.broken = false
		at := len(out) / 2
		out = slices.Insert(out, at, any(map[string]any{
			"order_sn": "260115-000000000000000", "order_status": "未知", "order_amount": "1.5元", "order_modify_at": nil,
		}))
	}
	return out
}

// orderID is the internal id of an order.
func orderID(l market.Line) string { return "XZ" + l.ID }

// row renders a line. Every third row has numbers as strings.
func (s *Server) row(l market.Line, i int) map[string]any {
	num := func(n int64) any {
		if i%3 == 2 {
			return strconv.FormatInt(n, 10)
		}
		return n
	}
	status, text, reason := status(l)
	pid := l.Click.Slot
	if pid == "" {
		pid = s.cfg.PIDs[0]
	}
	row := map[string]any{
		"order_sn": l.Order, "order_id": orderID(l), "goods_sign": Sign(l.Goods.ID), "goods_name": l.Goods.Title,
		"goods_thumbnail_url": l.Goods.Image, "goods_category_name": l.Goods.Category, "goods_quantity": num(int64(l.Quantity)),
		"goods_price": num(int64(l.Goods.Price)), "order_amount": num(int64(l.Price - l.Refunded)),
		"promotion_rate": num(perMille(l.Rate)), "promotion_amount": num(int64(l.Commission)),
		"p_id": pid, "custom_parameters": l.Click.Tag, "order_status": num(status), "order_status_desc": text, "fail_reason": reason,
		"order_create_time": seconds(l.Created), "order_pay_time": seconds(l.PaidAt), "order_group_success_time": seconds(l.PaidAt),
		"order_receive_time": seconds(l.ReceivedAt), "order_verify_time": seconds(l.SettledAt), "order_settle_time": seconds(l.SettledAt),
		"order_modify_at": seconds(l.Modified), "price_compare_status": 0, "bandan_risk_consult": -1, "batch_no": "", "type": 0,
		"cpa_new": 0, "is_direct": 1, "mall_id": 1, "mall_name": l.Goods.Shop, "group_id": num(2_000_000_000_000), "cat_ids": []int{1, 2, 3, 0},
		"activity_tags": nil, "auth_duo_id": 0, "zs_duo_id": 0, "cash_gift_id": 0, "platform_discount": 0, "subsidy_amount": 0, "share_amount": 0,
	}
	if l.Rate < l.Goods.Rate {
		row["price_compare_status"] = 1
	}
	if id, err := strconv.ParseInt(l.Goods.ID, 10, 64); err == nil {
		row["goods_id"] = id
	}
	return row
}

// seconds renders a time; one that is not yet is null.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// status returns the order_status of a line, its text, and the fail_reason.
func status(l market.Line) (code int64, text string, reason any) {
	switch l.State {
	case market.Created:
		return -1, "未支付", nil
	case market.Paid:
		if l.Modified.Equal(l.PaidAt) {
			return 0, "已支付", nil
		}
		return 1, "已成团", nil
	case market.Received:
		if l.Modified.Equal(l.ReceivedAt) {
			return 2, "确认收货", nil
		}
		return 3, "审核成功", nil
	case market.Settled:
		if l.Refunded == l.Price {
			return 4, "审核失败", "结算后退款"
		}
		return 5, "已经结算", nil
	case market.Replaced:
		return 4, "审核失败", "订单已拆分"
	case market.Invalid:
	}
	switch l.Why {
	case "violation":
		return 10, "已处罚", "违规推广"
	case "refunded":
		return 4, "审核失败", "订单退款"
	default:
		return 4, "审核失败", "订单取消"
	}
}
