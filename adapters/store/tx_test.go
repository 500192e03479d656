package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/withdraw"
)

// errCrash is what a test's hook fails with.
var errCrash = errors.New("the process has ended here")

// A crasher ends the process, as far as the store can tell, at the n-th point
// from now.
type crasher struct {
	mu     sync.Mutex
	left   int // points until the crash; 0: never
	points []string
}

func (c *crasher) hook(point string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.points = append(c.points, point)
	if c.left--; c.left == 0 {
		return errCrash
	}
	return nil
}

// at sets the point of the crash.
func (c *crasher) at(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = n
}

func (c *crasher) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.points)
}

func TestHookIsCalledAroundEveryCommit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		c := &crasher{}
		here.Hook = c.hook
		db := open(t, here)
		must(t, db.Orders().InTx(t.Context(), func(order.Tx) error { return nil }))
		must(t, db.Memory().SetMark(t.Context(), "a", "1", 0))
		err := db.Credits().InTx(t.Context(), func(credit.Tx) error { return errCrash })
		if !errors.Is(err, errCrash) {
			t.Error(err)
		}
		want := []string{"order.begin", "order.commit", "order.committed", "memory.begin", "memory.commit", "memory.committed", "credit.begin"}
		if got := c.seen(); !slices.Equal(got, want) {
			t.Errorf("points %v, want %v", got, want)
		}
	})
}

func TestCrashAtCommit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		point string
		at    int
		kept  string
	}{{"begin", 1, ""}, {"commit", 2, ""}, {"committed", 3, "1"}}
	for _, tt := range tests {
		t.Run(tt.point, func(t *testing.T) {
			t.Parallel()
			c := &crasher{}
			db := open(t, store.Config{Hook: c.hook})
			c.at(tt.at)
			if err := db.Memory().SetMark(t.Context(), "a", "1", 0); !errors.Is(err, errCrash) {
				t.Errorf("SetMark: %v, want the hook's error", err)
			}
			got, err := db.Memory().Mark(t.Context(), "a")
			must(t, err)
			if got != tt.kept {
				t.Errorf("after the crash the mark is %q, want %q", got, tt.kept)
			}
			must(t, db.Memory().SetMark(t.Context(), "a", "2", 0))
		})
	}
}

// A flow takes one page of orders all the way to the ledger, as the relay does:
// whatever waits in an outbox is handled and then forgotten.
type flow struct {
	db      *store.DB
	book    *order.Book
	clerk   *rebate.Clerk
	cashier *credit.Cashier
}

func newFlow(db *store.DB) flow {
	return flow{
		db: db, book: &order.Book{Store: db.Orders(), Now: now}, cashier: &credit.Cashier{Store: db.Credits(), Now: now},
		clerk: &rebate.Clerk{Store: db.Rebates(), Now: now},
	}
}

// run does everything once more. It returns the first error, as a process would
// end with it.
func (f flow) run(t *testing.T, pages []order.Page) error {
	t.Helper()
	for _, p := range pages {
		if _, err := f.book.Apply(t.Context(), p, nil); err != nil {
			return err
		}
		if err := f.relay(t, "order", f.clerk.OrderChanged); err != nil {
			return err
		}
		if err := f.relay(t, "rebate", f.cashier.RebateChanged); err != nil {
			return err
		}
	}
	return nil
}

func (f flow) relay(t *testing.T, target string, hear event.Handler) error {
	t.Helper()
	stored, err := box(f.db, target).Waiting(t.Context(), now(), 100)
	if err != nil {
		return err
	}
	for _, s := range stored {
		if err := hear(t.Context(), s.Event); err != nil {
			return err
		}
		if err := box(f.db, target).Sent(t.Context(), []int64{s.Seq}); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the links and the rules that the flow's orders need.
func (f flow) prepare(t *testing.T) {
	t.Helper()
	tell(t, f.book, 4)
	must(t, f.db.Rebates().InTx(t.Context(), func(tx rebate.Tx) error {
		_, err := tx.AddRules(rebate.Rules{Base: 7000}, rebate.Edition{At: start})
		return err
	}))
}

// story is a page of paid orders, and the same when they were refunded in part.
func story() []order.Page {
	paid, refunded := page(0), page(0)
	paid.Revisions, refunded.Revisions = paid.Revisions[:4], refunded.Revisions[:4]
	for i := range refunded.Revisions {
		r := &refunded.Revisions[i]
		r.Modified, r.Estimated, r.Refunded = r.Modified.AddDate(0, 0, 1), money.Fen(100*i), 1_000
	}
	return []order.Page{paid, refunded}
}

// TestEveryCrashPoint ends the process at each point of the way from an order to
// the ledger, again at an early point of the recovery, and lets it start again.
func TestEveryCrashPoint(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		onServer := here.DSN != ""
		truth := play(t, onServer, 0)
		points := 0
		step := 1
		if onServer {
			step = 4 // a sample: each point wants a database of its own
		}
		for n := 1; ; n += step {
			got := play(t, onServer, n)
			if got.crashes == 0 {
				break // the way has fewer than n points
			}
			points++
			if got.accounts != truth.accounts || got.entries != truth.entries {
				t.Errorf("crash at point %d: %s in %d entries, want %s in %d", n, got.accounts, got.entries, truth.accounts, truth.entries)
			}
		}
		if points < 30/step {
			t.Errorf("there were only %d points to crash at", points)
		}
	})
}

// An ending is what the story has left in the ledger.
type ending struct {
	accounts string
	entries  int64
	crashes  int
}

