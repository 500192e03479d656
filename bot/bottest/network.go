package bottest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/order"
)

// A network is an affiliate network over a book of its own. It can be told to
// fail.
type network struct {
	name   string
	book   *market.Market
	clock  *Clock
	opaque bool // links carry no tag: orders are recognised by slot and item

	mu   sync.Mutex
	fail error
}

var (
	_ link.Network  = (*network)(nil)
	_ link.Searcher = (*network)(nil)
	_ link.Promoter = (*network)(nil)
	_ link.Pooled   = (*slotted)(nil)
)

// slotted is a network that knows users by slots alone.
type slotted struct{ *network }

// Slots is a pool of one, so that evidence is all that tells people apart.
func (slotted) Slots() []string { return []string{"p1"} }

// Name is the network's.
func (n *network) Name() string { return n.name }

// Fail makes the network fail until it is called with nil.
func (n *network) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = err
}

func (n *network) failing() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fail
}

// Offer finds goods by id, 口令 or link.
func (n *network) Offer(_ context.Context, ref link.Ref) (link.Offer, error) {
	if err := n.failing(); err != nil {
		return link.Offer{}, err
	}
	if ref.Kind == link.Activity || ref.Kind == link.Order || ref.Kind == link.Other {
		return link.Offer{}, fault.New(fault.Invalid, "")
	}
	for _, id := range []string{ref.ID, ref.Token, ref.URL} {
		if g, ok := n.book.Goods(id); ok && id != "" && !g.Unlisted {
			return n.offer(g, ref), nil
		}
	}
	return link.Offer{}, fault.New(fault.NotFound, "")
}

func (n *network) offer(g market.Goods, ref link.Ref) link.Offer {
	o := link.Offer{
		Network: n.name, Item: g.ID, Title: g.Title, Shop: g.Shop, Image: g.Image, Category: g.Category,
		Price: g.Price, Final: g.Final(), Rate: g.Rate, Source: ref, At: n.clock.Now(),
	}
	gross := o.Final.Share(g.Rate)
	o.Commission = gross - gross.Share(n.book.Fee())
	if g.Coupon > 0 {
		o.Coupon = link.CouponOffer{Amount: g.Coupon, Threshold: g.CouponFrom, Ends: time.Date(2026, 3, 31, 15, 59, 59, 0, time.UTC)}
	}
	return o
}

// Link makes the same link for everybody: its mark is the feed's to remember.
func (n *network) Link(_ context.Context, o link.Offer, _ link.Mark) (link.Made, error) {
	if err := n.failing(); err != nil {
		return link.Made{}, err
	}
	made := link.Made{URL: "https://" + n.name + ".example/" + o.Item}
	if n.name == link.Taobao {
		made.Token = "￥fanli" + o.Item[len(o.Item)-6:] + "￥"
	}
	return made, nil
}

// Promote makes a link to a page; one that is called "gone" is none.
func (n *network) Promote(_ context.Context, p link.Page, _ link.Mark) (link.Made, error) {
	if err := n.failing(); err != nil {
		return link.Made{}, err
	}
	if p.Address == "gone" {
		return link.Made{}, fault.New(fault.Invalid, "")
	}
	return link.Made{URL: "https://" + n.name + ".example/" + p.Address}, nil
}

// Search finds goods whose title has all words.
func (n *network) Search(_ context.Context, words string, page, count int) ([]link.Offer, error) {
	if err := n.failing(); err != nil {
		return nil, err
	}
	var out []link.Offer
	for _, g := range n.book.Shelf() {
		missing := func(word string) bool { return !strings.Contains(g.Title, word) }
		if !g.Unlisted && !slices.ContainsFunc(strings.Fields(words), missing) {
			out = append(out, n.offer(g, link.Ref{Network: n.name, Kind: link.Item, ID: g.ID, Title: g.Title}))
		}
	}
	from := min((page-1)*count, len(out))
	return out[from:min(from+count, len(out))], nil
}

// settlesAfter is when a received line counts as settled.
const settlesAfter = 20 * 24 * time.Hour

// revision is how a feed describes a line of the book.
func (n *network) revision(l market.Line) order.Revision {
	r := order.Revision{
		Key: order.Key{Network: n.name, Account: "main", ID: l.ID}, Aspect: order.Whole,
		Order: l.Order, Item: l.Goods.ID, Title: l.Goods.Title, Shop: l.Goods.Shop, Category: l.Goods.Category,
		Quantity: l.Quantity, Price: l.Price, Refunded: l.Refunded, Estimated: l.Commission,
		Tag: l.Click.Tag, Slot: l.Click.Slot, Created: l.Created, PaidAt: l.PaidAt,
		ReceivedAt: l.ReceivedAt, SettledAt: l.SettledAt, Modified: l.Modified,
	}
	if n.opaque {
		r.Tag = ""
	}
	if l.Click.Buyer != "" {
		r.Tag = "member/" + l.Click.Buyer
	}
	switch l.State {
	case market.Created:
		r.State = order.Unpaid
	case market.Paid:
		r.State = order.Paid
	case market.Received:
		r.State, r.SettlesOn = order.Received, l.ReceivedAt.Add(settlesAfter)
	case market.Settled:
		r.State, r.ActualKnown, r.Actual = order.Settled, true, l.Commission
	case market.Invalid, market.Replaced:
		r.State, r.Why = order.Invalid, "order."+l.Why
	}
	return r
}
