package jd_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/adapters/jd/jdfake"
	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// asked is what a client asked order.row.query for.
type asked struct {
	Page   int    `json:"pageIndex"`
	Size   int    `json:"pageSize"`
	Type   int    `json:"type"`
	Start  string `json:"startTime"`
	End    string `json:"endTime"`
	Key    string `json:"key"`
	Fields string `json:"fields"`
}

func readAsked(t *testing.T, form url.Values) asked {
	t.Helper()
	var p struct {
		Req asked `json:"orderReq"`
	}
	if err := json.Unmarshal([]byte(form.Get("360buy_param_json")), &p); err != nil {
		t.Error(err)
	}
	return p.Req
}

func TestWindowIsAskedForInBeijingSeconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 15, 3, 0, 0, 0, time.UTC)
	half := 500 * time.Millisecond
	tests := []struct {
		name       string
		scene      string
		from, to   time.Time
		start, end string
		kind       int
	}{
		{"Hour", "update", at, at.Add(time.Hour), "11:00:00", "12:00:00", 3},
		{"Orders", "order", at, at.Add(time.Minute), "11:00:00", "11:01:00", 1},
		{"Finished", "finish", at, at.Add(time.Minute), "11:00:00", "11:01:00", 2},
		{"PartsOfSecondsAreIncluded", "update", at.Add(half), at.Add(time.Minute + half), "11:00:00", "11:01:01", 3},
		{"PartOfOneSecond", "update", at.Add(half), at.Add(half + 1), "11:00:00", "11:00:01", 3},
		{"HourBetweenSecondsIsNoLonger", "update", at.Add(half), at.Add(time.Hour + half), "11:00:00", "12:00:00", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got asked
			c := stubbed(t, jd.Config{UnionID: 1, AuthKey: "k", PageSize: 7}, func(form url.Values) (int, string) {
				got = readAsked(t, form)
				return 200, `{"` + ordersRoot + `":{"code":"0","queryResult":"{\"code\":200}"}}`
			})
			p, err := c.Pull(t.Context(), order.Window{Scene: tt.scene, From: tt.from, To: tt.to}, "")
			if err != nil || p.Next != "" || len(p.Revisions)+len(p.Bad) != 0 {
				t.Fatalf("Pull = %+v, %v", p, err)
			}
			want := asked{1, 7, tt.kind, "2026-01-15 " + tt.start, "2026-01-15 " + tt.end, "k", "goodsInfo,categoryInfo"}
			if got != want {
				t.Errorf("asked for %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestPullRefusesWithoutAsking(t *testing.T) {
	t.Parallel()
	c := stubbed(t, jd.Config{}, func(url.Values) (int, string) {
		t.Error("JD was asked")
		return 500, ""
	})
	at := newClock().Now()
	tests := []struct {
		name, scene, cursor string
		length              time.Duration
		want                fault.Code
		reason              string
	}{
		{"UnknownScene", "refund", "", time.Hour, fault.Invalid, "feed.unknown_scene"},
		{"TooLong", "update", "", time.Hour + 1, fault.Invalid, "feed.window_too_long"},
		{"Backward", "update", "", -time.Second, fault.Invalid, ""},
		{"Empty", "update", "", 0, "", ""},
		{"CursorWithoutPage", "update", "f", time.Hour, fault.Invalid, "feed.bad_cursor"},
		{"CursorOfPageZero", "update", "b0", time.Hour, fault.Invalid, "feed.bad_cursor"},
		{"CursorOfAnother", "update", "x2", time.Hour, fault.Invalid, "feed.bad_cursor"},
		{"CursorTooFar", "update", "f10002", time.Hour, fault.Invalid, "feed.bad_cursor"},
	}
	for _, tt := range tests {
		_, err := c.Pull(t.Context(), order.Window{Scene: tt.scene, From: at, To: at.Add(tt.length)}, tt.cursor)
		t.Run(tt.name, func(t *testing.T) { wantFault(t, err, tt.want, tt.reason) })
	}
}

// TestPagesAreReadForwardAndBack counts the pages in the order in which they are
// asked for.
func TestPagesAreReadForwardAndBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		scene string
		lines int
		want  string
	}{
		{"update", 0, "[1]"},
		{"update", 2, "[1]"},
		{"update", 3, "[1 2 1]"},
		{"update", 7, "[1 2 3 4 3 2 1]"},
		{"order", 7, "[1 2 3 4]"},
	}
	for _, tt := range tests {
		t.Run(tt.scene+strconv.Itoa(tt.lines), func(t *testing.T) {
			t.Parallel()
			var pages []int
			c := stubbed(t, jd.Config{PageSize: 2}, func(form url.Values) (int, string) {
				n := readAsked(t, form).Page
				pages = append(pages, n)
				return 200, fmt.Sprintf(`{"`+ordersRoot+`":{"code":"0","queryResult":"{\"code\":200,\"hasMore\":%v}"}}`, n*2 < tt.lines)
			})
			at := newClock().Now()
			if _, _, err := feedtest.All(t.Context(), c, order.Window{Scene: tt.scene, From: at.Add(-time.Hour), To: at}); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(pages) != tt.want {
				t.Errorf("pages %v, want %s", pages, tt.want)
			}
		})
	}
}

func TestPagesWithoutEndAreTooMany(t *testing.T) {
	t.Parallel()
	n := 0
	c := stubbed(t, jd.Config{PageSize: 200}, func(url.Values) (int, string) {
		n++
		return 200, `{"` + ordersRoot + `":{"code":"0","queryResult":"{\"code\":200,\"hasMore\":true}"}}`
	})
	at := newClock().Now()
	_, _, err := feedtest.All(t.Context(), c, order.Window{Scene: "update", From: at.Add(-time.Hour), To: at})
	wantFault(t, err, fault.Invalid, "feed.window_too_full")
	if n != 51 {
		t.Errorf("%d pages were read, want 51: 10,000 rows and one page to spare", n)
	}
}

// TestRowsThatLeaveFromAnyPage has rows leave from the page that was read last,
// from the one before and from the first, between any two answers.
func TestRowsThatLeaveFromAnyPage(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"first", "middle", "last"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{PageSize: 5}, jdfake.Config{})
			for range 40 {
				l := w.paid(t)
				w.clock.Advance(time.Second)
				_ = l
			}
			to := w.clock.Now()
			start := to.Add(-time.Hour)
			w.clock.Advance(time.Minute)
			moved := map[string]bool{}
			w.fake.BetweenPages(func() {
				lines := w.market.Lines(func(l market.Line) bool { return l.Modified.Before(to) })
				if len(lines) < 3 {
					return
				}
				l := lines[map[string]int{"first": 0, "middle": len(lines) / 2, "last": len(lines) - 1}[from]]
				moved[l.ID] = true
				if err := w.market.Receive(l.ID); err != nil {
					t.Error(err)
				}
			})
			revs, _, err := feedtest.All(t.Context(), w.client, order.Window{Scene: "update", From: start, To: to})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, r := range revs {
				got[r.Key.ID] = true
			}
			for _, l := range w.market.Lines(nil) {
				if !got[l.ID] && !moved[l.ID] {
					t.Errorf("line %s was missed", l.ID)
				}
			}
			if len(moved) < 5 {
				t.Errorf("only %d rows moved", len(moved))
			}
		})
	}
}

