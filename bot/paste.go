package bot

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/rebate"
)

// linksMax is how many links of one message are looked up: more cards than that
// nobody reads, and each costs a call to a network.
const linksMax = 5

// titleRunesMax is how much of a product's title a card shows.
const titleRunesMax = 60

// An answered ref is a link, or why there is none.
type answered struct {
	ref  link.Ref
	link link.Link
	err  error
}

// paste answers what a message points at, in the order of the message. all is
// how many things it points at in all.
func (t *turn) paste(ctx context.Context, refs []link.Ref, all int) (Reply, error) {
	if len(refs) > linksMax {
		refs = refs[:linksMax]
	}
	found := t.distinct(t.look(ctx, refs))
	for _, a := range found {
		if fault.Retryable(a.err) {
			t.retry = t.text
		}
	}
	if len(found) == 1 {
		return t.pasteOne(ctx, found[0]), nil
	}
	var r Reply
	t.state.Offered = nil
	for _, a := range found {
		if a.err == nil {
			r.Cards = append(r.Cards, t.offer(a.link))
			continue
		}
		miss := t.miss(ctx, a)
		title := clean(a.ref.Title, titleRunesMax)
		if title == "" {
			title = t.T("paste.one_of_many", "network", t.network(a.ref.Network))
		}
		r.Cards = append(r.Cards, Card{Title: title, Notes: []string{miss.Text}})
	}
	if t.retry != "" {
		r.Buttons = []Button{t.next("last")}
	}
	if all > linksMax {
		r.Text = t.T("paste.too_many", "max", count(linksMax))
	}
	return r, nil
}

func (t *turn) pasteOne(ctx context.Context, a answered) Reply {
	if a.err != nil {
		return t.miss(ctx, a)
	}
	t.state.Offered = &offered{Chat: t.chat(), Offer: a.link.Offer, Until: t.now.Add(listTTL)}
	return Reply{Cards: []Card{t.offer(a.link)}}
}

// look asks about all refs at once; each has its own deadline.
func (t *turn) look(ctx context.Context, refs []link.Ref) []answered {
	out := make([]answered, len(refs))
	var wg sync.WaitGroup
	for i, ref := range refs {
		out[i].ref = ref
		switch {
		case ref.Kind == link.Other && !slices.Contains(t.bot.networks(), ref.Network):
			out[i].err = fault.New(fault.NotFound, "link.network_off")
			continue
		case ref.Kind == link.Other:
			out[i].err = fault.New(fault.Invalid, "")
			continue
		}
		wg.Go(func() { out[i].link, out[i].err = t.make(ctx, ref) })
	}
	wg.Wait()
	return out
}

// make makes one link, and survives whatever happens on the way: nobody else
// watches over the goroutine that it runs in.
func (t *turn) make(ctx context.Context, ref link.Ref) (l link.Link, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.bot.Links.Make(ctx, t.user.ID, ref)
}

