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
	"fanli/core/money"
	"fanli/core/rebate"
	"fanli/core/user"
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
			wantExplainedAfterMerge(t, db, line)
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

// wantExplainedAfterMerge links user 7 with user 2, and takes them apart again: meanwhile
// every fen that the line has brought to 7 is explained to 2.
func wantExplainedAfterMerge(t *testing.T, db *store.DB, line rebate.ChangedRebate) {
	t.Helper()
	purse := credit.Purse{Ledger: db.Ledger(), Members: db.Members}
	brought := money.Fen(0)
	es, err := purse.Statement(t.Context(), 7, 0, 100)
	must(t, err)
	for _, e := range es {
		if e.Cause == line.Key.String() || strings.HasPrefix(e.Cause, "invitation/") {
			brought += credit.Effect(7, e)
		}
	}
	m := &credit.Merger{Store: db.Moved(), Now: func() time.Time { return start }}
	for rev, stage := range []user.MergeStage{user.MergeBegun, user.MergeUndoing} {
		e, err := event.New(fmt.Sprint("merge/9/", rev), event.MergeChanged, start, user.MergeChanged{ID: 9, Rev: int64(rev) + 1, Absorbed: 7, Survivor: 2, Stage: stage})
		must(t, err)
		must(t, m.MergeChanged(t.Context(), e))
		es, err := purse.Bonuses(t.Context(), 2, line.Key, line.Order)
		must(t, err)
		explained := line.Amount
		for _, e := range es {
			explained += e.Amount
		}
		want := brought
		if stage == user.MergeUndoing {
			want = line.Amount
		}
		if explained != want || brought == line.Amount {
			t.Errorf("%s: of %d that the line has brought %d is explained", stage, want, explained)
		}
	}
	wantProved(t, db)
}
