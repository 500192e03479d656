package simulate

import (
	"context"
	"fmt"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// stepMax is the most that time moves between two rounds of the jobs; re-scans
// must see every hour of a world at least once.
const stepMax = 13 * time.Hour

// breath is how long nobody asks for links after others have bought: a link made
// within the slack of two clocks could have been the way to an order before it,
// and whose that is would depend on which of them we hear of first.
const breath = 5 * time.Minute

// usersMax bounds the users of a world.
const usersMax = 24

// join makes one more user.
func (w *world) join(ctx context.Context) {
	p := &person{level: w.rng.IntN(3)}
	w.adopt(p)
	w.patron(p)
	name := fmt.Sprintf("p%d", len(w.users))
	err := w.try(ctx, func() (err error) {
		p.id, err = w.house.join(ctx, name, p.level, w.at)
		return err
	})
	if err == nil {
		w.users = append(w.users, p)
		w.note("user %d joins at level %d", p.id, p.level)
		w.account(ctx, p)
		if w.rng.IntN(2) == 0 {
			w.invited(ctx, p)
		}
	}
}

// account gives a user a payout account, or another one.
func (w *world) account(ctx context.Context, p *person) {
	p.account++
	name := fmt.Sprintf("sim-%d-%d", p.id, p.account)
	w.persons[name] = p.id
	_ = w.try(ctx, func() error { return w.house.payee(ctx, p.id, name) }) // what is wrong is kept
	w.note("user %d wants money at %s", p.id, name)
}

// shoppers lets half a day pass in which links are made, goods bought, and lines
// go their way.
func (w *world) shoppers(ctx context.Context) {
	w.at = w.at.Add(breath)
	w.shopping(ctx)
	n := w.opt.Pace + w.rng.IntN(w.opt.Pace+1)
	step := 6*time.Hour + time.Duration(w.rng.Int64N(int64(stepMax-7*time.Hour)))
	gap := max((step / time.Duration(n)).Truncate(time.Second), time.Second)
	for range n {
		w.at = w.at.Add(gap)
		w.act()
	}
}

// shopping makes a few links, all in one go.
func (w *world) shopping(ctx context.Context) {
	var wishes []oracle.Link
	for range 1 + w.rng.IntN(1+w.opt.Pace/6) {
		p, n := w.as(w.users[w.rng.IntN(len(w.users))]), w.nets[w.rng.IntN(len(w.nets))]
		g := n.market.Shelf()[p.goods(n, w.rng.IntN(12))]
		wishes = append(wishes, oracle.Link{
			User: p.id, Level: w.level(p), Network: n.name, Item: g.ID, Category: g.Category, Slot: w.slot(n), Rules: w.rules, At: w.at,
		})
	}
	err := w.try(ctx, func() error {
		for i := range wishes { // asking again makes another link
			w.tags++
			wishes[i].Tag = fmt.Sprintf("s%dt%d", w.seed, w.tags)
		}
		return w.house.link(ctx, wishes, w.offer)
	})
	if err != nil {
		return
	}
	w.links = append(w.links, wishes...)
	for _, l := range wishes {
		w.note("user %d has link %s to %s", l.User, l.Tag, l.Item)
	}
	_ = w.try(ctx, func() error { return w.house.carry(ctx, w) }) // people are told of a link when it is known everywhere
}

// slot draws one of a network's few positions. People share them: who has made a
// link through which decides only together with item and time.
func (w *world) slot(n *net) string {
	if n.name == link.Taobao {
		return ""
	}
	return fmt.Sprintf("%s_position_%d", n.name, w.rng.IntN(3))
}

// offer is what a network says of goods.
func (w *world) offer(l oracle.Link) link.Offer {
	g, _ := w.net(l.Network).market.Goods(l.Item)
	return link.Offer{
		Network: l.Network, Item: g.ID, Title: g.Title, Category: g.Category, Price: g.Price, Final: g.Final(), Rate: g.Rate,
		Commission: owes(g.Final(), market.Line{Rate: g.Rate}), At: w.at,
	}
}

func (w *world) net(name string) *net {
	for _, n := range w.nets {
		if n.name == name {
			return n
		}
	}
	return nil
}

// act does one thing at the networks.
func (w *world) act() {
	switch d := w.rng.IntN(100); {
	case d < 36:
		w.buy(w.rng.IntN(12) == 0)
	case len(w.lines) > 0:
		i := w.rng.IntN(len(w.lines))
		if !w.move(w.lines[i]) {
			w.lines[i] = w.lines[len(w.lines)-1]
			w.lines = w.lines[:len(w.lines)-1]
		}
	}
}

// meddle changes a few lines of a network while a window of it is being read.
func (w *world) meddle(n *net) {
	for range 3 {
		if len(w.lines) == 0 {
			return
		}
		if r := w.lines[w.ill.rng.IntN(len(w.lines))]; r.n == n {
			w.at = w.at.Add(time.Second)
			w.move(r)
		}
	}
}

// buy orders through a link of the last days; the tag may get lost on the way.
func (w *world) buy(tagless bool) {
	recent := w.links[max(0, len(w.links)-60):]
	l := recent[w.rng.IntN(len(recent))]
	n := w.net(l.Network)
	c := market.Click{Item: l.Item, Tag: l.Tag, Slot: l.Slot}
	if tagless {
		c.Tag = ""
	}
	number := w.number(n, fmt.Sprintf("%06d", 7919*l.User))
	first := w.order(n, c, number)
	w.buyers[first.ID] = l.User
	w.note("user %d buys %s, order %s, by link %s, tag %q", l.User, first.ID, first.Order, l.Tag, c.Tag)
	if w.fixed && n.name != link.Taobao && w.rng.IntN(8) == 0 { // something else comes into the basket
		c.Item, c.Tag = n.market.Shelf()[w.rng.IntN(12)].ID, ""
		if w.familiar(n.name, c.Item) { // whoever gets it would have asked for it or not, depending on when we hear
			return
		}
		second := w.order(n, c, func(i int64) (string, string) { _, id := number(i); return first.Order, id })
		n.baskets[first.Order] = true
		w.note("user %d buys %s, too, order %s", l.User, second.ID, second.Order)
	}
}

// order buys some pieces of one item.
func (w *world) order(n *net, c market.Click, number func(int64) (string, string)) market.Line {
	bought, err := n.market.Buy(c, 1+w.rng.IntN(3), number)
	if err != nil {
		w.wrong("the simulator cannot buy: %v", err)
		return bought
	}
	w.lines = append(w.lines, lineRef{n, bought.ID})
	if w.rng.IntN(8) > 0 {
		_ = n.market.Pay(bought.ID) // it was made just now
	}
	n.touched(bought.ID)
	return bought
}

// number makes order and line numbers in the form of the network. Those of one
// buyer end alike where the network does so.
func (w *world) number(n *net, digits string) func(int64) (string, string) {
	return func(int64) (string, string) {
		w.orders++
		id := fmt.Sprintf("%s%d", n.name, w.orders)
		switch n.name {
		case link.JD:
			return fmt.Sprintf("26%010d", w.orders), id
		case link.PDD:
			return fmt.Sprintf("260115-%015d", w.orders), id
		default:
			return fmt.Sprintf("26%010d%s", w.orders, digits), id
		}
	}
}

// move lets a line go its way, or off it. It returns false for one to which
// nothing can happen any more.
func (w *world) move(r lineRef) bool {
	m, d := r.n.market, w.rng.IntN(100)
	l, _ := m.Line(r.id)
	var err error
	switch l.State {
	case market.Created:
		if err = m.Pay(r.id); d < 25 {
			err = m.Cancel(r.id)
		}
	case market.Paid:
		err = w.movePaid(r, l, d)
	case market.Received:
		err = w.moveReceived(r, l, d)
	case market.Settled:
		err = w.moveSettled(r, l, d)
	case market.Invalid, market.Replaced:
		return false
	}
	if err != nil {
		w.wrong("the simulator moves %s %s from %s: %v", r.n.name, r.id, l.State, err)
		return false
	}
	r.n.touched(r.id)
	return true
}

func (w *world) movePaid(r lineRef, l market.Line, d int) error {
	m := r.n.market
	switch {
	case d < 8:
		return m.Cancel(r.id)
	case d < 18:
		return m.Refund(r.id, w.some(l.Price-l.Refunded))
	case d < 24 && l.Quantity > 1:
		return w.split(r, l)
	case d < 28:
		return m.Reprice(r.id, money.Bps(w.rng.IntN(3000)))
	case d < 33:
		return w.dispute(r, l)
	default:
		return m.Receive(r.id)
	}
}

func (w *world) moveReceived(r lineRef, l market.Line, d int) error {
	m := r.n.market
	switch {
	case d < 12:
		return m.Refund(r.id, w.some(l.Price-l.Refunded))
	case d < 16:
		return m.Reprice(r.id, money.Bps(w.rng.IntN(3000)))
	case d < 18:
		return m.Violate(r.id)
	case d < 22 || r.n.disputed[r.id]:
		return w.dispute(r, l)
	case r.n.binds:
		return m.Reprice(r.id, l.Rate) // nothing changes but the time
	default:
		return m.Settle(r.id)
	}
}

func (w *world) moveSettled(r lineRef, l market.Line, d int) error {
	m := r.n.market
	switch left := l.Price - l.Refunded; {
	case r.n.disputed[r.id] && d < 60, d >= 50 && d < 58:
		return w.dispute(r, l)
	case d < 40 && left > 0:
		return m.Refund(r.id, w.some(left))
	case d < 46:
		return m.Reprice(r.id, money.Bps(w.rng.IntN(3000)))
	case d < 50:
		return m.Violate(r.id)
	default:
		return m.Reprice(r.id, l.Rate)
	}
}

// some is a part of a price, often all of it.
func (w *world) some(left money.Fen) money.Fen {
	if w.rng.IntN(2) == 0 {
		return left
	}
	return 1 + money.Fen(w.rng.Int64N(int64(left)))
}

// dispute opens an after-sale case, or closes one: also on what has become
// available, and was paid out.
func (w *world) dispute(r lineRef, l market.Line) error {
	r.n.disputed[r.id] = !r.n.disputed[r.id]
	w.note("%s %s disputed=%v", r.n.name, r.id, r.n.disputed[r.id])
	return r.n.market.Reprice(r.id, l.Rate)
}

// split sends an order in parts.
func (w *world) split(r lineRef, l market.Line) error {
	parts := []int{1, l.Quantity - 1}
	number := w.number(r.n, l.Order[len(l.Order)-6:])
	var made []string
	err := r.n.market.Split(r.id, parts, func(n int64) (string, string) {
		o, id := number(n)
		made = append(made, id)
		return o, id
	})
	for _, id := range made {
		r.n.touched(id)
		w.buyers[id] = w.buyers[r.id]
		r.n.disputed[id] = r.n.disputed[r.id]
		w.lines = append(w.lines, lineRef{r.n, id})
	}
	return err
}
