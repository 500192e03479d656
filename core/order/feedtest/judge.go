package feedtest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/order"
)

// settlesWithin is how far ahead a settlement date may lie: a network that gives
// only a date gives the end of that day or the next.
const settlesWithin = 48 * time.Hour

// returnSlack is what a network that tells refunds apart may round differently
// from the book, per line.
const returnSlack money.Fen = 1

// judge compares what the feed says about a line with the book.
func (w *world) judge(l market.Line, s sighting) {
	w.t.Helper()
	r, ok := s[order.Whole]
	if !ok {
		if l.State != market.Created {
			w.t.Errorf("line %s is %s and the feed does not tell", l.ID, l.State)
		}
		return
	}
	w.judgeNames(l, r)
	w.judgeState(l, r)
	w.judgeMoney(l, s)
	w.judgeTimes(l, s)
}

func (w *world) judgeNames(l market.Line, r order.Revision) {
	w.t.Helper()
	want := order.Key{Network: w.Feed.Network(), Account: w.Feed.Account(), ID: l.ID}
	if r.Key != want {
		w.t.Errorf("Key = %v, want %v", r.Key, want)
	}
	if r.Order != l.Order {
		w.t.Errorf("Order = %q, want %q", r.Order, l.Order)
	}
	if r.Title != l.Goods.Title {
		w.t.Errorf("Title = %q, want %q", r.Title, l.Goods.Title)
	}
	if r.Quantity != l.Quantity {
		w.t.Errorf("Quantity = %d, want %d", r.Quantity, l.Quantity)
	}
	if r.Item == "" {
		w.t.Error("Item is empty")
	}
	if !bytes.Contains(r.Raw, []byte(l.Order)) {
		w.t.Errorf("Raw is not the row of order %s: %q", l.Order, r.Raw)
	}
	if r.Tag != "" && r.Tag != l.Click.Tag || r.Slot != "" && r.Slot != l.Click.Slot {
		w.t.Errorf("Tag, Slot = %q, %q, want %q, %q", r.Tag, r.Slot, l.Click.Tag, l.Click.Slot)
	}
	if r.Tag == "" && r.Slot == "" {
		w.t.Error("neither tag nor slot came back")
	}
}

func (w *world) judgeState(l market.Line, r order.Revision) {
	w.t.Helper()
	due := !r.SettlesOn.IsZero() && !r.SettlesOn.After(w.Now().Add(settlesWithin))
	var want []order.State
	switch l.State {
	case market.Created:
		want = []order.State{order.Unpaid}
	case market.Paid:
		want = []order.State{order.Paid}
	case market.Received:
		want = []order.State{order.Received}
	case market.Settled:
		want = []order.State{order.Settled}
		if due {
			want = append(want, order.Received)
		}
		if l.Refunded == l.Price { // some keep the row settled and owe nothing, some close it
			want = append(want, order.Invalid)
		}
	case market.Invalid, market.Replaced:
		want = []order.State{order.Invalid}
	}
	if !slices.Contains(want, r.State) {
		w.t.Errorf("State = %s, want %v: the line is %s", r.State, want, l.State)
	}
	if r.State == order.Invalid && !strings.HasPrefix(r.Why, "order.") {
		w.t.Errorf("Why = %q, want a key such as order.cancelled", r.Why)
	}
	if r.State != order.Invalid && r.Why != "" {
		w.t.Errorf("Why = %q for a line that is %s", r.Why, r.State)
	}
}

func (w *world) judgeMoney(l market.Line, s sighting) {
	w.t.Helper()
	r, back := s[order.Whole], s[order.Return]
	get := r.Estimated
	if r.ActualKnown {
		get = r.Actual
	}
	get -= back.Claimed
	slack := money.Fen(0)
	if _, apart := s[order.Return]; apart {
		slack = returnSlack
	}
	if r.State == order.Invalid {
		if l.Commission != 0 {
			w.t.Errorf("an invalid line earns nothing, and the book owes %s", l.Commission)
		}
		return // what an invalid row says about money counts for nothing
	}
	if d := get - l.Commission; d < -slack || d > slack {
		w.t.Errorf("commission = %s, want %s", get, l.Commission)
	}
	if pays := r.Price - r.Refunded - back.Refunded; pays != l.Price-l.Refunded {
		w.t.Errorf("the buyer pays %s, want %s", pays, l.Price-l.Refunded)
	}
	if l.Refunded == 0 && r.Price != l.Price {
		w.t.Errorf("Price = %s, want %s", r.Price, l.Price)
	}
	settled := r.State == order.Settled || !r.SettlesOn.IsZero() && l.State == market.Settled
	if settled && !r.ActualKnown {
		w.t.Error("the line is settled and its actual commission is not known")
	}
}

func (w *world) judgeTimes(l market.Line, s sighting) {
	w.t.Helper()
	r := s[order.Whole]
	times := []struct {
		name      string
		got, want time.Time
	}{
		{"Created", r.Created, l.Created},
		{"PaidAt", r.PaidAt, l.PaidAt},
		{"ReceivedAt", r.ReceivedAt, l.ReceivedAt},
	}
	for _, tt := range times {
		if !tt.got.IsZero() && !tt.got.Equal(tt.want.Truncate(time.Second)) {
			w.t.Errorf("%s = %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if !r.SettledAt.IsZero() && (l.SettledAt.IsZero() || r.SettledAt.Sub(l.SettledAt).Abs() > settlesWithin) {
		w.t.Errorf("SettledAt = %s, want %s", r.SettledAt, l.SettledAt)
	}
	if r.Created.IsZero() && r.PaidAt.IsZero() {
		w.t.Error("neither Created nor PaidAt is known")
	}
	newest := r.Modified
	if back := s[order.Return].Modified; back.After(newest) {
		newest = back
	}
	if !newest.Equal(l.Modified.Truncate(time.Second)) {
		w.t.Errorf("Modified = %s, want %s", newest, l.Modified)
	}
}
