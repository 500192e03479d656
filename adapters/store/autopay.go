package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/withdraw"
)

type autopayRow struct {
	UserID    int64 `gorm:"primaryKey;autoIncrement:false"`
	Account   string
	IsOn      int
	Threshold int64
	TriedOn   string
	Why       string
	Rev       int64
	ChangedAt int64
}

func (autopayRow) TableName() string { return "payment_autopays" }

func newAutopayRow(a withdraw.Autopay) autopayRow {
	r := autopayRow{
		UserID: a.User, Account: string(ledger.User(a.User, ledger.Available)), Threshold: int64(a.Threshold),
		TriedOn: a.Day, Why: a.Why, Rev: a.Rev, ChangedAt: ms(a.Changed),
	}
	if a.On {
		r.IsOn = 1
	}
	return r
}

func (r autopayRow) autopay() withdraw.Autopay {
	return withdraw.Autopay{
		User: r.UserID, On: r.IsOn == 1, Threshold: money.Fen(r.Threshold), Day: r.TriedOn, Why: r.Why, Rev: r.Rev, Changed: at(r.ChangedAt),
	}
}

// Autopay implements withdraw.Store.
func (s withdrawStore) Autopay(ctx context.Context, user int64) (withdraw.Autopay, error) {
	r, err := first[autopayRow](s.db.reader(ctx).Where("user_id = ?", user))
	if err != nil {
		return withdraw.Autopay{}, err
	}
	return r.autopay(), nil
}

// DueAutopays implements withdraw.Store.
func (s withdrawStore) DueAutopays(ctx context.Context, day string, after int64, count int) ([]withdraw.Autopay, error) {
	rows, err := find[autopayRow](s.db.reader(ctx).Select("payment_autopays.*").
		Joins("JOIN payment_accounts AS a ON a.name = payment_autopays.account").
		Where("payment_autopays.user_id > ? AND is_on = 1 AND tried_on <> ? AND a.balance >= threshold", after, day).
		Order("payment_autopays.user_id").Limit(count))
	out := make([]withdraw.Autopay, len(rows))
	for i, r := range rows {
		out[i] = r.autopay()
	}
	return out, err
}

// SwapAutopay implements withdraw.Tx.
func (t withdrawTx) SwapAutopay(a withdraw.Autopay) (ok bool, err error) {
	r := newAutopayRow(a)
	if a.Rev == 1 {
		err := t.g.Create(&r).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return false, nil // the transaction goes on: only the statement failed
		}
		return err == nil, classify("store.SwapAutopay", err)
	}
	g := t.g.Model(&autopayRow{}).Where("user_id = ? AND rev = ?", a.User, a.Rev-1).Updates(map[string]any{
		"is_on": r.IsOn, "threshold": r.Threshold, "tried_on": r.TriedOn, "why": r.Why, "rev": r.Rev, "changed_at": r.ChangedAt,
	})
	return g.RowsAffected == 1, classify("store.SwapAutopay", g.Error)
}
