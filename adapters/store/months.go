package store

import (
	"context"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/reconcile"
)

type comparisonRow struct {
	ID      int64 `gorm:"primaryKey"`
	Subject string
	Period  string
	At      int64
	Hash    string
	Counted int64
	Counts  string
	Strays  int64
	Theirs  int64
	Matched int64
	Ours    int64
}

func (comparisonRow) TableName() string { return "payment_comparisons" }

func (r comparisonRow) summary() (reconcile.Summary, error) {
	s := reconcile.Summary{
		ID: r.ID, Subject: reconcile.Subject(r.Subject), Period: r.Period, At: at(r.At), Hash: r.Hash, Rows: r.Counted,
		Strays: r.Strays, Theirs: money.Fen(r.Theirs), Matched: money.Fen(r.Matched), Ours: money.Fen(r.Ours),
	}
	return s, parse(r.Counts, &s.Counts)
}

// Compared implements reconcile.Tx.
func (t reconcileTx) Compared(s reconcile.Summary) (int64, error) {
	counts, err := text(s.Counts)
	if err != nil {
		return 0, err
	}
	rows := []comparisonRow{{
		Subject: string(s.Subject), Period: s.Period, At: ms(s.At), Hash: s.Hash, Counted: s.Rows, Counts: counts,
		Strays: s.Strays, Theirs: int64(s.Theirs), Matched: int64(s.Matched), Ours: int64(s.Ours),
	}}
	err = insert(t.g, rows)
	return rows[0].ID, err
}

// Comparisons implements reconcile.Store: of a month itself and of its days, whose
// names begin with it.
func (s reconcileStore) Comparisons(ctx context.Context, month string) ([]reconcile.Summary, error) {
	newest := s.db.reader(ctx).Model(&comparisonRow{}).Select("MAX(id)").
		Where("period = ? OR period >= ? AND period < ?", month, month+"-", month+"-~").Group("subject, period")
	rows, err := find[comparisonRow](s.db.reader(ctx).Where("id IN (?)", newest).Order("subject, period"))
	if err != nil {
		return nil, err
	}
	out := make([]reconcile.Summary, len(rows))
	for i, r := range rows {
		if out[i], err = r.summary(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type findingRow struct {
	ComparisonID int64
	Kind         string
	Item         string
	LineNo       int
	Words        string
	Raw          string
}

func (findingRow) TableName() string { return "payment_findings" }

// Keep implements reconcile.Tx.
func (t reconcileTx) Keep(comparison int64, fs []reconcile.Noted) error {
	rows := make([]findingRow, len(fs))
	for i, f := range fs {
		rows[i] = findingRow{comparison, string(f.Kind), f.Key, f.Row, f.Text, f.Raw}
	}
	return insert(t.g, rows)
}

// Kept implements reconcile.Store.
func (s reconcileStore) Kept(ctx context.Context, comparison int64) ([]reconcile.Noted, error) {
	rows, err := find[findingRow](s.db.reader(ctx).Where("comparison_id = ?", comparison).Order("id"))
	out := make([]reconcile.Noted, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Noted{Kind: reconcile.Kind(r.Kind), Key: r.Item, Row: r.LineNo, Text: r.Words, Raw: r.Raw}
	}
	return out, err
}

type monthRow struct {
	Month        string `gorm:"primaryKey"`
	At           int64
	Actor        string
	Reason       string
	Differences  int64
	Report       string
	Hash         string
	PreviousHash string
}

func (monthRow) TableName() string { return "payment_months" }

// Months implements reconcile.Store.
func (s reconcileStore) Months(ctx context.Context) ([]reconcile.Month, error) {
	rows, err := find[monthRow](s.db.reader(ctx).Order("month"))
	out := make([]reconcile.Month, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Month{
			Name: r.Month, At: at(r.At), Actor: r.Actor, Reason: r.Reason, Open: r.Differences, Report: r.Report,
			Hash: r.Hash, Previous: r.PreviousHash,
		}
	}
	return out, err
}

// Closed implements reconcile.Tx.
func (t reconcileTx) Closed(month string) (bool, error) {
	_, err := first[monthRow](locked(t.g).Where("month = ?", month))
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Caused implements reconcile.Tx.
func (t reconcileTx) Caused(cause string) ([]ledger.Entry, error) {
	rows, err := find[postedRow](t.g.Where("cause = ?", cause).Order("id"))
	if err != nil {
		return nil, err
	}
	return named(t.g, rows)
}

// Close implements reconcile.Tx.
func (t reconcileTx) Close(m reconcile.Month) error {
	return insert(t.g, []monthRow{{m.Name, ms(m.At), m.Actor, m.Reason, m.Open, m.Report, m.Hash, m.Previous}})
}
