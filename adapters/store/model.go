package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"

	"fanli/core/fault"
)

// Model makes the file at path a database with all tables and nothing in them: the one
// with which others in Memory can begin (Config.Model).
func Model(ctx context.Context, path string) error {
	db, err := Open(ctx, Config{Path: path, SealKey: make([]byte, sealKeyLen)})
	if err != nil {
		return err
	}
	_, err = db.Migrate(ctx)
	return errors.Join(err, db.Close())
}

// restore copies the database at path into the one connection of a pool.
func restore(ctx context.Context, p *sql.DB, path string) error {
	const op = "store.Open"
	c, err := p.Conn(ctx)
	if err != nil {
		return fault.Wrap(fault.Unavailable, op, err)
	}
	err = c.Raw(func(conn any) error {
		r, ok := conn.(*reusingConn)
		if !ok {
			return fmt.Errorf("%T is no connection of ours", conn)
		}
		from, ok := r.sqliteConn.(interface {
			NewRestore(uri string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("%T restores nothing", r.sqliteConn)
		}
		// Nobody writes it any more. Without that word many at once would each look whether
		// there is something to recover, and all but one would be refused meanwhile.
		b, err := from.NewRestore(fileDSN(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}))
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
	if err = errors.Join(err, c.Close()); err != nil {
		return fault.Wrap(fault.Unavailable, op, err)
	}
	return nil
}
