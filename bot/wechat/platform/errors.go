package platform

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"fanli/core/fault"
)

// A RefusalError is an answer of WeChat that says no.
type RefusalError struct {
	Code int64  // WeChat's own number
	Text string // its own words, with the number under which it knows the call
}

// Error returns WeChat's number and words.
func (r *RefusalError) Error() string { return fmt.Sprintf("errcode %d: %s", r.Code, r.Text) }

// ErrCode is WeChat's own number.
func (r *RefusalError) ErrCode() int64 { return r.Code }

// CodeOf returns WeChat's own number of an error; 0 if it said none.
func CodeOf(err error) int64 {
	var r *RefusalError
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}

// The reasons of errors, which never change.
const (
	WindowClosed = "wechat.window_closed"        // they have not written for 48 hours, or have gone
	QuotaUsed    = "wechat.quota_used"           // they have been sent all that they may be
	NotFollower  = "wechat.not_follower"         // nobody that the account knows
	NoRight      = "wechat.no_right"             // the account may not do that
	NoConsent    = "wechat.refused_subscription" // they have not agreed to such a notice
	Busy         = "wechat.busy"                 // later
	TooOften     = "wechat.too_often"            // the account has called too often
	TooLong      = "wechat.too_long"             // a text or a file
	BadTemplate  = "wechat.template"             // there is none such, or what stands in it is wrong
	BadMedia     = "wechat.media"                // a file that there is not, or of the wrong kind
	BadMenu      = "wechat.menu"                 // it breaks WeChat's rules
	NoMenu       = "wechat.no_menu"              // there is none
	BadTag       = "wechat.tag"                  // there is none such, or one too many
	BadToken     = "wechat.token"                // WeChat refuses each token that it hands out
	Credentials  = "wechat.credentials"          //nolint:gosec // a reason: app_id or app_secret are not what WeChat has
	IPUnlisted   = "wechat.ip_unlisted"          // the console does not list our address
)

// A meaning is what a number of WeChat means to callers.
type meaning struct {
	code   fault.Code
	reason string
}

// meanings say what WeChat's numbers mean. One that is not here is Internal, so that a
// person looks at it and adds a line.
var meanings = map[int64]meaning{
	-1:    {fault.Unavailable, Busy},
	40001: {fault.Unavailable, BadToken}, 40014: {fault.Unavailable, BadToken}, 41001: {fault.Unavailable, BadToken}, 42001: {fault.Unavailable, BadToken},
	40013: {fault.Denied, Credentials}, 40125: {fault.Denied, Credentials}, 41002: {fault.Denied, Credentials}, 41004: {fault.Denied, Credentials},
	40164: {fault.Denied, IPUnlisted}, 89503: {fault.Denied, IPUnlisted},
	45009: {fault.Limited, TooOften}, 45011: {fault.Limited, TooOften},
	45015: {fault.Denied, WindowClosed}, 45047: {fault.Denied, QuotaUsed},
	43004: {fault.NotFound, NotFollower}, 40003: {fault.NotFound, NotFollower}, 49003: {fault.NotFound, NotFollower}, 65302: {fault.NotFound, NotFollower},
	48001: {fault.Denied, NoRight}, 48004: {fault.Denied, NoRight}, 50001: {fault.Denied, NoRight}, 50002: {fault.Denied, NoRight},
	40200: {fault.Denied, NoRight}, 65306: {fault.Denied, NoRight},
	43101: {fault.Denied, NoConsent},
	45002: {fault.Invalid, TooLong}, 45008: {fault.Invalid, TooLong}, 45001: {fault.Invalid, TooLong}, 40006: {fault.Invalid, TooLong},
	40037: {fault.Invalid, BadTemplate}, 47003: {fault.Invalid, BadTemplate}, 40097: {fault.Invalid, BadTemplate},
	40004: {fault.Invalid, BadMedia}, 40005: {fault.Invalid, BadMedia}, 40007: {fault.Invalid, BadMedia}, 41005: {fault.Invalid, BadMedia},
	46003: {fault.NotFound, NoMenu}, 65301: {fault.NotFound, NoMenu}, 65303: {fault.NotFound, NoMenu},
	40015: {fault.Invalid, BadMenu}, 40016: {fault.Invalid, BadMenu}, 40017: {fault.Invalid, BadMenu}, 40018: {fault.Invalid, BadMenu},
	40019: {fault.Invalid, BadMenu}, 40020: {fault.Invalid, BadMenu}, 40022: {fault.Invalid, BadMenu}, 40023: {fault.Invalid, BadMenu},
	40024: {fault.Invalid, BadMenu}, 40025: {fault.Invalid, BadMenu}, 40026: {fault.Invalid, BadMenu}, 40027: {fault.Invalid, BadMenu},
	40054: {fault.Invalid, BadMenu}, 40055: {fault.Invalid, BadMenu}, 65304: {fault.Invalid, BadMenu}, 65305: {fault.Invalid, BadMenu},
	65316: {fault.Invalid, BadMenu}, 65320: {fault.Invalid, BadMenu},
	45056: {fault.Conflict, BadTag}, 45059: {fault.Conflict, BadTag}, 45157: {fault.Conflict, BadTag}, 45158: {fault.Invalid, BadTag}, 45159: {fault.NotFound, BadTag},
	40032: {fault.Invalid, ""}, 40008: {fault.Invalid, ""}, 40053: {fault.Invalid, ""}, 40096: {fault.Invalid, ""}, 44002: {fault.Invalid, ""},
	44004: {fault.Invalid, ""}, 47001: {fault.Invalid, ""}, 43002: {fault.Internal, ""},
}

// refused is an answer that says no.
func refused(op string, code int64, text string) error {
	m, ok := meanings[code]
	if !ok {
		m.code = fault.Internal
	}
	return &fault.Error{Code: m.code, Reason: m.reason, Op: op, Err: &RefusalError{code, text}}
}

// refusesToken reports whether a call failed because of its token alone.
func refusesToken(err error) bool {
	switch CodeOf(err) {
	case 40001, 40014, 42001:
		return true
	default:
		return false
	}
}

// away says that there was no answer. Whether the call had its effect is not known;
// WeChat knows no keys by which a message could be sent once, so that later is all that
// can be advised.
func (c *Client) away(ctx context.Context, op string, err error, hide string) error {
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
func (c *Client) redact(s, hide string) string {
	for _, secret := range []string{hide, c.cfg.AppSecret, c.cfg.Token, c.cfg.AESKey} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return tokenInText.ReplaceAllString(secretInText.ReplaceAllString(s, "$1=[secret]"), "[secret]")
}
