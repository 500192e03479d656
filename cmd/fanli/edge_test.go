package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// An edge is a real process in the sandbox, as an attacker meets it.
type edge struct {
	p    *process
	base string
	c    *caller
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	p := launch(t, nil, serveArgs([]string{"--data", memoryDir(t)})...)
	e := &edge{p: p, base: p.mustReady(t)}
	e.c = callerAt(e.base)
	e.c.mustAsk(t, "你好")
	return e
}

// do makes a request with the session of a visitor; headers are pairs.
func (e *edge) do(t *testing.T, method, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", e.c.session)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := e.c.http.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp
}

// wantWell asks something that only a whole system can answer.
func (e *edge) wantWell(t *testing.T) {
	t.Helper()
	if r := e.c.mustAsk(t, "https://item.jd.com/100012043978.html"); shopLink(r) == "" {
		t.Errorf("afterwards the answer is %+v", r)
	}
	if text := e.p.log.String(); strings.Contains(text, "panic") {
		t.Errorf("the log says\n%s", text)
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	e := newEdge(t)
	const messages = "/api/messages"
	good := `{"id":"aaaaaaaa1","text":"x"}`
	for _, tt := range []struct {
		name, method, path string
		body               io.Reader
		headers            []string
		want               []int
	}{
		{"a body of ten megabytes", "POST", messages, strings.NewReader(`{"id":"aaaaaaaa1","text":"` + strings.Repeat("x", 10<<20) + `"}`), nil, []int{413}},
		{"a body without an end", "POST", messages, io.MultiReader(strings.NewReader(`{"text":"`), endless{}), nil, []int{413}},
		{"garbage", "POST", messages, strings.NewReader("\x00\xff{{{"), nil, []int{400}},
		{"no body", "POST", messages, http.NoBody, nil, []int{400}},
		{"nested a hundred thousand deep", "POST", messages, strings.NewReader(strings.Repeat("[", 60_000)), nil, []int{400}},
		{"not JSON by its own words", "POST", messages, strings.NewReader(good), []string{"Content-Type", "text/plain"}, []int{415}},
		{"nobody's session", "POST", messages, strings.NewReader(good), []string{"Cookie", "fanli_session=../../etc/passwd"}, []int{401}},
		{"from another site", "POST", messages, strings.NewReader(good), []string{"Sec-Fetch-Site", "cross-site"}, []int{403}},
		{"a message that is looked at", "GET", messages, nil, nil, []int{405}},
		{"a message that is deleted", "DELETE", messages, nil, nil, []int{405}},
		{"a page that is put", "PUT", "/", strings.NewReader(good), nil, []int{404, 405}},
		{"a stream that is posted", "POST", "/api/events", strings.NewReader(good), nil, []int{405}},
		{"a stream from nowhere", "GET", "/api/events?after=x", nil, nil, []int{400}},
		{"a stream from before the beginning", "GET", "/api/events?after=-1", nil, nil, []int{400}},
		{"a stream of nobody", "GET", "/api/events", nil, []string{"Cookie", ""}, []int{401}},
		{"health that is posted", "POST", "/livez", strings.NewReader(good), nil, []int{405}},
		{"readiness that is deleted", "DELETE", "/readyz", nil, nil, []int{405}},
		{"below health", "GET", "/livez/x", nil, nil, []int{404}},
		{"nothing", "GET", "/nothing", nil, nil, []int{404}},
		{"a file of the machine", "GET", "/assets/%2e%2e/%2e%2e/etc/passwd", nil, nil, []int{301, 307, 400, 404}},
		{"an invented method", "BREW", "/api/messages", nil, nil, []int{405}},
		{"a header of a megabyte", "GET", "/", nil, []string{"X-Long", strings.Repeat("x", 1<<20)}, []int{431}},
		{"a gateway that is fed garbage", "POST", "/fake/jd/routerjson", strings.NewReader("\x00\xff"), nil, []int{200, 400}},
		{"a payer that is fed a megabyte", "POST", "/fake/alipay/gateway.do", strings.NewReader(strings.Repeat("x", 1<<20)), nil, []int{413}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := e.do(t, tt.method, tt.path, tt.body, tt.headers...)
			ok := false
			for _, s := range tt.want {
				ok = ok || resp.StatusCode == s
			}
			if !ok {
				t.Errorf("status %d, want one of %v", resp.StatusCode, tt.want)
			}
		})
	}
	e.wantWell(t)
}

// TestSlowRequests opens connections that never finish what they say. They are
// closed, and others are served meanwhile.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	e := newEdge(t)
	host := strings.TrimPrefix(e.base, "http://")
	const half = "POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nCookie: %s\r\n"
	var waiting []net.Conn
	for _, text := range []string{
		"POST /api/mess", fmt.Sprintf(half, e.c.session), fmt.Sprintf(half, e.c.session) + "\r\n{\"id\":", "GET /fake/jd HTTP/1.1\r\nX: ",
		"POST /fake/jd/routerjson HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx=",
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, conn)
	}
	e.wantWell(t)
	for i, conn := range waiting {
		_ = conn.SetReadDeadline(time.Now().Add(readTimeout + patience/2))
		if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("connection %d may wait for ever", i)
		}
	}
}

// TestGarbageOnTheWire sends what is no HTTP at all.
func TestGarbageOnTheWire(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	e := newEdge(t)
	for _, text := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", strings.Repeat("A", 100_000) + "\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"POST /api/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, text) // it may hang up before the end
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			if resp.StatusCode < 400 || resp.StatusCode >= 500 && resp.StatusCode != http.StatusHTTPVersionNotSupported {
				t.Errorf("%.40q is answered with %s", text, resp.Status)
			}
			_ = resp.Body.Close()
		}
		_ = conn.Close()
	}
	e.wantWell(t)
}

// Browsers are told to insist on https where people reach us so, and only there.
func TestHTTPSIsInsistedOn(t *testing.T) {
	t.Parallel()
	for secure, want := range map[bool]string{true: "max-age=31536000", false: ""} {
		w := httptest.NewRecorder()
		(&server{secure: secure}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/livez", nil))
		if got := w.Header().Get("Strict-Transport-Security"); got != want || w.Code != http.StatusOK {
			t.Errorf("secure %t: %d, %q", secure, w.Code, got)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	e := newEdge(t)
	pages := []string{"/", "/api/messages", "/nothing", "/shop", "/control"}
	for _, path := range append(pages, "/livez", "/readyz", "/fake/jd/routerjson") {
		h := e.do(t, http.MethodGet, path, nil).Header
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
		if h.Get("Server") != "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s says too much: %v", path, h)
		}
	}
	for _, path := range pages {
		h := e.do(t, http.MethodGet, path, nil).Header
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if got := h.Get("Referrer-Policy"); got != "no-referrer" && got != "same-origin" {
			t.Errorf("%s: Referrer-Policy is %q", path, got)
		}
	}
	resp := e.do(t, http.MethodGet, "/", nil)
	cookie := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the session's cookie %q has no %s", cookie, want)
		}
	}
}
