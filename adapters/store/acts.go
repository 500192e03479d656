package store

import (
	"context"

	"gorm.io/gorm"

	"fanli/core/audit"
	"fanli/core/fault"
)

// The acts of staff, in the payment target: what they decide there is about
// money, and the record is in the transaction of the act.

type actRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	At      int64
	Actor   string
	Role    string
	What    string
	Subject string
	Reason  string
	Was     string
	Became  string
	Trace   string
	Hash    string
}

func (actRow) TableName() string { return "payment_acts" }

func (r actRow) act() audit.Act {
	return audit.Act{
		ID: r.ID, At: at(r.At), Actor: r.Actor, Role: r.Role, What: r.What, On: r.Subject,
		Reason: r.Reason, Before: r.Was, After: r.Became, Trace: r.Trace, Hash: r.Hash,
	}
}

// An actsEndRow is where the chain ends.
type actsEndRow struct {
	ID   int64
	Last int64
	Hash string
}

func (actsEndRow) TableName() string { return "payment_acts_end" }

// Act implements audit.Recorder. The end of the chain is locked until the
// transaction ends.
func (t ledgerTx) Act(a audit.Act) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := insert(t.g, []actsEndRow{{ID: 1}}, ignore()); err != nil { // before the first act there is none
		return err
	}
	end, err := first[actsEndRow](locked(t.g).Where("id = ?", 1))
	if err != nil {
		return err
	}
	if a.At.IsZero() {
		a.At = t.db.cfg.Now()
	}
	a.ID, a.At = end.Last+1, at(ms(a.At))
	a.Hash = a.Sum(end.Hash)
	row := actRow{a.ID, ms(a.At), a.Actor, a.Role, a.What, a.On, a.Reason, a.Before, a.After, a.Trace, a.Hash}
	if err := insert(t.g, []actRow{row}); err != nil {
		return err
	}
	r := t.g.Model(&actsEndRow{}).Where("id = ? AND last = ?", 1, end.Last).Updates(map[string]any{"last": a.ID, "hash": a.Hash})
	if r.Error == nil && r.RowsAffected != 1 {
		return fault.Newf(fault.Unavailable, "", "store.Act: somebody else added act %d", a.ID)
	}
	return classify("store.Act", r.Error)
}

// Acts implements audit.Reader.
func (b book) Acts(ctx context.Context, f audit.Filter) ([]audit.Act, error) {
	if f.Count <= 0 {
		return nil, nil
	}
	q := b.q(ctx)
	for column, value := range map[string]string{"actor": f.Actor, "what": f.What, "subject": f.On} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", ms(f.From))
	}
	if !f.Until.IsZero() {
		q = q.Where("at < ?", ms(f.Until))
	}
	return actsOf(q.Order("id DESC").Limit(f.Count))
}

func actsOf(q *gorm.DB) ([]audit.Act, error) {
	rows, err := find[actRow](q)
	out := make([]audit.Act, len(rows))
	for i, r := range rows {
		out[i] = r.act()
	}
	return out, err
}

// WalkActs implements audit.Reader.
func (b book) WalkActs(ctx context.Context, fn func(audit.Act) error) error {
	for last := int64(0); ; {
		acts, err := actsOf(b.q(ctx).Where("id > ?", last).Order("id").Limit(walkPage))
		if err != nil {
			return err
		}
		for _, a := range acts {
			if err := fn(a); err != nil {
				return err
			}
			last = a.ID
		}
		if len(acts) < walkPage {
			return nil
		}
	}
}

// ActsEnd implements audit.Reader.
func (b book) ActsEnd(ctx context.Context) (int64, string, error) {
	end, err := first[actsEndRow](b.q(ctx).Where("id = ?", 1))
	if fault.Is(err, fault.NotFound) { // nobody has done anything yet
		return 0, "", nil
	}
	return end.Last, end.Hash, err
}

// ActStore returns where acts of other targets are recorded.
func (db *DB) ActStore() audit.Store { return actStore{db} }

type actStore struct{ db *DB }

// InTx implements audit.Store.
func (s actStore) InTx(ctx context.Context, fn func(audit.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "act", func(t *tx) error { return fn(ledgerTx{t}) })
}

// Acts returns the acts of staff.
func (db *DB) Acts() audit.Reader { return book{db.reader} }
