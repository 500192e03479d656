package wechatpayfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The paths of native payment and of its refunds.
const (
	pathNative  = "/v3/pay/transactions/native"
	pathCharge  = "/v3/pay/transactions/out-trade-no/"
	pathRefunds = "/v3/refund/domestic/refunds"
)

// The states of a trade.
const (
	notPaid  = "NOTPAY"
	paid     = "SUCCESS"
	refunded = "REFUND" // some of it was given back, or all
	closed   = "CLOSED"
)

// A Trade is one charge in the book.
type Trade struct {
	Number      string
	ID          string // WeChat's number
	Amount      money.Fen
	Description string
	NotifyURL   string
	Expires     time.Time
	State       string
	Came        time.Time // when it was paid
	Refunds     []Refund
}

// A Refund is money of a trade that was given back.
type Refund struct {
	Number string
	Amount money.Fen
	Status string // PROCESSING is taken and has not arrived
	At     time.Time
}

// left is what was paid and not given back.
func (t *Trade) left() money.Fen {
	if t.State != paid && t.State != refunded {
		return 0
	}
	f := t.Amount
	for _, r := range t.Refunds {
		f -= r.Amount
	}
	return f
}

// trade finds a trade, closed if nobody paid it in time. The lock is held.
func (f *Fake) trade(number string) *Trade {
	t := f.trades[number]
	if t != nil && t.State == notPaid && !f.cfg.Now().Before(t.Expires) {
		t.State = closed
	}
	return t
}

// Open makes somebody open a charge's code, without paying.
func (f *Fake) Open(number string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.trade(number); t == nil || t.State != notPaid {
		return fault.Newf(fault.NotFound, "", "no open charge %q", number)
	}
	return nil
}

// Pay makes somebody pay a charge, and calls that back. It fails with fault.Conflict
// if that is not possible.
func (f *Fake) Pay(number string) error {
	f.mu.Lock()
	t := f.trade(number)
	if t == nil || t.State != notPaid {
		f.mu.Unlock()
		return fault.Newf(fault.Conflict, "", "charge %q cannot be paid", number)
	}
	t.State, t.Came = paid, f.cfg.Now()
	to := t.NotifyURL
	f.mu.Unlock()
	if f.cfg.CallBack != nil {
		f.cfg.CallBack(to, f.Notice(number))
	}
	return nil
}

// Balance returns what was paid under a number and not given back.
func (f *Fake) Balance(number string) money.Fen {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.trade(number); t != nil {
		return t.left()
	}
	return 0
}

// Arrive ends a refund that was taken: with SUCCESS, or with CLOSED or ABNORMAL.
func (f *Fake) Arrive(charge, number, status string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.trade(charge); t != nil {
		for i := range t.Refunds {
			if t.Refunds[i].Number == number {
				t.Refunds[i].Status = status
				return nil
			}
		}
	}
	return fault.Newf(fault.NotFound, "", "no refund %q", number)
}

// Notice returns the callback about a charge: that it was paid, or that its newest
// refund has ended.
func (f *Fake) Notice(number string) withdraw.Callback {
	f.mu.Lock()
	t := f.trade(number)
	if t == nil {
		f.mu.Unlock()
		return withdraw.Callback{}
	}
	event, kind := "TRANSACTION.SUCCESS", "transaction"
	inner := map[string]any{
		"mchid": f.cfg.MchID, "appid": f.cfg.AppID, "out_trade_no": t.Number, "transaction_id": t.ID, "trade_state": t.State,
		"amount": map[string]any{"total": t.Amount, "payer_total": t.Amount, "currency": "CNY"},
	}
	if n := len(t.Refunds); n > 0 {
		r := t.Refunds[n-1]
		event, kind = "REFUND."+r.Status, "refund"
		inner = map[string]any{
			"mchid": f.cfg.MchID, "out_trade_no": t.Number, "transaction_id": t.ID, "out_refund_no": r.Number, "refund_status": r.Status,
			"amount": map[string]any{"total": t.Amount, "refund": r.Amount},
		}
	}
	f.mu.Unlock()
	resource := f.seal(mustJSON(inner), kind, newNonce()[:nonceLen])
	resource.Original = kind
	c := withdraw.Callback{Header: http.Header{}, Body: mustJSON(map[string]any{
		"id": "EV-" + newNonce(), "create_time": stamp(f.cfg.Now()), "event_type": event,
		"resource_type": "encrypt-resource", "summary": "支付通知", "resource": resource,
	})}
	f.sign(c.Header, f.cfg.Platform, c.Body)
	return c
}

// serveTrades answers the calls about charges; ok is false for any other.
func (f *Fake) serveTrades(r *http.Request, body []byte) (status int, a any, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	number, charge := strings.CutPrefix(r.URL.Path, pathCharge)
	number, ending := strings.CutSuffix(number, "/close")
	of, refund := strings.CutPrefix(r.URL.Path, pathRefunds+"/")
	post := r.Method == http.MethodPost
	switch {
	case post && r.URL.Path == pathNative:
		status, a = f.native(body)
	case post && charge && ending:
		status, a = f.closeTrade(number)
	case !post && charge && r.URL.Query().Get("mchid") == f.cfg.MchID:
		status, a = f.tradeOf(number)
	case post && r.URL.Path == pathRefunds:
		status, a = f.refund(body)
	case !post && refund:
		status, a = f.refundOf(of)
	default:
		return 0, nil, false
	}
	return status, a, true
}

// amounts is how documents write amounts.
type amounts struct {
	Total    money.Fen `json:"total,omitempty"`
	Refund   money.Fen `json:"refund,omitempty"`
	Currency string    `json:"currency"`
}

