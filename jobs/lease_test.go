package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
)

func TestOnlyOneProcessRunsAJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		a, b := &worker{name: "w", do: idle}, &worker{name: "w", do: idle}
		ra := runner(t, shared, "a", "@every 5s", a)
		stopA := begin(t, ra)
		synctest.Wait()
		rb := runner(t, shared, "b", "@every 5s", b)
		stopB := begin(t, rb)
		time.Sleep(10*time.Minute + time.Second)
		if a.count() != 121 || b.count() != 0 {
			t.Errorf("the holder ran it %d times, the other process %d times", a.count(), b.count())
		}
		if st := rb.Status()[0]; st.Fails != 0 || !st.LastRun.IsZero() {
			t.Errorf("not having the lease is noted as %+v", st)
		}
		stopA()
		time.Sleep(6 * time.Second) // the lease was given back
		stopB()
		if b.count() == 0 {
			t.Error("nobody took over when the holder stopped")
		}
	})
}

func TestADeadProcessIsSucceededWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		dead, err := shared.Take(t.Context(), "job/w", "dead", time.Minute)
		must(t, err)
		var token int64
		w := &worker{name: "w", do: func(_ context.Context, l lock.Lease) (int, error) { token = l.Token; return 0, nil }}
		died := time.Now()
		stop := begin(t, runner(t, shared, "a", "@every 5s", w))
		time.Sleep(2 * time.Minute)
		stop()
		if w.count() == 0 {
			t.Fatal("nobody took over")
		}
		if took := w.runs[0].Sub(died); took < time.Minute || took > 65*time.Second {
			t.Errorf("it was taken over after %s", took)
		}
		if token <= dead.Token {
			t.Errorf("the successor's token %d does not fence off %d", token, dead.Token)
		}
	})
}

func TestADeadProcessIsSucceededAtOnceByWhoKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		dead, err := shared.Take(t.Context(), "job/w", "dead", time.Minute)
		must(t, err)
		_, err = shared.Take(t.Context(), "job/v", "alive", time.Minute)
		must(t, err)
		var token int64
		w := &worker{name: "w", do: func(_ context.Context, l lock.Lease) (int, error) { token = l.Token; return 0, nil }}
		v := &worker{name: "v", do: idle}
		r := runner(t, shared, "a", "@every 5s", w, v)
		must(t, r.Inherit(t.Context(), "dead"))
		stop := begin(t, r)
		time.Sleep(6 * time.Second)
		stop()
		if w.count() == 0 || token <= dead.Token {
			t.Errorf("it ran %d times, its token %d comes after %d", w.count(), token, dead.Token)
		}
		if v.count() > 0 {
			t.Error("it took a lease of somebody who is alive")
		}
	})
}

func TestALongRunKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		a, b := &worker{name: "w", do: lasting(9 * time.Minute)}, &worker{name: "w", do: idle}
		stopA := begin(t, runner(t, shared, "a", "", a))
		synctest.Wait()
		stopB := begin(t, runner(t, shared, "b", "@every 1s", b))
		time.Sleep(9*time.Minute - time.Second)
		if b.count() != 0 {
			t.Errorf("while one process ran the job for nine minutes, another ran it %d times", b.count())
		}
		stopA()
		stopB()
	})
}

func TestARunThatLosesItsLeaseIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		a := &worker{name: "w", do: lasting(9 * time.Minute)}
		ra := runner(t, shared, "a", "", a)
		stop := begin(t, ra)
		time.Sleep(time.Second)
		must(t, shared.Drop(t.Context(), "job/w", "a")) // as if this process had slept
		_, err := shared.Take(t.Context(), "job/w", "b", time.Hour)
		must(t, err)
		time.Sleep(time.Minute)
		if st := ra.Status()[0]; st.Fails != 1 {
			t.Errorf("a minute after another process took over, the run goes on: %+v", st)
		}
		stop()
	})
}

func TestARunIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{name: "w", do: lasting(time.Hour)}
		r := runner(t, newLeases(), "a", "", w)
		before := time.Now()
		err := r.Drain(t.Context())
		if took := time.Since(before); !fault.Is(err, fault.Unavailable) || took != 10*time.Minute {
			t.Errorf("it ended after %s with %v", took, err)
		}
	})
}

func TestStoppingWaitsForWhatRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		ended := false
		w := &worker{name: "w", do: func(ctx context.Context, _ lock.Lease) (int, error) {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // puts its things away
			ended = true
			return 0, ctx.Err()
		}}
		stop := begin(t, runner(t, shared, "a", "", w))
		time.Sleep(time.Second)
		stop()
		if !ended {
			t.Error("the runner has ended before its job")
		}
		if len(shared.held) != 0 {
			t.Errorf("leases are kept: %v", shared.held)
		}
		if w.count() != 1 {
			t.Errorf("it ran %d times", w.count())
		}
	})
}

func TestWithoutLeasesNothingRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		shared.down = true
		w := &worker{name: "w", do: idle}
		r := runner(t, shared, "a", "", w)
		if err := r.Drain(t.Context()); !fault.Is(err, fault.Unavailable) || w.count() != 0 {
			t.Errorf("got %v after %d runs", err, w.count())
		}
		shared.down = false
		must(t, r.Drain(t.Context()))
		shared.down = true
		must(t, r.Drain(t.Context())) // the lease is still good
		time.Sleep(2 * time.Minute)
		if err := r.Drain(t.Context()); !fault.Is(err, fault.Unavailable) || w.count() != 2 {
			t.Errorf("under a lease that has ended: %v after %d runs", err, w.count())
		}
	})
}

func TestDrainLeavesOthersWorkToThem(t *testing.T) {
	t.Parallel()
	shared := newLeases()
	_, err := shared.Take(t.Context(), "job/w", "b", time.Hour)
	must(t, err)
	w := &worker{name: "w", do: batches(3)}
	must(t, runner(t, shared, "a", "", w).Drain(t.Context()))
	if w.count() != 0 {
		t.Errorf("it ran %d times without the lease", w.count())
	}
}
