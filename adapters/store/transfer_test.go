package store_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/order"
)

// TestTransferCopiesEverything fills every table, some with more than one batch,
// and looks that nothing is missing and that numbers are not given again.
func TestTransferCopiesEverything(t *testing.T) {
	t.Parallel()
	from := open(t, store.Config{Now: now})
	askEverything(t, from)
	book := order.Book{Store: from.Orders(), Now: now}
	apply(t, &book, page(0), batch)
	emitted := func(db *store.DB, id string) int64 {
		t.Helper()
		must(t, db.Orders().InTx(t.Context(), func(tx order.Tx) error {
			return tx.Emit(event.Event{ID: id, Name: event.OrderChanged, At: start})
		}))
		waiting, err := box(db, "order").Waiting(t.Context(), now(), 100)
		must(t, err)
		i := slices.IndexFunc(waiting, func(s event.Stored) bool { return s.Event.ID == id })
		must(t, box(db, "order").Sent(t.Context(), []int64{waiting[i].Seq}))
		return waiting[i].Seq
	}
	last := emitted(from, "gone before")
	here := store.Config{DSN: mariadbtest.Shared(t).Database(t), Now: now}
	to := reopen(t, here)
	filled := 0
	must(t, store.Transfer(t.Context(), from, to, func(c store.Copied) {
		if !c.Equal() {
			t.Errorf("%+v", c)
		}
		if c.Rows > 0 {
			filled++
		}
	}))
	if filled < 20 {
		t.Errorf("only %d tables had anything in them", filled)
	}
	if seq := emitted(to, "after"); seq <= last {
		t.Errorf("event %d has a number that was used up to %d", seq, last)
	}
	if n, err := book.Apply(t.Context(), page(0), nil); err != nil || n != 0 {
		t.Errorf("the old one: %d lines changed, %v", n, err)
	}
	moved := order.Book{Store: to.Orders(), Now: now}
	apply(t, &moved, page(0), 0)
	was, err := ledger.Audit(t.Context(), from.Ledger())
	must(t, err)
	is, err := ledger.Audit(t.Context(), to.Ledger())
	must(t, err)
	if !was.OK() || !is.OK() || was.Entries != is.Entries || is.Entries == 0 {
		t.Errorf("audits %+v and %+v", was, is)
	}
}

// TestTransferLeavesOthersAlone tries where it must not.
func TestTransferLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	file, dsn := store.Config{Path: filepath.Join(t.TempDir(), "fanli.db")}, store.Config{DSN: mariadbtest.Shared(t).Database(t)}
	fresh, lived := reopen(t, file), open(t, dsn)
	must(t, move(t.Context(), lived, "kept"))
	said := func(c store.Copied) { t.Errorf("copied %s", c.Table) }
	wantReason := func(err error, reason string) {
		t.Helper()
		if fault.ReasonOf(err) != reason {
			t.Errorf("%v, want %s", err, reason)
		}
	}
	wantReason(store.Transfer(t.Context(), fresh, lived, said), "store.not_migrated")
	_, err := fresh.Migrate(t.Context())
	must(t, err)
	wantReason(store.Transfer(t.Context(), fresh, lived, said), "store.not_empty")
	wantReason(store.Transfer(t.Context(), lived, fresh, said), "store.transfer_kinds")
	_, err = lived.Migrate(t.Context())
	must(t, errors.Join(err, move(t.Context(), lived, "and more")))
}
