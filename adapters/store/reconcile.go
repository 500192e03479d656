package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// Settlements returns the order lines as reconcile reads them.
func (db *DB) Settlements() reconcile.Lines { return settlementStore{db} }

// Reconciliations returns the store of reconcile.
func (db *DB) Reconciliations() reconcile.Store { return reconcileStore{db} }

type settlementStore struct{ db *DB }

// A settledRow is the part of an order line that a settlement is about.
type settledRow struct {
	Network    string
	Account    string
	LineNo     string
	State      string
	Why        string
	Commission int64
	Price      int64
	Refunded   int64
	Disputed   bool
	SettledAt  int64
}

func (settledRow) TableName() string { return "order_lines" }

func settledLines(rows []settledRow) []reconcile.Line {
	out := make([]reconcile.Line, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Line{ID: r.LineNo, Facts: order.Facts{
			State: order.State(r.State), Why: r.Why, Commission: money.Fen(r.Commission), Price: money.Fen(r.Price),
			Refunded: money.Fen(r.Refunded), Disputed: r.Disputed, SettledAt: at(r.SettledAt),
		}}
	}
	return out
}

// Feeds implements reconcile.Lines.
func (s settlementStore) Feeds(ctx context.Context, from, to time.Time) ([]reconcile.Subject, error) {
	rows, err := find[settledRow](s.db.reader(ctx).Distinct("network", "account").
		Where("state = 'settled' AND settled_at >= ? AND settled_at < ?", ms(from), ms(to)).Order("network, account"))
	out := make([]reconcile.Subject, len(rows))
	for i, r := range rows {
		out[i] = reconcile.OfNetwork(r.Network, r.Account)
	}
	return out, err
}

// Settled implements reconcile.Lines. The sum keeps the index by time out of it:
// with that, every page would sort the whole period.
func (s settlementStore) Settled(ctx context.Context, network, account string, from, to time.Time, after string, count int) ([]reconcile.Line, error) {
	rows, err := find[settledRow](s.db.reader(ctx).
		Where("network = ? AND account = ? AND line_no > ?", network, account, after).
		Where("state = 'settled' AND settled_at + 0 >= ? AND settled_at + 0 < ?", ms(from), ms(to)).Order("line_no").Limit(count))
	return settledLines(rows), err
}

// Known implements reconcile.Lines.
func (s settlementStore) Known(ctx context.Context, network, account string, ids []string) ([]reconcile.Line, error) {
	rows, err := findIn[settledRow](func() *gorm.DB {
		return s.db.reader(ctx).Where("network = ? AND account = ?", network, account)
	}, "line_no", ids)
	return settledLines(rows), err
}

type reconcileStore struct{ db *DB }

// InTx implements reconcile.Store.
func (s reconcileStore) InTx(ctx context.Context, fn func(reconcile.Tx) error) error {
	return s.db.inTx(ctx, paymentTarget, "reconcile", func(t *tx) error { return fn(reconcileTx{ledgerTx{t}}) })
}

// owedSum is what a network owes for a line b, of which others have what p says: what
// users and the house have, inviters among them, but for what a budget has added.
const owedSum = "b.pending + b.available + b.margin + COALESCE(p.pending1 + p.available1 + p.pending2 + p.available2 - p.topup, 0)"

// partsOf joins what others have of lines b.
const partsOf = "LEFT JOIN payment_parts AS p ON p.network = b.network AND p.account = b.account AND p.line_no = b.line_no"

// An owedRow is a booked line with what its network owes for it.
type owedRow struct {
	Network string
	Account string
	LineNo  string
	Owed    int64
}

func (owedRow) TableName() string { return "owed" }

// Booked implements reconcile.Store. Both tables are read by one statement, so that no
// line is read in the middle of a change.
func (s reconcileStore) Booked(ctx context.Context, keys []order.Key) (map[order.Key]money.Fen, error) {
	g := s.db.reader(ctx).Table("(SELECT b.network, b.account, b.line_no, " + owedSum + " AS owed FROM payment_booked AS b " + partsOf + ") AS owed")
	rows, err := byKeys[owedRow](g.Session(&gorm.Session{}), keys)
	out := make(map[order.Key]money.Fen, len(rows))
	for _, r := range rows {
		out[order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}] = money.Fen(r.Owed)
	}
	return out, err
}

// A paidRow is the part of a withdrawal that a payer's bill is about. It has
// nothing of the payee.
type paidRow struct {
	ID        int64
	Number    string
	Payer     string
	Amount    int64
	State     string
	ChangedAt int64
}

func (paidRow) TableName() string { return "payment_withdrawals" }

