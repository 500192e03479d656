// Package store keeps everything that lasts in SQL. It is the only package that
// knows gorm.
//
// One database holds the tables of all targets, or of some: each target has its
// own, with an outbox and an inbox among them. No statement here joins two targets'
// tables and no transaction spans them, so that each can be put on a database of
// its own without a change. The leases are in every database, for the jobs of the
// targets that are in it.
//
// # Guarantees
//
//   - What a transaction wrote, its events included, is there exactly if its
//     InTx returned nil, also after a loss of power. (InTx may return an error
//     although the data is in when the answer to the commit got lost: that is
//     fault.Unknown.)
//   - Every idempotency key is unique because the database says so.
//   - The ledger's entries cannot be changed or deleted, not by this package
//     either. They hold no personal data.
//   - Payout accounts, the dialogues and chats in which people write them, and the
//     secrets of webhooks are sealed under a key that is not in the database.
//   - Times are kept in whole milliseconds and come back in UTC.
//
// # SQLite
//
// The database is a file for one process at work; a second one (an operator's
// command) may look and may write a little. Readers never wait. Writers queue
// for one connection, commits reach the disk before they return, and a
// transaction begins by taking the write lock, so that what it reads is what it
// changes.
//
// # MySQL
//
// A server, MySQL 8 or MariaDB 10.6 and later, serves any number of processes.
// Here too what a transaction reads is what it changes, and what it does not find
// nobody puts there before it ends: the transactions of one target come one after
// the other, those of different targets side by side. A transaction that met
// another process is run again. Keys have at most 191 characters, and spaces at
// their ends do not tell them apart.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/access"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/lock"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Memory is the Path of a database that lasts as long as its DB. It has a single
// connection: reading beside a transaction, from within it, waits for ever.
const Memory = ":memory:"

// Config says where the database is and what it needs.
type Config struct {
	// Path is the database's file, made if it does not exist, or Memory. It does
	// not count where there is a DSN.
	Path string
	// Model is the file of a database of which one in Memory begins as a copy, where
	// many are needed: that takes less than migrating each (see Model). "" for none.
	Model string
	// DSN is the address of a database on a MySQL or MariaDB server:
	// mysql://USER:PASSWORD@HOST:PORT/NAME, or as the driver writes it. It is
	// secret; nothing here logs it or repeats it in an error.
	DSN string
	// Targets are those whose tables are here: "order", "payment"; none for all. The
	// stores of the others answer nothing.
	Targets []string
	// Connections bounds the connections to the server: 0 for the default,
	// otherwise at least ConnectionsMin.
	Connections int
	// SealKey seals payout accounts, dialogues and chats. 32 bytes.
	SealKey []byte
	// OldSealKeys open what was sealed before SealKey was changed.
	OldSealKeys [][]byte
	// Now is the clock by which leases and claims end; nil means time.Now.
	Now func() time.Time
	// Hook is called around every commit with "order.begin", "order.commit"
	// (about to) and "order.committed" (done), "order" being the name of what is
	// stored. An error from "commit" rolls back and is returned; one from
	// "committed" is returned although the data is in. Tests crash here; nil in
	// production.
	Hook func(point string) error
	// Trace names the trace of a context, to be kept with the events and messages
	// that are written within it; nil for none.
	Trace func(ctx context.Context) string
}

// A target is a part of the binary that could run alone. It owns the tables
// whose names begin with its own.
type target string

// The targets, in the order of their migrations. jobs only has the leases.
const (
	gatewayTarget      target = "gateway"
	botTarget          target = "bot"
	userTarget         target = "user"
	orderTarget        target = "order"
	rebateTarget       target = "rebate"
	paymentTarget      target = "payment"
	notificationTarget target = "notification"
	jobsTarget         target = "jobs"
)

// outbox and inbox are the names of the target's tables for events.
func (t target) outbox() string { return string(t) + "_outbox" }
func (t target) inbox() string  { return string(t) + "_inbox" }

// speakers returns the targets that have an outbox.
func speakers() []target {
	return []target{botTarget, userTarget, orderTarget, rebateTarget, paymentTarget, notificationTarget, gatewayTarget}
}

// speakers returns the targets whose tables are in this database.
func (db *DB) speakers() []target {
	if len(db.cfg.Targets) == 0 {
		return speakers()
	}
	var out []target
	for _, t := range speakers() {
		if slices.Contains(db.cfg.Targets, string(t)) {
			out = append(out, t)
		}
	}
	return out
}

