// Package platform calls WeChat for an official account: messages that are no answers,
// notices, the menu, tags, codes, people, files.
//
// # Guarantees
//
//   - Every call ends with its context, and after Options.Timeout. None is made twice but
//     where WeChat has refused its token, which means that it had no effect.
//   - One process asks for one token at a time, and all processes that share a cache use
//     the same. A token is forced only where WeChat hands out the very one that it has
//     just refused, because forcing it takes it from everybody else.
//   - Errors have a fault code and, where people or operators are told something by it, a
//     reason that never changes. No error tells a secret, a token or an address with one.
//   - A menu that WeChat would refuse is refused here, with the name of the button.
//
// # The library
//
// Shapes of messages and of the menu, and the type of WeChat's errors, are
// silenceper/wechat's. Its calls are not used: they take no context, retry nothing,
// return texts instead of numbers, put tokens into errors, and go through an http.Client
// and a rewriting of addresses that are global to the process and unsynchronised, so that
// two accounts, or a test beside another, would share them. Each of its defects has a
// test here that names it.
//
// # Not here
//
// Callbacks and answers, and how much a person may be sent: package wechat.
package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"fanli/core/cache"
	"fanli/core/fault"
)

// The limits of a call.
const (
	timeoutDefault = 4 * time.Second // within the five in which a message is answered
	answerBytesMax = 4 << 20         // a menu with all its conditional ones is far smaller
)

// Options are what a client works with.
type Options struct {
	HTTP    *http.Client // that calls; nil means one of its own
	Cache   cache.Cache  // where processes find each other's token; nil: each has its own
	Timeout time.Duration
	Now     func() time.Time
}

// A Client speaks to WeChat for one account. It is safe for concurrent use.
type Client struct {
	cfg     Config
	http    *http.Client
	timeout time.Duration
	now     func() time.Time
	tokens  *Tokens
}

// New returns the client of an account. It makes no call. It fails with fault.Invalid
// if the configuration is not sound.
func New(cfg Config, o Options) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.Wrap(fault.Invalid, "wechat.New", err)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Timeout == 0 {
		o.Timeout = timeoutDefault
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	own := *o.HTTP // a redirect would carry a token to whoever is named in it
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{cfg: cfg.withDefaults(), http: &own, timeout: o.Timeout, now: o.Now}
	c.tokens = &Tokens{c: c, cache: o.Cache}
	return c, nil
}

// Tokens are the account's, for whoever else has to call WeChat.
func (c *Client) Tokens() *Tokens { return c.tokens }

// String names the account and tells no secret.
func (c *Client) String() string { return c.cfg.String() }

// GoString is String.
func (c *Client) GoString() string { return c.String() }

// A request is a call before its token is known.
type request struct {
	op    string // as "wechat.SendText"
	path  string
	query url.Values // more of it
	body  []byte     // nil: it is a GET
	kind  string     // of the body; "" means JSON
}

// post makes a request of a value.
func post(op, path string, in any) (request, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // WeChat shows \u003c as it is written
	if err := e.Encode(in); err != nil {
		return request{}, fault.Wrap(fault.Invalid, op, err)
	}
	return request{op: op, path: path, body: b.Bytes()}, nil
}

// call makes a call and reads its answer; into may be nil. A call whose token is
// refused is made once more, with another.
func (c *Client) call(ctx context.Context, r request, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	token, err := c.tokens.GetAccessTokenContext(ctx)
	if err != nil {
		return fault.In(r.op, err)
	}
	err = c.with(ctx, token, r, into)
	if !refusesToken(err) {
		return err
	}
	c.tokens.drop(token)
	if token, err = c.tokens.GetAccessTokenContext(ctx); err != nil {
		return fault.In(r.op, err)
	}
	return c.with(ctx, token, r, into)
}

// do is post and call.
func (c *Client) do(ctx context.Context, op, path string, in, into any) error {
	r, err := post(op, path, in)
	if err != nil {
		return err
	}
	return c.call(ctx, r, into)
}

// with makes a call with a token.
func (c *Client) with(ctx context.Context, token string, r request, into any) error {
	query := url.Values{"access_token": {token}}
	for k, v := range r.query {
		query[k] = v
	}
	r.query = query
	return c.send(ctx, r, into, token)
}

// send makes one request and reads its answer. hide is taken out of what is said of it.
func (c *Client) send(ctx context.Context, r request, into any, hide string) error {
	method, kind := http.MethodGet, r.kind
	var body io.Reader
	if r.body != nil {
		method, body = http.MethodPost, bytes.NewReader(r.body)
	}
	if kind == "" {
		kind = "application/json; charset=utf-8"
	}
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.Endpoint+r.path+"?"+r.query.Encode(), body)
	if err != nil { // its text has the address
		return fault.Wrap(fault.Invalid, r.op, errors.New("an address that is none"))
	}
	if r.body != nil {
		req.Header.Set("Content-Type", kind)
	}
	answer, err := c.read(req)
	if err != nil {
		return c.away(ctx, r.op, err, hide)
	}
	return c.judge(r.op, answer, into, hide)
}

// read makes a request and reads the whole answer.
func (c *Client) read(req *http.Request) ([]byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > answerBytesMax:
		return nil, fmt.Errorf("an answer of more than %d bytes", answerBytesMax)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d, which is not WeChat's", resp.StatusCode)
	}
	return b, nil
}

// judge reads an answer. WeChat answers everything with status 200: its errcode alone
// says how it went, and errmsg may say "ok" or nothing.
func (c *Client) judge(op string, answer []byte, into any, hide string) error {
	var said util.CommonError
	if err := json.Unmarshal(answer, &said); err != nil {
		return fault.Wrap(fault.Unavailable, op, errors.New("an answer that is not JSON"))
	}
	if said.ErrCode != 0 {
		return refused(op, said.ErrCode, c.redact(said.ErrMsg, hide))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fault.Wrap(fault.Internal, op, errors.New("an answer of another shape: "+c.redact(err.Error(), hide)))
	}
	return nil
}
