package telegram

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"fanli/core/fault"
)

// How long to wait after a failure: twice as long each time, with jitter, so
// that many bots do not come back at once.
const (
	waitFirst    = time.Second
	waitMax      = time.Minute
	waitConflict = 4 * time.Second // somebody else is polling: at least three
)

// waits counts failures in a row.
type waits struct{ b *backoff.ExponentialBackOff }

func newWaits() waits {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = waitFirst, 2, waitMax
	b.Reset()
	return waits{b}
}

// after returns how long to wait after err.
func (w waits) after(err error) time.Duration {
	d := max(w.b.NextBackOff(), retryAfter(err))
	if fault.Is(err, fault.Conflict) {
		d = max(d, waitConflict)
	}
	return d
}

// reset forgets the failures after a success.
func (w waits) reset() { w.b.Reset() }

// sleep waits for d and reports whether ctx is still alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
