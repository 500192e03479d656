package credit

import (
	"context"

	"fanli/core/ledger"
	"fanli/core/money"
)

// A Wallet is where a user's money is.
type Wallet struct {
	Pending   money.Fen // waits for settlement
	Available money.Fen // can be withdrawn
	Reserved  money.Fen // a withdrawal is on its way
	Debt      money.Fen // owed by the user, above zero
}

// A Purse answers questions about users' money.
type Purse struct {
	Ledger ledger.Reader
}

// Wallet returns where a user's money is, all pockets as of one moment.
func (p Purse) Wallet(ctx context.Context, user int64) (Wallet, error) {
	m, err := p.Ledger.Wallet(ctx, user)
	if err != nil {
		return Wallet{}, err
	}
	return Wallet{m[ledger.Pending], m[ledger.Available], m[ledger.Reserved], -m[ledger.Debt]}, nil
}

// Statement returns the entries that touch a user's accounts, newest first,
// starting after the entry with id before (0: from the newest).
func (p Purse) Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error) {
	return p.Ledger.Statement(ctx, user, before, count)
}

// Effect is what an entry does to a user's own money: what is pending,
// available or reserved, less debt.
func Effect(user int64, e ledger.Entry) money.Fen {
	var n money.Fen
	if u, _, ok := e.To.Owner(); ok && u == user {
		n = e.Amount
	}
	if u, _, ok := e.From.Owner(); ok && u == user {
		n -= e.Amount
	}
	return n
}
