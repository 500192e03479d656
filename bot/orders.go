package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/rebate"
)

// An orderRef finds a line again.
type orderRef struct {
	Number string    `json:"number"`
	Key    order.Key `json:"key"`
}

// A bought is a line with what it brings.
type bought struct {
	order.Line
	rebate rebate.Rebate
	known  bool // the rebate was computed
}

// orderCardsMax bounds how many lines of one order an answer shows.
const orderCardsMax = 5

// orders lists a person's orders, or shows the one that args names: by its place
// in the list or by its number.
func (t *turn) orders(ctx context.Context, args string) (Reply, error) {
	if args == "" {
		return t.orderPage(ctx, []int64{0})
	}
	return t.named(ctx, args, t.details)
}

// named finds the lines that args names and shows them.
func (t *turn) named(ctx context.Context, args string, show func(context.Context, []bought) Reply) (Reply, error) {
	lines, err := t.lines(ctx, args)
	if err != nil {
		return Reply{}, err
	}
	if len(lines) == 0 {
		r := t.say("orders.no_such")
		r.Buttons = []Button{t.next("orders"), t.next("claim")}
		return r, nil
	}
	return show(ctx, lines), nil
}

// lines finds this person's lines by place or number. Somebody else's look as if
// they did not exist.
func (t *turn) lines(ctx context.Context, args string) ([]bought, error) {
	if isDigit(args) {
		n := int(args[0] - '0')
		if l, _ := t.shown(); l != nil && l.Kind == listOrders {
			if n > len(l.Orders) {
				return nil, nil
			}
			return t.line(ctx, l.Orders[n-1])
		}
		ls, err := t.bot.Orders.OfUser(ctx, t.user.ID, 0, n)
		if err != nil || len(ls) < n {
			return nil, fault.In("bot.OfUser", err)
		}
		return t.earned(ctx, ls[n-1:])
	}
	ls, err := t.mine(ctx, orderNumber(args))
	if err != nil {
		return nil, err
	}
	return t.earned(ctx, ls[:min(len(ls), orderCardsMax)])
}

// line finds the line of a list again.
func (t *turn) line(ctx context.Context, ref orderRef) ([]bought, error) {
	ls, err := t.mine(ctx, ref.Number)
	if err != nil {
		return nil, err
	}
	return t.earned(ctx, slices.DeleteFunc(ls, func(l order.Line) bool { return l.Key != ref.Key }))
}

// mine returns this person's lines with an order number.
func (t *turn) mine(ctx context.Context, number string) ([]order.Line, error) {
	ls, err := t.bot.Orders.ByNumber(ctx, number)
	if err != nil {
		return nil, fault.In("bot.ByNumber", err)
	}
	return slices.DeleteFunc(slices.Clone(ls), func(l order.Line) bool { return l.User != t.user.ID }), nil
}

// earned adds to lines what they bring.
func (t *turn) earned(ctx context.Context, ls []order.Line) ([]bought, error) {
	if len(ls) == 0 {
		return nil, nil
	}
	keys := make([]order.Key, len(ls))
	for i, l := range ls {
		keys[i] = l.Key
	}
	rebates, err := t.bot.Rebates.Of(ctx, keys)
	if absent(err) { // the orders are there all the same
		t.trace(ctx, fault.In("bot.Rebates", err))
		err = nil
	}
	if err != nil {
		return nil, fault.In("bot.Rebates", err)
	}
	out := make([]bought, len(ls))
	for i, l := range ls {
		r, ok := rebates[l.Key]
		if ok {
			if ok, err = t.theirs(ctx, r.User); err != nil {
				return nil, err
			}
		}
		out[i] = bought{l, r, ok}
	}
	return out, nil
}

// orderNumber takes the number out of a text, as the network writes it.
func orderNumber(s string) string {
	for _, r := range link.Recognise(s) {
		if r.Kind == link.Order {
			return r.ID
		}
	}
	return strings.ReplaceAll(s, " ", "")
}

