package main

import (
	"context"
	"fmt"
	"time"

	"fanli/configs"
	"fanli/core/order"
	"fanli/jobs"
)

// plans says what runs here, and when. News that waits is carried first: an order
// is to find the link that it came through. The lease of a job is in its target's
// database.
func (a *app) plans() []jobs.Plan { return a.plansOf(a.cfg) }

// plansOf are the plans that a configuration asks for.
func (a *app) plansOf(c configs.Config) []jobs.Plan {
	var plans []jobs.Plan
	for _, t := range a.targetsHere() {
		if !t.owns {
			continue
		}
		for _, o := range a.db.of[t.name].Outboxes() {
			if o.Name() == t.name {
				plans = append(plans, a.leased(t.name, jobs.Plan{Job: &jobs.Relay{Outbox: o, Bus: a.relayBus(), Now: a.now}, Every: "@every 1s"}))
			}
		}
	}
	for _, t := range a.targetsHere() {
		for _, p := range t.plans(a, c) {
			plans = append(plans, a.leased(t.name, p))
		}
	}
	return plans
}

// leased puts the lease of a plan where its target's are.
func (a *app) leased(target string, p jobs.Plan) jobs.Plan {
	p.Leases = a.db.Leases(target)
	return a.observed(p)
}

// every is how often what follows orders runs.
func every(c configs.Config) string { return "@every " + c.Sync.Every.String() }

func (a *app) userPlans(configs.Config) []jobs.Plan {
	return []jobs.Plan{{Job: jobs.Func{As: "user/memberships", Do: a.users.EndMemberships}, Every: "@every 1m"}}
}

func (a *app) orderPlans(c configs.Config) []jobs.Plan {
	var ladder []jobs.Rung
	if c.Sync.Rescan {
		ladder = jobs.Ladder()
	}
	var plans []jobs.Plan
	for _, f := range a.feeds {
		plans = append(plans, jobs.Plans(f, a.orders, ladder, every(c), c.Sync.First, a.now)...)
	}
	if !a.cfg.Split() { // one process has all; a second one stands by, and shares nothing
		for i := range plans {
			plans[i].Shared = ""
		}
	}
	return append(plans,
		jobs.Plan{Job: jobs.Func{As: "order/settle-due", Do: a.orders.SettleDue}, Every: every(c)},
		jobs.Plan{Job: jobs.Func{As: "order/claims", Do: a.orders.ReviewClaims}, Every: every(c)},
		jobs.Plan{Job: jobs.Func{As: "order/stall-alarm", Do: a.stallAlarm}, Every: "@every 1m", Calm: true},
	)
}

func (a *app) rebatePlans(c configs.Config) []jobs.Plan {
	return []jobs.Plan{{Job: jobs.Func{As: "rebate/release-due", Do: a.rebates.ReleaseDue}, Every: every(c)}}
}

func (a *app) paymentPlans(configs.Config) []jobs.Plan {
	return []jobs.Plan{
		{Job: jobs.Func{As: payoutsJob, Do: a.payouts.Run}, Every: "@every 1s"},
		{Job: jobs.Func{As: "payment/autopay", Do: a.payouts.RunAutopay}, Every: "@every 5m"},
		{Job: jobs.Func{As: chargesJob, Do: a.dues.Run}, Every: "@every 1s"},
		{Job: jobs.Func{As: "payment/balances", Do: a.watch().Run}, Every: "@every 10m", Calm: true},
		{Job: jobs.Func{As: "payment/bills", Do: a.compareBills}, Every: "@every 1h", Calm: true},
		{Job: jobs.Func{As: "payment/seal", Do: a.sealDays}, Every: sealAt, Calm: true},
		{Job: jobs.Func{As: "payment/audit", Do: a.audit}, Every: auditAt, Calm: true},
	}
}

func (a *app) notificationPlans(configs.Config) []jobs.Plan {
	return []jobs.Plan{
		{Job: jobs.Func{As: "notification/cuts", Do: a.office.TellCuts}, Every: "@every 1m"},
		{Job: jobs.Func{As: "notification/deliver", Do: a.deliver}, Every: "@every 1s"},
		{Job: jobs.Func{As: hooksJob, Do: a.deliverHooks}, Every: "@every 2s"},
		{Job: jobs.Func{As: "notification/webhooks-prune", Do: a.hooks.Prune}, Every: "@every 1h"},
	}
}

// deliver tells users; that one cannot be reached is their business, not a
// failure of the job.
func (a *app) deliver(ctx context.Context) (int, error) {
	n, err := a.office.Deliver(ctx)
	if err != nil {
		a.log.Warn("messages given up", "error", err)
	}
	return n, nil
}

// stallAlarm says loudly that a stream of orders stands still.
func (a *app) stallAlarm(ctx context.Context) (int, error) {
	places, err := a.orders.Store.Places(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range jobs.Stalls(places, a.now(), a.conf().Sync.StallAfter) {
		a.log.Error("orders are not followed", "stream", place(p.Place), "since", p.At, "fails", p.Fails, "error", p.Error,
			"try", "check the network's keys and status, then `fanli sync`")
	}
	return 0, nil
}

func place(p order.Place) string {
	return p.Network + "/" + p.Account + "/" + p.Scene + "/" + p.Rung
}

// relayOnEmit wakes a relay as soon as its outbox has something, so that news does
// not wait for the next tick.
func (a *app) relayOnEmit(ctx context.Context) {
	for _, o := range a.db.Outboxes() {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-o.Ready():
					a.runner.Wake("relay/"+o.Name(), "notification/deliver", payoutsJob)
				}
			}
		}()
	}
}

// wakeAll runs everything that may have become due, as after the sandbox's clock
// was moved.
func (a *app) wakeAll() { a.runner.Wake() }

// settleDown runs all jobs until nothing is left to do. Time must stand still
// meanwhile.
func (a *app) settleDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := a.runner.Drain(ctx); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}
