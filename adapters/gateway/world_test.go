package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/gateway"
	"fanli/core/access"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A world is an API over services that know two people and have little to say. What
// they are asked is noted.
type world struct {
	t    *testing.T
	api  *gateway.API
	edge http.Handler
	mu   sync.Mutex
	at   time.Time
	log  strings.Builder
	key  map[string]access.Key // by text
	did  []string              // "user/7 wallet"
	err  error                 // what services fail with
	stop error                 // what switches say
}

type users struct {
	user.Service
	w *world
}
type links struct{ w *world }
type orders struct {
	order.Service
	w *world
}
type rebates struct {
	rebate.Service
	w *world
}
type wallets struct {
	credit.Wallets
	w *world
}
type payouts struct {
	withdraw.Service
	w *world
}
type switches struct{ w *world }
type keys struct{ w *world }

// people are who is known: 7 is acme's, 8 is somebody of another client, 9 of an issuer.
var people = map[user.Identity]int64{
	{Channel: "api/acme", External: "u-7"}: 7, {Channel: "api/other", External: "u-8"}: 8, {Channel: "oidc/app", External: "u-9"}: 9,
}

func (w *world) note(id int64, what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, fmt.Sprintf("user/%d %s", id, what))
	return w.err
}

func (s users) Resolve(_ context.Context, i user.Identity, locale string) (user.User, bool, error) {
	id, ok := people[i]
	if !ok {
		id = 10
	}
	return user.User{ID: id, Locale: locale, Joined: s.w.at}, !ok, s.w.note(id, "resolve "+i.Channel+" "+i.External)
}
func (s users) Find(_ context.Context, i user.Identity) (user.User, error) {
	if id, ok := people[i]; ok {
		return user.User{ID: id}, nil
	}
	return user.User{}, fault.New(fault.NotFound, "")
}
func (s users) Payee(_ context.Context, id int64) (user.Payee, error) {
	return user.Payee{Method: "alipay", Account: "secret@example.com", Name: "王小明", Changed: s.w.at}, s.w.note(id, "payee")
}
func (s users) SetPayee(_ context.Context, id int64, p user.Payee) error {
	return s.w.note(id, "set payee "+p.Method)
}
func (s links) Make(_ context.Context, id int64, r link.Ref) (link.Link, error) {
	if r.ID == "100012043970" {
		panic("somebody divided by zero")
	}
	return link.Link{ID: 1, User: id, Network: r.Network, Item: r.ID, At: s.w.at}, s.w.note(id, "link "+r.ID)
}
func (s orders) OfUser(_ context.Context, id, before int64, _ int) ([]order.Line, error) {
	return []order.Line{{ID: 3, User: id, Key: order.Key{Network: "jd", Account: "main", ID: "3"}}}, s.w.note(id, fmt.Sprint("orders before ", before))
}
func (s orders) Claim(_ context.Context, id int64, number string) (order.Claim, error) {
	return order.Claim{ID: 1, User: id, Order: number, State: order.ClaimIced, At: s.w.at, Until: s.w.at}, s.w.note(id, "claim "+number)
}
func (s orders) Claims(_ context.Context, id, before int64, count int) ([]order.Claim, error) {
	cs := []order.Claim{{ID: 1, User: id, Order: "n", State: order.ClaimIced, At: s.w.at, Until: s.w.at}}
	if before == 0 {
		cs = append([]order.Claim{{ID: 2, User: id, Order: "m", State: order.ClaimGranted, At: s.w.at, Until: s.w.at}}, cs...)
	}
	return cs[:min(count, len(cs))], s.w.note(id, fmt.Sprint("claims before ", before))
}
func (s orders) Prove(_ context.Context, id, claim int64, p order.Proof) (order.Claim, error) {
	return order.Claim{ID: claim, User: id, State: order.ClaimWaiting}, s.w.note(id, fmt.Sprint("prove ", claim, " ", p.Paid, " ", p.Day))
}
func (s orders) Appeal(_ context.Context, id int64, number, words string) (order.Claim, error) {
	return order.Claim{ID: 1, User: id, State: order.ClaimAppealed}, s.w.note(id, "appeal "+number+" "+words)
}
func (s rebates) Of(_ context.Context, ks []order.Key) (map[order.Key]rebate.Rebate, error) {
	return map[order.Key]rebate.Rebate{ks[0]: {User: 7, Stage: rebate.Pending, Amount: 5}}, nil
}
func (s wallets) Wallet(_ context.Context, id int64) (credit.Wallet, error) {
	return credit.Wallet{Available: 100}, s.w.note(id, "wallet")
}
func (s wallets) Paid(context.Context, int64) (money.Fen, error) { return 3, nil }
func (s wallets) Statement(_ context.Context, id, before int64, _ int) ([]ledger.Entry, error) {
	return nil, s.w.note(id, fmt.Sprint("statement before ", before))
}
func (s payouts) Request(_ context.Context, id int64, amount money.Fen, key string) (withdraw.Withdrawal, error) {
	return withdraw.Withdrawal{ID: 1, User: id, Amount: 100, State: withdraw.Requested}, s.w.note(id, fmt.Sprint("withdraw ", amount, " ", key))
}
func (s payouts) OfUser(_ context.Context, id, before int64, count int) ([]withdraw.Withdrawal, error) {
	all := []withdraw.Withdrawal{{ID: 9, User: id}, {ID: 8, User: id}, {ID: 5, User: id}}
	ws := slices.DeleteFunc(all, func(w withdraw.Withdrawal) bool { return before > 0 && w.ID >= before })
	return ws[:min(count, len(ws))], s.w.note(id, fmt.Sprint("withdrawals before ", before))
}
func (s payouts) Cancel(_ context.Context, id, n int64) (withdraw.Withdrawal, error) {
	return withdraw.Withdrawal{ID: n, User: id, State: withdraw.Cancelled}, s.w.note(id, fmt.Sprint("cancel ", n))
}
func (s switches) Check(context.Context, ...control.Scope) error { return s.w.stop }
func (s keys) Open(_ context.Context, text string, from netip.Addr) (access.Key, error) {
	k, ok := s.w.key[text]
	if !ok {
		return k, fault.New(fault.Denied, "access.key")
	}
	if !k.From(from) {
		return k, fault.New(fault.Denied, "access.address")
	}
	return k, nil
}

