package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/user"
)

// ann is the tag under which rows name Ann's account.
const ann = "member/2345678901"

// bought is a row that names Ann's account as the buyer's.
func bought(id, number, item, slot string) order.Revision {
	return with(slotted(id, number, item, slot), func(r *order.Revision) { r.Tag = ann })
}

// bind binds Ann's account to a user, and wants it to end with a reason; "" for well.
func (d *desk) bind(user int64, reason string) {
	d.t.Helper()
	_, err := d.BindMember(d.t.Context(), link.Taobao, ann, user)
	if fault.ReasonOf(err) != reason || (err == nil) != (reason == "") {
		d.t.Errorf("user %d binds it: %v, want %q", user, err, reason)
	}
}

func TestWhatABoundAccountBuysIsItsUsers(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.link(42, link.Taobao, "item", "", "s1", 9*24*time.Hour) // Ann asked long before
	d.link(43, link.Taobao, "item", "", "s1", time.Minute)    // whoever's link she used
	d.bind(42, "")
	d.apply(3, bought("1", "n1", "item", "s1"), bought("2", "n2", "other", "s9"),
		with(slotted("3", "n1", "third", "s9"), func(*order.Revision) {})) // in the same cart, unnamed
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	d.wantOwner(link.Taobao, "2", 42, order.ByMember)
	d.wantOwner(link.Taobao, "3", 42, order.ByKin)
	l := d.get(link.Taobao, "1")
	if l.Link != 1 || l.Promise.Rebate != 280 {
		t.Errorf("link %d, promise %+v: she had asked for it", l.Link, l.Promise)
	}
	for _, has := range []string{"23****01", "bound to user 42", "link 2 of user 43", "not who bought"} {
		if !strings.Contains(l.Evidence, has) {
			t.Errorf("the evidence does not say %q: %s", has, l.Evidence)
		}
	}
	if strings.Contains(l.Evidence, "2345678901") {
		t.Errorf("the evidence shows the account: %s", l.Evidence)
	}
	if l := d.get(link.Taobao, "2"); l.Link != 0 || l.Promise != (link.Promise{}) {
		t.Errorf("link %d, promise %+v: she had not asked for it", l.Link, l.Promise)
	}
}

func TestBindingFindsTheOrdersFromBefore(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	rs := make([]order.Revision, 0, 230)
	for i := range cap(rs) { // more than one batch
		rs = append(rs, bought(fmt.Sprint(i), fmt.Sprint("n", i), "item", "s1"))
	}
	d.apply(len(rs), rs...)
	d.apply(1, with(bought("far", "m1", "item", "s1"), func(r *order.Revision) { r.Tag = "member/1" }))
	d.bind(42, "")
	for i := range rs {
		d.wantOwner(link.Taobao, fmt.Sprint(i), 42, order.ByMember)
	}
	d.wantOwner(link.Taobao, "far", 0, "")
	said := len(d.said())
	d.bind(42, "")
	if n := len(d.said()); n != said {
		t.Errorf("binding it again said %d things", n-said)
	}
	ms, err := d.Members(t.Context(), 42)
	must(t, err)
	if want := []order.Member{{Network: link.Taobao, Tag: ann, User: 42, At: start}}; !slices.Equal(ms, want) {
		t.Errorf("bound are %+v", ms)
	}
}

