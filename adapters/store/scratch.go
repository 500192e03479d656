package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"

	"github.com/go-sql-driver/mysql"

	"fanli/core/fault"
)

// scratchName is what a scratch database may be called.
var scratchName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// Scratch makes an empty database for something that is thrown away, on the server
// of dsn and named after the database there with suffix behind: of "fanli" and
// "seed_7" it is "fanli_seed_7". What had that name before is dropped. It returns
// the new one's address, as secret as dsn, and what drops it.
func Scratch(ctx context.Context, dsn, suffix string) (address string, drop func(context.Context) error, err error) {
	c, err := mysqlConfig(dsn)
	if err != nil {
		return "", nil, err
	}
	name := c.DBName + "_" + suffix
	if suffix == "" || !scratchName.MatchString(name) {
		return "", nil, fault.Newf(fault.Invalid, "store.scratch", "%q cannot be the name of a database", name)
	}
	drop = func(ctx context.Context) error { return onServer(ctx, c, "DROP DATABASE IF EXISTS `"+name+"`") }
	if err := errors.Join(drop(ctx), onServer(ctx, c, "CREATE DATABASE `"+name+"`")); err != nil {
		return "", nil, classify("store.Scratch", err)
	}
	there, err := readDSN(dsn)
	if err != nil {
		return "", nil, fault.New(fault.Invalid, "store.dsn") // without the cause, which quotes the password
	}
	there.DBName = name
	return there.FormatDSN(), drop, nil
}

// onServer runs one statement beside all pools.
func onServer(ctx context.Context, c *mysql.Config, statement string) (err error) {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return fault.New(fault.Invalid, "store.dsn")
	}
	p := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, p.Close()) }()
	_, err = p.ExecContext(ctx, statement)
	return err
}
