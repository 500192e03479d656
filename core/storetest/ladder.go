package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// ladderChecks are the promises about what explains whose an order is.
func ladderChecks() []check[OrderStore] {
	return []check[OrderStore]{
		{"WaysAreFoundByTagAndItem", waysFound},
		{"KnownWayChangesNothing", knownWay},
		{"KinOwnAnotherLineOfTheOrder", kinFound},
		{"SuffixesNameTheirUsers", suffixesFound},
		{"LinesWithTheSameDigitsAreAlike", alike},
		{"LinesThatAPersonHadAskedForAreWanted", wanted},
		{"AccountOfABuyerIsOnePersons", memberOnce},
		{"AccountsBoundAtOnceAreOnePersons", membersAtOnce},
		{"AccountsOfLinkedUsersAreListed", membersListed},
		{"ContestIsKeptOnce", contestOnce},
		{"TicketIsSpentOnce", ticketOnce},
		{"WaitingClaimsAreFoundByOrder", claimsFound},
		{"ClaimOfTheSameUserIsTheSame", claimSame},
		{"ClaimsAreCountedSinceATime", claimsCounted},
		{"ClaimIsSwappedAtItsRevision", claimSwapped},
		{"ClaimsAreListed", claimsListed},
		{"LinkOfAnEarlierOrderFindsIt", linkAfterOrder},
	}
}

func way(id, userID int64, item, tag string, at time.Time) order.Way {
	return order.Way{
		Link: id, User: userID, Network: link.JD, Item: item, Tag: tag, Slot: "slot",
		Promise: link.Promise{Rules: 1, Share: 7000, Terms: "{}"}, At: at,
	}
}

func addWays(t *testing.T, s OrderStore, ws ...order.Way) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) error {
		var errs []error
		for _, w := range ws {
			errs = append(errs, tx.AddWay(w))
		}
		return errors.Join(errs...)
	})
}

// ways asks for what could explain lines at JD since start.
func ways(t *testing.T, s OrderStore, tags, items, orders, suffixes []string) (w order.Ways) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) (err error) {
		w, err = tx.Ways(link.JD, tags, items, orders, suffixes, start())
		return err
	})
	return w
}

func waysFound(t *testing.T, s OrderStore) {
	old, first, second := way(1, 7, "item", "t1", start().Add(-time.Millisecond)), way(2, 7, "item", "t2", start()), way(3, 8, "item", "t3", start().Add(time.Hour))
	bare := order.Way{Link: 4, User: 9, Network: link.JD, Item: "bare", Tag: "t4", At: start()}
	far := way(5, 8, "item", "t5", start())
	far.Network = link.PDD
	addWays(t, s, second, old, first, bare, far)
	w := ways(t, s, []string{"t1", "t1", "t4", "t5", "no", ""}, []string{"item", "item", "no", ""}, nil, nil)
	want(t, "ByTag, however old", w.ByTag, map[string]order.Way{"t1": old, "t4": bare})
	want(t, "ByItem, since a time", w.ByItem, map[string][]order.Way{"item": {first, second}})
	w = ways(t, s, nil, nil, nil, nil)
	want(t, "number of ways to nothing", len(w.ByTag)+len(w.ByItem)+len(w.Kin)+len(w.Suffixes)+len(w.Claims), 0)
}

func knownWay(t *testing.T, s OrderStore) {
	a := way(1, 7, "item", "t1", start())
	addWays(t, s, a, a)
	b := a
	b.User, b.At = 8, start().Add(time.Hour)
	addWays(t, s, b)
	w := ways(t, s, []string{"t1"}, nil, nil, nil)
	want(t, "ByTag", w.ByTag, map[string]order.Way{"t1": a})
}

func kinFound(t *testing.T, s OrderStore) {
	for i, owner := range []int64{0, 7, 7, 8} {
		r := revision(fmt.Sprint(i))
		r.Order = "same"
		l := line(t, r)
		l.User = owner
		putLines(t, s, l)
	}
	far := revision("far")
	far.Order, far.Key.Network = "same", link.PDD
	l := line(t, far)
	l.User = 9
	putLines(t, s, l, paid(t, "lonely"))
	for _, x := range []struct {
		id, number string
		owner      int64
		by         order.Step
	}{
		{"whole", "placed", 0, ""}, {"part", "split-1", 7, order.ByTag}, {"other part", "split-2", 8, order.ByItem}, {"claimed part", "split-3", 9, order.ByClaim},
		{"given part", "split-4", 6, order.ByStaff}, {"proven part", "split-5", 5, order.ByProof}, {"following part", "split-6", 4, order.ByKin},
	} {
		r := revision(x.id)
		if r.Order, r.Parent = x.number, "placed"; x.id == "whole" {
			r.Parent = ""
		}
		l := line(t, r)
		l.User, l.Step, l.Link, l.Promise = x.owner, x.by, 70, link.Promise{Rules: 3, Share: 7000, Rebate: 276, Terms: `{"rules":3}`}
		putLines(t, s, l)
	}
	w := ways(t, s, nil, nil, []string{"same", "order-lonely", "no", "split-1", "placed"}, nil)
	want(t, "Kin", w.Kin, map[string][]int64{"same": {7, 8}, "placed": {7, 8}})
	want(t, "Word", w.Word, map[string][]int64{"placed": {9}, "split-4": {6}, "split-5": {5}})
}

