package taobao_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/taobao"
	"fanli/adapters/taobao/taobaofake"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// since is the window of a scene from d ago to now.
func (w *world) since(scene string, d time.Duration) order.Window {
	now := w.clock.Now()
	return order.Window{Scene: scene, From: now.Add(-d), To: now}
}

// settled places an order that has come all the way.
func (w *world) settled(t *testing.T, item string) market.Line {
	t.Helper()
	l := w.buy(t, item, "")
	must(t, w.market.Pay(l.ID), w.market.Receive(l.ID), w.market.Settle(l.ID))
	return l
}

func TestLinkAndOrderShareItemAndSlot(t *testing.T) {
	t.Parallel()
	w := open(t)
	o, err := w.Offer(t.Context(), link.Ref{Kind: link.Token, Token: "Vh3mK9xQ2Lp"})
	must(t, err)
	made, err := w.Link(t.Context(), o, link.Mark{Tag: "f1", Slot: "333333334"})
	must(t, err)
	click, ok := w.fake.Click(made.URL)
	if !ok {
		t.Fatalf("no click behind %q", made.URL)
	}
	l, err := w.market.Buy(click, 1, taobaofake.NumberFor)
	must(t, err, w.market.Pay(l.ID))
	w.clock.Advance(time.Minute)
	revs, _, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneModified, time.Hour))
	must(t, err)
	if len(revs) != 1 || revs[0].Item != o.ItemKey() || revs[0].Slot != "333333334" || revs[0].Tag != "" {
		t.Errorf("the order says %+v, the offer %q", revs, o.ItemKey())
	}
}

// Rows that change while a window is read leave it. They are read all the same.
func TestRowThatChangesBetweenPagesIsRead(t *testing.T) {
	t.Parallel()
	for _, scene := range []string{taobao.SceneModified, taobao.SceneRefund} {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(c *taobao.Config, _ *taobaofake.Config) { c.PageSize = 10 })
			var lines []market.Line
			var suits []string
			for range 50 {
				l := w.settled(t, "712345678901")
				lines, suits = append(lines, l), append(suits, w.fake.Dispute(l.ID, 1))
				w.clock.Advance(time.Second)
			}
			w.clock.Advance(10 * time.Minute)
			moved := false
			w.fake.BetweenPages(func() {
				if !moved { // one row of the last page, after the first was composed
					moved = true
					w.fake.Resolve(suits[49], 3)
					if err := w.market.Refund(lines[49].ID, 1); err != nil {
						t.Error(err)
					}
				}
				w.clock.Advance(time.Second)
			})
			revs, bad, err := feedtest.All(t.Context(), w.Client, w.since(scene, time.Hour))
			must(t, err)
			got := map[string]bool{}
			for _, r := range revs {
				got[r.Key.ID] = true
			}
			if len(got) != 50 || len(bad) != 0 {
				t.Errorf("read %d lines of 50, %d bad", len(got), len(bad))
			}
		})
	}
}

func TestRefundAfterSettlementComesApart(t *testing.T) {
	t.Parallel()
	w := open(t)
	l := w.settled(t, "712345678901") // 49.00 at 6 %: 2.94, of which 2.64 is left
	w.clock.Advance(time.Minute)
	must(t, w.market.Refund(l.ID, 1000))
	w.clock.Advance(time.Minute)
	must(t, w.market.Refund(l.ID, 900))
	w.clock.Advance(time.Minute)
	whole, _, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneModified, time.Hour))
	must(t, err)
	if len(whole) != 1 || whole[0].Actual != 264 || whole[0].Price != 4900 || whole[0].Refunded != 0 || whole[0].Disputed {
		t.Errorf("the order row says %+v", whole)
	}
	// The window of the second suit alone: the first one is asked for and counted.
	back, _, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneRefund, 90*time.Second))
	must(t, err)
	book, _ := w.market.Line(l.ID)
	if len(back) != 1 || back[0].Refunded != 1900 || whole[0].Actual-back[0].Claimed != book.Commission {
		t.Errorf("the suits say %+v, the book owes %s", back, book.Commission)
	}
}

func TestOpenSuitDisputesUntilItEnds(t *testing.T) {
	t.Parallel()
	w := open(t)
	l := w.settled(t, "712345678901")
	read := func() order.Revision {
		t.Helper()
		w.clock.Advance(time.Minute)
		revs, _, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneRefund, time.Hour))
		must(t, err)
		if len(revs) != 1 {
			t.Fatalf("%d revisions", len(revs))
		}
		return revs[0]
	}
	id := w.fake.Dispute(l.ID, 4900)
	opened := read()
	if !opened.Disputed || opened.Claimed != 0 || opened.Refunded != 0 {
		t.Errorf("open: %+v", opened)
	}
	w.fake.Resolve(id, 3)
	failed := read()
	if failed.Disputed || failed.Claimed != 0 || !failed.Modified.After(opened.Modified) {
		t.Errorf("failed: %+v", failed)
	}
}

func TestWithoutRefundFeedAMarkDisputes(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *taobao.Config, _ *taobaofake.Config) { c.Refunds = false })
	for _, s := range w.Scenes() {
		if s.Name == taobao.SceneRefund {
			t.Error("the refund scene is there")
		}
	}
	l := w.settled(t, "712345678901")
	w.fake.Dispute(l.ID, 100)
	w.clock.Advance(time.Minute)
	revs, _, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneModified, time.Hour))
	must(t, err)
	if len(revs) != 1 || !revs[0].Disputed {
		t.Errorf("read %+v, want one disputed line", revs)
	}
}

