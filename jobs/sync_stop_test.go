package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fanli/core/fault"
	"fanli/jobs"
)

// interrupted is a world whose follower was stopped before its third page.
func interrupted(t *testing.T) (*world, *jobs.Sync) {
	t.Helper()
	w := newWorld(t, mending())
	w.minutes(50)
	w.feed.size = 20
	s := w.follower()
	s.First = time.Hour
	w.feed.failing(failAt(3))
	if _, err := s.Run(t.Context(), lease(1)); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the third page fails, and the run says %v", err)
	}
	if c := w.counts(); c.Lines != 40 {
		t.Fatalf("two pages of 20 are %d lines", c.Lines)
	}
	w.feed.failing(nil)
	return w, s
}

func TestAnInterruptedWindowGoesOnAtItsCursor(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]bool{"in the same process": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := interrupted(t)
			stopped := w.progress(s)
			if fresh {
				s = w.follower()
			}
			w.advance(time.Minute)
			w.catchUp(s)
			first := w.feed.asked()[0]
			if first.cursor != stopped.Cursor || first.cursor == "" {
				t.Errorf("it goes on at cursor %q, want %q", first.cursor, stopped.Cursor)
			}
			wantTime(t, "start of the window", first.From, start.Add(-time.Hour))
			wantTime(t, "end of the window", first.To, start)
			w.wantAll()
			wantTime(t, "the watermark", w.progress(s).Done, w.now().Add(-10*time.Minute))
		})
	}
}

func TestAWindowOfManyThatIsInterruptedKeepsItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	w.minutes(170)
	w.feed.size = 20
	s := w.follower()
	s.First = 3 * time.Hour
	w.feed.failing(failAt(2))
	if _, err := s.Run(t.Context(), lease(1)); err == nil {
		t.Fatal("the second page does not fail")
	}
	w.feed.failing(nil)
	w.advance(time.Second)
	w.catchUp(w.follower())
	first := w.feed.asked()[0]
	wantTime(t, "end of the window that was interrupted", first.To, start.Add(-2*time.Hour))
	if first.cursor == "" {
		t.Error("it is read from its beginning")
	}
	w.wantAll()
}

func TestAClockThatGoesBackStartsTheWindowAnew(t *testing.T) {
	t.Parallel()
	w, s := interrupted(t)
	w.advance(-2 * time.Minute)
	w.catchUp(s)
	if first := w.feed.asked()[0]; first.cursor != "" || !first.To.Equal(w.now()) {
		t.Errorf("it asks for %+v", first)
	}
	w.advance(3 * time.Minute)
	w.catchUp(s)
	w.wantAll()
}

func TestAnOldCursorIsNotTrusted(t *testing.T) {
	t.Parallel()
	w, s := interrupted(t)
	w.advance(6 * time.Minute)
	w.catchUp(s)
	first := w.feed.asked()[0]
	if first.cursor != "" {
		t.Errorf("after six minutes it goes on at %q", first.cursor)
	}
	wantTime(t, "start of the window", first.From, start.Add(-time.Hour))
	w.wantAll()
}

// Between the pages of a window that was interrupted, rows may become visible in
// front of the cursor. The watermark must not pass them.
func TestWhatBecomesVisibleDuringAnInterruptionIsNotLost(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{time.Second, time.Minute, 4 * time.Minute} {
		t.Run(pause.String(), func(t *testing.T) {
			t.Parallel()
			scene := mending()
			scene.Delay = time.Minute
			w := newWorld(t, scene)
			w.feed.put("a", start.Add(-2*time.Second), 0)
			w.feed.put("b", start.Add(-time.Second), 0)
			w.feed.put("late", start.Add(-30*time.Second), 31*time.Second)
			w.feed.size = 1
			s := w.follower()
			s.First = time.Hour
			w.feed.failing(failAt(2))
			if _, err := s.Run(t.Context(), lease(1)); err == nil {
				t.Fatal("the second page does not fail")
			}
			w.feed.failing(nil)
			w.advance(pause)
			for range 12 { // "late" stands before "a", whose page was read when it was not visible
				w.catchUp(s)
				w.advance(30 * time.Second)
			}
			w.wantAll()
		})
	}
}

