package user_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// A people is a user.Store in memory.
type people struct {
	mu     sync.Mutex
	users  map[int64]user.User
	by     map[user.Identity]int64
	wishes map[int64]user.Notices
	payees map[int64]user.Payee
	codes  map[string]int64
	by1    map[int64]user.Invitation
	said   []event.Event
	grants []user.Grant
	heard  map[string]bool
	again  bool   // every transaction is run a second time, as after a deadlock
	missed func() // called when nobody has an identity
	down   error
}

func newPeople() *people {
	return &people{users: map[int64]user.User{}, by: map[user.Identity]int64{}, payees: map[int64]user.Payee{}, codes: map[string]int64{}, by1: map[int64]user.Invitation{}, heard: map[string]bool{}}
}

type tx struct{ *people }

func (p *people) InTx(_ context.Context, fn func(user.Tx) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	users, by, payees, said := maps.Clone(p.users), maps.Clone(p.by), maps.Clone(p.payees), len(p.said)
	grants, heard := slices.Clone(p.grants), maps.Clone(p.heard)
	undo := func() {
		p.grants, p.heard = slices.Clone(grants), maps.Clone(heard)
		p.users, p.by, p.payees, p.said = maps.Clone(users), maps.Clone(by), maps.Clone(payees), p.said[:said]
	}
	if p.again {
		if err := fn(tx{p}); err == nil {
			undo()
		}
	}
	err := fn(tx{p})
	if err != nil {
		undo()
	}
	return err
}

func (p *people) User(_ context.Context, id int64) (user.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.users[id]
	if !ok {
		return u, fault.New(fault.NotFound, "")
	}
	return u, p.down
}

func (p *people) ByIdentity(ctx context.Context, i user.Identity) (user.User, error) {
	p.mu.Lock()
	id, ok := p.by[i]
	missed, down := p.missed, p.down
	p.mu.Unlock()
	if down != nil {
		return user.User{}, down
	}
	if !ok {
		if missed != nil {
			missed()
		}
		return user.User{}, fault.New(fault.NotFound, "")
	}
	return p.User(ctx, id)
}

func (p *people) Identities(_ context.Context, id int64) (out []user.Identity, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, of := range p.by {
		if of == id {
			out = append(out, i)
		}
	}
	return out, nil
}

func (p *people) Payee(_ context.Context, id int64) (user.Payee, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.payees[id], nil
}

func (p *people) Sharing(_ context.Context, id int64) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, of := range p.payees {
		if mine := p.payees[id]; other != id && !mine.IsZero() && of.Same(mine) {
			n++
		}
	}
	return n, nil
}

func (t tx) Emit(e event.Event) error { t.said = append(t.said, e); return nil }

// Insert takes the id that it is given, as a database does.
func (t tx) Insert(u user.User, i user.Identity) (int64, error) {
	if _, ok := t.by[i]; ok {
		return 0, fault.New(fault.Conflict, "")
	}
	if u.ID != 0 {
		return 0, fault.Newf(fault.Internal, "", "a new user has the id %d", u.ID)
	}
	u.ID = int64(len(t.users) + 1)
	t.users[u.ID], t.by[i] = u, u.ID
	return u.ID, nil
}

func (t tx) SetLocale(id int64, locale string) error {
	u, ok := t.users[id]
	if !ok {
		return fault.New(fault.NotFound, "")
	}
	u.Locale = locale
	t.users[id] = u
	return nil
}

func (p *people) Code(_ context.Context, id int64) (string, error) {
	for code, of := range p.codes {
		if of == id {
			return code, nil
		}
	}
	return "", fault.New(fault.NotFound, "")
}

func (p *people) ByCode(_ context.Context, code string) (int64, error) {
	id, ok := p.codes[code]
	if !ok {
		return 0, fault.New(fault.NotFound, "")
	}
	return id, nil
}

func (p *people) Invitation(_ context.Context, id int64) (user.Invitation, error) {
	i, ok := p.by1[id]
	if !ok {
		return i, fault.New(fault.NotFound, "")
	}
	return i, nil
}

func (p *people) Invited(_ context.Context, id int64) (n int, err error) {
	for _, i := range p.by1 {
		if i.Inviter == id {
			n++
		}
	}
	return n, nil
}

func (t tx) SetCode(id int64, code string) error {
	if _, ok := t.codes[code]; ok {
		return fault.New(fault.Conflict, "")
	}
	t.codes[code] = id
	return nil
}

