// Package registry is how the processes of a split find each other: each says which
// targets it runs and where it answers, and hears who else does.
//
// # Guarantees
//
//   - Whoever watches a target is told who runs it as soon as that is known, and
//     again at each change, one after the other.
//   - A process that leaves is gone at once; one that dies is gone after a while.
//   - While a registry does not answer, those last known stay known, and whoever had
//     joined is there again when it comes back, without doing anything.
//   - A registry only says where somebody may be. That nobody is asked who is not
//     well, and that a call is not made twice, is the business of those who call.
//
// The suite in registrytest holds every implementation to this.
package registry

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Process runs one or more targets.
type Process struct {
	// ID is of one life of a process: after a restart it has another.
	ID      string   `json:"id"`
	Targets []string `json:"targets"`
	// GRPC is where it answers other targets, as HOST:PORT; "" if it does not.
	GRPC string `json:"grpc,omitempty"`
	// HTTP is where it serves pages, as http://HOST:PORT; "" if it does not.
	HTTP  string    `json:"http,omitempty"`
	Since time.Time `json:"since"`
	// Draining means that it is about to leave: it still answers, but whoever can
	// asks another one.
	Draining bool `json:"draining,omitempty"`
}

// Runs reports whether the process runs a target.
func (p Process) Runs(target string) bool { return slices.Contains(p.Targets, target) }

func (p Process) equal(q Process) bool {
	return p.ID == q.ID && slices.Equal(p.Targets, q.Targets) && p.GRPC == q.GRPC && p.HTTP == q.HTTP && p.Since.Equal(q.Since) && p.Draining == q.Draining
}

// A Registry knows processes. It is safe for concurrent use.
type Registry interface {
	// Join enters a process and keeps it entered until it leaves. It does not wait
	// for the registry, which may be away.
	Join(p Process) Membership
	// Watch tells hear who runs a target, ordered by ID, until ctx ends, and then
	// returns. Where nothing is known yet it does not call hear.
	Watch(ctx context.Context, target string, hear func([]Process))
	// List asks the registry for all processes, ordered by ID. It fails with
	// fault.Unavailable while the registry does not answer.
	List(ctx context.Context) ([]Process, error)
}

// A Membership is that of one process. It is safe for concurrent use.
type Membership interface {
	// Drain marks the process as one that is about to leave. If the registry does
	// not answer it fails, and the mark is made as soon as it does.
	Drain(ctx context.Context) error
	// Leave takes the process out. If the registry does not answer it fails, and
	// the process is gone after a while. Nothing may be done after it.
	Leave(ctx context.Context) error
}

// Live returns those that should be asked: who is not about to leave, or everybody
// if all are.
func Live(ps []Process) []Process {
	live := slices.DeleteFunc(slices.Clone(ps), func(p Process) bool { return p.Draining })
	if len(live) == 0 {
		return ps
	}
	return live
}

// A Roll is who is known, and tells those who watch. The zero value knows nothing
// yet. It is safe for concurrent use; what an implementation hears goes in by Set.
type Roll struct {
	mu      sync.Mutex
	known   bool
	all     []Process     // ordered by ID, never changed in place
	changed chan struct{} // closed at the next change; nil while nobody waits
}

// Set says who there is now.
func (r *Roll) Set(ps []Process) {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b Process) int { return strings.Compare(a.ID, b.ID) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known && slices.EqualFunc(ps, r.all, Process.equal) {
		return
	}
	r.known, r.all = true, ps
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// All returns who there is, and whether anything is known.
func (r *Roll) All() (ps []Process, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all), r.known
}

// look returns who runs a target, and what closes when that may have changed.
func (r *Roll) look(target string) (ps []Process, known bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.all {
		if p.Runs(target) {
			ps = append(ps, p)
		}
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return ps, r.known, r.changed
}

// Watch is what Registry promises of it.
func (r *Roll) Watch(ctx context.Context, target string, hear func([]Process)) {
	var last []Process
	told := false
	for ctx.Err() == nil {
		ps, known, changed := r.look(target)
		if known && (!told || !slices.EqualFunc(ps, last, Process.equal)) {
			last, told = slices.Clone(ps), true
			hear(ps)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// A Static is the registry of those whose addresses are configured, and of those in
// this very process that join it. It is never away.
type Static struct {
	Roll

	mu  sync.Mutex
	all map[string]Process
}

var _ Registry = (*Static)(nil)

// NewStatic returns a registry that knows ps.
func NewStatic(ps ...Process) *Static {
	s := &Static{all: map[string]Process{}}
	for _, p := range ps {
		s.all[p.ID] = p
	}
	s.tell()
	return s
}

// tell enters in the roll who there is.
func (s *Static) tell() { s.Set(slices.Collect(maps.Values(s.all))) }

// Join implements Registry.
func (s *Static) Join(p Process) Membership {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[p.ID] = p
	s.tell()
	return &seat{s, p.ID}
}

// List implements Registry.
func (s *Static) List(context.Context) ([]Process, error) {
	ps, _ := s.All()
	return ps, nil
}

// A seat is that of one process in a Static.
type seat struct {
	s  *Static
	id string
}

// Drain implements Membership.
func (t *seat) Drain(context.Context) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if p, ok := t.s.all[t.id]; ok {
		p.Draining = true
		t.s.all[t.id] = p
		t.s.tell()
	}
	return nil
}

// Leave implements Membership.
func (t *seat) Leave(context.Context) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	delete(t.s.all, t.id)
	t.s.tell()
	return nil
}
