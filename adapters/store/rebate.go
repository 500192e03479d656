package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// A rebateRow has no id: nobody asks for it.
type rebateRow struct {
	Network   string
	Account   string
	LineNo    string
	Line      string
	Seq       int64
	UserID    int64
	Stage     string
	Amount    int64
	Margin    int64
	DueAt     int64
	Trace     string
	Cuts      string
	ChangedAt int64
}

func (rebateRow) TableName() string { return "rebates" }

func newRebateRow(b rebate.Rebate) (r rebateRow, err error) {
	r = rebateRow{
		Network: b.Key.Network, Account: b.Key.Account, LineNo: b.Key.ID, Seq: b.Seq, UserID: b.User, Stage: string(b.Stage),
		Amount: int64(b.Amount), Margin: int64(b.Margin), DueAt: ms(b.Due), ChangedAt: ms(b.Changed),
	}
	if r.Line, err = text(b.Line); err != nil {
		return r, err
	}
	if r.Trace, err = text(b.Trace); err != nil || b.Cuts == [2]rebate.Cut{} {
		return r, err
	}
	r.Cuts, err = text(b.Cuts)
	return r, err
}

func (r rebateRow) rebate() (rebate.Rebate, error) {
	b := rebate.Rebate{
		Key: order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}, Seq: r.Seq, User: r.UserID, Stage: rebate.Stage(r.Stage),
		Amount: money.Fen(r.Amount), Margin: money.Fen(r.Margin), Due: at(r.DueAt), Changed: at(r.ChangedAt),
	}
	if err := parse(r.Line, &b.Line); err != nil {
		return b, err
	}
	if err := parse(r.Trace, &b.Trace); err != nil {
		return b, err
	}
	b.TopUp = b.Trace.TopUp
	if r.Cuts == "" {
		return b, nil
	}
	return b, parse(r.Cuts, &b.Cuts)
}

type rulesRow struct {
	Version  int64 `gorm:"primaryKey"`
	Body     string
	At       int64
	Replaces *int64
	Staff    bool
	Actor    string
	Reason   string
}

func (r rulesRow) edition() rebate.Edition {
	e := rebate.Edition{Version: r.Version, Staff: r.Staff, By: r.Actor, Reason: r.Reason, At: at(r.At)}
	if r.Replaces != nil {
		e.Before = *r.Replaces
	}
	return e
}

func (rulesRow) TableName() string { return "rebate_rules" }

type rebateStore struct{ db *DB }

// InTx implements rebate.Store.
func (s rebateStore) InTx(ctx context.Context, fn func(rebate.Tx) error) error {
	return s.db.inTx(ctx, rebateTarget, "rebate", func(t *tx) error { return fn(rebateTx{t}) })
}

// Rebates implements rebate.Store.
func (s rebateStore) Rebates(ctx context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	return rebates(s.db.reader(ctx), keys)
}

// Rules implements rebate.Store.
func (s rebateStore) Rules(ctx context.Context, version int64) (rebate.Rules, int64, error) {
	return rules(s.db.reader(ctx), version)
}

// Editions implements rebate.Store.
func (s rebateStore) Editions(ctx context.Context, before int64, count int) ([]rebate.Edition, error) {
	g := s.db.reader(ctx).Omit("body").Order("version DESC").Limit(count)
	if before != 0 {
		g = g.Where("version < ?", before)
	}
	rows, err := find[rulesRow](g)
	var out []rebate.Edition
	for _, r := range rows {
		out = append(out, r.edition())
	}
	return out, err
}

// rebatesPage is how many rebates Walk holds at once.
const rebatesPage = 500

// Walk implements rebate.Store. It reads in pages, so that nobody who writes has to
// wait for it.
func (s rebateStore) Walk(ctx context.Context, since time.Time, fn func(rebate.Rebate) error) error {
	for last := int64(0); ; {
		rows, err := find[walkedRow](s.db.reader(ctx).
			Where("id > ? AND changed_at >= ?", last, ms(since)).Order("id").Limit(rebatesPage))
		if err != nil {
			return err
		}
		for _, r := range rows {
			b, err := r.Row.rebate()
			if err == nil {
				err = fn(b)
			}
			if err != nil {
				return err
			}
			last = r.ID
		}
		if len(rows) < rebatesPage {
			return nil
		}
	}
}

// walkedRow is a rebateRow with its place.
type walkedRow struct {
	ID  int64
	Row rebateRow `gorm:"embedded"`
}

func (walkedRow) TableName() string { return "rebates" }

func rebates(g *gorm.DB, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	rows, err := byKeys[rebateRow](g, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[order.Key]rebate.Rebate, len(rows))
	for _, r := range rows {
		b, err := r.rebate()
		if err != nil {
			return nil, err
		}
		out[b.Key] = b
	}
	return out, nil
}

func rules(g *gorm.DB, version int64) (rebate.Rules, int64, error) {
	g = g.Order("version DESC")
	if version != 0 {
		g = g.Where("version = ?", version)
	}
	r, err := first[rulesRow](g)
	if err != nil {
		return rebate.Rules{}, 0, err
	}
	var out rebate.Rules
	err = parse(r.Body, &out)
	return out, r.Version, err
}

type rebateTx struct{ *tx }

// Rebates implements rebate.Tx.
func (t rebateTx) Rebates(keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	return rebates(keep(t.g), keys)
}

// Due implements rebate.Tx.
func (t rebateTx) Due(now time.Time, count int) ([]rebate.Rebate, error) {
	rows, err := find[rebateRow](locked(t.g).
		Where("stage = 'pending' AND due_at > 0 AND due_at <= ?", ms(now)).Order("due_at, id").Limit(count))
	out := make([]rebate.Rebate, len(rows))
	for i := range rows {
		if err == nil {
			out[i], err = rows[i].rebate()
		}
	}
	return out, err
}

// Put implements rebate.Tx.
func (t rebateTx) Put(rs []rebate.Rebate) error {
	rows := make([]rebateRow, len(rs))
	for i, r := range rs {
		var err error
		if rows[i], err = newRebateRow(r); err != nil {
			return err
		}
	}
	return insert(t.g, rows, upsert(keyColumns(),
		"line", "seq", "user_id", "stage", "amount", "margin", "due_at", "trace", "cuts", "changed_at"))
}

// Rules implements rebate.Tx.
func (t rebateTx) Rules(version int64) (rebate.Rules, int64, error) { return rules(t.g, version) }

// Edition implements rebate.Tx.
func (t rebateTx) Edition() (rebate.Edition, error) {
	r, err := first[rulesRow](t.g.Omit("body").Order("version DESC"))
	return r.edition(), err
}

// AddRules implements rebate.Tx.
func (t rebateTx) AddRules(r rebate.Rules, a rebate.Edition) (int64, error) {
	body, err := text(r)
	if err != nil {
		return 0, err
	}
	row := rulesRow{Body: body, At: ms(a.At), Staff: a.Staff, Actor: a.By, Reason: a.Reason}
	if a.Before != 0 {
		row.Replaces = &a.Before
	}
	rows := []rulesRow{row}
	err = insert(t.g, rows)
	return rows[0].Version, err
}
