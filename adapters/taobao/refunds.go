package taobao

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// methodRefunds tells of after-sale suits (维权).
const methodRefunds = "taobao.tbk.order.refund.get"

// The columns by which the refund method finds suits.
const (
	refundBySettlement = 2 // of the order
	refundByOrder      = 4 // creation of the order
	refundByChange     = 5
)

// refundPageSize is how many suits we ask for at once. Each costs one more call,
// for the other suits of its line.
const refundPageSize = 20

// refundAny asks for the suits of all parties to an order.
const refundAny = 4

// refundRow is one suit.
type refundRow struct {
	Suit       money.Number `json:"refund_suit_id"`
	Parent     money.Number `json:"tb_trade_parent_id"`
	Trade      money.Number `json:"tb_trade_id"`
	Created    money.Number `json:"tb_trade_create_time"`
	Modified   money.Number `json:"modified_time"`
	Title      money.Number `json:"item_title"`
	Status     money.Number `json:"refund_status"`
	Refund     money.Number `json:"refund_fee"`
	Commission money.Number `json:"tk_commission_fee_refund"`
	Subsidy    money.Number `json:"tk_subsidy_fee_refund"`
	Back       money.Number `json:"show_return_fee"` // with the platform's own share
	Platform   money.Number `json:"tk_commission_alimm_refund_fee"`
	PlatformS  money.Number `json:"tk_subsidy_alimm_refund_fee"`
	Agent      money.Number `json:"tk_commission_agent_refund_fee"`
	AgentS     money.Number `json:"tk_subsidy_agent_refund_fee"`
}

// What a suit's status means for us.
const (
	suitOpen   = "open"   // not decided, or decided and not yet done
	suitDone   = "done"   // the money went back
	suitFailed = "failed" // nothing happened
)

var suitStates = map[string]string{
	"4": suitOpen, "11": suitOpen, "12": suitOpen, "14": suitOpen,
	"2": suitDone, "13": suitDone, "15": suitDone,
	"3": suitFailed,
}

// A suit is one suit as we read it.
type suit struct {
	id, trade, order, title string
	created, modified       time.Time
	state                   string
	refunded, claimed       money.Fen
	unsaid                  bool // the row does not say what is taken back
	raw                     json.RawMessage
}

// refundPage asks for one page of suits by a column.
func (c *Client) refundPage(ctx context.Context, column int, p place) (answer, error) {
	option := map[string]any{
		"order_scene": 1, "query_type": column, "member_type": refundAny,
		"page_no": p.Page, "page_size": refundPageSize,
		"start_time": clock(p.from()), "end_time": clock(p.to()),
	}
	if p.Page > 1 {
		option["position_index"], option["jump_type"] = p.Index, 1
	}
	var a struct {
		Data *struct {
			Result list         `json:"result"`
			More   money.Number `json:"has_next"`
			Index  money.Number `json:"position_index"`
		} `json:"data"`
		ResultCode money.Number `json:"result_code"`
		Error      money.Number `json:"biz_error_code"`
		Desc       money.Number `json:"biz_error_desc"`
		Message    money.Number `json:"result_msg"`
	}
	params := map[string]string{"publisher_refund_order_query_option": jsonText(option)}
	if err := c.call(ctx, methodRefunds, params, &a); err != nil {
		return answer{}, err
	}
	if code := text(a.ResultCode); code != "" && code != "200" {
		r := refusal{Code: "15", SubCode: a.Error, SubMsg: string(a.Desc + " " + a.Message)}
		return answer{}, c.redacted(r.fault(methodRefunds))
	}
	if a.Data == nil {
		return answer{}, fault.Newf(fault.Unavailable, "", "%s: no data in the answer", methodRefunds)
	}
	return answer{a.Data.Result, a.Data.More == "true", string(a.Data.Index)}, nil
}

// returns reads a page of suits and makes of each line that they touch one
// revision: the sum of all its suits as they are now. A revision of a single
// suit would hide the others, so a line whose other suits cannot be asked for is
// bad rather than half told.
func (c *Client) returns(ctx context.Context, rows list, within func(time.Time) bool) (order.Page, error) {
	var page order.Page
	good, bad := c.suits(rows)
	page.Bad = bad
	good = slices.DeleteFunc(good, func(s suit) bool { return !within(s.modified) })
	asked := map[time.Time][]suit{}
	refused := map[time.Time]error{}
	for _, s := range good {
		if _, ok := asked[s.created]; ok {
			continue
		}
		all, err := c.suitsOf(ctx, s.created)
		if err != nil && !fault.Is(err, fault.Invalid) {
			return page, err
		}
		asked[s.created], refused[s.created] = all, err
	}
	done := map[string]bool{}
	for i, s := range good {
		if err := refused[s.created]; err != nil {
			page.Bad = append(page.Bad, order.Bad{Key: c.key(s.trade), Raw: s.raw, Err: err})
			continue
		}
		if !done[s.trade] {
			done[s.trade] = true
			page.Revisions = append(page.Revisions, c.sumOf(s.trade, good[i:], asked[s.created]))
		}
	}
	return page, nil
}