// distinct keeps one of those that turned out to be the same goods.
func (t *turn) distinct(all []answered) []answered {
	seen := map[string]bool{}
	var out []answered
	for _, a := range all {
		if key := a.link.Network + "/" + a.link.Item; a.err == nil {
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		out = append(out, a)
	}
	return out
}

// miss says why there is no link, and what to do instead.
func (t *turn) miss(ctx context.Context, a answered) Reply {
	network := t.network(a.ref.Network)
	switch {
	case fault.ReasonOf(a.err) == "link.network_off":
		return t.shops()
	case fault.Is(a.err, fault.NotFound):
		r := t.say("paste.not_found")
		if text, ok := t.reason(fault.ReasonOf(a.err)); ok {
			r.Text = text
		}
		if title := clean(a.ref.Title, titleRunesMax); title != "" {
			again := t.next("search", title)
			again.Label = cut(again.Action, labelRunesMax) // what would be searched for, or the button says nothing
			r.Buttons = []Button{again}
		}
		return r
	case fault.Is(a.err, fault.Invalid):
		if text, ok := t.reason(fault.ReasonOf(a.err)); ok {
			return Reply{Text: text}
		}
		return t.say("paste.unreadable", "network", network)
	case fault.Retryable(a.err):
		if r, ok := t.queue(ctx, a); ok {
			return r
		}
		r := t.say("paste.stalled", "network", network, "trace", t.trace(ctx, a.err))
		r.Buttons = []Button{t.next("last")}
		return r
	default:
		return t.fail(ctx, a.err)
	}
}

// shops says that a link is of none of the shops that we know.
func (t *turn) shops() Reply {
	r := Reply{Text: t.T("paste.foreign") + "\n" + t.T("paste.shops", "shops", t.networks(t.bot.networks())), Nothing: true}
	r.Buttons = []Button{t.next("guide")}
	return r
}

// networks are those that people hear of.
func (b *Bot) networks() []string {
	if len(b.Networks) == 0 {
		return []string{link.Taobao, link.JD, link.PDD}
	}
	return b.Networks
}

// offer is the card of a link. All its sums are the link's own.
func (t *turn) offer(l link.Link) Card {
	o := l.Offer
	c := Card{Title: clean(o.Title, titleRunesMax), Rows: t.priceRows(o)}
	if strings.HasPrefix(o.Image, "https://") {
		c.Image = o.Image
	}
	c.Rows = append(c.Rows, t.rebateRows(l)...)
	for _, key := range o.Caveats {
		if text, ok := t.reason(key); ok {
			c.Notes = append(c.Notes, text)
		}
	}
	switch {
	case l.Promise.Late():
		c.Notes = append(c.Notes, t.T("offer.late"))
	case l.Promise.Rebate == 0:
		c.Notes = append(c.Notes, t.T("offer.no_rebate"))
	default:
		c.Notes = append(c.Notes, t.T("offer.estimate"), t.when(l))
	}
	if !l.Made.Expires.IsZero() {
		c.Notes = append(c.Notes, t.T("offer.expires", "at", t.moment(l.Made.Expires)))
	}
	c.Buttons = t.ways(l)
	return c
}

// ways open a link, or copy it.
func (t *turn) ways(l link.Link) (out []Button) {
	if l.Made.URL != "" {
		b := Button{Label: t.T("button.open"), URL: l.Made.URL}
		if t.bot.Landing != nil {
			b.Page = t.bot.Landing(l)
		}
		out = append(out, b)
	}
	if l.Made.Token != "" {
		out = append(out, Button{Label: t.T("button.copy"), Copy: l.Made.Token})
	}
	return out
}

// rebateRows are what a link brings, or that this will be said.
func (t *turn) rebateRows(l link.Link) []Row {
	if l.Promise.Late() {
		return []Row{{Label: t.T("offer.rebate"), Value: t.T("offer.rebate_late"), Strong: true}}
	}
	return []Row{
		{Label: t.T("offer.rebate"), Value: l.Promise.Rebate.Yuan(), Strong: true},
		{Label: t.T("offer.net"), Value: link.Quote{Offer: l.Offer, Promise: l.Promise}.Net().Yuan()},
	}
}

// priceRows are the shop and the prices, as far as they are known.
func (t *turn) priceRows(o link.Offer) []Row {
	shop := t.network(o.Network)
	if o.Shop != "" {
		shop += " · " + clean(o.Shop, titleRunesMax)
	}
	rows := []Row{{Label: t.T("offer.shop"), Value: shop}}
	if o.Price > 0 {
		rows = append(rows, Row{Label: t.T("offer.price"), Value: o.Price.Yuan()})
	}
	if o.Coupon.Amount == 0 {
		return append(rows, Row{Label: t.T("offer.coupon"), Value: t.T("offer.coupon_none")})
	}
	return append(rows,
		Row{Label: t.T("offer.coupon"), Value: t.couponWords(o.Coupon)},
		Row{Label: t.T("offer.final"), Value: o.Final.Yuan()})
}

// couponWords says what a coupon takes off, from when on, and how long.
func (t *turn) couponWords(c link.CouponOffer) string {
	s := t.T("offer.coupon_plain", "amount", c.Amount.Yuan())
	if c.Threshold > 0 {
		s = t.T("offer.coupon_from", "amount", c.Amount.Yuan(), "from", c.Threshold.Yuan())
	}
	switch {
	case c.Starts.After(t.now) && !c.Ends.IsZero():
		s += t.T("offer.coupon_between", "from", t.date(c.Starts), "until", t.date(c.Ends))
	case !c.Ends.IsZero():
		s += t.T("offer.coupon_until", "until", t.date(c.Ends))
	}
	return s
}

// when says when the money of a link will come.
func (t *turn) when(l link.Link) string {
	days := 0
	if terms, err := rebate.ParseTerms(l.Promise.Terms); err == nil {
		days = terms.HoldDays
	}
	if days == 0 {
		return t.T("offer.when", "network", t.network(l.Network))
	}
	return t.T("offer.when_held", "network", t.network(l.Network), "days", count(days))
}
