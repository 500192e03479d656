package storetest

import (
	"slices"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/user"
)

// A MergeStores is what keeps merges, in all three targets, under test.
type MergeStores struct {
	Merges  user.MergeStore
	Moved   credit.MergeStore
	Credits credit.Store
	Ledger  ledger.Reader
	Orders  order.Store
	Heard   Heard // of the user target
}

// Merges checks every promise of the stores of merges.
func Merges(t *testing.T, open func(t *testing.T) MergeStores) {
	t.Helper()
	run(t, open,
		transactions(func(s MergeStores) atomic[user.MergeTx] { return emitting(s.Merges.InTx, s.Heard) }),
		[]check[MergeStores]{
			{"AMergeIsKeptAndSwapped", mergeKept},
			{"WhoPointsToWhom", mergePoints},
			{"TheNewestThatCounts", mergeNewest},
			{"ALinkCodeIsOnePersonsAndTheNewest", linkCodes},
			{"GuessesAreCounted", guessesCounted},
			{"WhatWasMovedIsKept", movedKept},
			{"RootsAndMembers", movedPoints},
			{"WhatIsBookedForAccountsIsAddedUp", lineSums},
			{"LinesAreShownAsOfWhoTheyAreNow", mergedLines},
		})
}

// merging stores a merge of b into a, in a stage.
func (s MergeStores) merging(t *testing.T, a, b int64, stage user.MergeStage) user.Merge {
	t.Helper()
	m := user.Merge{
		Absorbed: b, Survivor: a, Stage: stage, Rev: 1, Reason: "merge.spent", Actor: "cli", Note: "为什么", At: start(), Changed: start().Add(time.Second),
	}
	s.do(t, func(tx user.MergeTx) (err error) { m.ID, err = tx.InsertMerge(m); return err })
	return m
}

func (s MergeStores) do(t *testing.T, fn func(tx user.MergeTx) error) {
	t.Helper()
	must(t, s.Merges.InTx(t.Context(), fn))
}

func mergeKept(t *testing.T, s MergeStores) {
	m := s.merging(t, 1, 2, user.MergeBegun)
	got, err := s.Merges.Merge(t.Context(), m.ID)
	must(t, err)
	want(t, "Merge", got, m)
	_, err = s.Merges.Merge(t.Context(), m.ID+1)
	wantCode(t, "Merge of none", err, fault.NotFound)
	n := m
	n.Stage, n.Rev, n.Reason, n.Actor, n.Note, n.Changed = user.MergeMoved, 2, "", "", "", start().Add(time.Minute)
	s.do(t, func(tx user.MergeTx) error {
		ok, err := tx.SwapMerge(n, 2)
		want(t, "SwapMerge at another revision", ok, false)
		return err
	})
	for _, ok := range []bool{true, false} {
		s.do(t, func(tx user.MergeTx) error {
			got, err := tx.SwapMerge(n, 1)
			want(t, "SwapMerge", got, ok)
			return err
		})
	}
	s.do(t, func(tx user.MergeTx) error {
		got, err := tx.Merge(m.ID)
		want(t, "Merge in a transaction", got, n)
		return err
	})
	before := false
	for _, want1 := range []bool{false, true} {
		s.do(t, func(tx user.MergeTx) (err error) { before, err = tx.Handled("merge/1"); return err })
		want(t, "Handled", before, want1)
	}
}

func mergePoints(t *testing.T, s MergeStores) {
	s.merging(t, 1, 2, user.MergeDone)
	s.merging(t, 1, 5, user.MergeMoved)
	s.merging(t, 5, 7, user.MergeUndoing)
	s.merging(t, 1, 3, user.MergeUndone)
	s.merging(t, 1, 4, user.MergeRefused)
	s.merging(t, 1, 6, user.MergeBegun)
	for u, to := range map[int64]int64{1: 0, 2: 1, 3: 0, 4: 0, 5: 1, 6: 0, 7: 5} {
		got, err := s.Merges.SurvivorOf(t.Context(), u)
		must(t, err)
		want(t, "SurvivorOf", got, to)
		s.do(t, func(tx user.MergeTx) error {
			got, err := tx.Pointed(u)
			want(t, "Pointed", got, to)
			return err
		})
	}
	ms, err := s.Merges.AbsorbedBy(t.Context(), 1)
	must(t, err)
	want(t, "number of those who point to 1", len(ms), 2)
	want(t, "the first and second", [2]int64{ms[0].Absorbed, ms[1].Absorbed}, [2]int64{2, 5})
	for _, q := range []struct {
		users []int64
		busy  bool
	}{{[]int64{2}, false}, {[]int64{6}, true}, {[]int64{1, 9}, true}, {[]int64{9, 7}, true}, {[]int64{3, 4}, false}} {
		s.do(t, func(tx user.MergeTx) error {
			got, err := tx.Busy(q.users...)
			want(t, "Busy", got, q.busy)
			return err
		})
	}
	all, err := s.Merges.Merges(t.Context(), 0, 4)
	must(t, err)
	want(t, "how many of the newest", len(all), 4)
	rest, err := s.Merges.Merges(t.Context(), all[3].ID, 4)
	must(t, err)
	want(t, "how many before them", len(rest), 2)
	stuck, err := s.Merges.StuckMerges(t.Context(), start().Add(time.Hour), 9)
	must(t, err)
	want(t, "how many are stuck", len(stuck), 3)
	stuck, err = s.Merges.StuckMerges(t.Context(), start(), 9)
	must(t, err)
	want(t, "how many were stuck before", len(stuck), 0)
}

