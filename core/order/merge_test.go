package order_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/user"
)

// merging hears a stage of the merge of 43 into 42, twice, and wants one answer for each.
func (d *desk) merging(rev int64, stage user.MergeStage) {
	d.t.Helper()
	for range 2 {
		e, err := event.New(fmt.Sprintf("merge/1/%d-%s/%d", rev, stage, len(d.said())), event.MergeChanged, start, user.MergeChanged{
			ID: 1, Rev: rev, Absorbed: 43, Survivor: 42, Stage: stage, At: start,
		})
		must(d.t, err)
		must(d.t, d.MergeChanged(d.t.Context(), e))
		must(d.t, d.MergeChanged(d.t.Context(), e))
		es := d.said()
		var a user.MergeAnswered
		must(d.t, es[len(es)-1].Decode(&a))
		if want := (user.MergeAnswered{ID: 1, Rev: rev, Part: user.MergeOrder}); a != want || es[len(es)-1].ID != e.ID+"/order" {
			d.t.Errorf("answered is %+v in %s, want %+v", a, es[len(es)-1].ID, want)
		}
	}
}

// Two accounts of one person do not contradict each other, for as long as they are one
// person's: what both could have bought is theirs, through the link that fits best.
func TestAccountsOfOnePersonDoNotContradictEachOther(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	for _, item := range []string{"a", "b", "c"} {
		d.link(42, link.Taobao, item, "", "s1", time.Hour)
		d.link(43, link.Taobao, item, "", "s1", time.Minute)
	}
	d.apply(1, slotted("1", "n1", "a", "s1"))
	d.wantOwner(link.Taobao, "1", 0, "")
	d.merging(2, user.MergeMoved)
	d.wantOwner(link.Taobao, "1", 43, order.BySlot) // also what came before they were linked
	d.apply(1, slotted("2", "n2", "b", "s1"))
	d.wantOwner(link.Taobao, "2", 43, order.BySlot)
	if ls, err := d.OfUser(t.Context(), 42, 0, 9); err != nil || len(ls) != 2 || ls[0].User != 42 {
		t.Errorf("the person's lines are %+v, %v", ls, err)
	}
	d.merging(5, user.MergeReturned)
	d.apply(1, slotted("3", "n3", "c", "s1"))
	d.wantOwner(link.Taobao, "3", 0, "")
	d.merging(2, user.MergeMoved) // late news: it is answered, and changes nothing
	if ls, err := d.OfUser(t.Context(), 42, 0, 9); err != nil || len(ls) != 0 {
		t.Errorf("afterwards they are %+v, %v", ls, err)
	}
}

// What a claim brings does not depend on whether its order or the news of the claimant's
// other account came first: the account's own link decides, and another one's if it has
// none.
func TestAClaimIsByItsOwnAccountsLink(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		claimant, link int64
		first          bool // the order comes before the merge
	}{{42, 1, true}, {42, 1, false}, {43, 2, true}, {43, 2, false}} {
		d := openBook(t)
		d.link(42, link.Taobao, "item", "", "", 72*time.Hour)
		d.link(43, link.Taobao, "item", "", "", 48*time.Hour)
		if !tt.first {
			d.merging(2, user.MergeMoved)
		}
		d.apply(1, slotted("1", number(1), "item", ""))
		_, err := d.Claim(t.Context(), tt.claimant, number(1))
		must(t, err)
		if l := d.get(link.Taobao, "1"); l.User != tt.claimant || l.Link != tt.link {
			t.Errorf("%+v: it is user %d's by link %d", tt, l.User, l.Link)
		}
	}
}

// A claim that was made as somebody else is the same person's: it can be proved and
// is no rival.
func TestAClaimIsThePersons(t *testing.T) {
	t.Parallel()
	d := openBook(t)
	ctx := t.Context()
	c, err := d.Claim(ctx, 43, number(1))
	must(t, err)
	proof := order.Proof{Paid: 100, Day: "2026-01-15"}
	if _, err := d.Prove(ctx, 42, c.ID, proof); err == nil {
		t.Error("somebody else's claim was proved")
	}
	d.merging(2, user.MergeMoved)
	proved, err := d.Prove(ctx, 42, c.ID, proof)
	if err != nil || proved.Proofs != 1 {
		t.Errorf("%+v, %v", proved, err)
	}
	cs, err := d.Claims(ctx, 42, 0, 9)
	if err != nil || len(cs) != 1 || cs[0].User != 42 {
		t.Errorf("the person's claims are %+v, %v", cs, err)
	}
}
