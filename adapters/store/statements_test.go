package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"fanli/adapters/store"
)

// kept returns a connection that keeps its statements, over a table of numbers
// from 1 to 3.
func kept(t *testing.T) *sql.Conn {
	t.Helper()
	pool, err := store.OpenReusing(filepath.Join(t.TempDir(), "kept.db"))
	must(t, err)
	t.Cleanup(func() { must(t, pool.Close()) })
	c, err := pool.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	exec(t, c, "CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
	exec(t, c, "INSERT INTO numbers (n) VALUES (?),(?),(?)", 1, 2, 3)
	return c
}

func exec(t *testing.T, c *sql.Conn, text string, args ...any) {
	t.Helper()
	_, err := c.ExecContext(t.Context(), text, args...)
	must(t, err)
}

// numbers reads all numbers of a query.
func numbers(t *testing.T, c interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, text string, args ...any) string {
	t.Helper()
	rows, err := c.QueryContext(t.Context(), text, args...)
	must(t, err)
	defer rows.Close()
	var out []int
	for rows.Next() {
		var n int
		must(t, rows.Scan(&n))
		out = append(out, n)
	}
	must(t, rows.Err())
	return fmt.Sprint(out)
}

func TestAStatementIsReadOnce(t *testing.T) {
	t.Parallel()
	c := kept(t)
	before := store.Kept(t, c)
	for n := range 4 {
		if got := numbers(t, c, "SELECT n FROM numbers WHERE n > ? ORDER BY n", n); got != []string{"[1 2 3]", "[2 3]", "[3]", "[]"}[n] {
			t.Errorf("above %d: %s", n, got)
		}
	}
	tx, err := c.BeginTx(t.Context(), nil) // a statement outlives the transaction that had it first
	must(t, err)
	if got := numbers(t, tx, "SELECT n FROM numbers WHERE n < ?", 2); got != "[1]" {
		t.Errorf("in a transaction: %s", got)
	}
	must(t, tx.Commit())
	if n := store.Kept(t, c) - before; n != 2 {
		t.Errorf("%d statements are kept, want 2", n)
	}
	exec(t, c, "PRAGMA user_version = 7")
	exec(t, c, "SELECT n FROM numbers; SELECT n FROM numbers")
	if n := store.Kept(t, c) - before; n != 2 {
		t.Errorf("%d statements are kept after a pragma and a script, want 2", n)
	}
}

// TestAStatementWithinItself runs a text again while its rows are being read.
func TestAStatementWithinItself(t *testing.T) {
	t.Parallel()
	c := kept(t)
	const text = "SELECT n FROM numbers WHERE n > ? ORDER BY n"
	tx, err := c.BeginTx(t.Context(), nil)
	must(t, err)
	rows, err := tx.QueryContext(t.Context(), text, 0)
	must(t, err)
	defer rows.Close()
	for want := 1; rows.Next(); want++ {
		var n int
		must(t, rows.Scan(&n))
		if got := numbers(t, tx, text, 2); got != "[3]" || n != want {
			t.Errorf("row %d: %d, and within it %s", want, n, got)
		}
	}
	must(t, rows.Err())
	must(t, tx.Rollback())
	if got := numbers(t, c, text, 1); got != "[2 3]" {
		t.Errorf("afterwards: %s", got)
	}
}

// TestAStatementThatFailed refuses a number twice and takes another one.
func TestAStatementThatFailed(t *testing.T) {
	t.Parallel()
	c := kept(t)
	for range 2 {
		if _, err := c.ExecContext(t.Context(), "INSERT INTO numbers (n) VALUES (?)", 3); err == nil {
			t.Error("3 was taken twice")
		}
	}
	exec(t, c, "INSERT INTO numbers (n) VALUES (?)", 4)
	if _, err := c.ExecContext(t.Context(), "SELECT m FROM numbers"); err == nil {
		t.Error("a column that is not there was read")
	}
	if got := numbers(t, c, "SELECT n FROM numbers"); got != "[1 2 3 4]" {
		t.Error(got)
	}
}

// TestAStatementOverAChangedTable sees columns that came after it was kept.
func TestAStatementOverAChangedTable(t *testing.T) {
	t.Parallel()
	c := kept(t)
	columns := func() string {
		rows, err := c.QueryContext(t.Context(), "SELECT * FROM numbers")
		must(t, err)
		defer rows.Close()
		names, err := rows.Columns()
		must(t, err)
		must(t, rows.Err())
		return fmt.Sprint(names)
	}
	before := columns()
	exec(t, c, "ALTER TABLE numbers ADD COLUMN name TEXT")
	if after := columns(); before != "[n]" || after != "[n name]" {
		t.Errorf("%s, then %s", before, after)
	}
}

// TestManyStatements says more than a connection keeps, with rows open meanwhile.
func TestManyStatements(t *testing.T) {
	t.Parallel()
	c := kept(t)
	tx, err := c.BeginTx(t.Context(), nil)
	must(t, err)
	open, err := tx.QueryContext(t.Context(), "SELECT n FROM numbers ORDER BY n")
	must(t, err)
	defer open.Close()
	for round := range 2 {
		for i := range store.StatementsMax + 20 {
			if got := numbers(t, tx, fmt.Sprintf("SELECT n + %d FROM numbers WHERE n = ?", i), 1); got != fmt.Sprintf("[%d]", i+1) {
				t.Fatalf("round %d: %d: %s", round, i, got)
			}
		}
	}
	left := 0
	for open.Next() {
		left++
	}
	must(t, open.Err())
	must(t, tx.Commit())
	if n := store.Kept(t, c); n != store.StatementsMax || left != 3 {
		t.Errorf("%d statements are kept, want %d; %d rows, want 3", n, store.StatementsMax, left)
	}
}
