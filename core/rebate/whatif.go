package rebate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// A Forecast is what other rules would have done to the lines of the last days, as
// if every link had been made under them. Nobody's promise changes.
type Forecast struct {
	Networks map[string]Outcome
	Changes  []Difference // the lines that change most, the most changed first
}

// An Outcome is what rules do to the lines of one network.
type Outcome struct {
	Lines      int
	Differ     int // of them, those that would bring something else
	Commission money.Fen
	Now, Then  Division
}

// A Division says who gets what.
type Division struct {
	Users    money.Fen
	Inviters money.Fen
	Budgets  money.Fen // of that, what budgets pay
	House    money.Fen
}

// A Difference is a line that would bring something else.
type Difference struct {
	Key        order.Key
	Title      string
	Commission money.Fen
	Now, Then  money.Fen
	Why        string // the trace of Then
}

// Bounds of what a forecast keeps, however many lines there are.
const (
	differencesMax = 10
	levelsMax      = 10_000 // users whose level is remembered
)

// WhatIf computes the lines placed since then under other rules. It writes nothing
// and needs the same memory for any number of lines.
func (c *Clerk) WhatIf(ctx context.Context, rules Rules, since time.Time) (Forecast, error) {
	if err := rules.Validate(); err != nil {
		return Forecast{}, fault.Wrap(fault.Invalid, "rebate.WhatIf", err)
	}
	f := Forecast{Networks: map[string]Outcome{}}
	levels := map[int64]int{}
	err := c.Store.Walk(ctx, since, func(r Rebate) error {
		if r.User == 0 || r.Line.CreatedAt.Before(since) {
			return nil
		}
		level, ok := levels[r.User]
		if !ok {
			var err error
			if level, err = c.Level(ctx, r.User); err != nil {
				return err
			}
			if len(levels) >= levelsMax {
				clear(levels)
			}
			levels[r.User] = level
		}
		in, err := c.forecastInviters(ctx, rules, r)
		if err != nil {
			return err
		}
		f.add(r, c.compute(r, r.Line, rules.Terms(0, subject(r.Line, level)), in))
		return nil
	})
	return f, fault.In("rebate.WhatIf", err)
}

func (c *Clerk) forecastInviters(ctx context.Context, rules Rules, r Rebate) (Inviters, error) {
	if c.Inviters == nil || rules.Referral == (Referral{}) || r.Line.State != order.Settled {
		return Inviters{}, nil
	}
	return c.Inviters(ctx, r.User, r.Line.CreatedAt)
}

// add counts one line.
func (f *Forecast) add(now, then Rebate) {
	o := f.Networks[now.Key.Network]
	o.Lines++
	o.Commission += now.Line.Commission
	o.Now.add(now)
	o.Then.add(then)
	if now.Amount != then.Amount {
		o.Differ++
		f.note(Difference{now.Key, now.Line.Title, now.Line.Commission, now.Amount, then.Amount, then.Trace.String()})
	}
	f.Networks[now.Key.Network] = o
}

func (d *Division) add(r Rebate) {
	d.Users += r.Amount
	d.Inviters += r.Cuts[0].Amount + r.Cuts[1].Amount
	d.Budgets += r.TopUp
	d.House += r.Margin
}

// note keeps the greatest differences, in an order that does not depend on that in
// which the lines came.
func (f *Forecast) note(d Difference) {
	i, _ := slices.BinarySearchFunc(f.Changes, d, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.size(), a.size()), cmp.Compare(a.Key.String(), b.Key.String()))
	})
	f.Changes = slices.Insert(f.Changes, i, d)
	f.Changes = f.Changes[:min(len(f.Changes), differencesMax)]
}

func (d Difference) size() money.Fen { return max(d.Now-d.Then, d.Then-d.Now) }
