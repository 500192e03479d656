package gateway_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi-validator/schema_validation"

	"fanli/adapters/gateway"
	"fanli/core/access"
	"fanli/core/control"
	"fanli/core/fault"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.json")

const documentFile = "../../docs/openapi.json"

func TestTheDocumentIsThatOfTheTable(t *testing.T) {
	t.Parallel()
	got, err := gateway.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(documentFile, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(documentFile); err != nil || string(got) != string(want) {
		t.Errorf("%s is not what the code says (%v); run this test with -update and look at the difference", documentFile, err)
	}
	doc, err := libopenapi.NewDocument(got)
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := schema_validation.ValidateOpenAPIDocument(doc); !ok {
		for _, e := range errs {
			t.Errorf("the document is not OpenAPI 3.1: %s %v", e, e.SchemaValidationErrors)
		}
	}
	w := newWorld(t, nil)
	r := w.ask(http.MethodGet, gateway.Path+"openapi.json", "")
	if r.Code != http.StatusOK || r.Body.String() != string(got) {
		t.Errorf("it is served with %d", r.Code)
	}
	again := w.ask(http.MethodGet, gateway.Path+"openapi.json", "", "If-None-Match", r.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("it is served again with %d", again.Code)
	}
}

// An operation is one of the document.
type operation struct {
	method, path string
	scope        access.Scope
	open, acts   bool
	body         string
	once         bool
}

// bodies are sound ones of what takes one.
var bodies = map[string]string{
	"makeUser": `{"external_id":"u-1"}`, "makeLinks": `{"text":"https://item.jd.com/100012043978.html"}`,
	"requestWithdrawal": `{"amount_fen":100}`, "claimOrder": `{"number":"123"}`, "proveClaim": `{"paid_fen":1,"day":"2026-03-01"}`,
	"appealClaim": `{"words":"x"}`, "setPayee": `{"method":"alipay","account":"a@example.com","name":"王"}`,
}

// operations reads the document, so that nothing that is routed is forgotten here.
func operations(t *testing.T) (out []operation) {
	t.Helper()
	text, err := gateway.Document()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID         string `json:"operationId"`
			Scope      string `json:"x-scope"`
			Security   []any  `json:"security"`
			Parameters []struct{ Name string }
			Body       any `json:"requestBody"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, d := range methods {
			o := operation{
				method: strings.ToUpper(method), path: strings.ReplaceAll(gateway.Path+path[1:], "{id}", "3"), scope: access.Scope(d.Scope),
				open: d.Security != nil, body: bodies[d.ID],
			}
			if strings.Contains(path, "claims/{id}") {
				o.path = strings.Replace(o.path, "/3/", "/1/", 1)
			}
			for _, p := range d.Parameters {
				o.acts = o.acts || p.Name == "X-Fanli-User"
				o.once = o.once || p.Name == "Idempotency-Key"
			}
			if (d.Body != nil) != (o.body != "") {
				t.Errorf("bodies has nothing for %s", d.ID)
			}
			out = append(out, o)
		}
	}
	if len(out) < 15 {
		t.Fatalf("there are only %d", len(out))
	}
	return out
}

func (o operation) headers(more ...string) []string {
	if o.once {
		more = append(more, "Idempotency-Key", "aaaaaaaa1")
	}
	return more
}

// TestEachEndpointNeedsItsScope asks everything with every scope alone, with all but
// the one that is needed, with none, and without a key.
func TestEachEndpointNeedsItsScope(t *testing.T) {
	t.Parallel()
	for _, o := range operations(t) {
		t.Run(o.method+" "+o.path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			user := ""
			if o.acts {
				user = "u-7"
			}
			try := func(what string, scopes []access.Scope, allowed bool) {
				t.Helper()
				w.key["k"] = access.Key{ID: 1, Client: "acme", Scopes: scopes}
				r := w.ask(o.method, o.path, o.body, o.headers(as("k", user)...)...)
				if allowed && r.Code >= 300 {
					t.Errorf("with %s: %d %s", what, r.Code, r.Body)
				}
				if !allowed {
					p := problem(t, r)
					if p.Status != http.StatusForbidden || p.Reason != "api.scope" || p.Field != string(o.scope) && p.Field != string(access.UsersAct) {
						t.Errorf("with %s: %+v", what, p)
					}
				}
			}
			enough := func(scopes ...access.Scope) bool {
				return o.open || (o.scope == "" || slices.Contains(scopes, o.scope)) && (!o.acts || slices.Contains(scopes, access.UsersAct))
			}
			for _, s := range access.Scopes() {
				try(string(s), []access.Scope{s}, enough(s))
				try(string(s)+" and users:act", []access.Scope{s, access.UsersAct}, enough(s, access.UsersAct))
				rest := slices.DeleteFunc(access.Scopes(), func(x access.Scope) bool { return x == s })
				try("all but "+string(s), rest, enough(rest...))
			}
			try("all", access.Scopes(), true)
			did := len(w.did)
			if r := w.ask(o.method, o.path, o.body, o.headers()...); !o.open {
				wantProblem(t, "without a key", r, http.StatusUnauthorized, "api.unauthenticated", "Authorization")
				wantProblem(t, "with a wrong key", w.ask(o.method, o.path, o.body, o.headers(as("nobody", user)...)...), http.StatusUnauthorized, "access.key", "")
			} else if r.Code != http.StatusOK {
				t.Errorf("without a key: %d", r.Code)
			}
			if len(w.did) != did {
				t.Errorf("somebody did %v", w.did[did:])
			}
		})
	}
}

// TestNobodyActsForAnothersUsers: a client's key reaches the client's users, a user's
// key that user.
func TestNobodyActsForAnothersUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const path = gateway.Path + "wallet"
	for _, tt := range []struct {
		name, key, user string
		did             string
		status          int
		reason          string
	}{
		{"own user", "acme", "u-7", "user/7 wallet", 200, ""},
		{"the other's own user", "other", "u-8", "user/8 wallet", 200, ""},
		{"another's user", "acme", "u-8", "", 404, "api.no_such_user"},
		{"another's, the other way", "other", "u-7", "", 404, "api.no_such_user"},
		{"somebody of an issuer", "acme", "u-9", "", 404, "api.no_such_user"},
		{"nobody", "acme", "", "", 400, "api.user_missing"},
		{"no name at all", "acme", "u 7", "", 400, "api.user_form"},
		{"too long", "acme", strings.Repeat("x", 101), "", 400, "api.user_form"},
		{"a user's key", "own", "", "user/7 wallet", 200, ""},
		{"a user's key that names somebody", "own", "u-7", "", 400, "api.user_fixed"},
	} {
		w.did = nil
		r := w.ask(http.MethodGet, path, "", as(tt.key, tt.user)...)
		if tt.status == 200 {
			if r.Code != 200 || !slices.Equal(w.did, []string{tt.did}) {
				t.Errorf("%s: %d, did %v", tt.name, r.Code, w.did)
			}
			continue
		}
		if p := problem(t, r); p.Status != tt.status || p.Reason != tt.reason || len(w.did) > 0 {
			t.Errorf("%s: %+v, did %v", tt.name, p, w.did)
		}
	}
	two := w.ask(http.MethodGet, path, "", append(as("acme", "u-7"), "X-Fanli-User", "u-8")...)
	wantProblem(t, "two users", two, 400, "api.user_missing", "X-Fanli-User")
	wantProblem(t, "a key from elsewhere", w.ask(http.MethodGet, path, "", as("bound", "u-7")...), 403, "access.address", "")
	wantProblem(t, "a user's key makes users", w.ask(http.MethodPost, gateway.Path+"users", `{"external_id":"x"}`, as("own", "")...), 403, "api.scope", "users:write")
	w.key["odd"] = access.Key{ID: 9, Client: "acme", User: 7, Scopes: access.Scopes()} // access does not make such keys
	wantProblem(t, "a user's key with too much", w.ask(http.MethodPost, gateway.Path+"users", `{"external_id":"x"}`, as("odd", "")...), 403, "api.scope", "users:write")
}

// TestWithdrawalsHaveAKeyOfTheirOwn: two clients, or two users, that use the same
// Idempotency-Key do not meet.
func TestWithdrawalsHaveAKeyOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const path = gateway.Path + "withdrawals"
	ask := func(key, user, body string, more ...string) int {
		return w.ask(http.MethodPost, path, body, append(as(key, user), more...)...).Code
	}
	for _, body := range []string{`{"amount_fen":100}`, `{"all":true}`} {
		for _, who := range [][2]string{{"acme", "u-7"}, {"other", "u-8"}} {
			if status := ask(who[0], who[1], body, "Idempotency-Key", "abcdefgh"); status != http.StatusCreated {
				t.Errorf("%v %s: %d", who, body, status)
			}
		}
	}
	want := []string{
		"user/7 withdraw 1.00 api/acme/7/abcdefgh", "user/8 withdraw 1.00 api/other/8/abcdefgh",
		"user/7 withdraw 0.00 api/acme/7/abcdefgh", "user/8 withdraw 0.00 api/other/8/abcdefgh",
	}
	if !slices.Equal(w.did, want) {
		t.Errorf("did %q", w.did)
	}
	w.did = nil
	for _, key := range []string{"", "short", "with a space", "schlüssel", strings.Repeat("x", 101)} {
		r := w.ask(http.MethodPost, path, `{"amount_fen":100}`, append(as("acme", "u-7"), "Idempotency-Key", key)...)
		wantProblem(t, key, r, 400, "api.idempotency_key", "Idempotency-Key")
	}
	for _, body := range []string{`{}`, `{"amount_fen":0}`, `{"amount_fen":-1}`, `{"amount_fen":1,"all":true}`, `{"all":false}`} {
		r := w.ask(http.MethodPost, path, body, append(as("acme", "u-7"), "Idempotency-Key", "abcdefgh")...)
		wantProblem(t, body, r, 422, "api.amount", "amount_fen")
	}
	if len(w.did) > 0 {
		t.Errorf("did %v", w.did)
	}
	r := w.ask(http.MethodPost, path, `{"amount_fen":99}`, append(as("acme", "u-7"), "Idempotency-Key", "abcdefgh")...) // 100 was asked for
	wantProblem(t, "another amount", r, 409, "api.idempotency_reused", "Idempotency-Key")
}

func TestWhatIsWrongIsSaidAndCausesAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for code, status := range map[fault.Code]int{
		fault.Invalid: 422, fault.NotFound: 404, fault.Conflict: 409, fault.Denied: 403, fault.Insufficient: 409, fault.Limited: 429,
		fault.Unavailable: 503, fault.Unknown: 502, fault.Internal: 500, "": 500,
	} {
		w.err = fault.Newf(code, "withdraw.debt", "the cause is in table payment_entries")
		r := w.ask(http.MethodGet, gateway.Path+"wallet", "", append(as("acme", "u-7"), "Accept-Language", "en-GB,de;q=0.5")...)
		p := problem(t, r)
		if p.Status != status || p.Reason != "withdraw.debt" || !strings.HasPrefix(p.Detail, "en ") || strings.Contains(r.Body.String(), "cause") {
			t.Errorf("%s: %+v", code, p)
		}
		if waits := r.Header().Get("Retry-After") != ""; waits != (status == 429 || status == 503) {
			t.Errorf("%s: Retry-After is there: %v", code, waits)
		}
		if !strings.Contains(w.log.String(), "request="+p.Request) || !strings.Contains(w.log.String(), "payment_entries") {
			t.Errorf("the log does not have what happened: %s", w.log.String())
		}
	}
	w.err = nil
	w.stop = &fault.Error{Code: fault.Unavailable, Reason: control.Stopped, Err: &control.StoppedError{Switch: control.Switch{Scope: control.ReadOnly}}}
	for _, o := range operations(t) {
		if o.method == http.MethodGet || !o.acts || strings.HasSuffix(o.path, "/withdrawals") { // where the desk itself looks, in its transaction
			continue
		}
		w.did = nil
		if r := w.ask(o.method, o.path, o.body, o.headers(as("acme", "u-7")...)...); r.Code != 503 || len(w.did) > 0 {
			t.Errorf("%s %s while everything stands still: %d, did %v", o.method, o.path, r.Code, w.did)
		}
	}
}

// TestWhatIceHides: a claim that waits on ice looks like one of which nothing is
// known.
func TestWhatIceHides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, r := range []string{
		w.ask(http.MethodPost, gateway.Path+"claims", `{"number":"123"}`, as("acme", "u-7")...).Body.String(),
		w.ask(http.MethodGet, gateway.Path+"claims", "", as("acme", "u-7")...).Body.String(),
	} {
		if strings.Contains(r, "iced") || !strings.Contains(r, `"state":"waiting"`) {
			t.Error(r)
		}
	}
}

func TestNothingPersonalIsShownOrKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := w.ask(http.MethodGet, gateway.Path+"payee", "", as("acme", "u-7")...)
	if strings.Contains(r.Body.String(), "secret@") || strings.Contains(r.Body.String(), "王小明") || !strings.Contains(r.Body.String(), "s****@example.com (*明)") {
		t.Error(r.Body)
	}
	for _, o := range operations(t) {
		h := w.ask(o.method, o.path, o.body, o.headers(as("acme", map[bool]string{true: "u-7"}[o.acts])...)...).Header()
		if !o.open && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be kept: %v", o.method, o.path, h)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: %v", o.method, o.path, h)
		}
	}
	if text := w.log.String(); strings.Contains(text, "u-7") || strings.Contains(text, "Bearer") || strings.Contains(text, "example.com") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestPathsThatAreNone: what is not there is said as everything else.
func TestPathsThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	wantProblem(t, "no such path", w.ask(http.MethodGet, gateway.Path+"nothing", ""), 404, "api.no_such_path", "")
	wantProblem(t, "the path itself", w.ask(http.MethodGet, gateway.Path, ""), 404, "api.no_such_path", "")
	r := w.ask(http.MethodDelete, gateway.Path+"payee", "")
	wantProblem(t, "no such method", r, 405, "api.method", "")
	if got := r.Header().Get("Allow"); got != "GET, PUT" {
		t.Errorf("Allow is %q", got)
	}
	for _, id := range []string{"0", "-1", "x", "03", "1.0", "99999999999999999999", "%20"} {
		wantProblem(t, id, w.ask(http.MethodGet, gateway.Path+"orders/"+id, "", as("acme", "u-7")...), 404, "api.id", "id")
	}
	wantProblem(t, "not this user's", w.ask(http.MethodGet, gateway.Path+"orders/4", "", as("acme", "u-7")...), 404, "api.no_such_order", "id")
	wantProblem(t, "not this user's", w.ask(http.MethodPost, gateway.Path+"claims/4/appeal", `{}`, as("acme", "u-7")...), 404, "api.no_such_claim", "id")
}

func TestQueriesAreStrict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for query, want := range map[string][2]string{
		"orders?x=1": {"api.query", "x"}, "orders?limit=1&limit=2": {"api.query", "limit"}, "wallet?limit=1": {"api.query", "limit"},
		"withdrawals?cursor=x": {"api.cursor", "cursor"}, "payee?cursor=x": {"api.query", "cursor"}, "orders?limit=0": {"api.page_size", "limit"}, "orders?limit=101": {"api.page_size", "limit"},
		"orders?limit=": {"api.page_size", "limit"}, "orders?cursor=": {"api.cursor", "cursor"}, "orders?cursor=MQ": {"api.cursor", "cursor"},
		"orders?%zz": {"api.query", ""}, "orders?a;b": {"api.query", ""},
	} {
		wantProblem(t, query, w.ask(http.MethodGet, gateway.Path+query, "", as("acme", "u-7")...), 400, want[0], want[1])
	}
	if r := w.ask(http.MethodGet, gateway.Path+"orders?limit=100&cursor="+gateway.Cursor(42), "", as("acme", "u-7")...); r.Code != 200 || w.did[0] != "user/7 orders before 42" {
		t.Errorf("%d, did %v", r.Code, w.did)
	}
	wantProblem(t, "a body of what has none", w.ask(http.MethodGet, gateway.Path+"wallet", `{}`, as("acme", "u-7")...), 400, "api.no_body", "")
}

// TestLinksAreMadeAsFarAsTheyCan: one that cannot be made does not spoil the others,
// and one that panics nothing.
func TestLinksAreMadeAsFarAsTheyCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const good, panics = "https://item.jd.com/100012043978.html", "https://item.jd.com/100012043970.html"
	ask := func(text string) *gateway.Links {
		body, _ := json.Marshal(map[string]string{"text": text})
		r := w.ask(http.MethodPost, gateway.Path+"links", string(body), as("acme", "u-7")...)
		var out gateway.Links
		if r.Code != 200 || json.Unmarshal(r.Body.Bytes(), &out) != nil {
			t.Fatalf("%d %s", r.Code, r.Body)
		}
		return &out
	}
	out := ask(good + " " + panics + " " + good)
	if len(out.Results) != 2 || out.Results[0].Link == nil || out.Results[1].Problem == nil || out.Results[1].Problem.Code != "internal" {
		t.Errorf("%+v", out.Results)
	}
	if !strings.Contains(w.log.String(), "divided by zero") {
		t.Error("the log does not know of the panic")
	}
	for text, want := range map[string][2]string{
		`{"text":""}`: {"api.text", "text"}, `{"text":" \n"}`: {"api.text", "text"}, `{"text":"hello"}`: {"api.nothing_found", "text"},
		`{"text":"` + strings.Repeat("好", 4001) + `"}`: {"api.text", "text"}, `{"text":"123456789012"}`: {"api.nothing_found", "text"},
	} {
		wantProblem(t, text[:min(len(text), 40)], w.ask(http.MethodPost, gateway.Path+"links", text, as("acme", "u-7")...), 422, want[0], want[1])
	}
	wantProblem(t, "only one that panics", w.ask(http.MethodPost, gateway.Path+"links", `{"text":"`+panics+`"}`, as("acme", "u-7")...), 500, "", "")
}

// TestLimitsAreApart: an address, a caller and a user have limits of their own.
func TestLimitsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *gateway.Options, _ *gateway.EdgeOptions) {
		o.Limits = gateway.Limits{Address: gateway.Limit{PerMinute: 60, Burst: 10}, Caller: gateway.Limit{PerMinute: 60, Burst: 4}, User: gateway.Limit{PerMinute: 60, Burst: 2}}
	})
	ask := func(key, user, from string) int {
		r := w.ask(http.MethodGet, gateway.Path+"wallet", "", append(as(key, user), "remote", from+":1")...)
		if r.Code == 429 {
			wantProblem(t, "too much", r, 429, "api.rate", "")
			if r.Header().Get("Retry-After") != "1" {
				t.Errorf("Retry-After is %q", r.Header().Get("Retry-After"))
			}
		}
		return r.Code
	}
	steps := []struct {
		key, user, from string
		status          int
	}{
		{"acme", "u-7", "192.0.2.1", 200}, {"acme", "u-7", "192.0.2.2", 200}, {"acme", "u-7", "192.0.2.3", 429}, // the user's
		{"own", "", "192.0.2.3", 429},        // by another key, too
		{"other", "u-8", "192.0.2.3", 200},   // another's are another's
		{"acme", "nobody", "192.0.2.3", 404}, // the caller's fourth
		{"acme", "nobody", "192.0.2.3", 429}, // the caller's
		{"nobody", "", "192.0.2.9", 401},
	}
	for i, s := range steps {
		if got := ask(s.key, s.user, s.from); got != s.status {
			t.Errorf("step %d: %d, want %d", i, got, s.status)
		}
	}
	for i := range 11 {
		want := 401
		if i >= 10 {
			want = 429
		}
		if got := ask("nobody", "", "192.0.2.50"); got != want {
			t.Errorf("guess %d: %d", i, got)
		}
	}
	w.at = w.at.Add(time.Second)
	if got := ask("acme", "u-7", "192.0.2.1"); got != 200 {
		t.Errorf("a second later: %d", got)
	}
}

// TestEveryRefusalHasWords walks the code: each reason that this package makes up has
// a sentence in both languages, and no sentence is for nothing.
func TestEveryRefusalHasWords(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"access.key": true, "access.address": true}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") || f.Name() == "texts.go" || !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(api\.[a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
	}
	texts := gateway.Texts()
	for reason := range used {
		if pair := texts[reason]; pair[0] == "" || pair[1] == "" || pair[0] == pair[1] {
			t.Errorf("%s has no sentence", reason)
		}
	}
	for reason := range texts {
		if !used[reason] {
			t.Errorf("nobody says %s", reason)
		}
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for said, want := range map[string]string{
		"": "zh", "en": "en", "en-US,en;q=0.9,zh;q=0.8": "en", "zh-TW": "zh", "de": "zh", "fr, en;q=0.2": "en", "*": "zh", "!!": "zh",
		strings.Repeat("en,", 400): "zh",
	} {
		r := w.ask(http.MethodGet, gateway.Path+"me", "", "Accept-Language", said)
		if got := r.Header().Get("Content-Language"); got != want {
			t.Errorf("%.20q reads %s, want %s", said, got, want)
		}
		if english := strings.HasPrefix(problem(t, r).Detail, "Send"); english != (want == "en") {
			t.Errorf("%.20q: %s", said, r.Body)
		}
	}
}
