package main

import (
	"context"

	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/order"
)

// What the app calls outside lies behind fault points: before each call, and
// after it where it leaves something outside.

// hookedNet is a network behind fault points.
type hookedNet struct {
	*linktest.Memory
	w *little
}

func (n *hookedNet) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	if err := n.w.point(n.Name() + ".offer"); err != nil {
		return link.Offer{}, err
	}
	return n.Memory.Offer(ctx, ref)
}

func (n *hookedNet) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	if err := n.w.point(n.Name() + ".link"); err != nil {
		return link.Made{}, err
	}
	made, err := n.Memory.Link(ctx, o, m)
	if err == nil {
		err = n.w.point(n.Name() + ".linked")
	}
	return made, err
}

// hookedFeed is a feed behind fault points.
type hookedFeed struct {
	order.Feed
	w *little
}

func (f hookedFeed) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	if err := f.w.point(f.Network() + ".pull"); err != nil {
		return order.Page{}, err
	}
	return f.Feed.Pull(ctx, w, cursor)
}
