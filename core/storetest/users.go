package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// A UserStore is a user.Store under test.
type UserStore struct {
	Store user.Store
	Heard Heard
}

// Users checks every promise of user.Store.
func Users(t *testing.T, open func(t *testing.T) UserStore) {
	t.Helper()
	run(t, open,
		transactions(func(s UserStore) atomic[user.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s UserStore) (func(context.Context, func(user.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		[]check[UserStore]{
			{"InsertedUserIsFound", insertedIsFound},
			{"NobodyIsNotFound", nobodyIsNotFound},
			{"IdentityOfAnotherIsConflict", identityConflict},
			{"FirstMessagesAtOnceMakeOneUser", oneUserAtOnce},
			{"LocaleChanges", localeChanges},
			{"CodeIsOnePersons", codesApart},
			{"InvitationIsSetOnceAndByAnEarlierOne", invitedOnce},
			{"PayeeComesBack", payeeComesBack},
			{"PayeesAreNotMixedUp", payeesApart},
			{"WishesComeBack", wishesComeBack},
			{"GrantsAreKeptAndRevoked", grantsKept},
			{"TheEndOfAGrantIsToldOnce", endedOnce},
			{"AnEventIsHandledOnce", handledUser},
		})
}

// join stores a user who is known as external on the web chat.
func join(t *testing.T, s user.Store, external string) user.User {
	t.Helper()
	u := user.User{Level: 2, Locale: "zh", Joined: start().Add(1500 * time.Millisecond)}
	must(t, s.InTx(t.Context(), func(tx user.Tx) (err error) {
		u.ID, err = tx.Insert(u, user.Identity{Channel: "web", External: external})
		return err
	}))
	return u
}

func insertedIsFound(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	if a.ID <= 0 || b.ID <= a.ID {
		t.Errorf("ids %d and %d do not grow from 1", a.ID, b.ID)
	}
	for external, u := range map[string]user.User{"a": a, "b": b} {
		got, err := s.Store.User(t.Context(), u.ID)
		must(t, err)
		want(t, "User", got, u)
		got, err = s.Store.ByIdentity(t.Context(), user.Identity{Channel: "web", External: external})
		must(t, err)
		want(t, "ByIdentity", got, u)
		ids, err := s.Store.Identities(t.Context(), u.ID)
		must(t, err)
		want(t, "Identities", ids, []user.Identity{{Channel: "web", External: external}})
	}
}

func nobodyIsNotFound(t *testing.T, s UserStore) {
	a := join(t, s.Store, "a")
	_, err := s.Store.User(t.Context(), a.ID+1)
	wantCode(t, "User", err, fault.NotFound)
	for _, i := range []user.Identity{{Channel: "telegram", External: "a"}, {Channel: "web", External: "A"}, {Channel: "web"}, {}} {
		_, err = s.Store.ByIdentity(t.Context(), i)
		wantCode(t, fmt.Sprintf("ByIdentity(%v)", i), err, fault.NotFound)
	}
	ids, err := s.Store.Identities(t.Context(), a.ID+1)
	must(t, err)
	want(t, "number of identities of nobody", len(ids), 0)
	p, err := s.Store.Payee(t.Context(), a.ID)
	must(t, err)
	want(t, "Payee of one who has none", p, user.Payee{})
	wantCode(t, "SetLocale", s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetLocale(a.ID+1, "en") }), fault.NotFound)
	wantCode(t, "SetPayee", s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetPayee(a.ID+1, payee("a")) }), fault.NotFound)
}

func identityConflict(t *testing.T, s UserStore) {
	a := join(t, s.Store, "a")
	err := s.Store.InTx(t.Context(), func(tx user.Tx) error {
		_, err := tx.Insert(user.User{Locale: "en"}, user.Identity{Channel: "web", External: "a"})
		return err
	})
	wantCode(t, "Insert", err, fault.Conflict)
	got, err := s.Store.ByIdentity(t.Context(), user.Identity{Channel: "web", External: "a"})
	must(t, err)
	want(t, "ByIdentity", got, a)
}

