package withdraw

import (
	"context"

	"fanli/core/money"
)

// A Service is what other targets ask of withdrawals. A [Desk] is one; where it
// runs in another process, so is a client of it. Implementations pass
// servicetest.Withdrawals.
type Service interface {
	Request(ctx context.Context, user int64, amount money.Fen, key string) (Withdrawal, error)
	OfUser(ctx context.Context, user, before int64, count int) ([]Withdrawal, error)
	Autopay(ctx context.Context, user int64) (Autopay, error)
	SetAutopay(ctx context.Context, user int64, on bool, threshold money.Fen) (Autopay, error)
	Cancel(ctx context.Context, user, id int64) (Withdrawal, error)
}

var _ Service = (*Desk)(nil)
