package control

import (
	"context"
	"errors"
	"strings"
	"sync"

	"fanli/core/fault"
)

// Careful is a [Service] that still answers while the one behind it does not. What
// moves money is then stopped: Payouts, Credits and payers fail as the Service did.
// What moves none stays as it was last known, and goes on where nothing is known:
// that a link is made in spite of a switch costs less than that nobody gets one. It
// is safe for concurrent use.
type Careful struct {
	Service Service

	mu sync.Mutex
	on map[Scope]Switch // as last heard
}

var _ Service = (*Careful)(nil)

// Check is Service.Check as far as somebody answers.
func (c *Careful) Check(ctx context.Context, scopes ...Scope) error {
	err := c.Service.Check(ctx, scopes...)
	c.mu.Lock()
	defer c.mu.Unlock()
	var stopped *StoppedError
	switch {
	case err == nil:
		for _, s := range scopes {
			delete(c.on, s)
		}
		return nil
	case errors.As(err, &stopped):
		if c.on == nil {
			c.on = map[Scope]Switch{}
		}
		c.on[stopped.Switch.Scope] = stopped.Switch
		return err
	case !fault.Is(err, fault.Unavailable):
		return err
	}
	for _, s := range scopes {
		if on, ok := c.on[s]; ok {
			return refusal(on)
		}
	}
	for _, s := range scopes {
		if s.money() {
			return err
		}
	}
	return nil
}

// money reports whether the scope is about money that moves.
func (s Scope) money() bool {
	return s == Payouts || s == Credits || strings.HasPrefix(string(s), "payer/")
}
