package store

import (
	"context"
	"database/sql"
	"time"

	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// What operators see all the time. Everything here is cheap: it reads an index, or a
// table that stays small.

// A Queue is what waits in one state.
type Queue struct {
	Count  int64
	Oldest time.Time // when the one that has waited longest came there; zero for none
}

// OpenWithdrawals returns the withdrawals that are not over, by state.
func (db *DB) OpenWithdrawals(ctx context.Context) (map[withdraw.State]Queue, error) {
	var rows []struct {
		State     string
		N, Oldest int64
	}
	err := db.reader(ctx).Table("payment_withdrawals").Where("state IN ?", openStates()).
		Select("state, COUNT(*) AS n, MIN(changed_at) AS oldest").Group("state").Find(&rows).Error
	out := map[withdraw.State]Queue{}
	for _, s := range openStates() {
		out[s] = Queue{}
	}
	for _, r := range rows {
		out[withdraw.State(r.State)] = Queue{r.N, at(r.Oldest)}
	}
	return out, classify("store.OpenWithdrawals", err)
}

// Height returns how many entries the ledger has.
func (db *DB) Height(ctx context.Context) (n int64, err error) {
	err = db.reader(ctx).Table("payment_entries").Select("COALESCE(MAX(id), 0)").Find(&n).Error
	return n, classify("store.Height", err)
}

// Sums returns the balances of the accounts that are no user's.
func (db *DB) Sums(ctx context.Context) (map[ledger.Account]money.Fen, error) {
	out := map[ledger.Account]money.Fen{}
	for _, of := range []string{"house/", "network/", "payer/", "collector/"} { // ranges of the index on names
		rows, err := find[accountRow](db.reader(ctx).Where("name >= ? AND name < ?", of, of[:len(of)-1]+"0"))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[ledger.Account(r.Name)] = money.Fen(r.Balance)
		}
	}
	return out, nil
}

// Connections returns how the connections to the database are used.
func (db *DB) Connections() sql.DBStats {
	d, err := db.read.DB()
	if err != nil {
		return sql.DBStats{}
	}
	return d.Stats()
}
