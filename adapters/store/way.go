package store

import (
	"time"

	"gorm.io/gorm"

	"fanli/core/link"
	"fanli/core/order"
)

type wayRow struct {
	LinkID  int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID  int64
	Network string
	Item    string
	Tag     string
	Slot    string
	Promise string
	At      int64
}

func (wayRow) TableName() string { return "order_ways" }

func (r wayRow) way() (order.Way, error) {
	var p link.Promise
	err := parse(r.Promise, &p)
	return order.Way{
		Link: r.LinkID, User: r.UserID, Network: r.Network, Item: r.Item, Tag: r.Tag, Slot: r.Slot, Promise: p, At: at(r.At),
	}, err
}

// AddWay implements order.Tx.
func (t orderTx) AddWay(w order.Way) error {
	promise, err := promiseText(w.Promise)
	if err != nil {
		return err
	}
	return insert(t.g, []wayRow{{w.Link, w.User, w.Network, w.Item, w.Tag, w.Slot, promise, ms(w.At)}}, ignore())
}

// Ways implements order.Tx.
func (t orderTx) Ways(network string, tags, items, orders, suffixes []string, since time.Time) (w order.Ways, err error) {
	if w.ByTag, err = t.waysByTag(network, tags); err != nil {
		return w, err
	}
	if w.Members, err = t.memberOwners(network, tags, w.ByTag); err != nil {
		return w, err
	}
	if w.ByItem, err = t.waysByItem(network, items, since); err != nil {
		return w, err
	}
	if err = t.kin(network, orders, &w); err != nil {
		return w, err
	}
	if w.Suffixes, err = t.suffixes(network, suffixes); err != nil {
		return w, err
	}
	if w.Claims, err = t.openClaims(network, orders); err != nil {
		return w, err
	}
	return w, t.persons(&w)
}

func (t orderTx) waysByTag(network string, tags []string) (map[string]order.Way, error) {
	rows, err := findIn[wayRow](func() *gorm.DB { return t.g }, "tag", tags)
	if err != nil {
		return nil, err
	}
	out := make(map[string]order.Way, len(rows))
	for _, r := range rows {
		if r.Network != network {
			continue
		}
		if out[r.Tag], err = r.way(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t orderTx) waysByItem(network string, items []string, since time.Time) (map[string][]order.Way, error) {
	rows, err := findIn[wayRow](func() *gorm.DB {
		return t.g.Where("network = ? AND at >= ?", network, ms(since)).Order("at, link_id")
	}, "item", items)
	if err != nil {
		return nil, err
	}
	out := map[string][]order.Way{}
	for _, r := range rows {
		way, err := r.way()
		if err != nil {
			return nil, err
		}
		out[r.Item] = append(out[r.Item], way)
	}
	return out, nil
}

// A kinRow is what kin asks of a line.
type kinRow struct {
	Network string
	OrderNo string
	RootNo  string
	UserID  int64
	Step    string
}

func (kinRow) TableName() string { return "order_lines" }

func (t orderTx) kin(network string, orders []string, w *order.Ways) error {
	rows, err := findIn[kinRow](func() *gorm.DB { return t.g }, "root_no", orders)
	if err != nil {
		return err
	}
	t.lone(orders, rows)
	w.Kin, w.Word = map[string][]int64{}, map[string][]int64{}
	for _, r := range rows {
		if r.Network != network || r.UserID == 0 {
			continue
		}
		of := order.Revision{Order: r.OrderNo}
		if r.RootNo != r.OrderNo {
			of.Parent = r.RootNo
		}
		w.Relate(of, r.UserID, order.Step(r.Step))
	}
	return nil
}

// lone remembers which order numbers have no line yet. A page of new orders is
// asked for the other lines of each, one by one; there are none, and this
// answers it without a statement.
func (t orderTx) lone(orders []string, rows []kinRow) {
	t.numbers = map[string]bool{}
	for _, n := range orders {
		t.numbers[n] = true
	}
	for _, r := range rows {
		delete(t.numbers, r.OrderNo)
		delete(t.numbers, r.RootNo)
	}
}

type suffixRow struct {
	Network string `gorm:"primaryKey"`
	Suffix  string `gorm:"primaryKey"`
	UserID  int64  `gorm:"primaryKey;autoIncrement:false"`
}

func (suffixRow) TableName() string { return "order_suffixes" }

// AddSuffix implements order.Tx.
func (t orderTx) AddSuffix(network, suffix string, user int64) error {
	return insert(t.g, []suffixRow{{network, suffix, user}}, ignore())
}

func (t orderTx) suffixes(network string, suffixes []string) (map[string][]int64, error) {
	rows, err := findIn[suffixRow](func() *gorm.DB { return t.g.Where("network = ?", network) }, "suffix", suffixes)
	if err != nil {
		return nil, err
	}
	out := map[string][]int64{}
	for _, r := range rows {
		out[r.Suffix] = append(out[r.Suffix], r.UserID)
	}
	return out, nil
}
