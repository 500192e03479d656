package order_test

import (
	"fmt"
	"testing"

	"fanli/core/money"
	"fanli/core/order"
)

// TestWithinOneInstantTheLaterStateCounts: networks tell times in whole seconds, and
// a row that is read in the middle of one may change before its end. Whatever the
// content hashes to, the line does not stay what it was.
func TestWithinOneInstantTheLaterStateCounts(t *testing.T) {
	t.Parallel()
	row := func(id int, s order.State, estimated money.Fen) order.Revision {
		return order.Revision{
			Key: key, Aspect: order.Whole, Order: fmt.Sprint(id), State: s, Price: 8900, Quantity: 1, Estimated: estimated, Modified: start,
		}
	}
	back := func(id int, claimed money.Fen) order.Revision {
		return order.Revision{Key: key, Aspect: order.Return, Order: fmt.Sprint(id), Claimed: claimed, Modified: start}
	}
	for _, tt := range []struct {
		name          string
		before, after func(id int) order.Revision
	}{
		{"cancelled", func(id int) order.Revision { return row(id, order.Paid, 500) }, func(id int) order.Revision { return row(id, order.Invalid, 0) }},
		{"received", func(id int) order.Revision { return row(id, order.Paid, 500) }, func(id int) order.Revision { return row(id, order.Received, 500) }},
		{"returned in part", func(id int) order.Revision { return row(id, order.Paid, 500) }, func(id int) order.Revision { return row(id, order.Paid, 300) }},
		{"claimed back", func(id int) order.Revision { return back(id, 100) }, func(id int) order.Revision { return back(id, 200) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for id := range 20 { // as many hashes
				whole := row(id, order.Paid, 500)
				var asItHappened, theOtherWay order.Line
				for _, r := range []order.Revision{whole, tt.before(id), tt.after(id), tt.before(id)} {
					order.Take(&asItHappened, r, start)
				}
				for _, r := range []order.Revision{tt.after(id), tt.before(id), whole} {
					order.Take(&theOtherWay, r, start)
				}
				var want order.Line
				if tt.after(id).Aspect == order.Return {
					order.Take(&want, whole, start)
				}
				order.Take(&want, tt.after(id), start)
				if asItHappened.Facts != want.Facts || theOtherWay.Facts != want.Facts {
					t.Fatalf("%d: %+v and %+v, want %+v", id, asItHappened.Facts, theOtherWay.Facts, want.Facts)
				}
			}
		})
	}
}
