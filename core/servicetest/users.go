package servicetest

import (
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// A UserWorld is a user.Service under test, with the store behind it.
type UserWorld struct {
	Clock
	Service user.Service
	Store   user.Store
	Merges  user.MergeStore
}

// Users checks every promise of user.Service.
func Users(t *testing.T, open func(t *testing.T) UserWorld) {
	t.Helper()
	run(t, open,
		story[UserWorld]{"PeopleAreKnownToTheLastField", peopleKnown},
		story[UserWorld]{"PayeesAreKeptToTheLastField", payeesKept},
		story[UserWorld]{"InvitersAreThoseOfThatTime", invitersThen},
		story[UserWorld]{"AccountsAreLinkedToTheLastField", accountsLinked},
		story[UserWorld]{"WishesAreKeptToTheLastField", wishesKept},
		story[UserWorld]{"Failures", userFailures},
	)
}

// put stores a user with all that one can have.
func (w UserWorld) put(t *testing.T, external string) user.User {
	return putUser(t, w.Store, w.Now(), external)
}

func putUser(t *testing.T, s user.Store, now time.Time, external string) user.User {
	t.Helper()
	u := user.User{Level: 2, Locale: "zh", Joined: now.Add(-time.Hour)}
	must(t, s.InTx(t.Context(), func(tx user.Tx) (err error) {
		u.ID, err = tx.Insert(u, user.Identity{Channel: "web", External: external})
		return err
	}))
	return u
}

func peopleKnown(t *testing.T, w UserWorld) {
	ctx, u, i := t.Context(), w.put(t, "小王 👋"), user.Identity{Channel: "web", External: "小王 👋"}
	full(t, u)
	full(t, i)
	got, err := w.Service.User(ctx, u.ID)
	must(t, err)
	want(t, "User", got, u)
	got, joined, err := w.Service.Resolve(ctx, i, "en")
	must(t, err)
	want(t, "Resolve of one who is known", got, u)
	want(t, "whether they joined", joined, false)
	got, err = w.Service.Find(ctx, i)
	must(t, err)
	want(t, "Find", got, u)
	ids, err := w.Service.Identities(ctx, u.ID)
	must(t, err)
	want(t, "Identities", ids, []user.Identity{i})

	other := user.Identity{Channel: "telegram", External: "小王 👋"}
	n, joined, err := w.Service.Resolve(ctx, other, "en")
	must(t, err)
	want(t, "Resolve of a stranger", n, user.User{ID: n.ID, Locale: "en", Joined: w.Now()})
	if !joined || n.ID <= u.ID {
		t.Errorf("a stranger has joined: %v, as %d after %d", joined, n.ID, u.ID)
	}
	must(t, w.Service.SetLocale(ctx, u.ID, "en"))
	u.Locale = "en"
	got, err = w.Service.User(ctx, u.ID)
	must(t, err)
	want(t, "User after SetLocale", got, u)
	ids, err = w.Service.Identities(ctx, n.ID+1)
	must(t, err)
	want(t, "number of identities of nobody", len(ids), 0)
}

func payeesKept(t *testing.T, w UserWorld) {
	ctx, a, b := t.Context(), w.put(t, "a"), w.put(t, "b")
	p, err := w.Service.Payee(ctx, a.ID)
	must(t, err)
	wantPayee(t, "Payee of one who has none", p, user.Payee{})
	n, err := w.Service.Sharing(ctx, a.ID)
	must(t, err)
	want(t, "Sharing of one who has no payee", n, 0)

	says := user.Payee{Method: "wechat", Account: "13800138000", Name: "王小明", Changed: w.Now().Add(-time.Hour)} // the time is not theirs to say
	kept := says
	kept.Changed = w.Now()
	full(t, kept)
	for _, u := range []user.User{a, b} {
		must(t, w.Service.SetPayee(ctx, u.ID, says))
		p, err = w.Service.Payee(ctx, u.ID)
		must(t, err)
		wantPayee(t, "Payee", p, kept)
	}
	n, err = w.Service.Sharing(ctx, a.ID)
	must(t, err)
	want(t, "Sharing", n, 1)
}

func wishesKept(t *testing.T, w UserWorld) {
	ctx, a, b := t.Context(), w.put(t, "a"), w.put(t, "b")
	ask := func(id int64) user.Notices {
		n, err := w.Service.Notices(ctx, id)
		must(t, err)
		return n
	}
	change := func(c user.NoticesChange) user.Notices {
		n, err := w.Service.ChangeNotices(ctx, a.ID, c)
		must(t, err)
		return n
	}
	want(t, "Notices of one who has never said", ask(a.ID), user.Notices{})
	first := user.NoticesChange{Off: []user.Topic{user.TopicClaims, user.TopicOrders}, Quiet: &user.Quiet{From: 22*60 + 30, To: 8 * 60}}
	said := user.Notices{Off: []user.Topic{user.TopicOrders, user.TopicClaims}, Quiet: user.Quiet{From: 22*60 + 30, To: 8 * 60}}
	full(t, said)
	for range 2 {
		want(t, "ChangeNotices", change(first), said)
	}
	want(t, "Notices", ask(a.ID), said)
	said.Off = []user.Topic{user.TopicClaims}
	want(t, "after a topic was turned on", change(user.NoticesChange{On: []user.Topic{user.TopicOrders}}), said)
	said.Quiet = user.Quiet{}
	want(t, "without quiet hours", change(user.NoticesChange{Quiet: &user.Quiet{}}), said)
	want(t, "Notices of somebody else", ask(b.ID), user.Notices{})
	topic := user.NoticesChange{On: []user.Topic{"weather"}}
	wantFailures(t,
		failure{"a topic that there is not", errOf(w.Service.ChangeNotices(ctx, a.ID, topic)), fault.Invalid, "notices.topic"},
		failure{"hours that are all day", errOf(w.Service.ChangeNotices(ctx, a.ID, user.NoticesChange{Quiet: &user.Quiet{From: 60, To: 60}})), fault.Invalid, "notices.quiet"},
	)
}

func invitersThen(t *testing.T, w UserWorld) {
	ctx, a, b, c := t.Context(), w.put(t, "a"), w.put(t, "b"), w.put(t, "c")
	bind := func(u, by user.User) {
		code, err := w.Service.Code(ctx, by.ID)
		must(t, err)
		again, err := w.Service.Code(ctx, by.ID)
		must(t, err)
		if code == "" || again != code {
			t.Errorf("the code of %d is %q and %q", by.ID, code, again)
		}
		must(t, w.Service.Bind(ctx, u.ID, code))
	}
	bind(b, a)
	w.Advance(time.Minute)
	bind(c, b)
	zone := time.FixedZone("CST", 8*60*60)
	for _, q := range []struct {
		of  int64
		at  time.Time
		who [2]int64
	}{
		{c.ID, w.Now(), [2]int64{b.ID, a.ID}},
		{c.ID, w.Now().In(zone), [2]int64{b.ID, a.ID}},
		{c.ID, w.Now().Add(-time.Millisecond), [2]int64{}},
		{b.ID, w.Now(), [2]int64{a.ID, 0}},
		{a.ID, w.Now(), [2]int64{}},
		{c.ID, time.Time{}, [2]int64{}},
	} {
		got, err := w.Service.Inviters(ctx, q.of, q.at)
		must(t, err)
		want(t, "Inviters at "+q.at.String(), got, q.who)
	}
	for u, n := range map[int64]int{a.ID: 1, b.ID: 1, c.ID: 0} {
		got, err := w.Service.Invited(ctx, u)
		must(t, err)
		want(t, "Invited", got, n)
	}
}

func userFailures(t *testing.T, w UserWorld) {
	ctx, s, a, b := t.Context(), w.Service, w.put(t, "a"), w.put(t, "b")
	codeA, err := s.Code(ctx, a.ID)
	must(t, err)
	codeB, err := s.Code(ctx, b.ID)
	must(t, err)
	must(t, s.Bind(ctx, b.ID, codeA))
	payee := func(method, account, name string) error {
		return s.SetPayee(ctx, a.ID, user.Payee{Method: method, Account: account, Name: name})
	}
	_, err = s.User(ctx, b.ID+1)
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("User of nobody: %v", err)
	}
	for range 2 { // asking makes nobody
		if _, err = s.Find(ctx, user.Identity{Channel: "web", External: "nobody"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("Find of nobody: %v", err)
		}
	}
	wantFailures(t,
		failure{"SetLocale", s.SetLocale(ctx, a.ID, "fr"), fault.Invalid, "user.locale"},
		failure{"SetPayee without a method", payee("", "a@example.com", "王"), fault.Invalid, "payee.method"},
		failure{"SetPayee without an account", payee("alipay", "", "王"), fault.Invalid, "payee.account"},
		failure{"SetPayee without a name", payee("alipay", "a@example.com", ""), fault.Invalid, "payee.name"},
		failure{"Bind by nobody", s.Bind(ctx, a.ID, "NOBODY22"), fault.NotFound, "invite.no_such_code"},
		failure{"Bind by oneself", s.Bind(ctx, a.ID, codeA), fault.Denied, "invite.own"},
		failure{"Bind by a later one", s.Bind(ctx, a.ID, codeB), fault.Denied, "invite.older"},
		failure{"Bind again", s.Bind(ctx, b.ID, codeA), fault.Conflict, "invite.bound"},
	)
}

func accountsLinked(t *testing.T, w UserWorld) {
	ctx, s, a, b, c := t.Context(), w.Service, w.put(t, "a"), w.put(t, "b"), w.put(t, "c")
	inviter, err := s.Code(ctx, a.ID)
	must(t, err)
	must(t, s.Bind(ctx, b.ID, inviter))
	must(t, s.SetPayee(ctx, b.ID, user.Payee{Method: "alipay", Account: "13800138000", Name: "王小明"}))
	code, err := s.MakeLinkCode(ctx, b.ID)
	must(t, err)
	full(t, code)
	p, err := s.PreviewLink(ctx, c.ID, code.Code)
	must(t, err)
	theirs := user.Side{User: b.ID, Joined: b.Joined, Level: 2, Channels: []string{"web"}, Invited: true, Payee: "alipay 138****8000 (*明)"}
	full(t, theirs)
	want(t, "PreviewLink", p, user.Preview{Mine: user.Side{User: c.ID, Joined: c.Joined, Level: 2, Channels: []string{"web"}}, Theirs: theirs, Survivor: b.ID})
	m, err := s.Link(ctx, c.ID, b.ID, code.Code)
	must(t, err)
	again, err := s.Link(ctx, c.ID, b.ID, code.Code)
	must(t, err)
	want(t, "Link again", again, m)
	want(t, "Link", m, user.Merge{ID: m.ID, Absorbed: c.ID, Survivor: b.ID, Stage: user.MergeBegun, Rev: 1, At: w.Now(), Changed: w.Now()})
	done := m
	done.Stage, done.Rev, done.Reason, done.Actor, done.Note = user.MergeDone, 3, "merge.spent", "cli", "为什么"
	full(t, done)
	must(t, w.Merges.InTx(ctx, func(tx user.MergeTx) error { _, err := tx.SwapMerge(done, 1); return err }))
	for _, u := range []int64{b.ID, c.ID} {
		got, err := s.LastMerge(ctx, u)
		must(t, err)
		want(t, "LastMerge", got, done)
	}
	u, err := s.Find(ctx, user.Identity{Channel: "web", External: "c"})
	must(t, err)
	want(t, "Find of who is somebody else now", u, b)
	other, err := s.MakeLinkCode(ctx, a.ID)
	must(t, err)
	undoing, err := s.Unlink(ctx, c.ID)
	must(t, err)
	twice, err := s.Unlink(ctx, c.ID)
	must(t, err)
	want(t, "Unlink again", twice, undoing)
	want(t, "stage", undoing.Stage, user.MergeUndoing)
	_, previewed := s.PreviewLink(ctx, b.ID, "NOBODY22")
	_, busy := s.PreviewLink(ctx, b.ID, other.Code)
	_, own := s.PreviewLink(ctx, a.ID, other.Code)
	_, linked := s.Link(ctx, a.ID, b.ID, code.Code)
	_, none := s.LastMerge(ctx, a.ID)
	_, unlinked := s.Unlink(ctx, a.ID)
	_, made := s.MakeLinkCode(ctx, b.ID)
	wantFailures(t,
		failure{"PreviewLink of nobody's code", previewed, fault.NotFound, "merge.no_such_code"},
		failure{"PreviewLink while another is under way", busy, fault.Conflict, "merge.under_way"},
		failure{"PreviewLink of one's own code", own, fault.Conflict, "merge.same"},
		failure{"Link with a used code", linked, fault.NotFound, "merge.no_such_code"},
		failure{"LastMerge of one who has none", none, fault.NotFound, "merge.none"},
		failure{"Unlink of one who has none", unlinked, fault.NotFound, "merge.none"},
		failure{"MakeLinkCode while one is under way", made, fault.Conflict, "merge.under_way"},
	)
}
