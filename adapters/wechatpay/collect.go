package wechatpay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The paths of native payment (Native 下单), in which people scan a code, and of
// its refunds.
const (
	pathNative  = "/v3/pay/transactions/native"
	pathCharge  = "/v3/pay/transactions/out-trade-no/"
	pathRefunds = "/v3/refund/domestic/refunds"
)

// What WeChat calls back about charges.
const (
	eventPaid           = "TRANSACTION.SUCCESS"
	eventRefunded       = "REFUND.SUCCESS"
	eventRefundAbnormal = "REFUND.ABNORMAL"
	eventRefundClosed   = "REFUND.CLOSED"
)

const (
	currency       = "CNY"
	descriptionMax = 127 // of a charge, in bytes
)

// A Collector takes money by a code that people scan, with the merchant of a
// Client. WeChat knows a charge from its creation on. What WeChat says of one whose
// money was given back does not tell whether all of it was: such a charge stays
// paid.
//
// A refund can be in trouble (ABNORMAL) because the account it came from is gone.
// It is then Returning until somebody sends it elsewhere in the merchant console.
type Collector struct{ c *Client }

var (
	_ collect.Collector = Collector{}
	_ collect.Biller    = Collector{}
)

// Collector returns what takes money with the client's merchant.
func (c *Client) Collector() Collector { return Collector{c} }

// Name returns "wechatpay".
func (Collector) Name() string { return Name }

// chargeCodes say what refusals about charges and refunds mean; one that is not here
// says nothing. They are no more authenticated than those of bills.
var chargeCodes = map[string]fault.Code{
	"ORDER_NOT_EXIST":       fault.NotFound,
	"RESOURCE_NOT_EXISTS":   fault.NotFound,
	"NOT_FOUND":             fault.NotFound,
	"OUT_TRADE_NO_USED":     fault.Conflict,
	"ORDER_CLOSED":          fault.Conflict,
	"ORDERPAID":             fault.Conflict,
	"ORDER_PAID":            fault.Conflict,
	"INVALID_REQUEST":       fault.Invalid, // or a conflict: whoever gets it asks
	"NOT_ENOUGH":            fault.Insufficient,
	"NO_AUTH":               fault.Denied,
	"PARAM_ERROR":           fault.Denied,
	"SIGN_ERROR":            fault.Denied,
	"APPID_MCHID_NOT_MATCH": fault.Denied,
	"MCH_NOT_EXISTS":        fault.Denied,
	"FREQUENCY_LIMITED":     fault.Limited,
	"RATELIMIT_EXCEEDED":    fault.Limited,
}

// sum is an amount as requests have it.
type sum struct {
	Total    money.Fen `json:"total,omitempty"`
	Refund   money.Fen `json:"refund,omitempty"`
	Currency string    `json:"currency"`
}

// charging is the body of a request for a charge.
type charging struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	Expire      string `json:"time_expire"`
	NotifyURL   string `json:"notify_url"`
	Amount      sum    `json:"amount"`
}

// transaction is what the signed answers and callbacks say about a charge.
type transaction struct {
	MchID      string `json:"mchid"`
	OutTradeNo string `json:"out_trade_no"`
	ID         string `json:"transaction_id"`
	State      string `json:"trade_state"`
	Amount     sum    `json:"amount"`
}

// refunding is the body of a request for a refund.
type refunding struct {
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	Amount      sum    `json:"amount"`
}

// refund is what the signed answers say about a refund.
type refund struct {
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	Status      string `json:"status"`
	Amount      sum    `json:"amount"`
}

