package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	"fanli/core/order"
	"fanli/core/withdraw"
)

// TestNothingIsLostWhereNothingWas lets many transactions of two processes open
// the same accounts: none of them finds a row that it could lock.
func TestNothingIsLostWhereNothingWas(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		dbs := []*store.DB{open(t, here), reopen(t, here)}
		const accounts, each = 5, 20
		var wg sync.WaitGroup
		for user := int64(1); user <= accounts; user++ {
			for n := range each {
				wg.Go(func() {
					key := fmt.Sprintf("user%d/%d", user, n)
					err := dbs[n%len(dbs)].Credits().InTx(t.Context(), func(tx credit.Tx) error {
						j, err := ledger.Open(tx, now())
						if err != nil {
							return err
						}
						err = j.Move(ledger.Entry{Key: key, Kind: ledger.Earn, From: "network/jd", To: ledger.User(user, ledger.Pending), Amount: 1, Cause: key})
						return errors.Join(err, j.Post())
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		for user := int64(1); user <= accounts; user++ {
			if b, err := dbs[0].Ledger().Balance(t.Context(), ledger.User(user, ledger.Pending)); err != nil || b != each {
				t.Errorf("user %d has %d, %v; want %d", user, b, err, each)
			}
		}
		rep, err := ledger.Audit(t.Context(), dbs[1].Ledger())
		must(t, err)
		if !rep.OK() || rep.Entries != accounts*each {
			t.Errorf("audit %+v", rep)
		}
	})
}

// TestOneOfManyTakesWhatIsFree races for everything that is read before it is
// written: of each exactly one is first, and all others learn of it.
func TestOneOfManyTakesWhatIsFree(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		here.Now = now
		dbs := []*store.DB{open(t, here), reopen(t, here)}
		const n = 30
		tests := map[string]func(db *store.DB, i int) (first bool, err error){
			"Lease": func(db *store.DB, i int) (bool, error) {
				_, err := db.Leases().Take(t.Context(), "job", fmt.Sprint("holder", i), time.Minute)
				if fault.Is(err, fault.Conflict) {
					return false, nil
				}
				return err == nil, err
			},
			"Event": func(db *store.DB, _ int) (first bool, err error) {
				err = db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
					before, err := tx.Handled("event")
					first = !before
					return err
				})
				return first, err
			},
			"Withdrawal": func(db *store.DB, i int) (first bool, err error) {
				err = db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
					_, err := tx.ByKey("same")
					if first = fault.Is(err, fault.NotFound); !first {
						return err
					}
					_, err = tx.Insert(withdraw.Withdrawal{Key: "same", User: int64(i + 1), Amount: 1, Payee: canary(), State: withdraw.Approved, Rev: 1})
					return err
				})
				return first, err
			},
			"Line": func(db *store.DB, _ int) (first bool, err error) {
				n, err := (&order.Book{Store: db.Orders(), Now: now}).Apply(t.Context(), one(), nil)
				return n > 0, err
			},
			"Claim": func(db *store.DB, i int) (first bool, err error) {
				err = db.Orders().InTx(t.Context(), func(tx order.Tx) error {
					have, _, err := tx.CountClaims(7, start)
					if first = have == 0; !first || err != nil {
						return err
					}
					_, err = tx.PutClaim(order.Claim{User: 7, Network: link.JD, Order: fmt.Sprint(i), State: order.ClaimWaiting, Rev: 1, At: now()})
					return err
				})
				return first, err
			},
			"Progress": func(db *store.DB, _ int) (bool, error) {
				return false, db.Orders().InTx(t.Context(), func(tx order.Tx) error { return tx.SetProgress(order.Progress{Fence: 1}) })
			},
		}
		for name, race := range tests {
			t.Run(name, func(t *testing.T) {
				var mu sync.Mutex
				var wg sync.WaitGroup
				firsts := 0
				for i := range n {
					wg.Go(func() {
						first, err := race(dbs[i%len(dbs)], i)
						if err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						if first {
							firsts++
						}
					})
				}
				wg.Wait()
				if name != "Progress" && firsts != 1 {
					t.Errorf("%d of %d were first", firsts, n)
				}
			})
		}
	})
}

// one is a page of one order.
func one() order.Page {
	p := page(0)
	p.Revisions = p.Revisions[:1]
	return p
}

// TestALinkMeetsItsOrder lets the news of a link and the order that it led to
// arrive at the same moment. Each looks for the other; whichever is later must
// find it.
func TestALinkMeetsItsOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		here.Now = now
		books := []order.Book{{Store: open(t, here).Orders(), Now: now}, {Store: reopen(t, here).Orders(), Now: now}}
		const n = 20
		all := page(0)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				_, err := books[0].Apply(t.Context(), order.Page{Revisions: all.Revisions[i : i+1]}, nil)
				if err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				tag := fmt.Sprintf("f%015d", i)
				e, err := event.New("link/"+tag, event.LinkMade, start, link.LinkMade{
					Link: int64(i + 1), User: int64(i + 1), Network: link.JD, Item: "other", Tag: tag, At: start,
				})
				if err == nil {
					err = books[1].LinkMade(t.Context(), e)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range n {
			ls, err := books[0].OfUser(t.Context(), int64(i+1), 0, 5)
			if err != nil || len(ls) != 1 {
				t.Errorf("user %d has %d orders, %v", i+1, len(ls), err)
			}
		}
	})
}

