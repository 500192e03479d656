package mariadbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"fanli/adapters/store"
)

// template is the statements that make a database on a server as Migrate does.
// Reading the steps takes far longer than doing them, most of all under the race
// detector.
var template struct {
	once sync.Once
	made []string
	err  error
}

// Migrated makes a database for a test, as Database does, that is as Migrate leaves
// an empty one. The steps are done once for all tests of this binary.
func (s *Server) Migrated(tb testing.TB) string {
	tb.Helper()
	dsn := s.Database(tb)
	s.Fill(tb, dsn)
	return dsn
}

// Fill makes the empty database at dsn one that is migrated.
func (s *Server) Fill(tb testing.TB, dsn string) {
	tb.Helper()
	template.once.Do(func() { template.made, template.err = s.migrate(tb) })
	if template.err != nil {
		tb.Fatalf("mariadb: %v", template.err)
	}
	if err := s.fill(tb.Context(), dsn); err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
}

// fill has all statements done in one journey.
func (s *Server) fill(ctx context.Context, dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return err
	}
	c := s.config(user, password, strings.TrimPrefix(u.Path, "/"))
	c.MultiStatements = true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	_, err = db.ExecContext(ctx, strings.Join(template.made, ";\n"))
	return errors.Join(err, db.Close())
}

// migrate has a database migrated and reads what it is made of.
func (s *Server) migrate(tb testing.TB) ([]string, error) {
	tb.Helper()
	model := s.Database(tb)
	db, err := store.Open(context.Background(), store.Config{DSN: model, SealKey: make([]byte, 32)})
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return statementsThatMake(s.Shell(tb, model))
}

// statementsThatMake reads what a database is made of.
func statementsThatMake(db *sql.DB) (out []string, err error) {
	ctx := context.Background()
	tables, err := texts(db, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err != nil {
		return nil, err
	}
	for _, name := range tables {
		var text string
		if err := db.QueryRowContext(ctx, "SHOW CREATE TABLE "+name).Scan(&name, &text); err != nil {
			return nil, err
		}
		out = append(out, text)
		rows := "SELECT '' FROM DUAL WHERE FALSE"
		switch {
		case strings.HasSuffix(name, "_turn"):
			rows = "SELECT CONCAT('INSERT INTO " + name + " (id) VALUES (', id, ')') FROM " + name
		case strings.HasSuffix(name, "_migrations"):
			rows = "SELECT CONCAT('INSERT INTO " + name + " (version_id, is_applied) VALUES (', version_id, ', ', is_applied, ')') FROM " + name + " ORDER BY id"
		}
		more, err := texts(db, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	triggers, err := texts(db, "SELECT CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ', event_manipulation, ' ON ', "+
		"event_object_table, ' FOR EACH ROW ', action_statement) FROM information_schema.triggers WHERE trigger_schema = DATABASE()")
	if err == nil && len(triggers) == 0 {
		err = fmt.Errorf("a database without triggers")
	}
	return append(out, triggers...), err
}

// texts returns a column of texts.
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
