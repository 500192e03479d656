package link

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"fanli/core/cache"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
)

// SlotHold is how long a slot of a network's pool belongs to the first user who
// asked for an item through it. Networks look back about that long for the
// click that earned an order.
const SlotHold = 10 * 24 * time.Hour

// linkFresh is how long the same user who asks for the same item at the same
// terms gets the link that is there already.
const linkFresh = 30 * time.Minute

// slotTriesMax bounds how often a slot is chosen anew when another user takes
// it between choosing and storing. The network is asked in between, and a group
// may ask for the same goods at once.
const slotTriesMax = 5

// A Store keeps links. Implementations pass storetest.Links.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Recent returns the user's newest link for an item since a time, or
	// fault.NotFound.
	Recent(ctx context.Context, user int64, network, item string, since time.Time) (Link, error)
	// Link returns a link, or fault.NotFound.
	Link(ctx context.Context, id int64) (Link, error)
}

// A Tx is what a transaction on links can do.
type Tx interface {
	event.Emitter
	// SlotUsers says who used which slot for an item since a time, latest use
	// of each slot last.
	SlotUsers(network, item string, since time.Time) ([]SlotUse, error)
	// Insert stores a link and returns its id; fault.Conflict for a known tag.
	Insert(l Link) (int64, error)
}

// A SlotUse is one use of a slot.
type SlotUse struct {
	Slot string
	User int64
	At   time.Time
}

// A Promiser says what a user will get for an offer.
type Promiser interface {
	Promise(ctx context.Context, user int64, o Offer) (Promise, error)
}

// A Quote is an offer with what the user would get.
type Quote struct {
	Offer   Offer
	Promise Promise
}

// LinkMade is the content of link.made: what the order target needs to find out
// whose an order is.
type LinkMade struct {
	Link    int64     `json:"link"`
	User    int64     `json:"user"`
	Network string    `json:"network"`
	Item    string    `json:"item"`
	Tag     string    `json:"tag"`
	Slot    string    `json:"slot,omitempty"`
	Promise Promise   `json:"promise"`
	At      time.Time `json:"at"`
}

// A Desk answers what shoppers paste. It is safe for concurrent use.
type Desk struct {
	Networks []Network
	Promises Promiser
	Store    Store
	Now      func() time.Time
	Deadline time.Duration // for one answer; a stalled network does not stall longer; see Change
	// Stopped fails where staff has stopped a network; optional.
	Stopped func(ctx context.Context, network string) error
	// DealWords are what deals are looked for with; optional: without them there are
	// only those of words that people send.
	DealWords []string
	// Shared is where other processes find the deals, too; optional.
	Shared cache.Cache
	// Later returns what a promise is made from once Promises can be asked again;
	// optional: without it there is no link as long as Promises is not available.
	Later func(ctx context.Context, user int64, o Offer) (Promise, error)

	changed atomic.Int64
	words   atomic.Pointer[[]string]
	deals   dealShelf
}

// Change makes deadline count from now on. It may be called while the desk is at
// work.
func (d *Desk) Change(deadline time.Duration) { d.changed.Store(int64(deadline)) }

// ChangeDeals makes words count as DealWords for lists that are made from now on. It may
// be called while the desk is at work.
func (d *Desk) ChangeDeals(words []string) { d.words.Store(&words) }

// dealWords are those that count now.
func (d *Desk) dealWords() []string {
	if w := d.words.Load(); w != nil {
		return *w
	}
	return d.DealWords
}

// deadline is the one that counts now.
func (d *Desk) deadline() time.Duration {
	if n := d.changed.Load(); n > 0 {
		return time.Duration(n)
	}
	return d.Deadline
}

// promise says what user would get for o, or that it will be said later.
func (d *Desk) promise(ctx context.Context, user int64, o Offer) (Promise, error) {
	p, err := d.Promises.Promise(ctx, user, o)
	if d.Later == nil || !fault.Is(err, fault.Unavailable) {
		return p, err
	}
	return d.Later(ctx, user, o)
}

// stopped fails where staff has stopped a network.
func (d *Desk) stopped(ctx context.Context, network string) error {
	if d.Stopped == nil {
		return nil
	}
	return d.Stopped(ctx, network)
}

// network returns the one called name, or fault.NotFound.
func (d *Desk) network(name string) (Network, error) {
	for _, n := range d.Networks {
		if n.Name() == name {
			return n, nil
		}
	}
	return nil, fault.New(fault.NotFound, "link.network_off")
}

// Quote asks the network for the offer behind ref and says what user would get.
// Errors as Network.Offer; fault.NotFound with "link.network_off" where the
// network is not configured.
func (d *Desk) Quote(ctx context.Context, user int64, ref Ref) (Quote, error) {
	ctx, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	return d.quote(ctx, user, ref)
}

func (d *Desk) quote(ctx context.Context, user int64, ref Ref) (Quote, error) {
	o, err := d.offer(ctx, ref)
	if err != nil {
		return Quote{}, err
	}
	p, err := d.promise(ctx, user, o)
	return Quote{o, p}, err
}

// Make answers ref with a tagged link, stored before it is returned. Asking
// again for the same item at the same terms within half an hour returns the
// link that is there. Errors as Quote.
func (d *Desk) Make(ctx context.Context, user int64, ref Ref) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	q, err := d.quote(ctx, user, ref)
	if err != nil {
		return Link{}, err
	}
	return d.make(ctx, user, q)
}

