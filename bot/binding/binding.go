// Package binding is the page on which people bind the account that they have at a shop:
// they allow it at the shop, and from then on the shop's orders name them.
//
// # Guarantees
//
//   - The page is reached by an address that a person gets in their chat. It is signed,
//     is about that person and nobody else, ends, and binds once. All that is wrong with
//     an address looks alike.
//   - Looking at the page changes nothing, so that chats may preview it.
//   - What the shop sends people back with counts only with the state that was sent
//     along, which is compared in constant time and is used up before the shop is asked:
//     the same answer again, or one that somebody else has made up, binds nothing.
//   - No code, token or state goes into a log, a referrer or a page.
//   - An account that is somebody else's stays theirs, and the page does not say whose.
//
// # Limits
//
// Whoever is sent somebody else's address and allows it at the shop binds their account
// to that other person: the page says so before, the address ends soon, and staff can
// decide about orders that went astray.
package binding

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

// Path begins the path of every page, and BackPath is where the shop sends people back.
const (
	Path     = "/bind/taobao/"
	BackPath = Path + "back"
)

// A Shop knows who people are, if they allow it.
type Shop interface {
	// AuthorizeURL is the shop's page on which they do. It sends them to back, with a
	// code and with state.
	AuthorizeURL(back, state string) string
	// Member returns the tag under which orders name who has come back with a code. It
	// fails with fault.Invalid if the code is not good any more.
	Member(ctx context.Context, code string) (tag string, err error)
}

// A Book keeps whose accounts are.
type Book interface {
	SpendTicket(ctx context.Context, ticket string, until time.Time) error
	BindMember(ctx context.Context, network, tag string, user int64) (order.Member, error)
}

// Options are what a Page needs.
type Options struct {
	Key     []byte        // signs addresses; 32 bytes at least, for this and nothing else
	Base    string        // what stands before Path in addresses: "https://fanli.example"
	TTL     time.Duration // how long an address lasts; an hour at most
	Network string        // the shop's, as order rows have it
	Shop    Shop
	Book    Book
	Now     func() time.Time
	Log     *slog.Logger
}

// A Page serves the pages and makes their addresses. It is safe for concurrent use.
type Page struct{ o Options }

// keyLenMin is the least length of a key, in bytes.
const keyLenMin = 32

// New returns a Page. It fails with fault.Invalid if an option is missing or wrong.
func New(o Options) (*Page, error) {
	bad := func(why string) (*Page, error) { return nil, fault.Wrap(fault.Invalid, "binding.New", errors.New(why)) }
	if len(o.Key) < keyLenMin || o.Network == "" || o.Shop == nil || o.Book == nil || o.Now == nil || o.Log == nil {
		return bad("an option is missing")
	}
	if o.TTL < time.Minute || o.TTL > time.Hour {
		return bad("addresses last a minute at least and an hour at most")
	}
	if u, err := url.Parse(o.Base); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return bad("the base is no address of a web page")
	}
	o.Base = strings.TrimRight(o.Base, "/")
	return &Page{o}, nil
}

// URL returns an address at which user can bind an account, once, and until when. Each
// call makes another one.
func (p *Page) URL(user int64) (address string, until time.Time) {
	t := newTicket(user, p.o.Now().Add(p.o.TTL).Truncate(time.Second))
	return p.o.Base + Path + t.sign(p.o.Key, purposePage), t.until
}
