package rebate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

func TestAPromiseIsKeptWhateverBecomesOfTheRules(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.levels[42] = 1
	p, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000})
	if err != nil || p.Rules != 1 || p.Share != 7500 || p.Rebate != 675 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := o.Enact(t.Context(), rebate.Rules{Base: 100, HoldDays: map[string]int{"": 90}}); err != nil {
		t.Fatal(err)
	}
	o.levels[42] = 0
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) {
		t.Error("who invited is asked although it does not count")
		return rebate.Inviters{}, nil
	}
	promised := func(l *order.ChangedLine) { l.Promise = p }
	asked := o.asked
	o.hear(line("1", 1, promised))
	o.want("1", "pending 675 of 42, margin 325, seq 1")
	o.hear(line("1", 2, promised, settled(0), brings(2000)))
	o.want("1", "pending 1350 of 42, margin 650, seq 2")
	if r := o.get("1"); !r.Due.Equal(start.AddDate(0, 0, 15)) || r.Trace.Terms.Rules != 1 || o.asked != asked {
		t.Errorf("due %s under rules %d; the level was asked for %d times", r.Due, r.Trace.Terms.Rules, o.asked-asked)
	}
	o.hear(line("2", 1)) // and who was promised nothing gets what is in force
	o.want("2", "pending 10 of 42, margin 990, seq 1")
}

func TestALineWithoutALinkKeepsTheTermsOfItsFirstSight(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.hear(line("1", 1), line("2", 1, nobodys))
	o.want("1", "pending 540 of 42, margin 460, seq 1")
	o.want("2", "nothing 0 of 0, margin 1000, seq 1")
	if _, err := o.Enact(t.Context(), rebate.Rules{Base: 1000}); err != nil {
		t.Fatal(err)
	}
	o.levels[42] = 1
	o.hear(line("1", 2, brings(2000)), line("2", 2))
	o.want("1", "pending 1080 of 42, margin 920, seq 2") // as first seen
	o.want("2", "pending 100 of 42, margin 900, seq 2")  // seen as theirs under the new ones
	o.hear(line("1", 3, brings(2000), func(l *order.ChangedLine) { l.User = 43 }))
	o.want("1", "pending 200 of 43, margin 1800, seq 3") // another one's terms are their own
}

func TestNobodysLineIsTheHouses(t *testing.T) {
	t.Parallel()
	o := open(t)
	said := o.hear(line("1", 1, nobodys))
	if len(said) != 1 || said[0].User != 0 || said[0].Margin != 1000 || said[0].Stage != rebate.Nothing || o.asked != 0 {
		t.Errorf("said is %+v; a level was asked for %d times", said, o.asked)
	}
	o.hear(line("1", 2))
	o.want("1", "pending 540 of 42, margin 460, seq 2")
	o.levels[43] = 1
	o.hear(line("2", 1, nobodys), line("3", 1, func(l *order.ChangedLine) { l.User = 43 }))
	o.want("3", "pending 585 of 43, margin 415, seq 1") // with a level, although nobody's line comes first
}

func TestWhereTheMoneyIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change []func(l *order.ChangedLine)
		want   string
		due    time.Duration
	}{
		{"unpaid", []func(*order.ChangedLine){in(order.Unpaid), brings(0)}, "nothing 0 of 42, margin 0, seq 1", 0},
		{"paid", nil, "pending 540 of 42, margin 460, seq 1", 0},
		{"received", []func(*order.ChangedLine){in(order.Received)}, "pending 540 of 42, margin 460, seq 1", 0},
		{"settled a moment ago", []func(*order.ChangedLine){settled(0)}, "pending 540 of 42, margin 460, seq 1", 7 * 24 * time.Hour},
		{"settled almost a week ago", []func(*order.ChangedLine){settled(-7*24*time.Hour + time.Second)}, "pending 540 of 42, margin 460, seq 1", time.Second},
		{"settled a week ago", []func(*order.ChangedLine){settled(-7 * 24 * time.Hour)}, "available 540 of 42, margin 460, seq 1", 0},
		{"settled and disputed", []func(*order.ChangedLine){settled(-30 * 24 * time.Hour), disputed}, "pending 540 of 42, margin 460, seq 1", 0},
		{"settled for nothing", []func(*order.ChangedLine){settled(0), brings(0)}, "nothing 0 of 42, margin 0, seq 1", 0},
		{"settled for a fen, which is the house's", []func(*order.ChangedLine){settled(0), brings(1)}, "nothing 0 of 42, margin 1, seq 1", 0},
		{"invalid", []func(*order.ChangedLine){in(order.Invalid), brings(0)}, "nothing 0 of 42, margin 0, seq 1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			said := o.hear(line("1", 1, tt.change...))
			r := o.get("1")
			o.want("1", tt.want)
			if tt.due == 0 != r.Due.IsZero() || tt.due != 0 && !r.Due.Equal(start.Add(tt.due)) {
				t.Errorf("it is due at %s", r.Due)
			}
			if len(said) != 1 || said[0].Stage != r.Stage || said[0].Amount != r.Amount || said[0].Margin != r.Margin || !said[0].Due.Equal(r.Due) || said[0].Seq != r.Seq {
				t.Errorf("said is %+v", said)
			}
		})
	}
}

func TestNewsInAnyOrderAndTwiceEndsAlike(t *testing.T) {
	t.Parallel()
	news := []order.ChangedLine{
		line("1", 1), line("1", 2, brings(900)), line("1", 3, in(order.Received), brings(800)), line("1", 4, settled(0), brings(700)),
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := open(t)
		rev := int64(0)
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(news)-1), 1, 12).Draw(rt, "arrivals") {
			before := o.get("1").Seq
			said := o.hear(news[i])
			if news[i].Rev <= rev && (len(said) != 0 || o.get("1").Seq != before) {
				rt.Fatalf("rev %d after rev %d says %+v", news[i].Rev, rev, said)
			}
			rev = max(rev, news[i].Rev)
		}
		r, want := o.get("1"), news[rev-1]
		if r.Line.Rev != rev || r.Amount+r.Margin != want.Commission || r.Amount != want.Commission.Share(9000).Share(6000) {
			rt.Fatalf("after rev %d it brings %+v", rev, r)
		}
	})
}

func TestNewsThatMeansNothingIsNotSaid(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.hear(line("1", 1), line("2", 1))
	puts := o.drawer.puts
	if said := o.hear(line("1", 2, func(l *order.ChangedLine) { l.Title, l.Price, l.Refunded = "新水壶", 100, 50 })); len(said) != 0 {
		t.Errorf("said is %+v", said)
	}
	if len(o.drawer.said) != 1 {
		t.Errorf("an event that says nothing was emitted: %+v", o.drawer.said[1:])
	}
	if r := o.get("1"); r.Line.Title != "新水壶" || r.Seq != 1 || o.drawer.puts == puts {
		t.Errorf("the newest state of the line is not kept: %+v", r)
	}
	puts = o.drawer.puts
	if said := o.hear(line("1", 2), line("2", 1)); len(said) != 0 || o.drawer.puts != puts {
		t.Errorf("old news says %+v and writes %d times", said, o.drawer.puts-puts)
	}
	said := o.hear(line("2", 1, brings(1)), line("1", 3, in(order.Received)), line("2", 2)) // old and new in one event
	if len(said) != 1 || said[0].Key != key("1") || said[0].State != order.Received || said[0].Seq != 2 {
		t.Errorf("said is %+v", said)
	}
}

func TestADisputeHoldsTheMoneyAndItsEndSaysWhenItComes(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.hear(line("1", 1, settled(0), disputed))
	o.at = start.AddDate(0, 0, 30)
	o.release(0)
	o.want("1", "pending 540 of 42, margin 460, seq 1")
	t.Run("ended within the hold", func(t *testing.T) {
		o := open(t)
		o.hear(line("1", 1, settled(0), disputed))
		o.at = start.AddDate(0, 0, 3)
		said := o.hear(line("1", 2, settled(0)))
		if len(said) != 1 || !said[0].Due.Equal(start.AddDate(0, 0, 7)) || said[0].Stage != rebate.Pending || said[0].Amount != 540 {
			t.Errorf("the user is told %+v", said)
		}
		o.at = start.AddDate(0, 0, 7)
		o.release(1)
	})
	t.Run("ended after it", func(t *testing.T) {
		o := open(t)
		o.hear(line("1", 1, settled(0), disputed))
		o.at = start.AddDate(0, 0, 30)
		o.hear(line("1", 2, settled(0)))
		o.want("1", "available 540 of 42, margin 460, seq 2")
	})
	t.Run("begun when the money was there", func(t *testing.T) {
		o := open(t)
		o.at = start.AddDate(0, 0, 30)
		o.hear(line("1", 1, settled(0)))
		o.hear(line("1", 2, settled(0), disputed))
		o.want("1", "pending 540 of 42, margin 460, seq 2")
		o.release(0)
	})
}