// A suit about an order that is too old to be asked about is kept aside: its
// other suits are not known.
func TestSuitOfOldOrderIsKeptAside(t *testing.T) {
	t.Parallel()
	w := open(t)
	old := w.settled(t, "712345678901")
	w.clock.Advance(91 * 24 * time.Hour)
	young := w.settled(t, "652874751412")
	must(t, w.market.Refund(old.ID, 100), w.market.Refund(young.ID, 100))
	w.clock.Advance(time.Minute)
	revs, bad, err := feedtest.All(t.Context(), w.Client, w.since(taobao.SceneRefund, time.Hour))
	must(t, err)
	if len(revs) != 1 || revs[0].Key.ID != young.ID || len(bad) != 1 || bad[0].Key.ID != old.ID {
		t.Errorf("read %+v, bad %+v", revs, bad)
	}
}

func TestChannelOrdersCarryTheirTag(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *taobao.Config, _ *taobaofake.Config) {
		c.ChannelOrders, c.MemberOrders, c.RelationID = true, true, "777"
	})
	for _, tag := range []string{"123456", "777", ""} {
		l := w.buy(t, "712345678901", tag)
		must(t, w.market.Pay(l.ID))
	}
	w.clock.Advance(time.Minute)
	for scene, want := range map[string]string{
		taobao.SceneModified: `["" "" "123456"]`, taobao.SceneChannel: `["" "123456"]`, taobao.SceneMember: `[]`,
	} {
		revs, _, err := feedtest.All(t.Context(), w.Client, w.since(scene, time.Hour))
		must(t, err)
		var tags []string
		for _, r := range revs {
			tags = append(tags, r.Tag)
		}
		slices.Sort(tags)
		if got := fmt.Sprintf("%q", tags); got != want {
			t.Errorf("%s: tags %s, want %s", scene, got, want)
		}
	}
}

func TestPromotionsShortenTheWindow(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *taobao.Config, _ *taobaofake.Config) {
		c.PromotionWindows = []taobao.Period{{From: "2026-01-20", To: "2026-01-21"}}
	})
	window := func() time.Duration { return w.Scenes()[0].Window }
	usual := window()
	w.clock.Advance(5 * 24 * time.Hour)
	if promo := window(); usual <= 2*time.Hour || usual > 3*time.Hour || promo > 20*time.Minute {
		t.Errorf("windows of %s, in promotions %s", usual, promo)
	}
	w.clock.Advance(3 * 24 * time.Hour)
	if again := window(); again != usual {
		t.Errorf("after the promotion: %s", again)
	}

	// A promotion that nobody told us of.
	w.fake.Promotion(20 * time.Minute)
	_, err := w.Pull(t.Context(), w.since(taobao.SceneModified, time.Hour), "")
	wantFault(t, err, fault.Invalid, "feed.window_too_long")
	_, err = w.Pull(t.Context(), w.since(taobao.SceneModified, 19*time.Minute), "")
	must(t, err)
}

func TestOldWindowsAreRefused(t *testing.T) {
	t.Parallel()
	w := open(t)
	now := w.clock.Now()
	for _, s := range w.Scenes() {
		from := now.Add(-91 * 24 * time.Hour)
		_, err := w.Pull(t.Context(), order.Window{Scene: s.Name, From: from, To: from.Add(time.Minute)}, "")
		wantFault(t, err, fault.Invalid, "feed.window_too_old")
		from = now.Add(-s.Keeps)
		_, err = w.Pull(t.Context(), order.Window{Scene: s.Name, From: from, To: from.Add(time.Minute)}, "")
		must(t, err)
	}
	_, err := w.Pull(t.Context(), order.Window{Scene: taobao.SceneModified, From: now, To: now}, "")
	wantFault(t, err, fault.Invalid, "")
}

// endless is a platform that always has a next page.
func endless(row string) canned {
	return canned{details: `{"data":{"results":[` + row + `],"has_next":true,"position_index":"1_a|2_b"}}`}
}

func TestRepeatedPageStops(t *testing.T) {
	t.Parallel()
	c := endless(`{"trade_id":"1","tk_status":12,"modified_time":"2026-01-15 10:06:12"}`).client(t)
	_, _, err := feedtest.All(t.Context(), c, morning(taobao.SceneModified))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "repeats page 1") {
		t.Errorf("reading a feed that repeats itself: %v", err)
	}
}

func TestFullWindowAndForgottenCursor(t *testing.T) {
	t.Parallel()
	c := endless("").client(t)
	at := `{"from":1768442400,"to":1768442460,"page":101,"start":1,"round":0}`
	_, err := c.Pull(t.Context(), morning(taobao.SceneModified), at)
	wantFault(t, err, fault.Invalid, "feed.window_too_full")
	for _, cursor := range []string{"x", `{"page":0}`, `{"from":2,"to":1,"page":1}`} {
		_, err := c.Pull(t.Context(), morning(taobao.SceneModified), cursor)
		wantFault(t, err, fault.Invalid, "feed.bad_cursor")
	}
	w := open(t)
	from := w.clock.Now().Add(-time.Minute).Unix()
	lost := fmt.Sprintf(`{"from":%d,"to":%d,"page":2,"index":"1_x|2_y"}`, from, from+30)
	_, err = w.Pull(t.Context(), w.since(taobao.SceneModified, time.Minute), lost)
	wantFault(t, err, fault.Unavailable, "") // from the first page again
}