// TestABatchIsAFewStatements writes a page of a feed to a server, for which every
// statement is a journey.
func TestABatchIsAFewStatements(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{DSN: mariadbtest.Shared(t).Database(t)})
	book := order.Book{Store: db.Orders(), Now: now}
	var mu sync.Mutex
	n := 0
	db.SeeStatements(func(string, []any) {
		mu.Lock()
		defer mu.Unlock()
		n++
	})
	if lines, err := book.Apply(t.Context(), page(0), nil); err != nil || lines != batch {
		t.Fatalf("%d lines, %v", lines, err)
	}
	const enough = 12
	if n == 0 || n > enough {
		t.Errorf("a page of %d lines took %d statements, want %d at most", batch, n, enough)
	}
}

// TestALostConnectionLosesNothing kills the server while transactions run: what
// was acknowledged is there, and what was not is there wholly or not at all.
func TestALostConnectionLosesNothing(t *testing.T) {
	t.Parallel()
	s := mariadbtest.New(t)
	db := open(t, store.Config{DSN: s.Database(t)})
	const writers, rounds = 4, 3
	var mu sync.Mutex
	said := map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	acknowledged := make(chan struct{}, 1000)
	for w := range writers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key := fmt.Sprintf("writer%d/%d", w, n)
				err := move(ctx, db, key)
				for ctx.Err() == nil && err != nil { // again, under the same key, until it is known
					if c := fault.CodeOf(err); c != fault.Unavailable && c != fault.Unknown {
						t.Errorf("a server that was killed says %v", err)
						return
					}
					err = move(ctx, db, key)
				}
				if err == nil {
					mu.Lock()
					said[key] = true
					mu.Unlock()
					select {
					case acknowledged <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for range rounds {
		for range 25 {
			<-acknowledged
		}
		s.Kill(t)
		s.Start(t)
		for len(acknowledged) > 0 {
			<-acknowledged
		}
	}
	<-acknowledged
	stop()
	wg.Wait()
	rep, err := ledger.Audit(t.Context(), db.Ledger())
	must(t, err)
	there := map[string]bool{}
	must(t, db.Ledger().Walk(t.Context(), func(e ledger.Entry) error { there[e.Key] = true; return nil }))
	for key := range said {
		if !there[key] {
			t.Errorf("%s was acknowledged and is gone", key)
		}
	}
	if !rep.OK() || len(said) < 25*rounds {
		t.Errorf("audit %+v of %d acknowledged entries", rep, len(said))
	}
}

// move posts one entry.
func move(ctx context.Context, db *store.DB, key string) error {
	return db.Credits().InTx(ctx, func(tx credit.Tx) error {
		j, err := ledger.Open(tx, now())
		if err != nil {
			return err
		}
		err = j.Move(ledger.Entry{Key: key, Kind: ledger.Earn, From: "network/jd", To: ledger.User(7, ledger.Pending), Amount: 1, Cause: key})
		return errors.Join(err, j.Post())
	})
}

// statementsOf splits a migration as goose does.
func statementsOf(t *testing.T, path string) (out []string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	var b strings.Builder
	whole := false
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		switch {
		case strings.HasPrefix(line, "-- +goose StatementBegin"):
			whole = true
		case strings.HasPrefix(line, "-- +goose StatementEnd"):
			whole = false
			out = append(out, b.String())
			b.Reset()
		case strings.HasPrefix(line, "--"):
		default:
			code, _, _ := strings.Cut(line, " -- ")
			b.WriteString(code + "\n")
			if !whole && strings.HasSuffix(strings.TrimSpace(code), ";") {
				out = append(out, b.String())
				b.Reset()
			}
		}
	}
	return out
}

// TestAMigrationThatWasKilledGoesOn leaves each step half done, at each of its
// statements, as a server does that is killed: statements that make tables cannot
// be taken back. Other targets have nothing to do with it.
func TestAMigrationThatWasKilledGoesOn(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	files, err := filepath.Glob("migrations/mysql/*/*.sql")
	must(t, err)
	if len(files) < 10 {
		t.Fatalf("there are only %d files", len(files))
	}
	for i, path := range files {
		t.Run(strings.TrimPrefix(path, "migrations/mysql/"), func(t *testing.T) {
			t.Parallel()
			var earlier []string // of the same target
			for _, before := range files[:i] {
				if filepath.Dir(before) == filepath.Dir(path) {
					earlier = append(earlier, statementsOf(t, before)...)
				}
			}
			target := filepath.Base(filepath.Dir(path))
			here := store.Config{DSN: mariadbtest.Shared(t).Database(t), Targets: []string{target}}
			if target == "jobs" { // which is everywhere
				here.Targets = []string{"gateway"}
			}
			db, shell := reopen(t, here), raw(t, here)
			_, err := db.Migrate(t.Context())
			must(t, err)
			all := statementsOf(t, path)
			for done := 1; done <= len(all); done++ {
				dropTables(t, shell, target)
				for _, s := range slices.Concat(earlier, all[:done]) {
					_, err := shell.ExecContext(t.Context(), s)
					must(t, err)
				}
				if _, err := db.Migrate(t.Context()); err != nil {
					t.Fatalf("after statement %d of %d: %v", done, len(all), err)
				}
				if pending, err := db.Pending(t.Context()); err != nil || len(pending) > 0 {
					t.Fatalf("after statement %d of %d there is still %v, %v", done, len(all), pending, err)
				}
			}
		})
	}
}

// dropTables takes all tables of a target out of a database, with what says that
// they were made.
func dropTables(t *testing.T, shell *sql.DB, target string) {
	t.Helper()
	rows, err := shell.QueryContext(t.Context(),
		"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE ?", target+"%")
	must(t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		names = append(names, name)
	}
	must(t, rows.Err())
	if len(names) < 2 {
		t.Fatalf("%s has only the tables %v", target, names)
	}
	_, err = shell.ExecContext(t.Context(), "DROP TABLE "+strings.Join(names, ", "))
	must(t, err)
}

// TestAMigrationThatHadJustBegun leaves the table of what was done without a row.
func TestAMigrationThatHadJustBegun(t *testing.T) {
	t.Parallel()
	here := store.Config{DSN: mariadbtest.Shared(t).Database(t)}
	_, err := raw(t, here).ExecContext(t.Context(), `CREATE TABLE user_migrations (id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
		version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NULL default now(), PRIMARY KEY(id))`)
	must(t, err)
	db := reopen(t, here)
	_, err = db.Migrate(t.Context())
	must(t, errors.Join(err, move(t.Context(), db, "works")))
}

// TestMigrateWhileTheServerDies kills the server, and the process's connection, in
// the middle of migrating.
func TestMigrateWhileTheServerDies(t *testing.T) {
	t.Parallel()
	s := mariadbtest.New(t)
	here := store.Config{DSN: s.Database(t)}
	db, shell := reopen(t, here), s.Shell(t, here.DSN)
	tables := func() (n int) {
		_ = shell.QueryRowContext(t.Context(), tablesOf(here)).Scan(&n) // a dead server has none
		return n
	}
	whole := 0
	for _, stop := range []int{3, 10, 20} {
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := db.Migrate(ctx)
			failed <- err
		}()
		for tables() < stop {
			select {
			case err := <-failed: // it was quicker than we looked
				must(t, err)
				whole++
				failed <- nil
			default:
			}
			if whole > 0 {
				break
			}
		}
		if stop == 10 {
			cancel()
		} else {
			s.Kill(t)
		}
		if err := <-failed; err != nil {
			t.Log(err) // as it should
		}
		cancel()
		if stop != 10 {
			s.Start(t)
		}
	}
	_, err := db.Migrate(t.Context())
	must(t, err)
	if pending, err := db.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("Pending = %v, %v", pending, err)
	}
	must(t, move(t.Context(), db, "works"))
}