func suffixesFound(t *testing.T, s OrderStore) {
	inOrders(t, s, func(tx order.Tx) error {
		return errors.Join(
			tx.AddSuffix(link.JD, "123456", 7), tx.AddSuffix(link.JD, "123456", 8), tx.AddSuffix(link.JD, "123456", 7),
			tx.AddSuffix(link.JD, "654321", 9), tx.AddSuffix(link.PDD, "123456", 9))
	})
	w := ways(t, s, nil, nil, nil, []string{"123456", "000000"})
	want(t, "Suffixes", w.Suffixes, map[string][]int64{"123456": {7, 8}})
}

func alike(t *testing.T, s OrderStore) {
	for i, x := range []struct {
		network, number string
		owner           int64
	}{{link.JD, "1000123456", 0}, {link.JD, "2000123456", 0}, {link.JD, "3000123456", 7}, {link.JD, "1234560000", 0}, {link.PDD, "4000123456", 0}} {
		r := revision(fmt.Sprint("alike", i))
		r.Key.Network, r.Order = x.network, x.number
		l := line(t, r)
		l.User = x.owner
		putLines(t, s, l)
	}
	for count, n := range map[int]int{10: 2, 1: 1} {
		inOrders(t, s, func(tx order.Tx) error {
			got, err := tx.Alike(link.JD, "123456", count)
			want(t, "number of lines Alike", len(got), n)
			for _, l := range got {
				want(t, "digits of a line Alike", l.Key.Network+l.Row().Order[4:], link.JD+"123456")
			}
			return err
		})
	}
}

func wanted(t *testing.T, s OrderStore) {
	addWays(t, s, way(1, 7, "cup", "t1", s.Now()), way(2, 8, "mug", "t2", s.Now()), way(3, 9, "pot", "t3", s.Now()))
	for i, x := range []struct {
		network, item string
		owner         int64
	}{{link.JD, "cup", 0}, {link.JD, "mug", 0}, {link.JD, "pot", 0}, {link.JD, "mug", 7}, {link.PDD, "mug", 0}} {
		r := revision(fmt.Sprint("wanted", i))
		r.Key.Network, r.Item = x.network, x.item
		l := line(t, r)
		l.User = x.owner
		putLines(t, s, l)
	}
	has := func(count int, items ...string) {
		t.Helper()
		inOrders(t, s, func(tx order.Tx) error {
			got, err := tx.Wanted(7, count)
			var found []string
			for _, l := range got {
				found = append(found, l.Key.Network+"/"+l.Row().Item)
			}
			want(t, "Wanted", found, items)
			return err
		})
	}
	has(9, link.JD+"/cup")
	inOrders(t, s, func(tx order.Tx) error {
		return tx.PutMerged(order.Merged{ID: 1, Absorbed: 8, Survivor: 7, Linked: true, Rev: 2})
	})
	has(9, link.JD+"/mug", link.JD+"/cup")
	has(1, link.JD+"/mug")
}

// claim says now that an order at JD is a user's; it waits for an hour.
func (s OrderStore) claim(userID int64, number string) order.Claim {
	at := s.Now().UTC().Truncate(time.Millisecond)
	return order.Claim{User: userID, Network: link.JD, Order: number, State: order.ClaimWaiting, Rev: 1, At: at, Until: at.Add(time.Hour), Next: at.Add(time.Hour)}
}

func putClaim(t *testing.T, s OrderStore, c order.Claim) (got order.Claim) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) (err error) {
		got, err = tx.PutClaim(c)
		return err
	})
	return got
}

func claimsFound(t *testing.T, s OrderStore) {
	a, b := putClaim(t, s, s.claim(7, "n1")), putClaim(t, s, s.claim(8, "n1"))
	granted := putClaim(t, s, s.claim(9, "n1"))
	ended := s.claim(10, "n1")
	ended.Until = ended.At // not looked at any more
	putClaim(t, s, ended)
	far := s.claim(7, "n1")
	far.Network = link.PDD
	putClaim(t, s, far)
	granted.State = order.ClaimGranted
	wantSwap(t, s, granted, 1, true)
	iced := putClaim(t, s, s.claim(11, "n1"))
	iced.State, iced.Rev = order.ClaimIced, 2
	wantSwap(t, s, iced, 1, true)
	w := ways(t, s, nil, nil, []string{"n1", "n2"}, nil)
	want(t, "Claims", w.Claims, map[string][]order.Claim{"n1": {a, b, iced}})
}

