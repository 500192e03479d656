package bottest

import (
	"context"
	"slices"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	fen "fanli/core/money"
)

// Used implements credit.Store.
func (s creditStore) Used(_ context.Context, budget string, spans []string) (map[string]money, error) {
	return read(s.store, func() (map[string]money, error) {
		out := map[string]money{}
		for _, span := range spans {
			out[span] = s.spent[budget+" "+span]
		}
		return out, nil
	})
}

// Spend implements credit.Tx.
func (t creditTx) Spend(budget, span string, amount, limit money) (bool, error) {
	used := t.spent[budget+" "+span] + amount
	if limit != 0 && used > limit {
		return false, nil
	}
	t.spent[budget+" "+span] = used
	return true, nil
}

// Spent implements credit.Tx.
func (t creditTx) Spent(budget, span string) (money, error) { return t.spent[budget+" "+span], nil }

// Came implements credit.Tx.
func (t creditTx) Came(users []int64) (bool, error) {
	return slices.ContainsFunc(users, func(id int64) bool { return t.firsts[id] != "" }), nil
}

// First implements credit.Store.
func (s creditStore) First(_ context.Context, user int64) (string, error) {
	return read(s.store, func() (string, error) {
		if cause, ok := s.firsts[user]; ok {
			return cause, nil
		}
		return "", fault.New(fault.NotFound, "")
	})
}

// PutFirst implements credit.Tx.
func (t creditTx) PutFirst(user int64, cause string, _ time.Time) error {
	if _, ok := t.firsts[user]; !ok {
		t.firsts[user] = cause
	}
	return nil
}

// setInvitations says what invitations bring.
func (f *Fake) setInvitations(args ...string) error {
	if len(args) != 2 {
		return errUsage
	}
	f.gifts.Invitation = credit.Invitation{Budget: "friends"}
	for i, into := range []*money{&f.gifts.Invitation.Inviter, &f.gifts.Invitation.Invited} {
		n, err := fen.ParseYuan(args[i], fen.Exact)
		if err != nil {
			return err
		}
		*into = n
	}
	return nil
}
