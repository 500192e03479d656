package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// An Ordering is the part of the order target's station that knows orders and the
// streams they come from.
type Ordering struct {
	Book *order.Book
	// Unowned returns lines that are nobody's, newest first, below an id (0: from the
	// newest).
	Unowned func(ctx context.Context, before int64, count int) ([]order.Line, error)
	// Day returns what was seen from one time until another, by network.
	Day func(ctx context.Context, from, until time.Time) ([]Placed, error)
	// Wake makes the streams be followed at once; optional.
	Wake func()
	// Stall is after how long a stream that says nothing stands still.
	Stall time.Duration
	Now   func() time.Time
	Zone  *time.Location
}

// A Placed is what was bought at one network.
type Placed struct {
	Network           string
	Count             int64
	Price, Commission money.Fen
}

// follow is the rung of the streams that are followed up to now.
const follow = "follow"

// Handlers are its acts.
func (o Ordering) Handlers() map[string]Handler {
	return map[string]Handler{
		"astatus": o.feeds, "todo": o.todo, "report": o.report, "user": o.ofUser, "aorder": o.order,
		"unmatched": o.unmatched, "assign": o.assign, "sync": o.sync, "gaps": o.gaps, AlertsAct: o.alerts,
	}
}

// places returns where the streams that are followed stand.
func (o Ordering) places(ctx context.Context) (out []order.Progress, err error) {
	all, err := o.Book.Store.Places(ctx)
	for _, p := range all {
		if p.Rung == follow {
			out = append(out, p)
		}
	}
	return out, err
}

func (o Ordering) stalled(p order.Progress) bool {
	return !p.Failing.IsZero() || o.Stall > 0 && o.Now().Sub(p.At) > o.Stall
}

func (o Ordering) feedItem(p order.Progress) Item {
	i := Item{Title: LFeed, ID: p.Network + "/" + p.Account + "/" + p.Scene, Wrong: o.stalled(p), Fields: []Field{
		word(LState, string(WOK)), moment(LDone, p.Done),
	}}
	switch {
	case !p.Failing.IsZero():
		i.Fields[0] = word(LState, string(WFailing))
		i.Fields = append(i.Fields, count(LFails, int64(p.Fails)), moment(LSince, p.Failing), text(LReason, p.Error))
	case i.Wrong:
		i.Fields[0] = word(LState, string(WStalled))
	}
	return i
}

func (o Ordering) feeds(ctx context.Context, _ Act) (out Answer, err error) {
	ps, err := o.places(ctx)
	for _, p := range ps {
		out.Items = append(out.Items, o.feedItem(p))
	}
	return out, err
}

