package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"

	"fanli/core/access"
	"fanli/core/fault"
)

// IssuerOptions say whose tokens are believed.
type IssuerOptions struct {
	// Name is ours for the issuer, and never changes: its users have their
	// identities under it.
	Name string
	// Issuer is who stands in tokens, and where its keys can be found out.
	Issuer string
	// Audience is who we are in tokens.
	Audience string
	// Keys is where the issuer's keys are; "" for what it says itself.
	Keys string
	HTTP *http.Client
	Now  func() time.Time
}

// An Issuer signs tokens by which single users ask. It is safe for concurrent use.
type Issuer struct {
	o      IssuerOptions
	client *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
}

// How keys are asked for.
const (
	issuerTimeout = 5 * time.Second
	keysEvery     = 10 * time.Second // whoever makes up key ids must not make us ask for ever
	keysBurst     = 5
)

// NewIssuer returns an issuer. Nothing is asked before the first token.
func NewIssuer(o IssuerOptions) *Issuer {
	inner := o.HTTP.Transport
	if inner == nil {
		inner = http.DefaultTransport
	}
	return &Issuer{o: o, client: &http.Client{
		Timeout: issuerTimeout, Transport: &seldom{inner, rate.NewLimiter(rate.Every(keysEvery), keysBurst)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// seldom keeps requests apart.
type seldom struct {
	inner http.RoundTripper
	limit *rate.Limiter
}

var errSeldom = errors.New("the issuer's keys were asked for a moment ago")

// RoundTrip implements http.RoundTripper.
func (s *seldom) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.limit.Allow() {
		return nil, errSeldom
	}
	return s.inner.RoundTrip(r)
}

// signatures are those that are believed. Those with a shared secret, and none, are
// not among them.
func signatures() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// made reports whether a token says that it is the issuer's. Whether it is, open
// finds out.
func (i *Issuer) made(text string) bool {
	parts := strings.Split(text, ".")
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	var said struct {
		Issuer string `json:"iss"`
	}
	return err == nil && json.Unmarshal(body, &said) == nil && said.Issuer == i.o.Issuer
}

// verifying returns the verifier, made when it is first needed.
func (i *Issuer) verifying() (*oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil {
		return i.verifier, nil
	}
	lasting := oidc.ClientContext(context.Background(), i.client) // under which keys are asked for again
	cfg := &oidc.Config{ClientID: i.o.Audience, SupportedSigningAlgs: signatures(), Now: i.o.Now}
	if i.o.Keys != "" {
		i.verifier = oidc.NewVerifier(i.o.Issuer, oidc.NewRemoteKeySet(lasting, i.o.Keys), cfg)
		return i.verifier, nil
	}
	p, err := oidc.NewProvider(lasting, i.o.Issuer)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "gateway.issuer", err)
	}
	i.verifier = p.VerifierContext(lasting, cfg)
	return i.verifier, nil
}

// claims are what else counts in a token.
type claims struct {
	Scope string          `json:"scope"`
	Scp   json.RawMessage `json:"scp"` // as others write it: a text or a list
}

func (c claims) scopes() []string {
	var list []string
	if json.Unmarshal(c.Scp, &list) == nil {
		return append(list, strings.Fields(c.Scope)...)
	}
	var text string
	_ = json.Unmarshal(c.Scp, &text) // neither: there are none
	return strings.Fields(c.Scope + " " + text)
}

// open returns whose token it is. It fails with fault.Denied and "api.token" for one
// that is not the issuer's, not for us, or not of now, and with fault.Unavailable
// while the issuer's keys cannot be had.
func (i *Issuer) open(ctx context.Context, text string) (caller, error) {
	v, err := i.verifying()
	if err != nil {
		return caller{}, err
	}
	token, err := v.Verify(ctx, text)
	if err != nil && strings.Contains(err.Error(), "fetching keys") {
		return caller{}, fault.Wrap(fault.Unavailable, "gateway.issuer", err)
	}
	var said claims
	if err == nil {
		err = token.Claims(&said)
	}
	if err != nil || !visible(token.Subject, 1) {
		return caller{}, &fault.Error{Code: fault.Denied, Reason: "api.token", Op: "gateway.token", Err: err}
	}
	c := caller{kind: "token", name: "token/" + i.o.Name + "/" + token.Subject, client: i.o.Name, channel: "oidc/" + i.o.Name, external: token.Subject}
	for _, s := range said.scopes() {
		scope := access.Scope(s)
		others := scope == access.UsersWrite || scope == access.UsersAct // a token is about its own user
		if slices.Contains(access.Scopes(), scope) && !others && !c.has(scope) {
			c.scopes = append(c.scopes, scope)
		}
	}
	return c, nil
}
