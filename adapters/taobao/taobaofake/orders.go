package taobaofake

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/market"
	"fanli/core/money"
)

// keeps is how far back the order methods answer.
const keeps = 90 * 24 * time.Hour

// An entry is one row that a window may hold.
type entry struct {
	id  string
	at  time.Time // the column by which it is found, whole seconds; zero: it has none
	row func(loose bool) object
}

// A query is what the order methods have in common.
type query struct {
	from, to   time.Time
	page, size int
	cursor     string
	broken     object // the row that cannot be read, when one is wanted
}

// query reads the common parameters, given by name.
func (c *call) query(get func(string) string) (query, refusal) {
	var q query
	for name, to := range map[string]*time.Time{"start_time": &q.from, "end_time": &q.to} {
		s := get(name)
		if s == "" {
			return q, missing(name)
		}
		t, err := time.ParseInLocation(time.DateTime, s, beijing)
		if err != nil {
			return q, business("2000", "时间格式错误")
		}
		*to = t
	}
	now := c.s.cfg.Now()
	c.s.mu.Lock()
	window := c.s.cfg.Window
	c.s.mu.Unlock()
	switch {
	case !q.from.Before(q.to):
		return q, business("2001", "开始时间必须小于结束时间")
	case !q.from.Before(now):
		return q, business("2002", "开始时间必须小于当前时间")
	case q.from.Before(now.Add(-keeps)):
		return q, business("2004", "开始时间超过90天")
	case q.to.Sub(q.from) > window:
		return q, business("2007", "查询时间跨度过长")
	}
	var ok1, ok2 bool
	q.page, ok1 = between(get("page_no"), 1, 1, 100)
	q.size, ok2 = between(get("page_size"), 20, 1, 100)
	q.cursor = get("position_index")
	jump := get("jump_type")
	switch {
	case !ok1:
		return q, invalid("page_no")
	case !ok2:
		return q, invalid("page_size")
	case jump != "" && jump != "1":
		return q, business("1005", "jump_type错误")
	case q.page > 1 && q.cursor == "" && c.s.cfg.StrictCursor:
		return q, business("1008", "position_index错误")
	}
	return q, refusal{}
}

// A leaf is one page of entries, cut out of all by a query.
type leaf struct {
	rows  []any
	more  bool
	index string
}

// cut sorts the entries of the window and returns the page after the cursor. The
// cursor names a row and the time that it had, so rows that change cannot shift
// the others.
func (c *call) cut(all []entry, q query) (leaf, refusal) {
	name := func(e entry) string { return strconv.FormatInt(e.at.Unix(), 10) + "_" + c.s.letters(11, "row"+e.id) }
	order := func(a, b entry) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	}
	last := entry{at: q.from.Add(-time.Second)}
	if q.page > 1 && q.cursor != "" {
		_, mark, _ := strings.Cut(q.cursor, "|")
		sec, code, _ := strings.Cut(mark, "_")
		at, err := strconv.ParseInt(sec, 10, 64)
		i := slices.IndexFunc(all, func(e entry) bool { return c.s.letters(11, "row"+e.id) == code })
		if err != nil || i < 0 {
			return leaf{}, business("1008", "position_index错误")
		}
		last = entry{id: all[i].id, at: time.Unix(at, 0)}
	}
	var in []entry
	for _, e := range all {
		if !e.at.IsZero() && !e.at.Before(q.from) && !e.at.After(q.to) && order(e, last) > 0 {
			in = append(in, e)
		}
	}
	slices.SortFunc(in, order)
	l := leaf{more: len(in) > q.size, index: strconv.FormatInt(q.from.Unix(), 10) + "_|" + strconv.FormatInt(q.to.Unix()+1, 10) + "_"}
	in = in[:min(q.size, len(in))]
	for i, e := range in {
		l.rows = append(l.rows, e.row(c.s.cfg.Loose && i%2 == 1))
	}
	if len(in) > 0 {
		l.index = name(in[0]) + "|" + name(in[len(in)-1])
	}
	if c.s.takeBroken() {
		l.rows = slices.Insert(l.rows, len(l.rows)/2, any(q.broken))
	}
	return l, refusal{}
}

// takeBroken reports whether the page at hand is the one with the broken row.
func (s *Server) takeBroken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.broken
	s.broken = false
	return b
}

// turn runs what was asked for between two pages.
func (s *Server) turn() {
	s.mu.Lock()
	f := s.between
	s.mu.Unlock()
	if f != nil {
		f()
	}
}

// orders answers order.details.get.
func (c *call) orders() (object, refusal) {
	q, no := c.query(c.form.Get)
	if no.code != 0 {
		return nil, no
	}
	column, ok1 := between(c.form.Get("query_type"), 1, 1, 4)
	scene, ok2 := between(c.form.Get("order_scene"), 1, 1, 3)
	status, ok3 := between(c.form.Get("tk_status"), 0, 3, 14)
	switch {
	case !ok1 || !ok2:
		return nil, business("1001", "查询参数错误")
	case !ok3:
		return nil, business("1006", "tk_status错误")
	}
	var all []entry
	for _, l := range c.s.market.Lines(nil) {
		if scene == 2 && relation(l) == nil || scene == 3 && c.s.special(l) == nil || status != 0 && statusOf(l) != status || !c.visible(l.Modified) {
			continue
		}
		at := [...]time.Time{1: l.Created, 2: l.PaidAt, 3: l.SettledAt, 4: l.Modified}[column]
		all = append(all, entry{l.ID, at.Truncate(time.Second), func(loose bool) object { return c.orderRow(l, loose) }})
	}
	q.broken = object{"trade_parent_id": "4.0123E+18", "trade_id": "4.0123E+18", "tk_status": "?", "item_title": "坏行"}
	page, no := c.cut(all, q)
	if no.code != 0 {
		return nil, no
	}
	c.s.turn()
	return object{"data": object{
		"results": list{"publisher_order_dto", page.rows}, "has_pre": q.page > 1, "has_next": page.more,
		"page_no": q.page, "page_size": q.size, "position_index": page.index,
	}}, refusal{}
}

