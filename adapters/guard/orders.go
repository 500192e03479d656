package guard

import (
	"context"
	"time"

	"fanli/core/order"
)

// Feed guards f.
func (g *Guard) Feed(f order.Feed) order.Feed { return &feed{inner: f, gate: g.gate("orders")} }

// feed is a guarded order.Feed.
type feed struct {
	inner order.Feed
	gate  *gate
}

// Network returns the network's name.
func (f *feed) Network() string { return f.inner.Network() }

// Account returns our name for the account.
func (f *feed) Account() string { return f.inner.Account() }

// Scenes returns the feed's streams.
func (f *feed) Scenes() []order.Scene { return f.inner.Scenes() }

// Settled returns what has to be read to see what was settled: nothing where the
// feed behind cannot be asked.
func (f *feed) Settled(from, to, now time.Time) []order.Stretch {
	if s, ok := f.inner.(order.Settler); ok {
		return s.Settled(from, to, now)
	}
	return nil
}

// Pull passes through the gate; a page may be read again.
func (f *feed) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	return through(ctx, f.gate, func(ctx context.Context) (order.Page, error) { return f.inner.Pull(ctx, w, cursor) })
}

var _ order.Settler = (*feed)(nil)
