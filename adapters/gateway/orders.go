package gateway

import (
	"net/http"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/order"
	"fanli/core/rebate"
)

func (a *API) orders(c *call) (any, error) {
	lines, err := a.o.Orders.OfUser(c.ctx(), c.user, c.before, c.count+1)
	if err != nil {
		return nil, err
	}
	out := Orders{Items: []Order{}}
	if len(lines) > c.count {
		lines = lines[:c.count]
		out.Next = cursor(lines[c.count-1].ID)
	}
	rebates, err := a.rebates(c, lines)
	for _, l := range lines {
		out.Items = append(out.Items, orderView(l, rebates, false))
	}
	return out, err
}

func (a *API) order(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	lines, err := a.o.Orders.OfUser(c.ctx(), c.user, id+1, 1) // the newest that is not after it
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || lines[0].ID != id {
		return nil, refuse(http.StatusNotFound, "api.no_such_order", "id")
	}
	rebates, err := a.rebates(c, lines)
	return orderView(lines[0], rebates, true), err
}

func (a *API) rebates(c *call, lines []order.Line) (map[order.Key]rebate.Rebate, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	keys := make([]order.Key, len(lines))
	for i, l := range lines {
		keys[i] = l.Key
	}
	return a.o.Rebates.Of(c.ctx(), keys)
}

func orderView(l order.Line, rebates map[order.Key]rebate.Rebate, whole bool) Order {
	row := l.Row()
	out := Order{
		ID: l.ID, Network: l.Key.Network, Number: row.Order, Item: row.Item, Title: row.Title, Shop: row.Shop, Image: row.Image,
		Quantity: row.Quantity, State: string(l.State), Why: l.Why, Price: l.Price, Refunded: l.Refunded, Disputed: l.Disputed,
		Matched: string(l.Step), Created: moment(row.Created), Paid: moment(row.PaidAt), Received: moment(row.ReceivedAt),
		Settled: moment(l.SettledAt),
	}
	r, ok := rebates[l.Key]
	if !ok || r.User != l.User { // of a line that has just become somebody's
		return out
	}
	out.Rebate = &Rebate{Stage: string(r.Stage), Amount: r.Amount, Promised: l.Promise.Rebate, Due: moment(r.Due)}
	if whole {
		out.Rebate.Trace = computation(r.Trace)
	}
	return out
}

func computation(t rebate.Trace) *Computation {
	out := &Computation{
		Commission: t.Commission, Fee: t.Terms.Fee, Base: t.Base, Share: t.Share(), Parts: []Part{}, Capped: t.Capped, Limited: t.Limited,
		Small: t.Small, Rebate: t.Rebate,
	}
	for _, p := range t.Shares() {
		out.Parts = append(out.Parts, Part{Kind: p.Kind, Name: p.Name, Share: p.Bps})
	}
	for _, y := range t.Others() {
		out.Parts = append(out.Parts, Part{Kind: y.Kind, Name: y.Name, Amount: y.Amount})
	}
	return out
}

func (a *API) claims(c *call) (any, error) {
	cs, err := a.o.Orders.Claims(c.ctx(), c.user, c.before, c.count+1)
	out := Claims{Items: []Claim{}}
	if len(cs) > c.count {
		cs = cs[:c.count]
		out.Next = cursor(cs[c.count-1].ID)
	}
	for _, one := range cs {
		out.Items = append(out.Items, claimView(one))
	}
	return out, err
}

func (a *API) claim(c *call) (any, error) {
	if err := a.o.Switches.Check(c.ctx(), control.ReadOnly); err != nil {
		return nil, err
	}
	made, err := a.o.Orders.Claim(c.ctx(), c.user, c.body.(*ClaimRequest).Number)
	return claimView(made), err
}

func (a *API) prove(c *call) (any, error) {
	q := c.body.(*ProofRequest)
	was, err := a.claimed(c)
	if err != nil {
		return nil, err
	}
	now, err := a.o.Orders.Prove(c.ctx(), c.user, was.ID, order.Proof{Paid: q.Paid, Day: q.Day})
	return claimView(now), err
}

func (a *API) appeal(c *call) (any, error) {
	was, err := a.claimed(c)
	if err != nil {
		return nil, err
	}
	now, err := a.o.Orders.Appeal(c.ctx(), c.user, was.Order, c.body.(*AppealRequest).Words)
	return claimView(now), err
}

// claimed returns the claim in the path, where the user may change it.
func (a *API) claimed(c *call) (order.Claim, error) {
	id, err := c.id()
	if err != nil {
		return order.Claim{}, err
	}
	if err := a.o.Switches.Check(c.ctx(), control.ReadOnly); err != nil {
		return order.Claim{}, err
	}
	cs, err := a.o.Orders.Claims(c.ctx(), c.user, id+1, 1) // the newest that is not after it
	if err != nil {
		return order.Claim{}, err
	}
	if len(cs) == 0 || cs[0].ID != id {
		return order.Claim{}, refuse(http.StatusNotFound, "api.no_such_claim", "id")
	}
	return cs[0], nil
}

// claimView shows a claim as the chat does: that it is on ice looks as if nothing were
// known, so that an answer says nothing of orders of others.
func claimView(c order.Claim) Claim {
	state := c.State
	if state == order.ClaimIced {
		state = order.ClaimWaiting
	}
	return Claim{
		ID: c.ID, Network: c.Network, Number: c.Order, State: string(state), Note: c.Note, Appealable: c.Appealable(), At: moment(c.At), Until: moment(c.Until),
	}
}

// none makes everything that is not there look alike, whosever it may be.
func none(err error, reason string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, reason)
	}
	return err
}
