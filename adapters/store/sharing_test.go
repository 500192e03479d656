package store_test

import (
	"fmt"
	"testing"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// TestOnesOwnAccountsShareNothing: who has linked two accounts, with one payout account
// for both, is one person there, also to others.
func TestOnesOwnAccountsShareNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		payee := user.Payee{Method: "alipay", Account: "13800000000", Name: "安"}
		for id := int64(1); id <= 5; id++ {
			must(t, db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
				_, err := tx.Insert(withdraw.Withdrawal{Key: fmt.Sprint(id), User: id, Amount: 100, Payee: payee, State: withdraw.Paid, Rev: 1, At: start, Changed: start})
				return err
			}))
		}
		sharing := func(when string, want map[int64]int) {
			t.Helper()
			must(t, db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
				for id, n := range want {
					got, err := tx.Sharing(payee, id)
					must(t, err)
					if got != n {
						t.Errorf("%s %d shares its payout account with %d others, want %d", when, id, got, n)
					}
				}
				return nil
			}))
		}
		sharing("at first", map[int64]int{1: 4, 5: 4, 9: 5})
		for i, m := range [][2]int64{{1, 2}, {2, 3}, {4, 5}} { // 3 into 2 into 1, 5 into 4
			must(t, db.Moved().InTx(t.Context(), func(tx credit.MergeTx) error {
				return tx.PutMoved(credit.Moved{ID: int64(i + 1), Survivor: m[0], Absorbed: m[1], Stage: credit.MoneyMoved, Rev: 1, At: start})
			}))
		}
		sharing("merged", map[int64]int{1: 1, 4: 1, 9: 2})
	})
}
