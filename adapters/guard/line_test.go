package guard_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/adapters/guard"
	"fanli/core/fault"
	"fanli/core/link"
)

// unavailable is what a line's other side not being well looks like.
func unavailable(err error) bool { return fault.Is(err, fault.Unavailable) }

// TestALineRestsAndComesBack: after failures nobody calls, answers are no failures,
// and one probe decides.
func TestALineRestsAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := guard.NewLine("rebate", guard.LineOptions{Failures: 3, Rest: 5 * time.Second}, unavailable)
		calls := 0
		do := func(err error) error {
			return l.Do(t.Context(), func(context.Context) error { calls++; return err })
		}
		for range 10 {
			wantCode(t, "an answer", do(missing), fault.NotFound)
		}
		for range 3 {
			wantCode(t, "a failure", do(down), fault.Unavailable)
		}
		if err := do(nil); fault.ReasonOf(err) != fault.Down || !fault.Is(err, fault.Unavailable) || calls != 13 || !l.Resting() {
			t.Errorf("resting: %v after %d calls", err, calls)
		}
		time.Sleep(6 * time.Second)
		if l.Resting() || l.Well() {
			t.Error("it does not probe")
		}
		wantCode(t, "the probe", do(down), fault.Unavailable)
		if err := do(nil); fault.ReasonOf(err) != fault.Down || calls != 14 {
			t.Errorf("after a probe that failed: %v, %d calls", err, calls)
		}
		time.Sleep(6 * time.Second)
		if err := do(nil); err != nil || !l.Well() {
			t.Errorf("back: %v", err)
		}
		if s := l.Status(); s.Calls != 15 || s.Failures != 4 || s.Refused != 2 || s.State != "closed" {
			t.Errorf("%+v", s)
		}
	})
}

// TestALineHasSeats: so many calls at once, so many wait, for so long.
func TestALineHasSeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := guard.NewLine("order", guard.LineOptions{Concurrent: 2, Queue: 1, Wait: time.Second, Timeout: 10 * time.Second}, unavailable)
		gate := make(chan struct{})
		var all sync.WaitGroup
		hold := func() {
			all.Go(func() {
				if err := l.Do(context.Background(), func(context.Context) error { <-gate; return nil }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		hold()
		hold()
		hold() // waits
		if err := l.Do(t.Context(), func(context.Context) error { return nil }); fault.ReasonOf(err) != fault.Busy || !fault.Is(err, fault.Limited) {
			t.Errorf("a call too many: %v", err)
		}
		close(gate)
		all.Wait()
		gate = make(chan struct{})
		hold()
		hold()
		began := time.Now()
		if err := l.Do(t.Context(), func(context.Context) error { return nil }); fault.ReasonOf(err) != fault.Busy || time.Since(began) != time.Second {
			t.Errorf("one that waited %s: %v", time.Since(began), err)
		}
		close(gate)
		all.Wait()
	})
}

// TestALineHasADeadline, and whoever goes away by themselves says nothing about it.
func TestALineHasADeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := guard.NewLine("user", guard.LineOptions{Timeout: 2 * time.Second, Failures: 1}, func(err error) bool { return err != nil })
		stalled := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := l.Do(ctx, stalled); err == nil || !l.Well() {
			t.Errorf("somebody left: %v", err)
		}
		began := time.Now()
		if err := l.Do(t.Context(), stalled); err == nil || time.Since(began) != 2*time.Second || l.Well() {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if s := l.Status(); s.Took != 2*time.Second {
			t.Errorf("calls took %s", s.Took)
		}
	})
}

// TestRepetitionsAreAPartOfAllCalls: a network that always fails is asked little more
// than once for each call.
func TestRepetitionsAreAPartOfAllCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{next: failing(down, 1<<40)}
		n := guard.Network(s, guard.Options{Tries: 3, Retries: 10, Failures: 1 << 30, PerSecond: 1000, Burst: 1000, Backoff: time.Millisecond})
		const calls = 200
		for range calls {
			if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); !fault.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
		}
		if got := s.calls.Load(); got < calls+10 || got > calls+10+calls/10 {
			t.Errorf("%d calls became %d", calls, got)
		}
	})
}

// TestANetworkSaysHowLongItTakes, as long as anybody asks it.
func TestANetworkSaysHowLongItTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{next: func(context.Context, int64) error { time.Sleep(2 * time.Second); return nil }}
		g := guard.New("script/main", guard.Options{})
		n := g.Network(s)
		for range 2 {
			if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := g.Status()[0].Took; took != 2*time.Second {
			t.Errorf("it takes %s", took)
		}
		time.Sleep(time.Minute)
		if took := g.Status()[0].Took; took != 0 {
			t.Errorf("a minute later it takes %s", took)
		}
	})
}

// TestAnOldOfferIsBetterThanNone: with a note, as long as the network does not answer.
func TestAnOldOfferIsBetterThanNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failure error
		kept := false
		s := &script{next: func(context.Context, int64) error { return failure }}
		n := guard.Network(s, guard.Options{
			Tries: 1, OfferTTL: time.Minute, Stale: time.Hour, Failures: 1 << 30, Kept: func(name string) bool { return kept && name == "script" },
		})
		offer := func(when string, want fault.Code, caveats int) {
			t.Helper()
			o, err := n.Offer(t.Context(), item("1"))
			wantCode(t, when, err, want)
			if len(o.Caveats) != caveats || caveats == 2 && o.Caveats[1] != guard.StaleOffer {
				t.Errorf("%s: caveats %v", when, o.Caveats)
			}
		}
		offer("new", "", 1)
		failure = down
		time.Sleep(30 * time.Second)
		offer("kept", "", 1)
		time.Sleep(time.Minute)
		offer("old", "", 2)
		wantCalls(t, s, 2)
		failure = missing
		offer("gone", fault.NotFound, 0)
		failure = nil
		time.Sleep(time.Minute)
		offer("there again", "", 1)
		time.Sleep(2 * time.Minute)
		kept = true
		offer("not asked", "", 2)
		wantCalls(t, s, 4)
		kept, failure = false, down
		time.Sleep(2 * time.Hour)
		offer("too old", fault.Unavailable, 0)
	})
}
