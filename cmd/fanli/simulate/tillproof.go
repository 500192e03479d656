package simulate

import (
	"context"
	"fmt"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/ledger"
	"fanli/core/money"
)

// tills compares what people were asked for: what is at the till, where it went, and
// which level everybody has of it.
func (w *world) tills(ctx context.Context, b book, want oracle.Books) (ds []difference) {
	if w.trade == nil {
		return nil
	}
	for _, c := range want.Wrong {
		ds = append(ds, difference{c.Text, []string{" " + c.Number + " ", " " + c.Number + ","}})
	}
	for _, a := range []struct {
		account ledger.Account
		want    money.Fen
	}{
		{ledger.Collector(tillName), -want.Tills[tillName]}, {ledger.Bank, -want.Bank},
		{ledger.Membership, want.Membership}, {ledger.Suspense, want.Suspense},
	} {
		if got := b.accounts[a.account]; got != a.want {
			ds = append(ds, difference{fmt.Sprintf("%s has %s by the oracle, %s by our book", a.account, a.want, got), []string{" " + string(a.account) + " "}})
		}
	}
	for _, p := range w.users {
		if p.into != nil {
			continue
		}
		if got, err := w.house.level(ctx, p.id); err != nil || got != w.level(p) {
			ds = append(ds, difference{fmt.Sprintf("user %d is told of level %d, %v; it should be %d", p.id, got, err, w.level(p)), []string{w.user(p.id)}})
		}
	}
	return ds
}