// suits reads rows; those that cannot be read are Bad.
func (c *Client) suits(rows list) (good []suit, bad []order.Bad) {
	for _, raw := range rows {
		s, err := readSuit(raw)
		if err != nil {
			bad = append(bad, order.Bad{Key: c.key(s.trade), Raw: raw, Err: err})
			continue
		}
		good = append(good, s)
	}
	return good, bad
}

// suitsOf returns all readable suits about orders created in one second; those
// that cannot be read are reported when their own window is. Rows are found by a
// time that never changes, so no page can shift.
func (c *Client) suitsOf(ctx context.Context, created time.Time) ([]suit, error) {
	p, err := startOf(order.Window{From: created, To: created.Add(edge)}, "", c.now())
	if err != nil {
		return nil, err
	}
	var all []suit
	for p.Page <= pagesMax {
		a, err := c.refundPage(ctx, refundByOrder, p)
		if err != nil {
			return nil, err
		}
		good, _ := c.suits(a.rows)
		all = append(all, good...)
		next, err := p.after(a, false, c.now())
		if err != nil || next == "" {
			return all, err
		}
		if p, err = startOf(order.Window{}, next, c.now()); err != nil {
			return nil, err
		}
	}
	return nil, fault.Newf(fault.Unavailable, "", "more than %d pages of suits in one second", pagesMax)
}

// sumOf is what all suits of one line say together. The same suit may be in the
// lists twice; its newest state counts.
func (c *Client) sumOf(trade string, lists ...[]suit) order.Revision {
	newest := map[string]suit{}
	for _, s := range slices.Concat(lists...) {
		if old, ok := newest[s.id]; s.trade == trade && (!ok || s.modified.After(old.modified)) {
			newest[s.id] = s
		}
	}
	r := order.Revision{Key: c.key(trade), Aspect: order.Return}
	var raws []json.RawMessage
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		s := newest[id]
		r.Order, r.Title, r.Created = s.order, s.title, s.created
		if s.modified.After(r.Modified) {
			r.Modified = s.modified
		}
		switch s.state {
		case suitOpen:
			r.Disputed = true
		case suitDone:
			r.Refunded += s.refunded
			r.Claimed += s.claimed
			r.Unsaid = r.Unsaid || s.unsaid
		}
		raws = append(raws, s.raw)
	}
	if r.Unsaid { // of one suit that does not say it the others' sum would be too little
		r.Claimed = 0
	}
	r.Raw = raws[0]
	if len(raws) > 1 {
		r.Raw = []byte(jsonText(raws))
	}
	return r
}

// readSuit reads a row. On failure the trade is filled in as far as it is known.
func readSuit(raw json.RawMessage) (suit, error) {
	var w refundRow
	if err := json.Unmarshal(raw, &w); err != nil {
		return suit{}, fault.Wrap(fault.Invalid, "taobao.readSuit", err)
	}
	s := suit{id: text(w.Suit), trade: text(w.Trade), order: text(w.Parent), title: text(w.Title), raw: raw}
	if !tradeID.MatchString(s.trade) {
		err := fault.Newf(fault.Invalid, "", "tb_trade_id %q", short(s.trade))
		s.trade = ""
		return s, err
	}
	if s.id == "" {
		return s, fault.Newf(fault.Invalid, "", "no refund_suit_id")
	}
	var ok bool
	if s.state, ok = suitStates[text(w.Status)]; !ok {
		return s, fault.Newf(fault.Invalid, "", "refund_status %q", short(string(w.Status)))
	}
	var err error
	if s.created, err = moment(w.Created); err != nil {
		return s, err
	}
	if s.modified, err = moment(w.Modified); err != nil {
		return s, err
	}
	if s.created.IsZero() || s.modified.IsZero() {
		return s, fault.Newf(fault.Invalid, "", "no time of the order, or of the change")
	}
	return s, w.amounts(&s)
}

// amounts reads what a suit gives back. Our part of the commission is told
// without the platform's share, which it returns itself; where only the sum is
// told the share is taken off. Where neither is told it is unsaid: the commission
// then shrinks as the price does.
func (w refundRow) amounts(s *suit) error {
	var fen [8]money.Fen
	for i, n := range []money.Number{w.Refund, w.Commission, w.Subsidy, w.Back, w.Platform, w.PlatformS, w.Agent, w.AgentS} {
		var err error
		if fen[i], err = yuan(n, money.HalfUp); err != nil {
			return err
		}
		if fen[i] < 0 {
			return fault.Newf(fault.Invalid, "", "a negative amount: %s", strconv.Quote(short(string(n))))
		}
	}
	s.refunded, s.claimed = fen[0], fen[1]+fen[2]
	if text(w.Commission) == "" && text(w.Subsidy) == "" {
		s.claimed = max(fen[3]-fen[4]-fen[5]-fen[6]-fen[7], 0)
		s.unsaid = text(w.Back) == ""
	}
	return nil
}
