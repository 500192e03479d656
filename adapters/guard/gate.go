package guard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"fanli/core/fault"
)

// backoffMax limits one wait between tries.
const backoffMax = 5 * time.Second

// A gate is what every call of one role goes through.
type gate struct {
	o       *atomic.Pointer[Options]
	limit   *rate.Limiter
	breaker *gobreaker.CircuitBreaker[struct{}]
	now     func() time.Time

	mu   sync.Mutex
	seen Status
}

// failed says whether err is the network's failure.
func failed(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.Limited, fault.Internal:
		return true
	default:
		return false
	}
}

// withdrawn is the error of a call whose caller has gone, or that did not leave:
// it says nothing about the network.
type withdrawn struct{ error }

// Unwrap returns the error that the caller sees.
func (w withdrawn) Unwrap() error { return w.error }

// excluded says whether a breaker has nothing to learn from err.
func excluded(err error) bool {
	var w withdrawn
	return errors.As(err, &w) || errors.Is(err, context.Canceled)
}

// through makes call, with retries, within the deadline of ctx and the guard's
// own time-out.
func through[T any](ctx context.Context, g *gate, call func(context.Context) (T, error)) (T, error) {
	o := g.o.Load()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	waits := backoff.ExponentialBackOff{
		InitialInterval: o.Backoff, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: backoffMax,
	}
	waits.Reset()
	for try := 1; ; try++ {
		v, left, err := once(ctx, g, call)
		if err == nil || !left || try >= o.Tries || !fault.Retryable(err) || !sleep(ctx, waits.NextBackOff()) {
			return v, err
		}
	}
}

// once makes one try. left says whether it reached the network.
func once[T any](ctx context.Context, g *gate, call func(context.Context) (T, error)) (v T, left bool, err error) {
	if g.breaker.State() == gobreaker.StateOpen {
		return v, false, g.refuse(gobreaker.ErrOpenState)
	}
	_, err = g.breaker.Execute(func() (struct{}, error) {
		if err := g.leave(ctx); err != nil {
			return struct{}{}, withdrawn{err}
		}
		left = true
		ctx, cancel := context.WithTimeout(ctx, g.o.Load().TryTimeout)
		defer cancel()
		var err error
		v, err = call(ctx)
		g.learn(err)
		return struct{}{}, err
	})
	switch w := (withdrawn{}); {
	case errors.As(err, &w):
		err = w.error
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		err = g.refuse(err)
	}
	return v, left, err
}

// leave waits for the rate. It fails without waiting if the wait would outlast
// the deadline.
func (g *gate) leave(ctx context.Context) error {
	err := g.limit.Wait(ctx)
	if err == nil {
		return nil
	}
	g.count(func(s *Status) { s.Refused++ })
	if ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, "guard", ctx.Err())
	}
	return fault.Wrap(fault.Limited, "guard", err)
}

// refuse is the error of a call that met a resting role.
func (g *gate) refuse(cause error) error {
	g.count(func(s *Status) { s.Refused++ })
	return fault.Wrap(fault.Unavailable, "guard", cause)
}

// learn counts what a try came to.
func (g *gate) learn(err error) {
	at := g.now()
	g.count(func(s *Status) {
		s.Calls++
		switch {
		case excluded(err):
		case failed(err):
			s.Failures++
			s.LastCode, s.LastError, s.FailedAt = fault.CodeOf(err), err.Error(), at
		default:
			s.WorkedAt = at
		}
	})
}

func (g *gate) count(f func(*Status)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.seen)
}

func (g *gate) status() Status {
	state := g.breaker.State().String()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.seen
	s.State = state
	return s
}

// sleep waits for d and reports whether there is time left afterwards. It does
// not wait at all if there would be none.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
