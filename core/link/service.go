package link

import "context"

// A Service is what other targets ask of this one. A [Desk] is one; where it runs
// in another process, so is a client of it. Implementations pass servicetest.Links.
type Service interface {
	Make(ctx context.Context, user int64, ref Ref) (Link, error)
}

var _ Service = (*Desk)(nil)
