package feedtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order"
)

// memoryRows is the page size of a [Memory].
const memoryRows = 50

// memoryWindow is the longest window of a [Memory], and memoryKeeps how far back
// it answers.
const (
	memoryWindow = 3 * time.Hour
	memoryKeeps  = 90 * 24 * time.Hour
)

// Memory is a feed without a wire: it tells a market's book, line by line in the
// order of change. It serves tests of what stands on feeds; it passes [Run]
// itself.
type Memory struct {
	network, account string
	market           *market.Market

	mu     sync.Mutex
	mode   string
	ended  chan struct{} // closed when a mode ends
	broken bool
}

// NewMemory returns the feed of an account over m.
func NewMemory(network, account string, m *market.Market) *Memory {
	return &Memory{network: network, account: account, market: m, ended: make(chan struct{})}
}

// Fail makes every call fail in one of the modes, until it is called with "".
func (f *Memory) Fail(mode string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.ended)
	f.mode, f.ended = mode, make(chan struct{})
}

// Break adds a bad row to the next page.
func (f *Memory) Break() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = true
}

// failure returns the error of the present mode.
func (f *Memory) failure(ctx context.Context) error {
	f.mu.Lock()
	mode, ended := f.mode, f.ended
	f.mu.Unlock()
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

// Network returns the name given to NewMemory.
func (f *Memory) Network() string { return f.network }

// Account returns the account given to NewMemory.
func (f *Memory) Account() string { return f.account }

// Scenes returns one stream, of changes.
func (f *Memory) Scenes() []order.Scene {
	return []order.Scene{{Name: "changes", Window: memoryWindow, Keeps: memoryKeeps, Mends: true}}
}

// Settled returns all changes from the beginning on.
func (f *Memory) Settled(from, _, now time.Time) []order.Stretch {
	return []order.Stretch{{Scene: f.Scenes()[0], From: from, To: now}}
}

// Pull returns one page. The cursor is the last line's place in the book, which
// no later change moves, so nothing is missed.
func (f *Memory) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	if err := f.failure(ctx); err != nil {
		return order.Page{}, err
	}
	if w.Scene != "changes" {
		return order.Page{}, fault.Newf(fault.Invalid, "", "scene %q", w.Scene)
	}
	if w.To.Sub(w.From) > memoryWindow {
		return order.Page{}, fault.New(fault.Invalid, "feed.window_too_long")
	}
	var after int64
	if cursor != "" {
		if _, err := fmt.Sscan(cursor, &after); err != nil {
			return order.Page{}, fault.Wrap(fault.Invalid, "feedtest.Memory", err)
		}
	}
	lines := f.market.Lines(func(l market.Line) bool {
		at := l.Modified.Truncate(time.Second)
		return l.Seq > after && !at.Before(w.From) && at.Before(w.To)
	})
	slices.SortFunc(lines, func(a, b market.Line) int { return int(a.Seq - b.Seq) })
	var p order.Page
	for _, l := range lines[:min(memoryRows, len(lines))] {
		p.Revisions = append(p.Revisions, f.revision(l))
		p.Next = fmt.Sprint(l.Seq)
	}
	if len(lines) <= memoryRows {
		p.Next = ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		f.broken = false
		p.Bad = []order.Bad{{Key: order.Key{Network: f.network, Account: f.account}, Raw: []byte("?"), Err: fault.New(fault.Invalid, "")}}
	}
	return p, nil
}

func (f *Memory) revision(l market.Line) order.Revision {
	second := func(t time.Time) time.Time { return t.Truncate(time.Second) }
	r := order.Revision{
		Key:    order.Key{Network: f.network, Account: f.account, ID: l.ID},
		Aspect: order.Whole, Order: l.Order, Parent: l.Parent, Item: l.Goods.ID, Title: l.Goods.Title, Shop: l.Goods.Shop,
		Image: l.Goods.Image, Category: l.Goods.Category, Quantity: l.Quantity,
		Price: l.Price, Refunded: l.Refunded, Estimated: l.Commission, Tag: l.Click.Tag, Slot: l.Click.Slot,
		Created: second(l.Created), PaidAt: second(l.PaidAt), ReceivedAt: second(l.ReceivedAt), SettledAt: second(l.SettledAt),
		Modified: second(l.Modified), Raw: []byte(fmt.Sprintf("%s %s %d", l.Order, l.ID, l.Seq)),
	}
	switch l.State {
	case market.Created:
		r.State = order.Unpaid
	case market.Paid:
		r.State = order.Paid
	case market.Received:
		r.State = order.Received
	case market.Settled:
		r.State, r.Actual, r.ActualKnown = order.Settled, l.Commission, true
	case market.Replaced:
		r.State, r.Why = order.Invalid, order.WhySplit
	case market.Invalid:
		r.State, r.Why = order.Invalid, "order."+strings.ToLower(l.Why)
	}
	return r
}

var _ order.Feed = (*Memory)(nil)