func TestWhatHasWaitedOutItsHoldIsReleased(t *testing.T) {
	t.Parallel()
	o := open(t)
	var lines []order.ChangedLine
	for i := range 601 { // more than one batch
		lines = append(lines, line(fmt.Sprintf("%03d", i), 1, settled(0)))
	}
	lines = append(lines, line("later", 1, settled(time.Hour)), line("paid", 1), line("gone", 1, in(order.Invalid), brings(0)))
	o.hear(lines...)
	o.at = start.AddDate(0, 0, 7).Add(-time.Millisecond)
	o.release(0)
	o.at = start.AddDate(0, 0, 7)
	n := len(o.drawer.said)
	o.release(500)
	o.release(101)
	o.release(0)
	said := o.since(n)
	if id := o.drawer.said[n].ID; id != "rebate/release/jd/main/000/seq2/500" {
		t.Errorf("the first batch is called %s", id)
	}
	if len(o.drawer.said) != n+2 || len(said) != 601 {
		t.Errorf("%d events say %d rebates", len(o.drawer.said)-n, len(said))
	}
	for _, c := range said {
		if c.Stage != rebate.Available || c.Amount != 540 || !c.Due.IsZero() || c.Seq != 2 || c.Order == "" {
			t.Fatalf("said is %+v", c)
		}
	}
	o.want("000", "available 540 of 42, margin 460, seq 2")
	o.want("later", "pending 540 of 42, margin 460, seq 1")
	o.hear(line("000", 2, settled(0), brings(500)))
	o.want("000", "available 270 of 42, margin 230, seq 3")
}

func TestMinimumAndCap(t *testing.T) {
	t.Parallel()
	for commission, want := range map[money.Fen]string{
		18: "nothing 0 of 42, margin 18, seq 1", 20: "pending 10 of 42, margin 10, seq 1",
		5999: "pending 2999 of 42, margin 3000, seq 1", 6000: "pending 3000 of 42, margin 3000, seq 1", 99_999: "pending 3000 of 42, margin 96999, seq 1",
	} {
		o := open(t)
		if _, err := o.Enact(t.Context(), rebate.Rules{Base: 5000, Minimum: 10, Cap: 3000}); err != nil {
			t.Fatal(err)
		}
		o.hear(line("1", 1, brings(commission)))
		o.want("1", want)
	}
}

// TestWhatIsSharedIsTheCommission: whatever the rules, what the user gets and what
// the house keeps add up to the commission, fen by fen.
func TestWhatIsSharedIsTheCommission(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := open(t)
		bps := rapid.Int64Range(0, 10_000)
		if _, err := o.Enact(t.Context(), rebate.Rules{
			Base: money.Bps(bps.Draw(rt, "base")), Fee: money.Bps(bps.Draw(rt, "fee")),
			Cap: money.Fen(rapid.Int64Range(0, 500).Draw(rt, "cap")), HoldDays: map[string]int{"": rapid.IntRange(0, 30).Draw(rt, "hold")},
		}); err != nil {
			rt.Fatal(err)
		}
		states := []order.State{order.Unpaid, order.Paid, order.Received, order.Settled, order.Invalid}
		for rev := range rapid.Int64Range(1, 6).Draw(rt, "revs") {
			l := line("1", rev+1, in(rapid.SampledFrom(states).Draw(rt, "state")), brings(money.Fen(rapid.Int64Range(0, 2000).Draw(rt, "commission"))))
			l.User = rapid.Int64Range(0, 2).Draw(rt, "user")
			if l.State == order.Unpaid || l.State == order.Invalid {
				l.Commission = 0
			}
			if l.State == order.Settled {
				l.SettledAt = o.at
			}
			o.hear(l)
			if rapid.Bool().Draw(rt, "wait") {
				o.at = o.at.AddDate(0, 0, rapid.IntRange(0, 40).Draw(rt, "days"))
				if _, err := o.ReleaseDue(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			r := o.get("1")
			if r.Amount+r.Margin != l.Commission || r.Amount < 0 || r.Margin < 0 || l.User == 0 && r.Amount != 0 {
				rt.Fatalf("of %s, %s is user %d's and %s the house's", l.Commission, r.Amount, r.User, r.Margin)
			}
			if (r.Stage == rebate.Nothing) != (r.Amount == 0) || r.Stage == rebate.Available && !r.Due.IsZero() {
				rt.Fatalf("%+v", r)
			}
		}
	})
}

