package storetest

import (
	"errors"
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/order"
)

func member(user int64, tag string) order.Member {
	return order.Member{Network: link.JD, Tag: tag, User: user, At: start()}
}

// bindMember puts a member and returns what is stored then.
func bindMember(t *testing.T, s OrderStore, m order.Member) (got order.Member) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) (err error) {
		got, err = tx.PutMember(m)
		return err
	})
	return got
}

func memberOnce(t *testing.T, s OrderStore) {
	a, later := member(7, "member/1"), member(8, "member/1")
	later.At = start().Add(time.Hour)
	far := a
	far.Network, far.User = link.PDD, 9
	want(t, "the first", bindMember(t, s, a), a)
	want(t, "somebody else", bindMember(t, s, later), a)
	want(t, "at another network", bindMember(t, s, far), far)
	linked := way(1, 5, "item", "t1", start())
	addWays(t, s, linked)
	w := ways(t, s, []string{"t1", "member/1", "member/2", ""}, nil, nil, nil)
	want(t, "Members", w.Members, map[string]int64{"member/1": 7})
	want(t, "ByTag", w.ByTag, map[string]order.Way{"t1": linked})
}

func membersAtOnce(t *testing.T, s OrderStore) {
	got, errs := together(20, func(i int) (m order.Member, err error) {
		err = s.Store.InTx(t.Context(), func(tx order.Tx) error {
			m, err = tx.PutMember(member(int64(i+1), "member/1"))
			return err
		})
		return m, err
	})
	must(t, errors.Join(errs...))
	for i, m := range got {
		if m != got[0] {
			t.Errorf("user %d was told that it is user %d's, user 1 that it is user %d's", i+1, m.User, got[0].User)
		}
	}
}

func membersListed(t *testing.T, s OrderStore) {
	list := func(user int64) []order.Member {
		t.Helper()
		ms, err := s.Store.Members(t.Context(), user)
		must(t, err)
		return ms
	}
	want(t, "number of accounts of nobody", len(list(7)), 0)
	first, second := member(8, "member/2"), member(7, "member/1")
	second.At = start().Add(time.Minute)
	bindMember(t, s, second)
	bindMember(t, s, first)
	want(t, "one user's", list(7), []order.Member{second})
	merged := order.Merged{ID: 1, Absorbed: 8, Survivor: 7, Linked: true, Rev: 2}
	inOrders(t, s, func(tx order.Tx) error { return tx.PutMerged(merged) })
	both := first
	both.User = 7
	want(t, "once they are one person", list(7), []order.Member{both, second})
	linked := ways(t, s, []string{"member/2"}, nil, nil, nil)
	want(t, "whose it is for the ladder", linked.Persons[linked.Members["member/2"]], int64(7))
	merged.Linked, merged.Rev = false, 4
	inOrders(t, s, func(tx order.Tx) error { return tx.PutMerged(merged) })
	want(t, "once they are two again", list(7), []order.Member{second})
	want(t, "and of the other one", list(8), []order.Member{first})
}

func contestOnce(t *testing.T, s OrderStore) {
	c := order.Contest{Network: link.JD, Tag: "member/1", User: 8, Owner: 7, At: start()}
	again, other := c, c
	again.At, other.User, other.At = start().Add(time.Hour), 9, start().Add(time.Minute)
	inOrders(t, s, func(tx order.Tx) error {
		return errors.Join(tx.PutContest(c), tx.PutContest(again), tx.PutContest(other))
	})
	got, err := s.Store.Contests(t.Context(), start(), 10)
	must(t, err)
	if len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("contests: %+v", got)
	}
	c.ID, other.ID = got[1].ID, got[0].ID
	want(t, "Contests", got, []order.Contest{other, c})
	got, err = s.Store.Contests(t.Context(), start().Add(time.Second), 10)
	must(t, err)
	want(t, "Contests since a time", got, []order.Contest{other})
	got, err = s.Store.Contests(t.Context(), start(), 1)
	must(t, err)
	want(t, "one of the Contests", got, []order.Contest{other})
	bindMember(t, s, member(7, "member/1"))
	for _, known := range []bool{true, false} {
		inOrders(t, s, func(tx order.Tx) error {
			was, err := tx.DropMember(link.JD, "member/1")
			want(t, "what is dropped was there", was, known)
			return err
		})
	}
	got, err = s.Store.Contests(t.Context(), start(), 10)
	must(t, err)
	want(t, "number of Contests for what is dropped", len(got), 0)
	want(t, "it is free", bindMember(t, s, member(8, "member/1")), member(8, "member/1"))
}

func ticketOnce(t *testing.T, s OrderStore) {
	spend := func(ticket string, now time.Time) (fresh bool) {
		t.Helper()
		inOrders(t, s, func(tx order.Tx) (err error) {
			fresh, err = tx.SpendTicket(ticket, start().Add(time.Hour), now)
			return err
		})
		return fresh
	}
	want(t, "a ticket is fresh", spend("a", start()), true)
	want(t, "it is again", spend("a", start().Add(time.Minute)), false)
	want(t, "another one is", spend("b", start().Add(time.Minute)), true)
	want(t, "the first still is not", spend("a", start().Add(59*time.Minute)), false)
	fresh, errs := together(20, func(int) (fresh bool, err error) {
		err = s.Store.InTx(t.Context(), func(tx order.Tx) error {
			fresh, err = tx.SpendTicket("c", start().Add(time.Hour), start())
			return err
		})
		return fresh, err
	})
	must(t, errors.Join(errs...))
	n := 0
	for _, f := range fresh {
		if f {
			n++
		}
	}
	want(t, "for how many of twenty at once it was fresh", n, 1)
}
