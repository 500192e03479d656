package order_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// migrated is the file of a fresh database: making one takes far longer than
// copying it, most of all under the race detector.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fanli-order")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg := store.Config{Path: filepath.Join(dir, "fanli.db"), SealKey: bytes.Repeat([]byte("k"), 32)}
	db, err := store.Open(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(cfg.Path)
})

// A desk is a book over a database, with a clock that only the test moves.
type desk struct {
	*order.Book
	t     testing.TB
	db    *store.DB
	at    time.Time
	links int64
}

func openBook(t testing.TB) *desk {
	t.Helper()
	b, err := migrated()
	must(t, err)
	dir, err := os.MkdirTemp("/dev/shm", "fanli-order-") // these tests lose no power
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	path := filepath.Join(dir, "fanli.db")
	must(t, os.WriteFile(path, b, 0o600))
	d := &desk{t: t, at: start}
	now := func() time.Time { return d.at }
	d.db, err = store.Open(t.Context(), store.Config{Path: path, SealKey: bytes.Repeat([]byte("k"), 32), Now: now})
	must(t, err)
	t.Cleanup(func() { must(t, d.db.Close()) })
	d.Book = &order.Book{Store: d.db.Orders(), Now: now}
	return d
}

// twice is a store that runs every transaction a second time, as after a
// deadlock.
type twice struct{ order.Store }

var errDeadlock = errors.New("deadlock")

func (s twice) InTx(ctx context.Context, fn func(order.Tx) error) error {
	err := s.Store.InTx(ctx, func(tx order.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errDeadlock
	})
	if !errors.Is(err, errDeadlock) {
		return err
	}
	return s.Store.InTx(ctx, fn)
}

// row is a paid order row of network and id, five minutes old, of an order of its
// own.
func row(network, id string) order.Revision {
	return order.Revision{
		Key: order.Key{Network: network, Account: "main", ID: id}, Aspect: order.Whole, Order: "n" + id, Item: "item", Title: "水壶",
		Category: "厨具", Quantity: 1, State: order.Paid, Price: 8900, Estimated: 400,
		Created: start.Add(-5 * time.Minute), PaidAt: start.Add(-5 * time.Minute), Modified: start.Add(-time.Minute), Raw: []byte("{" + id + "}"),
	}
}

// with returns r with a change.
func with(r order.Revision, change func(r *order.Revision)) order.Revision {
	change(&r)
	return r
}

// apply applies a page and wants so many lines to change.
func (d *desk) apply(want int, rs ...order.Revision) {
	d.t.Helper()
	n, err := d.Apply(d.t.Context(), order.Page{Revisions: rs}, nil)
	must(d.t, err)
	if n != want {
		d.t.Errorf("%d lines changed, want %d", n, want)
	}
}

// link tells the book of a link that was made some time before the orders.
func (d *desk) link(user int64, network, item, tag, slot string, ago time.Duration) {
	d.t.Helper()
	d.links++
	if tag == "" {
		tag = fmt.Sprint("unseen", d.links)
	}
	at := start.Add(-5*time.Minute - ago)
	m := link.LinkMade{
		Link: d.links, User: user, Network: network, Item: item, Tag: tag, Slot: slot, At: at,
		Promise: link.Promise{Rules: 1, Share: 7000, Rebate: 280, Terms: fmt.Sprintf(`{"rules":%d}`, d.links)},
	}
	e, err := event.New("link/"+tag, event.LinkMade, at, m)
	must(d.t, err)
	must(d.t, d.LinkMade(d.t.Context(), e))
}

// get returns a line.
func (d *desk) get(network, id string) order.Line {
	d.t.Helper()
	k := order.Key{Network: network, Account: "main", ID: id}
	var got map[order.Key]order.Line
	must(d.t, d.db.Orders().InTx(d.t.Context(), func(tx order.Tx) (err error) {
		got, err = tx.Lines([]order.Key{k})
		return err
	}))
	return got[k]
}

// wantOwner judges whose a line is, and what decided.
func (d *desk) wantOwner(network, id string, user int64, step order.Step) {
	d.t.Helper()
	if l := d.get(network, id); l.User != user || l.Step != step || (l.Evidence != "") != (user != 0) {
		d.t.Errorf("line %s is user %d's by %q (%s), want %d by %q", id, l.User, l.Step, l.Evidence, user, step)
	}
}

// said returns what the book has said, oldest first.
func (d *desk) said() (es []event.Event) {
	d.t.Helper()
	for _, o := range d.db.Outboxes() {
		if o.Name() != "order" {
			continue
		}
		stored, err := o.Waiting(d.t.Context(), d.at.AddDate(1, 0, 0), 10_000)
		must(d.t, err)
		for _, s := range stored {
			es = append(es, s.Event)
		}
	}
	return es
}

// last is the content of the newest event.
func (d *desk) last() (c order.Changed) {
	d.t.Helper()
	es := d.said()
	if len(es) == 0 {
		d.t.Fatal("nothing was said")
	}
	must(d.t, es[len(es)-1].Decode(&c))
	return c
}

func (d *desk) wantSaid(n int) {
	d.t.Helper()
	if got := len(d.said()); got != n {
		d.t.Errorf("%d events, want %d", got, n)
	}
}

// wantCommission judges what lines bring together.
func (d *desk) wantCommission(network string, want money.Fen, ids ...string) {
	d.t.Helper()
	var sum money.Fen
	for _, id := range ids {
		sum += d.get(network, id).Commission
	}
	if sum != want {
		d.t.Errorf("lines %v bring %s, want %s", ids, sum, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
