package store

import (
	"context"
	"database/sql"
	"errors"
	"net"

	"gorm.io/gorm"

	"fanli/core/fault"
)

// causes translates what gorm and database/sql say. What the drivers say is
// translated by driverFault.
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
	if code, ok := driverFault(err); ok {
		return fault.Wrap(code, op, err)
	}
	return fault.Wrap(fault.Internal, op, err)
}

// driverFault says what a driver's error means to a caller; ok is false where a
// person should look.
func driverFault(err error) (code fault.Code, ok bool) {
	if code, ok = sqliteFault(err); ok {
		return code, true
	}
	return mysqlFault(err)
}

// busy reports whether err says that another transaction was in the way, nothing
// was written, and the transaction may run again.
func busy(err error) bool { return sqliteBusy(err) || mysqlBusy(err) }

// isNetwork reports whether err is one of the network.
func isNetwork(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}
