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
	renewPart   = 2  // a lease is renewed after this part of it
	beatPart    = 4  // how often a run looks after its lease
	lookPart    = 12 // how often processes that share jobs look who is there
	seatTries   = 64 // seats that are tried when many processes come at once
	runMax      = 10 * time.Minute
	drainMax    = 10_000 // runs of one job in one Drain
	rerunMax    = 100    // runs in a row before other work gets a turn
)

// A Plan is a job with its schedule.
type Plan struct {
	Job   Job
	Every string // a cron expression, "@every 5s", or "" for only when woken
	Calm  bool   // it does not run at the start, nor in Drain: it is not a part of anything's way

	// Leases is where its lease is; nil for the runner's.
	Leases lock.Leases
	// Shared is the kind of a job of which there are many: the processes that have
	// such jobs, under the same leases, share those of each kind out evenly. "" for a
	// job that stays with whoever took it first.
	Shared string
	// Term is how long its lease is taken for; 0 for a minute. The jobs under the same
	// leases that are shared have one.
	Term time.Duration
}

// A Runner runs jobs. Its zero value is not usable; see New.
type Runner struct {
	holder string
	log    *slog.Logger
	slots  []*slot
	crews  map[lock.Leases]*crew
	cron   *cron.Cron
}

// A slot is one job and what the runner knows of it.
type slot struct {
	job    Job
	calm   bool
	every  string       // as planned now
	entry  cron.EntryID // of the cron
	leases lock.Leases
	term   time.Duration
	share  *share // nil for a job that is not shared
	wake   chan struct{}

	running sync.Mutex // held while the job runs
	lease   lock.Lease
	taken   time.Time // when

	mu    sync.Mutex // guards state, so that looking at it never waits for the job
	state Status
}

