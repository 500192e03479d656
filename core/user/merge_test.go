package user_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/user/usertest"
)

// A town is a directory whose people link their accounts, and the parts that others
// have in it: they answer when they are let.
type town struct {
	*user.Directory
	t    *testing.T
	p    *people
	now  time.Time
	said []event.Event
	why  string // why payment refuses; "" for done
}

func openTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, p: newPeople(), now: start}
	w.Directory = &user.Directory{
		Store: w.p, Merges: &usertest.Merges{Emit: func(e event.Event) { w.said = append(w.said, e) }}, Now: func() time.Time { return w.now },
	}
	return w
}

// join makes somebody who is on a channel of their own.
func (w *town) join(name string) int64 {
	w.t.Helper()
	u, _, err := w.Resolve(w.t.Context(), user.Identity{Channel: "chat-" + name, External: name}, "zh")
	w.must(err)
	return u.ID
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// link links b's account to a's, until what is heard is heard.
func (w *town) link(a, b int64) user.Merge {
	w.t.Helper()
	c, err := w.MakeLinkCode(w.t.Context(), a)
	w.must(err)
	m, err := w.Link(w.t.Context(), b, a, c.Code)
	w.must(err)
	w.hear()
	return m
}

// hear lets payment and order answer whatever was said, everything twice.
func (w *town) hear() {
	w.t.Helper()
	for len(w.said) > 0 {
		e := w.said[0]
		w.said = w.said[1:]
		if e.Name != event.MergeChanged {
			continue
		}
		var c user.MergeChanged
		w.must(e.Decode(&c))
		a := user.MergeAnswered{ID: c.ID, Rev: c.Rev, Part: user.MergePayment, Reason: w.why}
		switch c.Stage {
		case user.MergeBegun, user.MergeUndoing:
		case user.MergeMoved, user.MergeReturned:
			a.Part, a.Reason = user.MergeOrder, ""
		case user.MergeDone, user.MergeRefused, user.MergeUndone:
			continue
		}
		answer, err := user.AnswerMerge(e, w.now, a)
		w.must(err)
		for range 2 {
			w.must(w.MergeAnswered(w.t.Context(), answer))
		}
	}
}

func (w *town) stage(id int64) user.MergeStage {
	w.t.Helper()
	m, err := w.Merges.Merge(w.t.Context(), id)
	w.must(err)
	return m.Stage
}

// TestTwoAccountsAreOnePersons and all that a person has is found from each, until it is
// undone: then everything is as it was.
func TestTwoAccountsAreOnePersons(t *testing.T) {
	t.Parallel()
	w := openTown(t)
	ctx := t.Context()
	eve, ann, bob := w.join("eve"), w.join("ann"), w.join("bob")
	code, err := w.Code(ctx, ann)
	w.must(err)
	w.must(w.Bind(ctx, bob, code)) // ann brought bob, whom she turns out to be
	code, err = w.Code(ctx, eve)
	w.must(err)
	w.must(w.Bind(ctx, ann, code))
	w.now = w.now.Add(time.Hour)
	early := w.now
	payee := user.Payee{Method: "alipay", Account: "13800000000", Name: "张三"}
	w.must(w.SetPayee(ctx, bob, payee))
	w.must(w.SetPayee(ctx, eve, payee))
	w.p.grants = []user.Grant{{Cause: "charge/1", User: bob, Level: 3, From: start, Until: start.AddDate(1, 0, 0)}}
	look := func() string {
		var out []string
		for _, u := range []int64{ann, bob} {
			who, err := w.User(ctx, u)
			w.must(err)
			ids, err := w.Identities(ctx, u)
			w.must(err)
			p, err := w.Payee(ctx, u)
			w.must(err)
			sharing, err := w.Sharing(ctx, u)
			w.must(err)
			level, _, err := w.Level(ctx, u)
			w.must(err)
			n, err := w.Invited(ctx, u)
			w.must(err)
			then, err := w.Inviters(ctx, u, early)
			w.must(err)
			now, err := w.Inviters(ctx, u, w.now)
			w.must(err)
			out = append(out, fmt.Sprintf("%d in %d ways, paid to %q, shared by %d, level %d, %d friends, by %v then %v", who.ID, len(ids), p.Account, sharing, level, n, then, now))
		}
		return strings.Join(out, "\n")
	}
	two := "2 in 1 ways, paid to \"\", shared by 0, level 0, 1 friends, by [1 0] then [1 0]\n" +
		"3 in 1 ways, paid to \"13800000000\", shared by 1, level 3, 0 friends, by [2 1] then [2 1]"
	if got := look(); got != two {
		t.Fatalf("before:\n%s", got)
	}
	w.now = w.now.Add(time.Hour)
	m := w.link(bob, ann)
	if m.Absorbed != bob || m.Survivor != ann || w.stage(m.ID) != user.MergeDone {
		t.Errorf("%+v", m)
	}
	one := "2 in 2 ways, paid to \"13800000000\", shared by 1, level 3, 1 friends, by [1 0] then [1 0]\n" +
		"2 in 2 ways, paid to \"13800000000\", shared by 1, level 3, 1 friends, by [2 1] then [0 0]"
	if got := look(); got != one {
		t.Errorf("as one:\n%s\nwant\n%s", got, one)
	}
	if p, err := w.Payee(ctx, ann); err != nil || !p.Changed.Equal(m.At) {
		t.Errorf("the payout account that came along is from %s, %v: it must cool down", p.Changed, err)
	}
	_, err = w.Unlink(ctx, bob)
	w.must(err)
	w.hear()
	if got := look(); got != two || w.stage(m.ID) != user.MergeUndone {
		t.Errorf("as two again, %s:\n%s", w.stage(m.ID), got)
	}
}

// TestWhatLinkingRefuses has the reasons that people read.
func TestWhatLinkingRefuses(t *testing.T) {
	t.Parallel()
	w := openTown(t)
	ctx := t.Context()
	ann, bob, cid, dan := w.join("ann"), w.join("bob"), w.join("cid"), w.join("dan")
	shop, _, err := w.Resolve(ctx, user.Identity{Channel: "api/shop", External: "1"}, "zh")
	w.must(err)
	preview := func(u int64, code string) error { _, err := w.PreviewLink(ctx, u, code); return err }
	link := func(a, b int64, code string) error { _, err := w.Link(ctx, a, b, code); return err }
	code := func(u int64) string {
		c, err := w.MakeLinkCode(ctx, u)
		w.must(err)
		return c.Code
	}
	steps := []struct {
		name   string
		do     func() error
		reason string
	}{
		{"one's own", func() error { return preview(ann, code(ann)) }, "merge.same"},
		{"one of a client", func() error { return preview(ann, code(shop.ID)) }, "merge.client"},
		{"by a client", func() error { return link(shop.ID, ann, code(ann)) }, "merge.client"},
		{"another than was shown", func() error { return link(ann, cid, code(bob)) }, "merge.no_such_code"},
		{"one that is too old", func() error {
			old := code(bob)
			w.now = w.now.Add(10*time.Minute + time.Second)
			return preview(ann, old)
		}, "merge.no_such_code"},
		{"written otherwise", func() error { return preview(ann, " "+strings.ToLower(code(bob))+"\n") }, ""},
		{"guess 2", func() error { return preview(ann, "22222222") }, "merge.no_such_code"},
		{"guess 3", func() error { return preview(ann, "") }, "merge.no_such_code"},
		{"guess 4", func() error { return preview(ann, "23222222") }, "merge.no_such_code"},
		{"guess 5", func() error { return link(ann, bob, "24222222") }, "merge.no_such_code"},
		{"a right one after too many", func() error { return preview(ann, code(bob)) }, "merge.guesses"},
		{"an hour later", func() error { w.now = w.now.Add(time.Hour + time.Minute); return preview(ann, code(bob)) }, ""},
		{"begun", func() error { return link(ann, bob, code(bob)) }, ""},
		{"once more, of the same", func() error { return link(ann, bob, "22222222") }, ""},
		{"while one is under way", func() error { return preview(ann, code(cid)) }, "merge.under_way"},
		{"with one under way", func() error { _, err := w.MakeLinkCode(ctx, ann); return err }, "merge.under_way"},
		{"undone while it is under way", func() error { _, err := w.Undo(ctx, 1, "cli", "why"); return err }, "merge.under_way"},
		{"done", func() error { w.hear(); return nil }, ""},
		{"linked again", func() error { return link(bob, ann, "22222222") }, ""},
		{"into an older one", func() error { w.link(ann, w.join("zoe")); return nil }, ""},
		{"without a reason", func() error { _, err := w.Undo(ctx, 1, "cli", ""); return err }, "merge.reason"},
		{"none", func() error { _, err := w.Unlink(ctx, dan); return err }, "merge.none"},
		{"resumed for nothing", func() error { _, err := w.ResumeMerge(ctx, 1, "cli", "why"); return err }, "merge.none"},
		{"after the window", func() error { w.now = w.now.Add(73 * time.Hour); _, err := w.Unlink(ctx, bob); return err }, "merge.window"},
		{"by staff", func() error { _, err := w.Undo(ctx, 1, "cli", "why"); return err }, "merge.window"},
		{"of one that is not there", func() error { _, err := w.Undo(ctx, 99, "cli", "why"); return err }, ""},
	}
	for _, s := range steps[:len(steps)-1] {
		if err := s.do(); fault.ReasonOf(err) != s.reason || (err == nil) != (s.reason == "") {
			t.Errorf("%s: %v, want %q", s.name, err, s.reason)
		}
	}
	if err := steps[len(steps)-1].do(); !fault.Is(err, fault.NotFound) {
		t.Errorf("a merge that is not there: %v", err)
	}
}

// TestAMergeGoesItsWay: payment's refusal ends it, or keeps what it was to undo; staff's
// acts are recorded; who is absorbed later is undone first; late answers change nothing.
func TestAMergeGoesItsWay(t *testing.T) {
	t.Parallel()
	w := openTown(t)
	ctx := t.Context()
	ann, bob, cid := w.join("ann"), w.join("bob"), w.join("cid")
	w.why = "merge.withdrawal"
	refused := w.link(bob, cid)
	if got := w.stage(refused.ID); got != user.MergeRefused {
		t.Errorf("refused is %s", got)
	}
	w.why = ""
	first, second := w.link(bob, cid), w.link(ann, bob)
	if who, err := w.Find(ctx, user.Identity{Channel: "chat-cid", External: "cid"}); err != nil || who.ID != ann {
		t.Errorf("cid is %d, %v", who.ID, err)
	}
	if _, err := w.Undo(ctx, first.ID, "cli", "why"); fault.ReasonOf(err) != "merge.later_first" {
		t.Errorf("the first of two: %v", err)
	}
	w.why = "merge.spent"
	_, err := w.Undo(ctx, second.ID, "cli", "it was not him")
	w.must(err)
	acts := slices.DeleteFunc(slices.Clone(w.said), func(e event.Event) bool { return e.Name != event.StaffActed })
	if len(acts) != 1 || !strings.Contains(string(acts[0].Data), "it was not him") {
		t.Errorf("acts are %v", acts)
	}
	w.said = nil // the news is buried
	_, err = w.ResumeMerge(ctx, second.ID, "cli", "it was buried")
	w.must(err)
	w.hear()
	kept, err := w.Merges.Merge(ctx, second.ID)
	if err != nil || kept.Stage != user.MergeDone || kept.Reason != "merge.spent" || kept.Rev != 5 {
		t.Errorf("what cannot go back is %+v, %v", kept, err)
	}
	for rev, stage := range map[int64]user.MergeStage{2: user.MergeMoved, 4: user.MergeUndoing, 5: user.MergeDone} {
		e, err := event.New(fmt.Sprint("merge/late/", rev), event.MergeChanged, w.now, user.MergeChanged{ID: second.ID, Rev: rev, Stage: stage})
		w.must(err)
		for _, part := range []string{user.MergePayment, user.MergeOrder} {
			a, err := user.AnswerMerge(e, w.now, user.MergeAnswered{ID: second.ID, Rev: rev, Part: part})
			w.must(err)
			w.must(w.MergeAnswered(ctx, a))
		}
	}
	if got := w.stage(second.ID); got != user.MergeDone {
		t.Errorf("after late answers it is %s", got)
	}
	w.why = ""
	for _, m := range []user.Merge{second, first} {
		_, err = w.Undo(ctx, m.ID, "cli", "again")
		w.must(err)
		w.hear()
		if got := w.stage(m.ID); got != user.MergeUndone {
			t.Errorf("merge %d is %s", m.ID, got)
		}
	}
}

// TestAPayoutAccountIsNewToMoneyThatIsLinked: whose money would go to another account from
// now on has changed it, by whichever way. Where both had the same nothing has changed.
func TestAPayoutAccountIsNewToMoneyThatIsLinked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, elder, younger, gets string
		fresh                      bool
	}{
		{"the younger one had another", "13800000001", "13800000002", "13800000001", true},
		{"the younger one had none", "13800000001", "", "13800000001", true},
		{"both had the same", "13800000001", "138-0000-0001", "13800000001", false},
		{"the elder had none", "", "13800000002", "13800000002", true},
		{"nobody had one", "", "", "", false},
	} {
		w := openTown(t)
		elder, younger := w.join("ann"), w.join("bob")
		for id, account := range map[int64]string{elder: tt.elder, younger: tt.younger} {
			if account != "" {
				w.must(w.SetPayee(t.Context(), id, user.Payee{Method: "alipay", Account: account, Name: "安"}))
			}
		}
		w.now = w.now.Add(100 * time.Hour)
		m := w.link(elder, younger)
		for _, id := range []int64{elder, younger} {
			p, err := w.Payee(t.Context(), id)
			w.must(err)
			if fresh := p.Changed.Equal(w.now); p.Account != tt.gets || fresh != tt.fresh {
				t.Errorf("%s: user %d has %q, changed at %s", tt.name, id, p.Account, p.Changed)
			}
		}
		_, err := w.Unlink(t.Context(), younger)
		w.must(err)
		w.hear()
		if p, err := w.Payee(t.Context(), elder); err != nil || w.stage(m.ID) != user.MergeUndone || p.Changed.Equal(w.now) || p.Account != tt.elder {
			t.Errorf("%s, and parted: %q, changed at %s, %v", tt.name, p.Account, p.Changed, err)
		}
	}
}
