package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/reconcile"
	"fanli/core/reconcile/reconciletest"
)

// A till is our takings and the collector's bill, with differences planted.
type till struct {
	r    *rand.Rand
	p    reconcile.Period
	b    *reconciletest.Books
	bill []reconcile.Row
	want map[string]int
}

func (w *till) say(k reconcile.Kind, key string, what ...reconcile.Aspect) {
	w.want[reconciletest.Said(reconcile.Finding{Kind: k, Key: key, What: what})]++
}

// charge makes a charge that was paid, every fifth of which was given back.
func (w *till) charge(i int) {
	at := w.p.From.Add(time.Duration(w.r.IntN(86_400)) * time.Second)
	number, amount := fmt.Sprintf("FC%d", i), money.Fen(100+w.r.IntN(9900))
	w.both(reconcile.Taking{Number: number, Amount: amount, Booked: amount, State: "received", At: at}, "paid")
	back := reconcile.Taking{Number: number + "R", State: "received"}
	if w.r.IntN(5) == 0 {
		back.Amount, back.Booked, back.State, back.At = -amount, -amount, "refunded", at
		w.both(back, "refunded")
	} else if w.r.IntN(20) == 0 { // given back in the collector's console
		w.b.Took = append(w.b.Took, back)
		w.bill = append(w.bill, reconcile.Row{Key: back.Number, Sum: -amount, State: "refunded", At: at})
		w.say(reconcile.Differs, back.Number, reconcile.Sum, reconcile.State)
	}
}

// both enters a taking in both books, or what differs between them.
func (w *till) both(t reconcile.Taking, state string) {
	row := reconcile.Row{Number: len(w.bill) + 1, Key: t.Number, Sum: t.Amount, State: state, At: t.At}
	switch w.r.IntN(40) {
	case 0:
		row.Sum++
		w.say(reconcile.Differs, t.Number, reconcile.Sum)
	case 1:
		w.say(reconcile.MissingThere, t.Number)
		row.Key = ""
	case 2: // they have it, and we believe that it has lapsed, or not gone back yet
		t.Amount, t.Booked, t.State, t.At = 0, 0, "lapsed", time.Time{}
		w.say(reconcile.Differs, t.Number, reconcile.Sum, reconcile.State)
	case 3: // we heard of it the day after
		t.At = w.p.To.Add(time.Hour)
	case 4: // the ledger has another sum than the charge
		t.Booked++
		w.say(reconcile.Differs, t.Number, reconcile.Sum, reconcile.Ledger)
	case 5:
		again := row
		w.bill = append(w.bill, again)
		w.say(reconcile.Twice, t.Number)
	case 6:
		row.Bad = "planted"
		w.say(reconcile.Unreadable, t.Number)
		w.say(reconcile.MissingThere, t.Number)
	case 7: // somebody else's
		w.bill = append(w.bill, reconcile.Row{Key: t.Number + "x", Sum: 5, State: "paid", At: t.At})
		w.say(reconcile.MissingHere, t.Number+"x")
	}
	w.b.Took = append(w.b.Took, t)
	if row.Key != "" {
		w.bill = append(w.bill, row)
	}
}

// TestCollectorsBills plants differences between a bill and what people have paid us
// and got back.
func TestCollectorsBills(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		w := &till{
			r: rand.New(rand.NewPCG(seed, 3)), p: period(t, "2026-10-03"), b: &reconciletest.Books{World: &reconciletest.World{}}, want: map[string]int{},
		}
		for i := range 1000 {
			w.charge(i)
		}
		found := map[string]int{}
		sum, err := desk(w.b).Compare(t.Context(), reconcile.OfCollector("alipay"), w.p, of(w.bill), func(f reconcile.Finding) error {
			if f.Kind != reconcile.Matched {
				found[reconciletest.Said(f)]++
			}
			return nil
		})
		if err != nil || sum.Counts[reconcile.Matched] < 800 {
			t.Fatalf("%+v, %v", sum, err)
		}
		held(t, found, w.want)
	}
}