// orderPage lists the orders after the last of starts.
func (t *turn) orderPage(ctx context.Context, starts []int64) (Reply, error) {
	ls, err := t.bot.Orders.OfUser(ctx, t.user.ID, starts[len(starts)-1], pageSize+1)
	if err != nil {
		return Reply{}, fault.In("bot.OfUser", err)
	}
	l := list{Kind: listOrders, Page: len(starts), Starts: starts}
	if l.More = len(ls) > pageSize; l.More {
		ls = ls[:pageSize]
		l.Next = ls[pageSize-1].ID
	}
	all, err := t.earned(ctx, ls)
	if err != nil {
		return Reply{}, err
	}
	if len(all) == 0 {
		r := t.say("orders.none")
		r.Buttons = []Button{t.next("claim"), t.next("guide")}
		return r, nil
	}
	var b strings.Builder
	b.WriteString(t.T("orders.head"))
	for i, o := range all {
		row := o.Row()
		l.Orders = append(l.Orders, orderRef{row.Order, o.Key})
		fmt.Fprintf(&b, "\n%d. %s\n   %s", i+1, clean(row.Title, listTitleRunesMax), t.T("orders.line",
			"date", t.date(row.Created), "network", t.network(o.Key.Network), "paid", o.Price.Yuan(),
			"state", t.stateWord(o.State), "rebate", t.rebateWord(o)))
	}
	b.WriteString("\n" + t.T("orders.pick"))
	return Reply{Text: b.String(), Buttons: t.show(l)}, nil
}

func (t *turn) stateWord(s order.State) string { return t.T("order.state." + string(s)) }

// rebateWord says in a few words what a line brings.
func (t *turn) rebateWord(o bought) string {
	switch {
	case o.State == order.Unpaid:
		return t.T("orders.rebate_unpaid")
	case !o.known:
		return t.T("orders.rebate_unknown")
	}
	return t.T("orders.rebate."+string(o.rebate.Stage), "amount", o.rebate.Amount.Yuan())
}

// detail shows a line of a list.
func (t *turn) detail(ctx context.Context, ref orderRef) (Reply, error) {
	lines, err := t.line(ctx, ref)
	if err != nil {
		return Reply{}, err
	}
	if len(lines) == 0 {
		return t.say("orders.no_such"), nil
	}
	return t.details(ctx, lines), nil
}

// details shows all there is to know of lines.
func (t *turn) details(ctx context.Context, lines []bought) Reply {
	var r Reply
	for _, o := range lines {
		r.Cards = append(r.Cards, t.orderCard(ctx, o))
	}
	r.Buttons = []Button{t.next("balance")}
	return r
}

func (t *turn) orderCard(ctx context.Context, o bought) Card {
	row := o.Row()
	c := Card{Title: clean(row.Title, titleRunesMax)}
	if strings.HasPrefix(row.Image, "https://") {
		c.Image = row.Image
	}
	add := func(label, value string) { c.Rows = append(c.Rows, Row{Label: label, Value: value}) }
	add(t.T("order.number"), t.network(o.Key.Network)+" "+row.Order)
	if row.Parent != "" {
		add(t.T("order.parent"), row.Parent)
	}
	if row.Quantity > 1 {
		add(t.T("order.quantity"), count(row.Quantity))
	}
	add(t.T("order.price"), o.Price.Yuan())
	if o.Refunded > 0 {
		add(t.T("order.refunded"), o.Refunded.Yuan())
	}
	add(t.T("order.state"), t.stateWord(o.State))
	add(t.T("order.history"), t.history(o))
	if o.known {
		c.Rows = append(c.Rows, Row{Label: t.T("order.rebate"), Value: o.rebate.Amount.Yuan(), Strong: true})
	}
	c.Notes = t.reasons(ctx, o)
	return c
}

// history says what happened to a line, oldest first.
func (t *turn) history(o bought) string {
	row := o.Row()
	var parts []string
	for _, p := range []struct {
		state order.State
		at    string
	}{
		{order.Unpaid, t.momentOr(row.Created)},
		{order.Paid, t.momentOr(row.PaidAt)},
		{order.Received, t.momentOr(row.ReceivedAt)},
		{order.Settled, t.momentOr(o.SettledAt)},
	} {
		if p.at != "" {
			parts = append(parts, t.T("order.event."+string(p.state), "at", p.at))
		}
	}
	return strings.Join(parts, " → ")
}
