package main

import (
	"fmt"
	"strings"
	"testing"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// TestReturnsThroughALinkedAccountAreThePersons: what is known of somebody when their money
// leaves is known of all their accounts, for as long as they are theirs.
func TestReturnsThroughALinkedAccountAreThePersons(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	ctx := t.Context()
	var ids [2]int64
	for i, name := range []string{"ann", "ann's other one"} {
		u, _, err := w.app.users.Resolve(ctx, identityOf(name), "zh")
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = u.ID
	}
	err := w.app.db.Credits().InTx(ctx, func(tx credit.Tx) error {
		j, err := ledger.Open(tx, w.app.now())
		if err != nil {
			return err
		}
		for key, kind := range map[string]ledger.Kind{"1": ledger.Earn, "2": ledger.Revoke} {
			e := ledger.Entry{Key: key, Kind: kind, From: ledger.Network("jd"), To: ledger.User(ids[1], ledger.Available), Amount: 100, Cause: "jd/main/1"}
			if kind == ledger.Revoke {
				e.From, e.To, e.Amount = e.To, e.From, 50
			}
			if err := j.Move(e); err != nil {
				return err
			}
		}
		return j.Post()
	})
	if err != nil {
		t.Fatal(err)
	}
	for rev, stage := range []user.MergeStage{"", user.MergeBegun, user.MergeUndoing} {
		e, err := event.New(fmt.Sprint("merge/1/", rev), event.MergeChanged, w.app.now(), user.MergeChanged{
			ID: 1, Rev: int64(rev), Absorbed: ids[1], Survivor: ids[0], Stage: stage, At: w.app.now(),
		})
		if err == nil {
			err = w.app.merger.MergeChanged(ctx, e)
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := w.app.facts(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Contains(fmt.Sprint(withdraw.Assess(f)), "risk.returns"), stage == user.MergeBegun; got != want {
			t.Errorf("%q: earned %s, returned %s", stage, f.Earned, f.Returned)
		}
	}
}
