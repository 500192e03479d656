package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// A partRow is there only for lines of which others have something: most have no
// such row.
type partRow struct {
	Network    string `gorm:"primaryKey"`
	Account    string `gorm:"primaryKey"`
	LineNo     string `gorm:"primaryKey"`
	User1      int64  `gorm:"column:user1"`
	Pending1   int64  `gorm:"column:pending1"`
	Available1 int64  `gorm:"column:available1"`
	User2      int64  `gorm:"column:user2"`
	Pending2   int64  `gorm:"column:pending2"`
	Available2 int64  `gorm:"column:available2"`
	TopUp      int64  `gorm:"column:topup"`
	Budget     string
}

func (partRow) TableName() string { return "payment_parts" }

func newPartRow(b credit.Booked) partRow {
	x, y := b.Cuts[0], b.Cuts[1]
	return partRow{
		b.Key.Network, b.Key.Account, b.Key.ID, x.User, int64(x.Pending), int64(x.Available),
		y.User, int64(y.Pending), int64(y.Available), int64(b.TopUp), b.Budget,
	}
}

// share adds to what is booked what others have.
func (r partRow) share(b credit.Booked) credit.Booked {
	b.Shared, b.TopUp, b.Budget = true, money.Fen(r.TopUp), r.Budget
	b.Cuts[0] = credit.BookedCut{User: r.User1, Pending: money.Fen(r.Pending1), Available: money.Fen(r.Available1)}
	b.Cuts[1] = credit.BookedCut{User: r.User2, Pending: money.Fen(r.Pending2), Available: money.Fen(r.Available2)}
	return b
}

// shares adds to what is booked for lines what others have of them.
func (t creditTx) shares(keys []order.Key, out map[order.Key]credit.Booked) error {
	rows, err := byKeys[partRow](t.g, keys)
	for _, r := range rows {
		k := order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}
		out[k] = r.share(out[k])
	}
	return err
}

func (t creditTx) putShares(bs []credit.Booked) error {
	var rows []partRow
	for _, b := range bs {
		if b.Shared {
			rows = append(rows, newPartRow(b))
		}
	}
	return insert(t.g, rows, upsert(keyColumns(),
		"user1", "pending1", "available1", "user2", "pending2", "available2", "topup", "budget"))
}

type budgetRow struct {
	Budget string `gorm:"primaryKey"`
	Span   string `gorm:"primaryKey"`
	Used   int64
}

func (budgetRow) TableName() string { return "payment_budgets" }

// Spend implements credit.Tx.
func (t creditTx) Spend(budget, span string, amount, limit money.Fen) (bool, error) {
	if err := insert(t.g, []budgetRow{{budget, span, 0}}, ignore()); err != nil {
		return false, err
	}
	r := t.g.Model(&budgetRow{}).
		Where("budget = ? AND span = ? AND (? = 0 OR used + ? <= ?)", budget, span, int64(limit), int64(amount), int64(limit)).
		Update("used", gorm.Expr("used + ?", int64(amount)))
	return r.RowsAffected == 1, classify(op[budgetRow](), r.Error)
}

// Spent implements credit.Tx.
func (t creditTx) Spent(budget, span string) (money.Fen, error) {
	r, err := first[budgetRow](locked(t.g).Where("budget = ? AND span = ?", budget, span))
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return money.Fen(r.Used), err
}

// Used implements credit.Store.
func (s creditStore) Used(ctx context.Context, budget string, spans []string) (map[string]money.Fen, error) {
	rows, err := findIn[budgetRow](func() *gorm.DB { return s.db.reader(ctx).Where("budget = ?", budget) }, "span", spans)
	out := map[string]money.Fen{}
	for _, r := range rows {
		out[r.Span] = money.Fen(r.Used)
	}
	return out, err
}

type firstRow struct {
	UserID int64 `gorm:"primaryKey;autoIncrement:false"`
	Cause  string
	At     int64
}

func (firstRow) TableName() string { return "payment_firsts" }

// First implements credit.Store.
func (s creditStore) First(ctx context.Context, user int64) (string, error) {
	r, err := first[firstRow](s.db.reader(ctx).Where("user_id = ?", user))
	return r.Cause, err
}

// Came implements credit.Tx.
func (t creditTx) Came(users []int64) (bool, error) {
	var n int64
	err := t.g.Model(&firstRow{}).Where("user_id IN ?", users).Count(&n).Error
	return n > 0, classify("store.Came", err)
}

// PutFirst implements credit.Tx.
func (t creditTx) PutFirst(user int64, cause string, at time.Time) error {
	return insert(t.g, []firstRow{{user, cause, ms(at)}}, ignore())
}
