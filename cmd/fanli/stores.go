package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"fanli/adapters/store"
	"fanli/core/access"
	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/desk"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/lock"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/proof"
	"fanli/core/rebate"
	"fanli/core/reconcile"
	"fanli/core/user"
	"fanli/core/webhook"
	"fanli/core/withdraw"
)

// stores are the databases of this process: one that has everything, or one for
// each target that is here.
type stores struct {
	all []*store.DB // each once
	of  map[string]*store.DB
}

// openStores opens the configured databases of the targets that are here.
func openStores(ctx context.Context, a *app, s surroundings) (*stores, error) {
	path, key := s.path, make([]byte, sealKeyLen)
	if path == "" {
		if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
			return nil, err
		}
		path = databasePath(a.cfg)
	}
	if path != store.Memory {
		var err error
		if key, err = a.sealKey(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	cfg := store.Config{
		Path: path, DSN: a.dsn(s), Connections: a.cfg.Database.Connections, SealKey: key, Now: s.now, Hook: s.hook, Trace: a.obs.Traceparent,
	}
	return openApart(ctx, cfg, a.here)
}

// openApart opens the database of cfg, or, where the target's mark is in its
// address, one for each target that is here.
func openApart(ctx context.Context, cfg store.Config, here func(target string) bool) (*stores, error) {
	d := &stores{of: map[string]*store.DB{}}
	apart := strings.Contains(cfg.DSN, targetMark)
	for _, t := range targets() {
		if !t.owns || here != nil && !here(t.name) {
			continue
		}
		if !apart && len(d.all) > 0 {
			d.of[t.name] = d.all[0]
			continue
		}
		one := cfg
		if apart {
			one.DSN, one.Targets = strings.ReplaceAll(cfg.DSN, targetMark, t.name), []string{t.name}
		}
		db, err := store.Open(ctx, one)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.all = append(d.all, db)
		d.of[t.name] = db
	}
	return d, nil
}

// Migrate brings the tables of all up to date.
func (d *stores) Migrate(ctx context.Context) (done []store.Applied, err error) {
	for _, db := range d.all {
		steps, err := db.Migrate(ctx)
		done = append(done, steps...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Ping reports whether all answer.
func (d *stores) Ping(ctx context.Context) error {
	var errs []error
	for _, db := range d.all {
		errs = append(errs, db.Ping(ctx))
	}
	return errors.Join(errs...)
}

// Close ends all.
func (d *stores) Close() error {
	var errs []error
	for _, db := range d.all {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}

// Outboxes returns those of the targets that are here.
func (d *stores) Outboxes() (out []*store.Outbox) {
	for _, db := range d.all {
		out = append(out, db.Outboxes()...)
	}
	return out
}

// Leases returns the leases of a target's jobs.
func (d *stores) Leases(target string) lock.Leases { return d.of[target].Leases() }

// The stores of the parts of core, each of the target that owns its tables.

func (d *stores) Users() user.Store                { return d.of[userTarget].Users() }
func (d *stores) Links() link.Store                { return d.of[botTarget].Links() }
func (d *stores) Staff() desk.StaffStore           { return d.of[userTarget].Staff() }
func (d *stores) Pendings() desk.PendingStore      { return d.of[botTarget].Pendings() }
func (d *stores) Alerts() desk.AlertStore          { return d.of[botTarget].Alerts() }
func (d *stores) Memory() *store.Recall            { return d.of[botTarget].Memory() }
func (d *stores) Waiting() link.Waitlist           { return d.of[botTarget].Waiting() }
func (d *stores) Orders() order.Store              { return d.of[orderTarget].Orders() }
func (d *stores) Settlements() reconcile.Lines     { return d.of[orderTarget].Settlements() }
func (d *stores) Rebates() rebate.Store            { return d.of[rebateTarget].Rebates() }
func (d *stores) Credits() credit.Store            { return d.of[paymentTarget].Credits() }
func (d *stores) Ledger() ledger.Reader            { return d.of[paymentTarget].Ledger() }
func (d *stores) Withdrawals() withdraw.Store      { return d.of[paymentTarget].Withdrawals() }
func (d *stores) Charges() collect.Store           { return d.of[paymentTarget].Charges() }
func (d *stores) Control() control.Store           { return d.of[paymentTarget].Control() }
func (d *stores) Seals() proof.SealStore           { return d.of[paymentTarget].Seals() }
func (d *stores) ActStore() audit.Store            { return d.of[paymentTarget].ActStore() }
func (d *stores) Acts() audit.Reader               { return d.of[paymentTarget].Acts() }
func (d *stores) Reconciliations() reconcile.Store { return d.of[paymentTarget].Reconciliations() }
func (d *stores) Keys() access.Store               { return d.of[gatewayTarget].Keys() }
func (d *stores) KeyHash(secret string) string     { return d.of[gatewayTarget].Hash(secret) }
func (d *stores) Messages() notify.Store           { return d.of[notificationTarget].Messages() }
func (d *stores) Webhooks() webhook.Store          { return d.of[notificationTarget].Webhooks() }

// Prove calls fn with the books as of one moment.
func (d *stores) Prove(ctx context.Context, fn func(proof.Source) error) error {
	return d.of[paymentTarget].Prove(ctx, fn)
}
