// Package alipay pays through Alipay's transfers to accounts (单笔转账到支付宝账户),
// in certificate mode, which transfers demand.
//
// It is written from https://opendocs.alipay.com/open/309/ (read 2026-11) and
// stands on github.com/smartwalle/alipay/v3, of which it uses what signs, sends
// and verifies. What it knows about the gateway:
//
//   - A number (out_biz_no) names one transfer for ever. The same request again
//     gets the first one's result, another one PAYMENT_INFO_INCONSISTENCY.
//   - Where a query finds nothing, the identical request is to be repeated. A
//     request that was refused leaves nothing behind that a query would find.
//   - Times are Beijing time without a zone; amounts are yuan as text.
//   - A signature covers the raw bytes of the answer's node. It does not cover the
//     question, so an answer is believed only over TLS and about our number.
//
// What it works around in the library:
//
//   - An answer without a signature comes back as an error that looks like
//     Alipay's own. Every error is Unclear here, whatever it says. As anybody may
//     have written it, no more of it is repeated than a code that says what is
//     wrong with our requests.
//   - In production mode a certificate with an unknown serial number would be
//     downloaded and trusted. The library is kept in its other mode, with our
//     gateway, where it refuses; callbacks are checked against the one we know
//     before it sees them.
//   - It has no timeout, reads answers without an end, and takes the time from
//     the machine and its zone: client, reader and clock are ours.
//
// # Guarantees
//
//   - Only a signed answer decides. Everything else is Unclear.
//   - Dead is said of a refusal that names the payee, once a query finds nothing
//     under the number, and of a transfer that Alipay itself calls failed; see the
//     table in verdicts.go.
//   - Errors name neither keys nor payees.
//
// # Not certain
//
// It has met the real gateway's documents, not the gateway: which rows of the
// account's log are transfers (bill_types) and which are charges and their refunds
// (collect_bill_types), and whether a charge takes time_expire,
// are to be seen there. Sub codes that are not in the table stay Unclear until a
// person decides.
package alipay

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/smartwalle/alipay/v3"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// Name is the payer's name in withdrawals and in the ledger.
const Name = "alipay"

// What every transfer says of itself.
const (
	productCode = "TRANS_ACCOUNT_NO_PWD"
	bizScene    = "DIRECT_TRANSFER"
)

// amountMin is the least that Alipay transfers.
const amountMin money.Fen = 10

// numberForm is what we use of the 64 characters that Alipay takes.
var numberForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// A Client is one merchant's application at Alipay. It is safe for concurrent
// use.
type Client struct {
	cfg  Config
	keys keys
	sdk  *alipay.Client
	http *http.Client
	now  func() time.Time
}

var (
	_ withdraw.Payer  = (*Client)(nil)
	_ withdraw.Hearer = (*Client)(nil)
	_ withdraw.Biller = (*Client)(nil)
)

// New returns a client, or what Validate says about cfg; it also refuses
// certificates that have expired. It does no I/O. A nil client means a new one;
// redirects are not followed in any case.
func New(cfg Config, client *http.Client, now func() time.Time) (*Client, error) {
	const op = "alipay.New"
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, op, err)
	}
	cfg = cfg.withDefaults()
	keys, err := cfg.keys()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, op, err)
	}
	if err := keys.validAt(now()); err != nil {
		return nil, fault.Wrap(fault.Invalid, op, err)
	}
	c := &Client{cfg: cfg, keys: keys, http: bounded(client, cfg.Timeout), now: now}
	if c.sdk, err = c.library(); err != nil {
		return nil, fault.Wrap(fault.Invalid, op, err)
	}
	return c, nil
}

// Name returns "alipay".
func (c *Client) Name() string { return Name }

// transferred is what the gateway says of a transfer, of each kind of question.
type transferred struct {
	result
	Number    string       `json:"out_biz_no"`
	Order     string       `json:"order_id"`
	Status    string       `json:"status"`
	Amount    money.Number `json:"trans_amount"` // of a query
	ErrorCode string       `json:"error_code"`   // of status FAIL
}