// wantSwap swaps a claim and judges whether that went.
func wantSwap(t *testing.T, s OrderStore, c order.Claim, rev int64, ok bool) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) error {
		got, err := tx.SwapClaim(c, rev)
		want(t, fmt.Sprintf("SwapClaim of %d at %d", c.ID, rev), got, ok)
		return err
	})
}

func claimSwapped(t *testing.T, s OrderStore) {
	c := putClaim(t, s, s.claim(7, "n1"))
	c.State, c.Rev, c.Until, c.Next = order.ClaimAppealed, 2, c.Until.Add(time.Hour), c.Next.Add(time.Minute)
	c.Proof, c.Proofs, c.Appeals = order.Proof{Paid: 8900, Day: "2026-03-01"}, 2, 1
	c.Actor, c.Note = "cli", "这不是我的"
	wantSwap(t, s, c, 1, true)
	lost := c
	lost.State, lost.Rev = order.ClaimRefused, 2
	wantSwap(t, s, lost, 1, false)
	lost.ID = 99
	wantSwap(t, s, lost, 2, false)
	inOrders(t, s, func(tx order.Tx) error {
		got, err := tx.Claim(c.ID)
		want(t, "Claim", got, c)
		return err
	})
	err := s.Store.InTx(t.Context(), func(tx order.Tx) error { _, err := tx.Claim(99); return err })
	wantCode(t, "Claim of none", err, fault.NotFound)
}

func claimsListed(t *testing.T, s OrderStore) {
	a, b, other := putClaim(t, s, s.claim(7, "n1")), putClaim(t, s, s.claim(7, "n2")), putClaim(t, s, s.claim(8, "n1"))
	inOrders(t, s, func(tx order.Tx) error {
		got, err := tx.ClaimsOf(link.JD, "n1")
		want(t, "ClaimsOf", got, []order.Claim{a, other})
		return err
	})
	got, err := s.Store.Claims(t.Context(), 7, 0, 10)
	must(t, err)
	want(t, "Claims of a user", got, []order.Claim{b, a})
	for before, list := range map[int64][]order.Claim{0: {b}, b.ID + 5: {b}, b.ID: {a}, a.ID: nil} {
		got, err = s.Store.Claims(t.Context(), 7, before, 1)
		must(t, err)
		want(t, fmt.Sprint("one of them before ", before), got, list)
	}
	b.State, b.Rev, b.Next, b.Until = order.ClaimContested, 2, b.At.Add(time.Minute), b.At.Add(time.Minute)
	wantSwap(t, s, b, 1, true)
	done := other
	done.State, done.Rev, done.Next = order.ClaimExpired, 2, done.At
	wantSwap(t, s, done, 1, true)
	due, err := s.Store.DueClaims(t.Context(), a.Next, 10)
	must(t, err)
	want(t, "DueClaims", due, []order.Claim{b, a})
	due, err = s.Store.DueClaims(t.Context(), b.Next.Add(-time.Millisecond), 10)
	must(t, err)
	want(t, "DueClaims before any", due, []order.Claim(nil))
	staffed, err := s.Store.StaffedClaims(t.Context(), 10)
	must(t, err)
	want(t, "StaffedClaims", staffed, []order.Claim{b})
}

func claimSame(t *testing.T, s OrderStore) {
	c := s.claim(7, "n1")
	a := putClaim(t, s, c)
	if a.ID <= 0 {
		t.Errorf("id %d is not above zero", a.ID)
	}
	c.ID = a.ID
	want(t, "PutClaim", a, c)
	later := s.claim(7, "n1")
	later.At, later.Until = later.At.Add(time.Minute), later.Until.Add(time.Minute)
	want(t, "PutClaim again", putClaim(t, s, later), a)
	if other := putClaim(t, s, s.claim(8, "n1")); other.ID == a.ID {
		t.Error("two users have one claim")
	}
	got, errs := together(atOnce, func(int) (c order.Claim, err error) {
		return c, s.Store.InTx(t.Context(), func(tx order.Tx) (err error) {
			c, err = tx.PutClaim(s.claim(7, "n2"))
			return err
		})
	})
	must(t, errors.Join(errs...))
	for _, c := range got {
		want(t, "id of a claim that many make at once", c.ID, got[0].ID)
	}
}