func mergeNewest(t *testing.T, s MergeStores) {
	first := s.merging(t, 1, 2, user.MergeDone)
	s.merging(t, 1, 3, user.MergeRefused)
	for _, u := range []int64{1, 2} {
		got, err := s.Merges.Newest(t.Context(), u)
		must(t, err)
		want(t, "Newest", got.ID, first.ID)
	}
	_, err := s.Merges.Newest(t.Context(), 3)
	wantCode(t, "Newest of one who was refused", err, fault.NotFound)
	second := s.merging(t, 1, 4, user.MergeBegun)
	got, err := s.Merges.Newest(t.Context(), 1)
	must(t, err)
	want(t, "Newest", got.ID, second.ID)
}

func linkCodes(t *testing.T, s MergeStores) {
	put := func(u int64, code string) {
		s.do(t, func(tx user.MergeTx) error { return tx.PutLinkCode(u, code, start().Add(time.Duration(u)*time.Minute)) })
	}
	look := func(code string, u int64) {
		t.Helper()
		s.do(t, func(tx user.MergeTx) error {
			got, until, err := tx.LinkCode(code)
			if u == 0 {
				wantCode(t, "LinkCode of nobody", err, fault.NotFound)
				return nil
			}
			want(t, "LinkCode", got, u)
			want(t, "until", until, start().Add(time.Duration(u)*time.Minute))
			return err
		})
	}
	put(1, "AAAA2222")
	put(2, "BBBB3333")
	look("AAAA2222", 1)
	put(1, "CCCC4444")
	look("AAAA2222", 0)
	look("aaaa2222", 0)
	look("CCCC4444", 1)
	s.do(t, func(tx user.MergeTx) error { return tx.DropLinkCode(1) })
	look("CCCC4444", 0)
	look("BBBB3333", 2)
}

func guessesCounted(t *testing.T, s MergeStores) {
	for n := range 3 {
		s.do(t, func(tx user.MergeTx) error {
			got, since, err := tx.Guesses(7)
			must(t, err)
			want(t, "Guesses", got, n)
			if n > 0 {
				want(t, "since", since, start())
			}
			return tx.SetGuesses(7, n+1, start())
		})
	}
}

func (s MergeStores) move(t *testing.T, fn func(tx credit.MergeTx) error) {
	t.Helper()
	must(t, s.Moved.InTx(t.Context(), fn))
}

// moved stores that b's money was moved to a.
func (s MergeStores) moved(t *testing.T, id, a, b int64, stage credit.MovedStage) credit.Moved {
	t.Helper()
	m := credit.Moved{
		ID: id, Absorbed: b, Survivor: a, Stage: stage, Rev: 1, Pending: 10, Available: 20, Debt: 3, Repaid: 2, At: start(),
		Lines: credit.LineSums{Pending: 9, Available: 18},
	}
	s.move(t, func(tx credit.MergeTx) error { return tx.PutMoved(m) })
	return m
}

func movedKept(t *testing.T, s MergeStores) {
	m := s.moved(t, 7, 1, 2, credit.MoneyMoved)
	m.Stage, m.Rev, m.Reason, m.BackPending, m.BackNet = credit.MoneyReturned, 4, "merge.spent", 11, -5
	s.move(t, func(tx credit.MergeTx) error { return tx.PutMoved(m) })
	s.move(t, func(tx credit.MergeTx) error {
		got, err := tx.Moved(7)
		want(t, "Moved", got, m)
		_, none := tx.Moved(8)
		wantCode(t, "Moved of none", none, fault.NotFound)
		return err
	})
	again := m
	again.Stage = credit.MoneyMoved
	if err := s.Moved.InTx(t.Context(), func(tx credit.MergeTx) error { return tx.PutMoved(again) }); err == nil {
		t.Error("money that has gone back is moved again by the same merge")
	}
}

