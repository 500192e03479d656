package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

type withdrawalRow struct {
	ID          int64 `gorm:"primaryKey"`
	RequestKey  string
	UserID      int64
	Amount      int64
	Payee       string
	PayeePrint  string
	State       string
	Reason      string
	Payer       string
	Number      *string
	Actor       string
	FirstActor  string
	Risk        int
	Signs       string
	Receipt     string
	ConfirmText string
	Batch       string
	Rev         int64
	Tries       int
	At          int64
	ChangedAt   int64
	NextAt      int64
	SentAt      int64
	Mark        string
}

func (withdrawalRow) TableName() string { return "payment_withdrawals" }

// withdrawalOwner is what a withdrawal's payout account is bound to.
func withdrawalOwner(key string) string { return "withdrawal/" + key }

func newWithdrawalRow(v *vault, w withdraw.Withdrawal) (withdrawalRow, error) {
	payee, err := v.sealPayee(w.Payee, withdrawalOwner(w.Key))
	return withdrawalRow{
		ID: w.ID, RequestKey: w.Key, UserID: w.User, Amount: int64(w.Amount), Payee: payee, PayeePrint: v.print(w.Payee),
		State: string(w.State), Reason: w.Reason, Payer: w.Payer, Number: orNull(w.Number), Actor: w.Actor, FirstActor: w.First,
		Risk: w.Risk, Signs: w.Signs, Receipt: w.Receipt, ConfirmText: w.Confirm, Batch: w.Batch, Rev: w.Rev, Tries: w.Tries,
		At: ms(w.At), ChangedAt: ms(w.Changed), NextAt: ms(w.NextAt), SentAt: ms(w.Sent), Mark: markWithdrawal(w),
	}, err
}

func (r withdrawalRow) withdrawal(v *vault) (withdraw.Withdrawal, error) {
	payee, err := v.openPayee(r.Payee, withdrawalOwner(r.RequestKey))
	return withdraw.Withdrawal{
		ID: r.ID, Key: r.RequestKey, User: r.UserID, Amount: money.Fen(r.Amount), Payee: payee, State: withdraw.State(r.State),
		Reason: r.Reason, Payer: r.Payer, Number: orEmpty(r.Number), Actor: r.Actor, First: r.FirstActor,
		Risk: r.Risk, Signs: r.Signs, Receipt: r.Receipt, Confirm: r.ConfirmText, Batch: r.Batch, Rev: r.Rev, Tries: r.Tries,
		At: at(r.At), Changed: at(r.ChangedAt), NextAt: at(r.NextAt), Sent: at(r.SentAt),
	}, err
}

// orEmpty reads what orNull wrote.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
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

