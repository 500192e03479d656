package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanli/adapters/guard"
	"fanli/configs"
	"fanli/core/logtest"
)

// A hatch is a gateway's way to the pages of bot, with a short patience.
type hatch struct {
	resilience *resilience
	hand       http.Handler
}

func newHatch(t *testing.T, e *ether, o guard.LineOptions, at ...string) *hatch {
	t.Helper()
	log := logtest.New(nil)
	p := newPool(log)
	p.direct.DialContext = e.dial
	t.Cleanup(p.direct.CloseIdleConnections)
	if err := p.set(at); err != nil {
		t.Fatal(err)
	}
	r := newResilience(configs.Config{Resilience: configs.Resilience{Dependencies: map[string]guard.LineOptions{"pages/*": o}}})
	return &hatch{r, handOn(r.pages(botTarget, p), log)}
}

// ask sends a request, and wants a status and a part of the answer.
func (s *hatch) ask(t *testing.T, method, accept string, body io.Reader, status int, part string) http.Header {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/page", body)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	s.hand.ServeHTTP(w, r)
	if w.Code != status || !strings.Contains(w.Body.String(), part) {
		t.Errorf("%s for %s is answered %d %s, want %d and %q", method, accept, w.Code, w.Body, status, part)
	}
	return w.Header()
}

const browserAccept = "text/html,application/xhtml+xml,*/*;q=0.8"

// TestPagesThatAreAway: after a few that waited nobody does, people read a page and
// programs JSON, and it is found to be back without anybody's asking.
func TestPagesThatAreAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		e := newEther()
		a, b := e.far(t, "a"), e.far(t, "b")
		hangs.Store(true)
		for _, f := range []*far{a, b} {
			f.say(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadAll(r.Body) // or the server does not see that the other side has gone
				if hangs.Load() {
					<-r.Context().Done()
					return
				}
				_, _ = w.Write([]byte("a page"))
			})
		}
		s := newHatch(t, e, guard.LineOptions{Timeout: 100 * time.Millisecond, Failures: 2, Rest: time.Hour}, a.URL, b.URL)
		s.ask(t, http.MethodPost, "*/*", strings.NewReader("x"), http.StatusBadGateway, "try again") // it may have been done
		s.ask(t, http.MethodGet, browserAccept, nil, http.StatusServiceUnavailable, "马上回来")
		asked := a.asked.Load() + b.asked.Load()
		for range 200 {
			h := s.ask(t, http.MethodGet, browserAccept, nil, http.StatusServiceUnavailable, "Back in a moment")
			if h.Get("Retry-After") == "" || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || h.Get("Cache-Control") != "no-store" {
				t.Fatalf("%v", h)
			}
			s.ask(t, http.MethodGet, "application/json", nil, http.StatusServiceUnavailable, `"error"`)
			s.ask(t, http.MethodPost, browserAccept, strings.NewReader("x"), http.StatusServiceUnavailable, `"error"`) // it was not done
		}
		if n := a.asked.Load() + b.asked.Load(); n != asked {
			t.Errorf("asked %d times while it rests", n-asked)
		}
		if h := s.resilience.health()["pages/bot"]; !h.Away {
			t.Errorf("%+v", h)
		}

		soon := newHatch(t, e, guard.LineOptions{Timeout: 100 * time.Millisecond, Failures: 1, Rest: time.Minute}, a.URL, b.URL)
		soon.ask(t, http.MethodGet, "*/*", nil, http.StatusServiceUnavailable, "try again")
		hangs.Store(false)
		time.Sleep(time.Minute + time.Second)
		if soon.resilience.probe(t.Context()); soon.resilience.health()["pages/bot"].Away {
			t.Fatal("it is not found to be back")
		}
		soon.ask(t, http.MethodGet, "*/*", nil, http.StatusOK, "a page")
		soon.ask(t, http.MethodPost, "*/*", nil, http.StatusOK, "a page")
	})
}

// halfway is a body whose sender stops.
type halfway struct{ left int }

func (h *halfway) Read(to []byte) (int, error) {
	n := min(h.left, len(to))
	if h.left -= n; n == 0 {
		return 0, errors.New("the sender has gone")
	}
	return n, nil
}

// TestWhoStopsInTheMiddleHarmsNobody: bodies that do not arrive, or too slowly, say
// nothing of whom they are for.
func TestWhoStopsInTheMiddleHarmsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEther()
		a := e.far(t, "a")
		s := newHatch(t, e, guard.LineOptions{Timeout: 200 * time.Millisecond, Failures: 1, Rest: time.Hour}, a.URL)
		for range 3 {
			s.ask(t, http.MethodPost, "*/*", &halfway{2 * keptBytesMax}, http.StatusBadRequest, "whole")
		}
		slow, never := io.Pipe()
		time.AfterFunc(300*time.Millisecond, func() { _ = never.CloseWithError(errors.New("too slow")) }) // as a server does, after the line's patience
		s.ask(t, http.MethodPost, "*/*", slow, http.StatusBadRequest, "whole")
		s.ask(t, http.MethodPost, "*/*", http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader(strings.Repeat("x", 9))), 5), http.StatusRequestEntityTooLarge, "large")
		sized := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/page", &halfway{5})
		sized.ContentLength = 10
		w := httptest.NewRecorder()
		if s.hand.ServeHTTP(w, sized); w.Code != http.StatusBadRequest {
			t.Errorf("a small one: %d %s", w.Code, w.Body)
		}
		s.ask(t, http.MethodPost, "*/*", strings.NewReader("hello"), http.StatusOK, "a POST /page 5")
		s.ask(t, http.MethodPost, "*/*", unsized{strings.NewReader("hello")}, http.StatusOK, "a POST /page 5")
		s.ask(t, http.MethodGet, "*/*", nil, http.StatusOK, "a GET /page 0")
	})
}
