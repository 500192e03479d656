package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/proof"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// prove proves a database's books, and asks for a head.
func prove(tb testing.TB, db *store.DB, head string) proof.Report {
	tb.Helper()
	var rep proof.Report
	must(tb, db.Prove(tb.Context(), func(s proof.Source) (err error) {
		rep, err = (&proof.Prover{Head: head}).Prove(tb.Context(), s)
		return err
	}))
	return rep
}

func wantProved(tb testing.TB, db *store.DB) proof.Report {
	tb.Helper()
	rep := prove(tb, db, "")
	if !rep.OK() {
		tb.Fatalf("the books are not sound:\n%s", strings.Join(rep.Faults, "\n"))
	}
	return rep
}

// A bookkeeper fills books as the parts of the system do.
type bookkeeper struct {
	t  *testing.T
	db *store.DB
	at time.Time
	n  int
}

func (b *bookkeeper) rebates(rs ...rebate.ChangedRebate) {
	b.t.Helper()
	b.n++
	e, err := event.New(fmt.Sprint("rebates/", b.n), event.RebateChanged, b.at, rebate.Changed{Rebates: rs})
	must(b.t, err)
	must(b.t, (&credit.Cashier{Store: b.db.Credits(), Now: func() time.Time { return b.at }}).RebateChanged(b.t.Context(), e))
}

// withdrawal takes a withdrawal from one state to another, with its entries.
func (b *bookkeeper) withdrawal(id int64, key string, userID int64, amount money.Fen, states ...withdraw.State) int64 {
	b.t.Helper()
	w := withdraw.Withdrawal{ID: id, Key: key, User: userID, Amount: amount, Payee: user.Payee{Method: "alipay", Account: "a@b.c", Name: "安"}}
	for _, s := range states {
		was := w.State
		w.State, w.Rev, w.Changed = s, w.Rev+1, b.at
		move := ledger.Entry{Amount: amount, From: ledger.User(userID, ledger.Reserved)}
		switch s {
		case withdraw.Requested:
			w.At = b.at
			move.Kind, move.From, move.To = ledger.Reserve, ledger.User(userID, ledger.Available), ledger.User(userID, ledger.Reserved)
		case withdraw.Sending:
			w.Payer, w.Number = "manual", "W"+key
		case withdraw.Paid:
			move.Kind, move.To = ledger.Payout, ledger.Payer("manual")
		case withdraw.Refused, withdraw.Failed:
			move.Kind, move.To = ledger.Release, ledger.User(userID, ledger.Available)
		default: // moves nothing
		}
		must(b.t, b.db.Withdrawals().InTx(b.t.Context(), func(tx withdraw.Tx) (err error) {
			if was == "" {
				w.ID, err = tx.Insert(w)
			} else if ok, serr := tx.Swap(w, was); !ok {
				err = fmt.Errorf("swap of %d: %w", w.ID, serr)
			}
			if err != nil || move.Kind == "" {
				return err
			}
			j, err := ledger.Open(tx, b.at)
			if err != nil {
				return err
			}
			move.Cause = withdraw.Cause(w.ID)
			move.Key = move.Cause + "/" + string(move.Kind)
			if err := j.Move(move); err != nil {
				return err
			}
			return j.Post()
		}))
	}
	return w.ID
}