// OfUser implements withdraw.Store. Accounts that are merged into the user's are the
// user's.
func (s withdrawStore) OfUser(ctx context.Context, user, before int64, count int) ([]withdraw.Withdrawal, error) {
	members, err := moneyPointers(func() *gorm.DB { return s.db.reader(ctx) }).members(user)
	if err != nil {
		return nil, err
	}
	rows, err := find[withdrawalRow](after(s.db.reader(ctx).Where("user_id IN ?", members), before).Order("id DESC").Limit(count))
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

// ByNumber implements withdraw.Store.
func (s withdrawStore) ByNumber(ctx context.Context, number string) (withdraw.Withdrawal, error) {
	return s.by(ctx, "number = ?", number)
}

func (s withdrawStore) by(ctx context.Context, what, value string) (withdraw.Withdrawal, error) {
	r, err := first[withdrawalRow](s.db.reader(ctx).Where(what, value))
	if err != nil {
		return withdraw.Withdrawal{}, err
	}
	return r.withdrawal(s.db.vault)
}

// OfBatch implements withdraw.Store.
func (s withdrawStore) OfBatch(ctx context.Context, batch string) ([]withdraw.Withdrawal, error) {
	rows, err := find[withdrawalRow](s.db.reader(ctx).Where("batch = ? AND batch <> ''", batch).Order("id"))
	if err != nil {
		return nil, err
	}
	return withdrawals(s.db.vault, rows)
}

// Incidents implements withdraw.Store.
func (s withdrawStore) Incidents(ctx context.Context, count int) ([]withdraw.Incident, error) {
	rows, err := find[incidentRow](s.db.reader(ctx).Order("id DESC").Limit(count))
	out := make([]withdraw.Incident, len(rows))
	for i, r := range rows {
		out[i] = withdraw.Incident{
			Withdrawal: r.WithdrawalID, State: withdraw.State(r.State), Verdict: withdraw.Verdict(r.Verdict), Reason: r.Reason, At: at(r.At),
		}
	}
	return out, err
}

type incidentRow struct {
	ID           int64 `gorm:"primaryKey"`
	WithdrawalID int64
	State        string
	Verdict      string
	Reason       string
	At           int64
}

func (incidentRow) TableName() string { return "payment_incidents" }

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
	return slices.DeleteFunc(withdraw.States(), withdraw.State.Final)
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
	r := t.g.Model(&withdrawalRow{}).Where("id = ? AND state = ? AND rev = ?", w.ID, string(was), w.Rev-1).Updates(map[string]any{
		"state": string(w.State), "reason": w.Reason, "payer": w.Payer, "number": orNull(w.Number), "actor": w.Actor,
		"first_actor": w.First, "receipt": w.Receipt, "confirm_text": w.Confirm, "batch": w.Batch, "sent_at": ms(w.Sent),
		"rev": w.Rev, "tries": w.Tries, "changed_at": ms(w.Changed), "next_at": ms(w.NextAt), "mark": markWithdrawal(w),
	})
	return r.RowsAffected == 1, classify("store.Swap", r.Error)
}

// Spent implements withdraw.Tx. What was spent by accounts that are merged into the
// user's was spent by the user: limits are a person's.
func (t withdrawTx) Spent(q withdraw.Query) (count int, sum money.Fen, err error) {
	g := t.g.Model(&withdrawalRow{}).Where("state NOT IN ?", []withdraw.State{withdraw.Failed, withdraw.Refused, withdraw.Cancelled})
	if q.User != 0 {
		members, err := moneyPointers(func() *gorm.DB { return t.g }).members(q.User)
		if err != nil {
			return 0, 0, err
		}
		g = g.Where("user_id IN ?", members)
	}
	if !q.Payee.IsZero() {
		g = g.Where("payee_print = ?", t.db.vault.print(q.Payee))
	}
	if !q.Asked.IsZero() {
		g = g.Where("at >= ?", ms(q.Asked))
	}
	if !q.Sent.IsZero() {
		g = g.Where("sent_at >= ?", ms(q.Sent))
	}
	var r struct{ N, Total int64 }
	err = g.Select("COUNT(*) AS n, COALESCE(SUM(amount), 0) AS total").Scan(&r).Error
	return int(r.N), money.Fen(r.Total), classify("store.Spent", err)
}

// Sharing implements withdraw.Tx. Accounts that are merged are one user.
func (t withdrawTx) Sharing(p user.Payee, id int64) (int, error) {
	var users []int64
	err := t.g.Model(&withdrawalRow{}).Where("payee_print = ?", t.db.vault.print(p)).Distinct().Pluck("user_id", &users).Error
	if err != nil || len(users) == 0 {
		return 0, classify("store.Sharing", err)
	}
	roots, err := moneyPointers(func() *gorm.DB { return t.g }).roots(append(users, id))
	people := map[int64]bool{}
	for _, u := range append(users, id) {
		if root, ok := roots[u]; ok {
			u = root
		}
		people[u] = true
	}
	return len(people) - 1, err
}

// AddIncident implements withdraw.Tx.
func (t withdrawTx) AddIncident(i withdraw.Incident) (fresh bool, err error) {
	err = t.g.Create(&incidentRow{
		WithdrawalID: i.Withdrawal, State: string(i.State), Verdict: string(i.Verdict), Reason: i.Reason, At: ms(i.At),
	}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return false, nil // the transaction goes on: only the statement failed
	}
	return err == nil, classify("store.AddIncident", err)
}
