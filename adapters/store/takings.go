package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/reconcile"
)

// A takenRow is the part of a charge that a collector's bill is about.
type takenRow struct {
	ID         int64
	Collector  string
	Number     *string
	Stage      string
	Paid       int64
	TakenAt    int64
	ReturnedAt int64
	ReturnNo   string
}

func (takenRow) TableName() string { return "payment_charges" }

// came is the charge's money, as far as it has come.
func (r takenRow) came() reconcile.Taking {
	t := reconcile.Taking{Number: orEmpty(r.Number), State: r.Stage, At: at(r.TakenAt)}
	if collect.Stage(r.Stage).Taken() {
		t.Amount = money.Fen(r.Paid)
	}
	return t
}

// went is what has gone back of it.
func (r takenRow) went() reconcile.Taking {
	t := reconcile.Taking{Number: collect.RefundNumber(orEmpty(r.Number)), State: r.Stage, At: at(r.ReturnedAt)}
	if collect.Stage(r.Stage) == collect.Refunded {
		t.Amount = -money.Fen(r.Paid)
	}
	return t
}

// Collectors implements reconcile.Store.
func (s reconcileStore) Collectors(ctx context.Context, from, to time.Time) ([]string, error) {
	rows, err := find[takenRow](s.db.reader(ctx).Distinct("collector").
		Where("taken_at >= ? AND taken_at < ? OR returned_at >= ? AND returned_at < ?", ms(from), ms(to), ms(from), ms(to)).Order("collector"))
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Collector
	}
	return out, err
}

// Takings implements reconcile.Store. What came and what went back are two lists in
// the order of their numbers, of which the first of both are the page.
func (s reconcileStore) Takings(ctx context.Context, collector string, from, to time.Time, after string, count int) ([]reconcile.Taking, error) {
	came, err := find[takenRow](s.db.reader(ctx).Where("collector = ? AND number > ? AND taken_at >= ? AND taken_at < ?", collector, after, ms(from), ms(to)).
		Order("number").Limit(count))
	if err != nil {
		return nil, err
	}
	went, err := find[takenRow](s.db.reader(ctx).Where("collector = ? AND return_no > ? AND returned_at >= ? AND returned_at < ?", collector, after, ms(from), ms(to)).
		Order("return_no").Limit(count))
	if err != nil {
		return nil, err
	}
	var all []taken
	for _, r := range came {
		all = append(all, taken{r.ID, r.came()})
	}
	for _, r := range went {
		all = append(all, taken{r.ID, r.went()})
	}
	slices.SortFunc(all, func(a, b taken) int { return cmp.Compare(a.Number, b.Number) })
	return s.takings(ctx, collector, all[:min(count, len(all))])
}

// Taken implements reconcile.Store.
func (s reconcileStore) Taken(ctx context.Context, collector string, numbers []string) ([]reconcile.Taking, error) {
	wanted := make(map[string]bool, len(numbers))
	charges := slices.Clone(numbers)
	for _, n := range numbers {
		wanted[n] = true
		if charge, ok := collect.RefundOf(n); ok {
			charges = append(charges, charge)
		}
	}
	slices.Sort(charges)
	rows, err := findIn[takenRow](func() *gorm.DB { return s.db.reader(ctx).Where("collector = ?", collector) }, "number", slices.Compact(charges))
	if err != nil {
		return nil, err
	}
	var all []taken
	for _, r := range rows {
		for _, t := range []reconcile.Taking{r.came(), r.went()} {
			if wanted[t.Number] {
				all = append(all, taken{r.ID, t})
			}
		}
	}
	return s.takings(ctx, collector, all)
}

// A taken is a taking of the charge with an id.
type taken struct {
	id int64
	reconcile.Taking
}

// takings adds what the ledger has.
func (s reconcileStore) takings(ctx context.Context, collector string, all []taken) ([]reconcile.Taking, error) {
	var causes []string
	for _, t := range all {
		causes = append(causes, collect.Cause(t.id))
	}
	slices.Sort(causes)
	posted, err := findIn[postedRow](func() *gorm.DB { return s.db.reader(ctx) }, "cause", slices.Compact(causes))
	if err != nil {
		return nil, err
	}
	entries, err := named(s.db.reader(ctx), posted)
	if err != nil {
		return nil, err
	}
	type sums struct{ came, went, cleared, uncleared money.Fen }
	of := map[string]sums{}
	account := ledger.Collector(collector)
	for _, e := range entries {
		n := of[e.Cause]
		switch {
		case e.Kind == ledger.Collect && e.From == account:
			n.came += e.Amount
		case e.Kind == ledger.Refund && e.To == account:
			n.went -= e.Amount
		case e.Kind == ledger.Clear && e.To == account:
			n.cleared += e.Amount
		case e.Kind == ledger.Clear && e.From == account:
			n.uncleared -= e.Amount
		}
		of[e.Cause] = n
	}
	out := make([]reconcile.Taking, len(all))
	for i, t := range all {
		n := of[collect.Cause(t.id)]
		out[i] = t.Taking
		if _, back := collect.RefundOf(t.Number); back {
			out[i].Booked, out[i].Cleared = n.went, n.uncleared
		} else {
			out[i].Booked, out[i].Cleared = n.came, n.cleared
		}
	}
	return out, nil
}