func oneUserAtOnce(t *testing.T, s UserStore) {
	d := user.Directory{Store: s.Store, Now: start}
	type resolved struct {
		user   user.User
		joined bool
	}
	got, errs := together(atOnce, func(int) (r resolved, err error) {
		r.user, r.joined, err = d.Resolve(t.Context(), user.Identity{Channel: "web", External: "a"}, "zh")
		return r, err
	})
	must(t, errors.Join(errs...))
	joined := 0
	for _, r := range got {
		want(t, "user", r.user, got[0].user)
		if r.joined {
			joined++
		}
	}
	want(t, "how many were told that they joined", joined, 1)
	want(t, "number of events", len(s.Heard(t)), 1)
}

func localeChanges(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	for range 2 { // changing to what it is already is no error
		must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetLocale(a.ID, "en") }))
	}
	a.Locale = "en"
	for _, u := range []user.User{a, b} {
		got, err := s.Store.User(t.Context(), u.ID)
		must(t, err)
		want(t, "User", got, u)
	}
}

func codesApart(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	_, err := s.Store.Code(t.Context(), a.ID)
	wantCode(t, "Code before there is one", err, fault.NotFound)
	set := func(id int64, code string) error {
		return s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetCode(id, code) })
	}
	must(t, set(a.ID, "AAAA"))
	wantCode(t, "a second code", set(a.ID, "BBBB"), fault.Conflict)
	wantCode(t, "another's code", set(b.ID, "AAAA"), fault.Conflict)
	code, err := s.Store.Code(t.Context(), a.ID)
	must(t, err)
	want(t, "Code", code, "AAAA")
	id, err := s.Store.ByCode(t.Context(), "AAAA")
	must(t, err)
	want(t, "ByCode", id, a.ID)
	for _, c := range []string{"aaaa", "BBBB", ""} {
		_, err = s.Store.ByCode(t.Context(), c)
		wantCode(t, "ByCode of "+c, err, fault.NotFound)
	}
}

func invitedOnce(t *testing.T, s UserStore) {
	a, b, c := join(t, s.Store, "a"), join(t, s.Store, "b"), join(t, s.Store, "c")
	bind := func(i user.Invitation) error {
		return s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.Bind(i) })
	}
	of := user.Invitation{User: c.ID, Inviter: a.ID, At: start()}
	must(t, bind(of))
	wantCode(t, "a second inviter", bind(user.Invitation{User: c.ID, Inviter: b.ID, At: start()}), fault.Conflict)
	for _, i := range []int64{b.ID, c.ID} {
		if bind(user.Invitation{User: b.ID, Inviter: i, At: start()}) == nil {
			t.Errorf("user %d may bring user %d, who was there before", i, b.ID)
		}
	}
	got, err := s.Store.Invitation(t.Context(), c.ID)
	must(t, err)
	want(t, "Invitation", got, of)
	_, err = s.Store.Invitation(t.Context(), a.ID)
	wantCode(t, "Invitation of one who came alone", err, fault.NotFound)
	for id, n := range map[int64]int{a.ID: 1, b.ID: 0} {
		got, err := s.Store.Invited(t.Context(), id)
		must(t, err)
		want(t, "Invited", got, n)
	}
}

// payee returns somebody's payout account.
func payee(name string) user.Payee {
	return user.Payee{Method: "alipay", Account: name + "@example.com", Name: "王小" + name, Changed: start()}
}

func payeeComesBack(t *testing.T, s UserStore) {
	a := join(t, s.Store, "a")
	for _, p := range []user.Payee{payee("a"), {Method: "wechat", Account: "13800000000", Name: "李四", Changed: start().Add(time.Hour)}} {
		must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetPayee(a.ID, p) }))
		got, err := s.Store.Payee(t.Context(), a.ID)
		must(t, err)
		if got != p { // not by want: it would print the account
			t.Errorf("Payee = %v, want %v", got, p)
		}
	}
}

func payeesApart(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error {
		return errors.Join(tx.SetPayee(a.ID, payee("a")), tx.SetPayee(b.ID, payee("b")))
	}))
	for id, p := range map[int64]user.Payee{a.ID: payee("a"), b.ID: payee("b")} {
		got, err := s.Store.Payee(t.Context(), id)
		must(t, err)
		if got != p {
			t.Errorf("Payee of %d = %v, want %v", id, got, p)
		}
	}
}

