package alipay

import (
	"context"
	"time"

	"github.com/smartwalle/alipay/v3"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The sub codes of the trade methods that mean something to us. What is not here
// is Unavailable.
var tradeCodes = map[string]fault.Code{
	"ACQ.TRADE_NOT_EXIST":             fault.NotFound,
	"ACQ.TRADE_HAS_SUCCESS":           fault.Conflict, // Create: paid already
	"ACQ.TRADE_HAS_CLOSE":             fault.Conflict, // Create: closed already
	"ACQ.CONTEXT_INCONSISTENT":        fault.Conflict, // Create: the number is another charge's
	"ACQ.DISCORDANT_REPEAT_REQUEST":   fault.Conflict, // Refund: the number is another refund's
	"ACQ.TRADE_STATUS_ERROR":          fault.Invalid,  // Close, Refund: paid, or not paid
	"ACQ.REASON_TRADE_REFUND_FEE_ERR": fault.Invalid,  // Refund: more than there is
	"ACQ.REFUND_AMT_NOT_EQUAL_TOTAL":  fault.Invalid,
	"ACQ.SELLER_BALANCE_NOT_ENOUGH":   fault.Insufficient,
	"ACQ.INVALID_PARAMETER":           fault.Denied,
	"ACQ.ACCESS_FORBIDDEN":            fault.Denied,
}

// A Collector takes money by a code that people scan (当面付), with the application
// of a Client. Alipay makes the trade when somebody opens the code: until then a
// charge is absent, nothing there can be closed, and only its expiry ends it.
type Collector struct{ c *Client }

var (
	_ collect.Collector = Collector{}
	_ collect.Biller    = Collector{}
)

// Collector returns what takes money with the client's application.
func (c *Client) Collector() Collector { return Collector{c} }

// Name returns "alipay".
func (Collector) Name() string { return Name }

// trade is what the gateway says of a charge, of each kind of question.
type trade struct {
	result
	Number string       `json:"out_trade_no"`
	Trade  string       `json:"trade_no"`
	Status string       `json:"trade_status"`
	Total  money.Number `json:"total_amount"`

	QR string `json:"qr_code"` // of a new one

	Change       string       `json:"fund_change"` // of a refund
	Request      string       `json:"out_request_no"`
	RefundStatus string       `json:"refund_status"`
	Refund       money.Number `json:"refund_amount"`
}

// ask calls a trade method about a number. An answer that is signed and about
// something else is none.
func (k Collector) ask(ctx context.Context, q *alipay.Payload, number string) (t trade, err error) {
	if !numberForm.MatchString(number) {
		return t, fault.Newf(fault.Denied, "", "a number that is not of our form")
	}
	if err := k.c.call(ctx, q.AddBizField("out_trade_no", number), &t); err != nil {
		return t, err
	}
	if t.Code != codeSuccess {
		return t, t.tradeFault()
	}
	if t.Number != number {
		return t, fault.Newf(fault.Unavailable, reasonUnclear, "an answer about another number")
	}
	return t, nil
}

// tradeFault is a signed answer other than success. A sub code decides only under
// the code of a refused business.
func (t trade) tradeFault() error {
	code, ok := tradeCodes[t.SubCode]
	switch {
	case t.Code == codeTooMany:
		code = fault.Limited
	case !ok || t.Code != codeRefused:
		return t.fault()
	}
	return fault.Newf(code, "", "the gateway says %s %s", word(t.Code), word(t.SubCode))
}

// Create asks for a charge.
func (k Collector) Create(ctx context.Context, c collect.Charge) (code string, err error) {
	const op = "alipay.Create"
	q := alipay.NewPayload("alipay.trade.precreate").
		AddBizField("total_amount", c.Amount.String()).
		AddBizField("subject", cut(c.Subject, titleMax)).
		AddBizField("time_expire", c.Expires.In(beijing).Format(timeForm))
	if k.c.cfg.NotifyURL != "" {
		q.AddParam("notify_url", k.c.cfg.NotifyURL)
	}
	t, err := k.ask(ctx, q, c.Number)
	if err == nil && t.QR == "" {
		err = fault.Newf(fault.Unavailable, reasonUnclear, "an answer without a code")
	}
	return t.QR, fault.In(op, err)
}

// Query asks what became of a charge.
func (k Collector) Query(ctx context.Context, number string) (collect.Collection, error) {
	const op = "alipay.Query"
	t, err := k.ask(ctx, alipay.NewPayload("alipay.trade.query"), number)
	if fault.Is(err, fault.NotFound) {
		return collect.Collection{State: collect.Absent}, nil
	}
	if err != nil {
		return collect.Collection{}, fault.In(op, err)
	}
	o := collect.Collection{Receipt: t.Trade}
	switch t.Status {
	case "WAIT_BUYER_PAY":
		o.State = collect.Open
	case "TRADE_CLOSED": // not paid in time, or given back in full
		o.State = collect.Closed
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		o.State = collect.Paid
		if o.Amount, err = t.Total.Yuan(money.Exact); err != nil || o.Amount <= 0 {
			return collect.Collection{}, fault.Newf(fault.Unavailable, reasonUnclear, "%s: a payment without an amount", op)
		}
	default:
		return collect.Collection{}, fault.Newf(fault.Unavailable, reasonUnclear, "%s: a state that we do not know", op)
	}
	return o, nil
}

// Close ends a charge that nobody has paid.
func (k Collector) Close(ctx context.Context, number string) (collect.Collection, error) {
	_, err := k.ask(ctx, alipay.NewPayload("alipay.trade.close"), number)
	switch {
	case fault.Is(err, fault.NotFound):
		return collect.Collection{State: collect.Absent}, nil
	case err != nil && !fault.Is(err, fault.Invalid):
		return collect.Collection{}, fault.In("alipay.Close", err)
	}
	return k.Query(ctx, number) // closed by us, or in a state in which it cannot be
}

// Refund gives money of a paid charge back. An answer that does not say that money
// has moved may mean that it had moved before.
func (k Collector) Refund(ctx context.Context, r collect.Refund) (collect.RefundState, error) {
	const op = "alipay.Refund"
	if !numberForm.MatchString(r.Number) {
		return "", fault.Newf(fault.Denied, "", "%s: a number that is not of our form", op)
	}
	q := alipay.NewPayload("alipay.trade.refund").
		AddBizField("refund_amount", r.Amount.String()).
		AddBizField("out_request_no", r.Number)
	t, err := k.ask(ctx, q, r.Charge)
	switch {
	case fault.Is(err, fault.NotFound): // nothing was paid that could be given back
		return "", fault.Newf(fault.Invalid, "", "%s: %w", op, err)
	case err != nil:
		return "", fault.In(op, err)
	case t.Change == "Y":
		return collect.Returned, nil
	default:
		return collect.Returning, nil
	}
}

// QueryRefund asks what became of a refund.
func (k Collector) QueryRefund(ctx context.Context, charge, number string) (collect.RefundState, money.Fen, error) {
	const op = "alipay.QueryRefund"
	t, err := k.ask(ctx, alipay.NewPayload("alipay.trade.fastpay.refund.query").AddBizField("out_request_no", number), charge)
	switch {
	case fault.Is(err, fault.NotFound):
		return collect.Unreturned, 0, nil
	case err != nil:
		return "", 0, fault.In(op, err)
	case t.Request == "" && t.RefundStatus == "": // the documentation: not received, or failed
		return collect.Unreturned, 0, nil
	case t.Request != number:
		return "", 0, fault.Newf(fault.Unavailable, reasonUnclear, "%s: an answer about another refund", op)
	case t.RefundStatus == "":
		return collect.Unreturned, 0, nil
	case t.RefundStatus != "REFUND_SUCCESS":
		return collect.Returning, 0, nil
	}
	amount, err := t.Refund.Yuan(money.Exact)
	if err != nil || amount <= 0 {
		return "", 0, fault.Newf(fault.Unavailable, reasonUnclear, "%s: a refund without an amount", op)
	}
	return collect.Returned, amount, nil
}

// Hear returns the number of the charge that a notice is about. It believes what
// Client.Hear does; what the notice says about the charge is not looked at.
func (k Collector) Hear(ctx context.Context, cb withdraw.Callback) (number string, err error) {
	const op = "alipay.HearCharge"
	form, err := k.c.heard(ctx, cb.Body)
	if err != nil {
		return "", fault.In(op, err)
	}
	at, err := time.ParseInLocation(timeForm, form.Get("notify_time"), beijing)
	if err != nil {
		return "", fault.Newf(fault.Denied, "", "%s: the callback has no time", op)
	}
	if err := k.c.near(at); err != nil {
		return "", fault.In(op, err)
	}
	number = form.Get("out_trade_no")
	if form.Get("notify_type") != "trade_status_sync" || !numberForm.MatchString(number) {
		return "", fault.Newf(fault.Invalid, "", "%s: a callback about no charge of ours", op)
	}
	return number, nil
}

// Answer is what Alipay understands.
func (k Collector) Answer(err error) (status int, contentType, body string) { return k.c.Answer(err) }
