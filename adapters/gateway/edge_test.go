package gateway_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/gateway"
	"fanli/core/logtest"
)

// pass lets one request through an edge to handle.
func pass(t *testing.T, o gateway.EdgeOptions, handle http.HandlerFunc, remote, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	if o.Log == nil {
		o.Log = logtest.New(nil)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(strings.Repeat("x", 100)))
	r.RemoteAddr = remote
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	gateway.NewEdge(o).Wrap(handle).ServeHTTP(out, r)
	return out
}

func nets(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// TestOnlyTheWordOfProxiesCounts: whoever is connected is who asks, unless it is one
// of ours that tells otherwise; what strangers write in front does not count.
func TestOnlyTheWordOfProxiesCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		proxies []netip.Prefix
		remote  string
		said    []string
		want    string
	}{
		{nil, "192.0.2.7:1", nil, "192.0.2.7"},
		{nil, "192.0.2.7:1", []string{"198.51.100.1"}, "192.0.2.7"},
		{nets("10.0.0.0/8"), "192.0.2.7:1", []string{"198.51.100.1"}, "192.0.2.7"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // the first is made up
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"203.0.113.9", "198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"nonsense, 10.2.2.2"}, "10.2.2.2"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", nil, "10.1.1.1"},
		{nets("10.0.0.0/8"), "[::ffff:10.1.1.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"10.3.3.3"}, "10.3.3.3"},
		{nets("10.0.0.0/8"), "10.1.1.1:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{nil, "[2001:db8::1%eth0]:1", nil, "2001:db8::1%eth0"},
		{nil, "a socket", nil, "invalid IP"},
	} {
		var got string
		var headers []string
		for _, s := range tt.said {
			headers = append(headers, "X-Forwarded-For", s)
		}
		pass(t, gateway.EdgeOptions{Proxies: tt.proxies}, func(_ http.ResponseWriter, r *http.Request) { got = gateway.Address(r.Context()).String() }, tt.remote, "/", headers...)
		if got != tt.want {
			t.Errorf("%s by way of %v, proxies %v: %s, want %s", tt.remote, tt.said, tt.proxies, got, tt.want)
		}
	}
}

// TestEveryRequestHasAnID: that of the caller where it may stand in a log, else ours.
func TestEveryRequestHasAnID(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"", "short", "abcdefgh-1.2_3", strings.Repeat("x", 64), strings.Repeat("x", 65), "line\nbreak-1", "<script>1", "umläut-123"} {
		var inside, handed string
		r := pass(t, gateway.EdgeOptions{}, func(_ http.ResponseWriter, r *http.Request) {
			inside, handed = gateway.RequestID(r.Context()), r.Header.Get("X-Request-Id")
		}, "192.0.2.7:1", "/", "X-Request-Id", said)
		kept := said == "abcdefgh-1.2_3" || len(said) == 64
		if (inside == said) != kept || len(inside) < 8 || handed != inside || r.Header().Get("X-Request-Id") != inside {
			t.Errorf("%q became %q, handed on as %q, answered as %q", said, inside, handed, r.Header().Get("X-Request-Id"))
		}
	}
}

// TestAPanicIsTheEndOfOneRequest: the caller hears of it if nothing was said yet, and
// otherwise the connection breaks.
func TestAPanicIsTheEndOfOneRequest(t *testing.T) {
	t.Parallel()
	const page = "/pay/confirm/T0k3n-that-opens-a-page"
	logtest.Secret(page[len("/pay/confirm/"):])
	var log strings.Builder
	o := gateway.EdgeOptions{Log: logtest.New(&log)}
	ends := map[string]http.HandlerFunc{
		page: func(http.ResponseWriter, *http.Request) { panic("a nil map with a secret cause") },
		"/half": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("half ", 2000))
			panic("x")
		},
		"/gone": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	s := httptest.NewServer(gateway.NewEdge(o).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ends[r.URL.Path](w, r) })))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(s.Close)
	r, err := s.Client().Get(s.URL + page)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if r.StatusCode != 500 || err != nil || strings.Contains(string(body), "secret") || !strings.Contains(string(body), r.Header.Get("X-Request-Id")) {
		t.Errorf("%d %s %v", r.StatusCode, body, err)
	}
	if text := log.String(); !strings.Contains(text, "secret cause") || !strings.Contains(text, "path=/pay/confirm/… ") || !strings.Contains(text, r.Header.Get("X-Request-Id")) {
		t.Errorf("the log says %s", text)
	}
	if r, err = s.Client().Get(s.URL + "/half"); err == nil {
		_, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks like a whole one")
	}
	if r, err = s.Client().Get(s.URL + "/gone"); err == nil {
		_ = r.Body.Close()
		t.Error("one that was given up looks like an answer")
	}
}

