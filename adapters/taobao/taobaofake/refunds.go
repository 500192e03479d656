package taobaofake

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fanli/core/market"
	"fanli/core/money"
)

// A suit is one after-sale case (维权) about a line.
type suit struct {
	id, line         string
	status           int
	amount           money.Fen
	opened, modified time.Time
	fee, share       money.Fen // income that goes back, and the platform's part of it
}

// The states of a suit that this gateway knows by itself.
const (
	suitOpen    = 4
	suitSuccess = 2
)

// Dispute opens a suit about a line and returns its number. It stays open until
// Resolve; what the buyer gets back is the market's to say.
func (s *Server) Dispute(line string, amount money.Fen) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	id := fmt.Sprintf("77%06d", len(s.suits)+1)
	s.suits = append(s.suits, suit{id: id, line: line, status: suitOpen, amount: amount, opened: now, modified: now})
	return id
}

// Resolve gives a suit that Dispute opened another refund_status: 3 failed, 12 to
// be deducted, or whatever the platform may say.
func (s *Server) Resolve(id string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.suits {
		if s.suits[i].id == id {
			s.suits[i].status, s.suits[i].modified = status, s.cfg.Now()
		}
	}
}

// disputed reports whether a suit was ever opened about the line.
func (s *Server) disputed(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.suits {
		if d.line == line {
			return true
		}
	}
	return false
}

// suitsOf returns all suits about a line: one for every return after settlement,
// and the scripted ones. Together the returns give back exactly what the market
// no longer owes.
func (s *Server) suitsOf(l market.Line) []suit {
	var out []suit
	left := beforeSettlement(l)
	for i, r := range l.Returns {
		fee, share := s.income(l, left)
		left -= r.Amount
		feeLeft, shareLeft := s.income(l, left)
		out = append(out, suit{
			id: fmt.Sprintf("%s%02d", l.ID[max(0, len(l.ID)-12):], i+1), line: l.ID, status: suitSuccess, amount: r.Amount,
			opened: r.At, modified: r.At, fee: fee - feeLeft, share: share - shareLeft,
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.suits {
		if d.line == l.ID {
			out = append(out, d)
		}
	}
	return out
}

// refunds answers order.refund.get, whose parameters are one JSON text.
func (c *call) refunds() (object, refusal) {
	const name = "publisher_refund_order_query_option"
	if c.form.Get(name) == "" {
		return nil, missing(name)
	}
	var fields map[string]any
	d := json.NewDecoder(strings.NewReader(c.form.Get(name)))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return nil, invalid(name)
	}
	get := func(k string) string {
		if v, ok := fields[k]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	for _, k := range []string{"order_scene", "query_type", "page_no", "page_size", "member_type"} {
		if get(k) == "" {
			return nil, missing(k)
		}
	}
	q, no := c.query(get)
	if no.code != 0 {
		return nil, no
	}
	column, ok := between(get("query_type"), 0, 1, 5)
	if !ok {
		return object{"result_code": 500, "biz_error_code": 101, "biz_error_desc": "查询类型错误"}, refusal{}
	}
	var all []entry
	for _, l := range c.s.market.Lines(nil) {
		for _, s := range c.s.suitsOf(l) {
			if !c.visible(s.modified) {
				continue
			}
			at := [...]time.Time{1: s.opened, 2: l.SettledAt, 3: s.modified, 4: l.Created, 5: s.modified}[column]
			all = append(all, entry{s.id, at.Truncate(time.Second), func(loose bool) object { return refundRow(l, s, loose) }})
		}
	}
	q.broken = object{"refund_suit_id": "0", "tb_trade_id": "4.0123E+18", "refund_status": "?"}
	page, no := c.cut(all, q)
	if no.code != 0 {
		return nil, no
	}
	c.s.turn()
	return object{
		"data": object{
			"result": list{"publisher_refund_order_d_t_o", page.rows}, "has_pre": q.page > 1, "has_next": page.more,
			"pre_page": q.page - 1, "next_page": q.page + 1, "page_no": q.page, "page_size": q.size, "position_index": page.index,
		},
		"result_code": 200,
	}, refusal{}
}

// refundRow writes a suit as order.refund.get does.
func refundRow(l market.Line, s suit, loose bool) object {
	sum := func(f money.Fen) any { return amount(f, loose) }
	finished := any(nil)
	if s.status != suitOpen {
		finished = clock(s.modified)
	}
	return object{
		"refund_suit_id": s.id, "tb_trade_parent_id": number(l.Order, !loose), "tb_trade_id": number(l.ID, !loose),
		"tb_trade_create_time": clock(l.Created), "earning_time": clock(l.SettledAt), "modified_time": clock(s.modified),
		"tk_refund_time": clock(s.opened), "tk_refund_suit_time": finished, "item_title": l.Goods.Title, "tk_order_role": "二方",
		"refund_status": s.status, "tb_trade_finish_price": sum(beforeSettlement(l)), "refund_fee": sum(s.amount),
		"tk_commission_fee_refund": sum(s.fee - s.share), "tk_subsidy_fee_refund": sum(0),
		"tk_commission_alimm_refund_fee": sum(s.share), "tk_subsidy_alimm_refund_fee": sum(0),
		"tk_commission_agent_refund_fee": sum(0), "tk_subsidy_agent_refund_fee": sum(0),
		"show_return_fee": sum(s.fee), "relation_id": relation(l),
	}
}
