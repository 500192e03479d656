package order_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/money"
	"fanli/core/order"
)

var (
	start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)
	key   = order.Key{Network: "jd", Account: "main", ID: "4159"}
)

// permutations calls f with every order of rs.
func permutations(rs []order.Revision, f func([]order.Revision)) {
	var walk func(k int)
	walk = func(k int) {
		if k == len(rs) {
			f(rs)
			return
		}
		for i := k; i < len(rs); i++ {
			rs[k], rs[i] = rs[i], rs[k]
			walk(k + 1)
			rs[k], rs[i] = rs[i], rs[k]
		}
	}
	walk(0)
}

// history draws what a network may say of one line over time. Two revisions may
// bear the same time.
func history(t *rapid.T, n int) []order.Revision {
	states := []order.State{order.Unpaid, order.Paid, order.Received, order.Settled, order.Invalid}
	rs := make([]order.Revision, n)
	for i := range rs {
		r := order.Revision{
			Key: key, Aspect: order.Whole, Order: "4159", State: rapid.SampledFrom(states).Draw(t, "state"),
			Price: 8900, Estimated: money.Fen(rapid.IntRange(0, 500).Draw(t, "estimated")), Quantity: 1,
			Modified: start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "minute")) * time.Minute),
		}
		if rapid.Bool().Draw(t, "actual") {
			r.ActualKnown, r.Actual = true, money.Fen(rapid.IntRange(0, 500).Draw(t, "amount"))
		}
		if r.State == order.Received && rapid.Bool().Draw(t, "settles") {
			r.SettlesOn = start.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "day")) * 24 * time.Hour)
		}
		if rapid.IntRange(0, 3).Draw(t, "aspect") == 0 {
			r.Aspect, r.Claimed, r.Disputed = order.Return, money.Fen(rapid.IntRange(0, 600).Draw(t, "claimed")), rapid.Bool().Draw(t, "open")
			if rapid.Bool().Draw(t, "unsaid") {
				r.Claimed, r.Unsaid, r.Refunded = 0, true, money.Fen(rapid.IntRange(0, 8900).Draw(t, "refunded"))
			}
		}
		rs[i] = r
	}
	return rs
}

func TestAnyOrderOfArrivalGivesTheSameLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := history(t, rapid.IntRange(1, 5).Draw(t, "length"))
		rs = append(rs, rs[0]) // and one comes twice
		var want order.Facts
		first := true
		permutations(rs, func(rs []order.Revision) {
			l := order.Line{Key: key}
			for _, r := range rs {
				order.Take(&l, r, start)
			}
			if first {
				want, first = l.Facts, false
			}
			if l.Facts != want {
				t.Fatalf("two orders of arrival give\n%+v and\n%+v", want, l.Facts)
			}
			if l.Commission < 0 || l.Commission > 0 && (l.State == order.Invalid || l.State == order.Unpaid) {
				t.Fatalf("a commission of %s in state %s", l.Commission, l.State)
			}
		})
	})
}

func TestTheSameRevisionChangesNothing(t *testing.T) {
	t.Parallel()
	r := order.Revision{Key: key, Aspect: order.Whole, State: order.Paid, Estimated: 243, Modified: start, Raw: []byte(`{"a":1}`)}
	l := order.Line{Key: key}
	if !order.Take(&l, r, start) {
		t.Fatal("the first revision changes nothing")
	}
	r.Raw = []byte(`{ "a": 1 }`) // other bytes, same facts
	r.Modified = start.In(time.FixedZone("CST", 8*3600))
	if order.Take(&l, r, start) {
		t.Error("the same facts are a change")
	}
	r.Modified = start.Add(-time.Hour)
	r.Estimated = 9999
	if order.Take(&l, r, start) {
		t.Error("an older revision overwrites a newer one")
	}
}

func TestARegisterSurvivesTheDatabase(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := order.Line{Key: key}
		order.Take(&l, history(t, 1)[0], start)
		reg := l.Whole
		if reg == nil {
			reg = l.Back
		}
		text, err := reg.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back order.Register
		if err := back.UnmarshalText(text); err != nil {
			t.Fatal(err)
		}
		if back.Hash != reg.Hash {
			t.Fatalf("%s has another hash", text)
		}
	})
}

