package telegramfake

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault is what happens to a call instead of the right answer. At most one of
// Code, Body, HangUp and Stall is set; with none of them nothing happens.
type Fault struct {
	Code       int    // a failure in the protocol's form
	Text       string // its description, as "Bad Request: chat not found"
	RetryAfter int    // seconds, with Code 429

	Body   string // an answer that is not the protocol's, as a proxy's page
	Status int    // its status; 0 means 502

	HangUp bool // the connection breaks
	Stall  bool // no answer before the caller gives up

	Late bool // the call has its effect first
}

// Fail makes the next calls of a method fail, times times. A method may be
// told several faults, one after the other.
func (s *Server) Fail(method string, times int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method = strings.ToLower(method)
	for range times {
		s.faults[method] = append(s.faults[method], f)
	}
}

// Heal takes back all faults that have not happened yet.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// fault takes the next fault of a method.
func (s *Server) fault(method string) (Fault, bool) {
	left := s.faults[method]
	if len(left) == 0 {
		return Fault{}, false
	}
	s.faults[method] = left[1:]
	return left[0], left[0] != Fault{}
}

// answer does what the fault says.
func (f Fault) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Code != 0:
		fail(w, &failure{code: f.Code, text: f.Text, retryAfter: f.RetryAfter})
	case f.Stall:
		<-r.Context().Done()
	case f.HangUp:
		panic(http.ErrAbortHandler)
	default:
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, f.Body) // the caller has gone
	}
}

// What the server bears before it says 429: a window and how many messages may
// fall into it.
const (
	chatMax      = 5 // one a second, and a short burst
	chatWindow   = 2 * time.Second
	groupMax     = 20
	groupWindow  = time.Minute
	globalMax    = 30
	globalWindow = time.Second
)

// flood remembers when messages were sent.
type flood struct {
	all   []time.Time
	chats map[int64][]time.Time
}

// floods says that the bot sends too fast; nil if it does not.
func (s *Server) floods(c chat) *failure {
	if !s.cfg.Flood {
		return nil
	}
	f, now := &s.flooding, s.cfg.Now()
	if f.chats == nil {
		f.chats = map[int64][]time.Time{}
	}
	limit, window := chatMax, chatWindow
	if c.Type != "private" {
		limit, window = groupMax, groupWindow
	}
	f.all, f.chats[c.ID] = since(f.all, now.Add(-globalWindow)), since(f.chats[c.ID], now.Add(-window))
	wait := max(excess(f.all, globalMax, globalWindow, now), excess(f.chats[c.ID], limit, window, now))
	if wait > 0 {
		return tooMany(wait)
	}
	f.all, f.chats[c.ID] = append(f.all, now), append(f.chats[c.ID], now)
	return nil
}

// since drops what lies before from.
func since(times []time.Time, from time.Time) []time.Time {
	for len(times) > 0 && !times[0].After(from) {
		times = times[1:]
	}
	return times
}

// excess is how long to wait until a window has room again.
func excess(times []time.Time, limit int, window time.Duration, now time.Time) time.Duration {
	if len(times) < limit {
		return 0
	}
	return times[len(times)-limit].Add(window).Sub(now)
}

func tooMany(wait time.Duration) *failure {
	seconds := int((wait + time.Second - 1) / time.Second)
	return &failure{
		code: http.StatusTooManyRequests, retryAfter: seconds,
		text: "Too Many Requests: retry after " + strconv.Itoa(seconds),
	}
}
