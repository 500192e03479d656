package store

import (
	"context"

	"fanli/core/credit"
	"fanli/core/money"
	"fanli/core/order"
)

type bookedRow struct {
	Network   string `gorm:"primaryKey"`
	Account   string `gorm:"primaryKey"`
	LineNo    string `gorm:"primaryKey"`
	Seq       int64
	UserID    int64
	Pending   int64
	Available int64
	Margin    int64
	Mark      string
}

func (bookedRow) TableName() string { return "payment_booked" }

// mark is a digest of the row. It stands in the row itself, so that a change of
// it by anything but this package shows.
func (r bookedRow) mark() string {
	return markOf("booked", r.Network, r.Account, r.LineNo, r.Seq, r.UserID, r.Pending, r.Available, r.Margin)
}

type creditStore struct{ db *DB }

// InTx implements credit.Store.
func (s creditStore) InTx(ctx context.Context, fn func(credit.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "credit", func(t *tx) error { return fn(creditTx{ledgerTx{t}}) })
}

type creditTx struct{ ledgerTx }

// Booked implements credit.Tx.
func (t creditTx) Booked(keys []order.Key) (map[order.Key]credit.Booked, error) {
	rows, err := byKeys[bookedRow](keep(t.g), keys)
	out := make(map[order.Key]credit.Booked, len(rows))
	for _, r := range rows {
		k := order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}
		out[k] = credit.Booked{
			Key: k, Seq: r.Seq, User: r.UserID,
			Pending: money.Fen(r.Pending), Available: money.Fen(r.Available), Margin: money.Fen(r.Margin),
		}
	}
	if err != nil {
		return nil, err
	}
	return out, t.shares(keys, out)
}

// PutBooked implements credit.Tx.
func (t creditTx) PutBooked(bs []credit.Booked) error {
	rows := make([]bookedRow, len(bs))
	for i, b := range bs {
		rows[i] = bookedRow{
			b.Key.Network, b.Key.Account, b.Key.ID, b.Seq, b.User, int64(b.Pending), int64(b.Available), int64(b.Margin), "",
		}
		rows[i].Mark = rows[i].mark()
	}
	if err := insert(t.g, rows, upsert(keyColumns(), "seq", "user_id", "pending", "available", "margin", "mark")); err != nil {
		return err
	}
	return t.putShares(bs)
}
