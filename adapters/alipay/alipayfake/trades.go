package alipayfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The states of a trade. A charge whose code nobody has opened is no trade yet.
const (
	TradePaid   = "TRADE_SUCCESS"
	TradeClosed = "TRADE_CLOSED" // not paid in time, or given back in full

	unopened = ""
	waiting  = "WAIT_BUYER_PAY"
	paid     = TradePaid
	closed   = TradeClosed
)

// codes begins Alipay's own codes.
const codes = "https://qr.alipay.com/"

// A Trade is one charge in the book.
type Trade struct {
	Number  string               `json:"number"`
	Amount  money.Fen            `json:"amount"`
	Subject string               `json:"subject"`
	Expires time.Time            `json:"expires"`
	Notify  string               `json:"notify"`
	Trade   string               `json:"trade"` // Alipay's number
	State   string               `json:"state"`
	Refunds map[string]money.Fen `json:"refunds"`

	Came time.Time            `json:"came"` // when it was paid
	Went map[string]time.Time `json:"went"` // when a refund was made
}

// left is what was paid and not given back.
func (t *Trade) left() money.Fen {
	if t.State == unopened || t.State == waiting || t.State == closed {
		return 0
	}
	f := t.Amount
	for _, r := range t.Refunds {
		f -= r
	}
	return f
}

// late closes a trade that was not paid in time. The lock is held.
func (f *Fake) late(t *Trade) {
	if t.State == waiting && !f.cfg.Now().Before(t.Expires) {
		t.State = closed
	}
}

// Open makes somebody open a charge's code, without paying. It fails with
// fault.NotFound if there is none.
func (f *Fake) Open(number string) (err error) {
	f.change(func() {
		t := f.book.Trades[number]
		switch {
		case t == nil || t.State == unopened && !f.cfg.Now().Before(t.Expires):
			err = fault.Newf(fault.NotFound, "", "charge %q", number)
		case t.State == unopened:
			t.State = waiting
		}
	})
	return err
}

// Pay makes somebody pay a charge. It fails with fault.Conflict if that is not
// possible.
func (f *Fake) Pay(number string) error {
	if err := f.Open(number); err != nil {
		return err
	}
	var err error
	f.change(func() {
		t := f.book.Trades[number]
		if f.late(t); t.State != waiting {
			err = fault.Newf(fault.Conflict, "", "charge %q is %s", number, t.State)
			return
		}
		t.State, t.Came = paid, f.cfg.Now()
	})
	f.mu.Lock()
	hear := f.noticed
	f.mu.Unlock()
	if err == nil && hear != nil {
		hear(string(f.Notice(number).Body))
	}
	return err
}

// OnNotice makes g get the notices about charges that were paid, as Alipay posts
// them. It is called without a lock.
func (f *Fake) OnNotice(g func(form string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noticed = g
}

// Coded returns the charge that a code, without its beginning, asks for.
func (f *Fake) Coded(code string) (Trade, bool) {
	for _, t := range f.Trades() {
		if t.Trade == code {
			return t, true
		}
	}
	return Trade{}, false
}

// Trades returns the charges, by number.
func (f *Fake) Trades() []Trade {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Trade, 0, len(f.book.Trades))
	for _, n := range slices.Sorted(maps.Keys(f.book.Trades)) {
		t := *f.book.Trades[n]
		t.Refunds, t.Went = maps.Clone(t.Refunds), maps.Clone(t.Went)
		out = append(out, t)
	}
	return out
}

// Balance returns what was paid under a number and not given back.
func (f *Fake) Balance(number string) money.Fen {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.book.Trades[number]; t != nil {
		return t.left()
	}
	return 0
}

// Notice returns the notice about a charge, as Alipay posts it.
func (f *Fake) Notice(number string) withdraw.Callback {
	f.mu.Lock()
	t := f.book.Trades[number]
	if t == nil {
		f.mu.Unlock()
		return withdraw.Callback{}
	}
	form := url.Values{
		"notify_id": {"n" + number}, "notify_type": {"trade_status_sync"}, "notify_time": {f.cfg.Now().In(beijing).Format(timeForm)},
		"app_id": {f.cfg.App}, "charset": {"utf-8"}, "version": {"1.0"}, "out_trade_no": {number}, "trade_no": {t.Trade},
		"trade_status": {t.State}, "total_amount": {t.Amount.String()}, "subject": {t.Subject},
	}
	f.mu.Unlock()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	return withdraw.Callback{Header: header, Body: []byte(f.Sign(form).Encode())}
}

// tradeQuestion is the content of every trade method.
type tradeQuestion struct {
	Number  string `json:"out_trade_no"`
	Total   string `json:"total_amount"`
	Subject string `json:"subject"`
	Expire  string `json:"time_expire"`
	Refund  string `json:"refund_amount"`
	Request string `json:"out_request_no"`
}

