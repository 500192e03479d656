package jd

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"fanli/core/money"
	"fanli/core/order"
)

// quantityMax limits what is believed of a quantity.
const quantityMax = 1_000_000

// row is a row of order.row.query, as far as we use it.
type row struct {
	ID           text `json:"id"`
	OrderID      text `json:"orderId"`
	ParentID     text `json:"parentId"`
	OrderTime    text `json:"orderTime"`
	PayTime      text `json:"orderPayTime"`
	FinishTime   text `json:"finishTime"`
	ModifyTime   text `json:"modifyTime"`
	SkuID        text `json:"skuId"`
	ItemID       text `json:"itemId"`
	SkuName      text `json:"skuName"`
	SkuNum       text `json:"skuNum"`
	SkuReturnNum text `json:"skuReturnNum"`
	SkuFrozenNum text `json:"skuFrozenNum"`
	Price        text `json:"price"` // of one piece, before any discount
	EstimateCos  text `json:"estimateCosPrice"`
	EstimateFee  text `json:"estimateFee"`
	ActualCos    text `json:"actualCosPrice"`
	ActualFee    text `json:"actualFee"`
	Protected    text `json:"proPriceAmount"` // given back for a price cut; the bases are net of it
	ValidCode    text `json:"validCode"`
	PayMonth     text `json:"payMonth"`
	PositionID   text `json:"positionId"`
	SubUnionID   text `json:"subUnionId"`

	Goods struct {
		Image text `json:"imageUrl"`
		Shop  text `json:"shopName"`
	} `json:"goodsInfo"`
	Category struct {
		Name text `json:"cid1Name"`
	} `json:"categoryInfo"`
}

var (
	rowIDForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	orderIDForm = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// A reader reads the parts of a row and remembers the first that it could not.
type reader struct{ err error }

func (r *reader) whole(name string, t text) int64 {
	n, err := t.whole()
	r.keep(name, err)
	return n
}

func (r *reader) count(name string, t text) int {
	n := r.whole(name, t)
	if n < 0 || n > quantityMax {
		r.keep(name, fmt.Errorf("%d pieces", n))
		return 0
	}
	return int(n)
}

func (r *reader) yuan(name string, t text) money.Fen {
	n, err := t.yuan()
	r.keep(name, err)
	if n < 0 {
		r.keep(name, fmt.Errorf("%s is below zero", n))
	}
	return n
}

// time reads a Beijing time; "" and "0" are none.
func (r *reader) time(name string, t text) time.Time {
	if t == "" || t == "0" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(timeLayout, string(t), beijing)
	if err != nil {
		r.keep(name, fmt.Errorf("not a time: %.40q", string(t)))
	}
	return at
}

// settles reads a payMonth: the day after it is the first on which the row counts
// as settled.
func (r *reader) settles(t text) time.Time {
	if t == "" || t == "0" {
		return time.Time{}
	}
	day, err := time.ParseInLocation("20060102", string(t), beijing)
	if err != nil {
		r.keep("payMonth", fmt.Errorf("not a day: %.40q", string(t)))
	}
	return day.AddDate(0, 0, 1)
}

func (r *reader) keep(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
}

// read makes a revision of a row. It is a pure function of the row, so the same
// row is the same revision whenever it is read.
func (c *Client) read(raw json.RawMessage) (order.Revision, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return order.Revision{}, errors.New("not an object")
	}
	var w row
	if err := errors.Join(sound(raw), json.Unmarshal(raw, &w)); err != nil {
		return order.Revision{}, err
	}
	if !rowIDForm.MatchString(string(w.ID)) || !orderIDForm.MatchString(string(w.OrderID)) {
		return order.Revision{}, fmt.Errorf("id %.40q, orderId %.40q: one of them is not an id", w.ID, w.OrderID)
	}
	var r reader
	rev := order.Revision{
		Key: c.key(string(w.ID)), Aspect: order.Whole,
		Order: string(w.OrderID), Parent: w.ParentID.id(),
		Title: string(w.SkuName), Shop: string(w.Goods.Shop), Image: image(string(w.Goods.Image)), Category: string(w.Category.Name),
		Quantity: r.count("skuNum", w.SkuNum),
		Disputed: r.count("skuFrozenNum", w.SkuFrozenNum) > 0,
		Tag:      string(w.SubUnionID), Slot: w.PositionID.id(),
		Created: r.time("orderTime", w.OrderTime), PaidAt: r.time("orderPayTime", w.PayTime),
		ReceivedAt: r.time("finishTime", w.FinishTime), Modified: r.time("modifyTime", w.ModifyTime),
		Raw: raw,
	}
	_, rev.Item = itemKeys(w.SkuID, w.ItemID)
	if rev.Modified.IsZero() || rev.Created.IsZero() {
		r.keep("modifyTime, orderTime", errors.New("one of them is missing"))
	}
	r.fill(&rev, w)
	return rev, r.err
}

