package store

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/money"
	"fanli/core/notify"
)

type cutsRow struct {
	UserID int64 `gorm:"primaryKey;autoIncrement:false"`
	Given  int64
	Taken  int64
	Debt   int64
	Orders int64
	Since  int64 // 0: they were told everything
	ToldAt int64
}

func (cutsRow) TableName() string { return "notification_cuts" }

// AddCuts implements notify.Tx.
func (t messageTx) AddCuts(cs []notify.Cuts) error {
	rows := make([]cutsRow, len(cs))
	for i, c := range cs {
		rows[i].UserID = c.User
	}
	if err := insert(t.g, rows, ignore()); err != nil {
		return err
	}
	for _, c := range cs {
		err := t.g.Model(&cutsRow{}).Where("user_id = ?", c.User).Updates(map[string]any{
			"given": gorm.Expr("given + ?", int64(c.Given)), "taken": gorm.Expr("taken + ?", int64(c.Taken)),
			"debt": gorm.Expr("debt + ?", int64(c.Debt)), "orders": gorm.Expr("orders + ?", c.Lines),
			"since": gorm.Expr("CASE WHEN since = 0 THEN ? ELSE since END", ms(c.Since)),
		}).Error
		if err != nil {
			return classify(op[cutsRow](), err)
		}
	}
	return nil
}

// TakeCuts implements notify.Tx.
func (t messageTx) TakeCuts(now, since, told time.Time, count int) ([]notify.Cuts, error) {
	rows, err := find[cutsRow](locked(t.g).Where("since > 0 AND since <= ? AND told_at <= ?", ms(since), ms(told)).Order("user_id").Limit(count))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out, ids := make([]notify.Cuts, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.UserID
		out[i] = notify.Cuts{
			User: r.UserID, Given: money.Fen(r.Given), Taken: money.Fen(r.Taken), Debt: money.Fen(r.Debt), Lines: int(r.Orders), Since: at(r.Since),
		}
	}
	for part := range slices.Chunk(ids, inMax) {
		err := t.g.Model(&cutsRow{}).Where("user_id IN ?", part).
			Updates(map[string]any{"given": 0, "taken": 0, "debt": 0, "orders": 0, "since": 0, "told_at": ms(now)}).Error
		if err != nil {
			return nil, classify(op[cutsRow](), err)
		}
	}
	return out, nil
}
