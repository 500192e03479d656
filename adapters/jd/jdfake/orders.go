package jdfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/market"
	"fanli/core/money"
)

// The platform's limits on orders.
const (
	windowMax = time.Hour
	keeps     = 90 * 24 * time.Hour
)

// The kinds of time by which rows are asked for.
const (
	byOrdered  = 1
	byFinished = 2
	byUpdated  = 3
)

// orderParams are the parameters of order.row.query.
type orderParams struct {
	Req struct {
		PageIndex    int    `json:"pageIndex"`
		PageSize     int    `json:"pageSize"`
		Type         int    `json:"type"`
		StartTime    string `json:"startTime"`
		EndTime      string `json:"endTime"`
		ChildUnionID int64  `json:"childUnionId"`
		Key          string `json:"key"`
		Fields       string `json:"fields"`
		OrderID      int64  `json:"orderId"`
	} `json:"orderReq"`
}

func (s *Server) orderRows(raw json.RawMessage) (reply, *refusal) {
	var p orderParams
	if err := json.Unmarshal(raw, &p); err != nil {
		return reply{}, &refusal{2002400, "参数错误"}
	}
	q := p.Req
	start, errStart := time.ParseInLocation(timeLayout, q.StartTime, beijing)
	end, errEnd := time.ParseInLocation(timeLayout, q.EndTime, beijing)
	switch {
	case q.ChildUnionID != 0 && q.Key != "":
		return reply{}, &refusal{2002400, "childUnionId和key不能同时传入"}
	case q.OrderID != 0:
		q.PageIndex, q.PageSize, q.Type = 1, s.cfg.PageMax, byOrdered
	case errStart != nil || errEnd != nil || end.Before(start):
		return reply{}, &refusal{2002400, "时间参数错误"}
	case end.Sub(start) > windowMax:
		return reply{}, &refusal{2002453, "查询时间范围超过1小时"}
	case q.PageIndex < 1 || q.PageSize < 1 || q.PageSize > s.cfg.PageMax:
		return reply{}, &refusal{2002400, "分页参数错误"}
	case q.Type < byOrdered || q.Type > byUpdated:
		return reply{}, &refusal{2002400, "type参数错误"}
	}
	now := s.cfg.Now()
	lines := s.market.Lines(func(l market.Line) bool {
		at := when(l, q.Type)
		if at.IsZero() || l.Modified.After(now.Add(-s.cfg.Delay)) || at.Before(now.Add(-keeps)) {
			return false
		}
		if q.OrderID != 0 {
			return l.Order == fmt.Sprint(q.OrderID)
		}
		return !at.Before(start) && at.Before(end)
	})
	if len(lines) > s.cfg.RowsMax {
		return reply{}, &refusal{2002452, "数据量超过限制，请缩小时间范围"}
	}
	inOrder(lines, q.Type)
	from := min((q.PageIndex-1)*q.PageSize, len(lines))
	to := min(from+q.PageSize, len(lines))
	rep := reply{data: s.page(lines[from:to], q.Fields), paged: true, more: to < len(lines)}
	s.mu.Lock()
	between := s.between
	s.mu.Unlock()
	if between != nil {
		between()
	}
	return rep, nil
}

// when is the time of a line by which it is found, in whole seconds.
func when(l market.Line, kind int) time.Time {
	at := l.Modified
	switch kind {
	case byOrdered:
		at = l.Created
	case byFinished:
		at = l.ReceivedAt
	}
	return at.Truncate(time.Second)
}

// inOrder sorts lines as they are paged. Lines come sorted by their last change.
func inOrder(lines []market.Line, kind int) {
	if kind == byUpdated {
		return
	}
	slices.SortFunc(lines, func(a, b market.Line) int {
		return cmp.Or(when(a, kind).Compare(when(b, kind)), cmp.Compare(a.ID, b.ID))
	})
}