// A DB is an open database. It is safe for concurrent use.
type DB struct {
	cfg   Config
	write *gorm.DB // one connection, or one for each target
	read  *gorm.DB // a few; the same as write in memory
	pools []*sql.DB
	vault *vault
	boxes []*Outbox
	turns map[target]chan struct{} // of MySQL's writers; nil for SQLite
}

// Open opens the database. Its tables are made and changed by Migrate. It fails
// with fault.Invalid for a Config that cannot work.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	v, err := newVault(cfg.SealKey, cfg.OldSealKeys)
	if err != nil {
		return nil, err
	}
	if cfg.Path == "" && cfg.DSN == "" {
		return nil, fault.New(fault.Invalid, "store.no_path")
	}
	for _, t := range cfg.Targets {
		if !slices.Contains(speakers(), target(t)) {
			return nil, fault.Newf(fault.Invalid, "store.no_target", "%q has no tables", t)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	db := &DB{cfg: cfg, vault: v}
	open := db.openSQLite
	if cfg.DSN != "" {
		open = db.openMySQL
	}
	if err := open(ctx); err != nil {
		return nil, classify("store.Open", errors.Join(err, db.Close()))
	}
	for _, t := range db.speakers() {
		db.boxes = append(db.boxes, &Outbox{db: db, target: t, ready: make(chan struct{}, 1)})
	}
	return db, nil
}

// Close ends all connections, readers first: the last one folds the log into the
// database's file.
func (db *DB) Close() error {
	var errs []error
	for _, p := range db.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return classify("store.Ping", db.reader(ctx).Raw("SELECT 1").Find(&one).Error)
}

// reader is for statements that change nothing, outside of transactions.
func (db *DB) reader(ctx context.Context) *gorm.DB { return db.read.WithContext(ctx) }

// The stores of the targets' parts.

// Users returns the store of user.
func (db *DB) Users() user.Store { return userStore{db} }

// Links returns the store of link.
func (db *DB) Links() link.Store { return linkStore{db} }

// Orders returns the store of order.
func (db *DB) Orders() order.Store { return orderStore{db} }

// Rebates returns the store of rebate.
func (db *DB) Rebates() rebate.Store { return rebateStore{db} }

// Credits returns the store of credit.
func (db *DB) Credits() credit.Store { return creditStore{db} }

// Withdrawals returns the store of withdraw.
func (db *DB) Withdrawals() withdraw.Store { return withdrawStore{db} }

// Messages returns the store of notify.
func (db *DB) Messages() notify.Store { return messageStore{db} }

// Keys returns the store of access.
func (db *DB) Keys() access.Store { return keyStore{db} }

// Leases returns the leases of jobs.
func (db *DB) Leases() lock.Leases { return leaseStore{db} }

// Ledger reads the book as it is at each call. What needs all answers to be of
// one moment, as an audit does, uses Snapshot.
func (db *DB) Ledger() ledger.Reader { return book{db.reader} }

// Snapshot calls fn with a reader of the book that sees one moment, however long
// fn takes. Others go on writing meanwhile. In memory nobody does: fn must ask
// nothing but its reader.
func (db *DB) Snapshot(ctx context.Context, fn func(ledger.Reader) error) error {
	return db.snapshot(ctx, func(b book) error { return fn(b) })
}

func (db *DB) snapshot(ctx context.Context, fn func(book) error) error {
	o := &sql.TxOptions{ReadOnly: true}
	if db.turns != nil {
		o.Isolation = sql.LevelRepeatableRead // SQLite's transactions have no other
	}
	g := db.reader(ctx).Begin(o)
	if g.Error != nil {
		return classify("store.Snapshot", g.Error)
	}
	defer g.Rollback()
	return fn(book{func(ctx context.Context) *gorm.DB { return g.WithContext(ctx) }})
}

// Memory returns what the bot remembers.
func (db *DB) Memory() *Recall { return &Recall{db: db} }

// Outboxes returns the outboxes of the targets that are here, in a fixed order.
func (db *DB) Outboxes() []*Outbox { return db.boxes }

// outbox returns the outbox of a target, nil for one without.
func (db *DB) outbox(t target) *Outbox {
	for _, o := range db.boxes {
		if o.target == t {
			return o
		}
	}
	return nil
}

// hook calls the hook at a point of a transaction.
func (db *DB) hook(domain, point string) error {
	if db.cfg.Hook == nil {
		return nil
	}
	if err := db.cfg.Hook(domain + "." + point); err != nil {
		return fmt.Errorf("at %s.%s: %w", domain, point, err)
	}
	return nil
}
