package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/fault"
)

// Each target's tables can be on a database of their own: together these are the
// tables of the one that has all, and none is on two but the leases.
func TestEachTargetCanHaveADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for kind, fresh := range map[string]func(t *testing.T) (store.Config, func() *sql.DB, string){
		"SQLite": func(t *testing.T) (store.Config, func() *sql.DB, string) {
			path := filepath.Join(t.TempDir(), "fanli.db")
			return store.Config{Path: path}, func() *sql.DB {
				db, err := sql.Open("sqlite", path)
				must(t, err)
				return db
			}, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
		},
		"MySQL": func(t *testing.T) (store.Config, func() *sql.DB, string) {
			s := mariadbtest.Shared(t)
			dsn := s.Database(t)
			return store.Config{DSN: dsn}, func() *sql.DB { return s.Shell(t, dsn) },
				"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			tables := func(targets ...string) []string {
				cfg, shell, query := fresh(t)
				cfg.Targets, cfg.SealKey = targets, sealKey()
				db, err := store.Open(t.Context(), cfg)
				must(t, err)
				_, err = db.Migrate(t.Context())
				must(t, errors.Join(err, db.Close()))
				names, err := texts(shell(), query)
				must(t, err)
				return slices.DeleteFunc(names, func(s string) bool { return s == "jobs_leases" || s == "jobs_migrations" || s == "jobs_turn" })
			}
			var together []string
			for _, name := range []string{"bot", "user", "order", "rebate", "payment", "notification", "gateway"} {
				own := tables(name)
				if len(own) < 4 {
					t.Errorf("%s has only %v", name, own)
				}
				together = append(together, own...)
			}
			all := tables()
			slices.Sort(all)
			slices.Sort(together) // a table of two targets would be there twice
			if !slices.Equal(all, together) {
				t.Errorf("one database has\n%v\nthe seven have\n%v", all, together)
			}
		})
	}
}

func TestATargetThatIsNoneHasNoDatabase(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Config{Path: store.Memory, SealKey: sealKey(), Targets: []string{"order", "console"}})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

// texts reads one column.
func texts(db *sql.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
