package telegram

import (
	"context"
	"strconv"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
)

// How processes agree on which of them polls.
const (
	leaseLength = 15 * time.Second // after which one that died is succeeded
	leaseBeat   = 3 * time.Second  // how often the one that polls says so
	leaseRetry  = time.Second      // how often the others ask
	leaseMargin = 4 * time.Second  // so long before the lease may end, polling has ended
)

// WithLeases lets several processes run a channel to one bot: one of them polls, and
// another takes over where it stops. All of them send. holder names this process.
func WithLeases(l lock.Leases, holder string) Option {
	return func(c *Channel) { c.leases, c.holder = l, holder }
}

// A watch is the right to poll.
type watch struct {
	held  context.Context // ends with it
	token int64           // of the lease; 0 where nobody else polls
	end   func()
}

// keepWatch waits until this process may poll. It fails only when ctx ends.
func (c *Channel) keepWatch(ctx context.Context, me int64) (watch, error) {
	held, stop := context.WithCancel(ctx)
	if c.leases == nil {
		return watch{held, 0, stop}, nil
	}
	name := "telegram/poll/" + strconv.FormatInt(me, 10)
	waiting := false
	for {
		began := c.now()
		l, err := c.leases.Take(ctx, name, c.holder, leaseLength)
		if err == nil {
			var beating sync.WaitGroup
			beating.Go(func() { c.beat(held, stop, name, l, began) })
			return watch{held, l.Token, func() { stop(); beating.Wait(); c.drop(ctx, name) }}, nil
		}
		if !waiting && ctx.Err() == nil {
			waiting = true
			c.log.Info("another process polls, or it is not known; this one is ready to take over", "error", err)
		}
		if !sleep(ctx, leaseRetry) {
			stop()
			return watch{}, ctx.Err()
		}
	}
}

// beat renews a lease until held ends, and ends it once the lease is another's or may
// be soon: its database does not answer.
func (c *Channel) beat(held context.Context, stop func(), name string, l lock.Lease, taken time.Time) {
	for sleep(held, leaseBeat) {
		began := c.now()
		again, err := c.leases.Take(held, name, c.holder, leaseLength)
		switch {
		case err == nil && again.Token == l.Token:
			taken = began
		case err == nil, fault.Is(err, fault.Conflict), c.now().Sub(taken) > leaseLength-leaseMargin:
			if held.Err() == nil {
				c.log.Warn("polling ends: the lease is lost", "error", err)
			}
			stop()
			return
		}
	}
}

// drop gives the lease back, so that nobody need wait for its end.
func (c *Channel) drop(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopSave)
	defer cancel()
	if err := c.leases.Drop(ctx, name, c.holder); err != nil {
		c.log.Warn("the lease is not given back; it ends by itself", "error", err)
	}
}
