package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// raw opens a database beside its store, as an operator with a shell
// could.
func raw(t *testing.T, here store.Config) *sql.DB {
	t.Helper()
	if here.DSN != "" {
		return mariadbtest.Shared(t).Shell(t, here.DSN)
	}
	db, err := sql.Open("sqlite", here.Path)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// TestTheDatabaseItselfRefuses tries what no code of ours does.
func TestTheDatabaseItselfRefuses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		must(t, db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
			j, err := ledger.Open(tx, start)
			must(t, err)
			must(t, j.Move(ledger.Entry{Key: "e", Kind: ledger.Earn, From: "network/jd", To: ledger.User(7, ledger.Pending), Amount: 5, Cause: "c"}))
			must(t, j.Move(ledger.Entry{Key: "d", Kind: ledger.Claw, From: ledger.User(7, ledger.Debt), To: "network/jd", Amount: 5, Cause: "c"}))
			return j.Post()
		}))
		shell, tests := raw(t, here), refusals()
		for _, state := range withdraw.States() {
			_, err := shell.ExecContext(t.Context(), withdrawalOf(string(state), string(state), "'W"+string(state)+"'", 1))
			must(t, err)
			for _, to := range withdraw.States() {
				if to != state && !slices.Contains(state.Next(), to) {
					tests["From "+string(state)+" to "+string(to)] = "UPDATE payment_withdrawals SET state = '" + string(to) + "' WHERE request_key = '" + string(state) + "'"
				}
			}
		}
		for _, stage := range collect.Stages() {
			_, err := shell.ExecContext(t.Context(), chargeOf(string(stage), string(stage), 1))
			must(t, err)
			for _, to := range collect.Stages() {
				if to != stage && !slices.Contains(stage.Next(), to) {
					tests["A charge from "+string(stage)+" to "+string(to)] = "UPDATE payment_charges SET stage = '" + string(to) + "' WHERE request_key = '" + string(stage) + "'"
				}
			}
		}
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
	})
}

// withdrawalOf is the statement that stores a withdrawal, as a shell would.
func withdrawalOf(key, state, number string, amount int) string {
	return fmt.Sprintf(`INSERT INTO payment_withdrawals (request_key, user_id, amount, payee, payee_print, state, reason, payer, number, actor, first_actor, risk, signs,
		receipt, confirm_text, batch, rev, tries, at, changed_at, next_at, sent_at)
		VALUES ('%s', 7, %d, 'x', '', '%s', '', 'manual', %s, '', '', 0, '', '', '', '', 1, 0, 1, 1, 0, 0)`, key, amount, state, number)
}

// chargeOf is the statement that stores a charge, as a shell would.
func chargeOf(key, stage string, amount int) string {
	return fmt.Sprintf(`INSERT INTO payment_charges (request_key, purpose, user_id, what, amount, subject, collector, number, stage, reason, code, receipt, paid, account,
		rev, tries, at, changed_at, expires_at, next_at, mark)
		VALUES ('%s', 'membership', 7, 'level/1/30', %d, 'x', 'till', 'C%s', '%s', '', '', '', 5, 'house/membership', 1, 0, 1, 1, 1, 0, '')`, key, amount, key, stage)
}

