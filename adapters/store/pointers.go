package store

import (
	"slices"

	"gorm.io/gorm"
)

// Three targets keep which account points to which, each in a table of its own with the
// same columns. Few accounts do, and what points points to an older one.

// A pointerRow is what they have in common.
type pointerRow struct {
	ID       int64
	Absorbed int64
	Survivor int64
}

func (pointerRow) TableName() string { return "merges" }

// pointers reads who points to whom in a table, through g.
type pointers struct {
	g     func() *gorm.DB
	table string
}

// by returns the pointers whose column is one of accounts.
func (p pointers) by(column string, accounts []int64) ([]pointerRow, error) {
	return findIn[pointerRow](func() *gorm.DB {
		return p.g().Table(p.table).Select("id, absorbed, survivor").Where("linked = 1").Order("id")
	}, column, accounts)
}

// roots returns of accounts those that point to another one, and where that ends.
func (p pointers) roots(accounts []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for ask := accounts; len(ask) > 0; {
		rows, err := p.by("absorbed", ask)
		if err != nil {
			return nil, err
		}
		ask = nil
		next := map[int64]int64{}
		for _, r := range rows {
			next[r.Absorbed] = r.Survivor
			ask = append(ask, r.Survivor)
		}
		for _, a := range accounts {
			at := a
			if to, ok := out[a]; ok {
				at = to
			}
			if to, ok := next[at]; ok {
				out[a] = to
			}
		}
	}
	return out, nil
}

// root returns where an account's pointers end: itself, nearly always.
func (p pointers) root(account int64) (int64, error) {
	m, err := p.roots([]int64{account})
	if to, ok := m[account]; ok {
		return to, err
	}
	return account, err
}

// members returns an account and all whose pointers lead to it.
func (p pointers) members(account int64) ([]int64, error) {
	out := []int64{account}
	for ask := out; len(ask) > 0; {
		rows, err := p.by("survivor", ask)
		if err != nil {
			return nil, err
		}
		ask = nil
		for _, r := range rows {
			if !slices.Contains(out, r.Absorbed) {
				ask = append(ask, r.Absorbed)
			}
		}
		out = append(out, ask...)
	}
	return out, nil
}