// charges takes charges to every stage, with their entries.
func (b *bookkeeper) charges() {
	b.t.Helper()
	now := b.at
	till := collecttest.NewTill(func() time.Time { return now })
	desk := &collect.Desk{Store: b.db.Charges(), Collectors: []collect.Collector{till}, Prefix: "T", Lasts: time.Hour, Now: func() time.Time { return now }}
	numbers := map[string]collect.Due{}
	for i, key := range []string{"paid", "back", "other", "lapsed", "late", "going", "open"} {
		if key == "open" {
			now = now.Add(3 * time.Hour)
		}
		d, err := desk.Ask(b.t.Context(), collect.Request{Key: key, Purpose: collect.Membership, User: int64(i + 1), What: "level/1/30", Amount: 1990, Subject: "会员"})
		must(b.t, err)
		numbers[key] = d
	}
	top, err := desk.Ask(b.t.Context(), collect.Request{Key: "top", Purpose: collect.TopUp, Amount: 50_00, Subject: "充值"})
	must(b.t, err)
	run := func() {
		now = now.Add(time.Minute)
		for range 3 {
			if _, err := desk.Run(b.t.Context()); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for _, key := range []string{"paid", "back", "going"} {
		till.PayLate(numbers[key].Number, 1990)
	}
	till.PayLate(numbers["other"].Number, 5)
	must(b.t, till.Pay(top.Number))
	run()
	till.PayLate(numbers["late"].Number, 1990)
	for _, key := range []string{"back", "late"} {
		if key == "back" {
			_, err = desk.Refund(b.t.Context(), numbers[key].ID, "cli", "goodwill")
		} else {
			err = desk.Heard(b.t.Context(), "till", numbers[key].Number)
		}
		must(b.t, err)
	}
	run()
	till.Fail(collecttest.Stall)
	_, err = desk.Refund(b.t.Context(), numbers["going"].ID, "cli", "goodwill")
	must(b.t, err)
	seen := map[collect.Stage]bool{}
	all, err := b.db.Charges().Newest(b.t.Context(), 100)
	must(b.t, err)
	for _, d := range all {
		seen[d.Stage] = true
	}
	if len(seen) != len(collect.Stages())-1 { // created is over in a moment
		b.t.Fatalf("stages %v: the test leaves something out", seen)
	}
}

func lineOf(n int, seq, userID int64, stage rebate.Stage, amount, margin money.Fen) rebate.ChangedRebate {
	return rebate.ChangedRebate{
		Key: order.Key{Network: []string{"jd", "pdd"}[n%2], Account: "main", ID: fmt.Sprint(4000 + n)}, Seq: seq, User: userID,
		Stage: stage, Amount: amount, Margin: margin, Title: fmt.Sprint("保温杯 ", n), State: order.Paid,
	}
}

// withBooks returns the file of a database with everything that an audit looks at:
// lines in all stages, a debt, withdrawals in all states, sealed days and a day
// that is not, and acts.
func withBooks(t *testing.T) (db *store.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fanli.db")
	db = open(t, store.Config{Path: path})
	b := &bookkeeper{t: t, db: db, at: start}
	const lines = 24
	for n := range lines { // two batches a line, on three days
		b.at = start.AddDate(0, 0, n*3/lines).Add(time.Duration(n) * time.Minute)
		u := int64(n%5) + 1
		b.rebates(lineOf(n, 1, u, rebate.Pending, money.Fen(300+n), 40))
		b.rebates(lineOf(n, 2, u, rebate.Available, money.Fen(290+n), money.Fen(60-n)))
	}
	b.rebates(lineOf(90, 1, 0, rebate.Nothing, 0, 55), lineOf(91, 1, 6, rebate.Pending, 80, 20))
	for n, stage := range []rebate.Stage{rebate.Pending, rebate.Available} {
		shared := lineOf(92+n, 1, 6, stage, 80, 21)
		shared.Cuts, shared.TopUp, shared.Budget = [2]rebate.Cut{{User: 7, Amount: 20}, {User: 8, Amount: 10}}, 9, "gifts"
		b.rebates(shared)
	}
	b.withdrawal(0, "a", 1, 500, withdraw.Requested, withdraw.Approved, withdraw.Sending, withdraw.Paid)
	b.withdrawal(0, "b", 2, 300, withdraw.Requested, withdraw.Reviewing)
	b.withdrawal(0, "c", 3, 200, withdraw.Requested, withdraw.Refused)
	b.withdrawal(0, "d", 4, 111, withdraw.Requested, withdraw.Approved, withdraw.Sending)
	b.charges()
	b.rebates(lineOf(0, 3, 1, rebate.Nothing, 0, 0), lineOf(5, 3, 1, rebate.Nothing, 0, 0), lineOf(10, 3, 1, rebate.Nothing, 0, 0),
		lineOf(15, 3, 1, rebate.Nothing, 0, 0))
	must(t, act(t, db, approval(1), approval(2), approval(3)))
	s := proof.Sealer{Store: db.Seals(), Now: func() time.Time { return start.AddDate(0, 0, 2).Add(time.Hour) }, Zone: time.UTC}
	n, err := s.Run(t.Context())
	must(t, err)
	if again, err := s.Run(t.Context()); n != 2 || again != 0 || err != nil {
		t.Fatalf("%d seals and then %d, %v; want 2 of the days that are over", n, again, err)
	}
	rep := wantProved(t, db)
	if rep.Lines != lines+4 || rep.Withdrawals != 4 || rep.Charges != 8 || rep.Seals != 2 || rep.Acts != 5 || rep.Unbatched != 0 || rep.Head == "" {
		t.Fatalf("proof %+v", rep)
	}
	debt, err := db.Ledger().Balance(t.Context(), ledger.User(1, ledger.Debt))
	must(t, err)
	if debt >= 0 {
		t.Fatal("nobody owes: the test leaves something out")
	}
	return db, path
}

// edited is what is edited, one field of one row at a time.
var edited = map[string][]string{
	"payment_entries":     {"entry_key", "kind", "from_id", "to_id", "amount", "cause", "note", "at", "batch_id"},
	"payment_accounts":    {"name", "sign", "balance"},
	"payment_booked":      {"seq", "user_id", "pending", "available", "margin"},
	"payment_parts":       {"user1", "pending1", "available1", "user2", "pending2", "available2", "topup"},
	"payment_withdrawals": {"user_id", "amount", "state", "payer", "number", "rev"},
	"payment_charges":     {"stage", "collector", "number", "paid", "account", "rev"},
	"payment_batches":     {"entries", "digest", "at"},
	"payment_seals":       {"day", "last_batch", "batches", "entries", "prev", "hash", "at"},
	"payment_acts":        {"at", "actor", "role", "what", "subject", "reason", "was", "became", "trace", "hash"},
	"payment_acts_end":    {"last", "hash"},
}

// keysOfTables name a row of each table.
var keysOfTables = map[string]string{"payment_booked": "line_no", "payment_parts": "line_no"}

// another returns a value of the same type that is not v.
func another(r *rand.Rand, v any, others []any) any {
	for {
		var n any
		switch v := v.(type) {
		case int64:
			n = []int64{v + 1, v - 1, -v, v * 10, v + r.Int64N(1000), v ^ 1<<r.IntN(20), 0}[r.IntN(7)]
		case string:
			n = []string{v + "x", v + " ", "", strings.ToUpper(v), string([]rune(v)[min(1, len([]rune(v))):])}[r.IntN(5)]
		default:
			n = "x"
		}
		if o := others[r.IntN(len(others))]; r.IntN(2) == 0 && o != nil {
			n = o // what stands in another row
		}
		if n != v {
			return n
		}
	}
}

// TestEveryEditOfOneFieldShows edits fields at random behind the database's back
// and wants each edit to be found: a few hundred, or ten thousand with
// FANLI_SOAK=1.
func TestEveryEditOfOneFieldShows(t *testing.T) {
	t.Parallel()
	edits := 300
	switch {
	case os.Getenv("FANLI_SOAK") != "":
		edits = 10_000
	case underRace:
		edits = 60
	}
	db, path := withBooks(t)
	shell := raw(t, store.Config{Path: path})
	shell.SetMaxOpenConns(1)
	exec := func(q string, args ...any) error {
		_, err := shell.ExecContext(t.Context(), q, args...)
		return err
	}
	dropTriggers(t, shell)
	must(t, exec("PRAGMA ignore_check_constraints = 1"))
	must(t, exec("PRAGMA synchronous = 0"))
	r := rand.New(rand.NewPCG(20261111, 4))
	tables := slices.Sorted(func(yield func(string) bool) {
		for k := range edited {
			if !yield(k) {
				return
			}
		}
	})
	tried, refused := map[string]int{}, 0
	for done := 0; done < edits; {
		table := tables[r.IntN(len(tables))]
		column := edited[table][r.IntN(len(edited[table]))]
		id := "id"
		if k := keysOfTables[table]; k != "" {
			id = k
		}
		ids, values := column2(t, shell, table, id, column)
		i := r.IntN(len(ids))
		value := another(r, values[i], values)
		if err := exec("UPDATE "+table+" SET "+column+" = ? WHERE "+id+" = ?", value, ids[i]); err != nil {
			refused++ // the database itself does: it would stand twice
			continue
		}
		if rep := prove(t, db, ""); rep.OK() {
			t.Errorf("%s.%s of %v edited from %v to %v goes unnoticed", table, column, ids[i], values[i], value)
		}
		must(t, exec("UPDATE "+table+" SET "+column+" = ? WHERE "+id+" = ?", values[i], ids[i]))
		tried[table+"."+column]++
		done++
	}
	wantProved(t, db)
	t.Logf("%d edits of %d columns, %d more were refused", edits, len(tried), refused)
}

func dropTriggers(t *testing.T, shell *sql.DB) {
	t.Helper()
	rows, err := shell.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'trigger'")
	must(t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		names = append(names, name)
	}
	must(t, rows.Err())
	for _, name := range names {
		_, err := shell.ExecContext(t.Context(), "DROP TRIGGER "+name)
		must(t, err)
	}
}

// column2 returns the ids of a table's rows and the values of one column.
func column2(t *testing.T, shell *sql.DB, table, id, column string) (ids, values []any) {
	t.Helper()
	rows, err := shell.QueryContext(t.Context(), "SELECT "+id+", "+column+" FROM "+table+" ORDER BY "+id)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var i, v any
		must(t, rows.Scan(&i, &v))
		ids, values = append(ids, i), append(values, v)
	}
	must(t, rows.Err())
	return ids, values
}

// TestRemovedAndAddedRowsShow removes and adds whole rows.
func TestRemovedAndAddedRowsShow(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for name, tt := range map[string]struct{ statement, says string }{
		"AnEntry":        {"DELETE FROM payment_entries WHERE id = 9", "was posted with"},
		"TheNewestEntry": {"DELETE FROM payment_entries WHERE id = (SELECT MAX(id) FROM payment_entries)", "were removed"},
		"ABatch":         {"DELETE FROM payment_batches WHERE id = 3", "the seal of 2026-11-11 closes"},
		"ASeal":          {"DELETE FROM payment_seals WHERE id = 1", "seals are missing"},
		"AnAct":          {"DELETE FROM payment_acts WHERE id = 2", "acts are missing"},
		"ALine":          {"DELETE FROM payment_booked WHERE line_no = '4007'", "pdd/main/4007 add up to other than what is booked"},
		"AWithdrawal":    {"DELETE FROM payment_withdrawals WHERE request_key = 'a'", "paid out of user 1 through manual by 500 fen more"},
		"ACharge":        {"DELETE FROM payment_charges WHERE request_key = 'paid'", "collected through till and house/membership by 1990 fen more"},
		"AnOpenOne":      {"DELETE FROM payment_withdrawals WHERE request_key = 'b'", "user/2/reserved holds 3.00, but the user's open withdrawals are 0.00"},
		"AnAccount":      {"DELETE FROM payment_accounts WHERE name = 'house/margin'", "which are not both there"},
		"AnEmptyAccount": {"INSERT INTO payment_accounts (name, sign, balance) VALUES ('payer/me', 0, 0)", "nothing was ever moved"},
		"ABatchOfNone":   {"INSERT INTO payment_batches (entries, digest, at) VALUES (1, 'x', 0)", "0 of which are there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, path := withBooks(t)
			shell := raw(t, store.Config{Path: path})
			dropTriggers(t, shell)
			_, err := shell.ExecContext(t.Context(), tt.statement)
			must(t, err)
			rep := prove(t, db, "")
			if story := strings.Join(rep.Faults, "\n"); rep.OK() || !strings.Contains(rep.Faults[0], tt.says) {
				t.Errorf("it says, not %q:\n%s", tt.says, story)
			}
		})
	}
}

