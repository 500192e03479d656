package jd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"fanli/core/fault"
)

// bodyBytesMax limits how much of an answer is read. A full page of 200 rows,
// escaped twice, is below one mebibyte.
const bodyBytesMax = 8 << 20

// callTimeMax limits a call whose context has no deadline of its own, so that no
// caller waits for ever.
const callTimeMax = 30 * time.Second

// remoteTextMax limits how many runes of JD's own words stand in an error.
const remoteTextMax = 200

// timeLayout is how JD writes times in texts.
const timeLayout = "2006-01-02 15:04:05"

// call sends one request and returns the inner document of the answer. It is the
// only way in which this package talks to JD. It fails with a fault.Error whose
// code comes from the tables in codes.go; its text has no secrets.
func (c *Client) call(ctx context.Context, method string, params any) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeMax)
	defer cancel()
	op := "jd " + strings.TrimPrefix(method, "jd.union.open.")
	req, err := c.request(ctx, method, params)
	if err != nil {
		return answer{}, fault.Wrap(fault.Internal, op, err)
	}
	body, err := c.send(req)
	if err != nil {
		return answer{}, at(op, err)
	}
	a, err := unwrap(method, body)
	if err != nil {
		return answer{}, at(op, c.classify(err))
	}
	return a, nil
}

// at says in a new fault what was being done.
func at(op string, err error) error {
	var e *fault.Error
	if errors.As(err, &e) {
		e.Op = op
	}
	return err
}

// request signs the call. All parameters are in the body, so that no log of
// addresses along the way has them.
func (c *Client) request(ctx context.Context, method string, params any) (*http.Request, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a coupon's link is sent as it came
	if err := enc.Encode(params); err != nil {
		return nil, err
	}
	sent := map[string]string{
		"method":            method,
		"app_key":           c.cfg.AppKey,
		"timestamp":         c.now().In(beijing).Format(timeLayout),
		"format":            "json",
		"v":                 "1.0",
		"sign_method":       "md5",
		"360buy_param_json": strings.TrimSuffix(text.String(), "\n"),
	}
	if c.cfg.AccessToken != "" {
		sent["access_token"] = c.cfg.AccessToken
	}
	sent["sign"] = Sign(c.cfg.AppSecret, sent)
	form := url.Values{}
	for k, v := range sent {
		form.Set(k, v)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// send returns the body of an answer with status 200.
func (c *Client) send(req *http.Request) ([]byte, error) {
	resp, err := c.http.Do(req) //nolint:gosec // the address is the operator's, and Validate has judged it
	if err != nil {
		return nil, c.transport(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fault.Newf(statusCode(resp.StatusCode), "", "status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyBytesMax+1))
	if err != nil {
		return nil, c.transport(err)
	}
	if len(body) > bodyBytesMax {
		return nil, fault.Newf(fault.Unavailable, "", "the answer is longer than %d bytes", bodyBytesMax)
	}
	return body, nil
}

// transport translates an error of the HTTP client. A cancellation stays
// recognisable; of anything else only the text goes on, without our secrets and
// without the address.
func (c *Client) transport(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return fault.Wrap(fault.Unavailable, "", known)
		}
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fault.Newf(fault.Unavailable, "", "no answer: %s", c.clean(err.Error()))
}

// classify translates what unwrap found.
func (c *Client) classify(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return fault.Newf(fault.Unavailable, "", "unreadable answer: %s", c.clean(err.Error()))
	}
	r.message, r.request = c.clean(r.message), c.clean(r.request)
	v := r.verdict()
	return &fault.Error{Code: v.code, Reason: v.reason, Err: r}
}

// clean makes JD's words fit for a log: without our secrets, on one line, and not
// too long.
func (c *Client) clean(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, "[secret]")
	}
	n := 0
	return strings.Map(func(r rune) rune {
		n++
		switch {
		case n > remoteTextMax:
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
}

// A refusal is what JD said instead of doing what was asked.
type refusal struct {
	gateway bool   // refused before the method was reached
	code    string // as JD wrote it
	message string
	request string // JD's id of the call, for their support
}

// Error returns code and words of the refusal.
func (r *refusal) Error() string {
	who := "code"
	if r.gateway {
		who = "gateway code"
	}
	s := fmt.Sprintf("%s %s: %s", who, r.code, r.message)
	if r.request != "" {
		s += " (request " + r.request + ")"
	}
	return s
}

// refusedWith reports whether err is a refusal of a method with one of codes.
func refusedWith(err error, codes ...string) bool {
	var r *refusal
	if !errors.As(err, &r) || r.gateway {
		return false
	}
	for _, c := range codes {
		if r.code == c {
			return true
		}
	}
	return false
}
