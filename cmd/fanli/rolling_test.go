package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/adapters/bus/brokertest"
	etcd "fanli/adapters/registry"
	"fanli/adapters/registry/etcdtest"
	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/registry"
)

// A fleet is two processes of every target. They know nothing of each other but a
// registry, and each life of one is somewhere else.
type fleet struct {
	t        *testing.T
	out      *outside
	etcd     *etcdtest.Server
	prefix   string // of its keys
	registry *etcd.Etcd
	ships    []*ship
	books    *books
}

// A ship is one process of a fleet.
type ship struct {
	name, target string
	env, args    []string
	p            *process
}

// newFleet starts one, with more in the environment of each process.
func newFleet(t *testing.T, name string, more ...string) *fleet {
	t.Helper()
	dir, broker, server, s := memoryDir(t), brokertest.RabbitMQ(t), mariadbtest.Shared(t), etcdtest.New(t)
	f := &fleet{t: t, out: newOutside(t), etcd: s, prefix: s.Prefix(t)}
	env, args := f.out.settings(t, dir)
	key, dsn, prefix := []byte(strings.Repeat("k", sealKeyLen)), databasesOf(t, server, name), f.prefix
	env = append(env, "FANLI_DATABASE_DSN="+dsn, "FANLI_DATABASE_SEAL_KEY="+hex.EncodeToString(key),
		"FANLI_PEERS_TOKEN=a token that only this fleet knows", "FANLI_BROKER_URL="+broker.URL(), "FANLI_BROKER_PREFIX="+name,
		"FANLI_REGISTRY_URL="+s.URL(), "FANLI_REGISTRY_PREFIX="+prefix, "FANLI_PEERS_DRAIN=700ms")
	env = append(env, more...)
	var err error
	if f.registry, err = etcd.New(etcd.Config{URL: s.URL(), Prefix: prefix}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.registry.Close() })
	var starting errgroup.Group
	for _, target := range targets() {
		for i := range 2 {
			p := &ship{name: fmt.Sprintf("%s-%d", target.name, i+1), target: target.name}
			p.env = append(slices.Clone(env), "FANLI_TARGETS="+target.name, "FANLI_LISTEN=127.0.0.1:0", "FANLI_PEERS_LISTEN=127.0.0.1:0")
			p.args = []string{"serve", "--config", args[1], "--data", filepath.Join(dir, p.name)}
			f.ships = append(f.ships, p)
			starting.Go(func() error { return f.start(p) })
		}
	}
	if err := starting.Wait(); err != nil {
		t.Fatal(err)
	}
	db, err := openApart(t.Context(), store.Config{DSN: dsn, SealKey: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f.books = &books{db: db, env: env, args: args}
	return f
}

// start starts a process and waits until the registry knows that it serves.
func (f *fleet) start(s *ship) error {
	s.p = launch(f.t, s.env, s.args...)
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	base, err := s.p.ready(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	entered, enter := context.WithCancel(ctx)
	f.registry.Watch(entered, s.target, func(ps []registry.Process) {
		if slices.ContainsFunc(ps, func(p registry.Process) bool { return p.HTTP == base && !p.Draining }) {
			enter()
		}
	})
	enter()
	if ctx.Err() != nil {
		return fmt.Errorf("%s is not in the registry", s.name)
	}
	return nil
}

// A front is what stands before the gateways: it hands requests to those that are
// there.
type front struct {
	mu       sync.Mutex
	gateways []string
	turn     int
}

// watch keeps up with the gateways until ctx ends.
func (f *front) watch(ctx context.Context, r registry.Registry) {
	r.Watch(ctx, gatewayTarget, func(ps []registry.Process) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.gateways = nil
		for _, p := range registry.Live(ps) {
			f.gateways = append(f.gateways, p.HTTP)
		}
	})
}

// where is a gateway.
func (f *front) where(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.gateways) == 0 {
		return "", errors.New("there is no gateway")
	}
	f.turn++
	return f.gateways[f.turn%len(f.gateways)], nil
}

