package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

// lengths are those of the windows that were asked for from their beginning.
func lengths(asked []pull) (out []time.Duration) {
	for _, p := range asked {
		if p.cursor == "" {
			out = append(out, p.To.Sub(p.From))
		}
	}
	return out
}

func wantLengths(t *testing.T, asked []pull, want ...time.Duration) {
	t.Helper()
	if got := lengths(asked); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("windows of %v were asked for, want %v", got, want)
	}
}

func TestWindowsShrinkWhileTheNetworkWantsItAndGrowBack(t *testing.T) {
	t.Parallel()
	const h, m = time.Hour, time.Minute
	w := newWorld(t, mending())
	for i := range 90 { // a busy stretch: three hours ago, for half an hour
		w.feed.put(fmt.Sprintf("busy%02d", i), start.Add(-3*h+time.Duration(i)*20*time.Second), 0)
	}
	w.feed.full = 50
	s := w.follower()
	s.First = 4 * h
	w.run(s)
	wantLengths(t, w.feed.asked(), h, h, 30*m, 15*m, 30*m, h, h, 15*m)
	w.wantAll()
	wantTime(t, "the watermark", w.progress(s).Done, start.Add(-10*m))
}

func TestAWindowThatIsTooLongShrinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(55)
	w.feed.longest = 20 * time.Minute
	s := w.follower()
	s.First = time.Hour
	w.catchUp(s)
	w.wantAll()
	for _, d := range lengths(w.feed.asked()) {
		if d > time.Hour || d < time.Minute {
			t.Errorf("a window of %s", d)
		}
	}
}

func TestAWindowThatBecomesTooFullShrinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(55)
	w.feed.size = 20
	s := w.follower()
	s.First = time.Hour
	w.feed.failing(func(n int) error {
		if n == 2 { // between two pages
			w.feed.full = 30
		}
		return nil
	})
	w.run(s)
	wantLengths(t, w.feed.asked(), time.Hour, 30*time.Minute, 30*time.Minute)
	w.wantAll()
}

func TestAShortWindowThatIsTooFullShrinksAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	w.feed.asked()
	for i := range 60 {
		w.feed.put(fmt.Sprint("busy", i), start.Add(time.Duration(i)*2*time.Second), 0)
	}
	w.advance(2 * time.Minute)
	w.feed.full = 50
	w.run(s)
	wantLengths(t, w.feed.asked()[:2], 12*time.Minute, 6*time.Minute)
	w.wantAll()
}

func TestWindowsBeginAndEndOnWholeSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.advance(700 * time.Millisecond)
	for i := range 120 {
		w.feed.put(fmt.Sprintf("%03d", i), start.Add(-59*time.Minute+time.Duration(i)*20*time.Second), 0)
	}
	w.feed.full = 4
	s := w.follower()
	s.First = time.Hour
	w.catchUp(s)
	w.wantAll()
	short := time.Hour
	for _, p := range w.feed.asked() {
		if !p.From.Equal(p.From.Truncate(time.Second)) || !p.To.Equal(p.To.Truncate(time.Second)) {
			t.Errorf("window from %s to %s", p.From.Format(time.RFC3339Nano), p.To.Format(time.RFC3339Nano))
		}
		short = min(short, p.To.Sub(p.From))
	}
	if short != time.Minute {
		t.Errorf("the shortest window is %s", short)
	}
}

func TestAWindowOfAMinuteThatIsTooFullIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	for i := range 60 {
		w.feed.put(fmt.Sprint(i), start.Add(-time.Hour+time.Duration(i)*time.Second), 0)
	}
	w.feed.full = 10
	s := w.follower()
	s.First = time.Hour
	_, err := s.Run(t.Context(), lease(1))
	if fault.ReasonOf(err) != "feed.window_too_full" {
		t.Errorf("got %v", err)
	}
	if n := len(w.feed.asked()); n > 10 {
		t.Errorf("it was asked %d times", n)
	}
	if p := w.progress(s); p.Fails != 1 || !p.Done.Equal(start.Add(-time.Hour)) {
		t.Errorf("%+v", p)
	}
}

