//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/ledger"
	"fanli/core/money"
)

// What a proof of ten million entries may take; less of them, less.
const (
	proofTime   = 60 * time.Second // for each 10 M entries
	proofMemory = 200              // MiB, at most
)

// TestProofOfMillions proves a large book in bounded time and memory. It runs with
// FANLI_SOAK=1 over a million entries, or over FANLI_AUDIT_ENTRIES.
func TestProofOfMillions(t *testing.T) {
	entries := 1_000_000
	if s := os.Getenv("FANLI_AUDIT_ENTRIES"); s != "" {
		n, err := strconv.Atoi(s)
		must(t, err)
		entries = n
	} else if os.Getenv("FANLI_SOAK") == "" {
		t.Skip("a minute of writing: FANLI_SOAK=1")
	}
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path})
	began := time.Now()
	m := &mill{shell: raw(t, store.Config{Path: path}), balances: map[string]int64{}, ids: map[string]int64{}}
	must(t, m.grind(t.Context(), entries))
	info, err := os.Stat(path)
	must(t, err)
	t.Logf("%d entries written in %s, %d MiB", m.entries, time.Since(began).Round(time.Second), info.Size()>>20)
	written := int64(m.entries)
	must(t, m.shell.Close()) // with its cache
	m = nil

	resetPeak(t)
	began, used := time.Now(), cpuTime(t)
	rep := wantProved(t, db)
	took, peak := time.Since(began), peakMiB(t)
	used = cpuTime(t) - used
	t.Logf("%d entries, %d lines, %d accounts proved in %s (%s of CPU) with at most %d MiB",
		rep.Entries, rep.Lines, rep.Accounts, took.Round(10*time.Millisecond), used.Round(10*time.Millisecond), peak)
	if rep.Entries != written || rep.Unbatched != 0 {
		t.Errorf("proof %+v", rep)
	}
	if limit := proofTime * time.Duration(max(written, 1_000_000)) / 10_000_000; used > limit && !underRace { // a busy machine cannot change it
		t.Errorf("it took %s, not %s", used, limit)
	}
	if peak > proofMemory && !underRace {
		t.Errorf("it took %d MiB, not %d", peak, proofMemory)
	}
}

// A mill writes entries as fast as the file takes them: lines that are paid,
// settled and partly withdrawn.
type mill struct {
	shell    *sql.DB
	tx       *sql.Tx
	ctx      context.Context
	entries  int
	batches  int
	balances map[string]int64
	ids      map[string]int64
	batch    []ledger.Entry
	booked   []any
	done     []any
}

// millBatch is how many lines make a batch.
const millBatch = 100

