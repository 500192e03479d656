package tencentfake

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// A Fault is what happens to a call instead of the right answer.
type Fault struct {
	Code int    // an errcode, as -1
	Text string // its errmsg

	Status int    // another status than 200, as 502
	Body   string // what is answered with it, as a page of a proxy

	Delay  time.Duration // before anything is answered
	HangUp bool          // the connection breaks
	Stall  bool          // no answer before the caller gives up
	Late   bool          // the call has its effect first
}

// Busy is the platform that says it is busy.
func Busy() Fault { return Fault{Code: -1, Text: "system error"} }

// BadGateway is something on the way that answers with a page.
func BadGateway() Fault {
	return Fault{Status: http.StatusBadGateway, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"}
}

// Faults are those that are still to happen, by path. The zero value is none.
type Faults struct {
	mu   sync.Mutex
	left map[string][]Fault
}

// Add makes the next calls of a path fail, times times; "*" is any path. A path may be
// told several faults, one after the other.
func (f *Faults) Add(path string, times int, what Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == nil {
		f.left = map[string][]Fault{}
	}
	for range times {
		f.left[path] = append(f.left[path], what)
	}
}

// Heal takes back all faults that have not happened yet.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.left)
}

// Next takes the next fault of a path.
func (f *Faults) Next(path string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range []string{path, "*"} {
		if left := f.left[key]; len(left) > 0 {
			f.left[key] = left[1:]
			return left[0], true
		}
	}
	return Fault{}, false
}

// Wait waits as long as a fault delays; false: the caller has gone meanwhile.
func (f Fault) Wait(ctx context.Context, after func(time.Duration) <-chan time.Time) bool {
	if f.Delay <= 0 {
		return true
	}
	select {
	case <-after(f.Delay):
		return true
	case <-ctx.Done():
		return false
	}
}

// Answer does what the fault says; false if it only delays. refuse writes an errcode.
func (f Fault) Answer(w http.ResponseWriter, r *http.Request, refuse func(code int, text string)) bool {
	switch {
	case f.HangUp:
		panic(http.ErrAbortHandler)
	case f.Stall:
		<-r.Context().Done()
	case f.Code != 0:
		refuse(f.Code, f.Text)
	case f.Status != 0:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body) // the caller has gone
	default:
		return false
	}
	return true
}
