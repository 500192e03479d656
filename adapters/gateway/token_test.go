package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fanli/adapters/gateway"
)

// An issuer is a fake one over HTTP.
type issuer struct {
	t     *testing.T
	http  *httptest.Server
	down  atomic.Bool
	asked atomic.Int32
	mu    sync.Mutex
	keys  []jose.JSONWebKey // private ones
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.http.URL, "jwks_uri": i.http.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{}
		for _, k := range i.keys {
			set.Keys = append(set.Keys, k.Public())
		}
		_ = json.NewEncoder(w).Encode(set)
	})
	i.http = httptest.NewServer(mux)
	t.Cleanup(i.http.Close)
	i.rotate("k1", jose.ES256)
	return i
}

// rotate makes a key the only one.
func (i *issuer) rotate(id string, alg jose.SignatureAlgorithm) jose.JSONWebKey {
	i.t.Helper()
	var key any
	var err error
	if alg == jose.ES256 {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		i.t.Fatal(err)
	}
	k := jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(alg), Use: "sig"}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []jose.JSONWebKey{k}
	return k
}

// claims are those of a sound token, with changes.
func (i *issuer) claims(w *world, change func(c map[string]any)) map[string]any {
	c := map[string]any{
		"iss": i.http.URL, "aud": "fanli", "sub": "u-9", "exp": w.at.Add(time.Hour).Unix(), "iat": w.at.Unix(), "scope": "wallet:read orders:read",
	}
	if change != nil {
		change(c)
	}
	return c
}

func (i *issuer) sign(c map[string]any) string {
	i.t.Helper()
	i.mu.Lock()
	k := i.keys[0]
	i.mu.Unlock()
	return sign(i.t, jose.SignatureAlgorithm(k.Algorithm), k, c)
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, c map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(c)
	signed, err := s.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (i *issuer) world(keys string) *world {
	return newWorld(i.t, func(o *gateway.Options, _ *gateway.EdgeOptions) {
		o.Tokens = []*gateway.Issuer{
			gateway.NewIssuer(gateway.IssuerOptions{Name: "elsewhere", Issuer: "https://elsewhere.example", Audience: "fanli", HTTP: i.http.Client(), Now: o.Now}),
			gateway.NewIssuer(gateway.IssuerOptions{Name: "app", Issuer: i.http.URL, Audience: "fanli", Keys: keys, HTTP: i.http.Client(), Now: o.Now}),
		}
	})
}

func TestATokenActsForItsSubject(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, keys := range []string{"", i.http.URL + "/keys"} {
		w := i.world(keys)
		token := i.sign(i.claims(w, nil))
		r := w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "")...)
		if r.Code != 200 || !slices.Equal(w.did, []string{"user/9 resolve oidc/app u-9", "user/9 wallet"}) {
			t.Errorf("%d %s, did %v", r.Code, r.Body, w.did)
		}
		w.did = nil
		wantProblem(t, "for somebody else", w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "u-7")...), 400, "api.user_fixed", "X-Fanli-User")
		wantProblem(t, "a scope that is missing", w.ask(http.MethodGet, gateway.Path+"payee", "", as(token, "")...), 403, "api.scope", "payee:read")
		if len(w.did) > 0 {
			t.Errorf("did %v", w.did)
		}
	}
}

// TestScopesOfTokens: as a text or as a list, and never those about others.
func TestScopesOfTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w := i.world("")
	for want, c := range map[string]map[string]any{
		"wallet:read": {"scope": "openid wallet:read email"}, "wallet:read,orders:read": {"scp": []string{"wallet:read", "orders:read", "wallet:read"}},
		"orders:read": {"scp": "orders:read users:act"}, "": {"scope": "users:write users:act"}, "payee:read": {"scope": "payee:read", "scp": 7},
	} {
		token := i.sign(i.claims(w, func(all map[string]any) {
			delete(all, "scope")
			for k, v := range c {
				all[k] = v
			}
		}))
		var me struct {
			Kind, Client string
			Single       bool
			Scopes       []string
		}
		r := w.ask(http.MethodGet, gateway.Path+"me", "", as(token, "")...)
		if err := json.Unmarshal(r.Body.Bytes(), &me); err != nil || strings.Join(me.Scopes, ",") != want || me.Kind != "token" || me.Client != "app" || !me.Single {
			t.Errorf("%v: %s, %v", c, r.Body, err)
		}
	}
}

func TestTokensThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w := i.world("")
	good := i.claims(w, nil)
	public, err := x509.MarshalPKIXPublicKey(i.keys[0].Public().Key)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	segment := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	parts := strings.Split(i.sign(good), ".")
	change := func(f func(c map[string]any)) string { return i.sign(i.claims(w, f)) }
	for name, token := range map[string]string{
		"no signature":               segment(map[string]string{"alg": "none"}) + "." + segment(good) + ".",
		"none, signed":               segment(map[string]string{"alg": "none"}) + "." + parts[1] + "." + parts[2],
		"the public key as a secret": sign(t, jose.HS256, jose.JSONWebKey{Key: public, KeyID: "k1"}, good),
		"somebody else's key":        sign(t, jose.ES256, jose.JSONWebKey{Key: stranger, KeyID: "k1"}, good),
		"an unknown key":             sign(t, jose.ES256, jose.JSONWebKey{Key: stranger, KeyID: "k9"}, good),
		"other claims":               parts[0] + "." + segment(i.claims(w, func(c map[string]any) { c["sub"] = "u-7" })) + "." + parts[2],
		"expired":                    change(func(c map[string]any) { c["exp"] = w.at.Add(-time.Second).Unix() }),
		"for ever":                   change(func(c map[string]any) { delete(c, "exp") }),
		"of tomorrow":                change(func(c map[string]any) { c["nbf"] = w.at.Add(10 * time.Minute).Unix() }),
		"for another":                change(func(c map[string]any) { c["aud"] = "shop" }),
		"for nobody":                 change(func(c map[string]any) { delete(c, "aud") }),
		"of another issuer":          change(func(c map[string]any) { c["iss"] = "https://evil.example" }),
		"of the other issuer":        change(func(c map[string]any) { c["iss"] = "https://elsewhere.example/" }),
		"of nobody":                  change(func(c map[string]any) { delete(c, "sub") }),
		"of somebody with spaces":    change(func(c map[string]any) { c["sub"] = "u 9" }),
		"garbage":                    "a.b.c",
		"empty":                      "..",
	} {
		r := w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "")...)
		if p := problem(t, r); p.Status != 401 || p.Reason != "api.token" || r.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if len(w.did) > 0 {
		t.Errorf("did %v", w.did)
	}
	if strings.Contains(w.log.String(), parts[2]) {
		t.Error("the log has a token")
	}
}

// TestKeysRotate: a new key is found out when it is first seen, an old one ends then,
// and whoever makes up keys does not make us ask for ever.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w := i.world("")
	ask := func(token string) int { return w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "")...).Code }
	old := i.sign(i.claims(w, nil))
	for range 3 {
		if got := ask(old); got != 200 {
			t.Fatalf("the first key: %d", got)
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("keys were asked for %d times", n)
	}
	i.rotate("k2", jose.RS256)
	if got := ask(i.sign(i.claims(w, nil))); got != 200 {
		t.Errorf("the second key: %d", got)
	}
	if got := ask(old); got != 401 {
		t.Errorf("the first key after it has gone: %d", got)
	}
	known := i.sign(i.claims(w, nil))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		ask(sign(t, jose.ES256, jose.JSONWebKey{Key: stranger, KeyID: "made-up"}, i.claims(w, nil)))
	}
	if n := i.asked.Load(); n > 10 {
		t.Errorf("keys were asked for %d times", n)
	}
	if got := ask(known); got != 200 {
		t.Errorf("who is known meanwhile: %d", got)
	}
}

// TestAnIssuerThatIsDownIsNoRefusal: who cannot be judged now is asked to come again.
func TestAnIssuerThatIsDownIsNoRefusal(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	w := i.world(i.http.URL + "/keys")
	token := i.sign(i.claims(w, nil))
	i.down.Store(true)
	if p := problem(t, w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "")...)); p.Status != 503 {
		t.Errorf("%+v", p)
	}
	i.down.Store(false)
	if r := w.ask(http.MethodGet, gateway.Path+"wallet", "", as(token, "")...); r.Code != 200 {
		t.Errorf("afterwards: %d %s", r.Code, r.Body)
	}
}
