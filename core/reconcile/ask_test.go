package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
	"fanli/core/reconcile"
	"fanli/core/reconcile/reconciletest"
)

// A network settles one line each day at noon; it fails and finds windows too full as
// it is told.
type network struct {
	order.Feed
	stretch order.Stretch
	full    time.Duration // a longer window is too full
	calls   int
	fails   map[int]error // by call
	bad     bool          // the last row of each window cannot be read
}

func (*network) Network() string { return "jd" }
func (*network) Account() string { return "main" }

func (n *network) Settled(time.Time, time.Time, time.Time) []order.Stretch {
	if n.stretch.Scene.Name == "" {
		return nil
	}
	return []order.Stretch{n.stretch}
}

func (n *network) Pull(_ context.Context, w order.Window, cursor string) (p order.Page, err error) {
	n.calls++
	if err := n.fails[n.calls]; err != nil {
		return p, err
	}
	if n.full > 0 && w.To.Sub(w.From) > n.full {
		return p, fault.New(fault.Invalid, "feed.window_too_full")
	}
	if cursor == "" {
		return order.Page{Next: "2"}, nil
	}
	for day := w.From.Truncate(24 * time.Hour); day.Before(w.To); day = day.AddDate(0, 0, 1) {
		at := day.Add(12 * time.Hour)
		if at.Before(w.From) || !at.Before(w.To) {
			continue
		}
		k := order.Key{Network: "jd", Account: "main", ID: at.Format("0102")}
		p.Revisions = append(p.Revisions, order.Revision{Key: k, Aspect: order.Whole, State: order.Settled, Price: 900, Estimated: 90, SettledAt: at, Modified: at})
		if n.bad && at.Day() == 7 {
			p.Bad = append(p.Bad, order.Bad{Key: order.Key{ID: "odd"}, Raw: []byte("{"), Err: fault.New(fault.Invalid, "")})
		}
	}
	return p, nil
}

func asked(n *network, p reconcile.Period, now time.Time) *reconcile.Asking {
	if n.stretch.Scene.Name == "" {
		n.stretch = order.Stretch{
			Scene: order.Scene{Name: "settled", Window: 24 * time.Hour, Keeps: 90 * 24 * time.Hour}, From: p.From.AddDate(0, 0, -3), To: now.AddDate(0, 1, 0),
		}
	}
	return &reconcile.Asking{Feed: n, Period: p, Now: func() time.Time { return now }}
}

// An asking goes on where it failed, halves windows that are too full, and lists what
// was settled in the period and nothing else.
func TestAskingGoesOn(t *testing.T) {
	t.Parallel()
	p, now := period(t, "2026-10"), time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	away := fault.New(fault.Unavailable, "")
	n := &network{full: 13 * time.Hour, bad: true, fails: map[int]error{5: away, 6: away, 40: fault.New(fault.Limited, "")}}
	a := asked(n, p, now)
	failed := 0
	for err := a.Run(t.Context()); err != nil; err = a.Run(t.Context()) {
		if failed++; failed > 3 || !fault.Retryable(err) {
			t.Fatal(err)
		}
	}
	rows, err := a.Rows(t.Context(), &reconciletest.Books{World: &reconciletest.World{}})
	if err != nil || failed != 3 {
		t.Fatalf("failed %d times, %v", failed, err)
	}
	var got []string
	last := 0
	for r, err := range rows() {
		if err != nil || r.Number != last+1 {
			t.Fatalf("%+v, %v", r, err)
		}
		last = r.Number
		got = append(got, r.Key)
	}
	var want []string
	for day := range 31 {
		want = append(want, fmt.Sprintf("10%02d", day+1))
	}
	if want = append(want, "odd"); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
	calls := n.calls
	if err := a.Run(t.Context()); err != nil || n.calls != calls {
		t.Errorf("asked again after the end: %d calls, %v", n.calls-calls, err)
	}
}

// What a network does not answer any more, or not at all, is said and not half
// answered.
func TestAskingRefuses(t *testing.T) {
	t.Parallel()
	p := period(t, "2026-10")
	for name, a := range map[string]*reconcile.Asking{
		"not begun":        asked(&network{}, p, p.From.Add(-time.Hour)),
		"too long ago":     asked(&network{}, p, p.From.AddDate(0, 3, 0)),
		"cannot be asked":  {Feed: &network{}, Period: p, Now: func() time.Time { return p.To }},
		"always too full":  asked(&network{full: time.Second}, p, p.To),
		"another refusal":  asked(&network{fails: map[int]error{1: fault.New(fault.Denied, "")}}, p, p.To),
		"refused as wrong": asked(&network{fails: map[int]error{1: fault.New(fault.Invalid, "feed.odd")}}, p, p.To),
	} {
		if err := a.Run(t.Context()); err == nil || fault.Retryable(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
