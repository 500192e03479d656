// Package jobs is what happens without anyone asking.
//
// A [Job] is one bounded piece of work; the [Runner] decides when it runs, that
// only one process runs it, and that it never overlaps with itself. Jobs keep
// their place in the database, not in memory: one may be stopped anywhere and
// run again.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"fanli/core/fault"
	"fanli/core/lock"
)

// A Job is one bounded piece of work.
type Job interface {
	// Name is stable: leases and logs use it.
	Name() string
	// Run does at most one batch and says what it did. It runs under the lease
	// l, whose token goes along with what it writes.
	Run(ctx context.Context, l lock.Lease) (Report, error)
}

// A Report says what a run did.
type Report struct {
	Done int    // how many things; above zero the job is run again at once
	Text string // one line for the log; "" for nothing worth saying
}

// A Func is a job made of a name and a function that counts what it did.
type Func struct {
	As string
	Do func(ctx context.Context) (int, error)
}

// Name returns the job's name.
func (f Func) Name() string { return f.As }

// Run calls the function.
func (f Func) Run(ctx context.Context, _ lock.Lease) (Report, error) {
	n, err := f.Do(ctx)
	return Report{Done: n}, err
}

// Limits of the runner.
const (
	leaseLength = time.Minute
	leaseRenew  = leaseLength / 2 // renewed when less is left
	runMax      = 10 * time.Minute
	drainMax    = 10_000 // runs of one job in one Drain
	rerunMax    = 100    // runs in a row before other work gets a turn
)

// A Plan is a job with its schedule.
type Plan struct {
	Job   Job
	Every string // a cron expression, "@every 5s", or "" for only when woken
	Calm  bool   // it does not run at the start, nor in Drain: it is not a part of anything's way
}

// A Runner runs jobs. Its zero value is not usable; see New.
type Runner struct {
	leases lock.Leases
	holder string
	log    *slog.Logger
	slots  []*slot
	cron   *cron.Cron
}

// A slot is one job and what the runner knows of it.
type slot struct {
	job  Job
	calm bool
	wake chan struct{}

	mu    sync.Mutex // held while the job runs
	lease lock.Lease
	state Status
}

// A Status is what operators see of a job.
type Status struct {
	Name    string
	LastRun time.Time
	LastOK  time.Time
	Fails   int // in a row
	Error   string
	Text    string
}

// New returns a runner for plans. holder names this process; zone is that of the
// cron expressions. It fails if an expression is malformed.
func New(plans []Plan, leases lock.Leases, holder string, zone *time.Location, log *slog.Logger) (*Runner, error) {
	r := &Runner{leases: leases, holder: holder, log: log, cron: cron.New(cron.WithLocation(zone))}
	var errs []error
	for _, p := range plans {
		s := &slot{job: p.Job, calm: p.Calm, wake: make(chan struct{}, 1), state: Status{Name: p.Job.Name()}}
		r.slots = append(r.slots, s)
		if p.Every == "" {
			continue
		}
		if _, err := r.cron.AddFunc(p.Every, s.ring); err != nil {
			errs = append(errs, fmt.Errorf("job %s: schedule %q: %w", p.Job.Name(), p.Every, err))
		}
	}
	return r, errors.Join(errs...)
}

// ring wakes a job; a ring while it runs makes it run once more.
func (s *slot) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake runs the jobs called names soon; for none, all but the calm ones.
func (r *Runner) Wake(names ...string) {
	for _, s := range r.slots {
		if len(names) == 0 && !s.calm {
			s.ring()
		}
		for _, n := range names {
			if s.job.Name() == n {
				s.ring()
			}
		}
	}
}

// Run runs jobs as planned until ctx ends, and waits for those that are running
// to stop.
func (r *Runner) Run(ctx context.Context) error {
	r.cron.Start()
	var wg sync.WaitGroup
	for _, s := range r.slots {
		wg.Go(func() { r.loop(ctx, s) })
	}
	r.Wake()
	<-ctx.Done()
	<-r.cron.Stop().Done()
	wg.Wait()
	r.drop(context.WithoutCancel(ctx))
	return nil
}

// drop gives the leases back, so that another process need not wait.
func (r *Runner) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for _, s := range r.slots {
		if s.lease.Name != "" {
			if err := r.leases.Drop(ctx, s.lease.Name, r.holder); err != nil {
				r.log.Warn("lease not dropped", "job", s.job.Name(), "error", err)
			}
		}
	}
}

func (r *Runner) loop(ctx context.Context, s *slot) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for range rerunMax {
			rep, err := r.once(ctx, s)
			if err != nil || rep.Done == 0 || ctx.Err() != nil {
				break
			}
		}
	}
}

// once takes the lease and runs the job once. Not having the lease is no error:
// another process does the work.
func (r *Runner) once(ctx context.Context, s *slot) (rep Report, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.job.Name()
	if time.Until(s.lease.Until) < leaseRenew {
		l, err := r.leases.Take(ctx, "job/"+name, r.holder, leaseLength)
		if fault.Is(err, fault.Conflict) {
			return Report{}, nil
		}
		if err != nil {
			return Report{}, r.failed(s, err)
		}
		s.lease = l
	}
	defer func() {
		if p := recover(); p != nil {
			err = r.failed(s, fmt.Errorf("panic: %v", p))
		}
	}()
	s.state.LastRun = time.Now()
	ctx, cancel := context.WithTimeout(ctx, runMax)
	defer cancel()
	rep, err = s.job.Run(ctx, s.lease)
	if err != nil {
		return rep, r.failed(s, err)
	}
	s.state.LastOK, s.state.Fails, s.state.Error, s.state.Text = time.Now(), 0, "", rep.Text
	if rep.Text != "" {
		r.log.Info("job", "name", name, "done", rep.Done, "report", rep.Text)
	}
	return rep, nil
}

// failed records and logs a failure: the first of a row, and then every tenth.
func (r *Runner) failed(s *slot, err error) error {
	s.state.Fails++
	s.state.Error = string(fault.CodeOf(err))
	if reason := fault.ReasonOf(err); reason != "" {
		s.state.Error = reason
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if s.state.Fails%10 == 1 {
		r.log.Warn("job failed", "name", s.job.Name(), "fails", s.state.Fails, "error", err)
	}
	return err
}

// Drain runs all jobs but the calm ones in turn until none has anything left to do. Tests and
// simulations use it instead of Run: time stands still meanwhile.
func (r *Runner) Drain(ctx context.Context) error {
	for range drainMax {
		busy := false
		var errs []error
		for _, s := range r.slots {
			if s.calm {
				continue
			}
			rep, err := r.once(ctx, s)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.job.Name(), err))
			}
			busy = busy || rep.Done > 0
		}
		if err := errors.Join(errs...); err != nil || !busy {
			return err
		}
	}
	return fault.New(fault.Internal, "jobs.never_idle")
}

// Status returns what operators see, in the order of the plans.
func (r *Runner) Status() []Status {
	out := make([]Status, len(r.slots))
	for i, s := range r.slots {
		s.mu.Lock()
		out[i] = s.state
		s.mu.Unlock()
	}
	return out
}
