package order_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

func TestAPageIsOneTransactionAndOneEvent(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	d.apply(3, row(link.JD, "3"), with(row(link.JD, "1"), func(r *order.Revision) { r.Tag = "tag" }), row(link.JD, "2"))
	d.wantSaid(1)
	e := d.said()[0]
	if e.ID != "order/jd/main/1/rev1/3" || e.Name != event.OrderChanged || !e.At.Equal(start) {
		t.Errorf("said is %s %s at %s", e.ID, e.Name, e.At)
	}
	want := `{"lines":[` +
		`{"line":1,"key":{"network":"jd","account":"main","id":"1"},"rev":1,"order":"n1","title":"水壶","category":"厨具","item":"item","state":"paid",` +
		`"price":8900,"commission":400,"estimated":400,"user":42,"promise":{"rules":1,"share":7000,"rebate":280,"terms":"{\"rules\":1}"},"created_at":"2026-01-15T03:55:00Z"},` +
		`{"line":2,"key":{"network":"jd","account":"main","id":"2"},"rev":1,"order":"n2","title":"水壶","category":"厨具","item":"item","state":"paid",` +
		`"price":8900,"commission":400,"estimated":400,"user":42,"promise":{"rules":1,"share":7000,"rebate":280,"terms":"{\"rules\":1}"},"created_at":"2026-01-15T03:55:00Z"},` +
		`{"line":3,"key":{"network":"jd","account":"main","id":"3"},"rev":1,"order":"n3","title":"水壶","category":"厨具","item":"item","state":"paid",` +
		`"price":8900,"commission":400,"estimated":400,"user":42,"promise":{"rules":1,"share":7000,"rebate":280,"terms":"{\"rules\":1}"},"created_at":"2026-01-15T03:55:00Z"}]}`
	if string(e.Data) != want {
		t.Errorf("said is\n%s, want\n%s", e.Data, want)
	}
}

func TestWhatHasNotChangedWritesAndSaysNothing(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.apply(2, row(link.JD, "1"), row(link.JD, "2"))
	d.apply(0, row(link.JD, "2"), row(link.JD, "1"), row(link.JD, "1"))
	d.apply(0, with(row(link.JD, "1"), func(r *order.Revision) { r.Raw = []byte("{ 1 }") }))
	d.apply(0, with(row(link.JD, "1"), func(r *order.Revision) { r.Modified = r.Modified.Add(-time.Second); r.State = order.Invalid }))
	d.apply(0)
	h, err := d.Store.History(t.Context(), row(link.JD, "1").Key)
	must(t, err)
	if l := d.get(link.JD, "1"); l.Rev != 1 || len(h) != 1 || string(h[0].Raw) != "{1}" {
		t.Errorf("rev %d, history %+v", l.Rev, h)
	}
	d.wantSaid(1)
	changed := with(row(link.JD, "1"), func(r *order.Revision) { r.Modified = r.Modified.Add(time.Second); r.State = order.Received })
	d.apply(1, row(link.JD, "2"), changed)
	if c := d.last(); len(c.Lines) != 1 || c.Lines[0].Key.ID != "1" || c.Lines[0].Rev != 2 || c.Lines[0].State != order.Received {
		t.Errorf("said is %+v", c)
	}
}

func TestSeveralRevisionsOfALineInOnePageAreOneChange(t *testing.T) {
	t.Parallel()
	revs := []order.Revision{
		row(link.JD, "1"),
		with(row(link.JD, "1"), func(r *order.Revision) { r.Modified, r.State = start, order.Received }),
		with(row(link.JD, "1"), func(r *order.Revision) { r.Modified, r.State = start.Add(time.Second), order.Settled }),
		with(row(link.JD, "1"), func(r *order.Revision) { r.Aspect, r.Claimed, r.Refunded = order.Return, 100, 2000 }),
	}
	d := openBook(t)
	n := 0
	permutations(revs, func(rs []order.Revision) {
		n++
		id := fmt.Sprint("line", n) // the same story of another line
		var page []order.Revision
		for _, r := range rs {
			r.Key.ID = id
			page = append(page, r)
		}
		d.apply(1, page...)
		if l := d.get(link.JD, id); l.Rev != 1 || l.State != order.Settled || l.Commission != 300 || l.Refunded != 2000 {
			t.Fatalf("%+v", l)
		}
		d.wantSaid(n)
	})
}

