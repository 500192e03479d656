package main

import (
	"context"
	"slices"

	"fanli/bot"
	"fanli/configs"
	"fanli/core/credit"
	"fanli/core/link"
	"fanli/core/money"
)

// A setting is what can change while fanli runs, with how it is done. Everything else
// needs a restart.
type setting struct {
	keys    []string // each a key of default.yaml
	targets []string // in whose processes it counts; none: in all
	says    string   // since when, for people; docs/configuration.md has it
	apply   func(ctx context.Context, l *live, c configs.Config) error
}

// keptBackError says why a change of a setting does not count, though it is sound.
type keptBackError string

func (k keptBackError) Error() string { return string(k) }

// among returns which of the setting's keys are in changes.
func (s setting) among(changes []configs.Difference) (out []string) {
	for _, d := range changes {
		if slices.Contains(s.keys, d.Key) {
			out = append(out, d.Key)
		}
	}
	return out
}

// settingOf returns the setting of a key; nil if it needs a restart.
func settingOf(key string) *setting {
	for _, s := range settings() {
		if slices.Contains(s.keys, key) {
			return &s
		}
	}
	return nil
}

// settings returns all settings. Rules come first: entering them in the database may
// fail, and then nothing has changed.
func settings() []setting {
	return []setting{
		{
			keys: []string{
				"rebate.base", "rebate.fee", "rebate.levels", "rebate.networks", "rebate.categories", "rebate.cap", "rebate.minimum", "rebate.hold_days",
				"rebate.rules", "rebate.referral.first", "rebate.referral.second", "rebate.settle", "rebate.settle_budget", "rebate.budgets",
			},
			targets: []string{rebateTarget}, says: "for links made from now on, as a new version of the rules; not after `fanli rules set`",
			apply: applyRules,
		},
		{
			keys:    []string{"rebate.budgets", "rebate.checkin.amount", "rebate.checkin.budget", "rebate.invitation.inviter", "rebate.invitation.invited", "rebate.invitation.budget", "rebate.write_off"},
			targets: []string{paymentTarget}, says: "for what is given from now on; what was used of a budget stays used",
			apply: applyGifts,
		},
		{
			keys: []string{
				"withdraw.minimum", "withdraw.maximum", "withdraw.auto", "withdraw.cooling", "withdraw.day_count", "withdraw.day_amount", "withdraw.payee_day",
				"withdraw.house_day", "withdraw.four_eyes", "withdraw.risk", "withdraw.one_person", "withdraw.payer_minimum",
			},
			targets: []string{paymentTarget, botTarget}, says: "for what is asked for, approved or sent from now on",
			apply: applyLimits,
		},
		{
			keys: []string{"log.level"}, says: "from the next line on",
			apply: func(_ context.Context, l *live, c configs.Config) error {
				return l.level.UnmarshalText([]byte(c.Log.Level))
			},
		},
		{
			keys: []string{"links.deadline"}, targets: []string{botTarget}, says: "for the next answer",
			apply: onDesk(func(d *link.Desk, c configs.Config) { d.Change(c.Links.Deadline) }),
		},
		{
			keys: []string{"deals.words"}, targets: []string{botTarget}, says: "for the next list, within 15 minutes",
			apply: onDesk(func(d *link.Desk, c configs.Config) { d.ChangeDeals(c.Deals.Words) }),
		},
		{keys: []string{"bot.search", "bot.contact", "rebate.checkin.amount", "rebate.checkin.budget", "collect.memberships"}, targets: []string{botTarget}, says: "for the next message; memberships only where a collector is on", apply: applyManner},
		{
			keys: []string{"collect.lasts"}, targets: []string{paymentTarget}, says: "for codes made from now on",
			apply: func(_ context.Context, l *live, c configs.Config) error {
				if l.a.dues != nil {
					l.a.dues.Change(c.Collect.Lasts)
				}
				return nil
			},
		},
		{
			keys:    []string{"guard.per_second", "guard.burst", "guard.tries", "guard.backoff", "guard.try_timeout", "guard.timeout", "guard.failures"},
			targets: []string{botTarget, orderTarget}, says: "for calls that begin from now on",
			apply: applyGuards,
		},
		{
			keys: []string{"sync.every"}, targets: []string{orderTarget, rebateTarget}, says: "from the next run on",
			apply: applySchedule,
		},
		{
			keys: []string{"sync.stall_after"}, targets: []string{orderTarget}, says: "from the next look on",
			apply: func(context.Context, *live, configs.Config) error { return nil }, // it is read when it is looked at
		},
	}
}

