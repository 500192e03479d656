package main

import (
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/link"
)

// TestALateOrderOfAnOldLinkIsThePersons: bob got a link, turned out to be ann, and then
// ordered. The order is shown as hers with the promise of his link, its money is hers,
// and when they are taken apart it is his with its money.
func TestALateOrderOfAnOldLinkIsThePersons(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	ctx := t.Context()
	copied := func(who, id, text string) (out string) {
		for _, b := range w.say(who, id, text).Buttons {
			if b.Copy != "" {
				out = b.Copy
			}
		}
		return out
	}
	confirm := func(who, id, text string) { w.say(who, id+"c", confirmation(w.say(who, id, text))); w.mustSettle() }
	w.say("ann", "1", "你好")
	offer := w.say("bob", "2", itemLink(link.JD, 1))
	promised, err := w.app.db.Links().Recent(ctx, 2, link.JD, "100012043971", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	confirm("ann", "3", copied("bob", "4", "关联"))
	line, err := w.follow(link.JD, offer, 1)
	if err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	w.mustSettle()
	ls, err := w.app.orders.OfUser(ctx, 1, 0, 9)
	if err != nil || len(ls) != 1 || ls[0].User != 1 || ls[0].Promise != promised.Promise || ls[0].Key.ID != line.ID {
		t.Fatalf("her orders are %+v, %v", ls, err)
	}
	if got := bot.RenderText(w.say("bob", "5", "订单")); !strings.Contains(got, "返利") {
		t.Errorf("he reads %q", got)
	}
	pocket := func(user int64) credit.Wallet {
		p, err := w.app.purse.Wallet(ctx, user)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	sum := pocket(1).Pending // the network rounds in its own way
	if his := pocket(2); sum < promised.Promise.Rebate-1 || sum > promised.Promise.Rebate || his != (credit.Wallet{}) {
		t.Errorf("she has %d, he %+v; promised was %d", sum, his, promised.Promise.Rebate)
	}
	w.wantSound()
	confirm("ann", "6", "解除关联")
	if her, his := pocket(1), pocket(2); his.Pending != sum || her != (credit.Wallet{}) {
		t.Errorf("apart she has %+v, he %+v", her, his)
	}
	var out strings.Builder
	if err := w.app.showMerge(ctx, stdio{out: &out}, 1); err != nil || !strings.Contains(out.String(), "undone") || strings.Count(out.String(), string(ledger.Merge)+" ") != 1 {
		t.Errorf("%v\n%s", err, out.String())
	}
	told := strings.Join(w.told, "\n")
	for _, want := range []string{"ann: 新关联了一个渠道", "bob: 新关联了一个渠道", "ann: 账号已经分开", "bob: 账号已经分开"} {
		if !strings.Contains(told, want) {
			t.Errorf("nobody was told %q in\n%s", want, told)
		}
	}
	if err := w.markets[link.JD].Receive(line.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.markets[link.JD].Settle(line.ID); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	w.mustSettle()
	if her, his := pocket(1), pocket(2); his.Available != sum || her != (credit.Wallet{}) {
		t.Errorf("settled, she has %+v, he %+v", her, his)
	}
	w.wantSound()
}

// TestOperatorsLookAtMerges asks by the command line.
func TestOperatorsLookAtMerges(t *testing.T) {
	t.Parallel()
	env := []string{"FANLI_DATA=" + t.TempDir()}
	fanli := func(args ...string) result { return cli(t, "", env, args...) }
	fanli("merge", "list").want(t, exitOK, "nobody has linked accounts")
	fanli("merge", "show", "7").want(t, exitFailed, "there is no merge 7")
	fanli("merge", "show", "x").want(t, exitUsage, "not the number of a merge")
	fanli("merge", "undo", "7", "it", "was", "not", "him").want(t, exitFailed, "there is no merge 7")
	fanli("merge", "undo", "7", " ").want(t, exitUsage, "a reason is missing")
	fanli("merge", "resume", "7", "buried").want(t, exitFailed, "there is no merge 7")
}
