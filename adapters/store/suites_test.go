package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/notify"
	"fanli/core/storetest"
)

// Why the race detector need not look at some tests.
const (
	same         = "skipped under the race detector, which sees the same goroutines on a file: stage 2 runs it"
	oneGoroutine = "skipped under the race detector: it is one goroutine; stage 2 runs it"
)

// TestSuites holds the stores to core's promises, in a file, in memory and on a
// server.
func TestSuites(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"File": "", "Memory": store.Memory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if underRace && path != "" {
				t.Skip(same)
			}
			suites(t, func(t *testing.T, now func() time.Time) *store.DB {
				t.Helper()
				return open(t, store.Config{Path: path, Now: now})
			})
		})
	}
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		if underRace {
			t.Skip(same)
		}
		suites(t, func(t *testing.T, now func() time.Time) *store.DB {
			t.Helper()
			return reopen(t, store.Config{DSN: mariadbtest.Shared(t).Borrowed(t), Now: now})
		})
	})
}

func suites(t *testing.T, open func(t *testing.T, now func() time.Time) *store.DB) {
	t.Helper()
	suite := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
	suite("Users", func(t *testing.T) {
		storetest.Users(t, func(t *testing.T) storetest.UserStore {
			db := open(t, now)
			return storetest.UserStore{Store: db.Users(), Heard: heard(db, "user")}
		})
	})
	suite("Staff", func(t *testing.T) {
		storetest.Staff(t, func(t *testing.T) desk.StaffStore { return open(t, now).Staff() })
	})
	suite("Desks", func(t *testing.T) {
		storetest.Desks(t, func(t *testing.T) storetest.DeskStore {
			db := open(t, now)
			return struct {
				desk.PendingStore
				desk.AlertStore
				*store.PostOffice
			}{db.Pendings(), db.Alerts(), db.PostOffice()}
		})
	})
	suite("Merges", func(t *testing.T) {
		storetest.Merges(t, func(t *testing.T) storetest.MergeStores {
			db := open(t, now)
			return storetest.MergeStores{
				Merges: db.Merges(), Moved: db.Moved(), Credits: db.Credits(), Ledger: db.Ledger(), Orders: db.Orders(), Heard: heard(db, "user"),
			}
		})
	})
	suite("Links", func(t *testing.T) {
		storetest.Links(t, func(t *testing.T) storetest.LinkStore {
			db := open(t, now)
			return storetest.LinkStore{Store: db.Links(), Heard: heard(db, "bot")}
		})
	})
	suite("Orders", func(t *testing.T) {
		storetest.Orders(t, func(t *testing.T) storetest.OrderStore {
			db := open(t, now)
			return storetest.OrderStore{Store: db.Orders(), Heard: heard(db, "order"), Now: now}
		})
	})
	suite("Webhooks", func(t *testing.T) {
		storetest.Webhooks(t, func(t *testing.T) storetest.WebhookStore {
			db := open(t, now)
			return storetest.WebhookStore{Store: db.Webhooks(), Heard: heard(db, "notification")}
		})
	})
	suite("Rebates", func(t *testing.T) {
		storetest.Rebates(t, func(t *testing.T) storetest.RebateStore {
			db := open(t, now)
			return storetest.RebateStore{Store: db.Rebates(), Heard: heard(db, "rebate")}
		})
	})
	suite("Ledger", func(t *testing.T) {
		storetest.Ledger(t, func(t *testing.T) storetest.LedgerStore {
			db := open(t, now)
			return storetest.LedgerStore{Store: db.Credits(), Reader: db.Ledger()}
		})
	})
	suite("Credits", func(t *testing.T) {
		storetest.Credits(t, func(t *testing.T) storetest.CreditStore {
			db := open(t, now)
			return storetest.CreditStore{Store: db.Credits(), Reader: db.Ledger(), Heard: heard(db, "payment")}
		})
	})
	suite("Withdrawals", func(t *testing.T) {
		storetest.Withdrawals(t, func(t *testing.T) storetest.WithdrawalStore {
			db := open(t, now)
			return storetest.WithdrawalStore{
				Store: db.Withdrawals(), Credit: db.Credits(), Reader: db.Ledger(), Heard: heard(db, "payment"),
			}
		})
	})
	suite("Collections", func(t *testing.T) {
		storetest.Collections(t, func(t *testing.T) storetest.CollectionStore {
			db := open(t, now)
			return storetest.CollectionStore{Store: db.Charges(), Reader: db.Ledger(), Heard: heard(db, "payment")}
		})
	})
	suite("Reconciliations", func(t *testing.T) {
		storetest.Reconciliations(t, func(t *testing.T) storetest.ReconcileStore {
			db := open(t, now)
			return storetest.ReconcileStore{
				Lines: db.Settlements(), Store: db.Reconciliations(), Orders: db.Orders(), Credits: db.Credits(),
				Payouts: db.Withdrawals(), Charges: db.Charges(), Ledger: db.Ledger(), Leases: db.Leases(),
			}
		})
	})
	suite("Messages", func(t *testing.T) {
		storetest.Messages(t, func(t *testing.T) notify.Store { return open(t, now).Messages() })
	})
	suite("Posts", func(t *testing.T) {
		storetest.Posts(t, func(t *testing.T) storetest.PostStore { return open(t, now).PostOffice() })
	})
	suite("Keys", func(t *testing.T) {
		storetest.Keys(t, func(t *testing.T) storetest.KeyStore {
			db := open(t, now)
			return storetest.KeyStore{Store: db.Keys(), Heard: heard(db, "gateway")}
		})
	})
	suite("Leases", func(t *testing.T) {
		storetest.Leases(t, func(t *testing.T) storetest.LeaseStore {
			c := &clock{at: start}
			return storetest.LeaseStore{Leases: open(t, c.now).Leases(), Now: c.now, Advance: c.advance}
		})
	})
	suite("Memory", func(t *testing.T) {
		storetest.Memory(t, func(t *testing.T) storetest.Remembering { return open(t, now).Memory() })
	})
}

// box returns the outbox of a target.
func box(db *store.DB, target string) *store.Outbox {
	boxes := db.Outboxes()
	return boxes[slices.IndexFunc(boxes, func(o *store.Outbox) bool { return o.Name() == target })]
}

// heard reads a target's outbox.
func heard(db *store.DB, target string) storetest.Heard {
	return func(t *testing.T) []event.Event {
		t.Helper()
		stored, err := box(db, target).Waiting(t.Context(), now(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		var out []event.Event
		for _, s := range stored {
			out = append(out, s.Event)
		}
		return out
	}
}

// A clock is set by a test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
