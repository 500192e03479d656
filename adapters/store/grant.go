package store

import (
	"context"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

type grantRow struct {
	Cause   string `gorm:"primaryKey"`
	UserID  int64
	Level   int
	FromAt  int64
	UntilAt int64
	Revoked int64
	Told    int64
}

func (grantRow) TableName() string { return "user_grants" }

func newGrantRow(g user.Grant) grantRow {
	return grantRow{g.Cause, g.User, g.Level, ms(g.From), ms(g.Until), one(g.Revoked), one(g.Told)}
}

func (r grantRow) grant() user.Grant {
	return user.Grant{
		Cause: r.Cause, User: r.UserID, Level: r.Level, From: at(r.FromAt), Until: at(r.UntilAt), Revoked: r.Revoked != 0, Told: r.Told != 0,
	}
}

// one is 1 for true: the databases have no other truth in common.
func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func grants(rows []grantRow) (out []user.Grant) {
	for _, r := range rows {
		out = append(out, r.grant())
	}
	return out
}

// Grants implements user.Store.
func (s userStore) Grants(ctx context.Context, id int64) ([]user.Grant, error) {
	rows, err := find[grantRow](s.db.reader(ctx).Where("user_id = ?", id).Order("from_at, cause"))
	return grants(rows), err
}

// Ended implements user.Store.
func (s userStore) Ended(ctx context.Context, now time.Time, count int) ([]user.Grant, error) {
	rows, err := find[grantRow](s.db.reader(ctx).Where("told = 0 AND until_at <= ? AND revoked = 0", ms(now)).Order("until_at").Limit(count))
	return grants(rows), err
}

// Level implements user.Tx.
func (t userTx) Level(id int64) (int, error) {
	r, err := first[userRow](t.g.Where("id = ?", id))
	return r.Level, err
}

// Grants implements user.Tx.
func (t userTx) Grants(id int64) ([]user.Grant, error) {
	rows, err := find[grantRow](t.g.Where("user_id = ?", id).Order("from_at, cause"))
	return grants(rows), err
}

// Grant implements user.Tx.
func (t userTx) Grant(g user.Grant) (user.Grant, error) {
	old, err := first[grantRow](locked(t.g).Where("cause = ?", g.Cause))
	switch {
	case fault.Is(err, fault.NotFound):
		return g, insert(t.g, []grantRow{newGrantRow(g)})
	case err != nil:
		return g, err
	case g.Revoked && old.Revoked == 0:
		old.Revoked = 1
		r := t.g.Model(&grantRow{}).Where("cause = ?", g.Cause).Update("revoked", 1)
		return old.grant(), changedOne[grantRow](r)
	default:
		return old.grant(), nil
	}
}

// TellEnd implements user.Tx.
func (t userTx) TellEnd(cause string) (fresh bool, err error) {
	r := t.g.Model(&grantRow{}).Where("cause = ? AND told = 0", cause).Update("told", 1)
	return r.RowsAffected == 1, classify("store.TellEnd", r.Error)
}
