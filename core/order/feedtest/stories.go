package feedtest

import (
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/order"
)

// A step is one thing that happens to a line.
type step struct {
	what string
	run  func(m *market.Market, l market.Line) error
}

// A story is what happens to one line from its purchase on.
type story struct {
	name  string
	steps []step
}

func pay() step {
	return step{"pay", func(m *market.Market, l market.Line) error { return m.Pay(l.ID) }}
}

func receive() step {
	return step{"receive", func(m *market.Market, l market.Line) error { return m.Receive(l.ID) }}
}

func settle() step {
	return step{"settle", func(m *market.Market, l market.Line) error { return m.Settle(l.ID) }}
}

func cancel() step {
	return step{"cancel", func(m *market.Market, l market.Line) error { return m.Cancel(l.ID) }}
}

func violate() step {
	return step{"violate", func(m *market.Market, l market.Line) error { return m.Violate(l.ID) }}
}

// reprice halves the commission rate.
func reprice() step {
	return step{"reprice", func(m *market.Market, l market.Line) error { return m.Reprice(l.ID, l.Rate/20*10) }}
}

// back refunds one part in parts of the price.
func back(parts int64) step {
	return step{"refund part", func(m *market.Market, l market.Line) error {
		return m.Refund(l.ID, l.Price.Mul(1, parts))
	}}
}

// rest refunds what is left.
func rest() step {
	return step{"refund rest", func(m *market.Market, l market.Line) error {
		return m.Refund(l.ID, l.Price-l.Refunded)
	}}
}

func stories() []story {
	return []story{
		{"PaidReceivedSettled", []step{pay(), receive(), settle()}},
		{"CancelledUnpaid", []step{cancel()}},
		{"CancelledPaid", []step{pay(), cancel()}},
		{"PartRefundedPaid", []step{pay(), back(3), receive(), settle()}},
		{"PartRefundedReceived", []step{pay(), receive(), back(4), settle()}},
		{"RefundedPaid", []step{pay(), rest()}},
		{"RefundedReceived", []step{pay(), receive(), rest()}},
		{"RefundedInParts", []step{pay(), back(3), receive(), rest()}},
		{"PartRefundedSettled", []step{pay(), receive(), settle(), back(2)}},
		{"RefundedSettled", []step{pay(), receive(), settle(), rest()}},
		{"PartThenAllRefundedSettled", []step{pay(), receive(), settle(), back(3), rest()}},
		{"ViolationPaid", []step{pay(), violate()}},
		{"ViolationReceived", []step{pay(), receive(), violate()}},
		{"ViolationSettled", []step{pay(), receive(), settle(), violate()}},
		{"RepricedPaid", []step{pay(), reprice(), receive(), settle()}},
		{"RepricedReceived", []step{pay(), receive(), reprice(), settle()}},
	}
}

// play tells the story and judges the feed after every step. Modified grows with
// every change that the feed shows.
func (w *world) play(st story) {
	w.t.Helper()
	l := w.buy(w.goods(0).ID, 2)
	w.tick()
	last := w.see(l.ID)
	w.judge(w.line(l.ID), last)
	for _, s := range st.steps {
		w.do(s.run(w.Market, w.line(l.ID)))
		w.tick()
		seen := w.see(l.ID)
		w.t.Logf("after %s", s.what)
		w.judge(w.line(l.ID), seen)
		w.judgeOrder(last, seen)
		last = seen
	}
}

// judgeOrder checks that a changed revision has a later Modified.
func (w *world) judgeOrder(before, after sighting) {
	w.t.Helper()
	for _, aspect := range []order.Aspect{order.Whole, order.Return} {
		a, had := before[aspect]
		b, has := after[aspect]
		switch {
		case had && !has:
			w.t.Errorf("aspect %s is no longer told", aspect)
		case had && !same(a, b) && !b.Modified.After(a.Modified):
			w.t.Errorf("aspect %s changed and its Modified did not grow: %s, then %s", aspect, a.Modified, b.Modified)
		}
	}
}

// splitOrder has the network replace a line of three pieces by two lines.
func splitOrder(w *world) {
	if w.Number == nil {
		w.t.Skip("the network never splits orders")
	}
	l := w.buy(w.goods(0).ID, 3)
	w.do(w.Market.Pay(l.ID))
	w.tick()
	w.judge(w.line(l.ID), w.see(l.ID))
	w.do(w.Market.Split(l.ID, []int{1, 2}, w.Number))
	w.tick()
	w.judge(w.line(l.ID), w.see(l.ID))
	children := w.Market.Lines(func(c market.Line) bool { return c.Parent == l.Order })
	var sum money.Fen
	for _, c := range children {
		seen := w.see(c.ID)
		w.judge(c, seen)
		r := seen[order.Whole]
		sum += r.Price
		if r.Parent != "" && r.Parent != l.Order {
			w.t.Errorf("Parent = %q, want %q", r.Parent, l.Order)
		}
	}
	if len(children) != 2 || sum != l.Price {
		w.t.Errorf("%d children cost %s, want 2 at %s", len(children), sum, l.Price)
	}
}
