package store

import (
	"context"
	"time"

	"fanli/core/money"
	"fanli/core/withdraw"
)

type withdrawalRow struct {
	ID         int64 `gorm:"primaryKey"`
	RequestKey string
	UserID     int64
	Amount     int64
	Payee      string
	State      string
	Reason     string
	Payer      string
	Number     *string
	Actor      string
	Rev        int64
	Tries      int
	At         int64
	ChangedAt  int64
	NextAt     int64
	Mark       string
}

func (withdrawalRow) TableName() string { return "payment_withdrawals" }

// withdrawalOwner is what a withdrawal's payout account is bound to.
func withdrawalOwner(key string) string { return "withdrawal/" + key }

func newWithdrawalRow(v *vault, w withdraw.Withdrawal) (withdrawalRow, error) {
	payee, err := v.sealPayee(w.Payee, withdrawalOwner(w.Key))
	return withdrawalRow{
		ID: w.ID, RequestKey: w.Key, UserID: w.User, Amount: int64(w.Amount), Payee: payee, State: string(w.State),
		Reason: w.Reason, Payer: w.Payer, Number: orNull(w.Number), Actor: w.Actor, Rev: w.Rev, Tries: w.Tries,
		At: ms(w.At), ChangedAt: ms(w.Changed), NextAt: ms(w.NextAt), Mark: markWithdrawal(w),
	}, err
}

func (r withdrawalRow) withdrawal(v *vault) (withdraw.Withdrawal, error) {
	payee, err := v.openPayee(r.Payee, withdrawalOwner(r.RequestKey))
	w := withdraw.Withdrawal{
		ID: r.ID, Key: r.RequestKey, User: r.UserID, Amount: money.Fen(r.Amount), Payee: payee, State: withdraw.State(r.State),
		Reason: r.Reason, Payer: r.Payer, Actor: r.Actor, Rev: r.Rev, Tries: r.Tries,
		At: at(r.At), Changed: at(r.ChangedAt), NextAt: at(r.NextAt),
	}
	if r.Number != nil {
		w.Number = *r.Number
	}
	return w, err
}

// orNull is NULL for "", which many rows of a unique column may have.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func withdrawals(v *vault, rows []withdrawalRow) ([]withdraw.Withdrawal, error) {
	out := make([]withdraw.Withdrawal, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.withdrawal(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type withdrawStore struct{ db *DB }

// InTx implements withdraw.Store.
func (s withdrawStore) InTx(ctx context.Context, fn func(withdraw.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "withdraw", func(t *tx) error { return fn(withdrawTx{ledgerTx{t}}) })
}

// Withdrawal implements withdraw.Store.
func (s withdrawStore) Withdrawal(ctx context.Context, id int64) (withdraw.Withdrawal, error) {
	r, err := first[withdrawalRow](s.db.reader(ctx).Where("id = ?", id))
	if err != nil {
		return withdraw.Withdrawal{}, err
	}
	return r.withdrawal(s.db.vault)
}

// OfUser implements withdraw.Store.
func (s withdrawStore) OfUser(ctx context.Context, user int64, count int) ([]withdraw.Withdrawal, error) {
	rows, err := find[withdrawalRow](s.db.reader(ctx).Where("user_id = ?", user).Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	return withdrawals(s.db.vault, rows)
}

// InState implements withdraw.Store.
func (s withdrawStore) InState(ctx context.Context, now time.Time, count int, states ...withdraw.State) ([]withdraw.Withdrawal, error) {
	if len(states) == 0 {
		return nil, nil
	}
	rows, err := find[withdrawalRow](s.db.reader(ctx).Where("state IN ? AND next_at <= ?", states, ms(now)).Order("id").Limit(count))
	if err != nil {
		return nil, err
	}
	return withdrawals(s.db.vault, rows)
}

type withdrawTx struct{ ledgerTx }

// ByKey implements withdraw.Tx.
func (t withdrawTx) ByKey(key string) (withdraw.Withdrawal, error) {
	r, err := first[withdrawalRow](t.g.Where("request_key = ?", key))
	if err != nil {
		return withdraw.Withdrawal{}, err
	}
	return r.withdrawal(t.db.vault)
}

// openStates are the states from which a withdrawal can still change.
func openStates() []withdraw.State {
	var out []withdraw.State
	for _, s := range []withdraw.State{
		withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Sending, withdraw.Unknown,
		withdraw.Paid, withdraw.Failed, withdraw.Refused, withdraw.Cancelled,
	} {
		if !s.Final() {
			out = append(out, s)
		}
	}
	return out
}

// Open implements withdraw.Tx.
func (t withdrawTx) Open(user int64) (int, error) {
	var n int64
	err := t.g.Model(&withdrawalRow{}).Where("user_id = ? AND state IN ?", user, openStates()).Count(&n).Error
	return int(n), classify("store.Open", err)
}

// Insert implements withdraw.Tx.
func (t withdrawTx) Insert(w withdraw.Withdrawal) (int64, error) {
	r, err := newWithdrawalRow(t.db.vault, w)
	if err != nil {
		return 0, err
	}
	rows := []withdrawalRow{r}
	err = insert(t.g, rows)
	return rows[0].ID, err
}

// Swap implements withdraw.Tx. What was asked for, by whom, for how much and to
// which account never changes.
func (t withdrawTx) Swap(w withdraw.Withdrawal, was withdraw.State) (ok bool, err error) {
	r := t.g.Model(&withdrawalRow{}).Where("id = ? AND state = ?", w.ID, string(was)).Updates(map[string]any{
		"state": string(w.State), "reason": w.Reason, "payer": w.Payer, "number": orNull(w.Number), "actor": w.Actor,
		"rev": w.Rev, "tries": w.Tries, "changed_at": ms(w.Changed), "next_at": ms(w.NextAt), "mark": markWithdrawal(w),
	})
	return r.RowsAffected == 1, classify("store.Swap", r.Error)
}