func TestAPageThatCannotBeStoredStoresNothing(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	place := order.Place{Network: link.JD, Account: "main", Scene: "s", Rung: "follow"}
	must(t, d.Note(t.Context(), order.Progress{Place: place, Done: start, Fence: 2}))
	page := order.Page{
		Revisions: []order.Revision{row(link.JD, "1")},
		Bad:       []order.Bad{{Key: row(link.JD, "2").Key, Raw: []byte("?"), Err: fault.New(fault.Invalid, "")}},
	}
	if _, err := d.Apply(t.Context(), page, &order.Progress{Place: place, Done: start.Add(time.Hour), Fence: 1}); !fault.Is(err, fault.Conflict) {
		t.Errorf("under an old lease: %v", err)
	}
	c, err := d.Store.Counts(t.Context())
	if c != (order.Counts{}) || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	d.wantSaid(0)
	n, err := d.Apply(t.Context(), page, &order.Progress{Place: place, Done: start.Add(time.Hour), Fence: 2})
	if n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	c, err = d.Store.Counts(t.Context())
	if want := (order.Counts{Lines: 1, Unattributed: 1, Quarantined: 1}); c != want || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	p, err := d.Store.Progress(t.Context(), place)
	if !p.Done.Equal(start.Add(time.Hour)) || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestEveryEventHasAnIDOfItsOwn lets anything happen to a few lines and looks at
// what was said: hearers know an event by its id alone.
func TestEveryEventHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 80 {
		var rs []order.Revision
		for range 1 + rng.IntN(4) {
			rs = append(rs, with(row(link.JD, fmt.Sprint(rng.IntN(8))), func(r *order.Revision) {
				r.Modified = start.Add(time.Duration(rng.IntN(i+1)) * time.Second)
				r.Order = fmt.Sprint("n", rng.IntN(3))
				r.Tag = []string{"", "", fmt.Sprint("t", rng.IntN(40))}[rng.IntN(3)]
				r.State = []order.State{order.Paid, order.Received}[rng.IntN(2)]
				if r.State == order.Received {
					r.SettlesOn = d.at.Add(time.Duration(rng.IntN(10)) * time.Minute)
				}
			}))
		}
		_, err := d.Apply(t.Context(), order.Page{Revisions: rs}, nil)
		must(t, err)
		if rng.IntN(4) == 0 {
			d.link(1+rng.Int64N(3), link.JD, "item", fmt.Sprint("t", i), "", time.Duration(rng.IntN(48))*time.Hour)
		}
		d.at = d.at.Add(time.Minute)
		_, err = d.SettleDue(t.Context())
		must(t, err)
	}
	seen, revs := map[string]bool{}, map[string]bool{}
	for _, e := range d.said() {
		var c order.Changed
		must(t, e.Decode(&c))
		if seen[e.ID] || len(c.Lines) == 0 {
			t.Errorf("event %s was said before, or says nothing", e.ID)
		}
		seen[e.ID] = true
		for _, l := range c.Lines {
			rev := fmt.Sprint(l.Key, l.Rev)
			if revs[rev] || l.Line == 0 {
				t.Errorf("line %s is said twice", rev)
			}
			revs[rev] = true
		}
	}
	for i := range 8 {
		l := d.get(link.JD, fmt.Sprint(i))
		for rev := int64(1); rev <= l.Rev; rev++ {
			if !revs[fmt.Sprint(l.Key, rev)] {
				t.Errorf("nobody heard of %s rev %d of %d", l.Key, rev, l.Rev)
			}
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d events", len(seen))
	}
}

func TestARefundThatComesBeforeItsOrderWaitsForIt(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	back := order.Revision{
		Key: row(link.JD, "1").Key, Aspect: order.Return, Refunded: 2000, Claimed: 90, Disputed: true, Modified: start, Raw: []byte("back"),
	}
	d.apply(1, back)
	if l := d.get(link.JD, "1"); l.User != 0 || l.State != order.Unpaid || l.Commission != 0 || l.Refunded != 2000 || !l.Disputed || l.Whole != nil {
		t.Errorf("%+v", l)
	}
	if c := d.last(); len(c.Lines) != 1 || c.Lines[0].State != order.Unpaid || c.Lines[0].User != 0 || c.Lines[0].Commission != 0 {
		t.Errorf("said is %+v", c)
	}
	d.apply(1, with(row(link.JD, "1"), func(r *order.Revision) { r.Tag = "tag" }))
	d.wantOwner(link.JD, "1", 42, order.ByTag)
	if l := d.get(link.JD, "1"); l.State != order.Paid || l.Commission != 310 || l.Refunded != 2000 || !l.Disputed || l.Rev != 2 {
		t.Errorf("%+v", l)
	}
}

func TestASplitOrderBecomesItsParts(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	whole := with(row(link.JD, "1"), func(r *order.Revision) { r.Tag, r.Quantity, r.Estimated = "tag", 3, 600 })
	d.apply(1, whole)
	part := func(id string, commission int64) order.Revision {
		return with(row(link.JD, id), func(r *order.Revision) {
			r.Tag, r.Parent, r.Estimated, r.Modified = "tag", "n1", 0, start
			r.Estimated += r.Price.Mul(commission, int64(r.Price))
		})
	}
	gone := with(whole, func(r *order.Revision) { r.State, r.Why, r.Modified = order.Invalid, order.WhySplit, start })
	permutations([]order.Revision{part("2", 200), gone, part("3", 400)}, func(rs []order.Revision) {
		d := openBook(t)
		d.link(42, link.JD, "item", "tag", "", time.Hour)
		d.apply(1, whole)
		for _, r := range rs { // in any order, on pages of their own
			d.apply(1, r)
		}
		for _, id := range []string{"1", "2", "3"} {
			d.wantOwner(link.JD, id, 42, order.ByTag)
		}
		d.wantCommission(link.JD, 600, "1", "2", "3")
		d.wantCommission(link.JD, 0, "1")
	})
}

func TestWhatTheNetworkIsBoundToSettleSettlesOnItsDay(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	day := start.Add(24 * time.Hour)
	var rs []order.Revision
	for i := range 600 { // more than one batch
		rs = append(rs, with(row(link.JD, fmt.Sprintf("%03d", i)), func(r *order.Revision) {
			r.State, r.SettlesOn = order.Received, day
			if i == 0 {
				r.SettlesOn = day.Add(time.Hour)
			}
		}))
	}
	rs = append(rs, with(row(link.JD, "undated"), func(r *order.Revision) { r.State = order.Received }))
	d.apply(601, rs...)
	settle := func(want int) {
		t.Helper()
		if n, err := d.SettleDue(t.Context()); n != want || err != nil {
			t.Errorf("at %s %d lines settle, %v, want %d", d.at, n, err, want)
		}
	}
	d.at = day.Add(-time.Millisecond)
	settle(0)
	d.at = day
	for _, n := range []int{500, 99, 0} {
		settle(n)
	}
	d.at = day.Add(time.Hour)
	settle(1)
	settle(0)
	d.wantSaid(4)
	if c := d.last(); len(c.Lines) != 1 || c.Lines[0].State != order.Settled || !c.Lines[0].SettledAt.Equal(day.Add(time.Hour)) || c.Lines[0].Rev != 2 {
		t.Errorf("said is %+v", c)
	}
	if l := d.get(link.JD, "undated"); l.State != order.Received || l.Rev != 1 {
		t.Errorf("%+v", l)
	}
}

func TestReadingIsTheStores(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	tagged := func(id string) order.Revision {
		return with(row(link.JD, id), func(r *order.Revision) { r.Tag, r.Order = "tag", "same" })
	}
	d.apply(3, tagged("1"), tagged("2"), tagged("3"))
	mine, err := d.OfUser(t.Context(), 42, 0, 2)
	must(t, err)
	more, err := d.OfUser(t.Context(), 42, mine[1].ID, 2)
	must(t, err)
	all, err := d.ByNumber(t.Context(), "same")
	must(t, err)
	if len(mine) != 2 || mine[0].Key.ID != "3" || len(more) != 1 || more[0].Key.ID != "1" || len(all) != 3 {
		t.Errorf("%d, %d and %d lines", len(mine), len(more), len(all))
	}
}
