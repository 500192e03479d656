package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"fanli/core/fault"
)

// causes translates what gorm and database/sql say. What the driver says is
// translated by codes.
var causes = []struct {
	err  error
	code fault.Code
}{
	{gorm.ErrRecordNotFound, fault.NotFound},
	{gorm.ErrDuplicatedKey, fault.Conflict},
	{gorm.ErrCheckConstraintViolated, fault.Internal}, // the business has let something through
	{context.DeadlineExceeded, fault.Unavailable},
	{context.Canceled, fault.Unavailable},
	{sql.ErrTxDone, fault.Unavailable}, // the context ended, and the transaction with it
	{sql.ErrConnDone, fault.Unavailable},
}

// classify gives err a code, once: an error that has one keeps it. It returns nil
// for nil.
func classify(op string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return fault.Wrap(c.code, op, err)
		}
	}
	if n, ok := driverCode(err); ok {
		if code, ok := codes[n]; ok {
			return fault.Wrap(code, op, err)
		}
	}
	return fault.Wrap(fault.Internal, op, err)
}