// Where a network is so busy that its windows must be shorter than the time for
// which rows may stay invisible, reading still reaches the present.
func TestWindowsShorterThanTheDelayReachThePresent(t *testing.T) {
	t.Parallel()
	scene := mending()
	w := newWorld(t, scene)
	s := w.follower()
	s.First = time.Hour
	n := 0
	busy := func(from, to time.Time) {
		for at := from; at.Before(to); at = at.Add(5 * time.Second) {
			w.feed.put(fmt.Sprintf("%05d", n), at, 0)
			n++
		}
	}
	busy(start.Add(-20*time.Minute), start)
	w.feed.full = 30 // two minutes and a half
	for range 5 {
		runs := w.catchUp(s)
		w.wantAll()
		if asked := len(w.feed.asked()); runs > 2 || asked > 60 {
			t.Errorf("%d runs asked %d times", runs, asked)
		}
		if p := w.progress(s); p.Done.After(w.now().Add(-scene.Delay)) || p.Done.Before(w.now().Add(-scene.Delay-time.Minute)) {
			t.Errorf("at %s the watermark is %s", w.now(), p.Done)
		}
		busy(w.now(), w.now().Add(30*time.Second))
		w.advance(30 * time.Second)
	}
}

func TestAnInterruptionNearThePresentLosesNothing(t *testing.T) {
	t.Parallel()
	for _, nth := range []int{2, 5, 6, 10, 13, 17, 18, 21, 26} { // at first and later pages, before and within the last ten minutes
		w := newWorld(t, mending())
		for i := range 24 {
			w.feed.put(fmt.Sprintf("%03d", i), start.Add(-12*time.Minute+time.Duration(i)*30*time.Second), time.Duration(i%4)*time.Minute)
		}
		w.feed.full, w.feed.size = 4, 1
		s := w.follower()
		s.First = 12 * time.Minute
		w.feed.failing(failAt(nth))
		_, _ = s.Run(t.Context(), lease(1))
		w.feed.failing(nil)
		w.feed.full = nth % 4 * 4 // the same weather, or fair
		watermark := w.progress(s).Done
		for range 3 {
			w.advance(4 * time.Minute)
			w.catchUp(w.follower())
			p := w.progress(s)
			if p.Done.Before(watermark) || p.Cursor != "" {
				t.Errorf("interrupted at question %d, the watermark goes from %s to %+v", nth, watermark, p)
			}
			watermark = p.Done
		}
		w.wantAll()
	}
}

func TestAQuietStreamIsSeldomWritten(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, 10 * time.Minute} {
		t.Run("delay "+delay.String(), func(t *testing.T) {
			t.Parallel()
			scene := mending()
			scene.Delay = delay
			w := newWorld(t, scene)
			s := w.follower()
			w.catchUp(s)
			writes := w.writes(func() {
				for range 60 {
					w.advance(5 * time.Second)
					w.run(s)
				}
			})
			if writes < 10 || writes > 16 {
				t.Errorf("five minutes without news are %d writes", writes)
			}
			if p := w.progress(s); w.now().Sub(p.At) > 20*time.Second || w.now().Sub(p.Done) > delay+25*time.Second {
				t.Errorf("at %s it says %+v", w.now(), p)
			}
		})
	}
}

func TestManyEmptyWindowsAreNotedNowAndThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	s.First = 48 * time.Hour
	if writes := w.writes(func() { w.run(s) }); writes != 4 {
		t.Errorf("48 empty windows are %d writes", writes)
	}
	wantTime(t, "the watermark", w.progress(s).Done, start.Add(-10*time.Minute))
}

func TestProgressOfAnotherStreamIsItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	places, err := w.db.Orders().Places(t.Context())
	must(t, err)
	if want := (order.Place{Network: "jd", Account: "main", Scene: "update", Rung: "follow"}); len(places) != 1 || places[0].Place != want {
		t.Errorf("progress is kept at %+v", places)
	}
}
