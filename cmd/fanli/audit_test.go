package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/proof"
	"fanli/core/withdraw"
)

func TestActs(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	cli(t, "", nil, "acts", "--data", dir).want(t, exitOK, "no such acts")
	b := openBooks(t, dir)
	err := b.db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
		for i, actor := range []string{"cli", "telegram:12"} {
			if err := tx.(audit.Recorder).Act(audit.Act{
				At: time.Date(2026, 11, 10+i, 17, 0, 0, 0, time.UTC), Actor: actor, What: "withdrawal.approve",
				On: fmt.Sprint("withdrawal/", i+1), Before: "reviewing", After: "approved",
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--actor", "cli"}, {"--on", "withdrawal/1"}, {"--day", "2026-11-11"}} { // 17:00 UTC is tomorrow in Shanghai
		r := cli(t, "", nil, append(append([]string{"acts"}, args...), "--data", dir)...)
		r.want(t, exitOK, "withdrawal/1", "reviewing → approved")
		if both := strings.Contains(r.out, "telegram:12"); both != (args == nil) {
			t.Errorf("%v lists:\n%s", args, r.out)
		}
	}
	cli(t, "", nil, "acts", "--what", "rule.change", "--data", dir).want(t, exitOK, "no such acts")
	cli(t, "", nil, "acts", "--day", "yesterday", "--data", dir).want(t, exitUsage, "is not a day")
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "2 acts of staff", "the books are sound")
	shell(t, dir, "DROP TRIGGER payment_acts_unchanged; UPDATE payment_acts SET actor = 'nobody' WHERE id = 1")
	cli(t, "", nil, "audit", "--data", dir).want(t, exitUnsound, "act 1 (withdrawal.approve on withdrawal/1 by nobody) does not have the hash of what it says")
}

func TestAuditKnowsTheHead(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	b := openBooks(t, dir)
	var head string
	s := proof.Sealer{Store: b.db.Seals(), Now: time.Now, Zone: time.UTC, Told: func(s proof.Seal) { head = s.Hash }}
	if n, err := s.Run(t.Context()); n == 0 || err != nil {
		t.Fatalf("%d seals, %v", n, err)
	}
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "head "+head)
	cli(t, "", nil, "audit", "--head", strings.ToUpper(head), "--data", dir).want(t, exitOK, "the books are sound")
	cli(t, "", nil, "audit", "--head", "abc", "--data", dir).want(t, exitUnsound, "no seal has the hash abc")
}
