package store

import (
	"context"

	"gorm.io/gorm"

	"fanli/core/credit"
	"fanli/core/money"
	"fanli/core/proof"
)

type movedRow struct {
	ID             int64 `gorm:"primaryKey;autoIncrement:false"`
	Absorbed       int64
	Survivor       int64
	Linked         int64
	Stage          string
	Rev            int64
	Reason         string
	Pending        int64
	Available      int64
	Debt           int64
	Repaid         int64
	LinesPending   int64
	LinesAvailable int64
	BackPending    int64
	BackNet        int64
	At             int64
	Mark           string
}

func (movedRow) TableName() string { return "payment_merges" }

// mark is a digest of the row, as that of what is booked.
func (r movedRow) mark() string {
	return markOf("merge", r.ID, r.Absorbed, r.Survivor, r.Stage, r.Pending, r.Available, r.Debt, r.Repaid, r.LinesPending, r.LinesAvailable,
		r.BackPending, r.BackNet)
}

func newMovedRow(m credit.Moved) movedRow {
	r := movedRow{
		m.ID, m.Absorbed, m.Survivor, one(m.Stage == credit.MoneyMoved), string(m.Stage), m.Rev, m.Reason, int64(m.Pending), int64(m.Available),
		int64(m.Debt), int64(m.Repaid), int64(m.Lines.Pending), int64(m.Lines.Available), int64(m.BackPending), int64(m.BackNet), ms(m.At), "",
	}
	r.Mark = r.mark()
	return r
}

func (r movedRow) moved() credit.Moved {
	return credit.Moved{
		ID: r.ID, Absorbed: r.Absorbed, Survivor: r.Survivor, Stage: credit.MovedStage(r.Stage), Rev: r.Rev, Reason: r.Reason,
		Pending: money.Fen(r.Pending), Available: money.Fen(r.Available), Debt: money.Fen(r.Debt), Repaid: money.Fen(r.Repaid),
		Lines:       credit.LineSums{Pending: money.Fen(r.LinesPending), Available: money.Fen(r.LinesAvailable)},
		BackPending: money.Fen(r.BackPending), BackNet: money.Fen(r.BackNet), At: at(r.At),
	}
}

// moneyPointers says whose money an account's is.
func moneyPointers(g func() *gorm.DB) pointers { return pointers{g, "payment_merges"} }

// Roots implements credit.Tx.
func (t creditTx) Roots(accounts []int64) (map[int64]int64, error) {
	return moneyPointers(func() *gorm.DB { return t.g }).roots(accounts)
}

// Kin implements credit.Tx and withdraw.Tx.
func (t ledgerTx) Kin(account int64) ([]int64, error) {
	p := moneyPointers(func() *gorm.DB { return t.g })
	root, err := p.root(account)
	if err != nil {
		return nil, err
	}
	return p.members(root)
}

type movedStore struct{ db *DB }

// Moved returns the store of what merges have moved.
func (db *DB) Moved() credit.MergeStore { return movedStore{db} }

// InTx implements credit.MergeStore.
func (s movedStore) InTx(ctx context.Context, fn func(credit.MergeTx) error) error {
	return s.db.inTx(ctx, paymentTarget, "moved", func(t *tx) error { return fn(movedTx{withdrawTx{ledgerTx{t}}}) })
}

type movedTx struct{ withdrawTx }

// Moved implements credit.MergeTx.
func (t movedTx) Moved(id int64) (credit.Moved, error) {
	r, err := first[movedRow](locked(t.g).Where("id = ?", id))
	return r.moved(), err
}

// PutMoved implements credit.MergeTx.
func (t movedTx) PutMoved(m credit.Moved) error {
	return insert(t.g, []movedRow{newMovedRow(m)}, upsert([]string{"id"}, "linked", "stage", "rev", "reason", "back_pending", "back_net", "mark"))
}

// Members implements credit.MergeTx.
func (t movedTx) Members(user int64) ([]int64, error) {
	return moneyPointers(func() *gorm.DB { return t.g }).members(user)
}

// Members returns an account and all whose money is its, for credit.Purse.
func (db *DB) Members(ctx context.Context, user int64) ([]int64, error) {
	return moneyPointers(func() *gorm.DB { return db.reader(ctx) }).members(user)
}

// LineSums implements credit.MergeTx. Each statement uses an index.
func (t movedTx) LineSums(accounts []int64) (out credit.LineSums, err error) {
	for _, of := range []struct{ table, user, pending, available string }{
		{"payment_booked", "user_id", "pending", "available"}, {"payment_parts", "user1", "pending1", "available1"},
		{"payment_parts", "user2", "pending2", "available2"},
	} {
		var r struct{ Pending, Available int64 }
		err := t.g.Table(of.table).Where(of.user+" IN ?", accounts).
			Select("COALESCE(SUM(" + of.pending + "), 0) AS pending, COALESCE(SUM(" + of.available + "), 0) AS available").Scan(&r).Error
		if err != nil {
			return out, classify("store.LineSums", err)
		}
		out.Pending, out.Available = out.Pending+money.Fen(r.Pending), out.Available+money.Fen(r.Available)
	}
	return out, nil
}

// WalkMerges implements proof.Source.
func (s proofSource) WalkMerges(ctx context.Context, fn func(*proof.Merge) error) error {
	rows, err := find[movedRow](s.q(ctx).Order("id"))
	for _, r := range rows {
		m := r.moved()
		if err := fn(&proof.Merge{
			ID: m.ID, Absorbed: m.Absorbed, Survivor: m.Survivor, There: m.Stage != credit.MoneyRefused, Back: m.Stage == credit.MoneyReturned,
			Pending: m.Pending, Available: m.Available, Debt: m.Debt, Repaid: m.Repaid, BackPending: m.BackPending, BackNet: m.BackNet,
			Intact: r.Mark == r.mark(),
		}); err != nil {
			return err
		}
	}
	return err
}
