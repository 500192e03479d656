package store_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/rebate"
)

// Sizes of SQLite's log: a header, then frames of a header and a page each.
const (
	walHeader   = 32
	frameHeader = 24
)

// TestPowerLoss cuts the log of the database where a loss of power could have cut
// it, at every frame and at odd places, and looks what is left: every credit that
// was acknowledged before the cut, no half credit, and a sound book.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "fanli.db")
	db := open(t, store.Config{Path: path})
	cashier := credit.Cashier{Store: db.Credits(), Now: now}
	const credits = 5
	var acknowledged []int // length of the log after each credit
	for n := range credits {
		must(t, cashier.RebateChanged(t.Context(), oneRebate(t, n)))
		acknowledged = append(acknowledged, len(read(t, path+"-wal")))
	}
	main, wal := read(t, path), read(t, path+"-wal")
	pageSize := int(binary.BigEndian.Uint32(wal[8:]))
	var cuts []int
	for at := walHeader; at <= len(wal); at += frameHeader + pageSize {
		cuts = append(cuts, at)
	}
	r := rand.New(rand.NewPCG(1, 2)) // the same places every time
	for range 20 {
		cuts = append(cuts, r.IntN(len(wal)))
	}
	for i, cut := range cuts {
		least := money.Fen(0) // of money that must be there
		for _, end := range acknowledged {
			if end <= cut {
				least += 300
			}
		}
		copied := filepath.Join(dir, fmt.Sprint("cut", i, ".db"))
		must(t, os.WriteFile(copied, main, 0o600))
		must(t, os.WriteFile(copied+"-wal", wal[:cut], 0o600))
		wantIntact(t, copied, cut, least)
	}
}

// oneRebate is the news of one pending rebate of user 7.
func oneRebate(t *testing.T, n int) event.Event {
	t.Helper()
	c := rebates(n)
	c.Rebates = c.Rebates[:1]
	c.Rebates[0].User, c.Rebates[0].Amount, c.Rebates[0].Stage = 7, 300, rebate.Pending
	e, err := event.New(fmt.Sprint("rebate/", n), event.RebateChanged, start, c)
	must(t, err)
	return e
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// wantIntact opens what a loss of power has left.
func wantIntact(t *testing.T, path string, cut int, least money.Fen) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: path, SealKey: sealKey()})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	rep, err := ledger.Audit(t.Context(), db.Ledger())
	must(t, err)
	w, err := credit.Purse{Ledger: db.Ledger()}.Wallet(t.Context(), 7)
	must(t, err)
	if !rep.OK() || w.Pending < least || w.Pending%300 != 0 || rep.Entries != int64(w.Pending/300*2) {
		t.Errorf("cut at %d: pending %s, want %s or more; %+v", cut, w.Pending, least, rep)
	}
}