// ask sends a request about charges and reads its answer; into may be nil where an
// answer has no body.
func (k Collector) ask(ctx context.Context, method, path string, body, into any) error {
	q := request{method: method, path: path}
	if body != nil {
		var err error
		if q.body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	a, err := k.c.call(ctx, q)
	switch {
	case err != nil:
		return err
	case a.status/100 != 2:
		return chargeFault(a)
	case into == nil:
		return nil
	}
	if err := unmarshal(a.body, into); err != nil {
		return fault.Newf(fault.Unavailable, "payout.unclear", "status %d with an unreadable document: %w", a.status, err)
	}
	return nil
}

// chargeFault reads an answer whose status is not 2xx. Servers that are in trouble
// know nothing, whatever code they write.
func chargeFault(a reply) error {
	code, ok := chargeCodes[a.code()]
	if !ok || a.status >= http.StatusInternalServerError || a.status < http.StatusBadRequest {
		code = fault.Unavailable
	}
	return fault.Newf(code, "", "status %d and code %q", a.status, plain(a.code()))
}

// ours refuses numbers that would make another path.
func ours(numbers ...string) error {
	for _, n := range numbers {
		if !numberForm.MatchString(n) {
			return fault.Newf(fault.Denied, "", "a number that is not of our form")
		}
	}
	return nil
}

// Create asks for a charge.
func (k Collector) Create(ctx context.Context, c collect.Charge) (code string, err error) {
	const op = "wechatpay.CreateCharge"
	if err := ours(c.Number); err != nil {
		return "", fault.In(op, err)
	}
	if k.c.cfg.CollectNotifyURL == "" {
		return "", fault.Newf(fault.Denied, "", "%s: collect_notify_url is not configured, and WeChat demands one", op)
	}
	var out struct {
		Code string `json:"code_url"`
	}
	err = k.ask(ctx, http.MethodPost, pathNative, charging{
		AppID: k.c.cfg.AppID, MchID: k.c.cfg.MchID, Description: cutBytes(c.Subject, descriptionMax), OutTradeNo: c.Number,
		Expire: c.Expires.In(china).Format(time.RFC3339), NotifyURL: k.c.cfg.CollectNotifyURL, Amount: sum{Total: c.Amount, Currency: currency},
	}, &out)
	if fault.Is(err, fault.Invalid) { // the request, or the number: the charge itself says which
		switch o, qerr := k.Query(ctx, c.Number); {
		case qerr != nil:
			return "", fault.In(op, qerr)
		case o.State == collect.Absent:
			return "", fault.Newf(fault.Denied, "", "%s: %w", op, err)
		default:
			return "", fault.Newf(fault.Conflict, "", "%s: %w", op, err)
		}
	}
	if err == nil && out.Code == "" {
		err = fault.Newf(fault.Unavailable, "payout.unclear", "an answer without a code")
	}
	return out.Code, fault.In(op, err)
}

// Query asks what became of a charge.
func (k Collector) Query(ctx context.Context, number string) (collect.Collection, error) {
	t, err := k.query(ctx, number)
	switch {
	case fault.Is(err, fault.NotFound):
		return collect.Collection{State: collect.Absent}, nil
	case err != nil:
		return collect.Collection{}, fault.In("wechatpay.QueryCharge", err)
	}
	o, err := t.collection()
	return o, fault.In("wechatpay.QueryCharge", err)
}

// query reads what WeChat says about a number; an answer about something else is
// none.
func (k Collector) query(ctx context.Context, number string) (t transaction, err error) {
	if err := ours(number); err != nil {
		return t, err
	}
	path := pathCharge + url.PathEscape(number) + "?" + url.Values{"mchid": {k.c.cfg.MchID}}.Encode()
	err = k.ask(ctx, http.MethodGet, path, nil, &t)
	if err == nil && (t.OutTradeNo != number || t.MchID != k.c.cfg.MchID) {
		err = fault.Newf(fault.Unavailable, "payout.unclear", "an answer about another charge")
	}
	return t, err
}

// collection says what a charge's state means.
func (t transaction) collection() (o collect.Collection, err error) {
	o.Receipt = t.ID
	switch t.State {
	case "NOTPAY", "USERPAYING", "PAYERROR": // after an error it can be tried again
		o.State = collect.Open
	case "CLOSED", "REVOKED":
		o.State = collect.Closed
	case "SUCCESS", "REFUND": // some of it was given back, or all
		if o.State, o.Amount = collect.Paid, t.Amount.Total; o.Amount <= 0 || t.ID == "" || t.Amount.Currency != currency {
			return collect.Collection{}, fault.Newf(fault.Unavailable, "payout.unclear", "a payment without amount or number")
		}
	default:
		return collect.Collection{}, fault.Newf(fault.Unavailable, "payout.unclear", "a state that we do not know")
	}
	return o, nil
}

// Close ends a charge that nobody has paid. Whatever WeChat answers, the charge
// itself says what it has become.
func (k Collector) Close(ctx context.Context, number string) (collect.Collection, error) {
	const op = "wechatpay.CloseCharge"
	if err := ours(number); err != nil {
		return collect.Collection{}, fault.In(op, err)
	}
	err := k.ask(ctx, http.MethodPost, pathCharge+url.PathEscape(number)+"/close", map[string]string{"mchid": k.c.cfg.MchID}, nil)
	if err != nil && (fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Denied) || fault.Is(err, fault.Limited)) {
		return collect.Collection{}, fault.In(op, err)
	}
	return k.Query(ctx, number)
}

