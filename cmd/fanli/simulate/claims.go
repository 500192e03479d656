package simulate

import (
	"context"
	"slices"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/link"
	"fanli/core/market"
)

// claims lets a buyer whose tag was lost say so, and a thief, who has read the
// number over a shoulder and never asked for the goods.
func (w *world) claims(ctx context.Context) {
	for range 12 {
		l := w.links[max(0, len(w.links)-1-w.rng.IntN(60))]
		n := w.net(l.Network)
		if len(n.log) == 0 {
			continue
		}
		c := n.log[max(0, len(n.log)-1-w.rng.IntN(40))]
		line, _ := n.market.Line(c.id)
		if line.Click.Tag != "" || line.State == market.Replaced || n.baskets[line.Order] || w.claimed(n.name, line) {
			continue
		}
		buyer := w.asker(n.name, line)
		if n.name == link.Taobao { // the last digits are theirs, and say so of all their orders
			buyer = w.buyers[line.ID]
		}
		if buyer == 0 || w.entangled(n.name, line, buyer) {
			continue
		}
		for _, user := range append(w.strangers(n.name, line, 1), w.as(w.person(buyer)).id) {
			_, _ = w.says(ctx, user, n, line) // they may have claimed too much today
		}
	}
}

// claimed reports whether somebody claimed a line, by whatever number.
func (w *world) claimed(network string, line market.Line) bool {
	return w.named[network+"/"+placed(line)]
}

// placed is the number of a line's order before it was split.
func placed(line market.Line) string {
	if line.Parent != "" {
		return line.Parent
	}
	return line.Order
}

// asker is a user who had asked for a line's goods shortly before it was bought.
func (w *world) asker(network string, line market.Line) int64 {
	for i := len(w.links) - 1; i >= 0; i-- {
		l := w.links[i]
		if l.Network == network && l.Item == line.Click.Item && l.At.Before(line.Created.Add(-time.Hour)) && l.At.After(line.Created.AddDate(0, 0, -10)) {
			return l.User
		}
	}
	return 0
}

// says lets a user claim a line's order: by its number, or by that of the order that
// it was split from.
func (w *world) says(ctx context.Context, user int64, n *net, line market.Line) (id int64, ok bool) {
	number := line.Order
	if w.rng.IntN(2) == 0 {
		number = placed(line)
	}
	err := w.try(ctx, func() (err error) {
		id, err = w.house.claim(ctx, user, number)
		return err
	})
	w.note("user %d claims order %s: %v", user, number, err == nil)
	if err == nil {
		w.named[n.name+"/"+placed(line)] = true
		w.claim = append(w.claim, oracle.Claim{User: user, Network: n.name, Order: number})
	}
	return id, err == nil
}

// strangers are at most count users who never asked for anything of a line's order: of
// two who both could be right the first one would have it, and the final truth does not
// say who that was.
func (w *world) strangers(network string, line market.Line, count int) (out []int64) {
	items := map[string]bool{line.Click.Item: true}
	for _, l := range w.net(network).market.Lines(func(l market.Line) bool { return placed(l) == placed(line) }) {
		items[l.Click.Item] = true
	}
	for i := range w.users {
		p := w.users[(i+len(w.claim))%len(w.users)]
		asked := false
		for _, l := range w.links {
			asked = asked || l.Network == network && items[l.Item] && w.akin(l.User, p.id)
		}
		if !asked && len(out) < count && w.strange(p, out) {
			out = append(out, p.id)
		}
	}
	return out
}

// strange reports whether an account may claim what its person has never asked for: of
// two accounts of somebody it is one, if it does not matter when we hear of either.
func (w *world) strange(p *person, others []int64) bool {
	if p.buys && !w.fixed {
		return false
	}
	akin := func(id int64) bool { return w.akin(id, p.id) }
	return p.family == nil || w.fixed && !p.family.parts && p.into == nil && !slices.ContainsFunc(others, akin)
}

// akin reports whether two users are one person, whether we know it or not.
func (w *world) akin(a, b int64) bool {
	f := w.person(a).family
	return a == b || f != nil && f == w.person(b).family
}

// entangled reports whether the goods of a line were asked for through two accounts of
// somebody, or whether its buyer will part: before they are linked an order may be
// given to who claims it, and after that it would not be.
func (w *world) entangled(network string, line market.Line, buyer int64) bool {
	if f := w.person(buyer).family; f != nil && f.parts {
		return true
	}
	return slices.ContainsFunc(w.links, func(l oracle.Link) bool {
		return l.Network == network && l.Item == line.Click.Item && w.twice(l.User, network, l.Item)
	})
}

// contest lets two users who have seen all of an order say that it is theirs: it
// may be another's for long, and that one's money be spent.
func (w *world) contest(ctx context.Context) {
	n := w.nets[w.rng.IntN(2)] // of those whose tags get lost
	for range 12 {
		if len(n.log) == 0 {
			return
		}
		line, _ := n.market.Line(n.log[w.rng.IntN(len(n.log))].id)
		if line.Click.Tag != "" || line.State == market.Replaced || n.baskets[line.Order] || w.contested[placed(line)] {
			continue
		}
		two := w.strangers(n.name, line, 2)
		if len(two) < 2 {
			continue
		}
		w.contested[placed(line)] = true
		one, ok := w.says(ctx, two[0], n, line)
		other, both := w.says(ctx, two[1], n, line)
		if !ok || !both {
			return
		}
		day := second(line.Created).In(beijing).Format(time.DateOnly)
		for i, id := range []int64{one, other} {
			err := w.try(ctx, func() error { return w.house.prove(ctx, two[i], id, line.Price, day) })
			w.note("user %d knows all of order %s: %v", two[i], line.Order, err == nil)
		}
		return
	}
}

// judge lets staff decide whose the contested orders are. Some wait for good.
func (w *world) judge(ctx context.Context, all bool) {
	open, err := w.house.contested(ctx)
	if err != nil {
		w.wrong("claims cannot be read: %v", err)
		return
	}
	for _, c := range open {
		d := w.rng.IntN(12)
		if d < 6 && !all || d < 2 {
			continue
		}
		grant := d > 8
		err := w.try(ctx, func() error { return w.house.award(ctx, w, c.id, grant) })
		w.note("staff decides the claim of user %d to order %s: granted=%v, %v", c.user, c.order, grant, err == nil)
		if err == nil && grant {
			w.words = append(w.words, oracle.Decision{User: c.user, Network: c.network, Order: c.order, Rules: w.rules})
		}
	}
}