func (t tx) Bind(i user.Invitation) error {
	if _, ok := t.by1[i.User]; ok {
		return fault.New(fault.Conflict, "")
	}
	t.by1[i.User] = i
	return nil
}

func (t tx) SetPayee(id int64, p user.Payee) error { t.payees[id] = p; return nil }

func (p *people) Notices(_ context.Context, id int64) (user.Notices, error) { return p.wish(id) }

func (t tx) Notices(id int64) (user.Notices, error) { return t.wish(id) }

func (p *people) wish(id int64) (user.Notices, error) {
	n, ok := p.wishes[id]
	if !ok {
		return n, fault.New(fault.NotFound, "")
	}
	return n, nil
}

func (t tx) SetNotices(id int64, n user.Notices) error {
	if t.wishes == nil {
		t.wishes = map[int64]user.Notices{}
	}
	t.wishes[id] = n
	return nil
}

func directory() (*user.Directory, *people) {
	p := newPeople()
	return &user.Directory{Store: p, Now: func() time.Time { return start }}, p
}

func TestAPersonIsMadeAtFirstSight(t *testing.T) {
	t.Parallel()
	d, p := directory()
	p.again = true
	ann := user.Identity{Channel: "web", External: "ann"}
	u, joined, err := d.Resolve(t.Context(), ann, "en")
	if want := (user.User{ID: 1, Locale: "en", Joined: start}); err != nil || !joined || u != want {
		t.Fatalf("got %+v, %v, %v", u, joined, err)
	}
	again, joined, err := d.Resolve(t.Context(), ann, "zh")
	if err != nil || joined || again != u {
		t.Errorf("the second time: %+v, %v, %v", again, joined, err)
	}
	other, joined, err := d.Resolve(t.Context(), user.Identity{Channel: "telegram", External: "ann"}, "zh")
	if err != nil || !joined || other.ID == u.ID {
		t.Errorf("on another channel: %+v, %v, %v", other, joined, err)
	}
	if len(p.said) != 2 || p.said[0].ID != "user/web/ann/joined" || p.said[0].Name != event.UserJoined || string(p.said[0].Data) != `{"user":1,"channel":"web"}` {
		t.Errorf("said is %+v", p.said)
	}
	got, err := d.User(t.Context(), 1)
	if err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
	ids, err := d.Identities(t.Context(), 1)
	if err != nil || fmt.Sprint(ids) != "[{web ann}]" {
		t.Errorf("%v, %v", ids, err)
	}
}

// The own id of a client's user goes along with the news: to webhooks it says whose
// the user is. What a chat network calls a person does not.
func TestTheNewsOfAClientsUserHasItsID(t *testing.T) {
	t.Parallel()
	d, p := directory()
	for _, i := range []user.Identity{{Channel: "api/shop", External: "u-1"}, {Channel: "telegram", External: "1234"}, {Channel: "apis", External: "x"}} {
		if _, _, err := d.Resolve(t.Context(), i, "zh"); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{`{"user":1,"channel":"api/shop","external":"u-1"}`, `{"user":2,"channel":"telegram"}`, `{"user":3,"channel":"apis"}`} {
		if got := string(p.said[i].Data); got != want {
			t.Errorf("said is %s, want %s", got, want)
		}
	}
	if client, ok := user.ClientOf("api/shop"); client != "shop" || !ok {
		t.Errorf("%q %v", client, ok)
	}
}

func TestTwoFirstMessagesAtOnceMakeOnePerson(t *testing.T) {
	t.Parallel()
	d, p := directory()
	var both sync.WaitGroup // both find nobody before either makes somebody
	both.Add(2)
	p.missed = func() {
		both.Done()
		both.Wait()
	}
	type answer struct {
		u      user.User
		joined bool
		err    error
	}
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			u, joined, err := d.Resolve(t.Context(), user.Identity{Channel: "web", External: "ann"}, "zh")
			answers <- answer{u, joined, err}
		}()
	}
	a, b := <-answers, <-answers
	if err := errors.Join(a.err, b.err); err != nil || a.u != b.u || a.u.ID != 1 || a.joined == b.joined || len(p.said) != 1 {
		t.Errorf("got %+v and %+v; %d events", a, b, len(p.said))
	}
}