func TestAnAccountOfSomebodyElseStaysTheirs(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.bind(42, "")
	d.bind(43, "member.taken")
	d.bind(43, "member.taken")
	d.apply(1, bought("1", "n1", "item", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	cs, err := d.db.Orders().Contests(t.Context(), start, 10)
	must(t, err)
	if len(cs) != 1 || cs[0].User != 43 || cs[0].Owner != 42 || cs[0].Masked() != "23****01" {
		t.Errorf("staff are told of %+v", cs)
	}
}

// What people have decided of an order stays decided, and people can decide against a
// bound account.
func TestABoundAccountYieldsToPeople(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	ctx := t.Context()
	d.bind(42, "")
	d.apply(1, bought("1", "1234567890123456", "item", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	_, err := d.Assign(ctx, "1234567890123456", 43, "bob", "she bought it for him")
	must(t, err)
	d.wantOwner(link.Taobao, "1", 43, order.ByStaff)
	d.apply(1, bought("2", "1234567890123456", "other", "s1")) // a late line
	d.wantOwner(link.Taobao, "2", 43, order.ByKin)
	if l := d.get(link.Taobao, "2"); !strings.Contains(l.Evidence, "bound to user 42") {
		t.Errorf("the evidence does not say why it is not user 42's: %s", l.Evidence)
	}
	_, err = d.Assign(ctx, "1234567890123456", 42, "bob", "he did not")
	must(t, err)
	d.wantOwner(link.Taobao, "1", 42, order.ByStaff)
	d.wantOwner(link.Taobao, "2", 42, order.ByStaff)
}

// Somebody who knows the number does not get it, nor is it frozen; staff can give it.
func TestAClaimToWhatABoundAccountBought(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	ctx := t.Context()
	const number = "4012345678900654321"
	d.link(43, link.Taobao, "item", "", "s1", time.Hour)
	c, err := d.Claim(ctx, 43, number)
	must(t, err)
	d.bind(42, "")
	d.apply(1, bought("1", number, "item", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	_, err = d.Prove(ctx, 43, c.ID, order.Proof{Paid: 8900, Day: "2026-01-15"})
	must(t, err)
	_, err = d.ReviewClaims(ctx)
	must(t, err)
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	cs, err := d.Claims(ctx, 43, 0, 1)
	must(t, err)
	if cs[0].State != order.ClaimWaiting {
		t.Errorf("the claim is %s", cs[0].State)
	}
	_, err = d.DecideClaim(ctx, c.ID, true, "bob", "he paid for it")
	must(t, err)
	d.wantOwner(link.Taobao, "1", 43, order.ByStaff)
}

// A person has what either of their accounts has bound, as long as they are linked.
func TestABoundAccountGoesWithLinkedUsers(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	ctx := t.Context()
	merge := func(rev int64, stage user.MergeStage) {
		t.Helper()
		e, err := event.New(fmt.Sprint("merge/1/", rev), event.MergeChanged, d.at, user.MergeChanged{ID: 1, Rev: rev, Absorbed: 43, Survivor: 42, Stage: stage})
		must(t, err)
		must(t, d.MergeChanged(ctx, e))
	}
	count := func(user int64, want int) {
		t.Helper()
		ms, err := d.Members(ctx, user)
		must(t, err)
		if len(ms) != want {
			t.Errorf("user %d has %d accounts, want %d", user, len(ms), want)
		}
	}
	d.bind(43, "")
	d.bind(42, "member.taken")
	merge(2, user.MergeMoved)
	d.bind(42, "")
	count(42, 1)
	d.apply(1, bought("1", "n1", "item", "s1"))
	ls, err := d.OfUser(ctx, 42, 0, 10)
	must(t, err)
	if len(ls) != 1 || ls[0].User != 42 {
		t.Errorf("the person's lines are %+v", ls)
	}
	merge(4, user.MergeReturned)
	d.bind(42, "member.taken")
	count(42, 0)
	count(43, 1)
	d.apply(1, bought("2", "n2", "item", "s1"))
	d.wantOwner(link.Taobao, "2", 43, order.ByMember)
}

func TestATicketIsGoodOnce(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	for _, tt := range []struct {
		ticket string
		until  time.Duration
		reason string
	}{
		{"a", time.Minute, ""}, {"a", time.Minute, "member.spent"}, {"b", 0, "member.ended"}, {"b", 25 * time.Hour, "member.ended"}, {"b", time.Minute, ""},
	} {
		if err := d.SpendTicket(t.Context(), tt.ticket, start.Add(tt.until)); fault.ReasonOf(err) != tt.reason {
			t.Errorf("ticket %s until %s: %v, want %q", tt.ticket, tt.until, err, tt.reason)
		}
	}
}

// Where nothing is bound nothing changes: a bound account matters to no line but those
// that name it.
func TestOnlyRowsThatNameABoundAccountAreItsUsers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
		var w order.Ways
		w.ByTag, w.ByItem = map[string]order.Way{}, map[string][]order.Way{}
		w.Kin, w.Word = map[string][]int64{}, map[string][]int64{}
		for i := range rapid.IntRange(0, 4).Draw(t, "links") {
			way := order.Way{
				Link: int64(i + 1), User: int64(rapid.IntRange(1, 3).Draw(t, "user")), Network: link.Taobao, Item: pick("item", "A", "B"),
				Tag: fmt.Sprint("t", i), Slot: pick("slot", "s1", "s2"), At: start.Add(-time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour),
			}
			w.ByTag[way.Tag], w.ByItem[way.Item] = way, append(w.ByItem[way.Item], way)
		}
		r := order.Revision{
			Key: order.Key{Network: link.Taobao, Account: "main", ID: "1"}, Order: "4012345678900654321", Created: start,
			Tag: pick("tag", "", "t0", "t1", "foreign", "member/1"), Slot: pick("slot", "", "s1", "s2"), Item: pick("item", "A", "B"),
		}
		user, step, ok := order.Whose(r, w)
		w.Members = map[string]int64{ann: 9}
		if u, s, o := order.Whose(r, w); u != user || s != step || o != ok {
			t.Fatalf("a bound account makes %q user %d's by %q; it was %d's by %q", r.Tag, u, s, user, step)
		}
		r.Tag = ann
		if u, s, _ := order.Whose(r, w); u != 9 || s != order.ByMember {
			t.Fatalf("a row that names it is user %d's by %q", u, s)
		}
	})
}

// Staff take it from somebody who has bound what is not theirs.
func TestStaffUnbind(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	d.Store = twice{d.db.Orders()}
	d.bind(42, "")
	d.bind(43, "member.taken")
	d.apply(1, bought("1", "n1", "item", "s1"))
	if _, err := d.UnbindMembers(t.Context(), 42, "cli", " "); fault.ReasonOf(err) != "member.reason" {
		t.Errorf("without a reason: %v", err)
	}
	for _, want := range []int{1, 0} {
		if n, err := d.UnbindMembers(t.Context(), 42, "cli", "it is hers"); err != nil || n != want {
			t.Errorf("unbound are %d, %v; want %d", n, err, want)
		}
	}
	acts := slices.DeleteFunc(d.said(), func(e event.Event) bool { return e.Name != event.StaffActed })
	if len(acts) != 1 || !strings.Contains(string(acts[0].Data), "23****01") || strings.Contains(string(acts[0].Data), "2345678901") {
		t.Errorf("recorded are %+v", acts)
	}
	d.bind(43, "")
	d.apply(1, bought("2", "n2", "item", "s1"))
	d.wantOwner(link.Taobao, "1", 42, order.ByMember)
	d.wantOwner(link.Taobao, "2", 43, order.ByMember)
}

// What decided of the order before is stronger, and of two decisions neither is taken.
func TestWhatWasDecidedOfAnOrderIsStrongerThanABoundAccount(t *testing.T) {
	t.Parallel()
	r := order.Revision{
		Key: order.Key{Network: link.Taobao, Account: "main", ID: "2"}, Order: "part", Parent: "placed", Item: "A", Tag: ann, Created: start,
	}
	source := func(user int64) map[string][]order.Source {
		return map[string][]order.Source{"placed": {{Item: "A", Split: true, Way: order.Way{User: user}}}}
	}
	bound := map[string]int64{ann: 42}
	for _, tt := range []struct {
		name string
		w    order.Ways
		user int64
		step order.Step
	}{
		{"nothing", order.Ways{}, 42, order.ByMember},
		{"it was split from somebody's", order.Ways{Split: source(43)}, 43, order.BySplit},
		{"it was split from nobody's", order.Ways{Split: source(0)}, 42, order.ByMember},
		{"a claim to the whole", order.Ways{Decided: map[string][]int64{"placed": {43}}}, 43, order.ByKin},
		{"staff about the part", order.Ways{Decided: map[string][]int64{"part": {43}}}, 43, order.ByKin},
		{"theirs anyway", order.Ways{Decided: map[string][]int64{"placed": {42}}}, 42, order.ByMember},
		{"another account of theirs", order.Ways{Decided: map[string][]int64{"placed": {44}}, Persons: map[int64]int64{44: 42}}, 42, order.ByMember},
		{"two who contradict each other", order.Ways{Decided: map[string][]int64{"placed": {43}, "part": {45}}}, 0, ""},
		{"another order", order.Ways{Decided: map[string][]int64{"other": {43}}}, 42, order.ByMember},
	} {
		tt.w.Members = bound
		if user, step, _ := order.Whose(r, tt.w); user != tt.user || step != tt.step {
			t.Errorf("%s: user %d by %q, want %d by %q", tt.name, user, step, tt.user, tt.step)
		}
	}
}
