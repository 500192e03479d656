package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libtnb/sqlite"

	"fanli/adapters/alipay"
	"fanli/adapters/manual"
	"fanli/configs"
	"fanli/core/ledger"
	"fanli/core/logtest"
	"fanli/core/money"
)

// shell changes a database behind fanli's back, as somebody with a shell can.
func shell(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open(sqlite.DriverName, filepath.Join(dir, "fanli.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d rows, %v: %s", n, err, statement)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(memoryDir(t), "not", "there", "yet")
	first := cli(t, "", nil, "migrate", "--data", dir)
	first.want(t, exitOK, "order/0001_events.sql", "payment/0002_ledger.sql", "jobs/0001_leases.sql")
	cli(t, "", nil, "migrate", "--data", dir).want(t, exitOK, "nothing to do")
	for _, name := range []string{"fanli.db", "seal.key"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v: others may look into it", name, st.Mode(), err)
		}
	}
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "0 entries", "the books are sound")
	// A newer binary was here.
	shell(t, dir, "INSERT INTO order_migrations (version_id, is_applied) VALUES (999, 1)")
	for _, command := range []string{"migrate", "withdrawals", "sync"} {
		cli(t, "", nil, command, "--data", dir).want(t, exitFailed, "999", "does not know")
	}
}

// withBooks plays the loop until a withdrawal of the shopper ann waits for a
// person, and returns the data folder with its books.
func withBooks(t *testing.T) (dir string, amount money.Fen) {
	t.Helper()
	w := newLittle(t).mustOpen()
	w.app.payouts.Limits.Auto = 0
	s := &tale{w: w, lines: map[string]string{}}
	for _, step := range s.steps() {
		if step.name == "paid" {
			break
		}
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
	}
	w.mustSettle()
	ws, err := w.app.payouts.Waiting(t.Context(), 10)
	if err != nil || len(ws) != 1 {
		t.Fatal(ws, err)
	}
	if err := w.app.close(); err != nil {
		t.Fatal(err)
	}
	w.app = nil
	return filepath.Dir(w.path), ws[0].Amount
}

func TestAudit(t *testing.T) {
	t.Parallel()
	cli(t, "", nil, "audit", "--data", t.TempDir()).want(t, exitFailed, "there are no books to prove")
	t.Run("sound", func(t *testing.T) {
		t.Parallel()
		dir, _ := withBooks(t)
		r := cli(t, "", nil, "audit", "--data", dir)
		r.want(t, exitOK, "the books are sound", "sum of all balances ¥0.00")
		if strings.HasPrefix(r.out, "0 entries") {
			t.Error("there was nothing to prove")
		}
	})
	for name, damage := range map[string]struct {
		statement string
		says      string
	}{
		"one fen more": {"UPDATE payment_accounts SET balance = balance + 1 WHERE name = 'user/1/reserved'", "  ! user/1/reserved has a balance of"},
		"one fen less": {"UPDATE payment_accounts SET balance = balance - 1 WHERE name = 'house/margin'", "  ! house/margin has a balance of"},
		"emptied":      {"UPDATE payment_accounts SET balance = 0 WHERE name = 'network/jd'", "  ! network/jd has a balance of"},
		"an entry more": {`INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at)
			SELECT 'gift', 'earn', a.id, b.id, 100, 'gift', '', 0 FROM payment_accounts a, payment_accounts b
			WHERE a.name = 'house/margin' AND b.name = 'user/1/available'`, "the chart has no earn from house/margin to user/1/available"},
		"another note":   {"DROP TRIGGER payment_entries_unchanged; UPDATE payment_entries SET note = note || '!' WHERE id = 3", "had the digest"},
		"another amount": {"DROP TRIGGER payment_entries_unchanged; UPDATE payment_entries SET amount = amount + 1 WHERE id = 3", "> 3 2026-01-15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := withBooks(t)
			shell(t, dir, damage.statement)
			cli(t, "", nil, "audit", "--data", dir).want(t, exitUnsound, damage.says, "the books are NOT sound")
		})
	}
}

// staff runs `fanli withdrawals` in a data folder.
func staff(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return cli(t, "", nil, append(append([]string{"withdrawals"}, args...), "--data", dir)...)
}

