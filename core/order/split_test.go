package order_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// placed is the number of an order at JD that is sent in parts.
const placed = "300000000001"

// part is the number of a part.
func part(n int) string { return fmt.Sprintf("30000000001%d", n) }

// whole is the order as it was placed: goods that two users have asked about, and
// nothing that says whose it is.
func whole() order.Revision {
	return with(row(link.JD, "w"), func(r *order.Revision) { r.Order, r.Item, r.Price, r.Quantity = placed, "kettle", 9000, 3 })
}

// replaced is the same, later.
func replaced() order.Revision {
	return with(whole(), func(r *order.Revision) {
		r.State, r.Why, r.Modified, r.Estimated = order.Invalid, order.WhySplit, start, 0
	})
}

func parts() []order.Revision {
	var out []order.Revision
	for i, price := range []int64{3000, 6000} {
		out = append(out, with(row(link.JD, fmt.Sprint("p", i+1)), func(r *order.Revision) {
			r.Order, r.Parent, r.Item, r.Price, r.Modified = part(i+1), placed, "kettle", r.Price.Mul(price, 8900), start
		}))
	}
	return out
}

// askedByTwo is a book in which the goods could be either user's.
func askedByTwo(t *testing.T) *desk {
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.link(42, link.JD, "kettle", "", "", 2*time.Hour)
	d.link(43, link.JD, "kettle", "", "", time.Hour)
	return d
}

func TestWhatWasDecidedOfAnOrderIsDecidedOfItsParts(t *testing.T) {
	t.Parallel()
	events := append(parts(), replaced())
	permutations(events, func(rs []order.Revision) {
		for before := range len(rs) + 1 { // how much of the split is here when staff decides
			d := askedByTwo(t)
			d.apply(1, whole())
			d.wantOwner(link.JD, "w", 0, "")
			d.claim(42, placed, order.ClaimGranted)
			for i, r := range rs {
				if i == before {
					d.decide(d.claim(43, placed, order.ClaimWaiting), true)
				}
				d.apply(1, r)
			}
			if before == len(rs) {
				d.decide(d.claim(43, placed, order.ClaimWaiting), true)
			}
			promise := d.get(link.JD, "w").Promise
			for _, id := range []string{"w", "p1", "p2"} {
				if l := d.get(link.JD, id); l.User != 43 || l.Link != 2 || l.Promise != promise || promise.Terms == "" {
					t.Fatalf("%s, decided after %d of %d: %d by %q through link %d, %+v", id, before, len(rs), l.User, l.Step, l.Link, l.Promise)
				}
			}
			d.wantClaim(42, order.ClaimRefused)
		}
	})
}

// decide is staff's word.
func (d *desk) decide(c order.Claim, grant bool) {
	d.t.Helper()
	_, err := d.DecideClaim(d.t.Context(), c.ID, grant, "cli", "claim.receipt")
	must(d.t, err)
}

func TestAPartIsSplitFromSomebodysOrder(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "kettle", "", "", time.Hour)
	d.apply(1, whole())
	d.wantOwner(link.JD, "w", 42, order.ByItem)
	d.link(43, link.JD, "kettle", "", "", time.Minute) // heard of when the order had been decided
	d.apply(3, append(parts(), replaced())...)
	d.wantOwner(link.JD, "p1", 42, order.BySplit)
	d.wantOwner(link.JD, "p2", 42, order.BySplit)
	if l := d.get(link.JD, "p2"); l.Link != 1 || l.Promise != d.get(link.JD, "w").Promise {
		t.Errorf("it is promised %+v by link %d", l.Promise, l.Link)
	}
}

// A part can be split again. Its parts are whose it is, whenever they come, and what is
// decided of the order as it was placed is decided of them.
func TestPartsOfParts(t *testing.T) {
	t.Parallel()
	again := with(parts()[1], func(r *order.Revision) { r.State, r.Why, r.Estimated = order.Invalid, order.WhySplit, 0 })
	var deep []order.Revision
	for i := range 2 {
		deep = append(deep, with(row(link.JD, fmt.Sprint("q", i+1)), func(r *order.Revision) {
			r.Order, r.Parent, r.Item = fmt.Sprint("30000000002", i), part(2), "kettle"
		}))
	}
	all := [][]order.Revision{append(parts()[:1], again, replaced()), deep[:1], deep[1:]}
	for _, turn := range [][]int{{0, 1, 2}, {1, 0, 2}, {1, 2, 0}} {
		d := openBook(t)
		d.link(42, link.JD, "kettle", "", "", time.Hour)
		for i, page := range turn {
			if i == 1 {
				d.link(43, link.JD, "kettle", "", "", time.Minute) // from now on nothing fits by itself
			}
			d.apply(len(all[page]), all[page]...)
		}
		if turn[0] != 0 {
			continue // what came first came through its own link
		}
		d.wantOwner(link.JD, "q1", 42, order.BySplit)
		d.wantOwner(link.JD, "q2", 42, order.BySplit)
		d.decide(d.claim(43, placed, order.ClaimWaiting), true)
		for _, id := range []string{"w", "p1", "p2", "q1", "q2"} {
			d.wantOwner(link.JD, id, 43, order.ByStaff)
		}
	}
	d := askedByTwo(t)
	for _, page := range [][]order.Revision{deep, {again, parts()[0]}, {replaced()}} {
		d.apply(len(page), page...)
		d.wantOwner(link.JD, "q1", 0, "")
	}
	d.claim(42, placed, order.ClaimGranted)
	for id, by := range map[string]order.Step{"w": order.ByClaim, "p2": order.ByClaim, "q1": order.BySplit, "q2": order.BySplit} {
		d.wantOwner(link.JD, id, 42, by)
	}
}

