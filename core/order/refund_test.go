package order_test

import (
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// TestPartialRefundsTakeTheNetworksFigureOrElseThePrices lets parts of one line go
// back several times.
func TestPartialRefundsTakeTheNetworksFigureOrElseThePrices(t *testing.T) {
	t.Parallel()
	back := func(minute int, refunded, claimed money.Fen, unsaid bool) order.Revision {
		return order.Revision{
			Key: row(link.JD, "1").Key, Aspect: order.Return, Refunded: refunded, Claimed: claimed, Unsaid: unsaid,
			Modified: start.Add(time.Duration(minute) * time.Minute), Raw: []byte("back"),
		}
	}
	tests := []struct {
		name  string
		whole func(*order.Revision) // price 8900, estimate 400
		backs []order.Revision
		want  []money.Fen // after each
	}{
		{"the network says how much", nil, []order.Revision{back(1, 1000, 90, false), back(2, 4450, 150, false), back(3, 8900, 400, false)}, []money.Fen{310, 250, 0}},
		{"it says that it takes nothing", nil, []order.Revision{back(1, 1000, 0, false)}, []money.Fen{400}},
		{"it says nothing", nil, []order.Revision{back(1, 1000, 0, true), back(2, 4450, 0, true), back(3, 8899, 0, true), back(4, 8900, 0, true)}, []money.Fen{355, 200, 0, 0}},
		{"it says nothing, but the order row knows a part", func(r *order.Revision) { r.Refunded, r.Estimated = 4450, 200 },
			[]order.Revision{back(1, 4450, 0, true), back(2, 6675, 0, true), back(3, 8900, 0, true)}, []money.Fen{200, 100, 0}},
		{"the order row knows that all went back", func(r *order.Revision) { r.Refunded, r.Estimated = 8900, 0 }, []order.Revision{back(1, 8900, 0, true)}, []money.Fen{0}},
		{"more than was paid", nil, []order.Revision{back(1, 9999, 0, true), back(2, 9999, 999, false)}, []money.Fen{0, 0}},
		{"a later row takes it back", nil, []order.Revision{back(1, 4450, 0, true), back(2, 0, 0, true)}, []money.Fen{200, 400}},
		{"an older row comes late", nil, []order.Revision{back(2, 4450, 0, true), back(1, 8900, 0, true)}, []money.Fen{200, 200}},
		{"two within a second", nil, []order.Revision{back(1, 8900, 0, true), back(1, 4450, 0, true)}, []money.Fen{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			whole := with(row(link.JD, "1"), func(r *order.Revision) { r.Price, r.Estimated = 8900, 400 })
			if tt.whole != nil {
				whole = with(whole, tt.whole)
			}
			d.apply(1, whole)
			for i, b := range tt.backs {
				changed := 1
				if i > 0 && (tt.backs[i-1].Modified.After(b.Modified) || tt.backs[i-1].Modified.Equal(b.Modified)) {
					changed = 0
				}
				d.apply(changed, b)
				l := d.get(link.JD, "1")
				if l.Commission != tt.want[i] {
					t.Errorf("after %s of %s went back %s are left, want %s", l.Refunded, l.Price, l.Commission, tt.want[i])
				}
			}
			if c := d.last(); c.Lines[0].Estimated != d.get(link.JD, "1").Commission {
				t.Errorf("the estimate is %s", c.Lines[0].Estimated)
			}
		})
	}
}
