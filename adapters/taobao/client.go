package taobao

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

	"fanli/core/fault"
	"fanli/core/money"
)

// bodyBytesMax limits how much of an answer is read: a full page of a hundred
// order rows has about 300 kB.
const bodyBytesMax = 8 << 20

// callTimeout bounds one call where the context has no earlier deadline: the
// platform answers within a second, its own gateway gives up after some ten.
const callTimeout = 20 * time.Second

// textMax is how many bytes of the platform's words go into an error.
const textMax = 200

// call sends one signed request and decodes the payload of the answer into out.
// Every call of the package goes through here.
func (c *Client) call(ctx context.Context, method string, params map[string]string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := c.send(ctx, method, params)
	if err != nil {
		return err
	}
	payload, err := unwrap(method, body)
	if err != nil {
		return c.redacted(err)
	}
	if err := json.Unmarshal(payload, out); err != nil {
		return fault.Wrap(fault.Unavailable, method, fmt.Errorf("unreadable answer: %w", err))
	}
	return nil
}

// send posts the parameters and returns the body of the answer.
func (c *Client) send(ctx context.Context, method string, params map[string]string) ([]byte, error) {
	all := map[string]string{
		"method": method, "app_key": c.cfg.AppKey, "session": c.cfg.Session, "v": "2.0", "format": "json",
		"timestamp": clock(c.now()), "sign_method": c.cfg.SignMethod,
	}
	for k, v := range params {
		all[k] = v
	}
	form := url.Values{}
	for k, v := range all {
		if v != "" {
			form.Set(k, v)
		}
	}
	form.Set("sign", Sign(all, c.cfg.AppSecret, c.cfg.SignMethod))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, method, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, method, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyBytesMax+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, method, err)
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, fault.Wrap(fault.Limited, method, fmt.Errorf("status %d", resp.StatusCode))
	case resp.StatusCode != http.StatusOK:
		return nil, fault.Wrap(fault.Unavailable, method, fmt.Errorf("status %d", resp.StatusCode))
	case len(body) > bodyBytesMax:
		return nil, fault.Wrap(fault.Unavailable, method, fmt.Errorf("answer above %d bytes", bodyBytesMax))
	}
	return body, nil
}

// unwrap returns the payload of an answer, in either of the two forms in which
// the platform may send it, or the error that it tells of.
func unwrap(method string, body []byte) (json.RawMessage, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil {
		return nil, fault.Wrap(fault.Unavailable, method, fmt.Errorf("not JSON: %w", err))
	}
	if e, ok := top["error_response"]; ok {
		var r refusal
		if err := json.Unmarshal(e, &r); err != nil {
			return nil, fault.Wrap(fault.Unavailable, method, fmt.Errorf("unreadable error: %w", err))
		}
		return nil, r.fault(method)
	}
	root := strings.ReplaceAll(strings.TrimPrefix(method, "taobao."), ".", "_") + "_response"
	if inner, ok := top[root]; ok {
		return inner, nil
	}
	return body, nil // simplify=true: there is no root
}

// redacted keeps our secrets out of what the platform says, in case it quotes
// them.
func (c *Client) redacted(err error) error {
	s := err.Error()
	for _, secret := range []string{c.cfg.AppSecret, c.cfg.Session} {
		if secret != "" && strings.Contains(s, secret) {
			s = strings.ReplaceAll(s, secret, "***")
			err = &fault.Error{Code: fault.CodeOf(err), Reason: fault.ReasonOf(err), Err: errors.New(s)}
		}
	}
	return err
}

// serviceMethod is the name of a method that has one variant for publishers (dg)
// and one for service providers with a session (sc).
func (c *Client) serviceMethod(name string) string {
	if c.cfg.Session != "" {
		return "taobao.tbk.sc." + name
	}
	return "taobao.tbk.dg." + name
}

// mediaParams are the parts of the PID that a method wants, with the adzone of
// one slot.
func (c *Client) mediaParams(adzone string) map[string]string {
	p := map[string]string{"adzone_id": adzone}
	if c.cfg.Session != "" {
		p["site_id"] = c.cfg.SiteID
	}
	return p
}

// list reads the platform's lists: an array, an object with one array inside,
// that with a single element instead of the array, and nothing in its many forms.
type list []json.RawMessage

// UnmarshalJSON accepts every form.
func (l *list) UnmarshalJSON(b []byte) error {
	*l = nil
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || bytes.Equal(b, []byte("null")) || bytes.Equal(b, []byte(`""`)):
		return nil
	case b[0] == '[':
		return json.Unmarshal(b, (*[]json.RawMessage)(l))
	case b[0] != '{':
		return fault.Newf(fault.Invalid, "", "not a list: %s", short(string(b)))
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for _, inner := range m {
		inner = bytes.TrimSpace(inner)
		switch {
		case len(m) > 1: // converters from XML make an element of a one-element list
			*l = list{bytes.Clone(b)}
		case inner[0] == '[':
			return json.Unmarshal(inner, (*[]json.RawMessage)(l))
		case !bytes.Equal(inner, []byte("null")):
			*l = list{inner}
		}
		return nil
	}
	return nil
}

// text returns what a value says, and "" for every way of the platform to say
// nothing.
func text(n money.Number) string {
	switch n {
	case "--", "{}", "[]":
		return ""
	default:
		return string(n)
	}
}

// yuan reads an amount.
func yuan(n money.Number, r money.Rounding) (money.Fen, error) {
	return money.Number(text(n)).Yuan(r)
}

// percent reads a rate.
func percent(n money.Number) (money.Bps, error) {
	return money.Number(text(n)).Percent(money.Down)
}

// moment reads a time; nothing is the zero time.
func moment(n money.Number) (time.Time, error) {
	s := text(n)
	if s == "" || s == "0" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateTime, s, beijing)
	if err != nil {
		return t, fault.Newf(fault.Invalid, "", "not a time: %q", short(s))
	}
	return t, nil
}

// clock writes a time as the platform wants it.
func clock(t time.Time) string { return t.In(beijing).Format(time.DateTime) }

// short cuts foreign text for an error.
func short(s string) string {
	if len(s) > textMax {
		return strings.ToValidUTF8(s[:textMax], "") + "…"
	}
	return s
}

// address makes a full URL of one that may lack its scheme.
func address(n money.Number) string {
	s := text(n)
	if strings.HasPrefix(s, "//") {
		return "https:" + s
	}
	return s
}