func (o Ordering) todo(ctx context.Context, _ Act) (out Answer, err error) {
	n, err := o.Book.Store.Counts(ctx)
	if err != nil {
		return out, err
	}
	cs, err := o.contests(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range cs[:min(len(cs), listMax)] {
		out.Items = append(out.Items, contestItem(c))
	}
	claims, err := o.Book.Staffed(ctx, 200)
	if len(claims) > 0 {
		out.Items = append(out.Items, Item{Title: LClaims, Fields: []Field{count(LClaims, int64(len(claims))), moment(LOldest, claims[0].Until)}})
	}
	if n.Unattributed+n.Quarantined > 0 {
		out.Items = append(out.Items, Item{Title: LOrders, Fields: []Field{
			count(LUnowned, n.Unattributed), count(LUnreadable, n.Quarantined),
		}, Steps: []Step{{Name: "unmatched"}}})
	}
	return out, err
}

func (o Ordering) report(ctx context.Context, a Act) (out Answer, err error) {
	from, until, err := Day(a.arg(0), o.Now(), o.Zone)
	if err != nil {
		return out, err
	}
	all, err := o.Day(ctx, from, until)
	out.Items = []Item{{Title: LDay, ID: from.Format(time.DateOnly)}}
	for _, p := range all {
		out.Items = append(out.Items, Item{Title: LNetwork, ID: p.Network, Fields: []Field{
			count(LOrders, p.Count), amount(LPrice, p.Price), amount(LCommission, p.Commission),
		}})
	}
	return out, err
}

func (o Ordering) ofUser(ctx context.Context, a Act) (out Answer, err error) {
	id, err := number(a.arg(0))
	if err != nil {
		return out, err
	}
	ms, err := o.Book.Members(ctx, id)
	if err != nil {
		return out, err
	}
	for _, m := range ms {
		out.Items = append(out.Items, memberItem(m))
	}
	ls, err := o.Book.OfUser(ctx, id, 0, 5)
	for _, l := range ls {
		out.Items = append(out.Items, lineItem(l))
	}
	return out, err
}

// lineItem shows a line of an order, with whose it is and why.
func lineItem(l order.Line) Item {
	row := l.Row()
	i := Item{Title: LOrder, ID: row.Order, Fields: []Field{
		text(LTitle, row.Title), word(LNetwork, l.Key.Network), word(LState, string(l.State)), amount(LPrice, l.Price),
		amount(LCommission, l.Commission), moment(LSeen, l.Seen),
	}}
	if l.User == 0 {
		i.Fields = append(i.Fields, word(LUser, string(WNobody)))
		return i
	}
	i.Fields = append(i.Fields, text(LUser, strconv.FormatInt(l.User, 10)), word(LStep, string(l.Step)))
	if l.Evidence != "" {
		i.Fields = append(i.Fields, text(LEvidence, l.Evidence))
	}
	return i
}

func (o Ordering) order(ctx context.Context, a Act) (out Answer, err error) {
	ls, err := o.Book.ByNumber(ctx, a.arg(0))
	if err == nil && len(ls) == 0 {
		err = fault.New(fault.NotFound, "desk.no_order")
	}
	var keys []order.Key
	for _, l := range ls[:min(len(ls), listMax)] {
		out.Items = append(out.Items, lineItem(l))
		keys = append(keys, l.Key)
	}
	if err != nil {
		return Answer{}, err
	}
	out.More = len(ls) - len(out.Items)
	out.Data, err = json.Marshal(keys) // for rebate, which knows lines by their keys
	return out, err
}

func (o Ordering) unmatched(ctx context.Context, _ Act) (out Answer, err error) {
	ls, err := o.Unowned(ctx, 0, listMax+1)
	for _, l := range ls[:min(len(ls), listMax)] {
		out.Items = append(out.Items, lineItem(l))
	}
	out.More = len(ls) - len(out.Items)
	return out, err
}

// assign says whose an order is. What is somebody's already takes four eyes.
func (o Ordering) assign(ctx context.Context, a Act) (out Answer, err error) {
	user, err := number(a.arg(1))
	if err != nil {
		return out, err
	}
	ls, err := o.Book.ByNumber(ctx, a.arg(0))
	if err != nil {
		return out, err
	}
	out.Same = true
	to := fmt.Sprintf("#%d", user)
	for _, l := range ls {
		was := string(WNobody)
		if l.User != 0 {
			was = fmt.Sprintf("#%d", l.User)
		}
		out.Four = out.Four || l.User != 0 && l.User != user
		out.Same = out.Same && l.User == user
		out.Items = append(out.Items, Item{Title: LOrder, ID: a.arg(0), Fields: []Field{
			text(LTitle, l.Row().Title), amount(LCommission, l.Commission), change(LUser, was, to),
		}})
	}
	switch {
	case len(ls) == 0:
		return Answer{}, fault.New(fault.NotFound, "desk.no_order")
	case a.Dry || out.Same:
		return out, nil
	}
	_, err = o.Book.Assign(ctx, a.arg(0), user, a.Actor(), a.Reason)
	return out, err
}

func (o Ordering) sync(ctx context.Context, a Act) (Answer, error) {
	if o.Wake != nil {
		o.Wake()
	}
	return o.feeds(ctx, a)
}

// gaps shows the streams that are not complete, and rows that could not be read.
func (o Ordering) gaps(ctx context.Context, _ Act) (out Answer, err error) {
	ps, err := o.places(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range ps {
		if o.stalled(p) {
			i := o.feedItem(p)
			i.Fields = append(i.Fields, change(LChange, p.Done.In(o.Zone).Format(time.DateTime), o.Now().In(o.Zone).Format(time.DateTime)))
			out.Items = append(out.Items, i)
		}
	}
	n, err := o.Book.Store.Counts(ctx)
	if n.Quarantined > 0 {
		out.Items = append(out.Items, Item{Title: LOrders, Wrong: true, Fields: []Field{count(LUnreadable, n.Quarantined)}})
	}
	return out, err
}