// TestTheStoryShowsTheEntriesOfTheCause edits the amount of a settled line.
func TestTheStoryShowsTheEntriesOfTheCause(t *testing.T) {
	t.Parallel()
	db, path := withBooks(t)
	shell := raw(t, store.Config{Path: path})
	dropTriggers(t, shell)
	_, err := shell.ExecContext(t.Context(), "UPDATE payment_booked SET available = available + 7, mark = '' WHERE line_no = '4007'")
	must(t, err)
	rep := prove(t, db, "")
	story := strings.Join(rep.Faults, "\n")
	for _, s := range []string{
		"the entries of pdd/main/4007 add up to other than what is booked for the line in payment_booked: available or debt of user 3 by 7 fen less",
		"pdd/main/4007 has 5 entries:", "earn 3.07 from network/pdd to user/3/pending", "in all, entries are not what is booked: 1",
	} {
		if !strings.Contains(story, s) {
			t.Errorf("the story does not say %q:\n%s", s, story)
		}
	}
}

func TestARememberedHeadIsInTheChain(t *testing.T) {
	t.Parallel()
	db, _ := withBooks(t)
	head := wantProved(t, db).Head
	s := proof.Sealer{Store: db.Seals(), Now: func() time.Time { return start.AddDate(0, 1, 0) }, Zone: time.UTC}
	var told proof.Seal
	s.Told = func(seal proof.Seal) { told = seal }
	if n, err := s.Run(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d seals, %v", n, err)
	}
	if rep := prove(t, db, head); !rep.OK() || rep.Head != told.Hash || rep.HeadDay != "2026-11-13" {
		t.Errorf("proof %+v", rep)
	}
	if rep := prove(t, db, strings.Repeat("0", 64)); rep.OK() || !strings.Contains(rep.Faults[0], "no seal has the hash") {
		t.Errorf("an unknown head: %+v", rep)
	}
}

