// Package tencent calls the platforms of WeChat and WeCom, whose calls are alike: a token in
// the address, JSON in the body, status 200 for everything, and a number in the answer that
// says how it went.
//
// # Guarantees
//
//   - Every call ends with its context, and after Options.Timeout. None is made twice but
//     where the platform has refused its token, which means that it had no effect.
//   - One process asks for one token at a time, and all processes that share a cache use
//     the same. A token that was refused is not handed out again, and a new one is forced
//     only where the platform hands out the very one that it has just refused: that takes
//     it from everybody else. Where it hands out none it is left alone for a moment.
//   - Errors have a fault code and, where the caller has one for the number, a reason. No
//     error tells a secret, a token or an address with one.
package tencent

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
	timeoutDefault = 4 * time.Second // within the five in which WeChat waits for an answer
	answerBytesMax = 4 << 20         // a menu with all its conditional ones is far smaller
)

// Options are what a caller works with.
type Options struct {
	Name     string // of the platform, in errors and keys: "wechat"
	Account  string // tells it from others that share the cache
	Endpoint string // without a slash at its end
	Secrets  []string

	HTTP    *http.Client // that calls; nil means one of its own
	Cache   cache.Cache  // where processes find each other's token; nil: each has its own
	Timeout time.Duration
	Now     func() time.Time

	// Ask asks for a token. With force it is to be another one than the last; a platform
	// that forces none hands out what it has.
	Ask func(ctx context.Context, force bool) (Token, error)
	// Meaning says what a number of the platform means, and TokenCodes which numbers
	// refuse the token alone.
	Meaning    func(number int64) (c fault.Code, reason string)
	TokenCodes []int64
}

// A Caller calls for one account. It is safe for concurrent use.
type Caller struct {
	o      Options
	http   *http.Client
	tokens *Tokens
}

// NewCaller returns a caller. It makes no call.
func NewCaller(o Options) *Caller {
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
	return &Caller{o: o, http: &own, tokens: &Tokens{o: o}}
}

// Tokens are the account's, for whoever else has to call the platform.
func (c *Caller) Tokens() *Tokens { return c.tokens }

// Now is the caller's clock.
func (c *Caller) Now() time.Time { return c.o.Now() }

// A Request is a call before its token is known.
type Request struct {
	Op    string // as "wechat.SendText"
	Path  string
	Query url.Values // more of it
	Body  []byte     // nil: it is a GET
	Kind  string     // of the body; "" means JSON
}

// Post makes a request of a value.
func Post(op, path string, in any) (Request, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // they show \u003c as it is written
	if err := e.Encode(in); err != nil {
		return Request{}, fault.Wrap(fault.Invalid, op, err)
	}
	return Request{Op: op, Path: path, Body: b.Bytes()}, nil
}

// Call makes a call and reads its answer; into may be nil. A call whose token is
// refused is made once more, with another.
func (c *Caller) Call(ctx context.Context, r Request, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	token, err := c.tokens.GetAccessTokenContext(ctx)
	if err != nil {
		return fault.In(r.Op, err)
	}
	err = c.with(ctx, token, r, into)
	if !c.refusesToken(err) {
		return err
	}
	c.tokens.Drop(token)
	if token, err = c.tokens.GetAccessTokenContext(ctx); err != nil {
		return fault.In(r.Op, err)
	}
	return c.with(ctx, token, r, into)
}

// Do is Post and Call.
func (c *Caller) Do(ctx context.Context, op, path string, in, into any) error {
	r, err := Post(op, path, in)
	if err != nil {
		return err
	}
	return c.Call(ctx, r, into)
}

// with makes a call with a token.
func (c *Caller) with(ctx context.Context, token string, r Request, into any) error {
	query := url.Values{"access_token": {token}}
	for k, v := range r.Query {
		query[k] = v
	}
	r.Query = query
	return c.Send(ctx, r, into, token)
}

// Send makes one request and reads its answer. hide is taken out of what is said of it.
func (c *Caller) Send(ctx context.Context, r Request, into any, hide string) error {
	method, kind := http.MethodGet, r.Kind
	var body io.Reader
	if r.Body != nil {
		method, body = http.MethodPost, bytes.NewReader(r.Body)
	}
	if kind == "" {
		kind = "application/json; charset=utf-8"
	}
	req, err := http.NewRequestWithContext(ctx, method, c.o.Endpoint+r.Path+"?"+r.Query.Encode(), body)
	if err != nil { // its text has the address
		return fault.Wrap(fault.Invalid, r.Op, errors.New("an address that is none"))
	}
	if r.Body != nil {
		req.Header.Set("Content-Type", kind)
	}
	answer, err := c.read(req)
	if err != nil {
		return c.away(ctx, r.Op, err, hide)
	}
	return c.judge(r.Op, answer, into, hide)
}

// read makes a request and reads the whole answer.
func (c *Caller) read(req *http.Request) ([]byte, error) {
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
		return nil, fmt.Errorf("status %d, which is not the platform's", resp.StatusCode)
	}
	return b, nil
}

// judge reads an answer. They answer everything with status 200: its errcode alone
// says how it went, and errmsg may say "ok" or nothing.
func (c *Caller) judge(op string, answer []byte, into any, hide string) error {
	var said util.CommonError
	if err := json.Unmarshal(answer, &said); err != nil {
		return fault.Wrap(fault.Unavailable, op, errors.New("an answer that is not JSON"))
	}
	if said.ErrCode != 0 {
		return c.refused(op, said.ErrCode, c.redact(said.ErrMsg, hide))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fault.Wrap(fault.Internal, op, errors.New("an answer of another shape: "+c.redact(err.Error(), hide)))
	}
	return nil
}