func TestOneAddressCannotTakeAll(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)
	o := gateway.EdgeOptions{
		Everywhere: gateway.Limit{PerMinute: 60, Burst: 2}, Limiter: cache.NewMemory(func() time.Time { return at }),
		Free: func(path string) bool { return path == "/livez" },
	}
	ok := func(http.ResponseWriter, *http.Request) {}
	for i, s := range []struct {
		remote, path string
		status       int
	}{
		{"192.0.2.1:1", "/", 200}, {"192.0.2.1:2", "/", 200}, {"192.0.2.1:3", "/", 429}, {"192.0.2.1:3", "/livez", 200}, {"192.0.2.2:1", "/", 200},
		{"[2001:db8::1]:1", "/", 200}, {"[2001:db8::2]:1", "/", 200}, {"[2001:db8::3]:1", "/", 429}, {"[2001:db8:0:1::1]:1", "/", 200}, // a customer has a /64
	} {
		r := pass(t, o, ok, s.remote, s.path)
		if r.Code != s.status || (r.Header().Get("Retry-After") != "") != (s.status == 429) {
			t.Errorf("step %d: %d %v, want %d", i, r.Code, r.Header(), s.status)
		}
	}
}

func TestBodiesEnd(t *testing.T) {
	t.Parallel()
	for limit, whole := range map[int64]bool{0: true, 100: true, 99: false} {
		pass(t, gateway.EdgeOptions{BodyBytes: limit}, func(_ http.ResponseWriter, r *http.Request) {
			if b, err := io.ReadAll(r.Body); (err == nil && len(b) == 100) != whole {
				t.Errorf("with a limit of %d: %d bytes, %v", limit, len(b), err)
			}
		}, "192.0.2.7:1", "/")
	}
}

// TestOnlyKnownPagesMayAsk: a browser lets the pages of configured origins ask, and
// without any there is nothing of that.
func TestOnlyKnownPagesMayAsk(t *testing.T) {
	t.Parallel()
	const ours, theirs = "https://app.example.com", "https://app.example.com.evil.test"
	known := gateway.EdgeOptions{Origins: []string{ours}}
	for _, tt := range []struct {
		o            gateway.EdgeOptions
		path, origin string
		preflight    bool
		allowed      bool
		reached      bool
	}{
		{known, gateway.Path + "me", ours, true, true, false},
		{known, gateway.Path + "me", ours, false, true, true},
		{known, gateway.Path + "me", theirs, true, false, false},
		{known, gateway.Path + "me", theirs, false, false, true},
		{known, gateway.Path + "me", "null", false, false, true},
		{known, "/", ours, false, false, true},
		{gateway.EdgeOptions{}, gateway.Path + "me", ours, true, false, true},
	} {
		reached := false
		w := newWorld(t, nil)
		tt.o.Log = logtest.New(nil)
		w.edge = gateway.NewEdge(tt.o).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
		headers, method := []string{"Origin", tt.origin}, http.MethodGet
		if tt.preflight {
			method, headers = http.MethodOptions, append(headers, "Access-Control-Request-Method", "PUT")
		}
		h := w.ask(method, tt.path, "", headers...).Header()
		got := h.Get("Access-Control-Allow-Origin")
		if (got == tt.origin) != tt.allowed || got != "" && !tt.allowed || reached != tt.reached || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%+v: %v, reached %v", tt, h, reached)
		}
		if tt.preflight && tt.allowed && !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
			t.Errorf("%v", h)
		}
	}
}

// TestStreamsPass: what is behind the edge can still flush and set deadlines.
func TestStreamsPass(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(gateway.NewEdge(gateway.EdgeOptions{Log: logtest.New(nil)}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Now().Add(time.Minute)), c.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "x")
		if err := c.Flush(); err != nil {
			t.Error(err)
		}
	})))
	t.Cleanup(s.Close)
	r, err := s.Client().Get(s.URL)
	if err != nil || r.StatusCode != 200 {
		t.Errorf("%v, %v", r, err)
	}
	_ = r.Body.Close()
}