// note changes what operators see.
func (s *slot) note(change func(st *Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
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

// New returns a runner for plans; leases are for those that name none. holder names this process; zone is that of the
// cron expressions. It fails if an expression is malformed or two jobs have one
// name, which would share a lease.
func New(plans []Plan, leases lock.Leases, holder string, zone *time.Location, log *slog.Logger) (*Runner, error) {
	r := &Runner{holder: holder, log: log, crews: map[lock.Leases]*crew{}, cron: cron.New(cron.WithLocation(zone))}
	var errs []error
	names := map[string]bool{}
	for _, p := range plans {
		if names[p.Job.Name()] {
			errs = append(errs, fmt.Errorf("job %s is planned twice", p.Job.Name()))
		}
		names[p.Job.Name()] = true
		if p.Leases == nil {
			p.Leases = leases
		}
		if p.Term == 0 {
			p.Term = leaseLength
		}
		s := &slot{
			job: p.Job, calm: p.Calm, every: p.Every, leases: p.Leases, term: p.Term, wake: make(chan struct{}, 1), state: Status{Name: p.Job.Name()},
		}
		r.slots = append(r.slots, s)
		r.shares(s, p)
		if p.Every == "" {
			continue
		}
		var err error
		if s.entry, err = r.cron.AddFunc(p.Every, s.ring); err != nil {
			errs = append(errs, fmt.Errorf("job %s: schedule %q: %w", p.Job.Name(), p.Every, err))
		}
	}
	return r, errors.Join(errs...)
}

// shares enters a slot among those that are shared.
func (r *Runner) shares(s *slot, p Plan) {
	if p.Shared == "" {
		return
	}
	c := r.crews[p.Leases]
	if c == nil {
		c = &crew{leases: p.Leases, holder: r.holder, term: p.Term}
		r.crews[p.Leases] = c
	}
	s.share = c.join(p.Shared)
}

// Replan makes the jobs of plans, by their names, run as often as these say from now
// on; everything else of them stays as it is, and jobs that are not planned are left
// out. It may be called while the runner runs, by one at a time. If an expression is
// malformed it fails, and that job stays as planned before.
func (r *Runner) Replan(plans []Plan) error {
	var errs []error
	for _, p := range plans {
		for _, s := range r.slots {
			if s.job.Name() != p.Job.Name() || s.every == p.Every || s.every == "" {
				continue
			}
			entry, err := r.cron.AddFunc(p.Every, s.ring)
			if err != nil {
				errs = append(errs, fmt.Errorf("job %s: schedule %q: %w", p.Job.Name(), p.Every, err))
				continue
			}
			r.cron.Remove(s.entry)
			s.entry, s.every = entry, p.Every
		}
	}
	return errors.Join(errs...)
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
			if err := s.leases.Drop(ctx, s.lease.Name, r.holder); err != nil {
				r.log.Warn("lease not dropped", "job", s.job.Name(), "error", err)
			}
		}
	}
	for _, c := range r.crews {
		if err := c.stand(ctx); err != nil {
			r.log.Warn("lease not dropped", "job", c.seat, "error", err)
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
		more := true
		for i := 0; i < rerunMax && more; i++ {
			rep, err := r.once(ctx, s)
			more = err == nil && rep.Done > 0 && ctx.Err() == nil
		}
		if more {
			s.ring()
		}
	}
}

// once takes the lease and runs the job once. Not having the lease is no error:
// another process does the work.
func (r *Runner) once(ctx context.Context, s *slot) (rep Report, err error) {
	s.running.Lock()
	defer s.running.Unlock()
	switch err := r.take(ctx, s); {
	case fault.Is(err, fault.Conflict):
		return Report{}, nil
	case err != nil:
		return Report{}, r.failed(ctx, s, err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = r.failed(ctx, s, fmt.Errorf("panic: %v", p))
		}
	}()
	s.note(func(st *Status) { st.LastRun = time.Now() })
	lease := s.lease
	defer func() {
		if fault.ReasonOf(err) == lock.Lost {
			s.taken = time.Time{} // do not trust our own watch: ask
		}
	}()
	ctx, cancel := context.WithTimeout(lock.Under(ctx, lease), runMax)
	defer cancel()
	defer r.hold(ctx, cancel, s)()
	rep, err = s.job.Run(ctx, lease)
	if err != nil {
		return rep, r.failed(ctx, s, err)
	}
	s.note(func(st *Status) { st.LastOK, st.Fails, st.Error, st.Text = time.Now(), 0, "", rep.Text })
	if rep.Text != "" {
		r.log.Info("job", "name", s.job.Name(), "done", rep.Done, "report", rep.Text)
	}
	return rep, nil
}

// take takes the job's lease, or renews it where it is time to.
func (r *Runner) take(ctx context.Context, s *slot) error {
	if s.share != nil {
		return s.share.take(ctx, r, s)
	}
	return r.renew(ctx, s)
}

// leaseOf is the name of a job's lease.
func leaseOf(j Job) string { return "job/" + j.Name() }

func (r *Runner) renew(ctx context.Context, s *slot) error {
	if time.Since(s.taken) <= s.term/renewPart { // by our own watch: the lease may run on a simulated one
		return nil
	}
	l, err := s.leases.Take(ctx, leaseOf(s.job), r.holder, s.term)
	if err == nil {
		s.lease, s.taken = l, time.Now()
	}
	return err
}

// hold renews the lease while its job runs, until it is released. A run that has
// lost its lease, because this process slept, is stopped: another process does
// the work.
func (r *Runner) hold(ctx context.Context, stop func(), s *slot) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	token := s.lease.Token
	go func() {
		defer close(done)
		beat := time.NewTicker(s.term / beatPart)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			err := r.renew(ctx, s) // a run that has begun ends, whoever has come meanwhile
			if fault.Is(err, fault.Conflict) || s.lease.Token != token {
				stop()
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// failed records and logs a failure: the first of a row, and then every tenth.
func (r *Runner) failed(ctx context.Context, s *slot, err error) error {
	fails := 0
	s.note(func(st *Status) {
		st.Fails++
		st.Error = string(fault.CodeOf(err))
		if reason := fault.ReasonOf(err); reason != "" {
			st.Error = reason
		}
		fails = st.Fails
	})
	if !errors.Is(err, context.Canceled) && fails%10 == 1 {
		r.log.WarnContext(ctx, "job failed", "name", s.job.Name(), "fails", fails, "error", err)
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
		s.note(func(st *Status) { out[i] = *st })
	}
	return out
}
