package pdd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanli/core/fault"
	"fanli/core/money"
)

// bodyBytesMax limits how much of an answer is read: a page of 100 orders is
// below 1 MiB.
const bodyBytesMax = 8 << 20

// foreignTextMax limits how much of the platform's own words goes into an error.
const foreignTextMax = 200

// notAuthorised is the sub_code of a call whose pid lacks 备案.
const notAuthorised = "60001"

// codes says what a caller can do about an error_code. One that is not here is
// Internal: a person should look at it and add a line.
var codes = map[string]fault.Code{
	"10000": fault.Invalid, // business parameter wrong
	"10001": fault.Denied,  // public parameter wrong: our clock or our client_id
	"10016": fault.Denied,  // client_id wrong
	"10018": fault.Denied,  // target client_id wrong
	"10019": fault.Denied,  // access_token expired
	"20004": fault.Denied,  // signature mismatch
	"20005": fault.Denied,  // our address is not on the white list
	"20031": fault.Denied,  // no right for this method
	"20032": fault.Denied,  // token of another client
	"21001": fault.Invalid,
	"21002": fault.Invalid,
	"30000": fault.Denied,
	"30001": fault.Denied,
	"50000": fault.Unavailable, // system error
	"52001": fault.Unavailable,
	"52002": fault.Unavailable,
	"52004": fault.Unavailable,
	"52101": fault.Limited,
	"52102": fault.Limited, // degraded
	"52103": fault.Limited, // limited for a time
	"70031": fault.Limited, // too frequent
	"70032": fault.Denied,
	"70033": fault.Unavailable, // maintenance
	"70034": fault.Denied,      // risk control
	"70035": fault.Denied,
	"70036": fault.Limited, // quota of an application in test state is used up
}

// business are the codes with which goods methods answer that they do not have
// what was asked for.
var business = map[string]bool{"50001": true, "50002": true}

// failure is the error document. sub_code may be a string, a number or null.
type failure struct {
	Code    money.Number `json:"error_code"`
	Message string       `json:"error_msg"`
	Sub     money.Number `json:"sub_code"`
	SubText string       `json:"sub_msg"`
	Request money.Number `json:"request_id"`
}

// call runs one method and decodes what stands under root into out. params are
// the method's own; call adds the public ones and the signature.
func (c *Client) call(ctx context.Context, method string, params map[string]string, root string, out any) error {
	all := map[string]string{
		"type":      method,
		"client_id": c.cfg.ClientID,
		"timestamp": strconv.FormatInt(c.now().Unix(), 10),
		"data_type": "JSON",
	}
	maps.Copy(all, params)
	all["sign"] = Sign(c.cfg.ClientSecret, all)
	body, err := c.post(ctx, all)
	if err == nil {
		err = c.decode(body, root, out)
	}
	var e *fault.Error
	if errors.As(err, &e) {
		e.Op = method
	}
	return err
}

// post sends params as a form and returns the body of the answer.
func (c *Client) post(ctx context.Context, params map[string]string) ([]byte, error) {
	form := url.Values{}
	for k, v := range params {
		form.Set(k, v)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.Newf(fault.Internal, "", "making the request: %s", c.clean(err.Error()))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fault.Newf(statusCode(resp.StatusCode), "", "status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyBytesMax+1))
	if err != nil {
		return nil, c.broken(err)
	}
	if len(body) > bodyBytesMax {
		return nil, fault.Newf(fault.Unavailable, "", "the answer is longer than %d bytes", bodyBytesMax)
	}
	return body, nil
}

// broken is the error of a connection that failed. It keeps a cancellation
// recognisable and loses everything that may hold a parameter.
func (c *Client) broken(err error) error {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return &fault.Error{Code: fault.Unavailable, Err: cause}
		}
	}
	return fault.Newf(fault.Unavailable, "", "%s", c.clean(err.Error()))
}

// statusCode classifies what stands between us and the platform: the platform
// itself answers 200.
func statusCode(status int) fault.Code {
	switch status {
	case http.StatusTooManyRequests:
		return fault.Limited
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Denied
	default:
		return fault.Unavailable
	}
}

// decode reads the document: the error, or what stands under root.
func (c *Client) decode(body []byte, root string, out any) error {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(body, &doc); err != nil {
		return fault.Newf(fault.Unavailable, "", "%d bytes that are not a document", len(body))
	}
	if raw, ok := doc["error_response"]; ok {
		var f failure
		if err := json.Unmarshal(raw, &f); err != nil {
			return fault.Newf(fault.Internal, "", "unreadable error_response: %s", c.clean(err.Error()))
		}
		return c.classify(f)
	}
	raw, ok := doc[root]
	if !ok {
		return fault.Newf(fault.Unavailable, "", "a document of %d bytes without %s", len(body), root)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fault.Newf(fault.Unavailable, "", "%s is odd: %s", root, c.clean(err.Error()))
	}
	return nil
}

// businessError is an answer of a method that has its own meaning there.
type businessError struct{ text string }

func (e *businessError) Error() string { return e.text }

func (c *Client) classify(f failure) error {
	text := fmt.Sprintf("error %s/%s: %s %s (request %s)", f.Code, f.Sub, f.Message, f.SubText, f.Request)
	text = c.clean(text)
	if f.Sub == notAuthorised {
		return fault.Newf(fault.Denied, "", "the pid is not authorised (备案): %s", text)
	}
	if business[string(f.Code)] {
		return &fault.Error{Code: fault.Internal, Err: &businessError{text}}
	}
	return &fault.Error{Code: codes[string(f.Code)], Err: errors.New(text)}
}

// absent turns a business error of a goods method into NotFound: it is how the
// platform says that it does not promote the goods.
func absent(err error) error {
	var b *businessError
	if errors.As(err, &b) {
		return fault.Wrap(fault.NotFound, "not promoted", b)
	}
	return err
}

// clean makes foreign text fit for a log: short, valid, without our secret.
func (c *Client) clean(s string) string {
	s = strings.ReplaceAll(s, c.cfg.ClientSecret, "[secret]")
	s = strings.ToValidUTF8(s, "?")
	if len(s) > foreignTextMax {
		n := foreignTextMax
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return s
}
