package desk

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// whatIfDays is how far back a forecast looks, unless it is said.
const (
	whatIfDays    = 30
	whatIfDaysMax = 366
)

// A Sharing is the part of the rebate target's station that knows rules.
type Sharing struct {
	Clerk *rebate.Clerk
	// Budgets are the names of those that there are now.
	Budgets func() []string
	Now     func() time.Time
}

// Handlers are its acts.
func (s Sharing) Handlers() map[string]Handler {
	return map[string]Handler{"arules": s.rules, "whatif": s.whatIf, "rollback": s.rollback, "aorder": s.rebates}
}

// version reads which version is meant; 0 is the one in force.
func version(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	return number(s)
}

func (s Sharing) get(ctx context.Context, v int64) (rebate.Rules, int64, error) {
	r, v, err := s.Clerk.Store.Rules(ctx, v)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "desk.no_version")
	}
	return r, v, err
}

func (s Sharing) rules(ctx context.Context, a Act) (out Answer, err error) {
	v, err := version(a.arg(0))
	if err != nil {
		return out, err
	}
	r, v, err := s.get(ctx, v)
	if err != nil {
		return out, err
	}
	i := Item{Title: LRules, ID: strconv.FormatInt(v, 10)}
	for _, l := range r.Lines() {
		i.Fields = append(i.Fields, text("", l))
	}
	out.Items = []Item{i}
	es, err := s.Clerk.Store.Editions(ctx, 0, 3)
	for _, e := range es {
		h := Item{Title: LVersion, ID: strconv.FormatInt(e.Version, 10), Fields: []Field{moment(LAt, e.At)}}
		if e.Staff {
			h.Fields = append(h.Fields, text(LBy, e.By), text(LReason, e.Reason))
		}
		out.Items = append(out.Items, h)
	}
	return out, err
}

// whatIf computes the last days under another version, or with another base share:
// "3", "75%", "75% 60".
func (s Sharing) whatIf(ctx context.Context, a Act) (out Answer, err error) {
	days := whatIfDays
	if w := a.arg(1); w != "" {
		if days, err = strconv.Atoi(w); err != nil || days < 1 || days > whatIfDaysMax {
			return out, fault.New(fault.Invalid, "desk.no_number")
		}
	}
	r, err := s.tried(ctx, a.arg(0))
	if err != nil {
		return out, err
	}
	f, err := s.Clerk.WhatIf(ctx, r, s.Now().AddDate(0, 0, -days))
	if fault.Is(err, fault.Invalid) {
		return out, fault.Wrap(fault.Invalid, "", fault.New(fault.Invalid, "desk.bad_rules"))
	}
	for _, n := range slices.Sorted(maps.Keys(f.Networks)) {
		o := f.Networks[n]
		out.Items = append(out.Items, Item{Title: LForecast, ID: n, Fields: []Field{
			count(LLines, int64(o.Lines)), count(LDiffer, int64(o.Differ)), amount(LCommission, o.Commission),
			amount(LUsersNow, o.Now.Users+o.Now.Inviters), amount(LUsersThen, o.Then.Users+o.Then.Inviters),
			amount(LHouseNow, o.Now.House), amount(LHouseThen, o.Then.House),
		}})
	}
	return out, err
}

// tried returns the rules that are tried.
func (s Sharing) tried(ctx context.Context, word string) (rebate.Rules, error) {
	if !strings.HasSuffix(word, "%") {
		v, err := version(word)
		if err != nil {
			return rebate.Rules{}, err
		}
		r, _, err := s.get(ctx, v)
		return r, err
	}
	base, err := money.ParsePercent(strings.TrimSuffix(word, "%"), money.Exact)
	if err != nil {
		return rebate.Rules{}, fault.New(fault.Invalid, "desk.no_number")
	}
	r, _, err := s.get(ctx, 0)
	r.Base = base
	return r, err
}

// rollback enacts what an earlier version said.
func (s Sharing) rollback(ctx context.Context, a Act) (out Answer, err error) {
	v, err := number(a.arg(0))
	if err != nil {
		return out, err
	}
	then, _, err := s.get(ctx, v)
	if err != nil {
		return out, err
	}
	now, in, err := s.get(ctx, 0)
	if err != nil {
		return out, err
	}
	if s.Budgets != nil {
		then.Budgets = s.Budgets()
	}
	i := Item{Title: LRules, ID: a.arg(0), Fields: []Field{change(LVersion, strconv.FormatInt(in, 10), strconv.FormatInt(in+1, 10))}}
	for _, l := range rebate.Compare(now, then) {
		i.Fields = append(i.Fields, text("", l))
	}
	out = Answer{Items: []Item{i}, Same: rebate.Same(now, then)}
	if a.Dry || out.Same {
		return out, nil
	}
	_, err = s.Clerk.Set(ctx, then, in, a.Actor(), a.Reason)
	if fault.Is(err, fault.Invalid) {
		err = fault.Wrap(fault.Invalid, "", fault.New(fault.Invalid, "desk.bad_rules"))
	}
	return out, err
}

// rebates shows what the lines of an order bring, and how that was computed.
func (s Sharing) rebates(ctx context.Context, a Act) (out Answer, err error) {
	var keys []order.Key
	if len(a.Data) == 0 { // order is away
		return out, nil
	}
	if err := json.Unmarshal(a.Data, &keys); err != nil || len(keys) > listMax {
		return out, fault.Wrap(fault.Invalid, "aorder", err)
	}
	rs, err := s.Clerk.Of(ctx, keys)
	for _, k := range keys {
		r, ok := rs[k]
		if !ok {
			continue
		}
		out.Items = append(out.Items, Item{Title: LRebate, ID: k.ID, Fields: []Field{
			amount(LAmount, r.Amount), word(LState, string(r.Stage)), text(LTrace, r.Trace.String()),
		}})
	}
	return out, err
}
