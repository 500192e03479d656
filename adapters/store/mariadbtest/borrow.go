package mariadbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Borrowed returns a database like Migrated, which other tests may have had before: it
// was emptied, and its numbers begin with 1 again. Making one takes far longer. Who
// borrows one leaves its tables, triggers and lines of turns as they are.
func (s *Server) Borrowed(tb testing.TB) string {
	tb.Helper()
	dsn := s.spare()
	if dsn == "" {
		dsn = s.address(s.create(tb))
		s.Fill(tb, dsn)
	}
	tb.Cleanup(func() {
		if err := s.empty(dsn); err != nil {
			tb.Errorf("mariadb: %v", err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spares = append(s.spares, dsn)
	})
	return dsn
}

// spare is an empty database that nobody has; "" if there is none.
func (s *Server) spare() (dsn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spares); n > 0 {
		dsn, s.spares = s.spares[n-1], s.spares[:n-1]
	}
	return dsn
}

// empty makes a database as Migrate leaves an empty one.
func (s *Server) empty(dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return err
	}
	db, err := s.open(user, password, strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		return err
	}
	defer db.Close()
	used, err := usedTables(db)
	if err != nil {
		return err
	}
	for _, name := range used {
		if _, err := db.ExecContext(context.Background(), "TRUNCATE TABLE "+name); err != nil {
			return err
		}
	}
	return nil
}

// usedTables are those that have rows, or have given numbers.
func usedTables(db *sql.DB) ([]string, error) {
	const all = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	names, err := texts(db, all)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, kept)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("SELECT '%s' FROM DUAL WHERE EXISTS (SELECT 1 FROM %[1]s)", name)
	}
	filled, err := texts(db, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return nil, err
	}
	counted, err := texts(db, all+" AND auto_increment > 1")
	used := slices.Concat(filled, slices.DeleteFunc(counted, kept))
	slices.Sort(used)
	return slices.Compact(used), err
}

// kept reports whether a table is a part of what Migrate makes, with its rows.
func kept(name string) bool {
	return strings.HasSuffix(name, "_turn") || strings.HasSuffix(name, "_migrations")
}
