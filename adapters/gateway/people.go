package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"fanli/core/access"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/user"
)

func (a *API) health(*call) (any, error) { return Health{"ok"}, nil }

// serveDocument serves the OpenAPI document. It is the same for everybody, and may be
// kept.
func (a *API) serveDocument(c *call) (any, error) {
	document, err := a.document()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(document)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := c.w.Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", etag)
	if c.r.Header.Get("If-None-Match") == etag {
		c.status = http.StatusNotModified
		c.w.WriteHeader(c.status)
		return nil, nil
	}
	h.Set("Content-Type", "application/json")
	_, _ = c.w.Write(document) // the other side has gone: nobody to tell
	return nil, nil
}

func (a *API) me(c *call) (any, error) {
	w := c.caller
	return Caller{Kind: w.kind, Client: w.client, Single: w.single(), Scopes: append([]access.Scope{}, w.scopes...)}, nil
}

// makeUser makes a user of the client's.
func (a *API) makeUser(c *call) (any, error) {
	q := c.body.(*UserRequest)
	if c.caller.single() {
		return nil, refuse(http.StatusForbidden, "api.scope", string(access.UsersWrite))
	}
	if !visible(q.External, 1) {
		return nil, refuse(http.StatusUnprocessableEntity, "api.user_form", "external_id")
	}
	if q.Locale == "" {
		q.Locale = languageOf(c.r)
	}
	if q.Locale != "zh" && q.Locale != "en" {
		return nil, fault.New(fault.Invalid, "user.locale")
	}
	u, made, err := a.o.Users.Resolve(c.ctx(), user.Identity{Channel: c.caller.channel, External: q.External}, q.Locale)
	if err != nil {
		return nil, err
	}
	if made {
		c.status = http.StatusCreated
	}
	return User{External: q.External, Locale: u.Locale, Joined: moment(u.Joined), Made: made}, nil
}

func (a *API) payee(c *call) (any, error) {
	p, err := a.o.Users.Payee(c.ctx(), c.user)
	return payeeView(p), err
}

func (a *API) setPayee(c *call) (any, error) {
	q := c.body.(*PayeeRequest)
	if err := a.o.Switches.Check(c.ctx(), control.ReadOnly); err != nil {
		return nil, err
	}
	if err := a.o.Users.SetPayee(c.ctx(), c.user, user.Payee{Method: q.Method, Account: q.Account, Name: q.Name}); err != nil {
		return nil, err
	}
	return a.payee(c)
}

func payeeView(p user.Payee) Payee {
	if p.IsZero() {
		return Payee{}
	}
	return Payee{Method: p.Method, Masked: p.Masked(), Changed: moment(p.Changed)}
}
