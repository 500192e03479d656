package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"fanli/core/event"
	"fanli/core/fault"
)

// attemptsMax limits how often a transaction runs that another process keeps
// out, or that was the victim of a deadlock; where it had to wait, each attempt has
// waited for seconds already.
const attemptsMax = 5

// retryPause is how long to stay away after the first attempt; it doubles.
const retryPause = 10 * time.Millisecond

// A tx is a transaction on the tables of one target. The parts of core see it
// through small types of their own.
type tx struct {
	g       *gorm.DB
	db      *DB
	target  target
	emitted bool
	trace   string           // kept with events and messages
	ids     map[string]int64 // of accounts that this transaction has seen
	numbers map[string]bool  // of orders that are known to have no line
}

// inTx runs fn in one transaction: it commits if fn returns nil, and rolls back
// if fn returns an error or panics, or if the lease under which ctx writes was lost.
// domain names what is stored, for hooks and errors.
func (db *DB) inTx(ctx context.Context, t target, domain string, fn func(*tx) error) error {
	err := again(ctx, func() error { return db.once(ctx, t, domain, fn) })
	return classify("store."+domain, err)
}

// again runs try until it does not fail because somebody else is writing.
func again(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || !busy(err) || attempt == attemptsMax {
			return err
		}
		pause := retryPause << attempt
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause + rand.N(pause)): // two that met do not meet again
		}
	}
}

func (db *DB) once(ctx context.Context, t target, domain string, fn func(*tx) error) error {
	end, err := db.takeTurn(ctx, t)
	if err != nil {
		return err
	}
	defer end()
	g, err := db.begin(ctx, t)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended {
			g.Rollback()
		}
	}()
	x := &tx{g: g, db: db, target: t}
	if db.cfg.Trace != nil {
		x.trace = db.cfg.Trace(ctx)
	}
	if err := db.hook(domain, "begin"); err != nil {
		return err
	}
	if err := fn(x); err != nil {
		return err
	}
	if err := x.fence(ctx); err != nil {
		return err
	}
	if err := db.hook(domain, "commit"); err != nil {
		return err
	}
	ended = true
	if err := g.Commit().Error; err != nil {
		return db.commitFault(domain, err)
	}
	if x.emitted {
		db.outbox(t).wake()
	}
	return db.hook(domain, "committed")
}

// commitFault says whether a commit that failed may have happened all the same.
func (db *DB) commitFault(domain string, err error) error {
	code, ok := sqliteCode(err)
	if ok && code == codeIO || db.turns != nil && mysqlMaybe(err) {
		return fault.Wrap(fault.Unknown, "store."+domain, err)
	}
	return err
}

// Emit writes to the target's outbox. It fails with fault.Conflict if an event
// with this ID waits there.
func (t *tx) Emit(e event.Event) error {
	t.emitted = true
	data := []byte(e.Data)
	if data == nil {
		data = []byte("null")
	}
	if e.Trace == "" {
		e.Trace = t.trace
	}
	row := outboxRow{EventID: e.ID, Name: string(e.Name), At: ms(e.At), Data: data, Trace: cut(e.Trace)}
	err := t.g.Table(t.target.outbox()).Create(&row).Error
	return classify("store.Emit", err)
}

// Handled writes to the target's inbox.
func (t *tx) Handled(id string) (before bool, err error) {
	err = t.g.Table(t.target.inbox()).Create(&inboxRow{EventID: id, At: ms(t.db.cfg.Now())}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return true, nil // the transaction goes on: only the statement failed
	}
	return false, classify("store.Handled", err)
}

type inboxRow struct {
	EventID string `gorm:"primaryKey"`
	At      int64
}
