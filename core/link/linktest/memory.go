package linktest

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
)

// Memory is a network without a wire: it answers from a market's book. It serves
// tests of what stands on networks; it passes [Run] itself.
type Memory struct {
	name   string
	market *market.Market
	now    func() time.Time

	mu     sync.Mutex
	clicks map[string]market.Click // by URL
	mode   string
	ended  chan struct{} // closed when a mode ends
}

// NewMemory returns a network of that name over m.
func NewMemory(name string, m *market.Market, now func() time.Time) *Memory {
	return &Memory{name: name, market: m, now: now, clicks: map[string]market.Click{}, ended: make(chan struct{})}
}

// Fail makes every call fail in one of the modes, until it is called with "".
func (n *Memory) Fail(mode string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.ended)
	n.mode, n.ended = mode, make(chan struct{})
}

// Click returns what is behind a link that was made here.
func (n *Memory) Click(made link.Made) (market.Click, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, ok := n.clicks[made.URL]
	return c, ok
}

// failure returns the error of the present mode.
func (n *Memory) failure(ctx context.Context) error {
	n.mu.Lock()
	mode, ended := n.mode, n.ended
	n.mu.Unlock()
	switch mode {
	case "":
		return ctx.Err()
	case Stall:
		select {
		case <-ended:
			return fault.New(fault.Unavailable, "")
		case <-ctx.Done():
			return ctx.Err()
		}
	case Limited:
		return fault.New(fault.Limited, "")
	case Denied:
		return fault.New(fault.Denied, "")
	default:
		return fault.Newf(fault.Unavailable, "", "mode %s", mode)
	}
}

// Name returns the name given to NewMemory.
func (n *Memory) Name() string { return n.name }

// Offer finds goods by the id, code or link of ref. Activities and orders are
// kinds that it cannot open.
func (n *Memory) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	if err := n.failure(ctx); err != nil {
		return link.Offer{}, err
	}
	if ref.Kind == link.Activity || ref.Kind == link.Order {
		return link.Offer{}, fault.Newf(fault.Invalid, "", "cannot open a %s", ref.Kind)
	}
	for _, id := range []string{ref.ID, ref.Token, ref.URL} {
		if g, ok := n.market.Goods(id); ok && !g.Unlisted {
			o := n.offer(g)
			o.Source = ref
			return o, nil
		}
	}
	return link.Offer{}, fault.New(fault.NotFound, "")
}

func (n *Memory) offer(g market.Goods) link.Offer {
	gross := g.Final().Share(g.Rate)
	o := link.Offer{
		Network: n.name, Item: g.ID, Title: g.Title, Shop: g.Shop, Image: g.Image, Category: g.Category,
		Price: g.Price, Final: g.Final(), Rate: g.Rate, Commission: gross - gross.Share(n.market.Fee()), At: n.now(),
	}
	if g.Coupon > 0 {
		o.Coupon = link.CouponOffer{Amount: g.Coupon, Threshold: g.CouponFrom}
	}
	return o
}

// Link makes a link that Click knows.
func (n *Memory) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	if err := n.failure(ctx); err != nil {
		return link.Made{}, err
	}
	c := market.Click{Item: o.Item, Tag: m.Tag, Slot: m.Slot}
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", c) // writing to a hash never fails
	u := fmt.Sprintf("https://%s.test/%x", n.name, h.Sum64())
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clicks[u] = c
	return link.Made{URL: u}, nil
}

// Search finds goods whose title holds all words.
func (n *Memory) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	if err := n.failure(ctx); err != nil {
		return nil, err
	}
	var found []link.Offer
	for _, g := range n.market.Shelf() {
		missing := func(word string) bool { return !strings.Contains(g.Title, word) }
		if !g.Unlisted && !slices.ContainsFunc(strings.Fields(words), missing) {
			found = append(found, n.offer(g))
		}
	}
	from := min((page-1)*count, len(found))
	return slices.Clone(found[from:min(from+count, len(found))]), nil
}

var (
	_ link.Network  = (*Memory)(nil)
	_ link.Searcher = (*Memory)(nil)
)
