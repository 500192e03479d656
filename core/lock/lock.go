// Package lock lets exactly one of several processes do something.
//
// A lease is held for a while and carries a token that grows with every new
// holder. Whoever writes under a lease passes the token along, so that a holder
// that slept past its lease cannot overwrite its successor's work.
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
}

// Leases hands out leases. Implementations pass storetest.Leases.
type Leases interface {
	// Take takes or renews the lease called name for holder. It fails with
	// fault.Conflict while another holder has it.
	Take(ctx context.Context, name, holder string, length time.Duration) (Lease, error)

	// Drop gives the lease back early. Dropping what one does not hold is not
	// an error.
	Drop(ctx context.Context, name, holder string) error
}
