package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"fanli/core/fault"
)

// In MySQL a statement that makes or changes a table cannot be taken back, so a
// step that was interrupted is half done, and must be done again from its first
// statement. Each statement that finds its work done says so with an error of
// its own; for migrations these are none.

// MySQL's error numbers of what is there, or gone, already.
const (
	numberTableThere   = 1050
	numberColumnThere  = 1060
	numberIndexThere   = 1061
	numberNothingGone  = 1091
	numberTriggerThere = 1359
	numberCheckThere   = 1826 // MariaDB, of a named constraint; also MySQL's of a foreign key
	numberCheckThere8  = 3822 // MySQL 8
)

// doneBefore reports whether a statement failed because its work is done.
func doneBefore(err error) bool {
	var m *mysql.MySQLError
	if !errors.As(err, &m) {
		return false
	}
	switch m.Number {
	case numberTableThere, numberColumnThere, numberIndexThere, numberNothingGone, numberTriggerThere, numberCheckThere, numberCheckThere8:
		return true
	}
	return false
}

// migrationPool returns connections on which the statements of a step may run
// again.
func (db *DB) migrationPool() (*sql.DB, error) {
	c, err := mysqlConfig(db.cfg.DSN)
	if err != nil {
		return nil, err
	}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fault.New(fault.Invalid, "store.dsn") // without the cause, which may quote the password
	}
	return sql.OpenDB(repeatable{inner}), nil
}

// repeatable makes connections that take what was done before as done.
type repeatable struct{ driver.Connector }

// Connect implements driver.Connector.
func (r repeatable) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(mysqlConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T is no connection of MySQL", c), c.Close())
	}
	return repeatableConn{full}, nil
}

// mysqlConn is what the driver's connections can do.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.NamedValueChecker
	driver.SessionResetter
	driver.Validator
}

type repeatableConn struct{ mysqlConn }

// ExecContext implements driver.ExecerContext.
func (c repeatableConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.mysqlConn.ExecContext(ctx, query, args)
	if doneBefore(err) {
		return driver.RowsAffected(0), nil
	}
	return r, err
}

// lockSeconds is how long one question for the lock waits; it is asked until the
// context ends.
const lockSeconds = 5

// A sessionLock lets one process at a time migrate a database. The server gives
// the lock back when the connection ends, in whatever way.
type sessionLock struct{ versions string } // the table that says what was done

// name is the lock's. Locks are of the whole server and have short names.
func (l sessionLock) name(ctx context.Context, c *sql.Conn) (string, error) {
	var database string
	err := c.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&database)
	h := sha256.Sum256([]byte(database))
	return "fanli.migrate." + hex.EncodeToString(h[:8]), err
}

// SessionLock implements lock.SessionLocker.
func (l sessionLock) SessionLock(ctx context.Context, c *sql.Conn) error {
	name, err := l.name(ctx, c)
	for err == nil {
		var got sql.NullInt64
		err = c.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, lockSeconds).Scan(&got)
		if err == nil && got.Int64 == 1 {
			return l.begin(ctx, c)
		}
		if err == nil && !got.Valid {
			err = fault.New(fault.Unavailable, "store.no_lock")
		}
	}
	return err
}

// begin makes good what was left by a process that died between making the table
// of what was done and writing its first row, without which goose goes no further.
func (l sessionLock) begin(ctx context.Context, c *sql.Conn) error {
	var there int
	err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?", l.versions).Scan(&there)
	if err != nil || there == 0 {
		return err
	}
	//nolint:gosec // the table's name is ours
	_, err = c.ExecContext(ctx, "INSERT INTO "+l.versions+" (version_id, is_applied) SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM "+
		l.versions+" WHERE version_id = 0)")
	return err
}

// SessionUnlock implements lock.SessionLocker.
func (l sessionLock) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	name, err := l.name(ctx, c)
	if err != nil {
		return err
	}
	var gone sql.NullInt64
	return c.QueryRowContext(ctx, "SELECT RELEASE_LOCK(?)", name).Scan(&gone)
}
