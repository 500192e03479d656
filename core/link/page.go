package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"fanli/core/fault"
)

// A Page is a place of a network without goods of its own: an activity, the hall of a
// sale.
type Page struct {
	Network string
	Name    string // what people call it
	Address string // its URL, or what its network calls it
}

// item stands for a page where links have goods. No network has an item of that form.
func (p Page) item() string {
	sum := sha256.Sum256([]byte(p.Address))
	return "page/" + hex.EncodeToString(sum[:8])
}

// A Promoter is a network that makes links to pages.
type Promoter interface {
	// Promote makes a link to a page whose orders, whatever they are of, come back with
	// m. It fails with fault.Invalid for what is no page of its own; errors else as
	// Network.Offer.
	Promote(ctx context.Context, p Page, m Mark) (Made, error)
}

// NoPages says that a network makes no links to pages.
const NoPages = "link.no_pages"

// Promote answers a page with a tagged link, stored before it is returned, as Make does.
// It promises nothing: what is bought there is known when the order comes, and brings
// what the rules say then. Only by a tag that order is recognised: where the link has a
// slot, nothing tells whose it is but a claim. It fails with fault.Invalid and NoPages
// where the network cannot; other errors as Make.
func (d *Desk) Promote(ctx context.Context, user int64, p Page) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	n, err := d.network(p.Network)
	if err != nil {
		return Link{}, err
	}
	if err := d.stopped(ctx, p.Network); err != nil {
		return Link{}, err
	}
	promoter, ok := n.(Promoter)
	if !ok {
		return Link{}, fault.New(fault.Invalid, NoPages)
	}
	q := Quote{Offer: Offer{
		Network: p.Network, Item: p.item(), Title: p.Name, Source: Ref{Network: p.Network, Kind: Activity, URL: p.Address}, At: d.Now(),
	}}
	return d.keep(ctx, n, user, q, func(ctx context.Context, m Mark) (Made, error) { return promoter.Promote(ctx, p, m) })
}
