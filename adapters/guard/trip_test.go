package guard_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/guard"
	"fanli/core/fault"
)

// away is whatever is no answer.
func away(err error) bool { return err != nil }

// get asks over a transport, and reads the answer.
func get(t *testing.T, by http.RoundTripper, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := by.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// TestAnAnswerThatHasBegunTakesNoSeat: a stream outlasts the deadline of the line, and
// others are asked meanwhile.
func TestAnAnswerThatHasBegunTakesNoSeat(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = w.Write([]byte("begun "))
			w.(http.Flusher).Flush()
			<-more
		}
		_, _ = w.Write([]byte("done"))
	}))
	t.Cleanup(s.Close)
	const deadline = 200 * time.Millisecond
	l := guard.NewLine("pages", guard.LineOptions{Concurrent: 1, Queue: 1, Timeout: deadline, Failures: 1}, away)
	by := l.RoundTripper(http.DefaultTransport)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	begun, from := time.Now(), time.Time{}
	resp, err := by.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for from.Sub(begun) < 2*deadline {
		if text, err := get(t, by, s.URL); err != nil || text != "done" {
			t.Fatalf("beside a stream: %q, %v", text, err)
		}
		from = time.Now()
	}
	close(more)
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "begun done" {
		t.Errorf("the stream says %q, %v", text, err)
	}
}

// TestWhoDoesNotAnswerIsNotAsked: a few wait for an answer that does not come; then
// nobody does, and nobody is asked, until the rest is over.
func TestWhoDoesNotAnswerIsNotAsked(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	var well atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !well.Load() {
			<-r.Context().Done()
		}
		_, _ = w.Write([]byte("here"))
	}))
	t.Cleanup(s.Close)
	const rest = 100 * time.Millisecond
	by := guard.NewLine("pages", guard.LineOptions{Timeout: 50 * time.Millisecond, Failures: 2, Rest: rest}, away).RoundTripper(http.DefaultTransport)
	for range 2 {
		if _, err := get(t, by, s.URL); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) == fault.Down {
			t.Errorf("a slow one: %v", err)
		}
	}
	tripped := time.Now()
	for range 20 {
		if _, err := get(t, by, s.URL); fault.ReasonOf(err) != fault.Down && time.Since(tripped) < rest {
			t.Errorf("while it rests: %v", err)
		}
	}
	if n := asked.Load(); n != 2 && time.Since(tripped) < rest {
		t.Errorf("asked %d times", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequestWithContext(gone, http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	switch resp, err := by.RoundTrip(r); {
	case err == nil:
		_ = resp.Body.Close()
		t.Error("who has gone is answered")
	case !errors.Is(err, context.Canceled) && fault.ReasonOf(err) != fault.Down:
		t.Errorf("who has gone: %v", err)
	}
	well.Store(true)
	for again := time.Now(); ; {
		text, err := get(t, by, s.URL)
		if err == nil && text == "here" {
			return
		}
		if time.Since(again) > time.Minute {
			t.Fatalf("it is back: %q, %v", text, err)
		}
	}
}