// refusals are statements that the database must refuse.
func refusals() map[string]string {
	entry := func(key string, to int, amount, cause string) string {
		return fmt.Sprintf("INSERT INTO payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at) VALUES ('%s', 'earn', 1, %d, %s, '%s', '', 1)", key, to, amount, cause)
	}
	return map[string]string{
		"ChangingAnEntry":       "UPDATE payment_entries SET amount = 6",
		"ChangingANote":         "UPDATE payment_entries SET note = 'x'",
		"DeletingAnEntry":       "DELETE FROM payment_entries",
		"DeletingAnAccount":     "DELETE FROM payment_accounts",
		"RenamingAnAccount":     "UPDATE payment_accounts SET name = 'user/8/pending' WHERE name = 'user/7/pending'",
		"PendingBelowZero":      "UPDATE payment_accounts SET balance = -1 WHERE name = 'user/7/pending'",
		"DebtAboveZero":         "UPDATE payment_accounts SET balance = 1 WHERE name = 'user/7/debt'",
		"AnEntryOfNothing":      entry("n", 2, "0", "c"),
		"AnEntryBelowZero":      entry("n", 2, "-5", "c"),
		"AnEntryToItself":       entry("n", 1, "5", "c"),
		"AnEntryWithoutACause":  entry("n", 2, "5", ""),
		"AKnownKey":             entry("e", 2, "5", "c"),
		"AnAmountThatIsAText":   entry("n", 2, "'5 yuan'", "c"),
		"AWithdrawalOfNothing":  withdrawalOf("k", "paid", "NULL", 0),
		"AStateThatIsNone":      withdrawalOf("k", "lost", "NULL", 1),
		"ADeletedWithdrawal":    "DELETE FROM payment_withdrawals",
		"AnotherAmount":         "UPDATE payment_withdrawals SET amount = 2 WHERE state = 'requested'",
		"AnotherUser":           "UPDATE payment_withdrawals SET user_id = 8 WHERE state = 'requested'",
		"AnotherNumber":         "UPDATE payment_withdrawals SET number = 'W99' WHERE state = 'sending'",
		"AnotherPayer":          "UPDATE payment_withdrawals SET payer = 'x' WHERE state = 'sending'",
		"AFinalOneThatChanges":  "UPDATE payment_withdrawals SET reason = 'x' WHERE state = 'paid'",
		"AChargeOfNothing":      chargeOf("k", "asked", 0),
		"AStageThatIsNone":      chargeOf("k", "lost", 1),
		"AKnownChargeNumber":    strings.Replace(chargeOf("asked", "asked", 1), "'asked', 'mem", "'k', 'mem", 1),
		"ADeletedCharge":        "DELETE FROM payment_charges",
		"AnotherCharge":         "UPDATE payment_charges SET amount = 2",
		"AnotherChargedUser":    "UPDATE payment_charges SET user_id = 8",
		"AnotherCollector":      "UPDATE payment_charges SET collector = 'x'",
		"AnotherChargeNumber":   "UPDATE payment_charges SET number = 'C99' WHERE stage = 'asked'",
		"AnotherPurpose":        "UPDATE payment_charges SET purpose = 'topup'",
		"AnotherThing":          "UPDATE payment_charges SET what = 'level/9/9'",
		"AnotherSumThatCame":    "UPDATE payment_charges SET paid = 6",
		"AnotherPlaceForIt":     "UPDATE payment_charges SET account = 'house/margin'",
		"AnIdentityWithoutUser": "INSERT INTO user_identities (channel, external, user_id, used_at) VALUES ('web', 'a', 0, 1)",
	}
}

// TestAuditSeesWhatAShellHasDone changes a balance behind the store's back.
func TestAuditSeesWhatAShellHasDone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		must(t, (&credit.Cashier{Store: db.Credits(), Now: now}).RebateChanged(t.Context(), oneRebate(t, 1)))
		_, err := raw(t, here).ExecContext(t.Context(), "UPDATE payment_accounts SET balance = balance + 1 WHERE name = 'user/7/pending'")
		must(t, err)
		rep, err := ledger.Audit(t.Context(), db.Ledger())
		must(t, err)
		if rep.OK() {
			t.Errorf("audit %+v, want a fault", rep)
		}
	})
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
		target, kind := filepath.Base(filepath.Dir(path)), strings.SplitN(filepath.ToSlash(path), "/", 2)[0]
		for _, m := range created.FindAllStringSubmatch(string(b), -1) {
			name := kind + "." + m[1]
			if seen[name] || !strings.HasPrefix(m[1], target) {
				t.Errorf("%s makes the table %s", path, m[1])
			}
			seen[name] = true
		}
		return nil
	}))
	if len(seen) < 50 {
		t.Errorf("only %d tables were seen", len(seen))
	}
}

// TestBothKindsHaveTheSame compares the steps by name, and what they have made.
func TestBothKindsHaveTheSame(t *testing.T) {
	t.Parallel()
	var steps, tables [2][]string
	for i, here := range []store.Config{{Path: filepath.Join(t.TempDir(), "fanli.db")}, {DSN: mariadbtest.Shared(t).Database(t)}} {
		db := reopen(t, here)
		applied, err := db.Migrate(t.Context())
		must(t, err)
		for _, a := range applied {
			steps[i] = append(steps[i], a.String())
		}
		tables[i] = columnsOf(t, raw(t, here), here)
	}
	if !slices.Equal(steps[0], steps[1]) {
		t.Errorf("SQLite has the steps %v, MySQL %v", steps[0], steps[1])
	}
	for i, other := range [2][]string{tables[1], tables[0]} {
		for _, c := range tables[i] {
			if !slices.Contains(other, c) {
				t.Errorf("only %s has %s", []string{"SQLite", "MySQL"}[i], c)
			}
		}
	}
	if len(tables[0]) < 150 {
		t.Errorf("only %d columns were seen", len(tables[0]))
	}
}

