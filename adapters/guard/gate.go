package guard

import (
	"context"
	"errors"
	"fmt"
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
	*health
	o     *atomic.Pointer[Options]
	name  string // of the account
	limit *rate.Limiter
	seats *seats
	again *budget
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
	if g.resting() {
		return v, false, g.refuse(gobreaker.ErrOpenState)
	}
	leave, err := g.seats.take(ctx)
	if err != nil {
		g.refused()
		return v, false, fault.Wrap(fault.Limited, "guard", err)
	}
	defer leave()
	rests, err := g.pass(func() (err error) {
		if err := g.leave(ctx); err != nil {
			return withdrawn{err}
		}
		left = true
		ctx, cancel := context.WithTimeout(ctx, g.o.Load().TryTimeout)
		defer cancel()
		began := time.Now()
		v, err = call(ctx)
		g.o.Load().Told(Call{Name: g.name, Role: g.seen.Role, Left: true, Err: err, Took: time.Since(began)})
		g.learn(err, began)
		return err
	})
	if rests {
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
	g.refused()
	g.o.Load().Told(Call{Name: g.name, Role: g.seen.Role, Err: err})
	return err
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
