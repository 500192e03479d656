package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/singleflight"

	"fanli/core/fault"
	"fanli/core/link"
)

// Network guards n.
func (g *Guard) Network(n link.Network) link.Network {
	guarded := &network{inner: n, gate: g.gate("links"), offers: newShelf(g)}
	s, searches := n.(link.Searcher)
	p, pools := n.(link.Pooled)
	switch {
	case searches && pools:
		return struct {
			*network
			search
			link.Pooled
		}{guarded, search{s, guarded.gate}, p}
	case searches:
		return struct {
			*network
			search
		}{guarded, search{s, guarded.gate}}
	case pools:
		return struct {
			*network
			link.Pooled
		}{guarded, p}
	default:
		return guarded
	}
}

// network is a guarded link.Network.
type network struct {
	inner  link.Network
	gate   *gate
	offers *shelf // nil: offers are not kept
	asking singleflight.Group
}

// StaleOffer is the caveat of an offer that is older than it should be, because the
// network does not answer.
const StaleOffer = "offer.stale"

// fresh reports whether an answer is as good as a new one.
func (n *network) fresh(k kept) bool {
	return n.offers == nil || k.miss != nil || n.gate.now().Before(k.until)
}

// old finds an offer that is better than nothing.
func (n *network) old(key string) (kept, bool) {
	k, ok := n.offers.near(key)
	return k, ok && k.miss == nil
}

// Name returns the network's name.
func (n *network) Name() string { return n.inner.Name() }

// Offer answers from the cache, or asks the network once for all who ask now.
func (n *network) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	key := ref.Key()
	if k, ok := n.offers.near(key); ok && (n.fresh(k) || n.spared()) {
		n.gate.count(func(s *Status) { s.Kept++ })
		return n.answer(k, ref)
	}
	// The call belongs to nobody: it keeps what the context carries, not its end.
	own := context.WithoutCancel(ctx)
	answer := n.asking.DoChan(key, func() (any, error) { return n.ask(own, ref, key) })
	select {
	case r := <-answer:
		if k, ok := n.old(key); ok && failed(r.Err) {
			return n.answer(k, ref)
		}
		if r.Err != nil {
			return link.Offer{}, r.Err
		}
		k, _ := r.Val.(kept)
		return n.answer(k, ref)
	case <-ctx.Done():
		if k, ok := n.old(key); ok && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return n.answer(k, ref)
		}
		return link.Offer{}, fault.Wrap(fault.Unavailable, "guard", ctx.Err())
	}
}

// spared reports whether the network is not to be asked for what is kept. Whether it
// is back somebody has to find out.
func (n *network) spared() bool {
	kept := n.gate.o.Load().Kept
	return kept != nil && n.gate.breaker.State() != gobreaker.StateHalfOpen && kept(n.Name())
}

// ask calls the network and keeps what it says. The goroutine is ours, so a panic
// of the adapter would end the process: it becomes an error here.
func (n *network) ask(ctx context.Context, ref link.Ref, key string) (k kept, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, "guard", fmt.Errorf("panic: %v", p))
		}
	}()
	if k, ok := n.offers.near(key); ok && n.fresh(k) { // a call for the same ended just before ours began
		return k, nil
	}
	if k, ok := n.offers.far(ctx, key); ok && (n.fresh(k) || n.spared()) {
		n.gate.count(func(s *Status) { s.Kept++ })
		return k, nil
	}
	k.offer, err = through(ctx, n.gate, func(ctx context.Context) (link.Offer, error) { return n.inner.Offer(ctx, ref) })
	if fault.Is(err, fault.NotFound) {
		k.miss, err = err, nil
	}
	if err == nil {
		k = n.offers.keep(ctx, key, k)
	}
	return k, err
}

// answer is what k says to somebody who asked with ref. Refs with equal keys may
// differ in what else they carry.
func (n *network) answer(k kept, ref link.Ref) (link.Offer, error) {
	if k.miss != nil {
		return link.Offer{}, k.miss
	}
	o := k.offer
	o.Source, o.Caveats = ref, slices.Clone(o.Caveats)
	if !n.fresh(k) {
		o.Caveats = append(o.Caveats, StaleOffer)
	}
	return o, nil
}

// Link passes through the gate. The same mark makes an equal link, so it may be
// repeated.
func (n *network) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	return through(ctx, n.gate, func(ctx context.Context) (link.Made, error) { return n.inner.Link(ctx, o, m) })
}

// Promote passes through the gate, where the network makes links to pages.
func (n *network) Promote(ctx context.Context, p link.Page, m link.Mark) (link.Made, error) {
	promoter, ok := n.inner.(link.Promoter)
	if !ok {
		return link.Made{}, fault.New(fault.Invalid, link.NoPages)
	}
	return through(ctx, n.gate, func(ctx context.Context) (link.Made, error) { return promoter.Promote(ctx, p, m) })
}

// search is a guarded link.Searcher.
type search struct {
	inner link.Searcher
	gate  *gate
}

// Search passes through the gate.
func (s search) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	return through(ctx, s.gate, func(ctx context.Context) ([]link.Offer, error) {
		return s.inner.Search(ctx, words, page, count)
	})
}

var (
	_ link.Network  = (*network)(nil)
	_ link.Promoter = (*network)(nil)
	_ link.Searcher = search{}
)
