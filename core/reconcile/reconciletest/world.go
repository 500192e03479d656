// Package reconciletest makes books with planted differences: ours, another one's,
// and what a comparison of the two has to say. Everything follows from a seed.
package reconciletest

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/reconcile"
)

// A World is two books and what differs between them.
type World struct {
	Period reconcile.Period
	Lines  []reconcile.Line     // ours
	Booked map[string]money.Fen // by the ledger
	Rows   []reconcile.Row      // theirs, in the order of the file
	// Want are the findings that are not "matched", each with how often.
	Want    map[string]int
	Matched int64

	r    *rand.Rand
	next int // line that no difference was planted in yet
}

// plantsMax is how many of each difference are planted at most.
const plantsMax = 9

// New makes books of n lines. Those of odd seeds are in the order of their keys.
func New(seed uint64, n int, p reconcile.Period) *World {
	w := &World{
		Period: p, Booked: map[string]money.Fen{}, Want: map[string]int{}, Matched: int64(n),
		r: rand.New(rand.NewPCG(seed, 7)),
	}
	for i := range n {
		w.line(fmt.Sprintf("%d-%06d", w.r.IntN(1000), i))
	}
	for _, plant := range []func(){
		w.missingHere, w.missingThere, w.sum, w.price, w.refund, w.state, w.early, w.late, w.notSettled, w.unreadable, w.ledger,
		w.several, w.twice, w.deducted,
	} {
		for range 1 + w.r.IntN(plantsMax) {
			plant()
		}
	}
	if seed%2 == 1 {
		slices.SortStableFunc(w.Rows, func(a, b reconcile.Row) int { return cmp.Compare(a.Key, b.Key) })
	} else {
		w.r.Shuffle(len(w.Rows), func(i, j int) { w.Rows[i], w.Rows[j] = w.Rows[j], w.Rows[i] })
	}
	for i := range w.Rows {
		w.Rows[i].Number = i + 2 // under a header
	}
	return w
}

// within is a random time of the period, in whole seconds.
func (w *World) within() time.Time {
	return w.Period.From.Add(time.Duration(w.r.Int64N(int64(w.Period.To.Sub(w.Period.From)/time.Second))) * time.Second)
}

// line makes a line of ours and the row that matches it.
func (w *World) line(id string) {
	l := reconcile.Line{ID: id, Facts: order.Facts{
		State: order.Settled, Commission: money.Fen(100 + w.r.IntN(5000)), Price: money.Fen(6000 + w.r.IntN(90_000)), SettledAt: w.within(),
	}}
	if w.r.IntN(10) == 0 {
		l.Refunded = money.Fen(1 + w.r.IntN(5000))
	}
	w.Lines = append(w.Lines, l)
	w.Booked[id] = l.Commission
	w.add(reconcile.Row{
		Key: id, Sum: l.Commission, Price: l.Price, Refund: l.Refunded, HasPrice: true, HasRefund: true, State: "settled", At: l.SettledAt,
	})
}

func (w *World) add(r reconcile.Row) { w.Rows = append(w.Rows, r) }

// pick returns a line in which nothing was planted, and its row.
func (w *World) pick() (*reconcile.Line, *reconcile.Row) {
	l := &w.Lines[w.next]
	w.next++
	i := slices.IndexFunc(w.Rows, func(r reconcile.Row) bool { return r.Key == l.ID })
	return l, &w.Rows[i]
}

// want notes a finding.
func (w *World) want(k reconcile.Kind, key string, what ...reconcile.Aspect) {
	w.Want[strings.TrimSpace(fmt.Sprintln(k, key, what))]++
}

// Said is a finding as it stands in Want.
func Said(f reconcile.Finding) string { return strings.TrimSpace(fmt.Sprintln(f.Kind, f.Key, f.What)) }

func (w *World) differs(key string, what ...reconcile.Aspect) {
	w.want(reconcile.Differs, key, what...)
	w.Matched--
}

