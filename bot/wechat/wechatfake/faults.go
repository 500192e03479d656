package wechatfake

import (
	"io"
	"net/http"
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

// Fail makes the next calls of a path fail, times times; "*" is any path. A path may be
// told several faults, one after the other.
func (s *Server) Fail(path string, times int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range times {
		s.faults[path] = append(s.faults[path], f)
	}
}

// Heal takes back all faults that have not happened yet.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// fault takes the next fault of a path.
func (s *Server) fault(path string) (Fault, bool) {
	for _, key := range []string{path, "*"} {
		if left := s.faults[key]; len(left) > 0 {
			s.faults[key] = left[1:]
			return left[0], true
		}
	}
	return Fault{}, false
}

// wait waits as long as a fault delays; false: the caller has gone meanwhile.
func (s *Server) wait(r *http.Request, f Fault) bool {
	if f.Delay <= 0 {
		return true
	}
	select {
	case <-s.cfg.After(f.Delay):
		return true
	case <-r.Context().Done():
		return false
	}
}

// answer does what the fault says; false if it only delays.
func (f Fault) answer(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case f.HangUp:
		panic(http.ErrAbortHandler)
	case f.Stall:
		<-r.Context().Done()
	case f.Code != 0:
		answer(w, nil, refuse(f.Code, f.Text))
	case f.Status != 0:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body) // the caller has gone
	default:
		return false
	}
	return true
}
