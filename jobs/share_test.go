package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/logtest"
	"fanli/jobs"
)

// A mate is a process that shares jobs with others. Which jobs it has run lately is
// what it has.
type mate struct {
	leases *mortal
	stop   func()

	mu  sync.Mutex
	ran map[string]time.Time
}

// mortal leases answer a process until it is dead.
type mortal struct {
	lock.Leases
	mu   sync.Mutex
	dead bool
}

func (m *mortal) gone() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return fault.New(fault.Unavailable, "test.dead")
	}
	return nil
}

func (m *mortal) Take(ctx context.Context, name, holder string, d time.Duration) (lock.Lease, error) {
	if err := m.gone(); err != nil {
		return lock.Lease{}, err
	}
	return m.Leases.Take(ctx, name, holder, d)
}

func (m *mortal) Drop(ctx context.Context, name, holder string) error {
	if err := m.gone(); err != nil {
		return err
	}
	return m.Leases.Drop(ctx, name, holder)
}

func (m *mortal) Held(ctx context.Context) ([]lock.Holding, error) {
	if err := m.gone(); err != nil {
		return nil, err
	}
	return m.Leases.Held(ctx)
}

// die ends the process without its giving anything back.
func (p *mate) die() {
	p.leases.mu.Lock()
	p.leases.dead = true
	p.leases.mu.Unlock()
	p.stop()
}

// comes starts a process that shares count jobs of each kind.
func comes(t *testing.T, shared lock.Leases, name string, kinds map[string]int) *mate {
	t.Helper()
	p := &mate{leases: &mortal{Leases: shared}, ran: map[string]time.Time{}}
	var plans []jobs.Plan
	for kind, count := range kinds {
		for i := range count {
			as := fmt.Sprintf("%s/%02d", kind, i)
			plans = append(plans, jobs.Plan{Shared: kind, Every: "@every 5s", Leases: p.leases, Job: jobs.Func{As: as, Do: func(context.Context) (int, error) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.ran[as] = time.Now()
				return 0, nil
			}}})
		}
	}
	r, err := jobs.New(plans, nil, name, time.UTC, logtest.New(nil))
	must(t, err)
	p.stop = begin(t, r)
	return p
}

// has returns how many jobs of a kind it has run in the last ten seconds.
func (p *mate) has(kind string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for as, at := range p.ran {
		if time.Since(at) <= 10*time.Second && as[:len(kind)] == kind {
			n++
		}
	}
	return n
}

func wantHas(t *testing.T, when, kind string, ps []*mate, counts ...int) {
	t.Helper()
	for i, p := range ps {
		if n := p.has(kind); n != counts[i] {
			t.Errorf("%s, process %d has %d of %s, want %d", when, i, n, kind, counts[i])
		}
	}
}

func TestProcessesShareJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, kinds := newLeases(), map[string]int{"follow": 12}
		a := comes(t, shared, "a", kinds)
		time.Sleep(10 * time.Second)
		wantHas(t, "alone", "follow", []*mate{a}, 12)
		b, c := comes(t, shared, "b", kinds), comes(t, shared, "c", kinds)
		time.Sleep(30 * time.Second)
		wantHas(t, "with two more", "follow", []*mate{a, b, c}, 4, 4, 4)
		time.Sleep(10 * time.Minute)
		wantHas(t, "ten minutes later", "follow", []*mate{a, b, c}, 4, 4, 4)
		b.die()
		time.Sleep(20 * time.Second) // they are renewed when half is left
		wantHas(t, "while the dead one's leases last", "follow", []*mate{a, c}, 4, 4)
		time.Sleep(time.Minute)
		wantHas(t, "when they have ended", "follow", []*mate{a, c}, 6, 6)
		c.stop()
		time.Sleep(20 * time.Second)
		wantHas(t, "after one has stopped in order", "follow", []*mate{a}, 12)
		a.stop()
	})
}

// TestWhoComesBackSitsWhereItSat: the crash points found that a process which is
// started again counted its own seat as another's, and left half of the streams alone.
func TestWhoComesBackSitsWhereItSat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, kinds := newLeases(), map[string]int{"follow": 12}
		a := comes(t, shared, "a", kinds)
		time.Sleep(10 * time.Second)
		a.die()
		again := comes(t, shared, "a", kinds)
		time.Sleep(10 * time.Second)
		wantHas(t, "back", "follow", []*mate{again}, 12)
		again.stop()
	})
}

// TestWhatIsLeftOverIsDealtOut: kinds with fewer jobs than processes do not all go to
// the first one.
func TestWhatIsLeftOverIsDealtOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, kinds := newLeases(), map[string]int{"day": 1, "week": 1, "year": 7}
		all := []*mate{comes(t, shared, "a", kinds), comes(t, shared, "b", kinds), comes(t, shared, "c", kinds)}
		time.Sleep(40 * time.Second)
		singles, years := 0, 0
		for i, p := range all {
			mine := p.has("day") + p.has("week")
			if n := p.has("year"); mine > 1 || n < 2 || n > 3 {
				t.Errorf("process %d has %d single ones and %d of seven", i, mine, n)
			}
			singles, years = singles+mine, years+p.has("year")
		}
		if singles != 2 || years != 7 {
			t.Errorf("run are %d of 2 and %d of 7", singles, years)
		}
		for _, p := range all {
			p.stop()
		}
	})
}

// TestWhatOthersDoNotKnowIsDone: one process knows four jobs more. Its share of all
// would leave some of them to others who never come for them.
func TestWhatOthersDoNotKnowIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		old := comes(t, shared, "old", map[string]int{"follow": 4})
		synctest.Wait() // as in an update: a young one that is there first may take them all
		young := comes(t, shared, "young", map[string]int{"follow": 12})
		time.Sleep(3 * time.Minute)
		if n, m := old.has("follow"), young.has("follow"); n+m != 12 || n < 2 {
			t.Errorf("the old one has %d, the young one %d; there are 12", n, m)
		}
		time.Sleep(10 * time.Minute)
		if n, m := old.has("follow"), young.has("follow"); n+m != 12 || n < 2 {
			t.Errorf("later, the old one has %d, the young one %d; there are 12", n, m)
		}
		old.stop()
		young.stop()
	})
}

// TestManyWhoComeAtOnceAllSit: nobody takes another one's seat.
func TestManyWhoComeAtOnceAllSit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newLeases()
		var all []*mate
		for i := range 8 {
			all = append(all, comes(t, shared, fmt.Sprint("p", i), map[string]int{"follow": 16}))
		}
		time.Sleep(time.Minute)
		wantHas(t, "of eight", "follow", all, 2, 2, 2, 2, 2, 2, 2, 2)
		for _, p := range all {
			p.stop()
		}
		if len(shared.held) != 0 {
			t.Errorf("kept are %v", shared.held)
		}
	})
}