// sendByHand does what serve does with approved withdrawals where a person pays.
func sendByHand(t *testing.T, dir string) {
	t.Helper()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(nil), now: time.Now, stands: &stands{payer: manual.Payer{}}, holder: "test", path: filepath.Join(dir, "fanli.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.payouts.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

// pocket is one of ann's balances.
func pocket(t *testing.T, dir string, a ledger.Account) money.Fen {
	t.Helper()
	b, err := openBooks(t, dir).db.Ledger().Balance(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWithdrawalIsPaidByHand(t *testing.T) {
	t.Parallel()
	dir, amount := withBooks(t)
	list := staff(t, dir)
	list.want(t, exitOK, "1  reviewing", amount.Yuan(), "user 1", "138****0000", "review.amount", "2026-01-15 ")
	if strings.Contains(list.out, "13800000000") {
		t.Error("the list shows the account in full")
	}
	staff(t, dir, "paid", "1").want(t, exitFailed, "is reviewing, not on the way to paid")
	staff(t, dir, "failed", "1").want(t, exitFailed, "is reviewing, not on the way to failed")
	staff(t, dir, "approve", "1").want(t, exitOK, "withdrawal 1: approve")
	staff(t, dir, "approve", "1").want(t, exitOK) // said twice is said once
	staff(t, dir).want(t, exitOK, "1  approved")
	staff(t, dir, "paid", "1").want(t, exitFailed, "is approved, not on the way to paid")
	sendByHand(t, dir)
	staff(t, dir).want(t, exitOK, "1  sending")
	staff(t, dir, "refuse", "1").want(t, exitFailed, "is sending, not on the way to refused")
	staff(t, dir, "paid", "1").want(t, exitOK, "withdrawal 1: paid")
	staff(t, dir, "paid", "1").want(t, exitOK)
	staff(t, dir, "failed", "1").want(t, exitFailed, "is paid, not on the way to failed")
	staff(t, dir, "approve", "1").want(t, exitFailed, "is paid")
	staff(t, dir).want(t, exitOK, "nothing waits")
	if got := pocket(t, dir, ledger.Payer(manual.Name)); got != amount {
		t.Errorf("the book says that %s of %s left", got, amount)
	}
	if got := pocket(t, dir, ledger.User(1, ledger.Reserved)); got != 0 {
		t.Errorf("%s are still reserved", got)
	}
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "the books are sound")
}

func TestWithdrawalGivesMoneyBack(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(t *testing.T, dir string){
		"refused": func(t *testing.T, dir string) {
			staff(t, dir, "refuse", "1", "--reason", "payout.name_mismatch").want(t, exitOK, "withdrawal 1: refuse")
			staff(t, dir, "refuse", "1").want(t, exitOK)
		},
		"refused after it was approved": func(t *testing.T, dir string) {
			staff(t, dir, "approve", "1").want(t, exitOK)
			staff(t, dir, "refuse", "1").want(t, exitOK)
		},
		"failed": func(t *testing.T, dir string) {
			staff(t, dir, "approve", "1").want(t, exitOK)
			sendByHand(t, dir)
			staff(t, dir, "failed", "1", "--reason", "payout.no_such_account").want(t, exitOK, "withdrawal 1: failed")
			staff(t, dir, "failed", "1").want(t, exitOK)
			staff(t, dir, "paid", "1").want(t, exitFailed, "is failed, not on the way to paid")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, amount := withBooks(t)
			way(t, dir)
			if got := pocket(t, dir, ledger.User(1, ledger.Available)); got != amount {
				t.Errorf("%s of %s are available again", got, amount)
			}
			if got := pocket(t, dir, ledger.User(1, ledger.Reserved)); got != 0 {
				t.Errorf("%s are still reserved", got)
			}
			staff(t, dir).want(t, exitOK, "nothing waits")
			cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "the books are sound")
		})
	}
}

// TestWithdrawalNumbers names withdrawals that there are not, and things that are
// no numbers. Nothing changes.
func TestWithdrawalNumbers(t *testing.T) {
	t.Parallel()
	dir, amount := withBooks(t)
	for _, do := range []string{"approve", "refuse", "paid", "failed"} {
		for _, id := range []string{"0", "01", "1x", "x", "1.0", "+1", "", " 1", "0x1", "99999999999999999999"} {
			staff(t, dir, do, id).want(t, exitUsage, fmt.Sprintf("%q is not the number of a withdrawal", id))
		}
		staff(t, dir, do, "-1").want(t, exitUsage)
		staff(t, dir, do, "2").want(t, exitFailed, "there is no withdrawal 2")
		staff(t, dir, do, "9223372036854775807").want(t, exitFailed, "there is no withdrawal 9223372036854775807")
	}
	staff(t, dir, "refuse", "1", "--reason", "I do not like them").want(t, exitUsage, "--reason", "review.refused")
	staff(t, dir, "approve", "1", "--reason", "review.refused").want(t, exitUsage, "unknown flag")
	staff(t, dir).want(t, exitOK, "1  reviewing")
	if got := pocket(t, dir, ledger.User(1, ledger.Reserved)); got != amount {
		t.Errorf("%s of %s are reserved", got, amount)
	}
}

// TestDecisionsBesideServe has a person decide while the process runs that sends.
func TestDecisionsBesideServe(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir, amount := withBooks(t)
	p := launch(t, nil, serveArgs([]string{"--data", dir})...)
	p.mustReady(t)
	args := []string{"--data", dir}
	if code := runProgram(t, nil, append([]string{"withdrawals", "approve", "1"}, args...)...); code != exitOK {
		t.Fatalf("approve ends with %d", code)
	}
	b := openBooks(t, dir)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for from := time.Now(); ; <-tick.C {
		left, err := b.db.Ledger().Balance(t.Context(), ledger.Payer(alipay.Name))
		if err != nil {
			t.Fatal(err)
		}
		if left == amount {
			break
		}
		if time.Since(from) > patience {
			t.Fatalf("nobody sends what was approved\n%s", p.log)
		}
	}
	if code := runProgram(t, nil, append([]string{"audit"}, args...)...); code != exitOK {
		t.Errorf("audit beside serve ends with %d", code)
	}
	if code := runProgram(t, nil, append([]string{"migrate"}, args...)...); code != exitOK {
		t.Errorf("migrate beside serve ends with %d", code)
	}
	p.stop(t)
}
