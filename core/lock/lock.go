// Package lock lets exactly one of several processes do something.
//
// A lease is held for a while and carries a token that grows with every new
// holder. Whoever writes under a lease does so in a context from [Under]: the store
// that keeps the lease looks in each of its transactions, in the moment in which it
// commits, whether the lease has passed to somebody else, and refuses it then. So a
// holder that slept past its lease cannot overwrite its successor's work, and not add
// to it either.
package lock

import (
	"context"
	"time"
)

// A Lease is the right to do something until it ends.
type Lease struct {
	Name  string
	Token int64 // grows with every change of holder
	Until time.Time
	// In is what keeps the lease and looks at it when it commits; nil where nothing does.
	In any
}

// Lost is the reason of fault.Unavailable with which a transaction is refused whose
// lease has passed to somebody else. It is no conflict that one could go on after.
const Lost = "lease.lost"

type leaseKey struct{}

// Under returns a context in which only who has the lease l can write.
func Under(ctx context.Context, l Lease) context.Context {
	return context.WithValue(ctx, leaseKey{}, l)
}

// Of returns the lease under which ctx writes; ok is false where it writes under none.
func Of(ctx context.Context) (l Lease, ok bool) {
	l, ok = ctx.Value(leaseKey{}).(Lease)
	return l, ok
}

// A Holding is a lease that somebody has.
type Holding struct {
	Name, Holder string
}

// Leases hands out leases. Implementations pass storetest.Leases.
type Leases interface {
	// Take takes or renews the lease called name for holder. It fails with
	// fault.Conflict while another holder has it.
	Take(ctx context.Context, name, holder string, length time.Duration) (Lease, error)

	// Drop gives the lease back early. Dropping what one does not hold is not
	// an error.
	Drop(ctx context.Context, name, holder string) error

	// Held returns the leases that somebody has now, by name.
	Held(ctx context.Context) ([]Holding, error)
}
