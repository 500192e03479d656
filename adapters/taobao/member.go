package taobao

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"fanli/core/endpoint"
	"fanli/core/fault"
	"fanli/core/money"
)

// DefaultAuthorize is where shoppers allow an application to know who they are.
const DefaultAuthorize = "https://oauth.taobao.com/authorize"

// MemberConfig lets shoppers bind their Taobao account, so that orders name them.
type MemberConfig struct {
	// InviteCode invites members (not channels) of our account; with it and URL the
	// binding is offered.
	InviteCode string `yaml:"invite_code"`
	// URL is where people reach this server. What follows it in the address to which
	// the platform sends people back is said by who has the page.
	URL string `yaml:"url"`
	// Authorize is the platform's page; empty: DefaultAuthorize.
	Authorize string `yaml:"authorize"`
}

// On reports whether the binding is offered.
func (c MemberConfig) On() bool { return c.InviteCode != "" && c.URL != "" }

// validate calls add with every mistake.
func (c MemberConfig) validate(add func(format string, args ...any)) {
	if (c.InviteCode == "") != (c.URL == "") {
		add("member.invite_code: it and url are needed, or neither")
	}
	if c.URL != "" && !endpoint.Safe(c.URL) {
		add("member.url: must be the https address (http only on loopback) where people reach this server, without user and query")
	}
	if c.Authorize != "" && !endpoint.Safe(c.Authorize) {
		add("member.authorize: must be an https address, without user and query")
	}
}

// memberMark begins the tag of an order whose row names a member: the platform counts
// members and channels apart, so that a bare number could be either.
const memberMark = "member/"

// The methods by which a shopper becomes a member.
const (
	methodAccess = "taobao.top.auth.token.create"
	methodSave   = "taobao.tbk.sc.publisher.info.save"
)

// reasonCode is why a member is not known: what the platform sent them back with has
// expired, or was used before.
const reasonCode = "member.code"

// AuthorizeURL is the platform's page on which a shopper allows us to know who they are.
// It sends them back to an address of ours, with a code and with state.
func (c *Client) AuthorizeURL(back, state string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.cfg.AppKey}, "redirect_uri": {back}, "state": {state}, "view": {"wap"},
	}
	return c.cfg.Member.Authorize + "?" + q.Encode()
}

// Member makes a member of who has come back with a code, and returns the tag under which
// orders will name them: the same for the same Taobao account, however often. The token
// that the code is exchanged for is forgotten. It fails with fault.Invalid and
// "member.code" if the code is not good any more, and as every call does otherwise.
func (c *Client) Member(ctx context.Context, code string) (tag string, err error) {
	token, err := c.access(ctx, code)
	if err != nil {
		return "", hide(err, code)
	}
	var out struct {
		Data struct {
			Special money.Number `json:"special_id"`
		} `json:"data"`
	}
	err = c.call(ctx, methodSave, map[string]string{"session": token, "inviter_code": c.cfg.Member.InviteCode, "info_type": "1"}, &out)
	if fault.Is(err, fault.Invalid) { // what is sent there is the operator's
		err = &fault.Error{Code: fault.Denied, Op: methodSave, Err: err}
	}
	if err != nil {
		return "", hide(err, token)
	}
	id := nonZero(out.Data.Special)
	if !digits.MatchString(id) {
		return "", fault.Newf(fault.Denied, "", "%s made no member: the invite code may be one for channels", methodSave)
	}
	return memberMark + id, nil
}

// access exchanges a code for the shopper's own token.
func (c *Client) access(ctx context.Context, code string) (string, error) {
	var out struct {
		Result string `json:"token_result"` // a document within the document
	}
	err := c.call(ctx, methodAccess, map[string]string{"session": "", "code": code}, &out)
	if fault.Is(err, fault.Invalid) {
		err = &fault.Error{Code: fault.Invalid, Reason: reasonCode, Op: methodAccess, Err: err}
	}
	if err != nil {
		return "", err
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(out.Result), &token); err != nil || token.Access == "" {
		return "", fault.Newf(fault.Unavailable, "", "%s: no token in the answer", methodAccess)
	}
	return token.Access, nil
}

// hide keeps a secret of a shopper's out of an error, in case the platform quotes it.
func hide(err error, secret string) error {
	s := err.Error()
	if secret == "" || !strings.Contains(s, secret) {
		return err
	}
	return &fault.Error{Code: fault.CodeOf(err), Reason: fault.ReasonOf(err), Err: errors.New(strings.ReplaceAll(s, secret, "***"))}
}