func grant(cause string, id int64, days int) user.Grant {
	return user.Grant{Cause: cause, User: id, Level: 1, From: start(), Until: start().AddDate(0, 0, days)}
}

func grantsKept(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	late, soon, other := grant("charge/1", a.ID, 30), grant("charge/2", a.ID, 7), grant("charge/3", b.ID, 7)
	soon.From = start().Add(-time.Hour)
	must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error {
		for _, g := range []user.Grant{late, soon, other} {
			got, err := tx.Grant(g)
			must(t, err)
			want(t, "Grant", got, g)
		}
		again := late
		again.Level, again.Until = 9, start().AddDate(9, 0, 0)
		got, err := tx.Grant(again)
		must(t, err)
		want(t, "Grant of a known cause", got, late)
		again.Revoked, late.Revoked = true, true
		for range 2 {
			got, err = tx.Grant(again)
			must(t, err)
			want(t, "Grant that revokes", got, late)
		}
		gs, err := tx.Grants(a.ID)
		want(t, "Grants in the transaction", gs, []user.Grant{soon, late})
		level, lerr := tx.Level(a.ID)
		must(t, lerr)
		want(t, "Level", level, a.Level)
		return err
	}))
	gs, err := s.Store.Grants(t.Context(), a.ID)
	must(t, err)
	want(t, "Grants", gs, []user.Grant{soon, late})
	gs, err = s.Store.Grants(t.Context(), 404)
	must(t, err)
	want(t, "Grants of nobody", len(gs), 0)
}

func endedOnce(t *testing.T, s UserStore) {
	u := join(t, s.Store, "a")
	revoked := grant("charge/4", u.ID, 1)
	revoked.Revoked = true
	must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error {
		for _, g := range []user.Grant{grant("charge/1", u.ID, 30), grant("charge/2", u.ID, 7), grant("charge/3", u.ID, 6), revoked} {
			_, err := tx.Grant(g)
			must(t, err)
		}
		return nil
	}))
	ended := func() (causes []string) {
		gs, err := s.Store.Ended(t.Context(), start().AddDate(0, 0, 7), 10)
		must(t, err)
		for _, g := range gs {
			causes = append(causes, g.Cause)
		}
		return causes
	}
	want(t, "Ended", ended(), []string{"charge/3", "charge/2"})
	won, errs := together(atOnce, func(int) (fresh bool, err error) {
		err = s.Store.InTx(t.Context(), func(tx user.Tx) (err error) {
			fresh, err = tx.TellEnd("charge/3")
			return err
		})
		return fresh, err
	})
	count := 0
	for i := range won {
		must(t, errs[i])
		if won[i] {
			count++
		}
	}
	want(t, "how many may tell", count, 1)
	want(t, "Ended after that", ended(), []string{"charge/2"})
}

func handledUser(t *testing.T, s UserStore) {
	for i, before := range []bool{false, true} {
		must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error {
			got, err := tx.Handled("charge/1/3")
			want(t, fmt.Sprint("Handled, call ", i), got, before)
			return err
		}))
	}
}

func wishesComeBack(t *testing.T, s UserStore) {
	a, b := join(t, s.Store, "a"), join(t, s.Store, "b")
	_, err := s.Store.Notices(t.Context(), a.ID)
	wantCode(t, "Notices of one who has never said", err, fault.NotFound)
	set := func(id int64, n user.Notices) error {
		return s.Store.InTx(t.Context(), func(tx user.Tx) error { return tx.SetNotices(id, n) })
	}
	for _, n := range []user.Notices{
		{Off: user.Topics(), Quiet: user.Quiet{From: 22*60 + 30, To: 8 * 60}}, {Off: []user.Topic{user.TopicMember}}, {},
	} {
		must(t, set(a.ID, n))
		got, err := s.Store.Notices(t.Context(), a.ID)
		must(t, err)
		want(t, "Notices", got, n)
		must(t, s.Store.InTx(t.Context(), func(tx user.Tx) error {
			got, err := tx.Notices(a.ID)
			want(t, "Notices within", got, n)
			return err
		}))
	}
	_, err = s.Store.Notices(t.Context(), b.ID)
	wantCode(t, "Notices of somebody else", err, fault.NotFound)
	wantCode(t, "SetNotices of nobody", set(b.ID+1, user.Notices{}), fault.NotFound)
}