// trade answers the trade methods; ok is false for any other.
func (f *Fake) trade(method, content, notify string) (a answer, ok bool) {
	var q tradeQuestion
	err := json.Unmarshal([]byte(content), &q)
	do := map[string]func(tradeQuestion, *Trade) answer{
		"alipay.trade.query": f.tradeQuery, "alipay.trade.close": f.tradeClose,
		"alipay.trade.refund": f.tradeRefund, "alipay.trade.fastpay.refund.query": refundQuery,
	}[method]
	if method == "alipay.trade.precreate" {
		do = func(q tradeQuestion, t *Trade) answer { return f.precreate(q, t, notify) }
	}
	if do == nil {
		return nil, false
	}
	f.change(func() {
		t := f.book.Trades[q.Number]
		if t != nil {
			f.late(t)
		}
		switch {
		case err != nil || q.Number == "":
			a = refused("40004", "ACQ.INVALID_PARAMETER")
		case method != "alipay.trade.precreate" && (t == nil || t.State == unopened):
			a = refused("40004", "ACQ.TRADE_NOT_EXIST")
		default:
			a = do(q, t)
		}
	})
	return a, true
}

func (f *Fake) precreate(q tradeQuestion, t *Trade, notify string) answer {
	amount, amountErr := money.ParseYuan(q.Total, money.Exact)
	expires, timeErr := time.ParseInLocation(timeForm, q.Expire, beijing)
	switch {
	case amountErr != nil || timeErr != nil || amount <= 0 || q.Subject == "":
		return refused("40004", "ACQ.INVALID_PARAMETER")
	case t == nil || t.State == unopened: // the newest request counts until somebody opens the code
		t = &Trade{
			Number: q.Number, Amount: amount, Subject: q.Subject, Expires: expires, Notify: notify, Refunds: map[string]money.Fen{},
			Trade: fmt.Sprintf("%s2200149%08d", f.cfg.Now().In(beijing).Format("20060102"), len(f.book.Trades)+1),
		}
		f.book.Trades[q.Number] = t
	case t.State == paid:
		return refused("40004", "ACQ.TRADE_HAS_SUCCESS")
	case t.State == closed:
		return refused("40004", "ACQ.TRADE_HAS_CLOSE")
	case t.Amount != amount || t.Subject != q.Subject:
		return refused("40004", "ACQ.CONTEXT_INCONSISTENT")
	}
	return succeeded(answer{"out_trade_no": t.Number, "qr_code": cmp.Or(f.cfg.Codes, codes) + t.Trade})
}

func (f *Fake) tradeQuery(_ tradeQuestion, t *Trade) answer {
	return succeeded(answer{"out_trade_no": t.Number, "trade_no": t.Trade, "trade_status": t.State, "total_amount": t.Amount.String()})
}

func (f *Fake) tradeClose(_ tradeQuestion, t *Trade) answer {
	if t.State != waiting {
		return refused("40004", "ACQ.TRADE_STATUS_ERROR")
	}
	t.State = closed
	return succeeded(answer{"out_trade_no": t.Number, "trade_no": t.Trade})
}

func (f *Fake) tradeRefund(q tradeQuestion, t *Trade) answer {
	amount, err := money.ParseYuan(q.Refund, money.Exact)
	before, again := t.Refunds[q.Request]
	said := answer{"out_trade_no": t.Number, "trade_no": t.Trade, "refund_fee": amount.String(), "fund_change": "Y"}
	switch {
	case err != nil || amount <= 0 || q.Request == "":
		return refused("40004", "ACQ.INVALID_PARAMETER")
	case again && before != amount:
		return refused("40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
	case again: // no money moves a second time
		said["fund_change"] = "N"
	case t.State != paid:
		return refused("40004", "ACQ.TRADE_STATUS_ERROR")
	case amount > t.left():
		return refused("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR")
	default:
		if t.Went == nil {
			t.Went = map[string]time.Time{}
		}
		t.Went[q.Request] = f.cfg.Now()
		if t.Refunds[q.Request] = amount; t.left() == 0 {
			t.State = closed
		}
	}
	return succeeded(said)
}

func refundQuery(q tradeQuestion, t *Trade) answer {
	a := answer{"out_trade_no": t.Number, "trade_no": t.Trade}
	if amount, ok := t.Refunds[q.Request]; ok {
		a["out_request_no"], a["refund_amount"], a["refund_status"] = q.Request, amount.String(), "REFUND_SUCCESS"
		a["total_amount"] = t.Amount.String()
	}
	return succeeded(a)
}
