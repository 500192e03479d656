package tencent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"fanli/core/fault"
)

// A RefusalError is an answer of a platform that says no.
type RefusalError struct {
	Code int64  // the platform's own number
	Text string // its own words, with the number under which it knows the call
}

// Error returns the platform's number and words.
func (r *RefusalError) Error() string { return fmt.Sprintf("errcode %d: %s", r.Code, r.Text) }

// ErrCode is the platform's own number.
func (r *RefusalError) ErrCode() int64 { return r.Code }

// CodeOf returns the platform's own number of an error; 0 if it said none.
func CodeOf(err error) int64 {
	var r *RefusalError
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}

// refused is an answer that says no.
func (c *Caller) refused(op string, code int64, text string) error {
	means, reason := c.o.Meaning(code)
	return &fault.Error{Code: means, Reason: reason, Op: op, Err: &RefusalError{code, text}}
}

// refusesToken reports whether a call failed because of its token alone.
func (c *Caller) refusesToken(err error) bool {
	code := CodeOf(err)
	return code != 0 && slices.Contains(c.o.TokenCodes, code)
}

// away says that there was no answer. Whether the call had its effect is not known:
// later is all that can be advised.
func (c *Caller) away(ctx context.Context, op string, err error, hide string) error {
	if ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, op, ctx.Err())
	}
	var inAddress *url.Error // its text has the whole address, with the token
	if errors.As(err, &inAddress) {
		err = inAddress.Err
	}
	return fault.Wrap(fault.Unavailable, op, errors.New(c.redact(err.Error(), hide)))
}

// secretInText finds what a text of others may say of an address.
var secretInText = regexp.MustCompile(`(access_token|secret|appsecret|corpsecret|key)=[^&"\s]+`)

// tokenInText finds a token, also one that is not ours.
var tokenInText = regexp.MustCompile(`[0-9]{1,4}_[A-Za-z0-9_-]{60,}`)

// redact takes secrets out of a text of others.
func (c *Caller) redact(s, hide string) string {
	for _, secret := range append([]string{hide}, c.o.Secrets...) {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return tokenInText.ReplaceAllString(secretInText.ReplaceAllString(s, "$1=[secret]"), "[secret]")
}