// visible reports whether a row that changed at t can be seen by now.
func (c *call) visible(t time.Time) bool { return !t.Add(c.s.cfg.Delay).After(c.s.cfg.Now()) }

func statusOf(l market.Line) int {
	switch l.State {
	case market.Created:
		return 11
	case market.Paid:
		return 12
	case market.Received:
		return 14
	case market.Settled:
		return 3
	default:
		return 13
	}
}

// relation is the channel id that the link carried, if any.
func relation(l market.Line) any {
	if _, err := strconv.ParseUint(l.Click.Tag, 10, 64); err != nil {
		return nil
	}
	return json.Number(l.Click.Tag)
}

// beforeSettlement is what the buyer paid and did not get back before the line
// was settled: all that an order row knows.
func beforeSettlement(l market.Line) money.Fen {
	left := l.Price - l.Refunded
	for _, r := range l.Returns {
		left += r.Amount
	}
	return left
}

// income is the commission on base and the platform's share of it.
func (s *Server) income(l market.Line, base money.Fen) (fee, share money.Fen) {
	if l.State == market.Invalid || l.State == market.Replaced {
		return 0, 0
	}
	fee = base.Share(l.Rate)
	left := base.Mul(int64(l.Rate)*int64(money.Whole-s.market.Fee()), int64(money.Whole)*int64(money.Whole)) // as the market rounds
	return fee, fee - left
}

// clock writes a time; the zero time is absent.
func clock(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(beijing).Format(time.DateTime)
}

// number writes an id as a JSON number, where it is one, or as text.
func number(s string, loose bool) any {
	if _, err := strconv.ParseUint(s, 10, 64); err != nil || loose {
		return s
	}
	return json.Number(s)
}

// amount writes money as text with two decimals, or as a JSON number.
func amount(f money.Fen, loose bool) any {
	switch {
	case loose:
		return json.Number(f.String())
	case f == 0:
		return "0"
	default:
		return f.String()
	}
}

// orderRow writes a line as order.details.get does.
func (c *call) orderRow(l market.Line, loose bool) object {
	base := beforeSettlement(l)
	fee, share := c.s.income(l, base)
	settled, paidPrice := money.Fen(0), any(nil)
	if l.State == market.Settled {
		settled = fee
	}
	if l.State == market.Received || l.State == market.Settled {
		paidPrice = amount(base, loose)
	}
	refundTag := 0
	if len(l.Returns) > 0 || c.s.disputed(l.ID) {
		refundTag = 1
	}
	sum := func(f money.Fen) any { return amount(f, loose) }
	zero := sum(0)
	return object{
		"trade_id": l.ID, "trade_parent_id": l.Order, "item_id": c.s.itemID(l.Goods), "extra_mkt_id": c.s.suffix(l.Goods),
		"item_title": l.Goods.Title, "item_img": strings.TrimPrefix(l.Goods.Image, "https:"), "item_num": number(strconv.Itoa(l.Quantity), loose),
		"item_link":  "https://uland.taobao.com/item/edetail?id=fake",
		"item_price": sum(l.Goods.Price), "item_category_name": l.Goods.Category, "order_type": "天猫",
		"seller_nick": "--", "seller_shop_title": l.Goods.Shop,
		"tk_status": number(strconv.Itoa(statusOf(l)), loose), "refund_tag": refundTag,
		"tk_create_time": clock(l.Created), "click_time": clock(l.Created), "modified_time": clock(l.Modified),
		"tb_paid_time": clock(l.PaidAt), "tk_paid_time": clock(l.PaidAt), "tk_earning_time": clock(l.SettledAt),
		"tb_deposit_time": "--", "tk_deposit_time": "--", "deposit_price": zero,
		"alipay_total_price": sum(base), "pay_price": paidPrice, "tb_gmv_total_price": sum(l.Price),
		"total_commission_rate": percent(l.Rate), "tk_total_rate": percent(l.Rate), "income_rate": percent(l.Rate), "pub_share_rate": "100.00",
		"total_commission_fee": sum(fee), "pub_share_pre_fee": sum(fee), "pub_share_fee": sum(settled),
		"pub_share_pre_fee_for_commission": sum(fee), "pub_share_fee_for_commission": sum(settled),
		"alimama_rate": percent(c.s.market.Fee()), "alimama_share_fee": sum(share),
		"alimm_share_info_dto": object{"alimm_tech_service_rate": percent(c.s.market.Fee()), "alimm_tech_service_pre_fee": sum(share)},
		"subsidy_rate":         "0", "subsidy_fee": zero, "subsidy_type": "--", "subsidy_info_dto_list": list{class: "subsidy_detail_d_t_o"},
		"pub_id": number(c.s.cfg.PubID, loose), "site_id": number(c.s.cfg.SiteID, loose), "site_name": "bot",
		"adzone_id": number(l.Click.Slot, loose), "adzone_name": "pool", "relation_id": relation(l), "special_id": c.s.special(l),
		"tk_order_role": 2, "flow_source": "--", "marketing_type": "--", "terminal_type": "无线",
	}
}
