package withdrawtest_test

import (
	"context"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/storetest"
	"fanli/core/withdraw"
	"fanli/core/withdraw/withdrawtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Withdrawals(t, func(*testing.T) storetest.WithdrawalStore {
		m := withdrawtest.New()
		return storetest.WithdrawalStore{
			Store: m, Credit: credits{m}, Reader: m.Reader(), Heard: func(*testing.T) []event.Event { return m.Heard() },
		}
	})
}

// credits is what the suite needs of a credit.Store: its ledger.
type credits struct{ *withdrawtest.Memory }

func (c credits) InTx(ctx context.Context, fn func(credit.Tx) error) error {
	return c.Memory.InTx(ctx, func(tx withdraw.Tx) error { return fn(creditTx{Tx: tx}) })
}

type creditTx struct {
	withdraw.Tx
	event.Inbox
}

func (creditTx) Roots([]int64) (map[int64]int64, error) { return nil, nil }

func (creditTx) Booked([]order.Key) (map[order.Key]credit.Booked, error)  { return nil, nil }
func (creditTx) PutBooked([]credit.Booked) error                          { return nil }
func (creditTx) Spend(string, string, money.Fen, money.Fen) (bool, error) { return true, nil }

func (creditTx) Spent(string, string) (money.Fen, error) { return 0, nil }
func (creditTx) Came([]int64) (bool, error)              { return false, nil }

func (creditTx) PutFirst(int64, string, time.Time) error { return nil }

func (credits) First(context.Context, int64) (string, error) { return "", nil }

func (credits) Used(context.Context, string, []string) (map[string]money.Fen, error) {
	return nil, nil
}
