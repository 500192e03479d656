package desk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/post"
)

// A board keeps in memory what a sink was told, and what it said.
type board struct {
	told []desk.Told
	said []string
	fail bool // the sink cannot be told anything
	now  time.Time
}

func (*board) Name() string                                        { return "board" }
func (*board) Wake(context.Context)                                {}
func (b *board) Told(context.Context, string) ([]desk.Told, error) { return slices.Clone(b.told), nil }

func (b *board) Wrap(_ context.Context, n desk.News) ([]post.Parcel, error) {
	if b.fail {
		return nil, fault.New(fault.Unavailable, "")
	}
	return []post.Parcel{{Key: n.Key, Body: fmt.Appendf(nil, "%s %s %d", n.Phase, n.What, n.Count)}}, nil
}

func (b *board) Tell(_ context.Context, _ time.Time, turns []desk.Turn, ps []post.Parcel) error {
	for _, t := range turns {
		i := slices.IndexFunc(b.told, func(o desk.Told) bool { return o.Key == t.Key })
		if i < 0 && t.Rev != 0 || i >= 0 && b.told[i].Rev != t.Rev {
			return fault.New(fault.Conflict, "")
		}
		b.told = slices.DeleteFunc(b.told, func(o desk.Told) bool { return o.Key == t.Key })
		if t.Rev++; !t.Over {
			b.told = append(b.told, t.Told)
		}
	}
	for _, p := range ps {
		b.said = append(b.said, string(p.Body))
	}
	return nil
}

// Each step is what the station says (f for a feed that stands still, w for a withdrawal
// to review; away for nothing at all) after a time, and what staff are told then.
func TestStaffAreToldOnceAndThatItIsOver(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration
		heard string
		want  string
	}
	half := 30 * time.Second
	for name, steps := range map[string][]step{
		"Once, and once that it is over": {
			{0, "f1", "begins feed_still 1"}, {half, "f1", ""}, {half, "", ""}, {2 * time.Minute, "", "ends feed_still 1"}, {half, "", ""}, {half, "f1", "begins feed_still 1"},
		},
		"Again after a pause": {
			{0, "f1", "begins feed_still 1"}, {time.Hour, "f1", "stays feed_still 1"}, {half, "f1", ""}, {time.Hour, "f1", "stays feed_still 1"},
		},
		"A flood is two messages": {
			{0, "f1", "begins feed_still 1"}, {half, "f1 f2 f3", ""}, {half, "f1 f2 f3 f4", "begins feed_still 3"}, {2 * time.Hour, "f1 f2 f3 f4", "stays feed_still 4"},
		},
		"Kinds do not wait for each other": {{0, "f1 w1 w2", "begins feed_still 1, begins to_review 2"}},
		"What comes back soon was not away": {
			{0, "f1", "begins feed_still 1"}, {half, "", ""}, {half, "f1", ""}, {half, "", ""}, {time.Minute, "", ""}, {time.Minute, "", "ends feed_still 1"},
		},
		"What was decided is over without a word":   {{0, "w1", "begins to_review 1"}, {time.Minute, "", ""}, {time.Hour, "", ""}, {0, "w1", "begins to_review 1"}},
		"Of a station that is away nothing is over": {{0, "f1", "begins feed_still 1"}, {time.Minute, "away", ""}, {time.Hour, "away", ""}, {0, "f1", "stays feed_still 1"}},
		"What could not be kept is told later":      {{0, "deaf f1", ""}, {half, "f1", "begins feed_still 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &board{now: time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)}
			var heard []string
			station := func(context.Context, desk.Act) (out desk.Answer, err error) {
				for _, h := range heard {
					what := map[byte]desk.Stable{'f': desk.FeedStill, 'w': desk.ToReview}[h[0]]
					out.Items = append(out.Items, desk.AlertItem(h, what, desk.Item{Title: desk.LFeed, ID: h}))
				}
				return out, nil
			}
			m := &desk.Alarm{Sinks: []desk.Sink{b}, Store: b, Pause: time.Hour, Now: func() time.Time { return b.now }}
			for i, s := range steps {
				b.now, b.said = b.now.Add(s.after), nil
				m.Stations = map[string]desk.Service{"order": desk.NewStation(map[string]desk.Handler{desk.AlertsAct: station})}
				rest, isAway := strings.CutPrefix(s.heard, "away")
				rest, b.fail = strings.CutPrefix(rest, "deaf ")
				if heard = strings.Fields(rest); isAway {
					m.Stations["order"] = away{}
				}
				if _, err := m.Run(t.Context()); (err != nil) != (isAway || b.fail) {
					t.Fatalf("step %d: %v", i+1, err)
				}
				if got := strings.Join(b.said, ", "); got != s.want {
					t.Fatalf("step %d: staff are told %q, want %q", i+1, got, s.want)
				}
			}
		})
	}
}

// Of two processes that ask at once, one tells; the report of a day is told once.
func TestOneOfTwoProcessesTells(t *testing.T) {
	t.Parallel()
	b := &board{now: time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)}
	station := func(context.Context, desk.Act) (desk.Answer, error) {
		return desk.Answer{Items: []desk.Item{desk.DeadAlert("order", 2)}}, nil
	}
	other := &desk.Alarm{Sinks: []desk.Sink{b}, Store: b, Pause: time.Hour, Now: func() time.Time { return b.now }}
	other.Stations = map[string]desk.Service{"order": desk.NewStation(map[string]desk.Handler{desk.AlertsAct: station, "report": station})}
	m := *other
	m.Sinks = []desk.Sink{between{b, other}}
	n, err := m.Run(t.Context())
	if err != nil || n != 0 || len(b.said) != 1 {
		t.Errorf("%d are told by the slower one, %v; %q", n, err, b.said)
	}
	for range 2 {
		if _, err := other.Report(t.Context(), "2026-11-10"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(b.said, ", "); got != "begins dead_mail 1, begins day_over 1" {
		t.Errorf("staff are told %q", got)
	}
}

// between lets another process tell between reading and writing.
type between struct {
	*board
	other *desk.Alarm
}

func (b between) Wrap(ctx context.Context, n desk.News) ([]post.Parcel, error) {
	if _, err := b.other.Run(ctx); err != nil {
		return nil, err
	}
	return b.board.Wrap(ctx, n)
}
