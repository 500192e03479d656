package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/money"
	"fanli/core/order"
)

// Claims are stored as cases: order_cases replaces order_claims of the first
// release, which stays until nobody runs a binary that reads it.

type claimRow struct {
	ID      int64 `gorm:"primaryKey"`
	Network string
	OrderNo string
	UserID  int64
	State   string
	Rev     int64
	At      int64
	UntilAt int64
	NextAt  int64
	Paid    int64
	Day     string
	Proofs  int
	Appeals int
	Actor   string
	Note    string
}

func (claimRow) TableName() string { return "order_cases" }

func newClaimRow(c order.Claim) claimRow {
	return claimRow{
		ID: c.ID, Network: c.Network, OrderNo: c.Order, UserID: c.User, State: string(c.State), Rev: c.Rev,
		At: ms(c.At), UntilAt: ms(c.Until), NextAt: ms(c.Next), Paid: int64(c.Proof.Paid), Day: c.Proof.Day,
		Proofs: c.Proofs, Appeals: c.Appeals, Actor: c.Actor, Note: c.Note,
	}
}

func (r claimRow) claim() order.Claim {
	return order.Claim{
		ID: r.ID, User: r.UserID, Network: r.Network, Order: r.OrderNo, State: order.ClaimState(r.State), Rev: r.Rev,
		At: at(r.At), Until: at(r.UntilAt), Next: at(r.NextAt), Proof: order.Proof{Paid: money.Fen(r.Paid), Day: r.Day},
		Proofs: r.Proofs, Appeals: r.Appeals, Actor: r.Actor, Note: r.Note,
	}
}

func claims(g *gorm.DB) ([]order.Claim, error) {
	rows, err := find[claimRow](g)
	var out []order.Claim
	for _, r := range rows {
		out = append(out, r.claim())
	}
	return out, err
}

// The states from which evidence, or a person, can still move a claim. They stand
// in the statements themselves: SQLite uses a partial index only if it sees that
// the condition is the index's.
const (
	openClaimStates    = "state IN ('waiting', 'iced')"
	staffedClaimStates = "state IN ('contested', 'appealed')"
	liveClaimStates    = "state IN ('waiting', 'iced', 'contested', 'appealed')"
)

// Claims implements order.Reader.
func (s orderStore) Claims(ctx context.Context, user, before int64, count int) ([]order.Claim, error) {
	return claims(after(s.db.reader(ctx).Where("user_id = ?", user), before).Order("id DESC").Limit(count))
}

// DueClaims implements order.Reader.
func (s orderStore) DueClaims(ctx context.Context, now time.Time, count int) ([]order.Claim, error) {
	return claims(s.db.reader(ctx).Where(liveClaimStates+" AND next_at <= ?", ms(now)).Order("next_at, id").Limit(count))
}

// StaffedClaims implements order.Reader.
func (s orderStore) StaffedClaims(ctx context.Context, count int) ([]order.Claim, error) {
	return claims(s.db.reader(ctx).Where(staffedClaimStates).Order("until_at, id").Limit(count))
}

// openClaims returns the open claims that are still looked at.
func (t orderTx) openClaims(network string, orders []string) (map[string][]order.Claim, error) {
	rows, err := findIn[claimRow](func() *gorm.DB {
		return t.g.Where("network = ? AND until_at > ? AND "+openClaimStates, network, ms(t.db.cfg.Now())).Order("id")
	}, "order_no", orders)
	if err != nil {
		return nil, err
	}
	out := map[string][]order.Claim{}
	for _, r := range rows {
		out[r.OrderNo] = append(out[r.OrderNo], r.claim())
	}
	return out, nil
}

// PutClaim implements order.Tx.
func (t orderTx) PutClaim(c order.Claim) (order.Claim, error) {
	if err := insert(t.g, []claimRow{newClaimRow(c)}, ignore()); err != nil {
		return c, err
	}
	r, err := first[claimRow](t.g.Where("network = ? AND order_no = ? AND user_id = ?", c.Network, c.Order, c.User))
	return r.claim(), err
}

// Claim implements order.Tx.
func (t orderTx) Claim(id int64) (order.Claim, error) {
	r, err := first[claimRow](locked(t.g).Where("id = ?", id))
	return r.claim(), err
}

// ClaimsOf implements order.Tx.
func (t orderTx) ClaimsOf(network, number string) ([]order.Claim, error) {
	return claims(locked(t.g).Where("network = ? AND order_no = ?", network, number).Order("id"))
}

// SwapClaim implements order.Tx.
func (t orderTx) SwapClaim(c order.Claim, rev int64) (ok bool, err error) {
	r := t.g.Model(&claimRow{}).Where("id = ? AND rev = ?", c.ID, rev).Updates(map[string]any{
		"state": string(c.State), "rev": c.Rev, "until_at": ms(c.Until), "next_at": ms(c.Next), "paid": int64(c.Proof.Paid),
		"day": c.Proof.Day, "proofs": c.Proofs, "appeals": c.Appeals, "actor": c.Actor, "note": c.Note,
	})
	return r.RowsAffected == 1, classify("store.SwapClaim", r.Error)
}

// CountClaims implements order.Tx.
func (t orderTx) CountClaims(user int64, since time.Time) (n int, last time.Time, err error) {
	rows, err := find[claimRow](t.g.Where("user_id = ? AND at >= ?", user, ms(since)).Order("at DESC"))
	if err != nil || len(rows) == 0 {
		return 0, last, err
	}
	return len(rows), at(rows[0].At), nil
}