// TestABatchIsOnePostAndOneUpdateOfEachAccount counts the statements of a batch:
// the house's accounts are not written once for each line.
func TestABatchIsOnePostAndOneUpdateOfEachAccount(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	b := &bookkeeper{t: t, db: db, at: start}
	var rs []rebate.ChangedRebate
	for n := range 30 {
		rs = append(rs, lineOf(n, 1, int64(n+1), rebate.Pending, 100, 10))
	}
	writes := map[string]int{}
	db.SeeStatements(func(sql string, params []any) {
		for _, table := range []string{"payment_accounts", "payment_entries", "payment_batches"} {
			if strings.HasPrefix(sql, "INSERT INTO `"+table+"`") || strings.HasPrefix(sql, "UPDATE `"+table+"`") {
				writes[table]++
				if n := count(params, string(ledger.Margin)); n > 1 {
					t.Errorf("one statement writes the margin %d times", n)
				}
				writes["margin"] += count(params, string(ledger.Margin))
			}
		}
	})
	b.rebates(rs...)
	// 31 accounts and 60 entries, by powers of two
	if writes["margin"] != 1 || writes["payment_accounts"] > 5 || writes["payment_entries"] > 5 || writes["payment_batches"] != 1 {
		t.Errorf("writes %v", writes)
	}
}

