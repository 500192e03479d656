package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/logtest"
	"fanli/jobs"
)

// leases are leases in memory, by the clock of the test.
type leases struct {
	mu   sync.Mutex
	held map[string]lock.Lease
	by   map[string]string
	last int64
	down bool
}

func newLeases() *leases { return &leases{held: map[string]lock.Lease{}, by: map[string]string{}} }

func (l *leases) Take(ctx context.Context, name, holder string, length time.Duration) (lock.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil || l.down {
		return lock.Lease{}, fault.Wrap(fault.Unavailable, "test.Take", errors.Join(err, errors.New("down")))
	}
	old := l.held[name]
	if l.by[name] != holder {
		if time.Now().Before(old.Until) {
			return lock.Lease{}, fault.New(fault.Conflict, "lease.taken")
		}
		l.last++
		old.Token = l.last
	}
	old.Name, old.Until = name, time.Now().Add(length)
	l.held[name], l.by[name] = old, holder
	return old, nil
}

func (l *leases) Drop(_ context.Context, name, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[name] == holder {
		delete(l.by, name)
		delete(l.held, name)
	}
	return nil
}

func (l *leases) Held(context.Context) (out []lock.Holding, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, fault.New(fault.Unavailable, "")
	}
	for name, lease := range l.held {
		if time.Now().Before(lease.Until) {
			out = append(out, lock.Holding{Name: name, Holder: l.by[name]})
		}
	}
	return out, nil
}

// A worker is a job that does what its function says and keeps count.
type worker struct {
	name string
	do   func(ctx context.Context, l lock.Lease) (int, error)

	mu       sync.Mutex
	runs     []time.Time
	now, top int // at the same time
}

func (w *worker) Name() string { return w.name }

func (w *worker) Run(ctx context.Context, l lock.Lease) (jobs.Report, error) {
	w.mu.Lock()
	w.runs = append(w.runs, time.Now())
	w.now++
	w.top = max(w.top, w.now)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now--
	}()
	n, err := w.do(ctx, l)
	return jobs.Report{Done: n}, err
}

func (w *worker) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs)
}

// idle has nothing to do.
func idle(context.Context, lock.Lease) (int, error) { return 0, nil }

// batches has n batches of work.
func batches(n int) func(context.Context, lock.Lease) (int, error) {
	return func(context.Context, lock.Lease) (int, error) {
		if n == 0 {
			return 0, nil
		}
		n--
		return 7, nil
	}
}

// lasting takes a time, or until it is stopped.
func lasting(d time.Duration) func(context.Context, lock.Lease) (int, error) {
	return func(ctx context.Context, _ lock.Lease) (int, error) {
		select {
		case <-time.After(d):
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func runner(t *testing.T, l lock.Leases, holder string, every string, ws ...*worker) *jobs.Runner {
	t.Helper()
	var plans []jobs.Plan
	for _, w := range ws {
		plans = append(plans, jobs.Plan{Job: w, Every: every})
	}
	r, err := jobs.New(plans, l, holder, time.UTC, logtest.New(nil))
	must(t, err)
	return r
}

// begin runs r until the returned function is called, which waits for its end.
func begin(t *testing.T, r *jobs.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		must(t, <-done)
	}
}

func TestJobsRunAtTheStartAndAsPlanned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{name: "w", do: idle}
		stop := begin(t, runner(t, newLeases(), "a", "@every 5s", w))
		time.Sleep(21 * time.Second)
		stop()
		if n := w.count(); n != 5 {
			t.Errorf("in 21 seconds it ran %d times, want once at the start and four times by plan", n)
		}
		time.Sleep(time.Minute)
		if n := w.count(); n != 5 {
			t.Errorf("it runs after the stop: %d times", n)
		}
	})
}

func TestAJobRunsUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 99, 100, 101, 250} {
		synctest.Test(t, func(t *testing.T) {
			w := &worker{name: "w", do: batches(n)}
			stop := begin(t, runner(t, newLeases(), "a", "", w)) // woken at the start, and never again
			synctest.Wait()
			stop()
			if got := w.count(); got != n+1 {
				t.Errorf("%d batches were %d runs", n, got)
			}
		})
	}
}

func TestWakingWhileItRunsMakesOneMoreRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, other := &worker{name: "w", do: lasting(10 * time.Second)}, &worker{name: "other", do: idle}
		r := runner(t, newLeases(), "a", "", w, other)
		stop := begin(t, r)
		time.Sleep(time.Second)
		for range 20 {
			r.Wake("w")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		stop()
		if w.count() != 2 || w.top != 1 || other.count() != 1 {
			t.Errorf("woken 20 times it ran %d times, %d at once; the other one %d times", w.count(), w.top, other.count())
		}
	})
}

func TestAJobNeverOverlapsWithItself(t *testing.T) {
	t.Parallel()
	w := &worker{name: "w", do: func(context.Context, lock.Lease) (int, error) {
		for range 100 {
			runtime.Gosched()
		}
		return 0, nil
	}}
	r := runner(t, newLeases(), "a", "", w)
	stop := begin(t, r)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				r.Wake()
				if err := r.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stop()
	if w.top != 1 || w.count() < 160 {
		t.Errorf("%d runs, %d at once", w.count(), w.top)
	}
}

func TestAPanicIsAFailureOfItsJobAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := &worker{name: "bad", do: func(context.Context, lock.Lease) (int, error) { panic("a defect") }}
		good := &worker{name: "good", do: idle}
		r := runner(t, newLeases(), "a", "@every 1s", bad, good)
		stop := begin(t, r)
		time.Sleep(3500 * time.Millisecond)
		st := r.Status()
		stop()
		if bad.count() != 4 || good.count() != 4 {
			t.Errorf("the bad one ran %d times, the good one %d times", bad.count(), good.count())
		}
		if st[0].Name != "bad" || st[0].Fails != 4 || st[0].Error != "internal" || !st[0].LastOK.IsZero() || st[1].Fails != 0 || st[1].LastOK.IsZero() {
			t.Errorf("%+v", st)
		}
	})
}

func TestDrainRunsTheOthersAndNamesWhatFails(t *testing.T) {
	t.Parallel()
	bad := &worker{name: "bad", do: func(context.Context, lock.Lease) (int, error) { return 3, fault.New(fault.Unavailable, "jd.down") }}
	good := &worker{name: "good", do: idle}
	r := runner(t, newLeases(), "a", "", bad, good)
	err := r.Drain(t.Context())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "bad: jd.down") || good.count() != 1 {
		t.Errorf("got %v; the good one ran %d times", err, good.count())
	}
	if st := r.Status(); st[0].Error != "jd.down" || st[0].Fails != 1 {
		t.Errorf("%+v", st)
	}
}

func TestDrainEndsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	left := 0 // what one does makes work for the other
	ping := &worker{name: "ping", do: batches(5)}
	pong := &worker{name: "pong", do: func(context.Context, lock.Lease) (int, error) {
		if left < 8 {
			left++
			return 1, nil
		}
		return 0, nil
	}}
	must(t, runner(t, newLeases(), "a", "", ping, pong).Drain(t.Context()))
	if ping.count() != 9 || pong.count() != 9 {
		t.Errorf("they ran %d and %d times", ping.count(), pong.count())
	}
	for0 := &worker{name: "for ever", do: func(context.Context, lock.Lease) (int, error) { return 1, nil }}
	if err := runner(t, newLeases(), "a", "", for0).Drain(t.Context()); fault.ReasonOf(err) != "jobs.never_idle" {
		t.Errorf("a job without end: %v", err)
	}
}

func TestNewRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	w := func(name string) jobs.Job { return &worker{name: name, do: idle} }
	tests := []struct {
		name  string
		plans []jobs.Plan
		parts []string
	}{
		{"schedules that mean nothing, all of them", []jobs.Plan{{Job: w("x"), Every: "soon"}, {Job: w("y"), Every: "@every 1s"}, {Job: w("z"), Every: "61 * * * *"}}, []string{"job x", `"soon"`, "job z"}},
		{"two jobs of one name, which would share a lease", []jobs.Plan{{Job: w("x")}, {Job: w("y")}, {Job: w("x")}}, []string{"job x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := jobs.New(tt.plans, newLeases(), "a", time.UTC, logtest.New(nil))
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, part := range tt.parts {
				wantText(t, "the error", err.Error(), part)
			}
			if strings.Contains(err.Error(), "job y") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAStatusIsThereWhileAJobRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{name: "w", do: lasting(time.Hour)}
		r := runner(t, newLeases(), "a", "", w)
		stop := begin(t, r)
		time.Sleep(time.Minute)
		before := time.Now()
		st := r.Status()
		if waited := time.Since(before); waited > 0 || st[0].LastRun.IsZero() {
			t.Errorf("after %s the status is %+v", waited, st)
		}
		stop()
	})
}

func TestFailuresAreLoggedAtFirstAndThenSeldom(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	w := &worker{name: "w", do: func(context.Context, lock.Lease) (int, error) { return 0, fault.New(fault.Denied, "jd.denied") }}
	r, err := jobs.New([]jobs.Plan{{Job: w}}, newLeases(), "a", time.UTC, logtest.New(&text))
	must(t, err)
	for range 25 {
		_ = r.Drain(t.Context())
	}
	if n := strings.Count(text.String(), "jd.denied"); n != 3 || r.Status()[0].Fails != 25 {
		t.Errorf("25 failures in a row are %d lines:\n%s", n, text.String())
	}
	w.do = func(context.Context, lock.Lease) (int, error) { return 0, fmt.Errorf("stopped: %w", context.Canceled) }
	text.Reset()
	for range 10 {
		_ = r.Drain(t.Context())
	}
	if text.Len() > 0 {
		t.Errorf("being stopped is logged:\n%s", text.String())
	}
	w.do = idle
	must(t, r.Drain(t.Context()))
	if st := r.Status()[0]; st.Fails != 0 || st.Error != "" || st.LastOK.IsZero() {
		t.Errorf("%+v", st)
	}
}

func TestAFuncIsAJob(t *testing.T) {
	t.Parallel()
	f := jobs.Func{As: "count", Do: func(context.Context) (int, error) { return 3, errors.ErrUnsupported }}
	rep, err := f.Run(t.Context(), lock.Lease{})
	if f.Name() != "count" || rep.Done != 3 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%s: %+v, %v", f.Name(), rep, err)
	}
}