// Send asks for a transfer.
func (c *Client) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	const op = "alipay.Send"
	switch {
	case !numberForm.MatchString(p.Number) || p.Payee.Method != Name: // not sent, and not the payee's fault
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: reasonBarred}, nil
	case p.Amount < amountMin: // not sent, and never will be
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: reasonTooLittle}, nil
	}
	q, err := c.transfer(p)
	if err != nil {
		return withdraw.Outcome{}, fault.Wrap(fault.Internal, op, err)
	}
	var t transferred
	if err := c.call(ctx, q, &t); err != nil {
		return withdraw.Outcome{}, fault.In(op, err)
	}
	if t.Code == codeSuccess {
		return t.outcome(p.Number), nil
	}
	o := refusal(t.result)
	if o.Verdict != withdraw.Dead {
		return o, nil
	}
	return c.confirm(ctx, p.Number, o)
}

// confirm asks about a number whose transfer was refused for good. The request may
// have been a repetition of one whose answer was lost, and nobody says that the
// gateway looks for that one before it looks at the payee.
func (c *Client) confirm(ctx context.Context, number string, refused withdraw.Outcome) (withdraw.Outcome, error) {
	o, err := c.Query(ctx, number)
	if err == nil && o.Verdict == withdraw.Absent {
		return refused, nil
	}
	return o, err
}

// transfer is the request for a payment. Nothing in it depends on the time, so
// that it is the identical request each time.
func (c *Client) transfer(p withdraw.Payment) (*alipay.Payload, error) {
	remark := c.cfg.Remark
	if remark == "" {
		remark = p.Note
	}
	q := alipay.NewPayload("alipay.fund.trans.uni.transfer").
		AddBizField("out_biz_no", p.Number).
		AddBizField("trans_amount", p.Amount.String()).
		AddBizField("product_code", productCode).
		AddBizField("biz_scene", bizScene).
		AddBizField("order_title", c.cfg.Title).
		AddBizField("payee_info", map[string]string{
			"identity": p.Payee.Account, "identity_type": c.cfg.IdentityType, "name": p.Payee.Name,
		})
	if remark != "" {
		q.AddBizField("remark", cut(remark, remarkMax))
	}
	if c.cfg.ShowAlias {
		params, err := json.Marshal(map[string]string{"payer_show_name_use_alias": "true"})
		if err != nil {
			return nil, err
		}
		q.AddBizField("business_params", string(params))
	}
	if c.cfg.SceneName != "" {
		infos := make([]map[string]string, 0, len(c.cfg.SceneReport))
		for _, i := range c.cfg.SceneReport {
			infos = append(infos, map[string]string{"info_type": i.Type, "info_content": i.Content})
		}
		q.AddBizField("transfer_scene_name", c.cfg.SceneName).AddBizField("transfer_scene_report_infos", infos)
	}
	return q, nil
}

// Query asks what became of a number.
func (c *Client) Query(ctx context.Context, number string) (withdraw.Outcome, error) {
	q := alipay.NewPayload("alipay.fund.trans.common.query").
		AddBizField("product_code", productCode).
		AddBizField("biz_scene", bizScene).
		AddBizField("out_biz_no", number)
	var t transferred
	if err := c.call(ctx, q, &t); err != nil {
		return withdraw.Outcome{}, fault.In("alipay.Query", err)
	}
	if t.Code != codeSuccess {
		return unanswered(t.result), nil
	}
	return t.outcome(number), nil
}

// Balance returns what the merchant has at Alipay, for an operator's alarm. It
// fails with fault.Invalid where user_id is not configured.
func (c *Client) Balance(ctx context.Context) (money.Fen, error) {
	const op = "alipay.Balance"
	if c.cfg.UserID == "" {
		return 0, fault.Newf(fault.Invalid, "", "%s: user_id is not configured", op)
	}
	q := alipay.NewPayload("alipay.fund.account.query").
		AddBizField("alipay_user_id", c.cfg.UserID).
		AddBizField("account_type", "ACCTRANS_ACCOUNT")
	var a struct {
		result
		Available money.Number `json:"available_amount"`
	}
	if err := c.call(ctx, q, &a); err != nil {
		return 0, fault.In(op, err)
	}
	if a.Code != codeSuccess {
		return 0, fault.In(op, a.fault())
	}
	if a.Available == "" {
		return 0, fault.Newf(fault.Unavailable, "", "%s: the answer has no amount", op)
	}
	f, err := a.Available.Yuan(money.Exact)
	return f, fault.In(op, err)
}

// cut returns at most n characters of s.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
