package credit

import (
	"context"
	"fmt"
	"slices"

	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
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
	// Members returns an account and all that are merged into it; nil where none are.
	Members func(ctx context.Context, user int64) ([]int64, error)
}

// Wallet returns where a user's money is, all pockets as of one moment.
func (p Purse) Wallet(ctx context.Context, user int64) (Wallet, error) {
	m, err := p.Ledger.Wallet(ctx, user)
	if err != nil {
		return Wallet{}, err
	}
	return Wallet{m[ledger.Pending], m[ledger.Available], m[ledger.Reserved], -m[ledger.Debt]}, nil
}

// Paid returns how much has been paid out to a user, ever.
func (p Purse) Paid(ctx context.Context, user int64) (money.Fen, error) {
	return p.Ledger.Paid(ctx, user)
}

// Statement returns the entries that touch a user's accounts, newest first,
// starting after the entry with id before (0: from the newest).
func (p Purse) Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error) {
	return p.Ledger.Statement(ctx, user, before, count)
}

// Accounts returns a user's own account and all that are merged into it. Each keeps the
// statement of what it had before.
func (p Purse) Accounts(ctx context.Context, user int64) ([]int64, error) {
	if p.Members == nil {
		return []int64{user}, nil
	}
	return p.Members(ctx, user)
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

// Bonuses returns what a person got beside the rebate of a line of an order: what
// campaigns gave for the line, and what came for the first order. Gifts that were booked
// for an account before it was merged stay where they are, and are the person's.
func (p Purse) Bonuses(ctx context.Context, user int64, line order.Key, number string) ([]ledger.Entry, error) {
	accounts, err := p.Accounts(ctx, user)
	if err != nil {
		return nil, err
	}
	mine := func(cause string, is func(e ledger.Entry) bool) ([]ledger.Entry, error) {
		es, err := p.Ledger.Caused(ctx, cause)
		return slices.DeleteFunc(es, func(e ledger.Entry) bool {
			to, pocket, _ := e.To.Owner()
			return pocket != ledger.Available || !slices.Contains(accounts, to) || !is(e)
		}), err
	}
	out, err := mine(line.String(), func(e ledger.Entry) bool { return e.Kind == ledger.Campaign })
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		first, err := mine(invitationCause(a), func(e ledger.Entry) bool { return e.Kind == ledger.Invite && e.Note == number && number != "" })
		if err != nil {
			return nil, err
		}
		out = append(out, first...)
	}
	return out, nil
}

// invitationCause is how the ledger names that somebody who was invited has come.
func invitationCause(user int64) string { return fmt.Sprintf("invitation/%d", user) }
