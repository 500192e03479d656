package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"fanli/core/cache"
	"fanli/core/fault"
)

// backoffMax limits one wait between tries.
const backoffMax = 5 * time.Second

// A gate is what every call of one role goes through.
type gate struct {
	o       *atomic.Pointer[Options]
	name    string // of the account
	limit   *rate.Limiter
	breaker *gobreaker.CircuitBreaker[struct{}]
	seats   *seats
	again   *budget
	now     func() time.Time

	mu   sync.Mutex
	seen Status
	took pace
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
	g.again.earn()
	for try := 1; ; try++ {
		v, left, err := once(ctx, g, call)
		if err == nil || !left || try >= o.Tries || !fault.Retryable(err) || !g.again.spend() || !sleep(ctx, waits.NextBackOff()) {
			return v, err
		}
	}
}

// once makes one try. left says whether it reached the network.
func once[T any](ctx context.Context, g *gate, call func(context.Context) (T, error)) (v T, left bool, err error) {
	if g.breaker.State() == gobreaker.StateOpen {
		return v, false, g.refuse(gobreaker.ErrOpenState)
	}
	leave, err := g.seats.take(ctx)
	if err != nil {
		g.count(func(s *Status) { s.Refused++ })
		return v, false, fault.Wrap(fault.Limited, "guard", err)
	}
	defer leave()
	_, err = g.breaker.Execute(func() (struct{}, error) {
		if err := g.leave(ctx); err != nil {
			return struct{}{}, withdrawn{err}
		}
		left = true
		ctx, cancel := context.WithTimeout(ctx, g.o.Load().TryTimeout)
		defer cancel()
		began := time.Now()
		var err error
		v, err = call(ctx)
		g.learn(err, began)
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
	err := g.turn(ctx)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return g.stays(fault.Wrap(fault.Unavailable, "guard", ctx.Err()))
	}
	return g.stays(fault.Wrap(fault.Limited, "guard", err))
}

// turn takes the account's next turn, of all processes where they share its rate, and
// waits for it.
func (g *gate) turn(ctx context.Context) error {
	o := g.o.Load()
	if o.Limits == nil {
		return g.limit.Wait(ctx)
	}
	within := o.Timeout
	if end, ok := ctx.Deadline(); ok {
		within = time.Until(end)
	}
	ok, wait, err := o.Limits.Reserve(ctx, "guard/"+g.name, cache.PerSecond(o.PerSecond), o.Burst, within)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("the next call may leave in %s", wait)
	case wait > 0 && !sleep(ctx, wait):
		return errors.New("the deadline is before the turn")
	}
	return nil
}

// refuse is the error of a call that met a resting role.
func (g *gate) refuse(cause error) error {
	return g.stays(fault.Wrap(fault.Unavailable, "guard", cause))
}

// stays counts a call that does not leave.
func (g *gate) stays(err error) error {
	g.count(func(s *Status) { s.Refused++ })
	g.o.Load().Told(Call{Name: g.seen.Name, Role: g.seen.Role, Err: err})
	return err
}

// learn counts what a try came to.
func (g *gate) learn(err error, began time.Time) {
	at := g.now()
	g.o.Load().Told(Call{Name: g.seen.Name, Role: g.seen.Role, Left: true, Err: err, Took: time.Since(began)})
	g.count(func(s *Status) {
		s.Calls++
		if !excluded(err) {
			g.took.learn(began)
		}
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
	s.State, s.Took = state, g.took.now()
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