// newWorld returns one. tune changes what the API is made of; nil for nothing.
func newWorld(t *testing.T, tune func(*gateway.Options, *gateway.EdgeOptions)) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)}
	w.key = map[string]access.Key{
		"acme": {ID: 1, Client: "acme", Scopes: access.Scopes()}, "other": {ID: 2, Client: "other", Scopes: access.Scopes()},
		"own":   {ID: 3, Client: "acme", User: 7, Scopes: []access.Scope{access.WalletRead}},
		"bound": {ID: 4, Client: "acme", Scopes: access.Scopes(), Addresses: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}},
	}
	log := logtest.New(&w.log)
	o := gateway.Options{
		Users: users{w: w}, Links: links{w}, Orders: orders{w: w}, Rebates: rebates{w: w}, Wallets: wallets{w: w}, Payouts: payouts{w: w},
		Switches: switches{w}, Keys: keys{w}, Limiter: cache.NewMemory(w.now), Log: log, Now: w.now,
		Say: func(tag, ref string, err error) string { return tag + " " + ref + " " + string(fault.CodeOf(err)) },
	}
	e := gateway.EdgeOptions{Log: log, Limiter: cache.NewMemory(w.now)}
	if tune != nil {
		tune(&o, &e)
	}
	w.api = gateway.New(o)
	w.edge = gateway.NewEdge(e).Wrap(w.api)
	return w
}

func (w *world) now() time.Time { return w.at }

// ask makes a request; headers are pairs. A body is JSON, unless headers say
// otherwise.
func (w *world) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, in)
	r.RemoteAddr = "192.0.2.7:1234"
	return w.send(r, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// askPlain is ask without a type for the body.
func (w *world) askPlain(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.7:1234"
	return w.send(r, headers...)
}

func (w *world) send(r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "remote" {
			r.RemoteAddr = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	w.edge.ServeHTTP(out, r)
	return out
}

// as are the headers of a key that acts for a user.
func as(key, user string) []string {
	out := []string{"Authorization", "Bearer " + key}
	if user != "" {
		out = append(out, "X-Fanli-User", user)
	}
	return out
}

// problem reads one.
func problem(t *testing.T, r *httptest.ResponseRecorder) (p gateway.Problem) {
	t.Helper()
	if got := r.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("it is %s: %s", got, r.Body)
	}
	if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil {
		t.Errorf("%v in %s", err, r.Body)
	}
	if p.Status != r.Code || p.Detail == "" || p.Request == "" || p.Request != r.Header().Get("X-Request-Id") || p.Type == "" || p.Code == "" {
		t.Errorf("%d: %+v", r.Code, p)
	}
	return p
}

// wantProblem judges a refusal by its status, reason and field.
func wantProblem(t *testing.T, what string, r *httptest.ResponseRecorder, status int, reason, field string) {
	t.Helper()
	if p := problem(t, r); p.Status != status || p.Reason != reason || p.Field != field {
		t.Errorf("%s: %d %q %q, want %d %q %q", what, p.Status, p.Reason, p.Field, status, reason, field)
	}
}