// id is the text of an id, of which JD writes 0 for none.
func (t text) id() string {
	if t == "0" {
		return ""
	}
	return string(t)
}

// fill says how far the line has come and what it is worth.
func (r *reader) fill(rev *order.Revision, w row) {
	if w.ValidCode == "" {
		r.keep("validCode", errors.New("is missing"))
	}
	code := r.whole("validCode", w.ValidCode)
	rev.State, rev.Why = state(code)
	finished := code == finishedCode || code == settledCode
	returned := r.count("skuReturnNum", w.SkuReturnNum)
	rev.Price, rev.Refunded = paid(bill{
		pieces: rev.Quantity, returned: returned, finished: finished,
		list: r.yuan("price", w.Price), protected: r.yuan("proPriceAmount", w.Protected),
		before: r.yuan("estimateCosPrice", w.EstimateCos), after: r.yuan("actualCosPrice", w.ActualCos),
	})
	fee := r.yuan("estimateFee", w.EstimateFee)
	if finished {
		rev.SettlesOn = r.settles(w.PayMonth)
		if w.ActualFee != "" {
			rev.Actual, rev.ActualKnown = r.yuan("actualFee", w.ActualFee), true
			fee = min(fee, rev.Actual) // the row's estimate knows no refund after the receipt
		} else { // not said is not nothing: what was expected shrinks as the price does
			fee = r.shrunk(fee, w)
		}
	}
	rev.Estimated = fee
	if rev.State != order.Unpaid && rev.State != order.Invalid && returned > 0 && returned >= rev.Quantity && fee == 0 {
		rev.State, rev.Why = order.Invalid, whyRefunded
	}
	if rev.State == order.Invalid { // whatever the row says, nothing is owed
		rev.Estimated, rev.Actual, rev.ActualKnown, rev.SettlesOn = 0, 0, false, time.Time{}
	}
}

// shrunk is the part of an expected fee that belongs to what commission is still
// counted on after the buyer has received.
func (r *reader) shrunk(fee money.Fen, w row) money.Fen {
	before, after := r.yuan("estimateCosPrice", w.EstimateCos), r.yuan("actualCosPrice", w.ActualCos)
	if w.ActualCos == "" || after >= before {
		return fee
	}
	return fee.Mul(int64(after), int64(before))
}

// A bill is what a row says about the buyer's money.
type bill struct {
	pieces, returned int
	finished         bool
	list             money.Fen // of one piece, before any discount
	protected        money.Fen // given back for a price cut
	before, after    money.Fen // what commission is counted on, before and after the buyer has received
}

// paid works out what the buyer paid for the line and how much of it was given
// back. JD tells neither: it tells what is left to count commission on, how many
// pieces went back, and what was given back for a price cut. The pieces of a line
// cost the same.
func paid(b bill) (price, refunded money.Fen) {
	left := b.before
	if b.finished {
		left = b.after
	}
	if b.returned > 0 && b.returned >= b.pieces {
		if price = b.before; price == 0 {
			price = b.list.Mul(int64(b.pieces), 1)
		}
		return price, price
	}
	price = (left + b.protected).Mul(int64(b.pieces), int64(b.pieces-b.returned))
	if b.returned == 0 {
		price = left + b.protected
	}
	return price, price - left
}

// badID returns what can be had of the id of a row that cannot be read.
func badID(raw json.RawMessage) string {
	var w struct {
		ID text `json:"id"`
	}
	if err := json.Unmarshal(raw, &w); err != nil || !rowIDForm.MatchString(string(w.ID)) {
		return ""
	}
	return string(w.ID)
}
