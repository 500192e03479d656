// Package registrytest holds implementations of registry.Registry to what it
// promises.
package registrytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/registry"
)

// patience is how long a busy machine may take for what usually takes a moment.
const patience = time.Minute

// Process returns one that runs targets.
func Process(id string, targets ...string) registry.Process {
	return registry.Process{
		ID: id, Targets: targets, GRPC: id + ".example:9090", HTTP: "http://" + id + ".example:8080",
		Since: time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC),
	}
}

// A Watcher is somebody who watches a target.
type Watcher struct {
	target string
	heard  chan string
	last   string
	all    []string
}

// A Watchable is a registry, or a part of one.
type Watchable interface {
	Watch(ctx context.Context, target string, hear func([]registry.Process))
}

// Watch watches a target of r until the test ends.
func Watch(t testing.TB, r Watchable, target string) *Watcher {
	t.Helper()
	w := &Watcher{target: target, heard: make(chan string, 1000)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Watch(ctx, target, func(ps []registry.Process) { w.heard <- Names(ps) })
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("a watch does not end when its context does")
		}
	})
	return w
}

// Want waits until the watcher was told that want run its target, as Names writes
// them.
func (w *Watcher) Want(t testing.TB, want string) {
	t.Helper()
	end := time.After(patience)
	for w.last != want {
		select {
		case w.last = <-w.heard:
			w.all = append(w.all, w.last)
		case <-end:
			t.Fatalf("%s: heard %q last, want %q", w.target, w.last, want)
		}
	}
}

// Heard returns everything that the watcher was told and that Want did not take.
func (w *Watcher) Heard() (out []string) {
	for {
		select {
		case w.last = <-w.heard:
			w.all = append(w.all, w.last)
			out = append(out, w.last)
		default:
			return out
		}
	}
}

// All returns everything that the watcher was told so far.
func (w *Watcher) All() []string {
	w.Heard()
	return w.all
}

// Names returns IDs, with a star behind those that drain; "nobody" for none.
func Names(ps []registry.Process) string {
	var out []string
	for _, p := range ps {
		if p.Draining {
			p.ID += "*"
		}
		out = append(out, p.ID)
	}
	if out == nil {
		return "nobody"
	}
	return strings.Join(out, " ")
}

// Run holds an implementation to the promises. begin returns what opens the same
// empty registry again and again, as several processes do.
func Run(t *testing.T, begin func(t *testing.T) (open func() registry.Registry)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, open func() registry.Registry){
		"who joins is seen":                       seen,
		"who leaves is gone":                      gone,
		"who drains is marked":                    marked,
		"a process of several targets is in each": several,
		"a watch tells what matters":              matters,
		"watchers own what they are told":         own,
		"many join and leave at once":             many,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, begin(t))
		})
	}
}

func seen(t *testing.T, open func() registry.Registry) {
	a, b := open(), open()
	early := Watch(t, b, "user")
	early.Want(t, "nobody")
	a.Join(Process("u1", "user"))
	early.Want(t, "u1")
	b.Join(Process("u2", "user"))
	early.Want(t, "u1 u2")
	Watch(t, a, "user").Want(t, "u1 u2")
	ps, err := b.List(t.Context())
	if err != nil || len(ps) != 2 {
		t.Fatalf("listed are %v, %v", ps, err)
	}
	want := Process("u1", "user")
	if got := ps[0]; got.ID != want.ID || got.GRPC != want.GRPC || got.HTTP != want.HTTP || !got.Since.Equal(want.Since) || !slices.Equal(got.Targets, want.Targets) || got.Draining {
		t.Errorf("listed is %+v, joined had %+v", got, want)
	}
}

func gone(t *testing.T, open func() registry.Registry) {
	a, b := open(), open()
	w := Watch(t, b, "user")
	m := a.Join(Process("u1", "user"))
	w.Want(t, "u1")
	if err := m.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Want(t, "nobody")
	if ps, err := b.List(t.Context()); err != nil || len(ps) != 0 {
		t.Errorf("listed are %v, %v", ps, err)
	}
	a.Join(Process("u2", "user"))
	w.Want(t, "u2")
}

func marked(t *testing.T, open func() registry.Registry) {
	a, b := open(), open()
	w := Watch(t, b, "user")
	one, two := a.Join(Process("u1", "user")), a.Join(Process("u2", "user"))
	w.Want(t, "u1 u2")
	if err := one.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Want(t, "u1* u2")
	ps, err := b.List(t.Context())
	if err != nil || Names(ps) != "u1* u2" || Names(registry.Live(ps)) != "u2" {
		t.Errorf("listed are %s, live are %s, %v", Names(ps), Names(registry.Live(ps)), err)
	}
	if err := two.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Want(t, "u1* u2*")
	if ps, err = b.List(t.Context()); err != nil || Names(registry.Live(ps)) != "u1* u2*" {
		t.Errorf("where everybody drains live are %s, %v", Names(registry.Live(ps)), err)
	}
	for _, m := range []registry.Membership{one, two} {
		if err := m.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.Want(t, "nobody")
}

func several(t *testing.T, open func() registry.Registry) {
	a := open()
	user, order, bot := Watch(t, a, "user"), Watch(t, a, "order"), Watch(t, a, "bot")
	m := a.Join(Process("p1", "user", "order"))
	user.Want(t, "p1")
	order.Want(t, "p1")
	if err := m.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	user.Want(t, "nobody")
	order.Want(t, "nobody")
	bot.Want(t, "nobody")
}

// matters has something happen to a target that is not watched: who watches another
// one hears nothing of it.
func matters(t *testing.T, open func() registry.Registry) {
	a := open()
	user, order := Watch(t, a, "user"), Watch(t, a, "order")
	user.Want(t, "nobody")
	order.Want(t, "nobody")
	a.Join(Process("o1", "order"))
	order.Want(t, "o1")
	a.Join(Process("u1", "user"))
	user.Want(t, "u1")
	if more := append(user.Heard(), order.Heard()...); len(more) > 0 {
		t.Errorf("something was told again: %q", more)
	}
}

func own(t *testing.T, open func() registry.Registry) {
	a := open()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	spoilt := make(chan bool, 100)
	go a.Watch(ctx, "user", func(ps []registry.Process) {
		for i := range ps {
			ps[i] = registry.Process{ID: "nonsense"}
		}
		spoilt <- len(ps) > 0
	})
	a.Join(Process("u1", "user"))
	for !<-spoilt {
	}
	Watch(t, a, "user").Want(t, "u1")
}

func many(t *testing.T, open func() registry.Registry) {
	a, b := open(), open()
	w := Watch(t, b, "user")
	const n = 8
	done := make(chan error, n)
	var stay []string
	for i := range n {
		id := fmt.Sprint("u", i)
		if i%2 == 0 {
			stay = append(stay, id)
		}
		go func() {
			m := a.Join(Process(id, "user"))
			if i%2 == 0 {
				done <- nil
				return
			}
			done <- m.Leave(context.WithoutCancel(t.Context()))
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	w.Want(t, strings.Join(stay, " "))
}