func TestANetworkThatFailsLeavesTheWatermark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	healthy := w.progress(s)
	w.advance(time.Minute)
	since := w.now()
	w.feed.failing(down)
	for n := 1; n <= 3; n++ {
		if _, err := s.Run(t.Context(), lease(1)); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
		p := w.progress(s)
		if !p.Done.Equal(healthy.Done) || !p.At.Equal(healthy.At) || p.Fails != n || !p.Failing.Equal(since) {
			t.Errorf("after %d failures: %+v", n, p)
		}
		wantText(t, "the error", p.Error, "jd.down")
		w.advance(time.Minute)
	}
	w.feed.failing(nil)
	w.catchUp(s)
	if p := w.progress(s); p.Fails != 0 || !p.Failing.IsZero() || p.Error != "" || !p.At.Equal(w.now()) {
		t.Errorf("after it has recovered: %+v", p)
	}
}

func TestRecoveryIsNotedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	for range 2 { // also where the watermark was written a moment ago
		w.advance(5 * time.Second)
		w.feed.failing(down)
		if _, err := s.Run(t.Context(), lease(1)); err == nil {
			t.Fatal("it does not fail")
		}
		w.advance(5 * time.Second)
		w.feed.failing(nil)
		w.run(s)
		if p := w.progress(s); p.Fails != 0 || !p.Failing.IsZero() {
			t.Errorf("it works again, and the stream is noted as failing: %+v", p)
		}
	}
}

func TestANetworkThatStallsIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	before := w.progress(s)
	w.advance(time.Minute)
	ctx := &deadline{Context: t.Context(), passed: make(chan struct{})}
	w.feed.failing(func(int) error { close(ctx.passed); return ctx.Err() })
	if _, err := s.Run(ctx, lease(1)); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	if p := w.progress(s); p.Fails != 1 || !p.Failing.Equal(w.now()) || !p.Done.Equal(before.Done) {
		t.Errorf("a run that a stalled network has used up is noted as %+v", p)
	}
}

// A deadline is one that passes when the test says so.
type deadline struct {
	context.Context
	passed chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.passed }

func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestBeingStoppedIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	w.advance(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	w.feed.failing(func(int) error { cancel(); return ctx.Err() })
	if _, err := s.Run(ctx, lease(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if p := w.progress(s); p.Fails != 0 || p.Error != "" {
		t.Errorf("being stopped is noted as %+v", p)
	}
}

func TestALongErrorIsCutToReadableText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	for shift := range 3 {
		w.feed.failing(func(int) error {
			return fault.Newf(fault.Denied, "jd.denied", "%s%s", strings.Repeat("x", shift), strings.Repeat("签名错误", 200))
		})
		if _, err := s.Run(t.Context(), lease(1)); err == nil {
			t.Fatal("it does not fail")
		}
		if p := w.progress(s); len(p.Error) > 300 || len(p.Error) < 290 || !utf8.ValidString(p.Error) {
			t.Errorf("%d bytes are kept: %q", len(p.Error), p.Error)
		}
	}
}

func TestAnOldLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s, successor := w.follower(), w.follower()
	w.minutes(50)
	w.feed.size = 20
	w.feed.failing(func(n int) error { // between two pages the lease goes to another process
		if n == 2 {
			w.feed.failing(nil)
			if _, err := successor.Run(t.Context(), lease(2)); err != nil {
				t.Error(err)
			}
			w.advance(time.Minute)
			for _, r := range w.feed.all()[20:] {
				w.feed.put(r.id, start.Add(-time.Second), 0)
			}
		}
		return nil
	})
	_, err := s.Run(t.Context(), lease(1))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a holder whose lease is over is told %v", err)
	}
	p := w.progress(s)
	if p.Fence != 2 || p.Fails != 0 || !p.Done.Equal(start.Add(-10*time.Minute)) {
		t.Errorf("its successor's progress became %+v", p)
	}
	if l, _ := w.line("r0049"); l.Rev != 1 {
		t.Errorf("a page under an old lease was stored: rev %d", l.Rev)
	}
}