// MakeFor is Make for an offer that was quoted before, as from Search.
func (d *Desk) MakeFor(ctx context.Context, user int64, q Quote) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, d.deadline())
	defer cancel()
	return d.make(ctx, user, q)
}

func (d *Desk) make(ctx context.Context, user int64, q Quote) (Link, error) {
	n, err := d.network(q.Offer.Network)
	if err != nil {
		return Link{}, err
	}
	if err := d.stopped(ctx, q.Offer.Network); err != nil {
		return Link{}, err
	}
	return d.keep(ctx, n, user, q, func(ctx context.Context, m Mark) (Made, error) { return n.Link(ctx, q.Offer, m) })
}

// A maker makes the network's link with a mark.
type maker func(ctx context.Context, m Mark) (Made, error)

// keep returns a link that make has made, or that was kept before and still does.
func (d *Desk) keep(ctx context.Context, n Network, user int64, q Quote, make maker) (Link, error) {
	now := d.Now()
	old, err := d.Store.Recent(ctx, user, q.Offer.Network, q.Offer.ItemKey(), now.Add(-linkFresh))
	switch {
	case err == nil && old.usable(q, now):
		old.Offer = q.Offer
		if !q.Promise.Late() { // else what was said then still counts
			old.Promise.Rebate = q.Promise.Rebate
		}
		return old, nil
	case err != nil && !fault.Is(err, fault.NotFound):
		return Link{}, err
	}
	for range slotTriesMax {
		l, err := d.makeOnce(ctx, n, user, q, now, make)
		if !fault.Is(err, fault.Conflict) {
			return l, err
		}
	}
	return Link{}, fault.New(fault.Unavailable, "link.slots_contended")
}

// usable reports whether the link does for a quote: at the same terms, or at any
// where the quote has none yet.
func (l Link) usable(q Quote, now time.Time) bool {
	return (l.Promise.Terms == q.Promise.Terms || q.Promise.Late()) && (l.Made.Expires.IsZero() || l.Made.Expires.After(now.Add(linkFresh)))
}

// makeOnce makes and stores one link; fault.Conflict if another user took the
// slot meanwhile.
func (d *Desk) makeOnce(ctx context.Context, n Network, user int64, q Quote, now time.Time, make maker) (Link, error) {
	var slots []string
	if p, ok := n.(Pooled); ok {
		slots = p.Slots()
	}
	l := Link{
		User: user, Network: n.Name(), Item: q.Offer.ItemKey(), Title: q.Offer.Title,
		Mark: Mark{Tag: newTag()}, Offer: q.Offer, Promise: q.Promise, At: now,
	}
	err := d.Store.InTx(ctx, func(tx Tx) error {
		uses, err := tx.SlotUsers(l.Network, l.Item, now.Add(-SlotHold))
		l.Mark.Slot = chooseSlot(shuffled(slots), uses, user)
		return err
	})
	if err != nil {
		return Link{}, err
	}
	if l.Made, err = make(ctx, l.Mark); err != nil {
		return Link{}, fault.In("link.Make", err)
	}
	var id int64
	err = d.Store.InTx(ctx, func(tx Tx) (err error) {
		if len(slots) > 0 {
			uses, err := tx.SlotUsers(l.Network, l.Item, now.Add(-SlotHold))
			if err != nil {
				return err
			}
			if takenByOther(l.Mark.Slot, slots, uses, user) {
				return fault.New(fault.Conflict, "link.slot_taken")
			}
		}
		if id, err = tx.Insert(l); err != nil {
			return err
		}
		e, err := event.New("link/"+l.Mark.Tag, event.LinkMade, now, LinkMade{
			id, user, l.Network, l.Item, l.Mark.Tag, l.Mark.Slot, l.Promise, now,
		})
		if err != nil {
			return err
		}
		return tx.Emit(e)
	})
	l.ID = id
	return l, err
}

// shuffled returns slots in another order, so that people who ask at the same
// time do not all want the first one.
func shuffled(slots []string) []string {
	out := slices.Clone(slots)
	mathrand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// takenByOther reports whether another user holds slot although one of slots is
// still free for user.
func takenByOther(slot string, slots []string, uses []SlotUse, user int64) bool {
	free := chooseSlot(slots, uses, user)
	return heldByOther(slot, uses, user) && !heldByOther(free, uses, user)
}

func heldByOther(slot string, uses []SlotUse, user int64) bool {
	for _, u := range uses {
		if u.Slot == slot && u.User != user {
			return true
		}
	}
	return false
}

// chooseSlot prefers the slot that user has for the item already and shares with
// nobody, then one that nobody has, then the one whose latest use is oldest; of
// equal ones the first. It returns "" for an empty pool.
func chooseSlot(slots []string, uses []SlotUse, user int64) string {
	var best string
	bestScore, bestAt := -1, time.Time{}
	for _, s := range slots {
		score, at := 1, time.Time{}
		mine := false
		for _, u := range uses {
			if u.Slot != s {
				continue
			}
			if u.User != user {
				score = 0
			} else {
				mine = true
			}
			if u.At.After(at) {
				at = u.At
			}
		}
		if score == 1 && mine {
			score = 2
		}
		if score > bestScore || score == bestScore && at.Before(bestAt) {
			best, bestScore, bestAt = s, score, at
		}
	}
	return best
}

// newTag returns 16 characters that nobody can guess.
func newTag() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return "f" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Net is what the goods cost after coupon and rebate.
func (q Quote) Net() money.Fen { return q.Offer.Final - q.Promise.Rebate }
