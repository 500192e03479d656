package bottest

import (
	"context"
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
