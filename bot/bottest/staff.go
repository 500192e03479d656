package bottest

import (
	"context"
	"slices"
	"strings"
	"time"

	"fanli/bot"
	"fanli/core/audit"
	"fanli/core/credit"
	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/fault"
	fen "fanli/core/money"
	"fanli/core/order"
	"fanli/core/post"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// staffGroup is the chat in which staff speak.
const staffGroup = "staff"

// A staffRoom is what a fake world has of staff.
type staffRoom struct {
	*store
	roster *desk.Roster
	alarm  *desk.Alarm
	front  *desk.Front
}

// staffed gives a fake world a staff group, and the stations behind it.
func (f *Fake) staffed(in inbox) {
	now, zone := f.Clock.Now, time.FixedZone("UTC+8", 8*60*60)
	f.store.now = now
	room := &staffRoom{store: f.store, roster: &desk.Roster{Store: staffStore{in}, Now: now}}
	limits := func() withdraw.Limits { return f.desk.Limits }
	stations := map[string]desk.Service{
		"user": desk.NewStation(desk.Register{People: f.users, Roster: room.roster, Now: now, Zone: zone}.Handlers()),
		"order": desk.NewStation(desk.Ordering{
			Book: f.book, Unowned: f.unowned, Day: f.placed, Now: now, Zone: zone,
		}.Handlers()),
		"rebate": desk.NewStation(desk.Sharing{Clerk: f.clerk, Now: now}.Handlers()),
		"payment": desk.NewStation(desk.Payment{
			Payouts: f.desk, Board: f.board, Wallets: credit.Purse{Ledger: ledgerReader{f.store}}, Acts: actReader{f.store},
			Day: f.entered, Limits: limits, Now: now, Zone: zone,
		}.Handlers()),
	}
	quiet := func(context.Context) ([]post.Depth, error) { return nil, nil }
	stations["bot"] = desk.NewStation(desk.Channels{Depths: quiet, Menus: &account{is: []string{"查优惠 → 查券"}}}.Handlers())
	random := &Random{}
	room.front = &desk.Front{Stations: stations, Pendings: room, Now: now, Code: func() string { return desk.Digits(random) }}
	room.alarm = &desk.Alarm{Stations: stations, Sinks: []desk.Sink{f}, Store: room, Pause: time.Hour, Now: now}
	f.room = room
	f.Bot.Staff = &bot.Staff{Group: func(m bot.Message) bool { return m.Group && m.Chat == staffGroup }, Front: room.front}
}

// Wrap implements desk.Sink: the group is told at once.
func (f *Fake) Wrap(_ context.Context, n desk.News) ([]post.Parcel, error) {
	to := user.Identity{Channel: channel, External: "the staff group"}
	return []post.Parcel{{Key: n.Key}}, f.Send(context.Background(), to, f.Bot.News(n, "zh"))
}

// Wake implements desk.Sink.
func (*Fake) Wake(context.Context) {}

// An account is an official account with a menu.
type account struct{ is []string }

// Menus implements desk.Menus.
func (a *account) Menus(context.Context) (is, shall []string, err error) {
	return a.is, []string{"查优惠", "└ 查券 → 查券", "我的"}, nil
}

// Publish implements desk.Menus.
func (a *account) Publish(ctx context.Context, _ desk.Act) (err error) {
	_, a.is, err = a.Menus(ctx)
	return err
}

// hire makes somebody staff: "staff bob finance [as ann]": a name of its own, or of a
// member who is there already.
func (f *Fake) hire(args ...string) error {
	if len(args) < 2 {
		return errUsage
	}
	name := args[0]
	if len(args) == 4 {
		name = args[3]
	}
	_, _, err := f.room.roster.Add(context.Background(), user.Identity{Channel: channel, External: args[0]}, desk.Role(args[1]), name, "cli")
	return f.after(err)
}

// alarms tells staff what they should hear unasked.
func (f *Fake) alarms(...string) error {
	_, err := f.room.alarm.Run(context.Background())
	return err
}

// fourEyes says above which sum two have to approve.
func (f *Fake) fourEyes(args ...string) error {
	amount, err := fen.ParseYuan(strings.Join(args, ""), fen.Exact)
	f.desk.Limits.FourEyes = amount
	return err
}

func (f *Fake) unowned(_ context.Context, _ int64, count int) ([]order.Line, error) {
	return read(f.store, func() ([]order.Line, error) {
		out := f.store.where(func(l order.Line) bool { return l.User == 0 })
		slices.Reverse(out)
		return out[:min(count, len(out))], nil
	})
}

func (f *Fake) placed(_ context.Context, from, until time.Time) ([]desk.Placed, error) {
	return read(f.store, func() (out []desk.Placed, err error) {
		for _, l := range f.store.where(func(l order.Line) bool { return !l.Seen.Before(from) && l.Seen.Before(until) }) {
			at := slices.IndexFunc(out, func(p desk.Placed) bool { return p.Network == l.Key.Network })
			if at < 0 {
				at = len(out)
				out = append(out, desk.Placed{Network: l.Key.Network})
			}
			out[at].Count++
			out[at].Price += l.Price
			out[at].Commission += l.Commission
		}
		return out, nil
	})
}

func (f *Fake) entered(_ context.Context, from, until time.Time) ([]desk.Entered, error) {
	return read(f.store, func() (out []desk.Entered, err error) {
		for _, e := range f.store.entries {
			if !e.At.Before(from) && e.At.Before(until) {
				out = append(out, desk.Entered{Kind: e.Kind, Count: 1, Sum: e.Amount})
			}
		}
		return out, nil
	})
}

// acted keeps what staff did elsewhere.
func (f *Fake) acted(_ context.Context, e event.Event) error {
	var a audit.Acted
	if err := e.Decode(&a); err != nil {
		return err
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.record(audit.Act{At: a.At, Actor: a.Actor, What: a.What, On: a.On, Reason: a.Reason, Before: a.Before, After: a.After})
	return nil
}

// record adds an act.
func (s *store) record(a audit.Act) {
	a.ID = int64(len(s.deeds) + 1)
	if a.At.IsZero() {
		a.At = s.now()
	}
	s.deeds = append(s.deeds, a)
}

type actReader struct{ *store }

func (r actReader) Acts(_ context.Context, f audit.Filter) ([]audit.Act, error) {
	return read(r.store, func() (out []audit.Act, err error) {
		for _, a := range slices.Backward(r.deeds) {
			if (f.Actor == "" || f.Actor == a.Actor) && len(out) < f.Count {
				out = append(out, a)
			}
		}
		return out, nil
	})
}

func (actReader) WalkActs(context.Context, func(audit.Act) error) error { return nil }
func (actReader) ActsEnd(context.Context) (int64, string, error)        { return 0, "", nil }

type staffStore struct{ inbox }

type staffTx struct{ *tx }

func (s staffStore) InStaffTx(_ context.Context, fn func(desk.StaffTx) error) error {
	return s.run(func(t *tx) error { return fn(staffTx{t}) })
}

func (s staffStore) Staff(context.Context) ([]desk.Member, error) {
	return read(s.store, func() ([]desk.Member, error) { return slices.Clone(s.members), nil })
}

func (s staffStore) StaffBy(_ context.Context, i user.Identity) (desk.Member, error) {
	return read(s.store, func() (desk.Member, error) {
		for _, m := range s.members {
			if slices.Contains(m.Identities, i) {
				return m, nil
			}
		}
		return desk.Member{}, fault.New(fault.NotFound, "")
	})
}

func (t staffTx) Staff() ([]desk.Member, error) { return slices.Clone(t.members), nil }

func (t staffTx) PutStaff(m desk.Member) (int64, error) {
	if m.ID != 0 {
		at := slices.IndexFunc(t.members, func(o desk.Member) bool { return o.ID == m.ID })
		t.members[at] = m
		return m.ID, nil
	}
	m.ID = int64(len(t.members) + 1)
	t.members = append(t.members, m)
	return m.ID, nil
}

func (t staffTx) DropStaff(id int64) error {
	t.members = slices.DeleteFunc(t.members, func(m desk.Member) bool { return m.ID == id })
	return nil
}

func (r *staffRoom) AddPending(_ context.Context, p desk.Pending) (desk.Pending, error) {
	return read(r.store, func() (desk.Pending, error) {
		for _, o := range r.pendings {
			if o.Key == p.Key {
				return o, nil
			}
		}
		p.ID = int64(len(r.pendings) + 1)
		r.pendings = append(r.pendings, p)
		return p, nil
	})
}

func (r *staffRoom) Pending(_ context.Context, id int64) (desk.Pending, error) {
	return read(r.store, func() (desk.Pending, error) {
		if id > int64(len(r.pendings)) {
			return desk.Pending{}, fault.New(fault.NotFound, "")
		}
		return r.pendings[id-1], nil
	})
}

func (r *staffRoom) PendingsOf(_ context.Context, staff int64, place string, since time.Time, _ int) ([]desk.Pending, error) {
	return read(r.store, func() (out []desk.Pending, err error) {
		for _, p := range slices.Backward(r.pendings) {
			if p.Act.Staff == staff && p.Place == place && !p.Until.Before(since) {
				out = append(out, p)
			}
		}
		return out, nil
	})
}

func (r *staffRoom) SwapPending(_ context.Context, p desk.Pending, rev int64) (bool, error) {
	return read(r.store, func() (bool, error) {
		if r.pendings[p.ID-1].Rev != rev {
			return false, nil
		}
		r.pendings[p.ID-1] = p
		return true, nil
	})
}

// Told implements desk.AlertStore.
func (r *staffRoom) Told(context.Context, string) ([]desk.Told, error) {
	return read(r.store, func() ([]desk.Told, error) { return slices.Clone(r.told), nil })
}

// Tell implements desk.AlertStore.
func (r *staffRoom) Tell(_ context.Context, _ time.Time, turns []desk.Turn, _ []post.Parcel) error {
	_, err := read(r.store, func() (bool, error) {
		for _, t := range turns {
			r.told = slices.DeleteFunc(r.told, func(o desk.Told) bool { return o.Key == t.Key })
			if t.Rev++; !t.Over {
				r.told = append(r.told, t.Told)
			}
		}
		return true, nil
	})
	return err
}