func (m *mill) grind(ctx context.Context, entries int) (err error) {
	m.ctx = ctx
	m.shell.SetMaxOpenConns(1)
	for _, s := range []string{
		"PRAGMA synchronous = 0", "PRAGMA cache_size = -65536", "DROP INDEX payment_entries_from", "DROP INDEX payment_entries_to", "DROP INDEX payment_entries_cause",
	} {
		if _, err := m.shell.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	for line := 0; m.entries < entries; {
		if m.tx, err = m.shell.BeginTx(ctx, nil); err != nil {
			return err
		}
		for n := 0; n < 200 && m.entries < entries; n++ {
			if err := m.lines(line); err != nil {
				return err
			}
			line += millBatch
		}
		if err := m.tx.Commit(); err != nil {
			return err
		}
	}
	if m.tx, err = m.shell.BeginTx(ctx, nil); err != nil {
		return err
	}
	for name, id := range m.ids {
		if err := m.insert("payment_accounts", 4, []any{id, name, ledger.Account(name).Class().Sign(), m.balances[name]}); err != nil {
			return err
		}
	}
	return m.tx.Commit()
}

// lines writes what becomes of a hundred lines: one batch when they are paid and
// one when they settle.
func (m *mill) lines(from int) error {
	at := start.Add(time.Duration(from) * time.Second)
	for i := range millBatch {
		n := from + i
		cause, u := fmt.Sprintf("jd/main/4159%09d", n), int64(n/25+1)
		m.post(at, ledger.Earn, "network/jd", ledger.User(u, ledger.Pending), 200, cause, "rebate/"+cause+"/seq1/1-earn")
		m.post(at, ledger.Keep, "network/jd", ledger.Margin, 80, cause, "rebate/"+cause+"/seq1/2-keep")
		m.booked = append(m.booked, "jd", "main", cause[len("jd/main/"):], 2, u, 0, 200, 80)
	}
	if err := m.flush(); err != nil {
		return err
	}
	for i := range millBatch {
		n := from + i
		cause, u := fmt.Sprintf("jd/main/4159%09d", n), int64(n/25+1)
		m.post(at, ledger.Settle, ledger.User(u, ledger.Pending), ledger.User(u, ledger.Available), 200, cause, "rebate/"+cause+"/seq2/1-settle")
		if n%25 == 24 {
			w := int64(n/25 + 1)
			cause := fmt.Sprint("withdrawal/", w)
			m.post(at, ledger.Reserve, ledger.User(u, ledger.Available), ledger.User(u, ledger.Reserved), 1000, cause, cause+"/reserve")
			m.post(at, ledger.Payout, ledger.User(u, ledger.Reserved), "payer/manual", 1000, cause, cause+"/payout")
			m.done = append(m.done, w, cause, u, 1000, "x", "paid", "", "manual", cause, "", 4, 0, 1, 1, 0, "", "", 0, "", "", "", "", 1)
		}
	}
	if err := m.insert("payment_booked (network, account, line_no, seq, user_id, pending, available, margin)", 8, m.booked); err != nil {
		return err
	}
	if err := m.insert("payment_withdrawals (id, request_key, user_id, amount, payee, state, reason, payer, number, actor, rev, tries, at, changed_at, next_at, payee_print, first_actor, risk, signs, receipt, confirm_text, batch, sent_at)", 23, m.done); err != nil {
		return err
	}
	m.booked, m.done = m.booked[:0], m.done[:0]
	return m.flush()
}

func (m *mill) post(at time.Time, kind ledger.Kind, from, to ledger.Account, amount money.Fen, cause, key string) {
	for _, a := range []ledger.Account{from, to} {
		if m.ids[string(a)] == 0 {
			m.ids[string(a)] = int64(len(m.ids) + 1)
		}
	}
	m.balances[string(from)] -= int64(amount)
	m.balances[string(to)] += int64(amount)
	m.batch = append(m.batch, ledger.Entry{Key: key, Kind: kind, From: from, To: to, Amount: amount, Cause: cause, Note: "不锈钢保温杯 500ml 便携", At: at})
}

// flush writes a batch.
func (m *mill) flush() error {
	m.batches++
	at := m.batch[0].At.UnixMilli()
	if err := m.insert("payment_batches", 4, []any{m.batches, len(m.batch), ledger.DigestOf(m.batch), at}); err != nil {
		return err
	}
	var args []any
	for _, e := range m.batch {
		args = append(args, e.Key, string(e.Kind), m.ids[string(e.From)], m.ids[string(e.To)], int64(e.Amount), e.Cause, e.Note, at, m.batches)
	}
	m.entries += len(m.batch)
	m.batch = m.batch[:0]
	return m.insert("payment_entries (entry_key, kind, from_id, to_id, amount, cause, note, at, batch_id)", 9, args)
}

// insert writes rows of width columns, as many at a time as the driver likes.
func (m *mill) insert(into string, width int, args []any) error {
	const rows = 50
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	for len(args) > 0 {
		n := min(rows*width, len(args))
		q := "INSERT INTO " + into + " VALUES " + row + strings.Repeat(", "+row, n/width-1)
		if _, err := m.tx.ExecContext(m.ctx, q, args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// cpuTime returns the processor time that this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak makes the system forget how much memory this process has had.
func resetPeak(t *testing.T) {
	t.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Logf("the peak includes the writing: %v", err)
	}
}

// peakMiB returns the most memory that this process has had since.
func peakMiB(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			must(t, err)
			return kib >> 10
		}
	}
	return 0
}
