package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// act records acts in one transaction of withdrawals.
func act(t *testing.T, db *store.DB, acts ...audit.Act) error {
	t.Helper()
	return db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
		for _, a := range acts {
			if err := tx.(audit.Recorder).Act(a); err != nil {
				return err
			}
		}
		return nil
	})
}

func approval(id int) audit.Act {
	return audit.Act{
		Actor: "staff:3", Role: "finance", What: "withdrawal.approve", On: fmt.Sprint("withdrawal/", id),
		Reason: "seen", Before: "reviewing", After: "approved", Trace: "abc", At: start,
	}
}

func TestActsAreAChain(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	other := approval(9)
	other.What, other.Actor = "withdrawal.refuse", "cli"
	must(t, act(t, db, approval(1), approval(2)))
	must(t, act(t, db, other))
	if err := act(t, db, audit.Act{What: "x"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an act of nobody: %v", err)
	}
	undone := errors.New("undone")
	err := db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
		return errors.Join(tx.(audit.Recorder).Act(approval(4)), undone)
	})
	if !errors.Is(err, undone) {
		t.Error(err)
	}
	acts, err := db.Acts().Acts(t.Context(), audit.Filter{Count: 10})
	must(t, err)
	if len(acts) != 3 || acts[0].On != "withdrawal/9" || acts[2].ID != 1 || acts[2].Before != "reviewing" || !acts[2].At.Equal(start) {
		t.Errorf("acts %+v", acts)
	}
	for name, f := range map[string]audit.Filter{
		"Actor": {Actor: "cli"}, "What": {What: "withdrawal.refuse"}, "On": {On: "withdrawal/9"},
	} {
		f.Count = 10
		if acts, err := db.Acts().Acts(t.Context(), f); err != nil || len(acts) != 1 || acts[0].ID != 3 {
			t.Errorf("%s: %+v, %v", name, acts, err)
		}
	}
	if acts, err := db.Acts().Acts(t.Context(), audit.Filter{From: start.Add(time.Second), Count: 1}); err != nil || len(acts) != 0 {
		t.Errorf("acts %+v, %v after the last", acts, err)
	}
	n, d, err := audit.Verify(t.Context(), db.Acts())
	if err != nil || d != "" || n != 3 {
		t.Errorf("%d acts, %q, %v", n, d, err)
	}
}

// An act of another target comes as an event, perhaps twice, and is recorded once.
func TestActsOfOtherTargetsAreRecordedOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		k := audit.Keeper{Store: db.ActStore()}
		e, err := audit.Say("act/rules/7", start, audit.Act{Actor: "mei", What: "rules.set", On: "rules/7", Reason: "11.11", Before: "rules/6", After: "rules/7"})
		must(t, err)
		must(t, k.StaffActed(t.Context(), e))
		must(t, k.StaffActed(t.Context(), e))
		acts, err := db.Acts().Acts(t.Context(), audit.Filter{Count: 10})
		must(t, err)
		if len(acts) != 1 || acts[0].Actor != "mei" || acts[0].Reason != "11.11" || acts[0].Trace != "act/rules/7" || !acts[0].At.Equal(start) {
			t.Errorf("acts %+v", acts)
		}
		if _, err := audit.Say("act/rules/8", start, audit.Act{What: "rules.set"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an act of nobody: %v", err)
		}
		e.ID, e.Data = "act/rules/8", []byte("[]")
		if err := k.StaffActed(t.Context(), e); !fault.Is(err, fault.Invalid) {
			t.Errorf("an act that cannot be read: %v", err)
		}
	})
}

// TestEveryEditOfAnActShows edits each column with a shell that has dropped the
// triggers.
func TestEveryEditOfAnActShows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path})
	must(t, act(t, db, approval(1), approval(2), approval(3)))
	shell := raw(t, store.Config{Path: path})
	if _, err := shell.ExecContext(t.Context(), "UPDATE payment_acts SET reason = 'x'"); err == nil || !strings.Contains(err.Error(), "never changed") {
		t.Errorf("the database lets an act be changed: %v", err)
	}
	for _, s := range []string{"DROP TRIGGER payment_acts_unchanged", "DROP TRIGGER payment_acts_kept"} {
		_, err := shell.ExecContext(t.Context(), s)
		must(t, err)
	}
	edits := []string{"DELETE FROM payment_acts WHERE id = %d", "UPDATE payment_acts SET at = at + 1 WHERE id = %d", "UPDATE payment_acts SET id = id + 7 WHERE id = %d"}
	for _, column := range []string{"actor", "role", "what", "subject", "reason", "was", "became", "trace", "hash"} {
		edits = append(edits, "UPDATE payment_acts SET "+column+" = "+column+" || 'x' WHERE id = %d")
	}
	for _, edit := range edits {
		for id := 1; id <= 3; id++ {
			if underRace && id != 2 {
				continue
			}
			path := filepath.Join(t.TempDir(), "copy.db")
			_, err := shell.ExecContext(t.Context(), "VACUUM INTO ?", path)
			must(t, err)
			copied := reopen(t, store.Config{Path: path})
			_, err = raw(t, store.Config{Path: path}).ExecContext(t.Context(), fmt.Sprintf(edit, id))
			must(t, err)
			if _, d, err := audit.Verify(t.Context(), copied.Acts()); err != nil || d == "" {
				t.Errorf("%s of act %d goes unnoticed: %v", edit, id, err)
			}
		}
	}
}