// play plays the story until it gets through, with a crash at the n-th point.
func play(t *testing.T, onServer bool, n int) (e ending) {
	t.Helper()
	c := &crasher{}
	cfg := store.Config{Path: filepath.Join(t.TempDir(), "fanli.db"), Hook: c.hook}
	if onServer {
		cfg.DSN = mariadbtest.Shared(t).Database(t)
	}
	f := newFlow(open(t, cfg))
	f.prepare(t)
	c.at(n)
	for f.run(t, story()) != nil {
		if e.crashes++; e.crashes > 2 {
			t.Fatal("the story does not get through")
		}
		must(t, f.db.Close())
		f = newFlow(reopen(t, cfg))
		if e.crashes == 1 {
			c.at(n%5 + 1) // and again while recovering
		}
	}
	c.at(0)
	rep, err := ledger.Audit(t.Context(), f.db.Ledger())
	must(t, err)
	if !rep.OK() {
		t.Errorf("crash at point %d: %+v", n, rep)
	}
	accounts, err := f.db.Ledger().Accounts(t.Context())
	must(t, err)
	e.accounts, e.entries = fmt.Sprint(accounts), rep.Entries
	return e
}

// TestTwoProcesses lets two processes write one file at the same time.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		dbs := []*store.DB{open(t, here), reopen(t, here)}
		const each = 50
		var wg sync.WaitGroup
		for i, db := range dbs {
			for n := range each {
				wg.Go(func() {
					err := db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
						j, err := ledger.Open(tx, now())
						if err != nil {
							return err
						}
						key := fmt.Sprintf("process%d/%d", i, n)
						err = j.Move(ledger.Entry{Key: key, Kind: ledger.Earn, From: "network/jd", To: ledger.User(7, ledger.Pending), Amount: 1, Cause: key})
						return errors.Join(err, j.Post())
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		b, err := dbs[0].Ledger().Balance(t.Context(), ledger.User(7, ledger.Pending))
		must(t, err)
		if b != 2*each {
			t.Errorf("balance %d, want %d", b, 2*each)
		}
	})
}

// TestATransactionIsAlone reads in a transaction; nobody may write to the same
// target until it ends, so that what it has read is what it changes.
func TestATransactionIsAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		a, b := open(t, here), reopen(t, here)
		nothing := func(withdraw.Tx) error { return nil }
		must(t, a.Credits().InTx(t.Context(), func(tx credit.Tx) error {
			_, err := tx.Balances([]ledger.Account{"network/jd"})
			must(t, err)
			short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := b.Withdrawals().InTx(short, nothing); !fault.Is(err, fault.Unavailable) {
				t.Errorf("another process wrote meanwhile: %v", err)
			}
			return nil
		}))
		must(t, b.Withdrawals().InTx(t.Context(), nothing))
	})
}

// TestSnapshot reads the book while others write it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		cashier := credit.Cashier{Store: db.Credits(), Now: now}
		enter := func(n int) {
			e, err := event.New(fmt.Sprint("rebate/", n), event.RebateChanged, start, rebates(n))
			must(t, err)
			must(t, cashier.RebateChanged(t.Context(), e))
		}
		enter(0)
		must(t, db.Snapshot(t.Context(), func(r ledger.Reader) error {
			before, err := ledger.Audit(t.Context(), r)
			must(t, err)
			enter(1) // does not wait for the reader
			after, err := ledger.Audit(t.Context(), r)
			must(t, err)
			if !before.OK() || before.Entries == 0 || fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("within one snapshot the book was %+v and %+v", before, after)
			}
			return nil
		}))
		rep, err := ledger.Audit(t.Context(), db.Ledger())
		must(t, err)
		if !rep.OK() || rep.Entries != 4*batch {
			t.Errorf("audit %+v, want %d entries", rep, 4*batch)
		}
		if err := db.Snapshot(t.Context(), func(ledger.Reader) error { return errCrash }); !errors.Is(err, errCrash) {
			t.Errorf("Snapshot: %v, want the function's error", err)
		}
	})
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct {
		name string
		cfg  store.Config
		code fault.Code
	}{
		{"NoPath", store.Config{SealKey: sealKey()}, fault.Invalid},
		{"NoSealKey", store.Config{Path: store.Memory}, fault.Invalid},
		{"ShortSealKey", store.Config{Path: store.Memory, SealKey: sealKey()[:31]}, fault.Invalid},
		{"ShortOldSealKey", store.Config{Path: store.Memory, SealKey: sealKey(), OldSealKeys: [][]byte{{1}}}, fault.Invalid},
		{"NoSuchFolder", store.Config{Path: filepath.Join(dir, "no", "fanli.db"), SealKey: sealKey()}, fault.Unavailable},
		{"AFolder", store.Config{Path: dir, SealKey: sealKey()}, fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), tt.cfg)
			if fault.CodeOf(err) != tt.code {
				t.Errorf("Open: %v, want code %s", err, tt.code)
			}
		})
	}
}

// TestTargetsShareNothing looks in the order target for a link that only the bot
// target has.
func TestTargetsShareNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		here.Now = now
		db := open(t, here)
		must(t, db.Links().InTx(t.Context(), func(tx link.Tx) error {
			_, err := tx.Insert(link.Link{User: 7, Network: link.JD, Item: "item", Mark: link.Mark{Tag: "tag"}, At: start})
			return err
		}))
		must(t, db.Orders().InTx(t.Context(), func(tx order.Tx) error {
			w, err := tx.Ways(link.JD, []string{"tag"}, []string{"item"}, nil, nil, start)
			if len(w.ByTag)+len(w.ByItem) > 0 {
				t.Errorf("the order target knows %+v before it has heard of it", w)
			}
			return err
		}))
	})
}
