package binding_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/bot/binding"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/order"
)

func noon() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }

// A world is a shop and a book that say what the test wants.
type world struct {
	now   time.Time
	key   string
	log   strings.Builder
	spent map[string]bool
	bound map[string]int64
	asked []string // codes
	shop  error
	book  error
}

func (w *world) AuthorizeURL(back, state string) string {
	return "https://shop.example/authorize?" + url.Values{"redirect_uri": {back}, "state": {state}}.Encode()
}

func (w *world) Member(_ context.Context, code string) (string, error) {
	w.asked = append(w.asked, code)
	return "member/2345678901", w.shop
}

func (w *world) SpendTicket(_ context.Context, ticket string, until time.Time) error {
	if !until.After(w.now) || w.spent[ticket] {
		return fault.New(fault.Conflict, "member.spent")
	}
	w.spent[ticket] = true
	return nil
}

func (w *world) BindMember(_ context.Context, network, tag string, user int64) (order.Member, error) {
	if w.book != nil {
		return order.Member{}, w.book
	}
	w.bound[network+" "+tag] = user
	return order.Member{Network: network, Tag: tag, User: user}, nil
}

func open(t *testing.T) (*world, *binding.Page) {
	t.Helper()
	w := &world{now: noon(), key: strings.Repeat("k", 32), spent: map[string]bool{}, bound: map[string]int64{}}
	return w, w.page(t)
}

func (w *world) page(t *testing.T) *binding.Page {
	t.Helper()
	p, err := binding.New(binding.Options{
		Key: []byte(w.key), Base: "https://fanli.example/", TTL: 15 * time.Minute, Network: "taobao", Shop: w, Book: w,
		Now: func() time.Time { return w.now }, Log: logtest.New(&w.log),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(p *binding.Page, address, agent, language string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, http.NoBody)
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", language)
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	return rec
}

// want judges a page by its status and its state.
func want(t *testing.T, what string, rec *httptest.ResponseRecorder, status int, state string, with ...string) {
	t.Helper()
	body := rec.Body.String()
	if rec.Code != status || !strings.Contains(body, `data-state="`+state+`"`) {
		t.Errorf("%s: status %d, want %d and %q:\n%s", what, rec.Code, status, state, body)
	}
	for _, s := range with {
		if !strings.Contains(body, s) {
			t.Errorf("%s does not have %q", what, s)
		}
	}
}

// state is what the page of an address hands to the shop.
func (w *world) state(t *testing.T, p *binding.Page, address string) string {
	t.Helper()
	body := get(p, address, "Firefox", "zh").Body.String()
	_, rest, ok := strings.Cut(body, `href="https://shop.example/authorize?`)
	query, _, _ := strings.Cut(rest, `"`)
	q, err := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
	if !ok || err != nil || q.Get("state") == "" || q.Get("redirect_uri") != "https://fanli.example"+binding.BackPath {
		t.Fatalf("the page leads to %v, %v:\n%s", q, err, body)
	}
	return q.Get("state")
}

func back(state string, more ...string) string {
	q := url.Values{"state": {state}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return binding.BackPath + "?" + q.Encode()
}

func TestBinding(t *testing.T) {
	t.Parallel()
	w, p := open(t)
	address, until := p.URL(7)
	if !until.Equal(noon().Add(15*time.Minute)) || !strings.HasPrefix(address, "https://fanli.example"+binding.Path) {
		t.Errorf("the address is %s until %s", address, until)
	}
	for range 3 { // previews
		want(t, "the page", get(p, address, "Firefox", "zh-CN"), 200, "ask", "去淘宝授权", "别人发给你的", `lang="zh-CN"`, "viewport")
	}
	want(t, "in English", get(p, address, "Firefox", "en"), 200, "ask", "Allow it at Taobao", `lang="en"`)
	want(t, "in English, if asked", get(p, address+"?lang=en", "Firefox", "zh"), 200, "ask", "Allow it at Taobao")
	inside := get(p, address, "iPhone MicroMessenger/8.0", "zh")
	want(t, "in WeChat", inside, 200, "ask", "在浏览器打开")
	if strings.Contains(inside.Body.String(), "shop.example") {
		t.Error("in WeChat the page leads to where WeChat does not go")
	}
	state := w.state(t, p, address)
	want(t, "who refuses", get(p, back(state, "error", "access_denied"), "", "zh"), 200, "refused", "你没有授权")
	if len(w.spent)+len(w.asked) != 0 {
		t.Error("looking and refusing use something up")
	}
	w.now = noon().Add(14 * time.Minute)
	want(t, "who allows it", get(p, back(state, "code", "c-1"), "", "zh"), 200, "done", "绑定好了", "23****01")
	if w.bound["taobao member/2345678901"] != 7 {
		t.Errorf("bound are %v", w.bound)
	}
	want(t, "the same once more", get(p, back(state, "code", "c-1"), "", "zh"), 409, "spent", "用过了")
	want(t, "the same in English", get(p, back(state, "code", "c-2"), "", "en"), 409, "spent", "was used")
	if len(w.asked) != 1 {
		t.Errorf("the shop was asked about %v", w.asked)
	}
}

// Whatever is wrong with an address or a state, the same page says so, and neither shop
// nor book is asked.
func TestWrongTickets(t *testing.T) {
	t.Parallel()
	w, p := open(t)
	address, _ := p.URL(7)
	token, state := strings.TrimPrefix(address, "https://fanli.example"+binding.Path), w.state(t, p, address)
	stranger := &world{now: noon(), key: strings.Repeat("x", 32)}
	foreign, _ := stranger.page(t).URL(7)
	foreignState := stranger.state(t, stranger.page(t), foreign)
	wrong := func(good, theirs, other string) map[string]string {
		out := map[string]string{"none": "", "a number": "7", "shorter": good[:len(good)-4], "longer": good + "AAAA", "signed for the other use": other, "of another key": theirs}
		for _, i := range []int{0, 12, 30, len(good) - 2} {
			c := byte('A')
			if good[i] == c {
				c = 'B'
			}
			out["changed at "+string(rune('a'+i%26))] = good[:i] + string(c) + good[i+1:]
		}
		return out
	}
	for name, s := range wrong(token, strings.TrimPrefix(foreign, "https://fanli.example"+binding.Path), state) {
		want(t, "an address, "+name, get(p, binding.Path+s, "", "zh"), 404, "gone")
	}
	for name, s := range wrong(state, foreignState, token) {
		want(t, "a state, "+name, get(p, back(s, "code", "c-1"), "", "zh"), 404, "gone")
	}
	w.now = noon().Add(15 * time.Minute)
	want(t, "an address that has ended", get(p, address, "", "zh"), 404, "gone")
	want(t, "a state that has ended", get(p, back(state, "code", "c-1"), "", "zh"), 404, "gone")
	if len(w.spent)+len(w.asked)+len(w.bound) != 0 {
		t.Errorf("used up are %v, asked %v, bound %v", w.spent, w.asked, w.bound)
	}
}

// What goes wrong behind the page is told kindly, and neither log nor page has a secret.
func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		spoil  func(w *world)
		code   string
		status int
		state  string
		loud   bool
	}{
		{"no code", func(*world) {}, "", 400, "stale", false},
		{"the code is not good", func(w *world) { w.shop = fault.New(fault.Invalid, "member.code") }, "c-secret", 400, "stale", false},
		{"the shop is away", func(w *world) { w.shop = fault.New(fault.Unavailable, "") }, "c-secret", 503, "later", true},
		{"the shop has no time", func(w *world) { w.shop = fault.New(fault.Limited, "") }, "c-secret", 503, "later", true},
		{"we have no right", func(w *world) { w.shop = fault.New(fault.Denied, "") }, "c-secret", 503, "later", true},
		{"the book is away", func(w *world) { w.book = fault.New(fault.Unavailable, "") }, "c-secret", 503, "later", true},
		{"it is somebody else's", func(w *world) { w.book = fault.New(fault.Conflict, "member.taken") }, "c-secret", 409, "taken", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, p := open(t)
			address, _ := p.URL(7)
			state := w.state(t, p, address)
			tt.spoil(w)
			rec := get(p, back(state, "code", tt.code), "", "zh")
			want(t, tt.name, rec, tt.status, tt.state)
			if len(w.bound) != 0 {
				t.Errorf("bound are %v", w.bound)
			}
			said := w.log.String()
			if (said != "") != tt.loud {
				t.Errorf("the log has %q", said)
			}
			for _, secret := range []string{"c-secret", state, strings.TrimPrefix(address, "https://fanli.example"+binding.Path)} {
				if strings.Contains(said, secret) || strings.Contains(rec.Body.String(), secret) {
					t.Errorf("log or page have %q", secret)
				}
			}
		})
	}
}