func TestALineSettlesWhenItsDateComes(t *testing.T) {
	t.Parallel()
	day := start.Add(24 * time.Hour)
	l := order.Line{Key: key}
	order.Take(&l, order.Revision{
		Key: key, Aspect: order.Whole, State: order.Received, ActualKnown: true, Actual: 243, Modified: start, SettlesOn: day,
	}, start)
	if l.State != order.Received {
		t.Fatalf("before its date the line is %s", l.State)
	}
	if order.Ripen(&l, day.Add(-time.Millisecond)) {
		t.Error("it settles too early")
	}
	if !order.Ripen(&l, day) || l.State != order.Settled || !l.SettledAt.Equal(day) {
		t.Errorf("on its date the line is %s since %s", l.State, l.SettledAt)
	}
	if order.Ripen(&l, day.Add(time.Hour)) {
		t.Error("it settles twice")
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	way := func(id, user int64, item, tag, slot string, ago time.Duration) order.Way {
		return order.Way{Link: id, User: user, Network: "taobao", Item: item, Tag: tag, Slot: slot, At: start.Add(-ago)}
	}
	ways := func(claims map[string][]order.Claim, ws ...order.Way) order.Ways {
		out := order.Ways{
			ByTag: map[string]order.Way{}, ByItem: map[string][]order.Way{}, Kin: map[string][]int64{},
			Suffixes: map[string][]int64{"654321": {7}}, Claims: claims,
		}
		for _, w := range ws {
			if w.Tag != "" {
				out.ByTag[w.Tag] = w
			}
			out.ByItem[w.Item] = append(out.ByItem[w.Item], w)
		}
		return out
	}
	row := func(tag, slot, item string) order.Revision {
		return order.Revision{
			Key: order.Key{Network: "taobao", Account: "main", ID: "1"}, Order: "4012345678900654321",
			Tag: tag, Slot: slot, Item: item, Created: start,
		}
	}
	claim := map[string][]order.Claim{"4012345678900654321": {{ID: 1, User: 9}}}
	tests := []struct {
		name string
		r    order.Revision
		w    order.Ways
		user int64
		step order.Step
	}{
		{"the tag decides", row("t1", "", "A"), ways(nil, way(1, 5, "A", "t1", "", time.Hour), way(2, 6, "A", "t2", "", time.Minute)), 5, order.ByTag},
		{"a foreign tag is nobody's", row("x", "", "A"), ways(nil, way(1, 5, "A", "t1", "", time.Hour)), 0, ""},
		{"slot, item and time fit one user", row("", "s1", "A"), ways(nil, way(1, 5, "A", "", "s1", time.Hour), way(2, 6, "A", "", "s2", time.Minute)), 5, order.BySlot},
		{"the same user twice is not ambiguous", row("", "s1", "A"), ways(nil, way(1, 5, "A", "", "s1", time.Hour), way(2, 5, "A", "", "s1", time.Minute)), 5, order.BySlot},
		{"two users are", row("", "s1", "A"), ways(nil, way(1, 5, "A", "", "s1", time.Hour), way(2, 6, "A", "", "s1", time.Minute)), 0, ""},
		{"the slot without the item says nothing", row("", "s1", "B"), ways(nil, way(1, 5, "A", "", "s1", time.Hour)), 0, ""},
		{"a link of the day before yesterday did not earn it", row("", "s1", "A"), ways(nil, way(1, 5, "A", "", "s1", 49*time.Hour)), 0, ""},
		{"nor did one made after the order", row("", "s1", "A"), ways(nil, way(1, 5, "A", "", "s1", -time.Hour)), 0, ""},
		{"no mark at all, one user asked for the item", row("", "", "A"), ways(nil, way(1, 5, "A", "", "s1", time.Hour)), 5, order.ByItem},
		{"of two, the one who confirmed the buyer's digits", row("", "s1", "A"), ways(nil, way(1, 7, "A", "", "s1", time.Hour), way(2, 6, "A", "", "s1", time.Minute)), 7, order.BySuffix},
		{"a claim with a link of long ago", row("", "s1", "A"), ways(claim, way(1, 9, "A", "", "s2", 72*time.Hour)), 9, order.ByClaim},
		{"a claim alone could be a guess", row("", "s1", "A"), ways(claim), 0, ""},
		{"a claim does not beat a tag", row("t1", "", "A"), ways(claim, way(1, 5, "A", "t1", "", time.Hour), way(2, 9, "A", "t3", "", 72*time.Hour)), 5, order.ByTag},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			user, step, ok := order.Whose(tt.r, tt.w)
			if user != tt.user || step != tt.step || ok != (tt.user != 0) {
				t.Errorf("got user %d by %q, want %d by %q", user, step, tt.user, tt.step)
			}
		})
	}
	t.Run("another line of the same order is theirs", func(t *testing.T) {
		t.Parallel()
		w := ways(nil)
		w.Kin["4012345678900654321"] = []int64{5}
		if user, step, _ := order.Whose(row("", "s1", "Z"), w); user != 5 || step != order.ByKin {
			t.Errorf("got user %d by %q", user, step)
		}
		w.Kin["4012345678900654321"] = []int64{5, 6}
		if user, _, ok := order.Whose(row("", "s1", "Z"), w); ok {
			t.Errorf("a cart of two users' links goes to %d", user)
		}
	})
}

func TestSuffix(t *testing.T) {
	t.Parallel()
	got := []string{order.Suffix("taobao", "4012345678900654321"), order.Suffix("taobao", "12345"), order.Suffix("jd", "4012345678900654321")}
	if want := []string{"654321", "", ""}; !slices.Equal(got, want) {
		t.Error(fmt.Sprint(got))
	}
}

func TestOfTwoStatesInOneSecondTheFurtherOneIsLater(t *testing.T) {
	t.Parallel()
	states := []order.State{order.Unpaid, order.Paid, order.Received, order.Settled, order.Invalid}
	for i, early := range states {
		for _, late := range states[i+1:] {
			for title := range 8 { // whatever the hash of the content is
				a := order.Revision{Key: key, Aspect: order.Whole, Title: fmt.Sprint(title), State: early, Estimated: 243, Modified: start}
				b := order.Revision{Key: key, Aspect: order.Whole, Title: fmt.Sprint(title), State: late, Modified: start}
				for _, rs := range [][]order.Revision{{a, b}, {b, a}} {
					l := order.Line{Key: key}
					for _, r := range rs {
						order.Take(&l, r, start)
					}
					if l.State != late {
						t.Errorf("%s and %s in one second leave %s", early, late, l.State)
					}
				}
			}
		}
	}
}
