// Package grouprobot speaks in a group of WeCom (企业微信) by a group robot's webhook.
// A robot only speaks: nothing comes back.
//
// # Guarantees
//
//   - Whatever the status of HTTP, what counts is errcode: a message that WeCom has not
//     taken is an error.
//   - No more than twenty messages leave in any minute, and three at once; what is too
//     many fails with fault.Limited, which says after how long it may be tried again, as
//     do WeCom's own refusals.
//   - What is longer than WeCom takes is cut at the end of a character. Pages makes
//     several messages of it.
//   - The address, whose key is a secret, is in no error.
package grouprobot

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"fanli/core/fault"
)

// WeCom's limits.
const (
	textBytesMax     = 2048
	markdownBytesMax = 4096
	imageBytesMax    = 2 << 20
	perMinute        = 20
)

// burst is how many messages leave at once. With those that leave at the pace of every
// they are perMinute in the first minute, too.
const (
	burst = 3
	every = time.Minute / (perMinute - burst)
)

// callTimeout bounds one message.
const callTimeout = 10 * time.Second

// limitedWait is how long WeCom takes nothing from a robot that has said too much.
const limitedWait = time.Minute

// answerBytesMax bounds what is read of an answer.
const answerBytesMax = 64 << 10

// CheckURL fails with fault.Invalid for what is no robot's address. The error does not
// repeat it.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Query().Get("key") == "" || u.Scheme != "https" && !near(u) {
		return fault.New(fault.Invalid, "grouprobot.url")
	}
	return nil
}

// near reports whether an address stays on this machine, as in tests.
func near(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip != nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

// A Robot is one group robot. It is safe for concurrent use.
type Robot struct {
	url   string
	http  *http.Client
	now   func() time.Time
	limit *rate.Limiter
}

// New returns the robot with an address. It makes no call.
func New(address string, client *http.Client, now func() time.Time) (*Robot, error) {
	if err := CheckURL(address); err != nil {
		return nil, err
	}
	return &Robot{url: address, http: client, now: now, limit: rate.NewLimiter(rate.Every(every), burst)}, nil
}

// String tells no secret.
func (r *Robot) String() string { return "group robot" }

// GoString is String.
func (r *Robot) GoString() string { return r.String() }

// Text says a plain text.
func (r *Robot) Text(ctx context.Context, text string) error {
	return r.send(ctx, map[string]any{"msgtype": "text", "text": map[string]any{"content": cut(text, textBytesMax)}})
}

// Pages divides a plain text into as many as Text has to be called with, at the ends of
// its lines where that is possible.
func Pages(text string) (out []string) {
	for len(text) > textBytesMax {
		n := strings.LastIndexByte(text[:textBytesMax], '\n')
		if n <= 0 {
			n = len(strings.ToValidUTF8(text[:textBytesMax], ""))
		}
		out = append(out, text[:n])
		text = strings.TrimPrefix(text[n:], "\n")
	}
	return append(out, text)
}

// Markdown says a text with WeCom's few marks.
func (r *Robot) Markdown(ctx context.Context, text string) error {
	return r.send(ctx, map[string]any{"msgtype": "markdown", "markdown": map[string]any{"content": cut(text, markdownBytesMax)}})
}

// Image shows a picture, PNG or JPEG. It fails with fault.Invalid for one that is too
// large.
func (r *Robot) Image(ctx context.Context, picture []byte) error {
	if len(picture) == 0 || len(picture) > imageBytesMax {
		return fault.Newf(fault.Invalid, "grouprobot.image", "a picture of %d bytes", len(picture))
	}
	sum := md5.Sum(picture)
	return r.send(ctx, map[string]any{"msgtype": "image", "image": map[string]any{
		"base64": base64.StdEncoding.EncodeToString(picture), "md5": hex.EncodeToString(sum[:]),
	}})
}

func (r *Robot) send(ctx context.Context, message map[string]any) error {
	now := r.now()
	if turn := r.limit.ReserveN(now, 1); turn.DelayFrom(now) > 0 {
		wait := turn.DelayFrom(now)
		turn.CancelAt(now)
		return fault.After(fault.New(fault.Limited, "grouprobot.minute"), wait)
	}
	body, err := json.Marshal(message)
	if err != nil {
		return fault.Wrap(fault.Internal, "grouprobot.send", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "grouprobot.url")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "grouprobot.send", bare(err))
	}
	defer resp.Body.Close()
	return judge(resp)
}

// bare is what went wrong, without the address.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return errors.New("the call failed")
}

// WeCom's codes that mean something to us.
const (
	codeBusy    = -1
	codeMinute  = 45009
	codeMinute2 = 45011
	codeNoRobot = 93000
)

// judge reads an answer.
func judge(resp *http.Response) error {
	var a struct {
		Code *int `json:"errcode"`
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil || a.Code == nil {
		return fault.Newf(fault.Unavailable, "grouprobot.answer", "status %d and no errcode", resp.StatusCode)
	}
	code := fault.Invalid
	switch *a.Code {
	case 0:
		return nil
	case codeBusy:
		code = fault.Unavailable
	case codeMinute, codeMinute2:
		code = fault.Limited
	case codeNoRobot:
		code = fault.Denied
	}
	e := &fault.Error{Code: code, Op: "grouprobot.send", Err: fmt.Errorf("errcode %d", *a.Code)}
	if code == fault.Limited {
		return fault.After(e, limitedWait)
	}
	return e
}

// cut shortens s to max bytes without breaking a character.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max-len("…")], "") + "…"
}
