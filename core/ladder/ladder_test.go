package ladder_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/ladder"
)

var start = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

// TestARungTakesItsTime: on after After, off after Back, and what flickers changes
// nothing.
func TestARungTakesItsTime(t *testing.T) {
	t.Parallel()
	const well, away = "....", "XXXX"
	for _, tt := range []struct{ name, seen, on string }{
		{"well", well, "...."},
		{"away for less than After", "XX......", "........"},
		{"away", away + away, "...OOOOO"},
		{"flickering", "X.XX.X.XX.", ".........."},
		{"back", "XXXX.....", "...OOOOO."},
		{"back for less than Back", "XXXX...X...", "...OOOOOOOO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := ladder.New([]ladder.Rung{{Name: "r", Effect: ladder.Queue, Of: []string{"network/jd"}, After: 3 * time.Second, Back: 4 * time.Second}}, []string{"network/jd"})
			got, turns, changes := "", 0, 0
			for i, c := range tt.seen {
				m := ladder.Measure{At: start.Add(time.Duration(i) * time.Second), Of: map[string]ladder.Health{"network/jd": {Away: c == 'X'}}}
				changes += len(l.Observe(m))
				on := l.On(ladder.Queue, "network/jd")
				if on != strings.HasSuffix(got, "O") {
					turns++
				}
				got += map[bool]string{true: "O", false: "."}[on]
			}
			if got != tt.on || turns != changes {
				t.Errorf("saw %s, want %s; %d changes were said of %d", got, tt.on, changes, turns)
			}
		})
	}
}

// seen is a measure so many seconds after start.
func seen(second int, load int, of map[string]ladder.Health) ladder.Measure {
	return ladder.Measure{At: start.Add(time.Duration(second) * time.Second), Load: load, Of: of}
}

func TestTheLoadGoesDownBeforeItCounts(t *testing.T) {
	t.Parallel()
	l := ladder.New([]ladder.Rung{{Name: "r", Effect: ladder.Search, Load: 80}}, nil)
	for i, tt := range []struct {
		load int
		on   bool
	}{{79, false}, {80, true}, {79, true}, {64, true}, {63, false}, {79, false}, {100, true}} {
		l.Observe(seen(i, tt.load, nil))
		if l.On(ladder.Search, "") != tt.on {
			t.Errorf("step %d: at %d %% it is %v", i, tt.load, !tt.on)
		}
	}
}

func TestARungIsOnForWhatIsAway(t *testing.T) {
	t.Parallel()
	l := ladder.New([]ladder.Rung{
		{Name: "links", Effect: ladder.Queue, Of: []string{"network/*"}, Slow: time.Second},
		{Name: "late", Effect: ladder.Promises, Of: []string{"rebate"}},
	}, []string{"network/jd", "network/pdd", "rebate"})
	l.Observe(seen(0, 0, map[string]ladder.Health{"network/jd": {Away: true}, "network/pdd": {}, "rebate": {}}))
	on := func() string {
		return fmt.Sprint(l.On(ladder.Queue, "network/jd"), l.On(ladder.Queue, "network/pdd"), l.On(ladder.Queue, ""), l.On(ladder.Promises, "rebate"))
	}
	if got := on(); got != "true false true false" {
		t.Error(got)
	}
	l.Observe(seen(1, 0, map[string]ladder.Health{"network/jd": {}, "network/pdd": {Took: 2 * time.Second}, "rebate": {Away: true}}))
	if got := on(); got != "false true true true" {
		t.Error(got)
	}
	l = ladder.New([]ladder.Rung{{Name: "slow", Effect: ladder.Search, Of: []string{"rebate"}}}, []string{"rebate"})
	l.Observe(seen(2, 0, map[string]ladder.Health{"rebate": {Away: true}}))
	if !l.On(ladder.Search, "network/jd") || l.On(ladder.Search, "order") {
		t.Error("what is away is no network, and counts for all of them, but not for another target")
	}
	if (*ladder.Ladder)(nil).On(ladder.Queue, "") || (*ladder.Ladder)(nil).Kept(ladder.Queue) {
		t.Error("no ladder has rungs")
	}
}

func TestAPinCountsAtOnce(t *testing.T) {
	t.Parallel()
	l := ladder.New([]ladder.Rung{{Name: "r", Effect: ladder.Search, Of: []string{"order"}, After: time.Minute}}, []string{"order"})
	pin := func(second int, p ladder.Pin, away bool) (on, kept bool) {
		m := seen(second, 0, map[string]ladder.Health{"order": {Away: away}})
		m.Pins = map[string]ladder.Pin{"r": p}
		if p < 0 { // nobody can say
			m.Pins = nil
		}
		l.Observe(m)
		return l.On(ladder.Search, "order"), l.Kept(ladder.Search)
	}
	for i, tt := range []struct {
		pin      ladder.Pin
		away     bool
		on, kept bool
	}{{ladder.Free, false, false, false}, {ladder.On, false, true, false}, {-1, false, true, false}, {ladder.Off, false, false, true}, {ladder.Free, false, false, false}} {
		if on, kept := pin(i, tt.pin, tt.away); on != tt.on || kept != tt.kept {
			t.Errorf("step %d: on %v, kept off %v", i, on, kept)
		}
	}
	pin(100, ladder.Off, true)
	if on, _ := pin(200, ladder.Off, true); on {
		t.Error("what is pinned off is on")
	}
	if on, _ := pin(201, ladder.Free, true); !on {
		t.Error("what was bad all the time is off")
	}
	if s := l.States(); len(s) != 1 || s[0].Rung != "r" || !s[0].On || s[0].Pinned || !s[0].Since.Equal(start.Add(201*time.Second)) {
		t.Errorf("%+v", s)
	}
}

func TestWhenToTryAgain(t *testing.T) {
	t.Parallel()
	l := ladder.New(nil, []string{"payment"})
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{0, "00:02"}, {5*time.Minute + time.Second, "00:11"}, {3 * time.Hour, "03:30"}} {
		l.Observe(ladder.Measure{At: start.Add(tt.after), Of: map[string]ladder.Health{"payment": {Away: true}}})
		if got := l.Expect(start.Add(tt.after), "payment").Format("15:04"); got != tt.want {
			t.Errorf("after %s: %s, want %s", tt.after, got, tt.want)
		}
	}
	l.Observe(ladder.Measure{At: start, Of: map[string]ladder.Health{"payment": {}}})
	if got := l.Expect(start, "payment").Format("15:04"); got != "00:02" {
		t.Errorf("well: %s", got)
	}
}

func TestRungsWithMistakes(t *testing.T) {
	t.Parallel()
	good := ladder.Rung{Name: "search-off", Effect: ladder.Search, Of: []string{"network/*"}, Load: 80, After: 1, Back: 1}
	if why := good.Validate(); why != "" {
		t.Error(why)
	}
	for want, change := range map[string]func(r *ladder.Rung){
		"no name":    func(r *ladder.Rung) { r.Name = "Search off" },
		"none of":    func(r *ladder.Rung) { r.Effect = "sleep" },
		"at nothing": func(r *ladder.Rung) { r.Of, r.Load = nil, 0 },
		"between":    func(r *ladder.Rung) { r.Load = 101 },
		"below zero": func(r *ladder.Rung) { r.Back = -1 },
	} {
		r := good
		change(&r)
		if why := r.Validate(); !strings.Contains(why, want) {
			t.Errorf("%q does not say %q", why, want)
		}
	}
}