// A witness stands between people and gateways and notes the requests that fail. It
// ends streams after a while, so that who waits looks at another process as well.
type witness struct {
	next  http.RoundTripper
	asked atomic.Int64

	mu     sync.Mutex
	failed []string
}

const streamMax = 300 * time.Millisecond

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked.Add(1)
	resp, err := w.next.RoundTrip(r)
	switch {
	case err != nil && r.Context().Err() == nil:
		w.fail(fmt.Sprintf("%s %s: %v", r.Method, r.URL, err))
	case err == nil && resp.StatusCode >= http.StatusInternalServerError:
		w.fail(fmt.Sprintf("%s %s: %s", r.Method, r.URL, resp.Status))
	case err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream"):
		time.AfterFunc(streamMax, func() { _ = resp.Body.Close() })
	}
	return resp, err
}

func (w *witness) fail(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, fmt.Sprint(time.Now().Format("15:04:05.000 "), what))
}

// look gets pages of bot and of payment until ctx ends.
func (f *front) look(ctx context.Context, c *http.Client) error {
	for ctx.Err() == nil {
		for _, path := range []string{"/", "/pay/nothing"} {
			base, err := f.where(ctx)
			if err != nil {
				return err
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
			if err != nil {
				return err
			}
			resp, err := c.Do(r)
			if err != nil {
				continue // the witness has seen it
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		time.Sleep(5 * time.Millisecond) // this machine has others to serve
	}
	return nil
}

// TestARollingUpdateIsNotNoticed restarts every process of a fleet, one after the
// other, and kills the etcd, while people shop through two gateways: no request fails,
// every message is answered once, and the books are right.
func TestARollingUpdateIsNotNoticed(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	f := newFleet(t, "rolling")
	defer func() {
		for _, s := range f.ships {
			if text := s.p.log.String(); text != "" && t.Failed() {
				t.Logf("%s:\n%s", s.name, text)
			}
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &witness{next: &http.Transport{DisableKeepAlives: true}}
	gate := &front{}
	var load, others errgroup.Group
	others.Go(func() error { gate.watch(ctx, f.registry); return nil })
	for _, err := gate.where(ctx); err != nil; _, err = gate.where(ctx) {
		time.Sleep(time.Millisecond) // the registry has them: start has seen that
	}
	others.Go(func() error { return gate.look(ctx, &http.Client{Transport: w}) })
	stop := make(chan struct{})
	var people []*shopper
	for i := range 3 {
		s := &shopper{
			caller: newCaller(gate.where), name: fmt.Sprint(i), rng: rand.New(rand.NewPCG(1, uint64(10+i))), out: f.out,
			bought: map[string][]string{}, stop: stop,
		}
		s.http = &http.Client{Transport: w}
		people = append(people, s)
		load.Go(func() error { return s.live(ctx) })
	}
	from := time.Now()
	for _, s := range f.ships {
		if code, took := s.p.stop(t); code != exitOK || took > stopLimit {
			t.Errorf("%s stops with %d after %v\n%s", s.name, code, took, s.p.log)
		}
		if err := f.start(s); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(from)
	f.etcd.Kill(t) // and nobody misses it
	for n := w.asked.Load() + 300; w.asked.Load() < n; {
		time.Sleep(time.Millisecond)
	}
	f.etcd.Start(t)
	close(stop)
	if err := load.Wait(); err != nil {
		t.Fatal(err)
	}
	f.books.settled(t, f.out)
	wantAnswered(t, people)
	cancel()
	if err := others.Wait(); err != nil {
		t.Error(err)
	}
	for _, what := range w.failed {
		t.Error("a request failed: ", what)
	}
	t.Logf("%d processes were restarted in %v, under %d requests", len(f.ships), took.Round(time.Millisecond), w.asked.Load())
	f.books.wantTrue(t, f.out, people)
	if code := runProgram(t, f.books.env, append([]string{"audit"}, f.books.args...)...); code != exitOK {
		t.Errorf("fanli audit ends with %d", code)
	}
}
