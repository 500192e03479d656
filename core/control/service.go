package control

import "context"

// A Service is what other targets ask of switches. A [Board] is one; where it runs
// in another process, so is a client of it. Implementations pass
// servicetest.Switches.
type Service interface {
	Check(ctx context.Context, scopes ...Scope) error
}

var _ Service = (*Board)(nil)
