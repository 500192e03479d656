// Package fakepay pays through an invented provider, so that the sandbox and the
// tests exercise the whole road of a payout: an intent, a signed request over
// HTTP, an answer that may be lost, and a query. The provider itself is package
// fakepayfake. No real money can leave through it.
//
// # The protocol
//
// POST /v1/payments asks for a payment, GET /v1/payments/{number} asks what
// became of it. Bodies are JSON; amounts are whole fen. Every request carries the
// merchant, the time, a nonce, and an HMAC-SHA256 of all of them with method,
// path and body. Every answer carries an HMAC of the request's nonce, the status
// and the body, so that an answer cannot be moved to another question. See
// [Sign].
//
// # Guarantees
//
//   - Only a signed answer that states what became of the number is believed. A
//     lost, late, unsigned or odd one is Unclear, whatever its status.
//   - Errors name neither the secret nor the payee.
package fakepay

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// Name is the payer's name in withdrawals and in the ledger.
const Name = "fakepay"

// answerBytesMax limits what is read of an answer: a true one has some 200 bytes.
const answerBytesMax = 16 << 10

// Config is one merchant at the provider.
type Config struct {
	Endpoint string `yaml:"endpoint"` // base address, without /v1
	Merchant string `yaml:"merchant"`
	Secret   string `yaml:"secret"` // signs requests and answers
}

// Validate returns all mistakes at once, each with the name of its key.
func (c Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		errs = append(errs, errors.New("fakepay: endpoint: not an http address"))
	}
	if c.Merchant == "" {
		errs = append(errs, errors.New("fakepay: merchant: is missing"))
	}
	if c.Secret == "" {
		errs = append(errs, errors.New("fakepay: secret: is missing"))
	}
	return errors.Join(errs...)
}

// String leaves the secret out.
func (c Config) String() string { return fmt.Sprintf("fakepay merchant %q", c.Merchant) }

// GoString leaves the secret out.
func (c Config) GoString() string { return c.String() }

// A Client is one merchant at the provider. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
	now  func() time.Time
}

var _ withdraw.Payer = (*Client)(nil)

// New returns a client, or what Validate says about cfg. It does no I/O. A nil
// client means one without a timeout of its own.
func New(cfg Config, client *http.Client, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "fakepay.New", err)
	}
	own := http.Client{}
	if client != nil {
		own = *client
	}
	// A redirected request would leave the signed path.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: cfg, http: &own, now: now}, nil
}

// Name returns "fakepay".
func (c *Client) Name() string { return Name }

// request is the body of a payment.
type request struct {
	Number  string    `json:"number"`
	Amount  money.Fen `json:"amount"`
	Method  string    `json:"method"`
	Account string    `json:"account"`
	Payee   string    `json:"payee"`
	Note    string    `json:"note"`
}

// answer is the body of every answer.
type answer struct {
	Number string    `json:"number"`
	Amount money.Fen `json:"amount"`
	State  string    `json:"state"`  // "paid", "held", "failed"; "" in a refusal of the request
	Reason string    `json:"reason"` // of "failed"
	Code   string    `json:"code"`   // of a refusal of the request
}

// Send asks for a payment.
func (c *Client) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	const op = "fakepay.Send"
	body, err := json.Marshal(request{p.Number, p.Amount, p.Payee.Method, p.Payee.Account, p.Payee.Name, p.Note})
	if err != nil {
		return withdraw.Outcome{}, fault.Wrap(fault.Internal, op, err)
	}
	a, err := c.call(ctx, http.MethodPost, "/v1/payments", body)
	if err != nil {
		return withdraw.Outcome{}, fault.In(op, err)
	}
	if a.Number == p.Number && a.State != "" && a.Amount != p.Amount {
		return withdraw.Outcome{}, fault.Newf(fault.Conflict, "payout.number_reused", "%s: number %s is another payment", op, p.Number)
	}
	o, err := outcome(a, p.Number)
	return o, fault.In(op, err)
}

// Query asks what became of a number.
func (c *Client) Query(ctx context.Context, number string) (withdraw.Outcome, error) {
	const op = "fakepay.Query"
	a, err := c.call(ctx, http.MethodGet, "/v1/payments/"+url.PathEscape(number), nil)
	if err != nil {
		return withdraw.Outcome{}, fault.In(op, err)
	}
	if a.Code == "not_found" {
		return withdraw.Outcome{Verdict: withdraw.Absent}, nil
	}
	o, err := outcome(a, number)
	return o, fault.In(op, err)
}

// refusals are the answers to requests that the provider did not take.
var refusals = map[string]*fault.Error{
	"bad_signature": fault.New(fault.Denied, "payout.unclear"),
	"bad_merchant":  fault.New(fault.Denied, "payout.unclear"),
	"bad_time":      fault.New(fault.Denied, "payout.unclear"),
	"bad_request":   fault.New(fault.Invalid, "payout.unclear"),
	"number_reused": fault.New(fault.Conflict, "payout.number_reused"),
}

// reasons translate why a payment failed.
var reasons = map[string]string{
	"no_such_account": "payout.no_such_account",
	"name_mismatch":   "payout.name_mismatch",
	"over_limit":      "payout.over_limit",
}

// outcome reads what the provider says about number.
func outcome(a answer, number string) (withdraw.Outcome, error) {
	if e, ok := refusals[a.Code]; ok {
		return withdraw.Outcome{}, &fault.Error{Code: e.Code, Reason: e.Reason, Err: fmt.Errorf("the provider says %s", a.Code)}
	}
	if a.Number != number {
		return withdraw.Outcome{}, fault.Newf(fault.Unavailable, "payout.unclear", "the answer is about another number")
	}
	switch a.State {
	case "paid":
		return withdraw.Outcome{Verdict: withdraw.Done}, nil
	case "held":
		return withdraw.Outcome{Verdict: withdraw.Busy, Reason: "payout.held"}, nil
	case "failed":
		reason, ok := reasons[a.Reason]
		if !ok {
			reason = "payout.refused"
		}
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: reason}, nil
	default:
		return withdraw.Outcome{}, fault.Newf(fault.Unavailable, "payout.unclear", "a state that we do not know")
	}
}

// call sends a signed request and returns its answer if that is signed.
func (c *Client) call(ctx context.Context, method, path string, body []byte) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return a, fault.Newf(fault.Invalid, "", "the endpoint makes no request")
	}
	at, nonce := strconv.FormatInt(c.now().Unix(), 10), rand.Text()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderMerchant, c.cfg.Merchant)
	req.Header.Set(HeaderTime, at)
	req.Header.Set(HeaderNonce, nonce)
	req.Header.Set(HeaderSignature, Sign(c.cfg.Secret, method, path, c.cfg.Merchant, at, nonce, string(body)))
	res, err := c.http.Do(req)
	if err != nil {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "no answer: %w", bare(err))
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerBytesMax))
	if err != nil {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "half an answer: %w", bare(err))
	}
	want := Sign(c.cfg.Secret, "answer", nonce, strconv.Itoa(res.StatusCode), string(raw))
	if !Equal(want, res.Header.Get(HeaderSignature)) {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "status %d without a valid signature", res.StatusCode)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "status %d with an unreadable document", res.StatusCode)
	}
	return a, nil
}

// bare takes the address, which has the number of the withdrawal in it, off an
// error of the HTTP client.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
