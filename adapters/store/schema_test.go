package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
)

// raw opens the file of a database beside its store, as an operator with a shell
// could.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// TestTheDatabaseItselfRefuses tries what no code of ours does.
func TestTheDatabaseItselfRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path})
	must(t, db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
		j, err := ledger.Open(tx, start)
		must(t, err)
		must(t, j.Move(ledger.Entry{Key: "e", Kind: ledger.Earn, From: "network/jd", To: ledger.User(7, ledger.Pending), Amount: 5, Cause: "c"}))
		must(t, j.Move(ledger.Entry{Key: "d", Kind: ledger.Claw, From: ledger.User(7, ledger.Debt), To: "network/jd", Amount: 5, Cause: "c"}))
		return j.Post()
	}))
	tests := map[string]string{
		"ChangingAnEntry":       "UPDATE payment_entries SET amount = 6",
		"ChangingANote":         "UPDATE payment_entries SET note = 'x'",
		"DeletingAnEntry":       "DELETE FROM payment_entries",
		"DeletingAnAccount":     "DELETE FROM payment_accounts",
		"RenamingAnAccount":     "UPDATE payment_accounts SET name = 'user/8/pending' WHERE name = 'user/7/pending'",
		"PendingBelowZero":      "UPDATE payment_accounts SET balance = -1 WHERE name = 'user/7/pending'",
		"DebtAboveZero":         "UPDATE payment_accounts SET balance = 1 WHERE name = 'user/7/debt'",
		"AnEntryOfNothing":      "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('n', 'earn', 1, 2, 0, 'c', '', 1)",
		"AnEntryBelowZero":      "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('n', 'earn', 1, 2, -5, 'c', '', 1)",
		"AnEntryToItself":       "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('n', 'earn', 1, 1, 5, 'c', '', 1)",
		"AnEntryWithoutACause":  "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('n', 'earn', 1, 2, 5, '', '', 1)",
		"AKnownKey":             "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('e', 'earn', 1, 2, 5, 'c', '', 1)",
		"AnAmountThatIsAText":   "INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('n', 'earn', 1, 2, '5 yuan', 'c', '', 1)",
		"AWithdrawalOfNothing":  "INSERT INTO payment_withdrawals (request_key, user_id, amount, payee, state, reason, payer, actor, rev, tries, at, changed_at, next_at) VALUES ('k', 7, 0, 'x', 'paid', '', '', '', 1, 0, 1, 1, 0)",
		"AStateThatIsNone":      "INSERT INTO payment_withdrawals (request_key, user_id, amount, payee, state, reason, payer, actor, rev, tries, at, changed_at, next_at) VALUES ('k', 7, 1, 'x', 'lost', '', '', '', 1, 0, 1, 1, 0)",
		"AnIdentityWithoutUser": "INSERT INTO user_identities (channel, external, user_id, used_at) VALUES ('web', 'a', 0, 1)",
	}
	shell := raw(t, path)
	for name, statement := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := shell.ExecContext(t.Context(), statement); err == nil {
				t.Errorf("the database allows %s", statement)
			}
		})
	}
	rep, err := ledger.Audit(t.Context(), db.Ledger())
	must(t, err)
	if !rep.OK() || rep.Entries != 2 {
		t.Errorf("audit %+v, want two entries", rep)
	}
}

// TestAuditSeesWhatAShellHasDone changes a balance behind the store's back.
func TestAuditSeesWhatAShellHasDone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path})
	must(t, (&credit.Cashier{Store: db.Credits(), Now: now}).RebateChanged(t.Context(), oneRebate(t, 1)))
	_, err := raw(t, path).ExecContext(t.Context(), "UPDATE payment_accounts SET balance = balance + 1 WHERE name = 'user/7/pending'")
	must(t, err)
	rep, err := ledger.Audit(t.Context(), db.Ledger())
	must(t, err)
	if rep.OK() {
		t.Errorf("audit %+v, want a fault", rep)
	}
}

// created finds the tables in a migration.
var created = regexp.MustCompile(`CREATE TABLE (\w+)`)