func movedPoints(t *testing.T, s MergeStores) {
	s.moved(t, 1, 1, 2, credit.MoneyMoved)
	s.moved(t, 2, 2, 5, credit.MoneyMoved) // 5 into 2 into 1
	s.moved(t, 3, 1, 3, credit.MoneyReturned)
	s.moved(t, 4, 1, 4, credit.MoneyRefused)
	must(t, s.Credits.InTx(t.Context(), func(tx credit.Tx) error {
		got, err := tx.Roots([]int64{0, 1, 2, 3, 4, 5, 2})
		want(t, "number of those who point", len(got), 2)
		want(t, "roots", [2]int64{got[2], got[5]}, [2]int64{1, 1})
		for of, all := range map[int64][]int64{1: {1, 2, 5}, 2: {1, 2, 5}, 5: {1, 2, 5}, 3: {3}, 4: {4}} {
			kin, err := tx.Kin(of)
			must(t, err)
			slices.Sort(kin)
			want(t, "Kin", kin, all)
		}
		return err
	}))
	s.move(t, func(tx credit.MergeTx) error {
		for of, n := range map[int64]int{1: 3, 2: 2, 3: 1, 5: 1} {
			got, err := tx.Members(of)
			must(t, err)
			want(t, "number of members", len(got), n)
			want(t, "the first", got[0], of)
		}
		return nil
	})
}

func lineSums(t *testing.T, s MergeStores) {
	k := func(id string) order.Key { return order.Key{Network: "jd", Account: "main", ID: id} }
	must(t, s.Credits.InTx(t.Context(), func(tx credit.Tx) error {
		return tx.PutBooked([]credit.Booked{
			{Key: k("1"), Seq: 1, User: 2, Pending: 100}, {Key: k("2"), Seq: 1, User: 2, Available: 30, Shared: true, Cuts: [2]credit.BookedCut{{User: 9, Available: 7}, {User: 2, Pending: 1}}},
			{Key: k("3"), Seq: 1, User: 9, Available: 50, Shared: true, Cuts: [2]credit.BookedCut{{User: 2, Available: 4}}}, {Key: k("4"), Seq: 1, User: 5, Pending: 1000},
		})
	}))
	s.move(t, func(tx credit.MergeTx) error {
		for _, q := range []struct {
			of   []int64
			want credit.LineSums
		}{
			{[]int64{2}, credit.LineSums{Pending: 101, Available: 34}}, {[]int64{2, 5}, credit.LineSums{Pending: 1101, Available: 34}},
			{[]int64{9}, credit.LineSums{Available: 57}}, {[]int64{8}, credit.LineSums{}},
		} {
			got, err := tx.LineSums(q.of)
			must(t, err)
			want(t, "LineSums", got, q.want)
		}
		return nil
	})
}

func mergedLines(t *testing.T, s MergeStores) {
	do := func(fn func(tx order.Tx) error) {
		t.Helper()
		must(t, s.Orders.InTx(t.Context(), fn))
	}
	line := func(id, number string, u int64) *order.Line {
		return &order.Line{
			Key: order.Key{Network: "jd", Account: "main", ID: id}, Rev: 1, User: u, Step: order.ByTag, Seen: start(), Facts: order.Facts{State: order.Paid},
			Whole: &order.Register{Revision: order.Revision{Order: number, Item: "i", State: order.Paid, Price: money.Fen(100), Created: start()}},
		}
	}
	do(func(tx order.Tx) error { return tx.Put([]*order.Line{line("1", "n1", 1), line("2", "n2", 2)}) })
	do(func(tx order.Tx) error {
		_, err := tx.PutClaim(order.Claim{User: 2, Network: "jd", Order: "n3", State: order.ClaimWaiting, Rev: 1, At: start(), Until: start(), Next: start()})
		return err
	})
	for rev, linked := range []bool{false, true, false} {
		m := order.Merged{ID: 4, Absorbed: 2, Survivor: 1, Linked: linked, Rev: int64(rev + 1)}
		do(func(tx order.Tx) error { return tx.PutMerged(m) })
		do(func(tx order.Tx) error {
			got, err := tx.Merged(4)
			must(t, err)
			want(t, "Merged", got, m)
			root, err := tx.Root(2)
			must(t, err)
			want(t, "Root", root, map[bool]int64{true: 1, false: 2}[linked])
			w, err := tx.Ways("jd", nil, []string{"i"}, []string{"n2"}, nil, start().Add(-time.Hour))
			must(t, err)
			want(t, "whether the ways know it", w.Persons[2] == 1, linked)
			ls, err := tx.Lines([]order.Key{line("2", "", 0).Key})
			for _, l := range ls {
				want(t, "whose it is where it is kept", l.User, int64(2))
			}
			return err
		})
		ls, err := s.Orders.OfUser(t.Context(), 1, 0, 9)
		must(t, err)
		want(t, "number of lines", len(ls), map[bool]int{true: 2, false: 1}[linked])
		ls, err = s.Orders.ByNumber(t.Context(), "n2")
		must(t, err)
		want(t, "whose it is", ls[0].User, map[bool]int64{true: 1, false: 2}[linked])
		cs, err := s.Orders.Claims(t.Context(), 1, 0, 9)
		must(t, err)
		want(t, "number of claims", len(cs), map[bool]int{true: 1, false: 0}[linked])
	}
}
