package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"fanli/core/ledger"
	"fanli/core/money"
)

// walkPage is how many entries Walk has in memory at a time.
const walkPage = 1000

// A postedRow is an entry as it is read.
type postedRow struct {
	ID       int64
	EntryKey string
	Kind     string
	FromID   int64
	ToID     int64
	Amount   int64
	Cause    string
	Note     string
	At       int64
}

func (postedRow) TableName() string { return "payment_entries" }

// named gives the accounts of entries their names.
func named(g *gorm.DB, rows []postedRow) ([]ledger.Entry, error) {
	ids := make([]int64, 0, 2*len(rows))
	for _, r := range rows {
		ids = append(ids, r.FromID, r.ToID)
	}
	accounts, err := findIn[accountRow](func() *gorm.DB { return g }, "id", ids)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]ledger.Account, len(accounts))
	for _, a := range accounts {
		names[a.ID] = ledger.Account(a.Name)
	}
	out := make([]ledger.Entry, len(rows))
	for i, r := range rows {
		out[i] = ledger.Entry{
			ID: r.ID, Key: r.EntryKey, Kind: ledger.Kind(r.Kind), From: names[r.FromID], To: names[r.ToID],
			Amount: money.Fen(r.Amount), Cause: r.Cause, Note: r.Note, At: at(r.At),
		}
	}
	return out, nil
}

// A book reads the ledger through q.
type book struct {
	q func(context.Context) *gorm.DB
}

// Balance implements ledger.Reader.
func (b book) Balance(ctx context.Context, a ledger.Account) (money.Fen, error) {
	rows, err := find[accountRow](b.q(ctx).Where("name = ?", string(a)))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return money.Fen(rows[0].Balance), nil
}

// Wallet implements ledger.Reader.
func (b book) Wallet(ctx context.Context, user int64) (map[ledger.Pocket]money.Fen, error) {
	rows, err := b.pockets(ctx, user)
	out := make(map[ledger.Pocket]money.Fen, len(rows))
	for _, r := range rows {
		_, p, _ := ledger.Account(r.Name).Owner()
		out[p] = money.Fen(r.Balance)
	}
	return out, err
}

// pockets returns a user's accounts.
func (b book) pockets(ctx context.Context, user int64) ([]accountRow, error) {
	var names []string
	for _, p := range []ledger.Pocket{ledger.Pending, ledger.Available, ledger.Reserved, ledger.Debt} {
		names = append(names, string(ledger.User(user, p)))
	}
	return find[accountRow](b.q(ctx).Where("name IN ?", names))
}

// Paid implements ledger.Reader. What was paid to accounts that are merged into the
// user's was paid to the user.
func (b book) Paid(ctx context.Context, user int64) (money.Fen, error) {
	members, err := moneyPointers(func() *gorm.DB { return b.q(ctx) }).members(user)
	if err != nil {
		return 0, err
	}
	var names []string
	for _, m := range members {
		names = append(names, string(ledger.User(m, ledger.Reserved)))
	}
	var ids []int64
	from, err := find[accountRow](b.q(ctx).Where("name IN ?", names))
	if err != nil || len(from) == 0 {
		return 0, err
	}
	for _, a := range from {
		ids = append(ids, a.ID)
	}
	var sum int64
	err = b.q(ctx).Table("payment_entries").Where("from_id IN ? AND kind = ?", ids, string(ledger.Payout)).
		Select("COALESCE(SUM(amount), 0)").Scan(&sum).Error
	return money.Fen(sum), classify("store.Paid", err)
}

// Statement implements ledger.Reader. It takes the newest entries out of, and
// into, each of the user's accounts, and of those the newest: it costs the same
// however long a user's history is.
func (b book) Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error) {
	accounts, err := b.pockets(ctx, user)
	if err != nil || len(accounts) == 0 || count <= 0 {
		return nil, err
	}
	older := ""
	if before > 0 {
		older = " AND id < ?"
	}
	var parts []string
	var args []any
	for _, a := range accounts {
		for _, side := range []string{"from_id", "to_id"} {
			parts = append(parts, "SELECT id FROM (SELECT id FROM payment_entries WHERE "+side+" = ?"+older+" ORDER BY id DESC LIMIT ?) AS part")
			args = append(args, a.ID)
			if before > 0 {
				args = append(args, before)
			}
			args = append(args, count)
		}
	}
	var ids []int64
	sql := strings.Join(parts, " UNION ") + " ORDER BY id DESC LIMIT ?"
	if err := b.q(ctx).Raw(sql, append(args, count)...).Find(&ids).Error; err != nil {
		return nil, classify("store.Statement", err)
	}
	rows, err := findIn[postedRow](func() *gorm.DB { return b.q(ctx) }, "id", ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(x, y postedRow) int { return int(y.ID - x.ID) })
	return named(b.q(ctx), rows)
}

// Caused implements ledger.Reader.
func (b book) Caused(ctx context.Context, cause string) ([]ledger.Entry, error) {
	rows, err := find[postedRow](b.q(ctx).Where("cause = ?", cause).Order("id"))
	if err != nil {
		return nil, err
	}
	return named(b.q(ctx), rows)
}

// Walk implements ledger.Reader.
func (b book) Walk(ctx context.Context, fn func(ledger.Entry) error) error {
	for last := int64(0); ; {
		rows, err := find[postedRow](b.q(ctx).Where("id > ?", last).Order("id").Limit(walkPage))
		if err != nil {
			return err
		}
		entries, err := named(b.q(ctx), rows)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
			last = e.ID
		}
		if len(rows) < walkPage {
			return nil
		}
	}
}

// Accounts implements ledger.Reader.
func (b book) Accounts(ctx context.Context) (map[ledger.Account]money.Fen, error) {
	rows, err := find[accountRow](b.q(ctx))
	out := make(map[ledger.Account]money.Fen, len(rows))
	for _, r := range rows {
		out[ledger.Account(r.Name)] = money.Fen(r.Balance)
	}
	return out, err
}
