package store

import (
	"context"

	"gorm.io/gorm"

	"fanli/core/order"
)

type mergedRow struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Absorbed int64
	Survivor int64
	Linked   int64
	Rev      int64
}

func (mergedRow) TableName() string { return "order_merges" }

// orderPointers says whose the lines of an account are.
func orderPointers(g func() *gorm.DB) pointers { return pointers{g, "order_merges"} }

// Merged implements order.Tx.
func (t orderTx) Merged(id int64) (order.Merged, error) {
	r, err := first[mergedRow](locked(t.g).Where("id = ?", id))
	return order.Merged{ID: r.ID, Absorbed: r.Absorbed, Survivor: r.Survivor, Linked: r.Linked != 0, Rev: r.Rev}, err
}

// PutMerged implements order.Tx.
func (t orderTx) PutMerged(m order.Merged) error {
	return insert(t.g, []mergedRow{{m.ID, m.Absorbed, m.Survivor, one(m.Linked), m.Rev}}, upsert([]string{"id"}, "linked", "rev"))
}

// Root implements order.Tx.
func (t orderTx) Root(account int64) (int64, error) {
	return orderPointers(func() *gorm.DB { return t.g }).root(account)
}

// members returns an account with those that are merged into it.
func (s orderStore) members(ctx context.Context, account int64) ([]int64, error) {
	return orderPointers(func() *gorm.DB { return s.db.reader(ctx) }).members(account)
}

// owned shows lines as of who their accounts are now.
func (s orderStore) owned(ctx context.Context, ls []order.Line, err error) ([]order.Line, error) {
	if err != nil || len(ls) == 0 {
		return ls, err
	}
	accounts := make([]int64, len(ls))
	for i, l := range ls {
		accounts[i] = l.User
	}
	roots, err := orderPointers(func() *gorm.DB { return s.db.reader(ctx) }).roots(accounts)
	for i := range ls {
		if to, ok := roots[ls[i].User]; ok {
			ls[i].User = to
		}
	}
	return ls, err
}

// persons adds to w who the accounts in it are.
func (t orderTx) persons(w *order.Ways) (err error) {
	var accounts []int64
	for _, way := range w.ByTag {
		accounts = append(accounts, way.User)
	}
	for _, ways := range w.ByItem {
		for _, way := range ways {
			accounts = append(accounts, way.User)
		}
	}
	for _, of := range []map[string][]int64{w.Kin, w.Word, w.Suffixes} {
		for _, users := range of {
			accounts = append(accounts, users...)
		}
	}
	for _, user := range w.Members {
		accounts = append(accounts, user)
	}
	for _, cs := range w.Claims {
		for _, c := range cs {
			accounts = append(accounts, c.User)
		}
	}
	w.Persons, err = orderPointers(func() *gorm.DB { return t.g }).roots(accounts)
	return err
}