// columnsOf lists the columns of all tables of content, and whether each may be
// NULL.
func columnsOf(t *testing.T, db *sql.DB, here store.Config) (out []string) {
	t.Helper()
	statement := `SELECT t.name, c.name, c."notnull" = 0 AND c.pk = 0 FROM sqlite_master AS t, pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`
	if here.DSN != "" {
		statement = `SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns WHERE table_schema = DATABASE()`
	}
	rows, err := db.QueryContext(t.Context(), statement)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var table, column string
		var null bool
		must(t, rows.Scan(&table, &column, &null))
		if !strings.HasSuffix(table, "_migrations") && !strings.HasSuffix(table, "_turn") {
			out = append(out, table+"."+column+map[bool]string{true: " or NULL"}[null])
		}
	}
	must(t, rows.Err())
	return out
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

// tablesOf is the statement that counts the tables of a database.
func tablesOf(here store.Config) string {
	if here.DSN != "" {
		return "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	return "SELECT COUNT(*) FROM sqlite_master"
}

func TestPendingChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		_, err := reopen(t, here).Pending(t.Context())
		must(t, err)
		var n int
		must(t, raw(t, here).QueryRowContext(t.Context(), tablesOf(here)).Scan(&n))
		if n != 0 {
			t.Errorf("there are %d tables and indexes", n)
		}
	})
}

// TestProcessesThatStartAtOnce migrate one database together.
func TestProcessesThatStartAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		const processes = 4
		type result struct {
			applied []store.Applied
			err     error
		}
		results := make(chan result, processes)
		for range processes {
			go func() {
				db, err := store.Open(t.Context(), with(here, sealKey()))
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
		db := reopen(t, here)
		if pending, err := db.Pending(t.Context()); err != nil || len(pending) != 0 || len(done) == 0 {
			t.Errorf("Pending = %v, %v after %d steps", pending, err, len(done))
		}
	})
}

func TestMigrateGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db, shell := reopen(t, here), raw(t, here)
		_, err := shell.ExecContext(t.Context(), "CREATE TABLE payment_entries (in_the_way INTEGER)")
		must(t, err)
		first, err := db.Migrate(t.Context())
		if fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), "payment") {
			t.Errorf("Migrate: %v, want an error about the payment target", err)
		}
		_, err = shell.ExecContext(t.Context(), "DROP TABLE payment_entries")
		must(t, err)
		rest, err := db.Migrate(t.Context())
		must(t, err)
		if len(first) == 0 || len(rest) == 0 || rest[0].String() != "payment/0002_ledger.sql" {
			t.Errorf("Migrate did %v and then %v", first, rest)
		}
	})
}

func TestANewerDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		_, err := raw(t, here).ExecContext(t.Context(), "INSERT INTO order_migrations (version_id, is_applied) VALUES (9999, 1)")
		must(t, err)
		_, err = db.Pending(t.Context())
		_, migrateErr := db.Migrate(t.Context())
		for _, err := range []error{err, migrateErr} {
			if !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != "store.newer" {
				t.Errorf("%v, want a conflict", err)
			}
		}
	})
}

// TestACopyOfAModelIsADatabase begins in memory with a copy of a file, to which nothing
// of it goes back.
func TestACopyOfAModelIsADatabase(t *testing.T) {
	t.Parallel()
	here := store.Config{Path: store.Memory, SealKey: make([]byte, 32), Model: filepath.Join(t.TempDir(), "model.db")}
	must(t, store.Model(t.Context(), here.Model))
	for range 2 {
		db, err := store.Open(t.Context(), here)
		must(t, err)
		applied, err := db.Migrate(t.Context())
		if err != nil || len(applied) != 0 {
			t.Errorf("%v has still been applied, %v", applied, err)
		}
		must(t, db.Orders().InTx(t.Context(), func(tx order.Tx) error {
			if before, err := tx.Handled("link/1"); err != nil || before {
				t.Errorf("handled before: %v, %v", before, err)
			}
			return nil
		}))
		must(t, db.Close())
	}
	var many errgroup.Group
	for range 16 { // nobody is refused for another one
		many.Go(func() error {
			db, err := store.Open(t.Context(), here)
			if err == nil {
				err = db.Close()
			}
			return err
		})
	}
	must(t, many.Wait())
	here.Model += ".none"
	if db, err := store.Open(t.Context(), here); err == nil {
		must(t, db.Close())
		t.Error("a model that does not exist was copied")
	}
}