// A cart has the same goods twice: once through a link, and once so that several could
// have bought it. Only the latter is split, and stays as ambiguous as it was.
func TestAPartIsOfTheLineThatWasReplaced(t *testing.T) {
	t.Parallel()
	tagged := with(row(link.JD, "tagged"), func(r *order.Revision) { r.Order, r.Item, r.Tag = placed, "kettle", "tag" })
	rows := []order.Revision{parts()[0], replaced(), tagged}
	permutations(rows, func(rs []order.Revision) {
		d := askedByTwo(t)
		d.link(42, link.JD, "kettle", "tag", "", time.Hour)
		d.apply(1, whole())
		for _, r := range rs {
			d.apply(1, r)
		}
		d.wantOwner(link.JD, "tagged", 42, order.ByTag)
		d.wantOwner(link.JD, "w", 0, "")
		d.wantOwner(link.JD, "p1", 0, "")
	})
}

// The same goods are in a cart through links of two users. Whose a part is shows when
// the network says which of them it has replaced, be that later than the part.
func TestThePartsOfWhatIsReplacedLater(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.link(42, link.JD, "kettle", "tag", "", time.Hour)
	d.link(43, link.JD, "kettle", "", "s1", time.Hour)
	slot := func(r order.Revision) order.Revision { r.Slot = "s1"; return r }
	d.apply(2, slot(whole()), with(whole(), func(r *order.Revision) { r.Key.ID, r.Tag = "twin", "tag" }))
	d.apply(2, parts()...)
	d.wantOwner(link.JD, "p1", 0, "")
	d.apply(1, slot(replaced()))
	for id, by := range map[string]order.Step{"w": order.BySlot, "p1": order.BySplit, "p2": order.BySplit} {
		d.wantOwner(link.JD, id, 43, by)
	}
}

func TestAnotherItemOfASplitOrderIsNotGuessed(t *testing.T) {
	t.Parallel()
	d := askedByTwo(t)
	d.apply(1, whole())
	d.decide(d.claim(43, placed, order.ClaimGranted), true)
	other := with(parts()[0], func(r *order.Revision) { r.Item = "cup" })
	d.link(42, link.JD, "cup", "", "", time.Hour)
	d.apply(1, other)
	d.wantOwner(link.JD, "p1", 42, order.ByItem)
}

// Staff named one part. What is known of the other one is as before, whether it is here
// when they decide, comes later, or changes later: the oracle of the simulation found
// that it followed its sister as soon as the network touched it again.
func TestAWordAboutAPartIsAboutThatPart(t *testing.T) {
	t.Parallel()
	touched := with(parts()[1], func(r *order.Revision) { r.State, r.Modified = order.Received, start.Add(time.Hour) })
	for _, tt := range []struct {
		name        string
		early, late []order.Revision
	}{
		{"the other part is here", parts(), nil},
		{"the other part changes later", parts(), []order.Revision{touched}},
		{"the other part comes later", parts()[:1], []order.Revision{touched}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openBook(t)
			d.apply(len(tt.early), tt.early...)
			d.decide(d.claim(43, part(1), order.ClaimWaiting), true)
			d.apply(len(tt.late), tt.late...)
			d.wantOwner(link.JD, "p1", 43, order.ByStaff)
			d.wantOwner(link.JD, "p2", 0, "")
		})
	}
}

// A decision about a number is about all lines of that number, also those that come later.
func TestAWordAboutAnOrderIsAboutAllOfIt(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.apply(1, whole())
	d.decide(d.claim(43, placed, order.ClaimWaiting), true)
	d.apply(3,
		with(row(link.JD, "along"), func(r *order.Revision) { r.Order, r.Item = placed, "cup" }),
		parts()[0],
		with(parts()[1], func(r *order.Revision) { r.Item = "spoon" }))
	d.wantOwner(link.JD, "along", 43, order.ByKin)
	d.wantOwner(link.JD, "p1", 43, order.BySplit)
	d.wantOwner(link.JD, "p2", 43, order.ByKin)
}

