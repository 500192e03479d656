package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"fanli/core/order"
)

type boundRow struct {
	Network string `gorm:"primaryKey"`
	Tag     string `gorm:"primaryKey"`
	UserID  int64
	At      int64
}

func (boundRow) TableName() string { return "order_members" }

func (r boundRow) member() order.Member {
	return order.Member{Network: r.Network, Tag: r.Tag, User: r.UserID, At: at(r.At)}
}

type contestRow struct {
	ID      int64 `gorm:"primaryKey"`
	Network string
	Tag     string
	UserID  int64
	Owner   int64
	At      int64
}

func (contestRow) TableName() string { return "order_contests" }

type ticketRow struct {
	Ticket  string `gorm:"primaryKey"`
	UntilAt int64
}

func (ticketRow) TableName() string { return "order_tickets" }

// Members implements order.Reader.
func (s orderStore) Members(ctx context.Context, user int64) ([]order.Member, error) {
	accounts, err := s.members(ctx, user)
	if err != nil {
		return nil, err
	}
	rows, err := find[boundRow](s.db.reader(ctx).Where("user_id IN ?", accounts).Order("at, network, tag"))
	out := make([]order.Member, len(rows))
	for i, r := range rows {
		out[i] = r.member()
		out[i].User = user
	}
	return out, err
}

// Contests implements order.Reader.
func (s orderStore) Contests(ctx context.Context, since time.Time, count int) ([]order.Contest, error) {
	rows, err := find[contestRow](s.db.reader(ctx).Where("at >= ?", ms(since)).Order("at DESC, id DESC").Limit(count))
	out := make([]order.Contest, len(rows))
	for i, r := range rows {
		out[i] = order.Contest{ID: r.ID, Network: r.Network, Tag: r.Tag, User: r.UserID, Owner: r.Owner, At: at(r.At)}
	}
	return out, err
}

// PutMember implements order.Tx.
func (t orderTx) PutMember(m order.Member) (order.Member, error) {
	if err := insert(t.g, []boundRow{{m.Network, m.Tag, m.User, ms(m.At)}}, ignore()); err != nil {
		return m, err
	}
	r, err := first[boundRow](locked(t.g).Where("network = ? AND tag = ?", m.Network, m.Tag))
	return r.member(), err
}

// DropMember implements order.Tx.
func (t orderTx) DropMember(network, tag string) (was bool, err error) {
	if err := t.g.Where("network = ? AND tag = ?", network, tag).Delete(&contestRow{}).Error; err != nil {
		return false, classify("store.DropMember", err)
	}
	r := t.g.Where("network = ? AND tag = ?", network, tag).Delete(&boundRow{})
	return r.RowsAffected > 0, classify("store.DropMember", r.Error)
}

// PutContest implements order.Tx.
func (t orderTx) PutContest(c order.Contest) error {
	return insert(t.g, []contestRow{{0, c.Network, c.Tag, c.User, c.Owner, ms(c.At)}}, ignore())
}

// SpendTicket implements order.Tx.
func (t orderTx) SpendTicket(ticket string, until, now time.Time) (fresh bool, err error) {
	if err := t.g.Where("until_at <= ?", ms(now)).Delete(&ticketRow{}).Error; err != nil {
		return false, classify("store.SpendTicket", err)
	}
	err = t.g.Create(&ticketRow{ticket, ms(until)}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return false, nil // the transaction goes on: only the statement failed
	}
	return err == nil, classify("store.SpendTicket", err)
}

// memberOwners returns to whom the tags are bound that are on no link.
func (t orderTx) memberOwners(network string, tags []string, linked map[string]order.Way) (map[string]int64, error) {
	var others []string
	for _, tag := range tags {
		if _, is := linked[tag]; !is {
			others = append(others, tag)
		}
	}
	rows, err := findIn[boundRow](func() *gorm.DB { return t.g.Where("network = ?", network) }, "tag", others)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Tag] = r.UserID
	}
	return out, nil
}
