package store

import (
	"context"
	"database/sql"
	"time"

	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/proof"
)

type chargeRow struct {
	ID         int64 `gorm:"primaryKey"`
	RequestKey string
	Purpose    string
	UserID     int64
	What       string
	Amount     int64
	Subject    string
	Collector  string
	Number     *string
	Stage      string
	Reason     string
	Code       string
	Receipt    string
	Paid       int64
	Account    string
	Rev        int64
	Tries      int
	At         int64
	ChangedAt  int64
	ExpiresAt  int64
	NextAt     int64
	Mark       string
}

func (chargeRow) TableName() string { return "payment_charges" }

func newChargeRow(d collect.Due) chargeRow {
	return chargeRow{
		ID: d.ID, RequestKey: d.Key, Purpose: string(d.Purpose), UserID: d.User, What: d.What, Amount: int64(d.Amount), Subject: d.Subject,
		Collector: d.Collector, Number: orNull(d.Number), Stage: string(d.Stage), Reason: d.Reason, Code: d.Code, Receipt: d.Receipt,
		Paid: int64(d.Paid), Account: string(d.Account), Rev: d.Rev, Tries: d.Tries, At: ms(d.At), ChangedAt: ms(d.Changed),
		ExpiresAt: ms(d.Expires), NextAt: ms(d.NextAt), Mark: markCharge(d),
	}
}

func (r chargeRow) due() collect.Due {
	return collect.Due{
		ID: r.ID, Key: r.RequestKey, Purpose: collect.Purpose(r.Purpose), User: r.UserID, What: r.What, Amount: money.Fen(r.Amount), Subject: r.Subject,
		Collector: r.Collector, Number: orEmpty(r.Number), Stage: collect.Stage(r.Stage), Reason: r.Reason, Code: r.Code, Receipt: r.Receipt,
		Paid: money.Fen(r.Paid), Account: ledger.Account(r.Account), Rev: r.Rev, Tries: r.Tries, At: at(r.At), Changed: at(r.ChangedAt),
		Expires: at(r.ExpiresAt), NextAt: at(r.NextAt),
	}
}

func dues(rows []chargeRow) []collect.Due {
	out := make([]collect.Due, len(rows))
	for i, r := range rows {
		out[i] = r.due()
	}
	return out
}

// chargeMark is the mark of what changes in a charge and decides about its money.
func chargeMark(stage, collector, number, account string, paid, rev int64) string {
	return markOf("charge", stage, collector, number, account, paid, rev)
}

func markCharge(d collect.Due) string {
	return chargeMark(string(d.Stage), d.Collector, d.Number, string(d.Account), int64(d.Paid), d.Rev)
}

type chargeStore struct{ db *DB }

// Charges returns the store of collect.
func (db *DB) Charges() collect.Store { return chargeStore{db} }

// InTx implements collect.Store.
func (s chargeStore) InTx(ctx context.Context, fn func(collect.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "collect", func(t *tx) error { return fn(chargeTx{ledgerTx{t}}) })
}

// Due implements collect.Store.
func (s chargeStore) Due(ctx context.Context, id int64) (collect.Due, error) {
	r, err := first[chargeRow](s.db.reader(ctx).Where("id = ?", id))
	return r.due(), err
}

// ByNumber implements collect.Store.
func (s chargeStore) ByNumber(ctx context.Context, number string) (collect.Due, error) {
	r, err := first[chargeRow](s.db.reader(ctx).Where("number = ?", number))
	return r.due(), err
}

// Waiting implements collect.Store.
func (s chargeStore) Waiting(ctx context.Context, now time.Time, count int) ([]collect.Due, error) {
	rows, err := find[chargeRow](s.db.reader(ctx).Where("next_at > 0 AND next_at <= ?", ms(now)).Order("next_at, id").Limit(count))
	return dues(rows), err
}

// Newest implements collect.Store.
func (s chargeStore) Newest(ctx context.Context, count int, stages ...collect.Stage) ([]collect.Due, error) {
	g := s.db.reader(ctx).Order("id DESC").Limit(count)
	if len(stages) > 0 {
		g = g.Where("stage IN ?", stages)
	}
	rows, err := find[chargeRow](g)
	return dues(rows), err
}

type chargeTx struct{ ledgerTx }

// ByKey implements collect.Tx.
func (t chargeTx) ByKey(key string) (collect.Due, error) {
	r, err := first[chargeRow](t.g.Where("request_key = ?", key))
	return r.due(), err
}

// OpenOf implements collect.Tx.
func (t chargeTx) OpenOf(user int64, p collect.Purpose) (collect.Due, error) {
	r, err := first[chargeRow](t.g.Where("user_id = ? AND stage IN ? AND purpose = ?", user, []collect.Stage{collect.Created, collect.Asked}, string(p)).Order("id DESC"))
	return r.due(), err
}

// Insert implements collect.Tx.
func (t chargeTx) Insert(d collect.Due) (int64, error) {
	rows := []chargeRow{newChargeRow(d)}
	err := insert(t.g, rows)
	return rows[0].ID, err
}

// Swap implements collect.Tx. What was asked for, of whom and by whom never
// changes.
func (t chargeTx) Swap(d collect.Due, was collect.Stage) (ok bool, err error) {
	with := map[string]any{
		"number": orNull(d.Number), "stage": string(d.Stage), "reason": d.Reason, "code": d.Code, "receipt": d.Receipt, "paid": int64(d.Paid),
		"account": string(d.Account), "rev": d.Rev, "tries": d.Tries, "changed_at": ms(d.Changed), "next_at": ms(d.NextAt), "mark": markCharge(d),
	}
	if d.Stage.Taken() && !was.Taken() { // for reconciliation
		with["taken_at"] = ms(d.Changed)
	}
	if d.Stage == collect.Refunded && was != collect.Refunded {
		with["returned_at"], with["return_no"] = ms(d.Changed), d.RefundNumber()
	}
	r := t.g.Model(&chargeRow{}).Where("id = ? AND stage = ? AND rev = ?", d.ID, string(was), d.Rev-1).Updates(with)
	return r.RowsAffected == 1, classify("store.Swap", r.Error)
}

// WalkCharges implements proof.Source.
func (s proofSource) WalkCharges(ctx context.Context, fn func(*proof.Charge) error) error {
	var r chargeRow
	var number sql.NullString
	q := s.q(ctx).Raw("SELECT id, stage, collector, number, account, paid, rev, mark FROM payment_charges ORDER BY id")
	into := []any{&r.ID, &r.Stage, &r.Collector, &number, &r.Account, &r.Paid, &r.Rev, &r.Mark}
	return each(ctx, q, into, func() error {
		return fn(&proof.Charge{
			ID: r.ID, Stage: collect.Stage(r.Stage), Collector: r.Collector, Account: ledger.Account(r.Account), Paid: money.Fen(r.Paid),
			Intact: r.Mark == chargeMark(r.Stage, r.Collector, number.String, r.Account, r.Paid, r.Rev),
		})
	})
}