// onDesk changes the desk that makes links, in the processes that have one.
func onDesk(change func(*link.Desk, configs.Config)) func(context.Context, *live, configs.Config) error {
	return func(_ context.Context, l *live, c configs.Config) error {
		if l.a.desk != nil {
			change(l.a.desk, c)
		}
		return nil
	}
}

// applyRules enacts the rules, in the processes that keep them: the first one makes a
// new version of them, and the others find that it is in force.
func applyRules(ctx context.Context, l *live, c configs.Config) error {
	a := l.a
	if a.rebates == nil {
		return nil
	}
	if es, err := a.rebates.Store.Editions(ctx, 0, 1); err != nil {
		return err
	} else if len(es) > 0 && es[0].Staff {
		return keptBackError("staff has set the rules with `fanli rules set`, and these count")
	}
	_, err := a.rebates.Enact(ctx, c.Rebate.Rules())
	return err
}

// applyGifts changes what is given away.
func applyGifts(_ context.Context, l *live, c configs.Config) error {
	if l.a.treasurer == nil {
		return nil
	}
	r := c.Rebate
	l.a.treasurer.Change(credit.Terms{
		Budgets: r.Limits(), CheckIn: money.Fen(r.CheckIn.Amount), CheckInBudget: r.CheckIn.Budget,
		Invitation: r.Invitation.Gift(), Forgiven: money.Fen(r.WriteOff),
	})
	return nil
}

// applyLimits changes what may be withdrawn, and what people hear of it.
func applyLimits(ctx context.Context, l *live, c configs.Config) error {
	if l.a.payouts != nil {
		l.a.payouts.Change(l.a.limitsOf(c))
	}
	return applyManner(ctx, l, c)
}

// applyManner changes how the bot talks.
func applyManner(_ context.Context, l *live, c configs.Config) error {
	if l.a.bot == nil {
		return nil
	}
	m := bot.Manner{Limits: l.a.limitsOf(c), SearchText: c.Bot.Search, Contact: c.Bot.Contact, Off: commandsOff(c), CheckIn: checkInOf(c)}
	if l.a.sells(c) {
		m.Memberships = members{l.a}
	}
	l.a.bot.Change(m)
	return nil
}

// sells reports whether memberships are on sale.
func (a *app) sells(c configs.Config) bool {
	return a.cfg.Collect.Collector != "" && len(c.Collect.Memberships) > 0
}

// commandsOff are the commands that a configuration switches off, for help and menus.
func commandsOff(c configs.Config) (off []string) {
	if c.Collect.Collector == "" || len(c.Collect.Memberships) == 0 {
		off = append(off, "level")
	}
	if c.Rebate.CheckIn.Amount == 0 {
		off = append(off, "checkin")
	}
	if !slices.ContainsFunc(c.Activities, func(a configs.Activity) bool { return a.Kind == string(bot.Food) }) {
		off = append(off, "food")
	}
	if !bindsTaobao(c) {
		off = append(off, "bindtaobao")
	}
	return off
}

// applyGuards changes how networks are treated.
func applyGuards(_ context.Context, l *live, c configs.Config) error {
	if l.a.opened == nil {
		return nil
	}
	for _, g := range l.a.opened.guards {
		g.Change(c.Guard)
	}
	return nil
}

// applySchedule plans the jobs anew.
func applySchedule(_ context.Context, l *live, c configs.Config) error {
	return l.a.runner.Replan(l.a.plansOf(c))
}
