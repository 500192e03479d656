package mariadbtest_test

import (
	"testing"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
)

// TestKilledServersKeepWhatWasCommitted kills a server twice and looks what it
// has.
func TestKilledServersKeepWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := mariadbtest.New(t)
	dsn := s.Database(t)
	exec := func(statement string) {
		t.Helper()
		if _, err := s.Shell(t, dsn).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE kept (n BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB")
	for n := range 2 {
		if n == 0 {
			exec("INSERT INTO kept VALUES (1)")
		} else {
			exec("INSERT INTO kept VALUES (2)")
		}
		s.Kill(t)
		if err := s.Shell(t, dsn).PingContext(t.Context()); err == nil {
			t.Error("a killed server answers")
		}
		s.Start(t)
		var rows int
		if err := s.Shell(t, dsn).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM kept").Scan(&rows); err != nil || rows != n+1 {
			t.Errorf("after kill %d there are %d rows, %v", n+1, rows, err)
		}
	}
}

// TestDatabasesAreApart makes two in one server.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	s := mariadbtest.Shared(t)
	a, b := s.Database(t), s.Database(t)
	if a == b {
		t.Fatal("both tests got the same database")
	}
	for _, dsn := range []string{a, b} {
		if _, err := s.Shell(t, dsn).ExecContext(t.Context(), "CREATE TABLE own (n BIGINT)"); err != nil {
			t.Error(err)
		}
	}
}

// TestAMigratedDatabaseHasNothingToDo makes two from what one is made of.
func TestAMigratedDatabaseHasNothingToDo(t *testing.T) {
	t.Parallel()
	s := mariadbtest.Shared(t)
	for range 2 {
		db, err := store.Open(t.Context(), store.Config{DSN: s.Migrated(t), SealKey: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		if pending, err := db.Pending(t.Context()); err != nil || len(pending) > 0 {
			t.Errorf("%v is pending, %v", pending, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
