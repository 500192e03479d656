package collect

import "context"

// A Service is what other targets ask of charges. A [Desk] is one; where it runs in
// another process, so is a client of it.
type Service interface {
	Ask(ctx context.Context, r Request) (Due, error)
}

var _ Service = (*Desk)(nil)
