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
	return lock.Lease{Name: name, Token: r.Token, Until: at(r.UntilAt)}, err
}

// Drop implements lock.Leases.
func (s leaseStore) Drop(ctx context.Context, name, holder string) error {
	return s.db.inTx(ctx, jobsTarget, "lease", func(t *tx) error {
		r := t.g.Model(&leaseRow{}).Where("name = ? AND holder = ?", name, holder).
			Updates(map[string]any{"holder": "", "until_at": 0})
		return classify("store.Drop", r.Error)
	})
}
