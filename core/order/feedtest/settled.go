package feedtest

import (
	"time"

	"fanli/core/order"
)

// settledIsFound asks what was settled: every line that was is among what comes,
// with what the book still owes for it; one that was not is not settled there.
func settledIsFound(w *world) {
	s, ok := w.Feed.(order.Settler)
	if !ok {
		w.t.Skip("this network cannot be asked what it has settled")
	}
	from := w.now()
	settled, back, received := w.buy(w.goods(0).ID, 1), w.buy(w.goods(1).ID, 2), w.buy(w.goods(0).ID, 1)
	for _, id := range []string{settled.ID, back.ID, received.ID} {
		w.do(w.Market.Pay(id))
		w.do(w.Market.Receive(id))
	}
	w.tick()
	w.do(w.Market.Settle(settled.ID))
	w.do(w.Market.Settle(back.ID))
	w.tick()
	w.do(w.Market.Refund(back.ID, back.Price.Mul(1, 2)))
	w.Advance(30 * time.Minute) // rows may show late
	to := w.now()
	seen := map[string]*order.Sighting{}
	for _, st := range s.Settled(from, to, to) {
		if st.From.After(from) || st.To.Before(to) {
			w.t.Errorf("%s: from %s to %s is less than what was asked for, from %s to %s", st.Scene.Name, st.From, st.To, from, to)
		}
		for _, r := range w.read(st.Scene, from, to) { // before it, the world was not
			if seen[r.Key.ID] == nil {
				seen[r.Key.ID] = &order.Sighting{}
			}
			seen[r.Key.ID].Take(r)
		}
	}
	for _, id := range []string{settled.ID, back.ID, received.ID} {
		l := w.line(id)
		s, ok := seen[id]
		if id == received.ID && !ok {
			continue
		}
		if !ok {
			w.t.Errorf("line %s was settled, and is not among %d that come", id, len(seen))
			continue
		}
		f, ok := s.Facts(to)
		switch {
		case !ok || (f.State == order.Settled) != (id != received.ID):
			w.t.Errorf("line %s is %s, %v", id, f.State, ok)
		case f.State == order.Settled && (f.Commission != l.Commission || f.Price-f.Refunded != l.Price-l.Refunded || f.SettledAt.After(to)):
			w.t.Errorf("line %s brings %s of %s less %s, settled at %s; the book has %s of %s less %s", id, f.Commission, f.Price, f.Refunded, f.SettledAt, l.Commission, l.Price, l.Refunded)
		}
	}
}