// paid places an order and pays it.
func (w *world) paid(t *testing.T) market.Line {
	t.Helper()
	l, err := w.buy(kettle, "tg_1", "", 1)
	if err == nil {
		err = w.market.Pay(l.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// last returns what the feed says about the last hour.
func (w *world) last(t *testing.T) []order.Revision {
	t.Helper()
	to := w.clock.Now().Truncate(time.Second)
	revs, bad, err := feedtest.All(t.Context(), w.client, order.Window{Scene: "update", From: to.Add(-time.Hour), To: to})
	if err != nil || len(bad) > 0 {
		t.Fatalf("%d bad rows, %v", len(bad), err)
	}
	return revs
}

func TestWindowTooFull(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{RowsMax: 3})
	for range 4 {
		w.paid(t)
	}
	w.clock.Advance(time.Minute)
	to := w.clock.Now()
	_, err := w.client.Pull(t.Context(), order.Window{Scene: "update", From: to.Add(-time.Hour), To: to}, "")
	wantFault(t, err, fault.Invalid, "feed.window_too_full")
}

func TestRowsAppearLate(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{Delay: 5 * time.Minute})
	w.paid(t)
	w.clock.Advance(4 * time.Minute)
	if n := len(w.last(t)); n != 0 {
		t.Errorf("%d rows after four minutes, want none", n)
	}
	w.clock.Advance(2 * time.Minute)
	if n := len(w.last(t)); n != 1 {
		t.Errorf("%d rows after six minutes, want 1", n)
	}
	late := slices.MinFunc(w.client.Scenes(), func(a, b order.Scene) int { return int(a.Delay - b.Delay) }).Delay
	if late < 5*time.Minute {
		t.Errorf("scenes allow for %s only", late)
	}
}

// TestSettlementComesByItself: nothing happens to the row, and the day after its
// payMonth it counts as settled.
func TestSettlementComesByItself(t *testing.T) {
	t.Parallel()
	w := open(t, jd.Config{}, jdfake.Config{})
	l := w.paid(t)
	w.clock.Advance(24 * time.Hour)
	if err := w.market.Receive(l.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	r := w.last(t)[0]
	if want := time.Date(2026, 2, 20, 16, 0, 0, 0, time.UTC); r.State != order.Received || !r.SettlesOn.Equal(want) {
		t.Errorf("state %s, settles %s, want received and %s", r.State, r.SettlesOn, want)
	}
	if err := w.market.Settle(l.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	r = w.last(t)[0]
	if now := w.clock.Now(); r.SettlesOn.IsZero() || r.SettlesOn.After(now) || !r.ActualKnown {
		t.Errorf("settled by the book at %s, and the row settles %s", now, r.SettlesOn)
	}
}

func TestBlankTagsAndPositions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		fake      jdfake.Config
		tag, slot string
	}{
		{"OnTheList", jdfake.Config{}, "tg_1", "3000000001"},
		{"NotOnTheList", jdfake.Config{NoTags: true}, "", "3000000001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{}, tt.fake)
			if _, err := w.buy(tea, "tg_1", "3000000001", 1); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Minute)
			if r := w.last(t)[0]; r.Tag != tt.tag || r.Slot != tt.slot {
				t.Errorf("Tag, Slot = %q, %q, want %q, %q", r.Tag, r.Slot, tt.tag, tt.slot)
			}
		})
	}
}

// TestItemIsComparable: what an order says of its goods is what the offer said,
// though JD names them anew every time.
func TestItemIsComparable(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]jdfake.Config{"Rotating": {RotateItems: true}, "WithoutSku": {NoSku: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, jd.Config{SceneIDs: []int{1, 2}}, f)
			o, err := w.client.Offer(t.Context(), skuRef(kettle))
			if err != nil {
				t.Fatal(err)
			}
			w.paid(t)
			w.clock.Advance(time.Minute)
			if r := w.last(t)[0]; r.Item != o.ItemKey() {
				t.Errorf("the order is of %q, the offer of %q", r.Item, o.ItemKey())
			}
			if !strings.Contains(o.Item, "_") {
				t.Errorf("Item = %q, want the name of today", o.Item)
			}
		})
	}
}
