package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// The limits of a call.
const (
	callTime      = 15 * time.Second // an answer takes less than one; a photo by address a few
	bodyBytesMax  = 8 << 20          // a hundred updates with the longest texts are below 3 MB
	retryAfterMax = time.Hour        // a longer wish of the server is not believed
)

// call calls a method and reads its result; into may be nil. Errors have a
// fault code and never the token.
func (c *Channel) call(ctx context.Context, method string, p tgbotapi.Params, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return c.do(ctx, method, p, into)
}

// do is call without a limit of time.
func (c *Channel) do(ctx context.Context, method string, p tgbotapi.Params, into any) error {
	d := &doer{ctx: ctx, client: c.http}
	api := &tgbotapi.BotAPI{Token: string(c.cfg.Token), Client: d}
	api.SetAPIEndpoint(c.cfg.Endpoint + "/bot%s/%s")
	resp, err := api.MakeRequest(method, p)
	if err == nil && into != nil {
		err = json.Unmarshal(resp.Result, into)
	}
	if err == nil {
		return nil
	}
	return c.explain(ctx, "telegram."+method, err, d)
}

// doer makes the library's requests cancellable, bounds their answers and
// remembers what the library drops.
type doer struct {
	ctx        context.Context // the library has no other way to take one
	client     *http.Client
	status     int
	retryAfter string // the header
}

// Do implements tgbotapi.HTTPClient.
func (d *doer) Do(r *http.Request) (*http.Response, error) {
	resp, err := d.client.Do(r.WithContext(d.ctx)) //nolint:gosec // the address is the operator's
	if err != nil {
		return nil, err
	}
	d.status, d.retryAfter = resp.StatusCode, resp.Header.Get("Retry-After")
	return resp, read(resp)
}

// read takes the whole body into memory, so that the connection can be used
// again.
func read(resp *http.Response) error {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, bodyBytesMax+1))
	if err == nil && len(b) > bodyBytesMax {
		err = fmt.Errorf("an answer of more than %d bytes", bodyBytesMax)
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return err
}

// A refusal is an answer of Telegram that says no.
type refusal struct {
	status     int
	text       string // Telegram's own words
	retryAfter time.Duration
	migratedTo int64 // the group's new id; 0 for none
}

// Error returns Telegram's words.
func (r *refusal) Error() string { return strconv.Itoa(r.status) + " " + r.text }

// codes say what Telegram's refusals mean. The first line that fits counts; an
// empty text fits every one.
var codes = []struct {
	status int
	text   string
	code   fault.Code
}{
	{400, "chat not found", fault.NotFound},
	{400, "user not found", fault.NotFound},
	{400, "peer_id_invalid", fault.NotFound},
	{400, "not enough rights", fault.NotFound}, // to write in a group
	{400, "have no rights", fault.NotFound},
	{400, "chat_write_forbidden", fault.NotFound},
	{400, "", fault.Invalid},
	{401, "", fault.Denied},
	{403, "", fault.NotFound}, // blocked, never started, deleted, thrown out: all out of reach
	{404, "method not found", fault.Internal},
	{404, "", fault.Denied}, // what the public server says to a token that never was
	{409, "", fault.Conflict},
	{413, "", fault.Invalid},
	{429, "", fault.Limited},
}

// code says what a refusal means.
func (r *refusal) code() fault.Code {
	text := strings.ToLower(r.text)
	for _, c := range codes {
		if c.status == r.status && strings.Contains(text, c.text) {
			return c.code
		}
	}
	if r.status >= http.StatusInternalServerError {
		return fault.Unavailable
	}
	return fault.Internal
}

// explain turns what the library returned into an error with a code.
func (c *Channel) explain(ctx context.Context, op string, err error, d *doer) error {
	var refused *tgbotapi.Error
	switch {
	case errors.As(err, &refused):
		r := &refusal{
			status: refused.Code, text: c.redact(refused.Message), migratedTo: refused.MigrateToChatID,
			retryAfter: time.Duration(refused.RetryAfter) * time.Second,
		}
		if r.status == 0 { // some emulators leave it out
			r.status = d.status
		}
		return c.refused(op, r, d)
	case ctx.Err() != nil:
		return fault.Wrap(fault.Unavailable, op, ctx.Err())
	case d.status == http.StatusTooManyRequests: // said by something in between
		return c.refused(op, &refusal{status: d.status, text: "not an answer of Telegram"}, d)
	case d.status != 0:
		return fault.Wrap(fault.Unavailable, op, fmt.Errorf("status %d with an unreadable answer: %s", d.status, c.redact(err.Error())))
	}
	var inAddress *url.Error // its text has the whole address, with the token
	if errors.As(err, &inAddress) {
		err = inAddress.Err
	}
	return fault.Wrap(fault.Unavailable, op, errors.New(c.redact(err.Error())))
}

func (c *Channel) refused(op string, r *refusal, d *doer) error {
	if s, err := strconv.Atoi(d.retryAfter); r.retryAfter == 0 && err == nil {
		r.retryAfter = time.Duration(s) * time.Second
	}
	r.retryAfter = min(max(r.retryAfter, 0), retryAfterMax)
	return &fault.Error{Code: r.code(), Op: op, Err: r}
}

// tokenInText finds a token, also one that is not ours.
var tokenInText = regexp.MustCompile(`bot[0-9]+:[A-Za-z0-9_-]+`)

// redact takes secrets out of a text of others.
func (c *Channel) redact(s string) string {
	s = strings.ReplaceAll(s, string(c.cfg.Token), hidden)
	if c.cfg.Proxy != "" {
		s = strings.ReplaceAll(s, string(c.cfg.Proxy), hidden)
	}
	return tokenInText.ReplaceAllString(s, "bot"+hidden)
}

// retryAfter is how long Telegram wants to be left alone; 0 for not at all.
func retryAfter(err error) time.Duration {
	var r *refusal
	if errors.As(err, &r) {
		return r.retryAfter
	}
	return 0
}
