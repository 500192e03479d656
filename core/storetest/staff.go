package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	crew "fanli/core/desk"
	"fanli/core/fault"
	mail "fanli/core/post"
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

// A DeskStore keeps what waits and what was told, and the messages that told it.
type DeskStore interface {
	crew.PendingStore
	crew.AlertStore
	Items(ctx context.Context, f mail.Filter) ([]mail.Item, error)
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
	alert := crew.Told{
		Key: "k", Sink: "robot", What: crew.FeedStill, Station: "order", Title: crew.LFeed, ID: "jd", First: start(), Last: start(),
	}
	n := 0
	tell := func(t crew.Turn) int {
		n++
		p := mail.Parcel{Key: fmt.Sprintf("alert/%d", n), Channel: "robot", Chat: "group", Body: []byte("{}"), At: start(), Expires: start().Add(time.Hour)}
		_, errs := together(8, func(int) (struct{}, error) {
			return struct{}{}, s.Tell(context.Background(), start(), []crew.Turn{t}, []mail.Parcel{p})
		})
		ok := 0
		for _, err := range errs {
			switch {
			case err == nil:
				ok++
			case !fault.Is(err, fault.Conflict):
				ok = -100
			}
		}
		return ok
	}
	want(t, "at first", tell(crew.Turn{Told: alert}), 1)
	kept, err := s.Told(t.Context(), "robot")
	must(t, err)
	alert.Rev = 1
	want(t, "what is kept", kept, []crew.Told{alert})
	alert.Last, alert.Gone = start().Add(time.Minute), start().Add(time.Minute)
	want(t, "later", tell(crew.Turn{Told: alert}), 1)
	want(t, "by who is late", tell(crew.Turn{Told: alert, Over: true}), 0)
	alert.Rev = 2
	want(t, "that it is over", tell(crew.Turn{Told: alert, Over: true}), 1)
	kept, err = s.Told(t.Context(), "robot")
	must(t, err)
	want(t, "what is left", len(kept), 0)
	parcels, err := s.Items(t.Context(), mail.Filter{Side: mail.Out, Count: 10})
	must(t, err)
	want(t, "how many parcels are kept", len(parcels), 3)
}
