// Package landing is the page behind a link that a chat network does not open.
//
// Inside WeChat the shops of other companies are blocked, so a link to them leads
// nowhere there. Our page is not blocked: it shows the goods, lets a person copy
// the shop's 口令 (or the link, where there is none), shows a code that the shop's
// app scans from another screen, and opens the shop where that works.
//
// # Guarantees
//
//   - The address is short, is signed, ends, and says nothing of what it names:
//     neither how many links there are nor whose this one is. All that is wrong
//     with an address looks alike.
//   - The page says what everybody may read: goods, price and coupon. It names no
//     person and no rebate, because people pass such pages on.
//   - Whoever buys through it buys with the link as it was made; nothing of it is
//     changed, and nothing is counted in between.
//   - It loads its goods' picture and nothing else from elsewhere, cannot be
//     framed, and works without a script, but for the button that copies.
package landing

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
)

// Path begins the path of every page.
const Path = "/l/"

// ttlMax is the longest that an address may last; what a network offers does not
// last longer.
const ttlMax = 30 * 24 * time.Hour

// A Lookup finds links.
type Lookup interface {
	// Link returns a link; it fails with fault.NotFound for one that there is not.
	Link(ctx context.Context, id int64) (link.Link, error)
}

// Options are what a Page needs.
type Options struct {
	Key     []byte        // makes addresses; 32 bytes at least, for this and nothing else
	Base    string        // what stands before Path in addresses: "https://fanli.example"
	TTL     time.Duration // how long an address lasts; at most 30 days, and not longer than the link
	Blocked []string      // networks whose links do not open inside WeChat
	Lookup  Lookup
	Now     func() time.Time
	Zone    *time.Location // of the times that people read
	Log     *slog.Logger
}

// A Page serves the pages and makes their addresses. It is safe for concurrent use.
type Page struct {
	o     Options
	names *names
}

// keyLenMin is the least length of a key, in bytes.
const keyLenMin = 32

// New returns a Page. It fails with fault.Invalid if an option is missing or wrong.
func New(o Options) (*Page, error) {
	if len(o.Key) < keyLenMin || o.Lookup == nil || o.Now == nil || o.Zone == nil || o.Log == nil {
		return nil, fault.Wrap(fault.Invalid, "landing.New", errors.New("an option is missing"))
	}
	if o.TTL < time.Hour || o.TTL > ttlMax {
		return nil, fault.Wrap(fault.Invalid, "landing.New", errors.New("addresses last an hour at least and 30 days at most"))
	}
	if u, err := url.Parse(o.Base); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.Wrap(fault.Invalid, "landing.New", errors.New("the base is no address of a web page"))
	}
	n, err := newNames(o.Key)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "landing.New", err)
	}
	o.Base = strings.TrimRight(o.Base, "/")
	return &Page{o, n}, nil
}

// URL returns the address of a link's page; "" for a link that has ended, or that
// was never stored.
func (p *Page) URL(l link.Link) string {
	now := p.o.Now()
	until := now.Add(p.o.TTL)
	if e := l.Made.Expires; !e.IsZero() && e.Before(until) {
		until = e
	}
	if l.ID <= 0 || !until.After(now) {
		return ""
	}
	return p.o.Base + Path + p.names.name(l.ID, until)
}

// blocked reports whether a network's links do not open inside WeChat.
func (p *Page) blocked(network string) bool { return slices.Contains(p.o.Blocked, network) }
