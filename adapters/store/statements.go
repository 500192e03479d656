package store

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// SQLite reads the text of a statement and plans it before it does anything, and
// for the short statements of which most transactions are made that costs more
// than doing them. gorm's own PrepareStmt does not help: what it prepares within a
// transaction is lost at the transaction's end. So each connection keeps the
// statements that it has run, below database/sql, where nobody has to know.

// Limits of what a connection keeps.
const (
	// statementsMax is how many statements a connection keeps. All that the stores
	// say are some hundreds, with lists of few lengths (see padded
	// and stride); a limit that is a little too low makes those that come in turn
	// push each other out.
	statementsMax = 400
	// statementBytesMax is the longest text that is kept: of a long one, doing is
	// what costs, and it holds much memory.
	statementBytesMax = 4 << 10
)

// openReusing opens a pool whose connections keep their statements.
func openReusing(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(reusing{c}), nil
}

// reusing makes connections that keep their statements.
type reusing struct{ driver.Connector }

// Connect implements driver.Connector.
func (r reusing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T is no connection of SQLite", c), c.Close())
	}
	return &reusingConn{sqliteConn: full, kept: map[string]*list.Element{}, used: list.New()}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStmt is what its statements can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// sqliteRows is what its rows can do.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// A reusingConn keeps statements. As every connection it is used by one at a time.
type reusingConn struct {
	sqliteConn
	kept map[string]*list.Element // of statement, by text
	used *list.List               // the same, the last one used in front
}

// A statement is one that is kept. While its rows are being read it belongs to
// them, and the same text is run on the side.
type statement struct {
	sqliteStmt
	text string
	busy bool
}

// take returns the statement of a text, which is busy until it is given back; nil
// if it has to be run on the side.
func (c *reusingConn) take(ctx context.Context, text string) (*statement, error) {
	if e, ok := c.kept[text]; ok {
		s, _ := e.Value.(*statement)
		if s.busy {
			return nil, nil //nolint:nilnil // see above
		}
		c.used.MoveToFront(e)
		s.busy = true
		return s, nil
	}
	if !reusable(text) {
		return nil, nil //nolint:nilnil // see above
	}
	p, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	inner, ok := p.(sqliteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T is no statement of SQLite", p), p.Close())
	}
	s := &statement{inner, text, true}
	c.kept[text] = c.used.PushFront(s)
	return s, c.shrink()
}

// reusable reports whether a text is worth keeping: those that change tables come
// once, several in one text cannot be kept, and of a long one doing is what costs.
func reusable(text string) bool {
	verb, _, _ := strings.Cut(text, " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return len(text) <= statementBytesMax && !strings.Contains(text, ";")
	}
	return false
}

// shrink ends what has not been used for the longest time.
func (c *reusingConn) shrink() error {
	for e := c.used.Back(); e != nil && len(c.kept) > statementsMax; {
		s, _ := e.Value.(*statement)
		e = e.Prev()
		if s.busy {
			continue
		}
		if err := c.drop(s); err != nil {
			return err
		}
	}
	return nil
}

// drop ends a statement.
func (c *reusingConn) drop(s *statement) error {
	c.used.Remove(c.kept[s.text])
	delete(c.kept, s.text)
	return s.Close()
}

// giveBack ends the use of a statement. One that has failed is not used again. The
// error is returned as it is, for others look into it.
func (c *reusingConn) giveBack(s *statement, err error) error {
	s.busy = false
	if err != nil {
		_ = c.drop(s) // which repeats the error
	}
	return err
}

// ExecContext implements driver.ExecerContext.
func (c *reusingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	r, err := s.ExecContext(ctx, args)
	return r, c.giveBack(s, err)
}

// QueryContext implements driver.QueryerContext.
func (c *reusingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, c.giveBack(s, err)
	}
	full, ok := r.(sqliteRows)
	if !ok {
		return nil, c.giveBack(s, errors.Join(fmt.Errorf("store: %T are no rows of SQLite", r), r.Close()))
	}
	return &reusingRows{full, c, s}, nil
}

// Close ends the statements and the connection.
func (c *reusingConn) Close() error {
	var errs []error
	for e := c.used.Front(); e != nil; e = e.Next() {
		s, _ := e.Value.(*statement)
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// reusingRows are rows of a statement that is kept.
type reusingRows struct {
	sqliteRows
	c *reusingConn
	s *statement
}

// Close implements driver.Rows.
func (r *reusingRows) Close() error {
	if r.s == nil {
		return nil
	}
	s := r.s
	r.s = nil
	return r.c.giveBack(s, r.sqliteRows.Close())
}
