package order

import (
	"context"
	"time"
)

// A Service is what other targets ask of this one. A [Book] is one; where it runs
// in another process, so is a client of it. Implementations pass servicetest.Orders.
type Service interface {
	OfUser(ctx context.Context, user, before int64, count int) ([]Line, error)
	ByNumber(ctx context.Context, number string) ([]Line, error)
	Claim(ctx context.Context, user int64, number string) (Claim, error)
	Prove(ctx context.Context, user, claim int64, p Proof) (Claim, error)
	Appeal(ctx context.Context, user int64, number, words string) (Claim, error)
	Claims(ctx context.Context, user, before int64, count int) ([]Claim, error)
	Members(ctx context.Context, user int64) ([]Member, error)
	BindMember(ctx context.Context, network, tag string, user int64) (Member, error)
	SpendTicket(ctx context.Context, ticket string, until time.Time) error
}

var _ Service = (*Book)(nil)
