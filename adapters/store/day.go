package store

import (
	"context"
	"time"

	"fanli/core/desk"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
)

// What came in within a stretch of time, for reports. Ids grow with time, so a day is
// found by halving: no index on times is needed on the hot path.

// firstSince returns the first id of a table at or after a time.
func (db *DB) firstSince(ctx context.Context, table, column string, t time.Time) (int64, error) {
	var last int64
	if err := db.reader(ctx).Table(table).Select("COALESCE(MAX(id), 0)").Find(&last).Error; err != nil {
		return 0, classify("store.firstSince", err)
	}
	low, high := int64(1), last+1
	for low < high {
		mid := low + (high-low)/2
		var r struct{ ID, At int64 }
		err := db.reader(ctx).Table(table).Select("id, "+column+" AS at").Where("id >= ?", mid).Order("id").Limit(1).Find(&r).Error
		if err != nil {
			return 0, classify("store.firstSince", err)
		}
		if r.ID != 0 && r.At < ms(t) {
			low = r.ID + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

// between returns the ids of a stretch of time: from the first one to before the last.
func (db *DB) between(ctx context.Context, table, column string, from, until time.Time) (low, high int64, err error) {
	if low, err = db.firstSince(ctx, table, column, from); err != nil {
		return 0, 0, err
	}
	high, err = db.firstSince(ctx, table, column, until)
	return low, high, err
}

// Entered returns what was entered in the ledger from one time until another.
func (db *DB) Entered(ctx context.Context, from, until time.Time) ([]desk.Entered, error) {
	low, high, err := db.between(ctx, "payment_entries", "at", from, until)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Kind   string
		N, Sum int64
	}
	err = db.reader(ctx).Table("payment_entries").Where("id >= ? AND id < ?", low, high).
		Select("kind, COUNT(*) AS n, SUM(amount) AS sum").Group("kind").Order("kind").Find(&rows).Error
	out := make([]desk.Entered, len(rows))
	for i, r := range rows {
		out[i] = desk.Entered{Kind: ledger.Kind(r.Kind), Count: r.N, Sum: money.Fen(r.Sum)}
	}
	return out, classify("store.Entered", err)
}

// Placed returns what orders were first seen from one time until another.
func (db *DB) Placed(ctx context.Context, from, until time.Time) ([]desk.Placed, error) {
	low, high, err := db.between(ctx, "order_lines", "seen_at", from, until)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Network              string
		N, Price, Commission int64
	}
	err = db.reader(ctx).Table("order_lines").Where("id >= ? AND id < ?", low, high).
		Select("network, COUNT(*) AS n, SUM(price) AS price, SUM(commission) AS commission").Group("network").Order("network").Find(&rows).Error
	out := make([]desk.Placed, len(rows))
	for i, r := range rows {
		out[i] = desk.Placed{Network: r.Network, Count: r.N, Price: money.Fen(r.Price), Commission: money.Fen(r.Commission)}
	}
	return out, classify("store.Placed", err)
}

// Joined returns how many users have joined from one time until another.
func (db *DB) Joined(ctx context.Context, from, until time.Time) (n int64, err error) {
	low, high, err := db.between(ctx, "users", "joined_at", from, until)
	if err != nil {
		return 0, err
	}
	err = db.reader(ctx).Table("users").Where("id >= ? AND id < ?", low, high).Count(&n).Error
	return n, classify("store.Joined", err)
}

// Unowned returns lines that are nobody's, newest first, below an id (0: from the
// newest).
func (db *DB) Unowned(ctx context.Context, before int64, count int) ([]order.Line, error) {
	g := db.reader(ctx).Where("user_id = 0 AND order_no <> ''")
	if before > 0 {
		g = g.Where("id < ?", before)
	}
	rows, err := find[lineRow](g.Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	return lines(rows)
}
