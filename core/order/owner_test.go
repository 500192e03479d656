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

// slotted is a row that came back with a slot and no tag.
func slotted(id, number, item, slot string) order.Revision {
	return with(row(link.Taobao, id), func(r *order.Revision) { r.Order, r.Item, r.Slot = number, item, slot })
}

func TestALineIsGivenWithItsLinkAndPromise(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(41, link.JD, "item", "other", "", time.Minute)
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	d.apply(1, with(row(link.JD, "1"), func(r *order.Revision) { r.Tag = "tag" }))
	d.wantOwner(link.JD, "1", 42, order.ByTag)
	want := link.Promise{Rules: 1, Share: 7000, Rebate: 280, Terms: `{"rules":2}`}
	if l := d.get(link.JD, "1"); l.Link != 2 || l.Promise != want || d.last().Lines[0].Promise != want {
		t.Errorf("link %d, promise %+v, said %+v", l.Link, l.Promise, d.last().Lines[0].Promise)
	}
}

func TestALinkThatIsHeardOfLateFindsItsOrders(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.apply(3,
		with(row(link.JD, "1"), func(r *order.Revision) { r.Tag = "tag" }),
		with(row(link.JD, "2"), func(r *order.Revision) { r.Tag = "foreign" }),
		with(row(link.JD, "3"), func(r *order.Revision) { r.Order = "n1" })) // bought along with the first
	d.wantOwner(link.JD, "1", 0, "")
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	d.wantOwner(link.JD, "1", 42, order.ByTag)
	d.wantOwner(link.JD, "2", 0, "")
	d.wantOwner(link.JD, "3", 42, order.ByItem)
	d.wantSaid(2)
	if c := d.last(); len(c.Lines) != 2 || c.Lines[0].User != 42 || c.Lines[0].Rev != 2 || c.Lines[0].Promise.Rebate != 280 {
		t.Errorf("said is %+v", c)
	}
	m := link.LinkMade{Link: 1, User: 42, Network: link.JD, Item: "item", Tag: "tag", At: start}
	e, err := event.New("link/tag", event.LinkMade, start, m)
	must(t, err)
	must(t, d.LinkMade(t.Context(), e)) // news comes twice
	d.wantSaid(2)
	if err := d.LinkMade(t.Context(), event.Event{ID: "x", Name: event.LinkMade, Data: []byte("{")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("news that cannot be read: %v", err)
	}
}

func TestWhoseALineIsDoesNotChangeWithLaterLinks(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", time.Hour)
	d.apply(1, slotted("1", "n1", "item", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.BySlot)
	d.link(43, link.Taobao, "item", "", "s1", time.Minute) // heard of late: now it would be ambiguous
	d.apply(1, with(slotted("1", "n1", "item", "s1"), func(r *order.Revision) { r.State, r.Modified = order.Received, start }))
	d.wantOwner(link.Taobao, "1", 42, order.BySlot)
}

func TestWhatSeveralCouldHaveBoughtIsNobodys(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "item", "", "s1", time.Hour)
	d.link(43, link.Taobao, "item", "", "s1", time.Minute)
	d.apply(1, slotted("1", "n1", "item", "s1"))
	d.wantOwner(link.Taobao, "1", 0, "")
	if c, err := d.Store.Counts(t.Context()); c.Unattributed != 1 || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTheRestOfACartBelongsToItsBuyer(t *testing.T) {
	t.Parallel()
	tagged := with(row(link.JD, "1"), func(r *order.Revision) { r.Tag, r.Order = "tag", "cart" })
	along := with(row(link.JD, "2"), func(r *order.Revision) { r.Item, r.Order = "extra", "cart" })
	for _, tt := range []struct {
		name  string
		pages [][]order.Revision
	}{
		{"on one page", [][]order.Revision{{tagged, along}}},
		{"on one page, the other way round", [][]order.Revision{{along, tagged}}},
		{"before", [][]order.Revision{{along}, {tagged}}},
		{"after", [][]order.Revision{{tagged}, {along}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			d.Store = twice{d.db.Orders()}
			d.link(42, link.JD, "item", "tag", "", time.Hour)
			for _, p := range tt.pages {
				d.apply(len(p), p...)
			}
			d.wantOwner(link.JD, "1", 42, order.ByTag)
			d.wantOwner(link.JD, "2", 42, order.ByKin)
			if l := d.get(link.JD, "2"); l.Link != 0 || l.Promise != (link.Promise{}) {
				t.Errorf("it has the link %d and the promise %+v, and came through none", l.Link, l.Promise)
			}
			d.wantSaid(len(tt.pages))
			if a, b := d.get(link.JD, "1").Rev, d.get(link.JD, "2").Rev; a != 1 || b != int64(map[bool]int{true: 2, false: 1}[tt.name == "before"]) {
				t.Errorf("they have changed %d and %d times", a, b)
			}
		})
	}
}

// Whatever is bought along, a line that two users could have bought stays
// nobody's, in whichever order its cart arrives.
func TestWhatIsAmbiguousIsNotGuessedFromItsCart(t *testing.T) {
	t.Parallel()
	sure := slotted("1", "cart", "kettle", "s1")
	unsure := slotted("2", "cart", "cup", "s2")
	for _, tt := range []struct {
		name  string
		pages [][]order.Revision
	}{
		{"on one page", [][]order.Revision{{sure, unsure}}},
		{"on one page, the other way round", [][]order.Revision{{unsure, sure}}},
		{"the ambiguous one first", [][]order.Revision{{unsure}, {sure}}},
		{"the ambiguous one last", [][]order.Revision{{sure}, {unsure}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			d.link(42, link.Taobao, "kettle", "", "s1", time.Hour)
			d.link(42, link.Taobao, "cup", "", "s2", time.Hour)
			d.link(43, link.Taobao, "cup", "", "s2", time.Hour)
			for _, p := range tt.pages {
				d.apply(len(p), p...)
			}
			d.wantOwner(link.Taobao, "1", 42, order.BySlot)
			d.wantOwner(link.Taobao, "2", 0, "")
		})
	}
}

// A cart of two users' links: what has no link of its own is nobody's, however
// the page is sorted.
func TestTheOrderOfAPageDoesNotDecide(t *testing.T) {
	t.Parallel()
	rs := []order.Revision{
		with(row(link.JD, "1"), func(r *order.Revision) { r.Tag, r.Order = "tag", "cart" }),
		with(row(link.JD, "2"), func(r *order.Revision) { r.Item, r.Order = "extra", "cart" }),
		with(row(link.JD, "3"), func(r *order.Revision) { r.Tag, r.Order = "other", "cart" }),
	}
	permutations(rs, func(rs []order.Revision) {
		d := openBook(t)
		d.link(42, link.JD, "item", "tag", "", time.Hour)
		d.link(43, link.JD, "item", "other", "", time.Hour)
		d.apply(3, rs...)
		d.wantOwner(link.JD, "1", 42, order.ByTag)
		d.wantOwner(link.JD, "2", 0, "")
		d.wantOwner(link.JD, "3", 43, order.ByTag)
		if e := d.said()[0]; e.ID != "order/jd/main/1/rev1/3" {
			t.Errorf("said is %s", e.ID)
		}
	})
}

func TestACartOfAnotherNetworkIsAnotherCart(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "item", "tag", "", time.Hour)
	d.apply(2,
		with(row(link.JD, "1"), func(r *order.Revision) { r.Tag, r.Order = "tag", "same" }),
		with(row(link.PDD, "1"), func(r *order.Revision) { r.Item, r.Order = "extra", "same" }))
	d.wantOwner(link.JD, "1", 42, order.ByTag)
	d.wantOwner(link.PDD, "1", 0, "")
}

// In whichever order links, rows and refunds arrive, and on whatever pages, every
// line ends with the same facts and the same owner.
func TestAnyOrderOfArrivalGivesTheSameOwner(t *testing.T) {
	t.Parallel()
	type news struct {
		link func(d *desk)
		row  order.Revision
	}
	var all []news
	for i := range 6 {
		tag := fmt.Sprint("tag", i)
		all = append(all, news{link: func(d *desk) {
			e, err := event.New("link/"+tag, event.LinkMade, start, link.LinkMade{
				Link: int64(i + 1), User: int64(i%3 + 1), Network: link.JD, Item: "item", Tag: tag, At: start.Add(-time.Hour),
			})
			must(d.t, err)
			must(d.t, d.LinkMade(d.t.Context(), e))
		}})
		for j := range 3 {
			r := with(row(link.JD, fmt.Sprint(i)), func(r *order.Revision) {
				r.Tag, r.Modified, r.Estimated = tag, start.Add(time.Duration(j)*time.Minute), r.Estimated+r.Price.Mul(int64(j), 100)
			})
			all = append(all, news{row: r})
		}
		all = append(all,
			news{row: order.Revision{Key: row(link.JD, fmt.Sprint(i)).Key, Aspect: order.Return, Claimed: 7, Refunded: 100, Modified: start}},
			news{row: with(row(link.JD, fmt.Sprint("along", i)), func(r *order.Revision) { r.Order, r.Item = fmt.Sprint("n", i), "extra" })})
	}
	var want string
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		d := openBook(t)
		var page []order.Revision
		flush := func() {
			_, err := d.Apply(t.Context(), order.Page{Revisions: page}, nil)
			must(t, err)
			page = nil
		}
		for _, n := range all {
			if n.link != nil {
				n.link(d)
				continue
			}
			if page = append(page, n.row); rng.IntN(3) == 0 {
				flush()
			}
		}
		flush()
		got := ""
		for i := range 6 {
			a, b := d.get(link.JD, fmt.Sprint(i)), d.get(link.JD, fmt.Sprint("along", i))
			got += fmt.Sprintf("%+v %d %s, along %d %s\n", a.Facts, a.User, a.Step, b.User, b.Step)
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("seed %d gives\n%s, want\n%s", seed, got, want)
		}
	}
}

func TestARelatedLineIsAsItWasPromised(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.Taobao, "old", "", "", 72*time.Hour) // too long ago to say whose it is
	d.link(42, link.Taobao, "new", "", "", time.Hour)
	d.apply(3, slotted("1", number(1), "old", ""), slotted("2", number(1), "new", ""), slotted("3", number(1), "never", ""))
	d.wantOwner(link.Taobao, "1", 42, order.ByKin)
	d.wantOwner(link.Taobao, "3", 42, order.ByKin)
	if l := d.get(link.Taobao, "1"); l.Link != 1 || l.Promise.Rebate != 280 {
		t.Errorf("what was asked about came through link %d with %+v", l.Link, l.Promise)
	}
	if l := d.get(link.Taobao, "3"); l.Link != 0 || l.Promise.Terms != "" {
		t.Errorf("what was not came through link %d with %+v", l.Link, l.Promise)
	}
}
