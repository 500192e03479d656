package gateway

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fanli/core/access"
	"fanli/core/fault"
	"fanli/core/user"
)

// userHeader names the user for whom a client acts.
const userHeader = "X-Fanli-User"

// Bounds of what names somebody.
const (
	externalMax    = 100
	credentialsMax = 8 << 10
)

// A caller is who asks.
type caller struct {
	kind     string // "key" or "token"
	name     string // for limits and logs: "key/7", "token/app/…"
	client   string // whose key or token it is
	channel  string // where the users have their identities
	external string // of a token: its user's own id
	user     int64  // the only one that a key acts for; 0: others
	scopes   []access.Scope
}

func (c caller) has(s access.Scope) bool { return slices.Contains(c.scopes, s) }

// single reports whether the caller acts for one user only.
func (c caller) single() bool { return c.user != 0 || c.external != "" }

// authenticate finds out who asks.
func (a *API) authenticate(r *http.Request) (caller, error) {
	said := r.Header.Values("Authorization")
	if len(said) == 0 {
		return caller{}, refuse(http.StatusUnauthorized, "api.unauthenticated", "Authorization")
	}
	scheme, text, _ := strings.Cut(said[0], " ")
	if len(said) > 1 || !strings.EqualFold(scheme, "Bearer") || text == "" || len(text) > credentialsMax {
		return caller{}, refuse(http.StatusUnauthorized, "api.unauthenticated", "Authorization")
	}
	if strings.Count(text, ".") == 2 {
		return a.ofToken(r.Context(), text)
	}
	k, err := a.o.Keys.Open(r.Context(), text, Address(r.Context()))
	if err != nil {
		return caller{}, err
	}
	return caller{
		kind: "key", name: "key/" + strconv.FormatInt(k.ID, 10), client: k.Client, channel: k.Channel(), user: k.User, scopes: k.Scopes,
	}, nil
}

func (a *API) ofToken(ctx context.Context, text string) (caller, error) {
	for _, i := range a.o.Tokens {
		if i.made(text) {
			return i.open(ctx, text)
		}
	}
	return caller{}, fault.New(fault.Denied, "api.token")
}

// actor finds out for whom a caller acts.
func (a *API) actor(r *http.Request, c caller) (int64, error) {
	names := r.Header.Values(userHeader)
	switch {
	case c.single() && len(names) > 0:
		return 0, refuse(http.StatusBadRequest, "api.user_fixed", userHeader)
	case c.user != 0:
		return c.user, nil
	case c.external != "":
		u, _, err := a.o.Users.Resolve(r.Context(), user.Identity{Channel: c.channel, External: c.external}, languageOf(r))
		return u.ID, err
	case !c.has(access.UsersAct):
		return 0, refuse(http.StatusForbidden, "api.scope", string(access.UsersAct))
	case len(names) != 1:
		return 0, refuse(http.StatusBadRequest, "api.user_missing", userHeader)
	case !visible(names[0], 1):
		return 0, refuse(http.StatusBadRequest, "api.user_form", userHeader)
	}
	u, err := a.o.Users.Find(r.Context(), user.Identity{Channel: c.channel, External: names[0]})
	if fault.Is(err, fault.NotFound) {
		return 0, refuse(http.StatusNotFound, "api.no_such_user", userHeader)
	}
	return u.ID, err
}

// visible reports whether a text is of visible ASCII characters only, of at most
// externalMax.
func visible(s string, least int) bool {
	return len(s) >= least && len(s) <= externalMax && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// within fails with a refusal for who has asked too much.
func (a *API) within(ctx context.Context, key string, l Limit) error {
	if l.PerMinute == 0 {
		return nil
	}
	ok, wait, err := a.o.Limiter.Allow(ctx, key, l.rate(), l.Burst)
	if err != nil { // whoever counts is not well: better to answer than to be shut
		a.o.Log.Warn("requests are not counted", "error", err)
		return nil
	}
	if ok {
		return nil
	}
	return &refusal{status: http.StatusTooManyRequests, err: fault.New(fault.Limited, "api.rate"), wait: wait}
}
