package credit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// An Invitation says what is given when somebody's first order counts: to who
// invited them, and to themselves. Nothing is given for one person twice.
type Invitation struct {
	Inviter money.Fen // 0: nothing
	Invited money.Fen // 0: nothing
	Budget  string
}

// A Given is the content of bonus.given: somebody got a bonus without asking.
type Given struct {
	User   int64       `json:"user"`
	Kind   ledger.Kind `json:"kind"`
	Amount money.Fen   `json:"amount"`
	Name   string      `json:"name"` // of the campaign; or "inviter" or "invited"
}

// A Dried says which budget ran dry, in what stretch of time.
type Dried struct {
	Budget string
	Span   string // "2026-11-27", "2026-11" or "total"
}

// Promised returns what invitations bring at the moment: nothing once the budget
// is used up.
func (t *Treasurer) Promised(ctx context.Context) (Invitation, error) {
	i := t.terms().Invitation
	if i.Inviter+i.Invited == 0 {
		return Invitation{}, nil
	}
	dry, err := t.Dry(ctx, i.Budget)
	if err != nil || dry {
		return Invitation{}, err
	}
	return i, nil
}

// RebateChanged hears rebate.changed: it gives the bonuses that an order brings
// once its rebate is available. Each has a key of its own, so what is heard twice
// is given once. What a budget does not have is not given, and staff are told once.
// It fails with control.Stopped while credits are stopped.
func (t *Treasurer) RebateChanged(ctx context.Context, e event.Event) error {
	var ch rebate.Changed
	if err := e.Decode(&ch); err != nil {
		return fault.Wrap(fault.Invalid, "credit.Treasurer", err)
	}
	rs, err := t.newest(ctx, ch.Rebates)
	if err != nil {
		return fault.In("credit.Treasurer", err)
	}
	for _, r := range rs {
		if err := t.first(ctx, r); err != nil {
			return fault.In("credit.Treasurer", err)
		}
		for _, b := range r.Bonuses {
			if err := t.campaign(ctx, r, b); err != nil {
				return fault.In("credit.Treasurer", err)
			}
		}
	}
	return nil
}

// newest returns the rebates that are available, without those of which something
// newer is booked: that one has its own news.
func (t *Treasurer) newest(ctx context.Context, rs []rebate.ChangedRebate) (out []rebate.ChangedRebate, err error) {
	var keys []order.Key
	for _, r := range rs {
		if r.Stage == rebate.Available && r.User != 0 && r.Amount > 0 {
			keys = append(keys, r.Key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var booked map[order.Key]Booked
	err = t.Store.InTx(ctx, func(tx Tx) (err error) {
		if err = control.Check(tx, control.Credits); err == nil {
			booked, err = tx.Booked(keys)
		}
		return err
	})
	for _, r := range rs {
		if slices.Contains(keys, r.Key) && booked[r.Key].Seq <= r.Seq {
			out = append(out, r)
		}
	}
	return out, err
}

// first gives what the first order of somebody who was invited brings, unless they were
// here before, perhaps as somebody else. That it was the first is remembered after that,
// whether it brought anything or not: whoever is invited later has come already.
func (t *Treasurer) first(ctx context.Context, r rebate.ChangedRebate) error {
	if _, err := t.Store.First(ctx, r.User); !fault.Is(err, fault.NotFound) {
		return err
	}
	given, err := t.invitation(ctx, r)
	if err != nil || !given {
		return err
	}
	return t.Store.InTx(ctx, func(tx Tx) error { return tx.PutFirst(r.User, r.Key.String(), t.Now()) })
}

// invitation gives both their bonus. ok is false if a budget has not enough: then
// the next order is the first.
func (t *Treasurer) invitation(ctx context.Context, r rebate.ChangedRebate) (ok bool, err error) {
	i := t.terms().Invitation
	if i.Inviter+i.Invited == 0 || t.Inviter == nil {
		return true, nil
	}
	inviter, err := t.Inviter(ctx, r.User, r.Placed)
	if err != nil || inviter == 0 || inviter == r.User {
		return err == nil, err
	}
	if t.Kin != nil {
		if kin, err := t.Kin(ctx, inviter, r.User); err != nil || kin {
			return err == nil, err
		}
	}
	ok = true
	for _, g := range []Gift{
		{User: inviter, Amount: i.Inviter, same: func(account int64) string { return "bonus/" + invitationCause(account) + "/inviter" }},
		{User: r.User, Amount: i.Invited, Note: r.Order, same: func(account int64) string { return "bonus/" + invitationCause(account) + "/invited" }},
	} {
		g.Key, g.Budget, g.kind, g.cause = g.same(r.User), i.Budget, ledger.Invite, invitationCause(r.User)
		g.account, g.inviter, g.came = r.User, inviter, true
		enough, err := t.trigger(ctx, g)
		if err != nil {
			return false, err
		}
		ok = ok && enough
	}
	return ok, nil
}

// campaign gives what a campaign brings for one line, as far as the person's cap
// goes.
func (t *Treasurer) campaign(ctx context.Context, r rebate.ChangedRebate, b rebate.BonusDue) error {
	cause := r.Key.String()
	g := Gift{
		Key: fmt.Sprintf("bonus/campaign/%s/%s", cause, b.Name), User: r.User, Amount: b.Amount, Budget: b.Budget, Note: b.Name,
		kind: ledger.Campaign, cause: cause,
	}
	if b.UserCap > 0 {
		g.account, g.cap, g.capped, g.Amount = r.User, b.UserCap, b.Name, min(b.Amount, b.UserCap)
	}
	_, err := t.trigger(ctx, g)
	return err
}

// trigger gives what nobody asked for. enough is false if the budget has not what
// is needed; staff are told then, once for each day, month or budget that ran dry.
func (t *Treasurer) trigger(ctx context.Context, g Gift) (enough bool, err error) {
	if g.Amount == 0 {
		return true, nil
	}
	g.triggered = true
	_, err = t.give(ctx, &g)
	if !fault.Is(err, fault.Limited) && fault.ReasonOf(err) != reasonNoBudget {
		return err == nil, err
	}
	return false, t.dried(ctx, g)
}

// dried tells staff that a budget cannot pay a gift, unless they were told.
func (t *Treasurer) dried(ctx context.Context, g Gift) error {
	b := t.terms().Budgets[g.Budget]
	span, now := spanTotal, t.Now()
	periods := b.periods(now, t.Zone)
	used, err := t.Store.Used(ctx, g.Budget, []string{periods[0].name, periods[1].name, spanTotal})
	if err != nil {
		return err
	}
	for _, p := range periods {
		if p.limit > 0 && used[p.name]+g.Amount > p.limit {
			span = p.name
			break
		}
	}
	var fresh bool
	err = t.Store.InTx(ctx, func(tx Tx) (err error) {
		fresh, err = tx.Spend("dry/"+g.Budget, span, 1, 1)
		return err
	})
	if err == nil && fresh && t.Alarm != nil {
		t.Alarm(ctx, Dried{g.Budget, span})
	}
	return err
}

// say tells others of a gift that nobody asked for.
func (g Gift) say(tx Tx, now time.Time) error {
	if !g.triggered {
		return nil
	}
	given := Given{User: g.User, Kind: g.kind, Amount: g.Amount, Name: g.Note}
	if g.kind == ledger.Invite {
		given.Name = g.Key[strings.LastIndexByte(g.Key, '/')+1:]
	}
	e, err := event.New(g.Key, event.BonusGiven, now, given)
	if err != nil {
		return err
	}
	return tx.Emit(e)
}
