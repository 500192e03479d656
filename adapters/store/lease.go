package store

import (
	"context"
	"time"

	"fanli/core/fault"
	"fanli/core/lock"
)

type leaseRow struct {
	Name    string `gorm:"primaryKey"`
	Holder  string
	Token   int64
	UntilAt int64
}

func (leaseRow) TableName() string { return "jobs_leases" }

type leaseStore struct{ db *DB }

// Take implements lock.Leases. A lease that was given back keeps its row, so that
// its token goes on growing.
func (s leaseStore) Take(ctx context.Context, name, holder string, length time.Duration) (lock.Lease, error) {
	if name == "" || holder == "" {
		return lock.Lease{}, fault.Newf(fault.Invalid, "", "store.Take: lease %q for holder %q", name, holder)
	}
	var r leaseRow
	err := s.db.inTx(ctx, jobsTarget, "lease", func(t *tx) error {
		now := s.db.cfg.Now()
		old, err := first[leaseRow](locked(t.g).Where("name = ?", name))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if old.Holder != "" && old.Holder != holder && ms(now) < old.UntilAt {
			return fault.Newf(fault.Conflict, "lease.taken", "%s belongs to %s until %s", name, old.Holder, at(old.UntilAt))
		}
		r = leaseRow{name, holder, old.Token, ms(now.Add(length))}
		if old.Holder != holder {
			r.Token++
		}
		return insert(t.g, []leaseRow{r}, upsert([]string{"name"}, "holder", "token", "until_at"))
	})
	return lock.Lease{Name: name, Token: r.Token, Until: at(r.UntilAt), In: s.db}, err
}

// Held implements lock.Leases.
func (s leaseStore) Held(ctx context.Context) ([]lock.Holding, error) {
	rows, err := find[leaseRow](s.db.reader(ctx).Where("holder <> '' AND until_at > ?", ms(s.db.cfg.Now())).Order("name"))
	out := make([]lock.Holding, len(rows))
	for i, r := range rows {
		out[i] = lock.Holding{Name: r.Name, Holder: r.Holder}
	}
	return out, err
}

// fence refuses a transaction that is about to commit if the lease under which it was
// made has passed to somebody else. It locks the lease until then, so that nobody can
// take it in between; whoever takes it next sees what was committed. Leases of other
// databases are not its business: what is said to another target's hearers has an
// inbox.
func (t *tx) fence(ctx context.Context) error {
	l, ok := lock.Of(ctx)
	if !ok || l.In != any(t.db) || t.target == jobsTarget {
		return nil
	}
	r, err := first[leaseRow](locked(t.g).Where("name = ?", l.Name))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if r.Token != l.Token {
		return fault.Newf(fault.Unavailable, lock.Lost, "%s was taken over: its token is %d, not %d", l.Name, r.Token, l.Token)
	}
	return nil
}

// Drop implements lock.Leases.
func (s leaseStore) Drop(ctx context.Context, name, holder string) error {
	return s.db.inTx(ctx, jobsTarget, "lease", func(t *tx) error {
		r := t.g.Model(&leaseRow{}).Where("name = ? AND holder = ?", name, holder).
			Updates(map[string]any{"holder": "", "until_at": 0})
		return classify("store.Drop", r.Error)
	})
}