// Every answer keeps itself to itself, and only GET binds.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w, p := open(t)
	address, _ := p.URL(7)
	state := w.state(t, p, address)
	for _, path := range []string{address, back(state, "error", "x"), binding.Path + "x"} {
		h := get(p, path, "", "zh").Header()
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
			if h.Get(name) != want {
				t.Errorf("%s is %q", name, h.Get(name))
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("the policy is %q", csp)
		}
	}
	for method, paths := range map[string][]string{http.MethodPost: {address, back(state, "code", "c")}, http.MethodHead: {back(state, "code", "c")}} {
		for _, path := range paths {
			rec := httptest.NewRecorder()
			p.ServeHTTP(rec, httptest.NewRequest(method, path, http.NoBody))
			if rec.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s of a page: status %d", method, rec.Code)
			}
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("the shop was asked about %v", w.asked)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	w, _ := open(t)
	good := binding.Options{Key: []byte(w.key), Base: "https://fanli.example", TTL: time.Minute, Network: "taobao", Shop: w, Book: w, Now: noon, Log: logtest.New(nil)}
	for name, spoil := range map[string]func(o *binding.Options){
		"a short key": func(o *binding.Options) { o.Key = o.Key[:31] }, "no shop": func(o *binding.Options) { o.Shop = nil }, "no book": func(o *binding.Options) { o.Book = nil },
		"too short": func(o *binding.Options) { o.TTL = time.Second }, "too long": func(o *binding.Options) { o.TTL = 2 * time.Hour }, "no base": func(o *binding.Options) { o.Base = "fanli" },
		"no network": func(o *binding.Options) { o.Network = "" },
	} {
		o := good
		spoil(&o)
		if _, err := binding.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := binding.New(good); err != nil {
		t.Error(err)
	}
}