func claimsCounted(t *testing.T, s OrderStore) {
	early := s.claim(7, "n1")
	early.At = early.At.Add(-time.Hour)
	first := putClaim(t, s, early)
	late := s.claim(7, "n2")
	late.At = first.At.Add(time.Hour)
	putClaim(t, s, late)
	putClaim(t, s, s.claim(8, "n3"))
	for since, n := range map[time.Duration]int{0: 2, time.Millisecond: 1, 3 * time.Hour: 0} {
		inOrders(t, s, func(tx order.Tx) error {
			got, last, err := tx.CountClaims(7, first.At.Add(since))
			want(t, "CountClaims", got, n)
			want(t, "the last is known", last.IsZero(), n == 0)
			if n > 0 {
				want(t, "the last", last, first.At.Add(time.Hour))
			}
			return err
		})
	}
}

func linkAfterOrder(t *testing.T, s OrderStore) {
	b := order.Book{Store: s.Store, Now: start}
	r := revision("1")
	_, err := b.Apply(t.Context(), order.Page{Revisions: []order.Revision{r}}, nil)
	must(t, err)
	m := link.LinkMade{Link: 70, User: 7, Network: link.JD, Item: r.Item, Tag: r.Tag, At: r.Clicked}
	e, err := event.New("link/"+m.Tag, event.LinkMade, start(), m)
	must(t, err)
	for range 2 { // news may come twice
		must(t, b.LinkMade(context.WithoutCancel(t.Context()), e))
	}
	l := known(t, s, r.Key)[r.Key]
	want(t, "whose it is", l.User, int64(7))
	want(t, "what decided", l.Step, order.ByTag)
	want(t, "rev", l.Rev, int64(2))
	want(t, "number of events", len(s.Heard(t)), 2)
}

// progressChecks are the promises about where feeds stand.
func progressChecks() []check[OrderStore] {
	return []check[OrderStore]{
		{"ProgressComesBack", progressComesBack},
		{"ProgressOfAnOldLeaseIsConflict", progressFenced},
		{"FencedPageStoresNothing", fencedPage},
	}
}

func place(scene string) order.Place {
	return order.Place{Network: link.JD, Account: "main", Scene: scene, Rung: "follow"}
}

func setProgress(t *testing.T, s OrderStore, p order.Progress) error {
	t.Helper()
	return s.Store.InTx(t.Context(), func(tx order.Tx) error { return tx.SetProgress(p) })
}

func progressComesBack(t *testing.T, s OrderStore) {
	unknown, err := s.Store.Progress(t.Context(), place("a"))
	must(t, err)
	want(t, "Progress that is not known", unknown, order.Progress{Place: place("a")})
	full := order.Progress{
		Place: place("b"), Done: start(), To: start().Add(time.Hour), Cursor: "p2", At: start().Add(time.Minute),
		Failing: start().Add(2 * time.Minute), Fails: 3, Error: "limited feed.limited", Fence: 5,
	}
	bare := order.Progress{Place: place("a"), Done: start()}
	must(t, setProgress(t, s, full))
	must(t, setProgress(t, s, bare))
	for _, p := range []order.Progress{full, bare} {
		got, err := s.Store.Progress(t.Context(), p.Place)
		must(t, err)
		want(t, "Progress", got, p)
	}
	full.Failing, full.Fails, full.Error, full.To, full.Cursor = time.Time{}, 0, "", time.Time{}, "" // back to nothing
	must(t, setProgress(t, s, full))
	all, err := s.Store.Places(t.Context())
	must(t, err)
	want(t, "Places", all, []order.Progress{bare, full})
}

func progressFenced(t *testing.T, s OrderStore) {
	p := order.Progress{Place: place("a"), Done: start(), Fence: 5}
	must(t, setProgress(t, s, p))
	old := order.Progress{Place: place("a"), Done: start().Add(time.Hour), Fence: 4}
	wantCode(t, "SetProgress under an older lease", setProgress(t, s, old), fault.Conflict)
	got, err := s.Store.Progress(t.Context(), p.Place)
	must(t, err)
	want(t, "Progress", got, p)
	for _, fence := range []int64{5, 6} {
		p.Fence, p.Done = fence, p.Done.Add(time.Minute)
		must(t, setProgress(t, s, p))
	}
	must(t, setProgress(t, s, order.Progress{Place: place("b"), Done: start(), Fence: 1})) // a lease of its own
}

func fencedPage(t *testing.T, s OrderStore) {
	must(t, setProgress(t, s, order.Progress{Place: place("a"), Done: start(), Fence: 5}))
	b := order.Book{Store: s.Store, Now: start}
	_, err := b.Apply(t.Context(), ordersPage(3), &order.Progress{Place: place("a"), Done: start().Add(time.Hour), Fence: 4})
	wantCode(t, "Apply under an older lease", err, fault.Conflict)
	c, err := s.Store.Counts(t.Context())
	must(t, err)
	want(t, "Counts", c, order.Counts{})
	want(t, "number of events", len(s.Heard(t)), 0)
}