// TestEveryTableBelongsToOneTarget keeps the targets' tables apart, and words
// that other databases reserve out of them.
func TestEveryTableBelongsToOneTarget(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	reserved := regexp.MustCompile(`(?m)^  (key|order|group|rank|to|from|cursor|window|condition|trigger|rows|of|lead|system) `)
	must(t, fs.WalkDir(os.DirFS("migrations"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join("migrations", path))
		must(t, err)
		if w := reserved.FindString(string(b)); w != "" {
			t.Errorf("%s has a column with the reserved name %q", path, strings.TrimSpace(w))
		}
		target := filepath.Base(filepath.Dir(path))
		for _, m := range created.FindAllStringSubmatch(string(b), -1) {
			table := filepath.Dir(filepath.Dir(path)) + "/" + m[1] // of one kind of database
			if seen[table] || !strings.HasPrefix(m[1], target) {
				t.Errorf("%s makes the table %s", path, m[1])
			}
			seen[table] = true
		}
		return nil
	}))
	if len(seen) < 25 {
		t.Errorf("only %d tables were seen", len(seen))
	}
}

func TestMigrateOnceAndThenNothing(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"File": filepath.Join(t.TempDir(), "fanli.db"), "Memory": store.Memory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := reopen(t, store.Config{Path: path})
			pending, err := db.Pending(t.Context())
			must(t, err)
			applied, err := db.Migrate(t.Context())
			must(t, err)
			var names []string
			for _, a := range applied {
				names = append(names, a.String())
			}
			var expected []string
			for _, s := range pending {
				expected = append(expected, s.String())
			}
			if !slices.Equal(names, expected) || !slices.Contains(names, "order/0002_lines.sql") {
				t.Errorf("Migrate did %v, Pending was %v", names, expected)
			}
			for range 2 {
				applied, err = db.Migrate(t.Context())
				must(t, err)
				if len(applied) != 0 {
					t.Errorf("Migrate did %v again", applied)
				}
			}
			if pending, err = db.Pending(t.Context()); err != nil || len(pending) != 0 {
				t.Errorf("Pending = %v, %v after everything was done", pending, err)
			}
		})
	}
}

func TestPendingChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	_, err := reopen(t, store.Config{Path: path}).Pending(t.Context())
	must(t, err)
	var n int
	must(t, raw(t, path).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sqlite_master").Scan(&n))
	if n != 0 {
		t.Errorf("there are %d tables and indexes", n)
	}
}

// TestProcessesThatStartAtOnce migrate one database together.
func TestProcessesThatStartAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	const processes = 4
	type result struct {
		applied []store.Applied
		err     error
	}
	results := make(chan result, processes)
	for range processes {
		go func() {
			db, err := store.Open(t.Context(), store.Config{Path: path, SealKey: sealKey()})
			if err != nil {
				results <- result{nil, err}
				return
			}
			applied, err := db.Migrate(t.Context())
			results <- result{applied, errors.Join(err, db.Close())}
		}()
	}
	done := map[string]int{}
	for range processes {
		r := <-results
		must(t, r.err)
		for _, a := range r.applied {
			done[a.String()]++
		}
	}
	for step, n := range done {
		if n != 1 {
			t.Errorf("%s was done %d times", step, n)
		}
	}
	db := reopen(t, store.Config{Path: path})
	if pending, err := db.Pending(t.Context()); err != nil || len(pending) != 0 || len(done) == 0 {
		t.Errorf("Pending = %v, %v after %d steps", pending, err, len(done))
	}
}

func TestMigrateGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db, shell := reopen(t, store.Config{Path: path}), raw(t, path)
	_, err := shell.ExecContext(t.Context(), "CREATE TABLE rebates (in_the_way INTEGER)")
	must(t, err)
	first, err := db.Migrate(t.Context())
	if fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), "rebate") {
		t.Errorf("Migrate: %v, want an error about the rebate target", err)
	}
	_, err = shell.ExecContext(t.Context(), "DROP TABLE rebates")
	must(t, err)
	rest, err := db.Migrate(t.Context())
	must(t, err)
	if len(first) == 0 || len(rest) == 0 || rest[0].String() != "rebate/0002_rebates.sql" {
		t.Errorf("Migrate did %v and then %v", first, rest)
	}
}

func TestANewerDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path})
	_, err := raw(t, path).ExecContext(t.Context(), "INSERT INTO order_migrations (version_id, is_applied) VALUES (9999, 1)")
	must(t, err)
	_, err = db.Pending(t.Context())
	_, migrateErr := db.Migrate(t.Context())
	for _, err := range []error{err, migrateErr} {
		if !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != "store.newer" {
			t.Errorf("%v, want a conflict", err)
		}
	}
}
