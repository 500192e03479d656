package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanli/adapters/store/mariadbtest"
)

// lived plays the tale on SQLite until nearly its end and returns the world,
// closed, and its ledger.
func lived(t *testing.T) (w *little, s *tale, entries []string) {
	t.Helper()
	w = newLittle(t).mustOpen()
	s = &tale{w: w, lines: map[string]string{}}
	for _, step := range s.steps() {
		if step.name == "fan received" {
			break
		}
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	entries = w.entries()
	if err := w.app.close(); err != nil {
		t.Fatal(err)
	}
	w.app = nil
	return w, s, entries
}

// TestTransfer moves a little world to a server in the middle of its tale. It goes
// on there as if nothing had happened.
func TestTransfer(t *testing.T) {
	t.Parallel()
	w, s, before := lived(t)
	w.dsn = mariadbtest.Shared(t).Database(t)
	cli(t, "", nil, "transfer", "--from", w.path, "--to", w.dsn).
		want(t, exitOK, "payment_entries", "user_payees", "old books:", "new books:", "both are equal")
	cli(t, "", nil, "transfer", "--from", w.path, "--to", w.dsn).want(t, exitFailed, "not empty", "nothing was changed")
	w.mustOpen()
	if got := w.entries(); !slices.Equal(got, before) {
		t.Errorf("the ledger is another one:\n%s", diff(before, got))
	}
	on := false
	for _, step := range s.steps() {
		if on = on || step.name == "fan received"; !on {
			continue
		}
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	w.mustSettle()
	w.wantSound()
	if got := w.entries(); len(got) <= len(before) {
		t.Error("nothing went on")
	}
	// What was sealed opens under the same key.
	u, _, err := w.app.users.Resolve(t.Context(), identityOf("ann"), "zh")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := w.app.users.Payee(t.Context(), u.ID); err != nil || !strings.Contains(p.Account, "13800000000") {
		t.Errorf("payee %s, %v", p.Masked(), err)
	}
	// Numbers go on where they were.
	ws, err := w.app.payouts.OfUser(t.Context(), u.ID, 0, 10)
	if err != nil || len(ws) != 1 {
		t.Errorf("%d withdrawals, %v", len(ws), err)
	}
}

// TestATransferThatWasInterrupted fails in the middle; until it is done again the
// new database is of no use.
func TestATransferThatWasInterrupted(t *testing.T) {
	t.Parallel()
	w, _, before := lived(t)
	server := mariadbtest.Shared(t)
	w.dsn = server.Database(t)
	shell := server.Shell(t, w.dsn)
	exec := func(statement string) {
		t.Helper()
		if _, err := shell.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	dsn := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(dsn, []byte(w.dsn+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	configured := []string{"FANLI_DATABASE_DSN_FILE=" + dsn}
	dir := filepath.Dir(w.path)
	cli(t, "", configured, "migrate", "--data", dir).want(t, exitOK, "order/0001_events.sql")
	exec("CREATE TRIGGER in_the_way BEFORE INSERT ON user_payees FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'in the way'")
	for range 2 {
		cli(t, "", configured, "transfer", "--data", dir).want(t, exitFailed, "did not end", "user_payees", "in the way")
		for _, command := range []string{"migrate", "withdrawals"} {
			cli(t, "", configured, command, "--data", dir).want(t, exitFailed, "transfer")
		}
	}
	exec("DROP TRIGGER in_the_way")
	// A copy that is not what was copied.
	exec("CREATE TRIGGER liar BEFORE INSERT ON payment_accounts FOR EACH ROW SET NEW.balance = IF(NEW.name = 'network/jd', 0, NEW.balance)")
	cli(t, "", configured, "transfer", "--data", dir).want(t, exitUnsound, "DIFFERS", "NOT sound", "network/jd")
	exec("DROP TRIGGER liar")
	cli(t, "", configured, "transfer", "--data", dir).want(t, exitOK, "both are equal")
	cli(t, "", configured, "audit", "--data", dir).want(t, exitOK, "the books are sound", fmt.Sprint(len(before), " entries"))
	w.mustOpen()
	if got := w.entries(); !slices.Equal(got, before) {
		t.Errorf("the ledger is another one:\n%s", diff(before, got))
	}
}

func TestTransferRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := filepath.Join(dir, "fanli.db")
	cli(t, "", nil, "transfer", "--from", from).want(t, exitUsage, "--to")
	r := cli(t, "", nil, "transfer", "--from", from, "--to", "mysql://u:"+mariadbtest.Secret+"@h")
	r.want(t, exitUsage, "mysql://USER")
	if strings.Contains(fmt.Sprint(r), mariadbtest.Secret) {
		t.Error("the password is shown")
	}
	cli(t, "", nil, "transfer", "--from", from, "--to", "mysql://u:p@127.0.0.1:1/x").want(t, exitFailed, "nothing to transfer")
	w, _, _ := lived(t)
	server := mariadbtest.Shared(t)
	w.dsn = server.Database(t)
	own, err := openFolder(filepath.Dir(w.path))
	if err != nil {
		t.Fatal(err)
	}
	cli(t, "", nil, "transfer", "--from", w.path, "--to", w.dsn).want(t, exitFailed, "at work")
	if err := own.close(); err != nil {
		t.Fatal(err)
	}
	var tables int
	if err := server.Shell(t, w.dsn).QueryRowContext(t.Context(),
		"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables, %v", tables, err)
	}
}

// TestTransferSplits moves a little world to a database for each target, and the
// operators' commands find it there.
func TestTransferSplits(t *testing.T) {
	t.Parallel()
	w, _, before := lived(t)
	dsn := databasesOf(t, mariadbtest.Shared(t), "transfer")
	dir := filepath.Dir(w.path)
	cli(t, "", nil, "transfer", "--from", w.path, "--to", dsn).want(t, exitOK, "payment_entries", "user_payees", "both are equal")
	cli(t, "", nil, "transfer", "--from", w.path, "--to", dsn).want(t, exitFailed, "not empty", "nothing was changed")
	env := []string{"FANLI_DATABASE_DSN=" + dsn}
	cli(t, "", env, "audit", "--data", dir).want(t, exitOK, "the books are sound", fmt.Sprint(len(before), " entries"))
	cli(t, "", env, "migrate", "--data", dir).want(t, exitOK, "nothing to do")
	cli(t, "", env, "withdrawals", "--data", dir).want(t, exitOK)
}
