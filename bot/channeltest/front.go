package channeltest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"fanli/bot"
)

// A Front stands before the processes of a channel to which a network delivers, as a
// balancer does: it hands each delivery to one of those that run, in turn. Where none
// runs, or one was made and does not run yet, a delivery waits. The zero value has no
// processes.
type Front struct {
	// Patient says that a delivery that is answered with 503 is handed on again, which a
	// process that runs gives while it does not hear yet.
	Patient bool

	mu      sync.Mutex
	coming  []http.Handler // that were never run
	live    []http.Handler
	next    int
	handed  int
	changed chan struct{} // closed whenever something changes; nil if nobody waits
}

// Behind returns a channel that gets deliveries while it runs.
func (f *Front) Behind(c interface {
	bot.Channel
	http.Handler
}) bot.Channel {
	f.change(func() { f.coming = append(f.coming, c) })
	return fronted{c, c, f}
}

// fronted is a channel behind a front.
type fronted struct {
	bot.Channel
	door  http.Handler
	front *Front
}

// Run implements bot.Channel. What is delivered after the end of ctx goes to others.
func (c fronted) Run(ctx context.Context, handle bot.Handler) error {
	f, isIt := c.front, func(h http.Handler) bool { return h == c.door }
	f.change(func() { f.coming, f.live = slices.DeleteFunc(f.coming, isIt), append(f.live, c.door) })
	leave := sync.OnceFunc(func() { f.change(func() { f.live = slices.DeleteFunc(f.live, isIt) }) })
	defer leave()
	defer context.AfterFunc(ctx, leave)()
	return c.Channel.Run(ctx, handle)
}

// change changes the front, and wakes who waits for that.
func (f *Front) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// await waits until something is so; it reports false if ctx ends before. The front is
// locked while so is called.
func (f *Front) await(ctx context.Context, so func() bool) bool {
	for {
		f.mu.Lock()
		if so() {
			f.mu.Unlock()
			return true
		}
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Handed is how many deliveries were handed on so far.
func (f *Front) Handed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.handed
}

// AwaitHanded waits until so many deliveries were handed on, or ctx ends.
func (f *Front) AwaitHanded(ctx context.Context, n int) bool {
	return f.await(ctx, func() bool { return f.handed >= n })
}

// pick returns the process whose turn it is.
func (f *Front) pick(ctx context.Context) (h http.Handler, ok bool) {
	ok = f.await(ctx, func() bool {
		if len(f.live) == 0 || len(f.coming) > 0 {
			return false
		}
		f.next++
		h = f.live[f.next%len(f.live)]
		return true
	})
	if ok {
		f.change(func() { f.handed++ })
	}
	return h, ok
}

// ServeHTTP hands a request on. What only looks is not handed on again, so that it can be
// a stream.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for {
		h, ok := f.pick(r.Context())
		if !ok {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		in := r.Clone(r.Context())
		in.Body = io.NopCloser(bytes.NewReader(body))
		if r.Method == http.MethodGet {
			h.ServeHTTP(w, in)
			return
		}
		out := httptest.NewRecorder()
		h.ServeHTTP(out, in)
		if f.Patient && out.Code == http.StatusServiceUnavailable && pause(r.Context()) {
			continue
		}
		maps.Copy(w.Header(), out.Header())
		w.WriteHeader(out.Code)
		_, _ = w.Write(out.Body.Bytes())
		return
	}
}

// pause lets a process do something else, and reports whether ctx is still alive then.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}
