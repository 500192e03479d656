package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/fault"
)

// What staff were asked to confirm and told unasked, in the bot target.

type actPendingRow struct {
	ID      int64 `gorm:"primaryKey"`
	ActKey  string
	Place   string
	StaffID int64
	FirstID int64
	Stage   string
	Code    string
	Tries   int
	Four    int
	Act     string
	Preview string
	Result  string
	Rev     int64
	UntilAt int64
}

func (actPendingRow) TableName() string { return "bot_acts" }

func newActPendingRow(p desk.Pending) (r actPendingRow, err error) {
	r = actPendingRow{
		ID: p.ID, ActKey: p.Key, Place: p.Place, StaffID: p.Act.Staff, FirstID: p.First, Stage: string(p.Stage), Code: p.Code,
		Tries: p.Tries, Rev: p.Rev, UntilAt: ms(p.Until),
	}
	if p.Four {
		r.Four = 1
	}
	if r.Act, err = text(p.Act); err != nil {
		return r, err
	}
	if r.Preview, err = text(p.Preview); err != nil {
		return r, err
	}
	r.Result, err = text(p.Result)
	return r, err
}

func (r actPendingRow) pending() (p desk.Pending, err error) {
	p = desk.Pending{
		ID: r.ID, Key: r.ActKey, Place: r.Place, First: r.FirstID, Stage: desk.Stage(r.Stage), Code: r.Code, Tries: r.Tries,
		Four: r.Four == 1, Rev: r.Rev, Until: at(r.UntilAt),
	}
	if err = parse(r.Act, &p.Act); err != nil {
		return p, err
	}
	if err = parse(r.Preview, &p.Preview); err != nil {
		return p, err
	}
	return p, parse(r.Result, &p.Result)
}

// Pendings returns the store of what staff were asked to confirm.
func (db *DB) Pendings() desk.PendingStore { return deskStore{db} }

// Alerts returns the store of what staff were told.
func (db *DB) Alerts() desk.AlertStore { return deskStore{db} }

type deskStore struct{ db *DB }

func (s deskStore) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return s.db.inTx(ctx, botTarget, "desk", func(t *tx) error { return fn(t.g) })
}

// AddPending implements desk.PendingStore.
func (s deskStore) AddPending(ctx context.Context, p desk.Pending) (kept desk.Pending, err error) {
	row, err := newActPendingRow(p)
	if err != nil {
		return p, err
	}
	err = s.write(ctx, func(g *gorm.DB) error {
		if err := insert(g, []actPendingRow{row}, ignore()); err != nil {
			return err
		}
		r, err := first[actPendingRow](locked(g).Where("act_key = ?", p.Key))
		if err == nil {
			kept, err = r.pending()
		}
		return err
	})
	return kept, err
}

// Pending implements desk.PendingStore.
func (s deskStore) Pending(ctx context.Context, id int64) (desk.Pending, error) {
	r, err := first[actPendingRow](s.db.reader(ctx).Where("id = ?", id))
	if err != nil {
		return desk.Pending{}, err
	}
	return r.pending()
}

// PendingsOf implements desk.PendingStore.
func (s deskStore) PendingsOf(ctx context.Context, staff int64, place string, since time.Time, count int) ([]desk.Pending, error) {
	rows, err := find[actPendingRow](s.db.reader(ctx).
		Where("staff_id = ? AND place = ? AND until_at >= ?", staff, place, ms(since)).Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	out := make([]desk.Pending, len(rows))
	for i, r := range rows {
		if out[i], err = r.pending(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SwapPending implements desk.PendingStore.
func (s deskStore) SwapPending(ctx context.Context, p desk.Pending, rev int64) (ok bool, err error) {
	row, err := newActPendingRow(p)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(g *gorm.DB) error {
		r := g.Model(&actPendingRow{}).Where("id = ? AND rev = ?", p.ID, rev).Updates(map[string]any{
			"staff_id": row.StaffID, "first_id": row.FirstID, "stage": row.Stage, "code": row.Code, "tries": row.Tries,
			"act": row.Act, "result": row.Result, "rev": row.Rev, "until_at": row.UntilAt,
		})
		ok = r.RowsAffected == 1
		return classify("store.SwapPending", r.Error)
	})
	return ok, err
}

// SayAct has an act of staff on the bot target entered in the record of acts, once.
func (db *DB) SayAct(ctx context.Context, act event.Event) error {
	err := db.inTx(ctx, botTarget, "desk", func(t *tx) error { return t.Emit(act) })
	if fault.Is(err, fault.Conflict) { // it was said before
		return nil
	}
	return err
}

// SweepDesk forgets what staff were asked and told before a time, and returns how much.
func (db *DB) SweepDesk(ctx context.Context, before time.Time) (n int, err error) {
	err = deskStore{db}.write(ctx, func(g *gorm.DB) error {
		acts := g.Where("until_at < ?", ms(before)).Delete(&actPendingRow{})
		alerts := g.Where("told_at < ?", ms(before)).Delete(&alertRow{})
		n = int(acts.RowsAffected + alerts.RowsAffected)
		return classify("store.SweepDesk", errors.Join(acts.Error, alerts.Error))
	})
	return n, err
}