// Refund gives money of a paid charge back. WeChat wants to know the sum that was
// paid, so the charge is asked about first.
func (k Collector) Refund(ctx context.Context, r collect.Refund) (collect.RefundState, error) {
	const op = "wechatpay.Refund"
	if err := ours(r.Charge, r.Number); err != nil {
		return "", fault.In(op, err)
	}
	o, err := k.Query(ctx, r.Charge)
	switch {
	case err != nil:
		return "", fault.In(op, err)
	case o.State != collect.Paid || r.Amount <= 0 || r.Amount > o.Amount:
		return "", fault.Newf(fault.Invalid, "", "%s: so much is not there", op)
	}
	var got refund
	err = k.ask(ctx, http.MethodPost, pathRefunds, refunding{
		OutTradeNo: r.Charge, OutRefundNo: r.Number, Amount: sum{Total: o.Amount, Refund: r.Amount, Currency: currency},
	}, &got)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) { // too much, or the number is another refund's
		known, qerr := k.queryRefund(ctx, r.Charge, r.Number)
		switch {
		case qerr == nil && known.Amount.Refund != r.Amount:
			return "", fault.Newf(fault.Conflict, "", "%s: %w", op, err)
		case qerr != nil && !fault.Is(qerr, fault.NotFound):
			return "", fault.In(op, qerr)
		}
		return "", fault.Newf(fault.Invalid, "", "%s: %w", op, err)
	}
	if err == nil && (got.OutTradeNo != r.Charge || got.OutRefundNo != r.Number || got.Amount.Refund != r.Amount) {
		err = fault.Newf(fault.Unavailable, "payout.unclear", "an answer about another refund")
	}
	if err != nil {
		return "", fault.In(op, err)
	}
	st, err := got.state()
	return st, fault.In(op, err)
}

// QueryRefund asks what became of a refund.
func (k Collector) QueryRefund(ctx context.Context, charge, number string) (collect.RefundState, money.Fen, error) {
	const op = "wechatpay.QueryRefund"
	got, err := k.queryRefund(ctx, charge, number)
	switch {
	case fault.Is(err, fault.NotFound):
		return collect.Unreturned, 0, nil
	case err != nil:
		return "", 0, fault.In(op, err)
	}
	st, err := got.state()
	switch {
	case err != nil:
		return "", 0, fault.In(op, err)
	case st != collect.Returned:
		return st, 0, nil
	case got.Amount.Refund <= 0:
		return "", 0, fault.Newf(fault.Unavailable, "payout.unclear", "%s: a refund without an amount", op)
	}
	return st, got.Amount.Refund, nil
}

func (k Collector) queryRefund(ctx context.Context, charge, number string) (r refund, err error) {
	if err := ours(charge, number); err != nil {
		return r, err
	}
	err = k.ask(ctx, http.MethodGet, pathRefunds+"/"+url.PathEscape(number), nil, &r)
	if err == nil && (r.OutRefundNo != number || r.OutTradeNo != charge) {
		err = fault.Newf(fault.Unavailable, "payout.unclear", "an answer about another refund")
	}
	return r, err
}

// state says what a refund's status means.
func (r refund) state() (collect.RefundState, error) {
	switch r.Status {
	case "SUCCESS":
		return collect.Returned, nil
	case "PROCESSING", "ABNORMAL": // a person ends the latter, in the console
		return collect.Returning, nil
	case "CLOSED":
		return collect.Unreturned, nil
	default:
		return "", fault.Newf(fault.Unavailable, "payout.unclear", "a state that we do not know")
	}
}

// Hear returns the number of the charge that a callback is about: it was paid, or
// a refund of it has ended.
func (k Collector) Hear(ctx context.Context, cb withdraw.Callback) (string, error) {
	const op = "wechatpay.HearCharge"
	var t transaction
	if err := k.c.heard(ctx, cb, &t, eventPaid, eventRefunded, eventRefundAbnormal, eventRefundClosed); err != nil {
		return "", fault.In(op, err)
	}
	if t.MchID != k.c.cfg.MchID || !numberForm.MatchString(t.OutTradeNo) {
		return "", fault.Newf(fault.Denied, "", "%s: about a charge that is not ours", op)
	}
	return t.OutTradeNo, nil
}

// Answer is what WeChat understands.
func (k Collector) Answer(err error) (status int, contentType, body string) { return k.c.Answer(err) }

// cutBytes shortens s to n bytes, between two characters.
func cutBytes(s string, n int) string {
	end := 0
	for i, r := range s {
		if i+len(string(r)) > n {
			return s[:end]
		}
		end = i + len(string(r))
	}
	return s
}