// paidIn selects what was paid in a period. LIKE keeps the index by state, which
// would have to be sorted for every page, out of it.
func paidIn(g *gorm.DB, from, to time.Time) *gorm.DB {
	return g.Where("state LIKE ? AND changed_at >= ? AND changed_at < ?", string(withdraw.Paid), ms(from), ms(to))
}

// Payers implements reconcile.Store.
func (s reconcileStore) Payers(ctx context.Context, from, to time.Time) ([]string, error) {
	rows, err := find[paidRow](paidIn(s.db.reader(ctx).Distinct("payer").Where("payer <> ''"), from, to).Order("payer"))
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Payer
	}
	return out, err
}

// Payouts implements reconcile.Store.
func (s reconcileStore) Payouts(ctx context.Context, payer string, from, to time.Time, after string, count int) ([]reconcile.Payout, error) {
	rows, err := find[paidRow](paidIn(s.db.reader(ctx).Where("payer = ? AND number > ?", payer, after), from, to).Order("number").Limit(count))
	if err != nil {
		return nil, err
	}
	return s.payouts(ctx, rows)
}

// Sent implements reconcile.Store.
func (s reconcileStore) Sent(ctx context.Context, payer string, numbers []string) ([]reconcile.Payout, error) {
	rows, err := findIn[paidRow](func() *gorm.DB { return s.db.reader(ctx).Where("payer = ?", payer) }, "number", numbers)
	if err != nil {
		return nil, err
	}
	return s.payouts(ctx, rows)
}

// payouts adds what the ledger has: the net that each withdrawal has brought to
// its payer's account.
func (s reconcileStore) payouts(ctx context.Context, rows []paidRow) ([]reconcile.Payout, error) {
	out := make([]reconcile.Payout, len(rows))
	causes := make([]string, len(rows))
	where := make(map[string]int, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Payout{Number: r.Number, Amount: money.Fen(r.Amount), State: r.State, At: at(r.ChangedAt)}
		causes[i] = withdraw.Cause(r.ID)
		where[causes[i]] = i
	}
	posted, err := findIn[postedRow](func() *gorm.DB { return s.db.reader(ctx) }, "cause", causes)
	if err != nil {
		return nil, err
	}
	entries, err := named(s.db.reader(ctx), posted)
	for _, e := range entries {
		i := where[e.Cause]
		account := ledger.Payer(rows[i].Payer)
		if account == e.To {
			out[i].Booked += e.Amount
		}
		if account == e.From {
			out[i].Booked -= e.Amount
		}
	}
	return out, err
}

type acceptedRow struct {
	Subject string `gorm:"primaryKey"`
	Item    string `gorm:"primaryKey"`
	Period  string `gorm:"primaryKey"`
	Amount  int64
	Fee     int64
	Rev     int64
	At      int64
}

func (acceptedRow) TableName() string { return "payment_accepted" }

func (r acceptedRow) accepted() reconcile.Accepted {
	return reconcile.Accepted{
		Subject: reconcile.Subject(r.Subject), Period: r.Period, Key: r.Item, Sum: money.Fen(r.Amount), Fee: money.Fen(r.Fee), Rev: r.Rev, At: at(r.At),
	}
}

// Accepted implements reconcile.Store.
func (s reconcileStore) Accepted(ctx context.Context, subject reconcile.Subject, keys []string) ([]reconcile.Accepted, error) {
	rows, err := findIn[acceptedRow](func() *gorm.DB { return s.db.reader(ctx).Where("subject = ?", string(subject)) }, "item", keys)
	out := make([]reconcile.Accepted, len(rows))
	for i, r := range rows {
		out[i] = r.accepted()
	}
	return out, err
}

type frozenRow struct {
	Subject  string `gorm:"primaryKey"`
	Item     string `gorm:"primaryKey"`
	Network  string
	Account  string
	Month    string
	Booked   int64
	Adjusted int64
	Rev      int64
}

func (frozenRow) TableName() string { return "payment_frozen" }

func (r frozenRow) frozen() reconcile.Frozen {
	return reconcile.Frozen{
		Subject: reconcile.Subject(r.Subject), Key: r.Item, Month: r.Month, Booked: money.Fen(r.Booked),
		Adjusted: money.Fen(r.Adjusted), Rev: r.Rev,
	}
}

// Frozen implements reconcile.Store.
func (s reconcileStore) Frozen(ctx context.Context, subject reconcile.Subject, keys []string) ([]reconcile.Frozen, error) {
	rows, err := findIn[frozenRow](func() *gorm.DB { return s.db.reader(ctx).Where("subject = ?", string(subject)) }, "item", keys)
	out := make([]reconcile.Frozen, len(rows))
	for i, r := range rows {
		out[i] = r.frozen()
	}
	return out, err
}

