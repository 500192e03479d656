package store

import (
	"context"
	"time"

	"gorm.io/gorm/logger"
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
