// Package wechatpay pays through WeChat Pay's transfer bills (商家转账), the
// product of 2025 in which the payee presses "收款" in WeChat before money moves.
//
// It is written from https://pay.weixin.qq.com/doc/v3/merchant/4012716434 and the
// pages around it, as they were in 2026-11. What one has to know:
//
//   - A bill is named by our number for ever. After a refusal, an unknown code or
//     no answer at all the number is asked about, or sent again; it is never
//     changed, and nothing but a signed answer of status 2xx ends a payment.
//   - The text of an answer of another status is not signed by anybody we know, so
//     it may at most say that a payment is absent, that we are short, or that a
//     person has to look. If it carries a signature all the same, that must be right.
//   - What the payee's WeChat needs to show the page of confirmation, package_info,
//     is in the answer to the creation only. Where it got lost, Query posts the
//     identical request again, made from the signed query answer; that creates
//     nothing, because the number is known.
//   - A bill that nobody confirms is closed by WeChat after a day, sometimes later,
//     and its money comes back.
//   - A merchant without money keeps bills in PROCESSING.
//
// # The SDK
//
// Of the official SDK only signing, verifying and the RSA and AES helpers are used.
// Its client reads the wall clock, reads error bodies of any size, returns them
// before a signature is looked at and puts all of it into the error's text; its
// handler of notifications panics on a nonce of the wrong length and on a missing
// resource. None of them is called.
//
// # Uncertain
//
// How transfer bills look in the fund flow bill is not documented. [Client.Bill]
// finds its columns by their names, takes the rows whose voucher number has our
// form and whose business names a transfer (转账), and reads money that comes in
// under such a number as money that came back. The account whose flow is asked for
// is a matter of configuration. Limits differ by merchant and scene, so they are
// configuration, too.
package wechatpay

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/signers"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// Name is the payer's name in withdrawals and in the ledger.
const Name = "wechatpay"

// Method is the payees' method that this payer can pay to.
const Method = "wechat"

// The paths of the product.
const (
	pathBills = "/v3/fund-app/mch-transfer/transfer-bills"
	pathByNo  = pathBills + "/out-bill-no/"
)

// remarkMax is the length of a remark in characters.
const remarkMax = 32

// packagesMax bounds how many packages of bills that wait are remembered. What is
// forgotten is fetched again.
const packagesMax = 4096

// numberForm is what WeChat takes for a number of ours.
var numberForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// A Client is one merchant. It is safe for concurrent use.
type Client struct {
	cfg    Config
	limits limits
	http   *http.Client
	now    func() time.Time
	key    *rsa.PrivateKey
	signer *signers.SHA256WithRSASigner
	keys   keyring

	mu       sync.Mutex
	packages map[string]string // package_info of bills that wait, by number
}

var (
	_ withdraw.Payer     = (*Client)(nil)
	_ withdraw.Canceller = (*Client)(nil)
	_ withdraw.Hearer    = (*Client)(nil)
	_ withdraw.Biller    = (*Client)(nil)
)

// New returns a client, or what Validate says about cfg. It does no I/O; platform
// certificates are fetched with the first call.
func New(cfg Config, client *http.Client, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "wechatpay.New", err)
	}
	cfg = cfg.withDefaults()
	own := http.Client{}
	if client != nil {
		own = *client
	}
	// A redirected request would leave the signed path.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	key, err := utils.LoadPrivateKey(cfg.Key)
	if err != nil {
		return nil, fault.New(fault.Invalid, "") // Validate has read it
	}
	c := &Client{
		cfg: cfg, limits: cfg.limits(), http: &own, now: now, key: key, packages: map[string]string{},
		signer: &signers.SHA256WithRSASigner{MchID: cfg.MchID, PrivateKey: key, CertificateSerialNo: cfg.Serial},
	}
	c.keys.open(cfg)
	return c, nil
}

// Name returns "wechatpay".
func (c *Client) Name() string { return Name }

// creation is the body of a request for a bill.
type creation struct {
	AppID      string    `json:"appid"`
	OutBillNo  string    `json:"out_bill_no"`
	Scene      string    `json:"transfer_scene_id"`
	OpenID     string    `json:"openid"`
	UserName   string    `json:"user_name,omitempty"`
	Amount     money.Fen `json:"transfer_amount"`
	Remark     string    `json:"transfer_remark"`
	NotifyURL  string    `json:"notify_url,omitempty"`
	Perception string    `json:"user_recv_perception,omitempty"`
	Reports    []Report  `json:"transfer_scene_report_infos"`
}

// bill is what the signed answers say about a bill.
type bill struct {
	MchID      string    `json:"mch_id"`
	OutBillNo  string    `json:"out_bill_no"`
	BillNo     string    `json:"transfer_bill_no"`
	OpenID     string    `json:"openid"`
	UserName   string    `json:"user_name"` // encrypted with our key
	Amount     money.Fen `json:"transfer_amount"`
	Remark     string    `json:"transfer_remark"`
	State      string    `json:"state"`
	FailReason string    `json:"fail_reason"`
	Package    string    `json:"package_info"`
}

// Send creates a bill, or finds the one that has the number.
func (c *Client) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	const op = "wechatpay.Send"
	if o, refused := c.refuse(p); refused {
		return o, nil
	}
	o, err := c.create(ctx, creation{OutBillNo: p.Number, OpenID: p.Payee.Account, Amount: p.Amount, Remark: cut(p.Note, remarkMax)}, p.Payee.Name)
	return o, fault.In(op, err)
}

