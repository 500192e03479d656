package main

import (
	"context"
	"errors"
	"time"

	"fanli/adapters/observe"
	"fanli/core/ledger"
	"fanli/jobs"
)

// sources read what metrics show of the databases of the targets that are here.
// Processes that run the same target say the same.
func (a *app) sources() []observe.Source {
	out := []observe.Source{{Name: "outbox", Read: a.readOutboxes}, {Name: "database", Read: a.readDatabases}}
	if a.peers != nil && a.peers.broker != nil {
		out = append(out, observe.Source{Name: "queues", Read: a.readQueues})
	}
	if a.here(botTarget) {
		out = append(out, observe.Source{Name: "mail", Read: a.readMail})
	}
	if a.here(userTarget) {
		out = append(out, observe.Source{Name: "merges", Read: a.readMerges})
	}
	if a.here(orderTarget) {
		out = append(out, observe.Source{Name: "feeds", Read: a.readFeeds})
	}
	if a.here(paymentTarget) {
		out = append(out,
			observe.Source{Name: "ledger", Read: a.readLedger}, observe.Source{Name: "withdrawals", Read: a.readWithdrawals},
			observe.Source{Name: "switches", Read: a.readSwitches})
	}
	return out
}

// age is how long ago something was by the time by which money moves; 0 for never.
func (a *app) age(at time.Time) float64 { return age(at, a.now()) }

func age(at, now time.Time) float64 {
	if at.IsZero() || at.UnixMilli() == 0 {
		return 0
	}
	return max(0, now.Sub(at).Seconds())
}

func (a *app) readOutboxes(ctx context.Context, say observe.Say) error {
	var errs []error
	for _, t := range a.targetsHere() {
		if !t.owns {
			continue
		}
		box := a.outbox(t.name)
		count, oldest, err := box.Depth(ctx)
		dead, derr := box.Buried(ctx)
		if err = errors.Join(err, derr); err != nil {
			errs = append(errs, err)
			continue
		}
		say(observe.OutboxEvents, float64(count), t.name)
		say(observe.OutboxAge, a.age(oldest), t.name)
		say(observe.DeadLetters, float64(dead), t.name)
	}
	return errors.Join(errs...)
}

// readQueues reads how much waits at the broker for the targets that are here: by that
// they are scaled.
func (a *app) readQueues(ctx context.Context, say observe.Say) error {
	var errs []error
	for _, t := range a.targetsHere() {
		if len(t.hears(a)) == 0 {
			continue
		}
		n, err := a.peers.broker.Depth(ctx, t.name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		say(observe.QueueEvents, float64(n), t.name)
	}
	return errors.Join(errs...)
}

func (a *app) readDatabases(_ context.Context, say observe.Say) error {
	for _, t := range a.targetsHere() {
		db := a.db.of[t.name]
		if db == nil {
			continue
		}
		name := t.name
		if len(a.db.all) == 1 {
			name = "all"
		}
		s := db.Connections()
		say(observe.DatabaseInUse, float64(s.InUse), name)
		say(observe.DatabaseWaits, float64(s.WaitCount), name)
		if len(a.db.all) == 1 {
			return nil
		}
	}
	return nil
}

func (a *app) readFeeds(ctx context.Context, say observe.Say) error {
	places, err := a.orders.Store.Places(ctx)
	for _, p := range places {
		if p.Rung == jobs.Follow {
			say(observe.FeedSuccess, observe.Seconds(p.At), p.Network, p.Account, p.Scene)
			say(observe.FeedFailures, float64(p.Fails), p.Network, p.Account, p.Scene)
		}
	}
	return err
}

// readLedger reads what the ledger has for everybody to see. Amounts are whole fen
// and exact to 2^53, ninety trillion yuan; nothing computes with them.
func (a *app) readLedger(ctx context.Context, say observe.Say) error {
	db := a.db.of[paymentTarget]
	height, err := db.Height(ctx)
	if err != nil {
		return err
	}
	sums, err := db.Sums(ctx)
	if err != nil {
		return err
	}
	seal, err := a.db.Seals().LastSeal(ctx)
	if err != nil {
		return err
	}
	say(observe.LedgerEntries, float64(height))
	say(observe.SealSuccess, observe.Seconds(seal.At))
	for name, sum := range sums {
		say(ledgerMetric(name), float64(sum), string(name))
	}
	return nil
}

// ledgerMetric says in which metric an account stands.
func ledgerMetric(name ledger.Account) string {
	if name.Clearing() {
		return observe.LedgerClearing
	}
	return observe.LedgerHouse
}

func (a *app) readWithdrawals(ctx context.Context, say observe.Say) error {
	open, err := a.db.of[paymentTarget].OpenWithdrawals(ctx)
	for state, q := range open {
		say(observe.Withdrawals, float64(q.Count), string(state))
		say(observe.WithdrawalsAge, a.age(q.Oldest), string(state))
	}
	return err
}

func (a *app) readSwitches(ctx context.Context, say observe.Say) error {
	all, err := a.db.Control().Switches(ctx)
	for _, s := range all {
		if s.On {
			say(observe.SwitchOn, 1, string(s.Scope))
		}
	}
	return err
}
