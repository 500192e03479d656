package rpc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"

	"fanli/core/registry"
)

// foundScheme begins the address of a target that a registry knows.
const foundScheme = "registry"

// knownMax is how long the first answer of a registry may take. Until then calls
// wait; then they fail, until it answers.
const knownMax = 2 * time.Second

var errUnknown = errors.New("the registry has not said who runs it")

// Found returns an address, for Dial, of a target that a registry knows, and the
// option that Dial needs for it. Those who are about to leave are asked only if
// there is nobody else. first is where the target is until the registry has
// answered; it may be empty.
func Found(r registry.Registry, target string, first []string) (to string, o grpc.DialOption) {
	return foundScheme + ":///" + target, grpc.WithResolvers(&finder{r, target, first})
}

// A finder finds the processes of one target.
type finder struct {
	registry registry.Registry
	target   string
	first    []string
}

// Scheme implements resolver.Builder.
func (*finder) Scheme() string { return foundScheme }

// Build implements resolver.Builder.
func (f *finder) Build(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{cancel: cancel}
	w.work.Go(func() { f.watch(ctx, cc) })
	return w, nil
}

// watch tells gRPC who there is, until ctx ends.
func (f *finder) watch(ctx context.Context, cc resolver.ClientConn) {
	var mu sync.Mutex
	known := len(f.first) > 0
	if known {
		_ = cc.UpdateState(state(f.first)) // what it says is what calls fail with
	}
	late := time.AfterFunc(knownMax, func() {
		mu.Lock()
		defer mu.Unlock()
		if !known {
			cc.ReportError(errUnknown)
		}
	})
	defer late.Stop()
	f.registry.Watch(ctx, f.target, func(ps []registry.Process) {
		mu.Lock()
		defer mu.Unlock()
		if len(ps) == 0 && len(f.first) > 0 { // those may not have joined
			return
		}
		known = true
		_ = cc.UpdateState(state(addresses(ps)))
	})
}

// addresses are those of the processes that should be asked, each once: a process
// that came back is where the one was that left.
func addresses(ps []registry.Process) (out []string) {
	for _, p := range registry.Live(ps) {
		if p.GRPC != "" {
			out = append(out, strings.TrimSpace(p.GRPC))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func state(addresses []string) (s resolver.State) {
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}})
	}
	return s
}

// watching is one watch.
type watching struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// ResolveNow implements resolver.Resolver. There is nothing to ask: whoever watches
// knows.
func (*watching) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver.
func (w *watching) Close() {
	w.cancel()
	w.work.Wait()
}