// refuse answers what WeChat would refuse for certain. Only a payee of another
// kind is dead at once: that was so whenever the payment was sent before. Limits
// may have been others then.
func (c *Client) refuse(p withdraw.Payment) (o withdraw.Outcome, refused bool) {
	switch {
	case p.Payee.Method != Method:
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: "payout.wechat_method"}, true
	case !numberForm.MatchString(p.Number):
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: "payout.wechat_barred"}, true
	case p.Amount < c.limits.minimum || p.Amount > c.limits.maximum:
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: "payout.wechat_amount"}, true
	default:
		return o, false
	}
}

// create posts a bill with what the configuration adds to it, and the payee's
// name where the amount demands it.
func (c *Client) create(ctx context.Context, r creation, name string) (withdraw.Outcome, error) {
	r.AppID, r.Scene, r.NotifyURL, r.Perception, r.Reports = c.cfg.AppID, c.cfg.Scene, c.cfg.NotifyURL, c.cfg.Perception, c.cfg.Reports
	serial := ""
	if r.Amount >= c.limits.nameFrom {
		var err error
		if r.UserName, serial, err = c.seal(ctx, name); err != nil {
			return withdraw.Outcome{}, err
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return withdraw.Outcome{}, err
	}
	a, err := c.call(ctx, request{method: http.MethodPost, path: pathBills, body: body, serial: serial})
	if err != nil {
		return withdraw.Outcome{}, err
	}
	if a.status/100 != 2 {
		return refusal(sendCodes, a), nil
	}
	b, err := a.bill(r.OutBillNo, c.cfg.MchID)
	if err != nil {
		return withdraw.Outcome{}, err
	}
	return c.conclude(b)
}

// Query asks what became of a number.
func (c *Client) Query(ctx context.Context, number string) (withdraw.Outcome, error) {
	const op = "wechatpay.Query"
	if !numberForm.MatchString(number) { // it was never sent, and would make another path
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: "payout.wechat_barred"}, nil
	}
	a, err := c.call(ctx, request{method: http.MethodGet, path: pathByNo + url.PathEscape(number)})
	if err != nil {
		return withdraw.Outcome{}, fault.In(op, err)
	}
	if a.status/100 != 2 {
		return refusal(queryCodes, a), nil
	}
	b, err := a.bill(number, c.cfg.MchID)
	if err != nil {
		return withdraw.Outcome{}, fault.In(op, err)
	}
	if b.State == stateWait && b.Package == "" {
		if b.Package = c.remembered(number); b.Package == "" {
			o, err := c.again(ctx, b)
			return o, fault.In(op, err)
		}
	}
	o, err := c.conclude(b)
	return o, fault.In(op, err)
}

// again posts the request that made a bill once more, to get its package.
func (c *Client) again(ctx context.Context, b bill) (withdraw.Outcome, error) {
	name := ""
	if b.UserName != "" {
		var err error
		if name, err = utils.DecryptOAEP(b.UserName, c.key); err != nil {
			return withdraw.Outcome{}, fault.Newf(fault.Unavailable, "payout.unclear", "the payee's name cannot be decrypted")
		}
	}
	o, err := c.create(ctx, creation{OutBillNo: b.OutBillNo, OpenID: b.OpenID, Amount: b.Amount, Remark: b.Remark}, name)
	if err == nil && (o.Verdict == withdraw.Barred || o.Verdict == withdraw.Short) { // the bill waits, whatever is refused now
		return withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.unclear", Receipt: b.BillNo}, nil
	}
	o.Amount = b.Amount
	return o, err
}

// Cancel calls a bill back that its payee has not confirmed.
func (c *Client) Cancel(ctx context.Context, number string) (withdraw.Outcome, error) {
	const op = "wechatpay.Cancel"
	if !numberForm.MatchString(number) {
		return withdraw.Outcome{Verdict: withdraw.Barred, Reason: "payout.wechat_barred"}, nil
	}
	a, err := c.call(ctx, request{method: http.MethodPost, path: pathByNo + url.PathEscape(number) + "/cancel"})
	switch {
	case err != nil:
		return withdraw.Outcome{}, fault.In(op, err)
	case a.status/100 == 2:
		b, err := a.bill(number, c.cfg.MchID)
		if err != nil {
			return withdraw.Outcome{}, fault.In(op, err)
		}
		o, err := c.conclude(b)
		return o, fault.In(op, err)
	case a.status < http.StatusInternalServerError: // too late, or there is nothing: the bill itself says which
		return c.Query(ctx, number)
	default:
		return withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.unclear"}, nil
	}
}

// conclude reads what a signed answer says, and remembers the package.
func (c *Client) conclude(b bill) (withdraw.Outcome, error) {
	o, err := verdict(b)
	if err != nil {
		return withdraw.Outcome{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.Verdict != withdraw.Waiting {
		delete(c.packages, b.OutBillNo)
		return o, nil
	}
	if len(c.packages) >= packagesMax {
		clear(c.packages)
	}
	c.packages[b.OutBillNo] = o.Confirm
	return o, nil
}

func (c *Client) remembered(number string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packages[number]
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
