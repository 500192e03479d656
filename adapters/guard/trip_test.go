package guard_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// A wire leads from a client to a server in the same bubble, whose clock it has.
type wire struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
}

// Accept implements net.Listener.
func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.gone:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone) })
	return nil
}

// Addr implements net.Listener.
func (*wire) Addr() net.Addr { return &net.UnixAddr{Name: "bubble", Net: "pipe"} }

func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case w.conns <- far:
		return near, nil
	case <-w.gone:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// served returns what reaches h, as http does, in a bubble: what takes no time takes
// none on a busy machine, either.
func served(t *testing.T, h http.HandlerFunc) http.RoundTripper {
	t.Helper()
	w := &wire{conns: make(chan net.Conn), gone: make(chan struct{})}
	s, to := &http.Server{Handler: h}, &http.Transport{DialContext: w.dial}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(w) }()
	t.Cleanup(func() {
		to.CloseIdleConnections()
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return to
}

const address = "http://bubble.example"

// TestAnAnswerThatHasBegunTakesNoSeat: a stream outlasts the deadline of the line, and
// others are asked meanwhile.
func TestAnAnswerThatHasBegunTakesNoSeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		s := served(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stream" {
				_, _ = w.Write([]byte("begun "))
				w.(http.Flusher).Flush()
				<-more
			}
			_, _ = w.Write([]byte("done"))
		})
		const deadline = 200 * time.Millisecond
		by := guard.NewLine("pages", guard.LineOptions{Concurrent: 1, Queue: 1, Timeout: deadline, Failures: 1}, away).RoundTripper(s)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/stream", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := by.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for range 5 {
			time.Sleep(deadline / 2)
			if text, err := get(t, by, address); err != nil || text != "done" {
				t.Fatalf("beside a stream: %q, %v", text, err)
			}
		}
		close(more)
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "begun done" {
			t.Errorf("the stream says %q, %v", text, err)
		}
	})
}

// TestWhoDoesNotAnswerIsNotAsked: a few wait for an answer that does not come; then
// nobody does, and nobody is asked, until the rest is over.
func TestWhoDoesNotAnswerIsNotAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var well atomic.Bool
		s := served(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if !well.Load() {
				<-r.Context().Done()
			}
			_, _ = w.Write([]byte("here"))
		})
		const rest = time.Minute
		by := guard.NewLine("pages", guard.LineOptions{Timeout: 2 * time.Second, Failures: 2, Rest: rest}, away).RoundTripper(s)
		for range 2 {
			if _, err := get(t, by, address); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) == fault.Down {
				t.Errorf("a slow one: %v", err)
			}
		}
		for range 20 {
			if _, err := get(t, by, address); fault.ReasonOf(err) != fault.Down {
				t.Errorf("while it rests: %v", err)
			}
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		r, err := http.NewRequestWithContext(gone, http.MethodGet, address, http.NoBody)
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
		time.Sleep(rest + time.Second)
		if text, err := get(t, by, address); err != nil || text != "here" {
			t.Errorf("it is back: %q, %v", text, err)
		}
	})
}
