package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/rebate"
)

// TestBooksWithBonusesAreProved lets bonuses of all sorts come, one of them to
// somebody in debt, and then one that nobody could have given.
func TestBooksWithBonusesAreProved(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]func(t *testing.T) store.Config{
		"SQLite": func(*testing.T) store.Config { return store.Config{} },
		"MySQL": func(t *testing.T) store.Config {
			t.Helper()
			return store.Config{DSN: mariadbtest.Shared(t).Database(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, cfg(t))
			b := &bookkeeper{t: t, db: db, at: start}
			owes := lineOf(1, 1, 7, rebate.Available, 300, 40)
			b.rebates(owes)
			b.withdrawal(0, "a", 7, 300, "requested", "approved", "sending", "paid")
			owes.Seq, owes.Stage, owes.Amount, owes.Margin = 2, rebate.Nothing, 0, 0
			b.rebates(owes)
			line := lineOf(2, 1, 7, rebate.Available, 100, 40)
			line.Order, line.Bonuses = "N2", []rebate.BonusDue{{Name: "fest 开业", Amount: 150, Budget: "m", UserCap: 200}}
			b.rebates(line)
			c := &credit.Treasurer{
				Store: db.Credits(), Now: func() time.Time { return start }, Budgets: map[string]credit.Budget{"m": {Total: 1000}},
				Invitation: credit.Invitation{Inviter: 500, Invited: 200, Budget: "m"},
				Inviter:    func(context.Context, int64, time.Time) (int64, error) { return 3, nil },
			}
			for n := range 2 {
				e, err := event.New(fmt.Sprint("again/", n), event.RebateChanged, start, rebate.Changed{Rebates: []rebate.ChangedRebate{line}})
				must(t, err)
				must(t, c.RebateChanged(t.Context(), e))
			}
			purse := credit.Purse{Ledger: db.Ledger()}
			for user, want := range map[int64]credit.Wallet{3: {Available: 500}, 7: {Available: 150}} { // 100 + 200 + 150 − 300
				if got, err := purse.Wallet(t.Context(), user); err != nil || got != want {
					t.Errorf("user %d has %+v, %v, want %+v", user, got, err, want)
				}
			}
			if es, err := purse.Bonuses(t.Context(), 7, line.Key, "N2"); err != nil || len(es) != 2 {
				t.Errorf("of the line it is said %+v, %v", es, err)
			}
			wantProved(t, db)
			must(t, db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
				j, err := ledger.Open(tx, start)
				must(t, err)
				must(t, j.Move(ledger.Entry{
					Key: "bonus/invitation/8/inviter", Kind: ledger.Invite, From: ledger.Marketing, To: ledger.User(4, ledger.Available), Amount: 500, Cause: "invitation/9",
				}))
				return j.Post()
			}))
			if rep := prove(t, db, ""); rep.OK() || !strings.Contains(strings.Join(rep.Faults, "\n"), "what an invitation brings") {
				t.Errorf("the audit says %v", rep.Faults)
			}
		})
	}
}