// A driftedRow is a frozen line with what is booked for it now.
type driftedRow struct {
	Subject  string
	Item     string
	Month    string
	Booked   int64
	Adjusted int64
	Rev      int64
	BookedBy int64
}

func (driftedRow) TableName() string { return "payment_frozen" }

// Drifted implements reconcile.Store. Both tables are the payment target's.
func (s reconcileStore) Drifted(ctx context.Context, after reconcile.Frozen, count int) ([]reconcile.Frozen, error) {
	rows, err := find[driftedRow](s.db.reader(ctx).Table("payment_frozen AS f").
		Select("f.subject, f.item, f.month, f.booked, f.adjusted, f.rev, "+owedSum+" AS booked_by").
		Joins("JOIN payment_booked AS b ON b.network = f.network AND b.account = f.account AND b.line_no = f.item").Joins(partsOf).
		Where("f.subject > ? OR f.subject = ? AND f.item > ?", string(after.Subject), string(after.Subject), after.Key).
		Where(owedSum + " <> f.booked OR f.adjusted <> 0").
		Order("f.subject, f.item").Limit(count))
	out := make([]reconcile.Frozen, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Frozen{
			Subject: reconcile.Subject(r.Subject), Key: r.Item, Month: r.Month, Booked: money.Fen(r.Booked),
			Now: money.Fen(r.BookedBy), Adjusted: money.Fen(r.Adjusted), Rev: r.Rev,
		}
	}
	return out, err
}

// Caused implements reconcile.Store.
func (s reconcileStore) Caused(ctx context.Context, cause string) ([]ledger.Entry, error) {
	return book{s.db.reader}.Caused(ctx, cause)
}

type reconcileTx struct{ ledgerTx }

// AcceptedIn implements reconcile.Tx.
func (t reconcileTx) AcceptedIn(s reconcile.Subject, period string, keys []string) (map[string]reconcile.Accepted, error) {
	rows, err := findIn[acceptedRow](func() *gorm.DB {
		return locked(t.g).Where("subject = ? AND period = ?", string(s), period)
	}, "item", keys)
	out := make(map[string]reconcile.Accepted, len(rows))
	for _, r := range rows {
		out[r.Item] = r.accepted()
	}
	return out, err
}

// Accept implements reconcile.Tx.
func (t reconcileTx) Accept(as []reconcile.Accepted) error {
	var fresh []acceptedRow
	for _, a := range as {
		r := acceptedRow{string(a.Subject), a.Key, a.Period, int64(a.Sum), int64(a.Fee), a.Rev, ms(a.At)}
		if a.Rev == 1 {
			fresh = append(fresh, r)
			continue
		}
		u := t.g.Model(&acceptedRow{}).Where("subject = ? AND item = ? AND period = ? AND rev = ?", r.Subject, r.Item, r.Period, a.Rev-1).
			Updates(map[string]any{"amount": r.Amount, "fee": r.Fee, "rev": r.Rev, "at": r.At})
		if u.Error == nil && u.RowsAffected == 0 {
			return fault.Newf(fault.Conflict, "", "store.Accept: %s of %s %s is not at revision %d", r.Item, r.Subject, r.Period, a.Rev-1)
		}
		if u.Error != nil {
			return classify("store.Accept", u.Error)
		}
	}
	return insert(t.g, fresh)
}

// Freeze implements reconcile.Tx.
func (t reconcileTx) Freeze(fs []reconcile.Frozen) error {
	rows := make([]frozenRow, len(fs))
	for i, f := range fs {
		network, account, _ := f.Subject.Feed()
		rows[i] = frozenRow{string(f.Subject), f.Key, network, account, f.Month, int64(f.Booked), int64(f.Adjusted), f.Rev}
	}
	return insert(t.g, rows, upsert([]string{"subject", "item"}, "month", "booked"))
}

// Adjust implements reconcile.Tx.
func (t reconcileTx) Adjust(f reconcile.Frozen, was money.Fen) (ok bool, err error) {
	r := t.g.Model(&frozenRow{}).
		Where("subject = ? AND item = ? AND adjusted = ? AND rev = ?", string(f.Subject), f.Key, int64(was), f.Rev-1).
		Updates(map[string]any{"adjusted": int64(f.Adjusted), "rev": f.Rev})
	return r.RowsAffected == 1, classify("store.Adjust", r.Error)
}
