package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm/logger"
	"modernc.org/sqlite"
)

// A tracer hands every statement to a test, as it goes to the database.
type tracer struct {
	logger.Interface
	see func(sql string, params []any)
}

// ParamsFilter implements gorm.ParamsFilter.
func (t tracer) ParamsFilter(_ context.Context, sql string, params ...any) (string, []any) {
	t.see(sql, params)
	return "", nil
}

// Trace asks for the statement, so that ParamsFilter sees it.
func (t tracer) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	statement()
}

// SeeStatements makes see be called with each statement from now on.
func (db *DB) SeeStatements(see func(sql string, params []any)) {
	db.write.Logger, db.read.Logger = tracer{logger.Discard, see}, tracer{logger.Discard, see}
}

// Restore makes a database in memory a copy of that in a file.
func (db *DB) Restore(ctx context.Context, path string) error {
	pool, err := db.write.DB()
	if err != nil {
		return err
	}
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	err = c.Raw(func(conn any) error {
		if reusing, ok := conn.(*reusingConn); ok {
			conn = reusing.sqliteConn
		}
		r, ok := conn.(interface {
			NewRestore(from string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("%T cannot restore", conn)
		}
		b, err := r.NewRestore(path)
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
	return errors.Join(err, c.Close())
}

// StatementsMax is how many statements a connection keeps.
const StatementsMax = statementsMax

// OpenReusing opens a pool as the store does for SQLite.
func OpenReusing(path string) (*sql.DB, error) { return openReusing(fileDSN(path, nil)) }

// Kept is how many statements a connection keeps.
func Kept(t *testing.T, c *sql.Conn) (n int) {
	t.Helper()
	err := c.Raw(func(conn any) error {
		n = len(conn.(*reusingConn).kept)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