// Who claims a part, and had asked for it, is not beaten to it by who claims another part.
func TestTwoClaimsToPartsOfOneOrder(t *testing.T) {
	t.Parallel()
	for _, pages := range [][][]order.Revision{{parts()}, {parts()[:1], parts()[1:]}, {parts()[1:], parts()[:1]}} {
		d := openBook(t)
		d.link(42, link.JD, "kettle", "", "", 72*time.Hour)
		d.link(43, link.JD, "kettle", "", "", 72*time.Hour)
		d.claim(42, part(1), order.ClaimWaiting)
		d.claim(43, part(2), order.ClaimWaiting)
		for _, p := range pages {
			d.apply(len(p), p...)
		}
		d.wantOwner(link.JD, "p1", 42, order.ByClaim)
		d.wantOwner(link.JD, "p2", 43, order.ByClaim)
	}
}

func TestEitherNumberOfASplitOrderCanBeClaimed(t *testing.T) {
	t.Parallel()
	for _, number := range []string{placed, part(1)} {
		for _, early := range []bool{true, false} {
			d := openBook(t)
			d.link(42, link.JD, "kettle", "", "", 72*time.Hour) // too long ago for a click, not for a claim
			if early {
				d.claim(42, number, order.ClaimWaiting)
			}
			d.apply(3, append(parts(), replaced())...)
			d.claim(42, number, order.ClaimGranted)
			for id, named := range map[string]bool{"p1": true, "p2": number == placed} {
				want := order.ByKin
				if named {
					want = order.ByClaim
				}
				d.wantOwner(link.JD, id, 42, want)
			}
		}
	}
}

func TestWholeAndPartAreRivals(t *testing.T) {
	t.Parallel()
	for _, twisted := range []bool{false, true} {
		d := openBook(t)
		gone, ps := replaced(), parts()
		for i := range ps {
			ps[i].Item = "unasked"
		}
		gone.Item = "unasked"
		d.apply(3, append(ps, gone)...)
		a, b := d.claim(42, placed, order.ClaimWaiting), d.claim(43, part(1), order.ClaimWaiting)
		day := ps[0].Created.In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
		proofs := []func(){
			func() { d.prove(42, a.ID, order.Proof{Paid: 9000, Day: day}) },
			func() { d.prove(43, b.ID, order.Proof{Paid: 3000, Day: day}) },
		}
		if twisted {
			proofs[0], proofs[1] = proofs[1], proofs[0]
		}
		proofs[0]()
		d.look(0)
		proofs[1]()
		d.look(72 * time.Hour)
		d.wantClaim(42, order.ClaimContested)
		d.wantClaim(43, order.ClaimContested)
		d.decide(b, true)
		d.wantOwner(link.JD, "p1", 43, order.ByStaff)
		d.wantOwner(link.JD, "p2", 0, "")
		d.wantClaim(42, order.ClaimContested) // the rest may still be theirs
		d.decide(a, true)
		for _, id := range []string{"p1", "p2"} {
			d.wantOwner(link.JD, id, 42, order.ByStaff)
		}
		d.wantClaim(43, order.ClaimRefused)
	}
}

func TestAWholeIsNotPaidForTwice(t *testing.T) {
	t.Parallel()
	for paid, ok := range map[string]bool{"9000": true, "3000": true, "18000": false} {
		d := openBook(t)
		gone, ps := replaced(), parts()
		gone.Item, ps[0].Item, ps[1].Item = "unasked", "unasked", "unasked"
		gone.Price = 9000
		d.apply(3, append(ps, gone)...)
		c := d.claim(42, placed, order.ClaimWaiting)
		var n int64
		_, err := fmt.Sscan(paid, &n)
		must(t, err)
		d.prove(42, c.ID, order.Proof{Paid: gone.Price.Mul(n, 9000), Day: ps[0].Created.In(time.FixedZone("", 8*3600)).Format(time.DateOnly)})
		d.look(0)
		d.look(72 * time.Hour)
		if got := d.get(link.JD, "p2").User == 42; got != ok {
			t.Errorf("who says that %s fen were paid gets it: %v, want %v", paid, got, ok)
		}
	}
	d := openBook(t)
	if _, err := d.DecideClaim(t.Context(), d.claim(42, placed, order.ClaimWaiting).ID, true, "cli", ""); fault.ReasonOf(err) != "claim.no_order" {
		t.Error(err)
	}
}