func TestADatabaseThatFailsMakesNobody(t *testing.T) {
	t.Parallel()
	d, p := directory()
	p.down = fault.New(fault.Unavailable, "db.busy")
	_, joined, err := d.Resolve(t.Context(), user.Identity{Channel: "web", External: "ann"}, "zh")
	if !fault.Is(err, fault.Unavailable) || joined || len(p.users) != 0 {
		t.Errorf("got %v, %v, %d users", joined, err, len(p.users))
	}
}

func TestALanguageIsOneThatWeSpeak(t *testing.T) {
	t.Parallel()
	d, p := directory()
	_, _, err := d.Resolve(t.Context(), user.Identity{Channel: "web", External: "ann"}, "zh")
	if err != nil {
		t.Fatal(err)
	}
	for locale, code := range map[string]fault.Code{"en": "", "zh": "", "": fault.Invalid, "fr": fault.Invalid, "EN": fault.Invalid, "zh-CN": fault.Invalid} {
		before := p.users[1].Locale
		err := d.SetLocale(t.Context(), 1, locale)
		if fault.CodeOf(err) != code {
			t.Errorf("%q: %v", locale, err)
		}
		if want := map[bool]string{true: locale, false: before}[code == ""]; p.users[1].Locale != want {
			t.Errorf("after %q it is %q", locale, p.users[1].Locale)
		}
	}
	if err := d.SetLocale(t.Context(), 9, "en"); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody's language: %v", err)
	}
}

func TestAPayeeIsStampedAndTrimmed(t *testing.T) {
	t.Parallel()
	d, p := directory()
	asked := user.Payee{Method: "alipay", Account: " 13800000000\n", Name: "　张三 ", Changed: start.AddDate(-1, 0, 0)}
	if err := d.SetPayee(t.Context(), 1, asked); err != nil {
		t.Fatal(err)
	}
	want := user.Payee{Method: "alipay", Account: "13800000000", Name: "张三", Changed: start}
	if got, err := d.Payee(t.Context(), 1); got != want || err != nil {
		t.Errorf("stored is %v (%s) changed %s, %v", got, got.Name, got.Changed, err)
	}
	err := d.SetPayee(t.Context(), 1, user.Payee{Method: "cash", Account: "13800000000", Name: "张三"})
	if fault.ReasonOf(err) != "payee.method" || p.payees[1] != want {
		t.Errorf("a bad one: %v; stored is %v", err, p.payees[1])
	}
	b, err := json.Marshal(want)
	var back user.Payee
	if err := errors.Join(err, json.Unmarshal(b, &back)); err != nil || back != want {
		t.Errorf("sealed and opened it is %v, %v", back, err)
	}
}

// TestAnotherPayeeIsSaid: whoever has got hold of one channel does not turn somebody's money
// round without a word on the others.
func TestAnotherPayeeIsSaid(t *testing.T) {
	t.Parallel()
	mine := user.Payee{Method: "alipay", Account: "13800000000", Name: "张三"}
	other := user.Payee{Method: "alipay", Account: "13900000000", Name: "李四"}
	for name, tt := range map[string]struct {
		channels int
		set      []user.Payee
		want     string
	}{
		"the first one of a single channel": {1, []user.Payee{mine}, "[]"},
		"the first one of two channels":     {2, []user.Payee{mine}, "[alipay 138****0000 (*三)]"},
		"another one, and back at once":     {1, []user.Payee{mine, other, mine}, "[alipay 139****0000 (*四) alipay 138****0000 (*三)]"},
		"the same again":                    {1, []user.Payee{mine, mine}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, p := directory()
			p.again = true
			u, _, err := d.Resolve(t.Context(), user.Identity{Channel: "telegram", External: "9"}, "zh")
			if err != nil {
				t.Fatal(err)
			}
			if tt.channels == 2 {
				p.by[user.Identity{Channel: "wechat", External: "9"}] = u.ID
			}
			for _, x := range tt.set {
				if err := d.SetPayee(t.Context(), u.ID, x); err != nil {
					t.Fatal(err)
				}
			}
			said, ids := []string{}, map[string]bool{}
			for _, e := range p.said {
				var c user.PayeeChanged
				if e.Name != event.PayeeChanged || e.Decode(&c) != nil || c.User != u.ID {
					continue
				}
				said, ids[e.ID] = append(said, c.Method+" "+c.Payee), true
			}
			if fmt.Sprint(said) != tt.want || len(ids) != len(said) {
				t.Errorf("said is %v under %v, want %s", said, ids, tt.want)
			}
		})
	}
}
