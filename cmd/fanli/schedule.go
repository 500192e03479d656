package main

import (
	"context"
	"fmt"
	"time"

	"fanli/core/order"
	"fanli/jobs"
)

// plans says what runs when. This is the whole list. News that
// waits is carried first: an order is to find the link that it came through.
func (a *app) plans() []jobs.Plan {
	every := "@every " + a.cfg.Sync.Every.String()
	var ladder []jobs.Rung
	if a.cfg.Sync.Rescan {
		ladder = jobs.Ladder()
	}
	var plans []jobs.Plan
	for _, o := range a.db.Outboxes() {
		plans = append(plans, jobs.Plan{Job: &jobs.Relay{Outbox: o, Bus: a.bus, Now: a.now}, Every: "@every 1s"})
	}
	for _, f := range a.feeds {
		plans = append(plans, jobs.Plans(f, a.orders, ladder, every, a.cfg.Sync.First, a.now)...)
	}
	plans = append(plans,
		jobs.Plan{Job: jobs.Func{As: "order/settle-due", Do: a.orders.SettleDue}, Every: every},
		jobs.Plan{Job: jobs.Func{As: "order/claims", Do: a.orders.ReviewClaims}, Every: every},
		jobs.Plan{Job: jobs.Func{As: "rebate/release-due", Do: a.rebates.ReleaseDue}, Every: every},
		jobs.Plan{Job: jobs.Func{As: "payment/payouts", Do: a.payouts.Run}, Every: "@every 1s"},
		jobs.Plan{Job: jobs.Func{As: "payment/autopay", Do: a.payouts.RunAutopay}, Every: "@every 5m"},
		jobs.Plan{Job: jobs.Func{As: chargesJob, Do: a.dues.Run}, Every: "@every 1s"},
		jobs.Plan{Job: jobs.Func{As: "user/memberships", Do: a.users.EndMemberships}, Every: "@every 1m"},
	)
	return append(plans,
		jobs.Plan{Job: jobs.Func{As: "notification/cuts", Do: a.office.TellCuts}, Every: "@every 1m"},
		jobs.Plan{Job: jobs.Func{As: "notification/deliver", Do: a.deliver}, Every: "@every 1s"},
		jobs.Plan{Job: jobs.Func{As: "order/stall-alarm", Do: a.stallAlarm}, Every: "@every 1m", Calm: true},
		jobs.Plan{Job: jobs.Func{As: "payment/balances", Do: a.watch().Run}, Every: "@every 10m", Calm: true},
		jobs.Plan{Job: jobs.Func{As: "payment/bills", Do: a.compareBills}, Every: "@every 1h", Calm: true},
		jobs.Plan{Job: jobs.Func{As: "payment/seal", Do: a.sealDays}, Every: sealAt, Calm: true},
		jobs.Plan{Job: jobs.Func{As: "payment/audit", Do: a.audit}, Every: auditAt, Calm: true},
	)
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
	for _, p := range jobs.Stalls(places, a.now(), a.cfg.Sync.StallAfter) {
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
					a.runner.Wake("relay/"+o.Name(), "notification/deliver", "payment/payouts")
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
