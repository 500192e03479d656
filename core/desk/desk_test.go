package desk_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// A room keeps everything in memory: members and what waits.
type room struct {
	members  []desk.Member
	pendings []desk.Pending
	now      time.Time
	events   []event.Event
}

func newRoom() *room {
	return &room{now: time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)}
}

func (r *room) InStaffTx(_ context.Context, fn func(desk.StaffTx) error) error { return fn(roomTx{r}) }
func (r *room) Staff(context.Context) ([]desk.Member, error)                   { return r.members, nil }
func (r *room) StaffBy(context.Context, user.Identity) (desk.Member, error) {
	return desk.Member{}, fault.New(fault.NotFound, "")
}

type roomTx struct{ *room }

func (t roomTx) Emit(e event.Event) error      { t.events = append(t.events, e); return nil }
func (t roomTx) Staff() ([]desk.Member, error) { return slices.Clone(t.members), nil }
func (t roomTx) PutStaff(m desk.Member) (int64, error) {
	if m.ID == 0 {
		m.ID = int64(len(t.members) + 1)
		t.members = append(t.members, m)
	} else {
		t.members[m.ID-1] = m
	}
	return m.ID, nil
}
func (t roomTx) DropStaff(id int64) error {
	t.members = slices.DeleteFunc(t.members, func(m desk.Member) bool { return m.ID == id })
	return nil
}

func (r *room) AddPending(_ context.Context, p desk.Pending) (desk.Pending, error) {
	p.ID = int64(len(r.pendings) + 1)
	r.pendings = append(r.pendings, p)
	return p, nil
}
func (r *room) Pending(_ context.Context, id int64) (desk.Pending, error) {
	return r.pendings[id-1], nil
}
func (r *room) PendingsOf(_ context.Context, staff int64, place string, since time.Time, _ int) (out []desk.Pending, err error) {
	for _, p := range r.pendings {
		if p.Act.Staff == staff && p.Place == place && !p.Until.Before(since) {
			out = append(out, p)
		}
	}
	return out, nil
}
func (r *room) SwapPending(_ context.Context, p desk.Pending, rev int64) (bool, error) {
	if r.pendings[p.ID-1].Rev != rev {
		return false, nil
	}
	r.pendings[p.ID-1] = p
	return true, nil
}

// A station does as it is told, and remembers under which keys.
type station struct {
	errs []error
	keys []string
}

func (s *station) Do(_ context.Context, a desk.Act) (desk.Answer, error) {
	if a.Dry || a.Key == "" {
		return desk.Answer{Items: []desk.Item{{Title: desk.LSwitch}}}, nil
	}
	s.keys = append(s.keys, a.Key)
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return desk.Answer{}, err
	}
	return desk.Answer{}, nil
}

// An answer that gets lost is asked for again under the same key; one that says no ends
// it; and the code is nobody else's, and of no other place.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	r, s := newRoom(), &station{errs: []error{fault.New(fault.Unknown, ""), nil, fault.New(fault.Conflict, "no")}}
	f := &desk.Front{Stations: map[string]desk.Service{"payment": s}, Pendings: r, Now: func() time.Time { return r.now }, Code: func() string { return "1234" }}
	ann, bob := desk.Member{ID: 1, Role: desk.Owner}, desk.Member{ID: 2, Role: desk.Owner}
	try := func(m desk.Member, place string, want fault.Code) {
		t.Helper()
		_, _, err := f.Confirm(t.Context(), m, place, "1234")
		if got := fault.CodeOf(err); got != want {
			t.Errorf("%d in %s: %v, want %q", m.ID, place, err, want)
		}
	}
	ask := func(key string) {
		t.Helper()
		if _, p, err := f.Ask(t.Context(), ann, "group", key, "kill", "payouts because"); err != nil || p == nil {
			t.Fatal(p, err)
		}
	}
	ask("m1")
	try(bob, "group", fault.NotFound)
	try(ann, "elsewhere", fault.NotFound)
	try(ann, "group", fault.Unknown)
	try(ann, "group", "")
	try(ann, "group", "")
	if len(s.keys) != 2 || s.keys[0] != s.keys[1] {
		t.Errorf("it was done under the keys %v", s.keys)
	}
	r.now = r.now.Add(time.Hour)
	ask("m2")
	try(ann, "group", fault.Conflict)
	try(ann, "group", fault.NotFound)
	r.now = r.now.Add(time.Hour)
	ask("m3")
	ann.Role = desk.Auditor // meanwhile
	try(ann, "group", fault.Denied)
	if len(s.keys) != 3 {
		t.Errorf("it was done %d times", len(s.keys))
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	r := newRoom()
	roster := &desk.Roster{Store: r, Now: func() time.Time { return r.now }}
	add := func(id string, role desk.Role, name string, want fault.Code) {
		t.Helper()
		if _, _, err := roster.Add(t.Context(), user.Identity{Channel: "telegram", External: id}, role, name, "cli"); fault.CodeOf(err) != want {
			t.Errorf("%s as %s: %v, want %q", name, role, err, want)
		}
	}
	if err := roster.First(t.Context(), user.Identity{Channel: "telegram", External: "1"}); err != nil {
		t.Fatal(err)
	}
	add("1", desk.Support, "Ann", fault.Conflict)
	add("1", desk.Owner, "Ann", "")
	add("2", "king", "Bob", fault.Invalid)
	add("2", desk.Owner, "", fault.Invalid)
	add("2", desk.Owner, "Ann", "") // another identity of the same one
	if _, err := roster.Remove(t.Context(), 1, "cli", ""); fault.ReasonOf(err) != "desk.last_owner" {
		t.Errorf("the last owner: %v", err)
	}
	add("3", desk.Owner, "Bob", "")
	if _, err := roster.Remove(t.Context(), 1, "cli", ""); err != nil {
		t.Error(err)
	}
	if len(r.members) != 1 || len(r.events) != 5 {
		t.Errorf("%d members after %d acts", len(r.members), len(r.events))
	}
	if err := roster.First(t.Context(), user.Identity{Channel: "telegram", External: "9"}); err != nil || len(r.members) != 1 {
		t.Errorf("a configured owner beside another: %v", err)
	}
}

type away struct{}

func (away) Do(context.Context, desk.Act) (desk.Answer, error) {
	return desk.Answer{}, fault.New(fault.Unavailable, fault.Down)
}

// What travels comes back as it was.
func TestAnswersTravel(t *testing.T) {
	t.Parallel()
	a := desk.Answer{Items: []desk.Item{desk.DeadAlert("order", 2)}, Four: true, More: 3}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var c desk.Answer
	if err := json.Unmarshal(b, &c); err != nil || len(c.Items) != 1 || c.Items[0].Fields[0] != a.Items[0].Fields[0] || !c.Four || c.More != 3 {
		t.Errorf("%s, %v", b, err)
	}
}