func (w *World) some() money.Fen { return money.Fen(1 + w.r.IntN(99)) }

func (w *World) missingHere() {
	key := fmt.Sprintf("%d-extra-%d", w.r.IntN(1000), len(w.Rows))
	w.add(reconcile.Row{Key: key, Sum: w.some(), State: "settled", At: w.within()})
	w.want(reconcile.MissingHere, key)
}

func (w *World) missingThere() {
	l, r := w.pick()
	w.drop(r)
	w.want(reconcile.MissingThere, l.ID)
	w.Matched--
}

func (w *World) drop(r *reconcile.Row) {
	w.Rows = slices.DeleteFunc(w.Rows, func(o reconcile.Row) bool { return o.Key == r.Key })
}

func (w *World) sum() {
	l, r := w.pick()
	r.Sum += w.some() * money.Fen(1-2*w.r.IntN(2))
	w.differs(l.ID, reconcile.Sum)
}

func (w *World) price() {
	l, r := w.pick()
	r.Price++
	w.differs(l.ID, reconcile.Price)
}

func (w *World) refund() {
	l, r := w.pick()
	r.Refund += w.some()
	w.differs(l.ID, reconcile.Refund)
}

func (w *World) state() {
	l, r := w.pick()
	r.State = "received"
	w.differs(l.ID, reconcile.State)
}

// early is settled by us in the month before.
func (w *World) early() {
	l, _ := w.pick()
	l.SettledAt = w.Period.From.Add(-time.Second)
	w.differs(l.ID, reconcile.Shift)
}

// late is settled by them in the month after.
func (w *World) late() {
	l, r := w.pick()
	r.At = w.Period.To
	w.differs(l.ID, reconcile.Shift)
}

// notSettled is in no period of ours.
func (w *World) notSettled() {
	l, _ := w.pick()
	l.State, l.SettledAt = order.Received, time.Time{}
	w.differs(l.ID, reconcile.State)
}

func (w *World) unreadable() {
	l, r := w.pick()
	r.Bad = "planted"
	w.want(reconcile.Unreadable, l.ID)
	w.want(reconcile.MissingThere, l.ID)
	w.Matched--
}

func (w *World) ledger() {
	l, _ := w.pick()
	w.Booked[l.ID] -= w.some()
	w.differs(l.ID, reconcile.Sum, reconcile.Ledger)
}

// several differs in all at once.
func (w *World) several() {
	l, r := w.pick()
	r.Sum, r.Price, r.State = 0, r.Price-1, "invalid"
	w.differs(l.ID, reconcile.Sum, reconcile.Price, reconcile.State)
}

// twice lists a row that matches a second time.
func (w *World) twice() {
	l, r := w.pick()
	w.add(*r)
	w.want(reconcile.Twice, l.ID)
}

// deducted lists a row and what is deducted of it, which together match.
func (w *World) deducted() {
	l, r := w.pick()
	n := w.some()
	again := *r
	again.Sum = -n
	l.Commission -= n
	w.Booked[l.ID] -= n
	w.add(again)
}

// Theirs is the other book.
func (w *World) Theirs() iter.Seq2[reconcile.Row, error] {
	return func(yield func(reconcile.Row, error) bool) {
		for _, r := range w.Rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// WriteCSV writes the other book as a file. A row that cannot be read has an
// amount that is none.
func (w *World) WriteCSV(to io.Writer) error {
	c := csv.NewWriter(to)
	rows := [][]string{{"line", "title", "price", "commission", "refund", "state", "time"}}
	for _, r := range w.Rows {
		sum := r.Sum.String()
		if r.Bad != "" {
			sum = "12.3.4"
		}
		price, refund := "", ""
		if r.HasPrice {
			price, refund = r.Price.String(), r.Refund.String()
		}
		rows = append(rows, []string{r.Key, `保温杯, 500ml "大"`, price, sum, refund, r.State, r.At.Format(time.DateTime)})
	}
	return c.WriteAll(rows)
}