func TestNoRulesNoPromise(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.drawer.rules = nil
	if _, err := o.Promise(t.Context(), 42, link.Offer{Network: "jd", Commission: 1000}); !fault.Is(err, fault.NotFound) {
		t.Errorf("without rules: %v", err)
	}
	o = open(t)
	o.Level = func(context.Context, int64) (int, error) { return 0, fault.New(fault.Unavailable, "user.down") }
	if _, err := o.Promise(t.Context(), 42, link.Offer{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("where nobody knows the level: %v", err)
	}
	e, err := event.New("order/1", event.OrderChanged, start, order.Changed{Lines: []order.ChangedLine{line("1", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.OrderChanged(t.Context(), e); !fault.Is(err, fault.Unavailable) || len(o.drawer.rebates) != 0 || len(o.drawer.handled) != 0 {
		t.Errorf("a line of an unknown level: %v, %d rebates", err, len(o.drawer.rebates))
	}
	if err := o.OrderChanged(t.Context(), event.Event{ID: "x", Data: []byte("{")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("news that cannot be read: %v", err)
	}
	bad := line("1", 1)
	bad.Promise.Terms = "{"
	if e, err = event.New("order/2", event.OrderChanged, start, order.Changed{Lines: []order.ChangedLine{bad}}); err != nil {
		t.Fatal(err)
	}
	if err := o.OrderChanged(t.Context(), e); !fault.Is(err, fault.Invalid) || len(o.drawer.rebates) != 0 {
		t.Errorf("terms that cannot be read: %v", err)
	}
}

func TestEveryEventOfRebatesHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i := range 40 { // the drawer refuses an event that it has
		o.hear(line("1", int64(2*i+1), settled(o.at.Sub(start))), line("2", int64(i+1), brings(money.Fen(100+i))))
		o.at = o.at.AddDate(0, 0, 10)
		o.release(1)
		o.hear(line("1", int64(2*i+2), in(order.Received)))
	}
	ids := map[string]bool{}
	for _, e := range o.drawer.said {
		ids[e.ID] = true
	}
	if len(ids) != len(o.drawer.said) || len(ids) < 120 {
		t.Errorf("%d events have %d ids", len(o.drawer.said), len(ids))
	}
}

func TestABudgetThatIsUsedUpIsNotPromised(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := someRules()
	r.Fee, r.Budgets = 0, []string{"m"}
	r.List = []rebate.Rule{{Name: "gift", Mode: rebate.Add, Give: rebate.Give{Fixed: 500}, Budget: "m"}}
	if _, err := o.Enact(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	dry := false
	o.Dry = func(_ context.Context, name string) (bool, error) { return dry && name == "m", nil }
	rich, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000, Final: 89_00})
	if err != nil || rich.Rebate != 1200 {
		t.Fatalf("%+v, %v", rich, err)
	}
	dry = true
	poor, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000, Final: 89_00})
	if err != nil || poor.Rebate != 700 {
		t.Fatalf("%+v, %v", poor, err)
	}
	o.hear(line("1", 1, func(l *order.ChangedLine) { l.Promise = rich }), line("2", 1, func(l *order.ChangedLine) { l.Promise = poor }), line("3", 1))
	o.want("1", "pending 1200 of 42, margin 0, seq 1") // a promise is kept
	o.want("2", "pending 700 of 42, margin 300, seq 1")
	o.want("3", "pending 600 of 42, margin 400, seq 1") // nobody was promised anything
	if tr := o.get("2").Trace.String(); !strings.Contains(tr, "budget used up for gift") {
		t.Error(tr)
	}
}

func TestInvitersGetPartsOfWhatTheHouseKeeps(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := someRules()
	r.Fee, r.Referral = 0, rebate.Referral{First: 2000, Second: 1000}
	if _, err := o.Enact(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	by := map[int64]rebate.Inviters{42: {8, 9}, 43: {8, 0}, 44: {44, 8}, 45: {8, 45}, 46: {8, 8}}
	o.Inviters = func(_ context.Context, user int64, at time.Time) (rebate.Inviters, error) {
		if !at.Equal(start) {
			t.Errorf("asked as of %s", at)
		}
		return by[user], nil
	}
	o.hear(line("1", 1))
	o.want("1", "pending 600 of 42, margin 400, seq 1")
	if r := o.get("1"); r.Cuts != [2]rebate.Cut{} {
		t.Errorf("before the order counts, inviters get %v", r.Cuts)
	}
	o.hear(line("1", 2, settled(0)))
	o.want("1", "pending 600 of 42, margin 280, seq 2")
	if r := o.get("1"); r.Cuts != [2]rebate.Cut{{User: 8, Amount: 80}, {User: 9, Amount: 40}} {
		t.Errorf("inviters get %v", r.Cuts)
	}
	o.hear(line("1", 3, settled(0), brings(500)))
	if r := o.get("1"); r.Cuts != [2]rebate.Cut{{User: 8, Amount: 40}, {User: 9, Amount: 20}} || r.Margin != 140 {
		t.Errorf("after half went back inviters get %v and the house %d", r.Cuts, r.Margin)
	}
	o.at = start.AddDate(0, 0, 8)
	o.release(1)
	o.want("1", "available 300 of 42, margin 140, seq 4")
	if r := o.get("1"); r.Cuts != [2]rebate.Cut{{User: 8, Amount: 40}, {User: 9, Amount: 20}} {
		t.Errorf("after the hold inviters get %v", r.Cuts)
	}
	for user, want := range map[int64][2]rebate.Cut{
		43: {{User: 8, Amount: 80}}, 44: {{}, {User: 8, Amount: 40}}, 45: {{User: 8, Amount: 80}}, 46: {{User: 8, Amount: 80}}, 47: {},
	} {
		id := fmt.Sprint(user)
		o.hear(line(id, 1, settled(0), func(l *order.ChangedLine) { l.User = user }))
		if got := o.get(id); got.Cuts != want || got.Amount+got.Margin+got.Cuts[0].Amount+got.Cuts[1].Amount != 1000 {
			t.Errorf("inviters of %d get %v, the house %d", user, got.Cuts, got.Margin)
		}
	}
	o.hear(line("1", 4, in(order.Invalid), brings(0)))
	if r := o.get("1"); r.Cuts != [2]rebate.Cut{} || r.Margin != 0 {
		t.Errorf("of an invalid order inviters get %v", r.Cuts)
	}
}

// A line without a link of ours counts at its user's level, wherever in a page it
// stands among lines that were promised something.
func TestALevelCountsBesideAPromise(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := someRules()
	r.Fee, r.Levels = 0, map[int]money.Bps{1: 500}
	if _, err := o.Enact(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	o.levels[42] = 1
	p, err := o.Promise(t.Context(), 42, link.Offer{Network: "pdd", Commission: 1000, Final: 89_00})
	if err != nil {
		t.Fatal(err)
	}
	promised := func(l *order.ChangedLine) { l.Promise = p }
	o.hear(line("1", 1, promised), line("2", 1))
	o.hear(line("3", 1), line("4", 1, promised), line("5", 1))
	for _, id := range []string{"2", "3", "5"} {
		o.want(id, "pending 650 of 42, margin 350, seq 1")
	}
}
