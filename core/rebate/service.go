package rebate

import (
	"context"

	"fanli/core/link"
	"fanli/core/order"
)

// A Service is what other targets ask of this one. A [Clerk] is one; where it runs
// in another process, so is a client of it. Implementations pass servicetest.Rebates.
type Service interface {
	Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error)
	Of(ctx context.Context, keys []order.Key) (map[order.Key]Rebate, error)
	Referral(ctx context.Context) (Referral, error)
	Standing(ctx context.Context, user int64, networks []string) (Standing, error)
}

var _ Service = (*Clerk)(nil)