// page renders lines, with a broken row among them if that was asked for.
func (s *Server) page(lines []market.Line, fields string) rows {
	out := rows{wrapper: "orderRowResp"}
	for _, l := range lines {
		out.items = append(out.items, s.row(l, fields))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken && len(lines) > 0 {
		s.broken = false
		row := map[string]any{"id": "jdfake-broken", "orderId": map[string]any{"is": "not a number"}, "estimateFee": "1.2.3", "validCode": 16}
		out.items = slices.Insert(out.items, len(out.items)/2, any(row))
	}
	return out
}

// row renders one line.
func (s *Server) row(l market.Line, fields string) map[string]any {
	left := l.Price - l.Refunded
	pieces, protected := returns(l)
	row := map[string]any{
		"id": l.ID, "orderId": number(l.Order), "parentId": number(l.Parent),
		"orderTime": stamp(l.Created), "orderPayTime": stamp(l.PaidAt), "finishTime": stamp(l.ReceivedAt), "modifyTime": stamp(l.Modified),
		"orderEmt": 2, "plus": 0, "unionId": 1000618618, "skuId": s.sku(l.Goods.ID), "itemId": s.itemID(l.Goods.ID),
		"skuName": l.Goods.Title, "skuNum": l.Quantity, "skuReturnNum": pieces, "skuFrozenNum": 0,
		"price": yuan(l.Goods.Price), "commissionRate": percent(l.Rate),
		"subSideRate": percent(s.cfg.FinalRate), "subsidyRate": percent(0), "finalRate": percent(s.cfg.FinalRate),
		"estimateCosPrice": yuan(left), "estimateFee": yuan(s.fee(l)), "actualCosPrice": yuan(0), "actualFee": yuan(0),
		"validCode": validCode(l), "traceType": 2, "positionId": number(l.Click.Slot), "siteId": 0, "unionAlias": "", "pid": "",
		"cid1": 1620, "cid2": 11158, "cid3": 11969, "subUnionId": l.Click.Tag, "unionTag": strings.Repeat("0", 32), "popId": 709982,
		"ext1": "", "payMonth": 0, "cpActId": 0, "unionRole": 1, "giftCouponOcsAmount": 0, "giftCouponKey": "", "balanceExt": "",
		"proPriceAmount": yuan(protected), "rid": 0, "expressStatus": 10, "channelId": 0,
	}
	if s.cfg.NoTags {
		row["subUnionId"] = ""
	}
	if !l.ReceivedAt.IsZero() {
		row["actualCosPrice"], row["actualFee"], row["expressStatus"] = yuan(left), yuan(s.fee(l)), 20
		day := settleDay(l)
		row["payMonth"], row["balanceExt"] = number(day.Format("20060102")), s.balance(l, day)
		if l.RefundedAt.After(l.ReceivedAt) { // the estimate stays what it was
			row["estimateCosPrice"], row["estimateFee"] = yuan(l.Price), yuan(s.share(l, l.Price))
		}
	}
	if strings.Contains(fields, "goodsInfo") {
		row["goodsInfo"] = map[string]any{
			"imageUrl": l.Goods.Image, "owner": "p", "mainSkuId": s.sku(l.Goods.ID), "productId": s.sku(l.Goods.ID), "shopName": l.Goods.Shop, "shopId": 709982,
		}
	}
	if strings.Contains(fields, "categoryInfo") {
		row["categoryInfo"] = map[string]any{"cid1": 1620, "cid1Name": l.Goods.Category, "cid2": 11158, "cid2Name": l.Goods.Category}
	}
	return row
}

// fee is what a row says that is earned. Rows in violation keep the number they
// had; it counts for nothing.
func (s *Server) fee(l market.Line) money.Fen {
	if l.State == market.Invalid && l.Why == "violation" {
		return s.share(l, l.Price-l.Refunded)
	}
	return l.Commission
}

func (s *Server) share(l market.Line, of money.Fen) money.Fen {
	return of.Mul(int64(l.Rate)*int64(s.cfg.FinalRate), int64(money.Whole)*int64(money.Whole)) // as the market rounds
}

// returns tells the refunds of a line as the platform does: so many pieces, and
// what was given back for a price cut.
func returns(l market.Line) (pieces int, protected money.Fen) {
	n := money.Fen(l.Quantity)
	switch {
	case l.Refunded == 0:
		return 0, 0
	case l.Refunded == l.Price:
		return l.Quantity, 0
	case l.Price%n != 0:
		return 0, l.Refunded
	}
	unit := l.Price / n
	return int(l.Refunded / unit), l.Refunded % unit
}

// validCode is the code of a line's state.
func validCode(l market.Line) int {
	switch l.State {
	case market.Created:
		return 15
	case market.Paid:
		return 16
	case market.Received, market.Settled:
		return 17
	case market.Replaced:
		return 2
	case market.Invalid:
		if l.Why == "violation" {
			return 27
		}
		if l.Why == "refunded" && !l.ReceivedAt.IsZero() {
			return 17 // the row stays finished and is worth nothing
		}
	}
	return 3
}

// settleDay is the payMonth: the 20th of the month after the receipt. Where the
// book has settled earlier, it is the day before that.
func settleDay(l market.Line) time.Time {
	y, m, _ := l.ReceivedAt.In(beijing).Date()
	day := time.Date(y, m+1, 20, 0, 0, 0, 0, beijing)
	if l.SettledAt.IsZero() {
		return day
	}
	y, m, d := l.SettledAt.In(beijing).Date()
	if settled := time.Date(y, m, d-1, 0, 0, 0, 0, beijing); day.After(settled) {
		return settled
	}
	return day
}

// balance says what is paid in which cycle. Its keys are not quoted.
func (s *Server) balance(l market.Line, day time.Time) string {
	first, back := l.Price, money.Fen(0)
	for _, r := range l.Returns { // refunds after the settlement
		back += r.Amount
	}
	first -= l.Refunded - back
	parts := []string{day.Format("20060102") + ":" + s.share(l, first).String()}
	if back > 0 {
		parts = append(parts, day.AddDate(0, 1, 0).Format("20060102")+":"+(-s.share(l, back)).String())
	}
	return "{" + strings.Join(parts, ",") + "}"
}