// native creates a trade, or finds the one that the same request made.
func (f *Fake) native(body []byte) (int, any) {
	var q struct {
		AppID       string  `json:"appid"`
		MchID       string  `json:"mchid"`
		Description string  `json:"description"`
		OutTradeNo  string  `json:"out_trade_no"`
		Expire      string  `json:"time_expire"`
		NotifyURL   string  `json:"notify_url"`
		Amount      amounts `json:"amount"`
	}
	err := json.Unmarshal(body, &q)
	expires, timeErr := time.Parse(time.RFC3339, q.Expire)
	if err != nil || timeErr != nil || q.AppID != f.cfg.AppID || q.MchID != f.cfg.MchID || q.Description == "" || len(q.Description) > 127 ||
		!numberForm.MatchString(q.OutTradeNo) || !strings.HasPrefix(q.NotifyURL, "https://") || q.Amount.Total <= 0 || q.Amount.Currency != "CNY" {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	t := f.trade(q.OutTradeNo)
	switch {
	case t == nil:
		t = &Trade{
			Number: q.OutTradeNo, ID: fmt.Sprintf("4200001234%s%010d", f.cfg.Now().Format("20060102"), len(f.trades)+1), Amount: q.Amount.Total,
			Description: q.Description, NotifyURL: q.NotifyURL, Expires: expires, State: notPaid,
		}
		f.trades[q.OutTradeNo] = t
	case t.State == paid || t.State == refunded:
		return http.StatusBadRequest, refusal{"ORDERPAID", "该订单已支付"}
	case t.State == closed:
		return http.StatusBadRequest, refusal{"ORDER_CLOSED", "该订单已关闭"}
	case t.Amount != q.Amount.Total || t.Description != q.Description:
		return http.StatusBadRequest, refusal{"INVALID_REQUEST", "请求重入时，参数与首次请求时不一致"}
	}
	return http.StatusOK, map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + t.ID}
}

func (f *Fake) tradeOf(number string) (int, any) {
	t := f.trade(number)
	if t == nil {
		return http.StatusNotFound, refusal{"ORDER_NOT_EXIST", "订单不存在"}
	}
	a := map[string]any{
		"appid": f.cfg.AppID, "mchid": f.cfg.MchID, "out_trade_no": t.Number, "trade_state": t.State, "trade_state_desc": "",
		"amount": amounts{Total: t.Amount, Currency: "CNY"},
	}
	if t.State == paid || t.State == refunded {
		a["transaction_id"] = t.ID
	}
	return http.StatusOK, a
}

func (f *Fake) closeTrade(number string) (int, any) {
	t := f.trade(number)
	switch {
	case t == nil:
		return http.StatusNotFound, refusal{"ORDER_NOT_EXIST", "订单不存在"}
	case t.State == paid || t.State == refunded:
		return http.StatusBadRequest, refusal{"ORDERPAID", "该订单已支付"}
	}
	t.State = closed
	return http.StatusNoContent, nil
}

// refund gives money back; a number names one refund.
func (f *Fake) refund(body []byte) (int, any) {
	var q struct {
		OutTradeNo  string  `json:"out_trade_no"`
		OutRefundNo string  `json:"out_refund_no"`
		Amount      amounts `json:"amount"`
	}
	if json.Unmarshal(body, &q) != nil || !numberForm.MatchString(q.OutRefundNo) || q.Amount.Refund <= 0 || q.Amount.Currency != "CNY" {
		return http.StatusBadRequest, refusal{"PARAM_ERROR", "参数错误"}
	}
	if t, r := f.findRefund(q.OutRefundNo); r != nil {
		if t.Number != q.OutTradeNo || r.Amount != q.Amount.Refund || t.Amount != q.Amount.Total {
			return http.StatusBadRequest, refusal{"INVALID_REQUEST", "订单金额或退款金额与之前请求不一致"}
		}
		return http.StatusOK, f.refundAnswer(t, r)
	}
	t := f.trade(q.OutTradeNo)
	switch {
	case t == nil || t.State != paid && t.State != refunded:
		return http.StatusNotFound, refusal{"RESOURCE_NOT_EXISTS", "订单号不存在"}
	case t.Amount != q.Amount.Total || q.Amount.Refund > t.left():
		return http.StatusBadRequest, refusal{"INVALID_REQUEST", "申请退款金额超过订单可退金额"}
	case f.way == Short:
		return http.StatusForbidden, refusal{"NOT_ENOUGH", "基本账户余额不足"}
	}
	r := Refund{q.OutRefundNo, q.Amount.Refund, "SUCCESS", f.cfg.Now()}
	if f.mode == Holds {
		r.Status = "PROCESSING"
	}
	t.State, t.Refunds = refunded, append(t.Refunds, r)
	return http.StatusOK, f.refundAnswer(t, &r)
}

// findRefund finds a refund by its number. The lock is held.
func (f *Fake) findRefund(number string) (*Trade, *Refund) {
	for _, t := range f.trades {
		for i := range t.Refunds {
			if t.Refunds[i].Number == number {
				return t, &t.Refunds[i]
			}
		}
	}
	return nil, nil
}

func (f *Fake) refundOf(number string) (int, any) {
	t, r := f.findRefund(number)
	if r == nil {
		return http.StatusNotFound, refusal{"RESOURCE_NOT_EXISTS", "退款单不存在"}
	}
	return http.StatusOK, f.refundAnswer(t, r)
}

func (f *Fake) refundAnswer(t *Trade, r *Refund) any {
	return map[string]any{
		"refund_id": "5030000" + r.Number, "out_refund_no": r.Number, "transaction_id": t.ID, "out_trade_no": t.Number, "status": r.Status,
		"amount": amounts{Total: t.Amount, Refund: r.Amount, Currency: "CNY"},
	}
}
