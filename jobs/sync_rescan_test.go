package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

const day = 24 * time.Hour

func TestARescanRunsEverySoOften(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.rescan(3*time.Hour, time.Hour)
	w.catchUp(s)
	asked := w.feed.asked()
	wantLengths(t, asked, time.Hour, time.Hour, time.Hour)
	wantTime(t, "where it began", asked[0].From, start.Add(-3*time.Hour))
	for range 59 {
		w.advance(time.Minute)
		w.run(w.rescan(3*time.Hour, time.Hour))
	}
	if n := len(w.feed.asked()); n != 0 {
		t.Errorf("it was not due, and asked %d times", n)
	}
	w.advance(time.Minute)
	w.catchUp(s)
	asked = w.feed.asked()
	if len(asked) != 3 {
		t.Fatalf("an hour later it asks %d times", len(asked))
	}
	wantTime(t, "where it begins an hour later", asked[0].From, w.now().Add(-3*time.Hour))
	wantTime(t, "where it ends", asked[2].To, w.now())
	if p := w.progress(s); !p.To.IsZero() || p.Cursor != "" || !p.At.Equal(w.now()) {
		t.Errorf("in the end its progress is %+v", p)
	}
}

func TestARescanGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.rescan(10*day, day)
	if r := w.run(s); r.Done == 0 {
		t.Fatal("240 windows are done in one run")
	}
	first := w.feed.asked()
	w.advance(time.Minute)
	w.catchUp(w.rescan(10*day, day)) // after a restart
	rest := w.feed.asked()
	wantTime(t, "where it goes on", rest[0].From, first[len(first)-1].To)
	wantTime(t, "where it ends", rest[len(rest)-1].To, start) // what is newer is not its business
	if n := len(first) + len(rest); n != 240 {
		t.Errorf("ten days were %d windows of an hour", n)
	}
}

func TestARescanThatIsInterruptedMissesNothing(t *testing.T) {
	t.Parallel()
	fill := func(w *world) {
		for i := range 24 {
			w.feed.put(fmt.Sprintf("%03d", i), start.Add(-3*time.Hour+time.Duration(i)*5*time.Minute), 0)
		}
		w.feed.full, w.feed.size, w.feed.back = 9, 3, true
	}
	w := newWorld(t, mending())
	fill(w)
	w.catchUp(w.rescan(4*time.Hour, time.Hour))
	all := len(w.feed.asked())
	for name, restart := range map[string]bool{"in the same process": false, "with a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for nth := 1; nth <= all; nth++ {
				w := newWorld(t, mending())
				fill(w)
				s := w.rescan(4*time.Hour, time.Hour)
				w.feed.failing(failAt(nth))
				if _, err := s.Run(t.Context(), lease(1)); !fault.Is(err, fault.Unavailable) {
					t.Fatalf("question %d: %v", nth, err)
				}
				w.feed.failing(nil)
				w.advance(time.Second)
				if restart {
					s = w.rescan(4*time.Hour, time.Hour)
				}
				w.feed.full = 1000 // a quieter hour: windows could be longer now
				w.catchUp(s)
				w.wantAll()
				if t.Failed() {
					t.Fatalf("interrupted at question %d", nth)
				}
			}
		})
	}
}

func TestARescanNeverAsksForWhatTheNetworkHasForgotten(t *testing.T) {
	t.Parallel()
	scene := mending()
	scene.Keeps = 10 * day
	t.Run("it begins at the end of its memory", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, scene)
		w.catchUp(w.rescan(40*day, day))
		wantTime(t, "where it begins", w.feed.asked()[0].From, start.Add(-10*day+10*time.Minute))
	})
	for name, outage := range map[string]time.Duration{"an interruption of a day": day, "of a month": 30 * day} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, scene)
			w.run(w.rescan(10*day, day))
			w.advance(outage)
			w.feed.put("new", w.now().Add(-time.Hour), 0)
			w.catchUp(w.rescan(10*day, day)) // the part of it that can still be read
			w.advance(day)
			w.catchUp(w.rescan(10*day, day))
			w.wantAll()
		})
	}
}

func TestAFollowerThatWasAwayTooLongReadsWhatIsLeft(t *testing.T) {
	t.Parallel()
	scene := mending()
	scene.Keeps = 10 * day
	w := newWorld(t, scene)
	s := w.follower()
	w.catchUp(s)
	w.advance(30 * day)
	w.feed.put("old", w.now().Add(-9*day), 0)
	w.feed.put("new", w.now().Add(-time.Hour), 0)
	w.catchUp(s)
	w.wantAll()
	wantTime(t, "where it goes on", w.feed.asked()[3].From.Truncate(day), w.now().Add(-10*day).Truncate(day))
}

func TestAnInterruptionAtTheEndOfTheNetworksMemoryIsReadAnew(t *testing.T) {
	t.Parallel()
	scene := mending()
	scene.Keeps = 10 * day
	w := newWorld(t, scene)
	for i := range 6 {
		w.feed.put(fmt.Sprint(i), start.Add(-10*day+time.Duration(11+i)*time.Minute), 0)
	}
	w.feed.size = 2
	s := w.follower()
	s.First = 30 * day
	w.feed.failing(failAt(2))
	if _, err := s.Run(t.Context(), lease(1)); err == nil {
		t.Fatal("the second page does not fail")
	}
	w.feed.failing(nil)
	w.advance(time.Minute) // the memory's end has moved, and its first window with it
	w.catchUp(s)
	w.wantAll()
}

func TestARescanReportsWhatFollowingHadMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(30)
	w.catchUp(w.follower())
	if r := w.run(w.rescan(day, time.Hour)); r.Text != "" || r.Done != 0 {
		t.Errorf("nothing was missed, and it reports %+v", r)
	}
	w.feed.put("missed", start.Add(-2*time.Hour), 30*time.Hour) // visible when nobody looks any more
	w.advance(28 * time.Hour)
	w.catchUp(w.follower())
	w.advance(time.Hour)
	events := len(w.events())
	r := w.run(w.rescan(40*time.Hour, time.Hour))
	wantText(t, "the report", r.Text, "gap: following had missed 1 of 31 rows")
	if n := len(w.events()) - events; n != 1 {
		t.Errorf("a gap of one row made %d events", n)
	}
	w.wantAll()
}

func TestARescanOfAStreamThatIsNotFollowedHasNoGaps(t *testing.T) {
	t.Parallel()
	scene := order.Scene{Name: "created", Window: time.Hour, Keeps: 90 * day}
	w := newWorld(t, scene)
	w.minutes(30)
	r := w.run(w.rescan(2*time.Hour, time.Hour))
	wantText(t, "the report", r.Text, "2 windows, 30 rows, 30 changed, 0 unreadable")
}

func TestARescanThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(30)
	s := w.rescan(2*time.Hour, day)
	w.feed.failing(down)
	for n := 1; n <= 2; n++ {
		if _, err := s.Run(t.Context(), lease(1)); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
		if p := w.progress(s); p.Fails != n || !p.At.IsZero() {
			t.Errorf("after %d failures: %+v", n, p)
		}
		w.advance(time.Minute)
	}
	w.feed.failing(nil)
	w.catchUp(s)
	w.wantAll()
	if p := w.progress(s); p.Fails != 0 || !p.To.IsZero() {
		t.Errorf("%+v", p)
	}
}
