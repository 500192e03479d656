package jobs

import (
	"context"
	"errors"
	"strings"
)

// Inherit gives back the leases of a process that has died, so that its work need not
// wait until they end. Whoever takes one next has a higher token: what the dead process
// has still on its way is fenced off. Only who knows that it is dead may call it.
func (r *Runner) Inherit(ctx context.Context, dead string) error {
	var errs []error
	for _, s := range r.slots {
		errs = append(errs, s.leases.Drop(ctx, leaseOf(s.job), dead))
	}
	for leases := range r.crews {
		held, err := leases.Held(ctx)
		errs = append(errs, err)
		for _, h := range held {
			if h.Holder == dead && strings.HasPrefix(h.Name, seatPrefix) {
				errs = append(errs, leases.Drop(ctx, h.Name, dead))
			}
		}
	}
	return errors.Join(errs...)
}
