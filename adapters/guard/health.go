package guard

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"fanli/core/fault"
)

// A health is how one thing is that we call: its breaker, and what calls came to.
type health struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
	failed  func(error) bool
	now     func() time.Time

	mu   sync.Mutex
	seen Status
	took pace
}

// newHealth returns that of what is called name in role. It rests after so many
// failures in a row as failures says then; turned hears of every change, if it is not nil.
func newHealth(name, role string, rest time.Duration, failures func() int, failed func(error) bool, now func() time.Time, turned func(state string)) *health {
	h := &health{failed: failed, now: now, seen: Status{Name: name, Role: role}}
	h.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: name + "/" + role, Timeout: rest,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= failures() },
		IsSuccessful: func(err error) bool { return !failed(err) },
		IsExcluded:   excluded,
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if turned != nil {
				turned(to.String())
			}
		},
	})
	return h
}

// resting reports whether no call is let through.
func (h *health) resting() bool { return h.breaker.State() == gobreaker.StateOpen }

// pass makes call, unless the other side rests: then rests is true, and err says why.
// What is withdrawn teaches nothing, and comes back as it was.
func (h *health) pass(call func() error) (rests bool, err error) {
	_, err = h.breaker.Execute(func() (struct{}, error) { return struct{}{}, call() })
	switch w := (withdrawn{}); {
	case errors.As(err, &w):
		return false, w.error
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return true, err
	default:
		return false, err
	}
}

// learn counts what a call came to that began then.
func (h *health) learn(err error, began time.Time) {
	at := h.now()
	h.count(func(s *Status) {
		s.Calls++
		if excluded(err) {
			return
		}
		h.took.learn(began)
		if h.failed(err) {
			s.Failures++
			s.LastCode, s.LastError, s.FailedAt = fault.CodeOf(err), err.Error(), at
			return
		}
		s.WorkedAt = at
	})
}

// refused counts a call that did not leave.
func (h *health) refused() { h.count(func(s *Status) { s.Refused++ }) }

func (h *health) count(f func(*Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.seen)
}

func (h *health) status() Status {
	state := h.breaker.State().String()
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seen
	s.State, s.Took = state, h.took.now()
	return s
}

// withdrawn is the error of a call whose caller has gone, or that did not leave:
// it says nothing about the other side.
type withdrawn struct{ error }

// Unwrap returns the error that the caller sees.
func (w withdrawn) Unwrap() error { return w.error }

// Withdrawn marks an error of a call on a line that says nothing about the other side.
func Withdrawn(err error) error { return withdrawn{err} }

// excluded says whether a breaker has nothing to learn from err.
func excluded(err error) bool {
	var w withdrawn
	return errors.As(err, &w) || errors.Is(err, context.Canceled)
}

// A pace is what calls take, the last ones counting most.
type pace struct {
	span time.Duration
	at   time.Time
}

// tookFor is how long the last calls say how long calls take.
const tookFor = time.Minute

// learn counts a call that began then and has just ended.
func (p *pace) learn(began time.Time) {
	now := time.Now()
	if now.Sub(p.at) >= tookFor {
		p.span = now.Sub(began)
	}
	p.span, p.at = (p.span*7+now.Sub(began))/8, now
}

// now returns what a call takes; 0 where that is not known any more.
func (p *pace) now() time.Duration {
	if time.Since(p.at) >= tookFor {
		return 0
	}
	return p.span
}
