package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"fanli/core/fault"
)

// Sizes of SQLite. They are chosen for a process that stays below 64 MiB when
// idle.
const (
	// readersMax is how many may read at the same time. Reading is a matter of
	// microseconds and there is one disk.
	readersMax = 3
	// writerCacheKiB and readerCacheKiB bound the pages that a connection keeps.
	writerCacheKiB = 6 << 10
	readerCacheKiB = 2 << 10
	// checkpointPages is how long the log grows before it is folded into the
	// file. Folding at SQLite's own 1,000 pages costs a third of the writes.
	checkpointPages = 20_000
	// busyMillis is how long a statement waits for another process.
	busyMillis = 2_000
	// sqliteParamsMax bounds the parameters of one statement. SQLite takes 32,766.
	// Short statements are kept (see statements.go), so that larger ones gain nothing
	// that could be measured, and hold much memory.
	sqliteParamsMax = 500
)

// SQLite's primary result codes that mean something to a caller.
const (
	codeBusy      = 5
	codeLocked    = 6
	codeNoMemory  = 7
	codeReadOnly  = 8
	codeInterrupt = 9
	codeIO        = 10
	codeFull      = 13
	codeCantOpen  = 14
	codeTooBig    = 18
)

// codes says what a caller can do about a result code. What is not here is
// Internal: a person should look at it.
var codes = map[int]fault.Code{
	codeBusy:      fault.Unavailable,
	codeLocked:    fault.Unavailable,
	codeNoMemory:  fault.Unavailable,
	codeReadOnly:  fault.Unavailable,
	codeInterrupt: fault.Unavailable, // the context ended
	codeIO:        fault.Unavailable,
	codeFull:      fault.Unavailable,
	codeCantOpen:  fault.Unavailable,
	codeTooBig:    fault.Invalid,
}

// sqliteCode returns the primary result code in err; ok is false if there is
// none.
func sqliteCode(err error) (code int, ok bool) {
	var c interface{ Code() int }
	if !errors.As(err, &c) {
		return 0, false
	}
	return c.Code() & 0xff, true
}

// sqliteBusy reports whether err says that somebody else was writing. Nothing was
// written then, and running the transaction again is right.
func sqliteBusy(err error) bool {
	code, ok := sqliteCode(err)
	return ok && (code == codeBusy || code == codeLocked)
}

// sqliteFault says what an error of the SQLite driver means; ok is false if it is
// not one, or nothing that is known.
func sqliteFault(err error) (code fault.Code, ok bool) {
	n, ok := sqliteCode(err)
	if !ok {
		return "", false
	}
	code, ok = codes[n]
	return code, ok
}

// openSQLite opens the pools.
func (db *DB) openSQLite(ctx context.Context) (err error) {
	if db.cfg.Path == Memory {
		db.write, err = db.pool(ctx, memoryDSN(), 1)
		db.read = db.write
		if err != nil || db.cfg.Model == "" {
			return err
		}
		return restore(ctx, db.pools[0], db.cfg.Model)
	}
	path, err := prepareFile(db.cfg.Path)
	if err != nil {
		return err
	}
	if db.write, err = db.pool(ctx, writerDSN(path), 1); err != nil {
		return err
	}
	db.read, err = db.pool(ctx, readerDSN(path), readersMax)
	return err
}

// prepareFile makes the file, so that only its owner can read it, and returns
// its absolute path.
func prepareFile(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's own choice
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, "store.Open", err)
	}
	return path, f.Close()
}

// pool opens at most conns connections. They are kept for good: opening one
// costs more than a statement, and in memory the connection is the database.
func (db *DB) pool(ctx context.Context, dsn string, conns int) (*gorm.DB, error) {
	p, err := openReusing(dsn)
	if err != nil {
		return nil, err
	}
	p.SetMaxOpenConns(conns)
	p.SetMaxIdleConns(conns)
	db.pools = append([]*sql.DB{p}, db.pools...) // the writer, opened first, is closed last
	err = again(ctx, func() error { return p.PingContext(ctx) })
	if err != nil {
		return nil, err
	}
	return gorm.Open(sqlite.New(sqlite.Config{Conn: p}), gormConfig())
}

// gormConfig is how gorm works on both databases.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction:   true, // a statement is a transaction already
		DisableNestedTransaction: true,
		TranslateError:           true,
		Logger:                   logger.Discard, // it would write values, and values may be personal
		// PrepareStmt stays off: see statements.go for what takes its place.
	}
}

func writerDSN(path string) string {
	return fileDSN(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(" + strconv.Itoa(busyMillis) + ")",
			"journal_mode(wal)",
			"synchronous(full)",
			"wal_autocheckpoint(" + strconv.Itoa(checkpointPages) + ")",
			cachePragma(writerCacheKiB),
		},
	})
}

func readerDSN(path string) string {
	return fileDSN(path, url.Values{"_pragma": {
		"busy_timeout(" + strconv.Itoa(busyMillis) + ")",
		"query_only(1)",
		cachePragma(readerCacheKiB),
	}})
}

func memoryDSN() string {
	return Memory + "?" + url.Values{"_txlock": {"immediate"}}.Encode()
}

func fileDSN(path string, v url.Values) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: v.Encode()}
	return u.String()
}

func cachePragma(kib int) string { return fmt.Sprintf("cache_size(-%d)", kib) }
