// Package link understands what people paste and makes links that carry their
// tag.
//
// It has two halves. [Recognise] reads a message and says which goods, codes
// and order numbers are in it; it does no I/O, runs in linear time and knows the
// forms of every network. [Desk] asks the network for the offer, freezes the
// promise that the shopper is shown, makes the tagged link and keeps it.
//
// # Guarantees
//
//   - A link is stored, with its tag and promise, before a shopper sees it, so an
//     order that comes back can always be explained.
//   - Where nobody can say what a link brings, it is made all the same, if there is
//     [Desk.Later]: its promise is frozen as what it is to be made from, so that it
//     comes out as if it had been made then.
//   - A tag belongs to exactly one link and is never used again.
//   - Two users who ask for the same item within [SlotHold] never share a slot
//     of the network's pool while there is a free one.
package link

import (
	"context"
	"time"

	"fanli/core/money"
)

// A Kind says what a piece of a message is.
type Kind string

// The kinds.
const (
	Item     Kind = "item"     // goods, by the network's id
	Short    Kind = "short"    // a short link that only the network can open
	Token    Kind = "token"    // a 口令
	Coupon   Kind = "coupon"   // a coupon page
	Click    Kind = "click"    // an affiliate link, ours or another promoter's
	Activity Kind = "activity" // a page without goods
	Order    Kind = "order"    // an order number
	Other    Kind = "other"    // a network's link of a form we do not know
)

// The networks whose forms Recognise knows.
const (
	Taobao = "taobao"
	JD     = "jd"
	PDD    = "pdd"
)

// A Ref is one thing that a message points at. Empty fields are not known.
type Ref struct {
	Network string `json:"network,omitempty"`
	Kind    Kind   `json:"kind,omitempty"`
	ID      string `json:"id,omitempty"`    // item id, short code or order number, as the network writes it
	Token   string `json:"token,omitempty"` // the body of a 口令, without decoration
	URL     string `json:"url,omitempty"`   // the link as it should be sent to the network
	Title   string `json:"title,omitempty"` // the title that the message gives, if any
}

// Key is equal for two refs that ask for the same thing.
func (r Ref) Key() string {
	id := r.ID
	if id == "" {
		id = r.Token
	}
	if id == "" {
		id = r.URL
	}
	return r.Network + "|" + string(r.Kind) + "|" + id
}

// Bare reports whether a ref is but a number, of which one cannot be sure: an order's,
// or that of goods without a link.
func (r Ref) Bare() bool {
	return r.Kind == Order || r.Kind == Item && r.URL == "" && r.Token == ""
}

// A CouponOffer is money off that a shopper can take before buying.
type CouponOffer struct {
	Amount    money.Fen // 0: there is none
	Threshold money.Fen // the price from which it counts
	Starts    time.Time // zero: not known
	Ends      time.Time // zero: not known
	Left      int64     // 0: not known
	URL       string    // as the network gave it, unchanged in any character
}

// An Offer is what a network says about goods now.
type Offer struct {
	Network    string
	Item       string // the network's id of the goods; JD's changes between calls
	SameItem   string // what stays equal between calls and in orders; "" means Item
	Title      string
	Shop       string
	Image      string // https URL
	Category   string
	Price      money.Fen // before the coupon
	Coupon     CouponOffer
	Final      money.Fen // after the coupon
	Rate       money.Bps // commission rate
	Commission money.Fen // what we expect from Final, after the network's own fee
	Source     Ref       // what was asked for
	Material   string    // what the network needs to make a link; opaque outside its adapter
	Caveats    []string  // stable keys of sentences: "offer.e_card_excluded"
	At         time.Time // when the network said so
}

// ItemKey is what two offers of the same goods share.
func (o Offer) ItemKey() string {
	if o.SameItem != "" {
		return o.SameItem
	}
	return o.Item
}

// A Mark is what goes onto a link so that an order can be recognised.
type Mark struct {
	Tag  string // [A-Za-z0-9_]{1,32}, unique for ever
	Slot string // one of the network's pool (pid, adzone, position); "" where it has none
}

// Made is an affiliate link as a network made it.
type Made struct {
	URL     string    // opens in a browser
	Token   string    // 口令 to copy into the shop's app; may be ""
	Expires time.Time // zero: never, or not known
}

// A Network is an affiliate network. Implementations live in adapters, one
// package each, and pass linktest.Run. Methods may be called concurrently and
// honour the deadline of their context.
type Network interface {
	// Name is short, lower case and never changes: it is stored with every
	// link and order.
	Name() string

	// Offer says what the network offers for ref now. It fails with
	// fault.NotFound if the goods are not in its programme (an answer, not a
	// failure), fault.Invalid if ref is of a kind it cannot open, and
	// fault.Limited or fault.Unavailable if asking again later may help.
	Offer(ctx context.Context, ref Ref) (Offer, error)

	// Link makes a link to o whose orders come back with m. Errors as Offer.
	Link(ctx context.Context, o Offer, m Mark) (Made, error)
}

// A Searcher is a network that finds goods by words.
type Searcher interface {
	// Search returns at most count offers for words, best first; none is not
	// an error. Pages count from 1.
	Search(ctx context.Context, words string, page, count int) ([]Offer, error)
}

// A Pooled network knows users by slots (pid, adzone) rather than by tags.
type Pooled interface {
	// Slots returns the pool, in a fixed order. It is not empty.
	Slots() []string
}

// A Promise is what the shopper was told, frozen on the link.
type Promise struct {
	Rules  int64     `json:"rules"`  // version of the rebate rules
	Share  money.Bps `json:"share"`  // the user's part of the commission
	Rebate money.Fen `json:"rebate"` // the estimate that was shown
	Terms  string    `json:"terms"`  // the frozen terms, opaque outside package rebate
}

// Late reports whether the promise is still to be made, by the rules that were in
// force when the link was: nobody could say what they are then.
func (p Promise) Late() bool { return p.Rules == 0 && p.Rebate == 0 && p.Terms != "" }

// A Link is an affiliate link made for one user.
type Link struct {
	ID      int64
	User    int64
	Network string
	Item    string // ItemKey of the offer
	Title   string
	Mark    Mark
	Made    Made
	Offer   Offer
	Promise Promise
	At      time.Time
}
