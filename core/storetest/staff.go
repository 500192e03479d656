package storetest

import (
	"testing"
	"time"

	crew "fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/user"
)

// Staff holds a store of staff to its promises.
func Staff(t *testing.T, open func(t *testing.T) crew.StaffStore) {
	t.Helper()
	run(t, open, []check[crew.StaffStore]{
		{"MembersAndTheirIdentities", membersAndTheirIdentities},
		{"ANumberIsNeverUsedAgain", aNumberIsNeverUsedAgain},
	})
}

func putMember(t *testing.T, s crew.StaffStore, m crew.Member) (id int64, err error) {
	t.Helper()
	err = s.InStaffTx(t.Context(), func(tx crew.StaffTx) (err error) {
		id, err = tx.PutStaff(m)
		return err
	})
	return id, err
}

func membersAndTheirIdentities(t *testing.T, s crew.StaffStore) {
	tg, web := user.Identity{Channel: "telegram", External: "1"}, user.Identity{Channel: "web", External: "x"}
	id, err := putMember(t, s, crew.Member{Name: "Ann", Role: crew.Owner, Since: start(), Identities: []user.Identity{tg}})
	must(t, err)
	_, err = putMember(t, s, crew.Member{Name: "Bob", Role: crew.Support, Since: start(), Identities: []user.Identity{tg}})
	wantCode(t, "an identity of somebody else", err, fault.Conflict)
	_, err = putMember(t, s, crew.Member{ID: id, Name: "Ann L", Role: crew.Finance, Since: start(), Identities: []user.Identity{tg, web}})
	must(t, err)
	all, err := s.Staff(t.Context())
	must(t, err)
	want(t, "members", all, []crew.Member{{ID: id, Name: "Ann L", Role: crew.Finance, Since: start(), Identities: []user.Identity{tg, web}}})
	m, err := s.StaffBy(t.Context(), web)
	must(t, err)
	want(t, "whose identity", m.ID, id)
	_, err = s.StaffBy(t.Context(), user.Identity{Channel: "web", External: "y"})
	wantCode(t, "a stranger", err, fault.NotFound)
}

func aNumberIsNeverUsedAgain(t *testing.T, s crew.StaffStore) {
	tg := user.Identity{Channel: "telegram", External: "1"}
	id, err := putMember(t, s, crew.Member{Name: "Ann", Role: crew.Owner, Since: start(), Identities: []user.Identity{tg}})
	must(t, err)
	must(t, s.InStaffTx(t.Context(), func(tx crew.StaffTx) error { return tx.DropStaff(id) }))
	_, err = s.StaffBy(t.Context(), tg)
	wantCode(t, "who was removed", err, fault.NotFound)
	wantCode(t, "removing again", s.InStaffTx(t.Context(), func(tx crew.StaffTx) error { return tx.DropStaff(id) }), fault.NotFound)
	next, err := putMember(t, s, crew.Member{Name: "Bob", Role: crew.Owner, Since: start(), Identities: []user.Identity{tg}})
	must(t, err)
	if next == id {
		t.Errorf("number %d is used again", id)
	}
}

// A DeskStore keeps what waits and what was told.
type DeskStore interface {
	crew.PendingStore
	crew.AlertStore
}

// Desks holds a store of pending acts and alerts to its promises.
func Desks(t *testing.T, open func(t *testing.T) DeskStore) {
	t.Helper()
	run(t, open, []check[DeskStore]{
		{"TheSameKeyIsTheSamePending", theSameKeyIsTheSamePending},
		{"OneOfManyMovesAPending", oneOfManyMovesAPending},
		{"OneOfManyTells", oneOfManyTells},
	})
}

func pendingAct(key string) crew.Pending {
	return crew.Pending{
		Key: key, Place: "group", Act: crew.Act{Name: "approve", Args: []string{"7"}, Staff: 1, Role: crew.Finance, Key: key}, Code: "1234", Four: true,
		Stage: crew.Asked, Rev: 1, Until: start().Add(time.Minute), Preview: crew.Answer{Items: []crew.Item{{Title: crew.LOrder, ID: "7"}}},
	}
}

func theSameKeyIsTheSamePending(t *testing.T, s DeskStore) {
	a, err := s.AddPending(t.Context(), pendingAct("k"))
	must(t, err)
	other := pendingAct("k")
	other.Code = "9999"
	b, err := s.AddPending(t.Context(), other)
	must(t, err)
	want(t, "the second", b, a)
	got, err := s.Pending(t.Context(), a.ID)
	must(t, err)
	want(t, "what is kept", got, a)
	for place, n := range map[string]int{"group": 1, "elsewhere": 0} {
		ps, err := s.PendingsOf(t.Context(), 1, place, start(), 10)
		must(t, err)
		want(t, "in "+place, len(ps), n)
	}
	ps, err := s.PendingsOf(t.Context(), 1, "group", start().Add(time.Hour), 10)
	must(t, err)
	want(t, "long after", len(ps), 0)
}

func oneOfManyMovesAPending(t *testing.T, s DeskStore) {
	p, err := s.AddPending(t.Context(), pendingAct("k"))
	must(t, err)
	moved, errs := together(8, func(int) (bool, error) {
		q := p
		q.Stage, q.Rev = crew.Doing, p.Rev+1
		return s.SwapPending(t.Context(), q, p.Rev)
	})
	n := 0
	for i, ok := range moved {
		must(t, errs[i])
		if ok {
			n++
		}
	}
	want(t, "how many have moved it", n, 1)
}

func oneOfManyTells(t *testing.T, s DeskStore) {
	claim := func(now time.Time) int {
		fresh, errs := together(8, func(int) (bool, error) { return s.ClaimAlert(t.Context(), "k", "robot", now.Add(-time.Hour), now) })
		n := 0
		for i, ok := range fresh {
			must(t, errs[i])
			if ok {
				n++
			}
		}
		return n
	}
	want(t, "at first", claim(start()), 1)
	want(t, "soon after", claim(start().Add(time.Minute)), 0)
	want(t, "after a while", claim(start().Add(time.Hour)), 1)
	must(t, s.ReleaseAlert(t.Context(), "k", "robot"))
	want(t, "after a failure", claim(start().Add(time.Hour)), 1)
}
