package credit

import (
	"context"

	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
)

// Wallets is what other targets ask of users' money. A [Purse] is one; where it
// runs in another process, so is a client of it. Implementations pass
// servicetest.Wallets.
type Wallets interface {
	Wallet(ctx context.Context, user int64) (Wallet, error)
	Paid(ctx context.Context, user int64) (money.Fen, error)
	Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error)
	Bonuses(ctx context.Context, user int64, line order.Key, number string) ([]ledger.Entry, error)
}

// Gifts is what other targets ask of budgets. A [Treasurer] is one; where it runs
// in another process, so is a client of it. Implementations pass servicetest.Gifts.
type Gifts interface {
	Come(ctx context.Context, user int64) (money.Fen, error)
	Promised(ctx context.Context) (Invitation, error)
	Dry(ctx context.Context, budget string) (bool, error)
}

var (
	_ Wallets = Purse{}
	_ Gifts   = (*Treasurer)(nil)
)