// TestTheAddressIsASecret looks for the password in what goes wrong.
func TestTheAddressIsASecret(t *testing.T) {
	t.Parallel()
	right := mariadbtest.Shared(t).Database(t)
	tests := map[string]struct {
		dsn  string
		code fault.Code
	}{
		"NoName":         {right[:strings.LastIndexByte(right, '/')], fault.Invalid},
		"NoSuchDatabase": {right + "_no", fault.Invalid},
		"WrongPassword":  {strings.Replace(right, "fanli:", "fanli:x", 1), fault.Invalid},
		"NoServer":       {strings.Replace(right, "127.0.0.1:", "127.0.0.1:1", 1), ""},
		"BadEscape":      {strings.Replace(right, "fanli:", "fanli:%zz", 1), fault.Invalid},
		"BadParameter":   {right + "?timeout=" + mariadbtest.Secret, fault.Invalid},
		"DriverForm":     {"fanli:" + mariadbtest.Secret + "@tcp(127.0.0.1/x", fault.Invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), store.Config{DSN: tt.dsn, SealKey: sealKey()})
			if err == nil || tt.code != "" && fault.CodeOf(err) != tt.code {
				t.Errorf("Open: %v, want code %s", err, tt.code)
			}
			for _, secret := range []string{mariadbtest.Secret, "cr%2Fet"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%v holds the password", err)
				}
			}
		})
	}
	for _, dsn := range []string{right, "fanli:x@tcp(127.0.0.1:3306)/name", "mysql://u:p%40@host/name?tls=true"} {
		if err := store.CheckDSN(dsn); err != nil {
			t.Errorf("CheckDSN: %v", err)
		}
	}
	_, err := store.Open(t.Context(), store.Config{DSN: right, SealKey: sealKey(), Connections: store.ConnectionsMin - 1})
	if fault.ReasonOf(err) != "store.connections" {
		t.Errorf("too few connections: %v", err)
	}
}
