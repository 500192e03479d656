package store

import (
	"context"

	"gorm.io/gorm"

	"fanli/core/control"
)

type switchRow struct {
	Scope    string `gorm:"primaryKey"`
	IsOn     int
	TurnedBy string
	Why      string
	Told     string
	Since    int64
}

func (switchRow) TableName() string { return "payment_switches" }

func (r switchRow) turned() control.Switch {
	return control.Switch{Scope: control.Scope(r.Scope), On: r.IsOn == 1, By: r.TurnedBy, Why: r.Why, Text: r.Told, Since: at(r.Since)}
}

func switches(g *gorm.DB) ([]control.Switch, error) {
	rows, err := find[switchRow](g.Order("scope"))
	var out []control.Switch
	for _, r := range rows {
		out = append(out, r.turned())
	}
	return out, err
}

// Control returns the store of control.
func (db *DB) Control() control.Store { return controlStore{db} }

type controlStore struct{ db *DB }

// InTx implements control.Store.
func (s controlStore) InTx(ctx context.Context, fn func(control.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "control", func(t *tx) error { return fn(ledgerTx{t}) })
}

// Switches implements control.Store.
func (s controlStore) Switches(ctx context.Context) ([]control.Switch, error) {
	return switches(s.db.reader(ctx))
}

// Switches implements control.Tx. It reads what is committed, not what was when
// the transaction began, and keeps it from being turned before the transaction
// ends.
func (t ledgerTx) Switches(scopes ...control.Scope) ([]control.Switch, error) {
	return switches(locked(t.g).Where("scope IN ? AND is_on = 1", scopes))
}

// SetSwitch implements control.Tx.
func (t ledgerTx) SetSwitch(s control.Switch) error {
	on := 0
	if s.On {
		on = 1
	}
	return insert(t.g, []switchRow{{string(s.Scope), on, s.By, s.Why, s.Text, ms(s.Since)}},
		upsert([]string{"scope"}, "is_on", "turned_by", "why", "told", "since"))
}
