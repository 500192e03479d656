package store

import (
	"context"
	"time"

	"fanli/core/link"
)

type linkRow struct {
	ID          int64 `gorm:"primaryKey"`
	UserID      int64
	Network     string
	Item        string
	Title       string
	Tag         string
	Slot        string
	MadeURL     string
	MadeToken   string
	MadeExpires int64
	Offer       string
	Promise     string
	At          int64
}

func (linkRow) TableName() string { return "bot_links" }

func newLinkRow(l link.Link) (r linkRow, err error) {
	r = linkRow{
		ID: l.ID, UserID: l.User, Network: l.Network, Item: l.Item, Title: l.Title, Tag: l.Mark.Tag, Slot: l.Mark.Slot,
		MadeURL: l.Made.URL, MadeToken: l.Made.Token, MadeExpires: ms(l.Made.Expires), At: ms(l.At),
	}
	if r.Offer, err = text(l.Offer); err != nil {
		return r, err
	}
	r.Promise, err = promiseText(l.Promise)
	return r, err
}

func (r linkRow) link() (link.Link, error) {
	l := link.Link{
		ID: r.ID, User: r.UserID, Network: r.Network, Item: r.Item, Title: r.Title,
		Mark: link.Mark{Tag: r.Tag, Slot: r.Slot},
		Made: link.Made{URL: r.MadeURL, Token: r.MadeToken, Expires: at(r.MadeExpires)},
		At:   at(r.At),
	}
	if err := parse(r.Offer, &l.Offer); err != nil {
		return l, err
	}
	return l, parse(r.Promise, &l.Promise)
}

type linkStore struct{ db *DB }

// InTx implements link.Store.
func (s linkStore) InTx(ctx context.Context, fn func(link.Tx) error) error {
	return s.db.inTx(ctx, botTarget, "link", func(t *tx) error { return fn(linkTx{t}) })
}

// Recent implements link.Store.
func (s linkStore) Recent(ctx context.Context, user int64, network, item string, since time.Time) (link.Link, error) {
	r, err := first[linkRow](s.db.reader(ctx).
		Where("user_id = ? AND network = ? AND item = ? AND at >= ?", user, network, item, ms(since)).Order("id DESC"))
	if err != nil {
		return link.Link{}, err
	}
	return r.link()
}

// Link implements link.Store.
func (s linkStore) Link(ctx context.Context, id int64) (link.Link, error) {
	r, err := first[linkRow](s.db.reader(ctx).Where("id = ?", id))
	if err != nil {
		return link.Link{}, err
	}
	return r.link()
}

type linkTx struct{ *tx }

// slotUse is what SlotUsers asks for.
type slotUse struct {
	Slot   string
	UserID int64
	LastAt int64
}

// SlotUsers implements link.Tx.
func (t linkTx) SlotUsers(network, item string, since time.Time) ([]link.SlotUse, error) {
	var rows []slotUse
	err := t.g.Model(&linkRow{}).Select("slot, user_id, MAX(at) AS last_at").
		Where("network = ? AND item = ? AND at >= ? AND slot <> ''", network, item, ms(since)).
		Group("slot, user_id").Order("last_at, MAX(id)").Find(&rows).Error
	if err != nil {
		return nil, classify("store.SlotUsers", err)
	}
	out := make([]link.SlotUse, len(rows))
	for i, r := range rows {
		out[i] = link.SlotUse{Slot: r.Slot, User: r.UserID, At: at(r.LastAt)}
	}
	return out, nil
}

// Insert implements link.Tx.
func (t linkTx) Insert(l link.Link) (int64, error) {
	r, err := newLinkRow(l)
	if err != nil {
		return 0, err
	}
	rows := []linkRow{r}
	err = insert(t.g, rows)
	return rows[0].ID, err
}
