package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"fanli/core/logtest"
)

// A far is a process to which requests are handed on.
type far struct {
	*httptest.Server
	name  string
	asked atomic.Int64
	says  atomic.Pointer[http.HandlerFunc] // instead of its name and what it was sent
}

func newFar(t *testing.T, name string) *far {
	t.Helper()
	f := &far{name: name}
	f.Server = httptest.NewServer(f.server().Handler)
	t.Cleanup(f.Close)
	return f
}

// server is what answers there.
func (f *far) server() *http.Server {
	return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		if say := f.says.Load(); say != nil {
			(*say)(w, r)
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %d", f.name, r.Method, r.URL.Path, len(text))
	})}
}

func (f *far) say(h http.HandlerFunc) { f.says.Store(&h) }

// refusing is an address at which nobody picks up.
func refusing(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// handing returns a gateway's hand to some addresses.
func handing(t *testing.T, at ...string) (http.Handler, *pool) {
	t.Helper()
	log := logtest.New(nil)
	p := newPool(log)
	if err := p.set(at); err != nil {
		t.Fatal(err)
	}
	return handOn(p, log), p
}

// send sends a request and returns status and text of the answer.
func send(t *testing.T, h http.Handler, method, path string, body io.Reader) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, body))
	return w.Code, w.Body.String()
}

// unsized hides how long a body is.
type unsized struct{ io.Reader }

// TestRequestsGoInTurn asks three; then one leaves, and another one comes.
func TestRequestsGoInTurn(t *testing.T) {
	t.Parallel()
	a, b, c, d := newFar(t, "a"), newFar(t, "b"), newFar(t, "c"), newFar(t, "d")
	h, p := handing(t, a.URL, b.URL, c.URL)
	for range 30 {
		if code, text := send(t, h, http.MethodGet, "/page", nil); code != http.StatusOK || !strings.HasSuffix(text, " GET /page 0") {
			t.Fatalf("%d %s", code, text)
		}
	}
	if a.asked.Load() != 10 || b.asked.Load() != 10 || c.asked.Load() != 10 {
		t.Errorf("asked were %d, %d, %d times", a.asked.Load(), b.asked.Load(), c.asked.Load())
	}
	if err := p.set([]string{b.URL, d.URL, d.URL, b.URL}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		send(t, h, http.MethodGet, "/page", nil)
	}
	if a.asked.Load() != 10 || b.asked.Load() != 20 || c.asked.Load() != 10 || d.asked.Load() != 10 {
		t.Errorf("asked were %d, %d, %d, %d times", a.asked.Load(), b.asked.Load(), c.asked.Load(), d.asked.Load())
	}
	if err := p.set([]string{"nonsense", d.URL}); err == nil {
		t.Error("nonsense is an address")
	}
	if code, text := send(t, h, http.MethodGet, "/page", nil); code != http.StatusOK || !strings.HasPrefix(text, "d ") {
		t.Errorf("beside nonsense: %d %s", code, text)
	}
	if err := p.set(nil); err != nil {
		t.Fatal(err)
	}
	if code, text := send(t, h, http.MethodGet, "/page", nil); code != http.StatusServiceUnavailable {
		t.Errorf("with nobody: %d %s", code, text)
	}
}

// TestWhoDoesNotPickUpIsPassedOver sends everything to one that is there and one that
// is not: each request arrives once, whole, whatever it is.
func TestWhoDoesNotPickUpIsPassedOver(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() (io.Reader, int){
		"no body":                 func() (io.Reader, int) { return nil, 0 },
		"a small body":            func() (io.Reader, int) { return strings.NewReader("hello"), 5 },
		"a body of unknown size":  func() (io.Reader, int) { return unsized{strings.NewReader("hello")}, 5 },
		"a body that is not kept": func() (io.Reader, int) { return bytes.NewReader(make([]byte, 3*keptBytesMax)), 3 * keptBytesMax },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newFar(t, "a")
			h, p := handing(t, refusing(t), a.URL, refusing(t))
			for n := range 6 {
				content, size := body()
				code, text := send(t, h, http.MethodPost, "/api/messages", content)
				if want := fmt.Sprintf("a POST /api/messages %d", size); code != http.StatusOK || text != want || a.asked.Load() != int64(n+1) {
					t.Fatalf("request %d: %d %q after %d, want %q", n, code, text, a.asked.Load(), want)
				}
			}
			if got := p.order()[0].to.Host; !strings.HasSuffix(a.URL, got) {
				t.Errorf("those that do not pick up are not asked last, but %s first", got)
			}
		})
	}
	h, _ := handing(t, refusing(t), refusing(t))
	if code, text := send(t, h, http.MethodPost, "/x", strings.NewReader("hello")); code != http.StatusServiceUnavailable {
		t.Errorf("nobody picks up: %d %s", code, text)
	}
}

// TestWhatMayHaveArrivedIsNotSentAgain has a process die over a request: another one
// is asked if nothing can come of it, and nobody if something can.
func TestWhatMayHaveArrivedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method string
		code   int
		asked  int64
	}{
		{http.MethodGet, http.StatusOK, 2},
		{http.MethodHead, http.StatusOK, 2},
		{http.MethodPost, http.StatusBadGateway, 1},
		{http.MethodPut, http.StatusBadGateway, 1},
		{http.MethodDelete, http.StatusBadGateway, 1},
	} {
		var both atomic.Int64
		dies := func(w http.ResponseWriter, r *http.Request) {
			if both.Add(1) > 1 {
				return
			}
			_, _ = io.ReadAll(r.Body)
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Close()
		}
		a, b := newFar(t, "a"), newFar(t, "b")
		a.say(dies)
		b.say(dies)
		h, _ := handing(t, a.URL, b.URL)
		if code, text := send(t, h, tt.method, "/x", nil); code != tt.code || both.Load() != tt.asked {
			t.Errorf("%s: %d %s after %d, want %d after %d", tt.method, code, text, both.Load(), tt.code, tt.asked)
		}
	}
}

// TestWhoDrainsIsAskedLast has one say that it is about to stop.
func TestWhoDrainsIsAskedLast(t *testing.T) {
	t.Parallel()
	a, b := newFar(t, "a"), newFar(t, "b")
	a.say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(drainingHeader, "1") })
	h, _ := handing(t, a.URL, b.URL)
	for range 20 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		if w.Code != http.StatusOK || w.Header().Get(drainingHeader) != "" {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
	}
	if a.asked.Load() > 1 || b.asked.Load() < 19 {
		t.Errorf("asked were %d, who drains, and %d", a.asked.Load(), b.asked.Load())
	}
}

// TestWhatIsHandedOn: host, path and who asked arrive, and what a stranger says of
// that does not.
func TestWhatIsHandedOn(t *testing.T) {
	t.Parallel()
	a := newFar(t, "a")
	a.say(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Host, " ", r.URL, " ", r.Header.Get("X-Forwarded-For"), " ", r.Header.Get("X-Forwarded-Host"))
	})
	h, _ := handing(t, a.URL+"/under")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://people.example/a%2Fb?q=1", nil)
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if want := "people.example /under/a%2Fb?q=1 192.0.2.1 people.example"; w.Body.String() != want {
		t.Errorf("it arrives as %q, want %q", w.Body, want)
	}
}
