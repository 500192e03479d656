package main

import (
	"context"
	"fmt"
	"time"

	"fanli/core/credit"
)

// inviter returns who had brought a user, for package credit.
func (a *app) inviter(ctx context.Context, id int64, at time.Time) (int64, error) {
	in, err := a.users.Inviters(ctx, id, at)
	return in[0], err
}

// kin reports whether two users look like one person: their money goes to one
// account.
func (a *app) kin(ctx context.Context, one, other int64) (bool, error) {
	p, err := a.users.Payee(ctx, one)
	if err != nil || p.IsZero() {
		return false, err
	}
	q, err := a.users.Payee(ctx, other)
	return p.Same(q), err
}

// dried says loudly that nobody gets bonuses of a budget any more.
func (a *app) dried(_ context.Context, d credit.Dried) {
	a.log.Error("a budget is used up: bonuses are not given", "budget", d.Budget, "span", d.Span,
		"try", "raise rebate.budgets."+d.Budget+", or let the campaign end")
}

// gifts writes what the configuration gives away beside the rules, one thing a
// line.
func (a *app) gifts() (out []string) {
	if t := a.treasurer; t.CheckIn > 0 {
		out = append(out, fmt.Sprintf("configuration: a check-in brings %s, budget %s", t.CheckIn.Yuan(), t.CheckInBudget))
	}
	if i := a.treasurer.Invitation; i.Inviter+i.Invited > 0 {
		out = append(out, fmt.Sprintf("configuration: a first order brings its inviter %s and its buyer %s, budget %s", i.Inviter.Yuan(), i.Invited.Yuan(), i.Budget))
	}
	return out
}