func count(params []any, s string) (n int) {
	for _, p := range params {
		if p == s {
			n++
		}
	}
	return n
}

// TestBooksFromBeforeDigestsAreProved makes books look as an older version has
// left them, and goes on.
func TestBooksFromBeforeDigestsAreProved(t *testing.T) {
	t.Parallel()
	db, path := withBooks(t)
	shell := raw(t, store.Config{Path: path})
	dropTriggers(t, shell)
	for _, s := range []string{
		"UPDATE payment_entries SET batch_id = 0", "DELETE FROM payment_batches", "DELETE FROM payment_seals",
		"UPDATE payment_booked SET mark = ''", "UPDATE payment_withdrawals SET mark = ''",
	} {
		_, err := shell.ExecContext(t.Context(), s)
		must(t, err)
	}
	if rep := wantProved(t, db); rep.Unbatched != rep.Entries || rep.Batches != 0 || rep.Entries == 0 {
		t.Errorf("proof %+v", rep)
	}
	b := &bookkeeper{t: t, db: db, at: start.AddDate(0, 0, 5), n: 1000}
	b.rebates(lineOf(7, 3, 3, rebate.Available, 100, 10), lineOf(200, 1, 9, rebate.Pending, 100, 10))
	s := proof.Sealer{Store: db.Seals(), Now: func() time.Time { return start.AddDate(0, 0, 7) }, Zone: time.UTC}
	if n, err := s.Run(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d seals, %v", n, err)
	}
	if rep := wantProved(t, db); rep.Batches != 1 || rep.Seals != 1 || rep.Unbatched == rep.Entries {
		t.Errorf("proof %+v", rep)
	}
	_, err := shell.ExecContext(t.Context(), "UPDATE payment_entries SET batch_id = 0 WHERE id = (SELECT MAX(id) FROM payment_entries)")
	must(t, err)
	if prove(t, db, "").OK() {
		t.Error("an entry says that it is older than batches, and is believed")
	}
}
