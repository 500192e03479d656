package store_test

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/store"
	"fanli/core/access"
	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/webhook"
	"fanli/core/withdraw"
)

// scans are the statements that may look at a whole table, and why.
func scans() []string {
	return []string{
		"_outbox",                       // holds what is on its way, and that is little
		"_migrations",                   // holds a few rows
		"sqlite_schema",                 // likewise
		"order_progress",                // one row for each stream; Places wants all
		"order_quarantine",              // Counts counts
		"order_lines USING COVERING",    // likewise, over an index
		"payment_accounts",              // Accounts wants all
		"notification_messages_waiting", // an index of what is waiting
		"order_cases_staffed",           // likewise, of what waits for a person
		"payment_incidents",             // holds what should not happen
		"payment_switches",              // holds a few rows
		"rebate_rules",                  // from its end, for the newest
		"SCAN payment_charges",          // likewise
		"SCAN user_merges",              // likewise
		"SCAN payment_merges",           // few people have two accounts; a proof wants all
		"gateway_keys",                  // Keys lists the newest
		"notification_hooks",            // holds a few rows
		"SCAN part",                     // the few rows of a part of a statement
		"SCAN (",                        // likewise
		"notification_messages_held",    // an index of what waits for the end of quiet hours
		"notification_messages_untold",  // likewise, of what was not told: from its end, for the newest
	}
}

// loose is an index of which only the first column, a network or a state of very
// many rows, is used.
var loose = regexp.MustCompile(`\((network|account)=\?\)`)

// TestNoStatementLooksAtAWholeTable asks the database how it would run each
// statement that the stores have.
func TestNoStatementLooksAtAWholeTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fanli.db")
	db := open(t, store.Config{Path: path, Now: now})
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	t.Cleanup(func() { must(t, raw.Close()) })

	var mu sync.Mutex
	seen := map[string][]any{}
	db.SeeStatements(func(sql string, params []any) {
		mu.Lock()
		defer mu.Unlock()
		seen[sql] = params
	})
	askEverything(t, db)
	if len(seen) < 60 {
		t.Errorf("only %d different statements were seen", len(seen))
	}
	for statement, params := range seen {
		if strings.HasPrefix(statement, "INSERT") && !strings.Contains(statement, "SELECT") {
			continue
		}
		for _, step := range plan(t, raw, statement, params) {
			allowed := slices.ContainsFunc(scans(), func(s string) bool { return strings.Contains(step, s) })
			if strings.HasPrefix(step, "SCAN") && !allowed || loose.MatchString(step) {
				t.Errorf("%s\nin %s", step, statement)
			}
		}
	}
}

// plan returns the steps in which a statement would be run.
func plan(t *testing.T, db *sql.DB, statement string, params []any) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, params...)
	if err != nil {
		t.Fatalf("%v in %s", err, statement)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		steps = append(steps, detail)
	}
	must(t, rows.Err())
	return steps
}

// askEverything calls every method of every store.
func askEverything(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, keys := t.Context(), []order.Key{{Network: link.JD, Account: "main", ID: "1"}, {Network: link.JD, Account: "main", ID: "2"}}
	ignore := func(...any) {}
	p := user.Payee{Method: "alipay", Account: "a@example.com", Name: "王五"}

	must(t, db.Merges().InTx(ctx, func(tx user.MergeTx) error {
		ignore(tx.InsertMerge(user.Merge{Absorbed: 2, Survivor: 1, Stage: user.MergeDone, Rev: 1}))
		ignore(tx.SwapMerge(user.Merge{ID: 1, Stage: user.MergeDone, Rev: 2}, 1))
		ignore(tx.Busy(1, 2))
		ignore(tx.Pointed(1))
		ignore(tx.PutLinkCode(1, "A", start), tx.DropLinkCode(1), tx.SetGuesses(1, 1, start))
		ignore(tx.LinkCode("A"))
		ignore(tx.Guesses(1))
		return nil
	}))
	ignore(db.Merges().AbsorbedBy(ctx, 1))
	ignore(db.Merges().Newest(ctx, 1))
	ignore(db.Merges().Merges(ctx, 9, 5))
	ignore(db.Merges().StuckMerges(ctx, start, 5))
	must(t, db.Moved().InTx(ctx, func(tx credit.MergeTx) error {
		ignore(tx.Moved(1))
		ignore(tx.Members(1))
		ignore(tx.LineSums([]int64{1, 2}))
		return tx.PutMoved(credit.Moved{ID: 1, Absorbed: 2, Survivor: 1, Stage: credit.MoneyMoved, Rev: 1})
	}))
	i := user.Identity{Channel: "web", External: "a"}
	must(t, db.Users().InTx(ctx, func(tx user.Tx) error {
		ignore(tx.Insert(user.User{Locale: "zh"}, i))
		ignore(tx.SetLocale(1, "en"), tx.SetPayee(1, p))
		ignore(tx.Level(1))
		ignore(tx.Grants(1))
		ignore(tx.Grant(user.Grant{Cause: "charge/1", User: 1, Level: 1, From: start, Until: start}))
		ignore(tx.TellEnd("charge/1"))
		return nil
	}))
	ignore(db.Users().ByIdentity(ctx, i))
	ignore(db.Users().Identities(ctx, 1))
	ignore(db.Users().Payee(ctx, 1))
	ignore(db.Users().Sharing(ctx, 1))
	ignore(db.Users().Grants(ctx, 1))
	ignore(db.Users().Ended(ctx, start, 5))

	must(t, db.Links().InTx(ctx, func(tx link.Tx) error {
		ignore(tx.SlotUsers(link.JD, "item", start))
		ignore(tx.Insert(link.Link{User: 1, Mark: link.Mark{Tag: "t"}}))
		return nil
	}))
	ignore(db.Orders().Claims(ctx, 1, 0, 5))
	ignore(db.Orders().Claims(ctx, 1, 9, 5))
	ignore(db.Orders().DueClaims(ctx, start, 5))
	ignore(db.Orders().StaffedClaims(ctx, 5))
	ignore(db.Links().Recent(ctx, 1, link.JD, "item", start))

	must(t, db.Orders().InTx(ctx, func(tx order.Tx) error {
		l := order.Line{Key: keys[0], Rev: 1, Facts: order.Facts{State: order.Paid}, Seen: start}
		ignore(tx.Put([]*order.Line{&l}), tx.Put([]*order.Line{&l}), tx.Keep([]order.Past{{Key: keys[0]}}))
		ignore(tx.Lines(keys))
		ignore(tx.ByOrder(link.JD, "1"))
		ignore(tx.Unowned(link.JD, "tag", "item", 5))
		ignore(tx.Due(start, 5))
		ignore(tx.Quarantine([]order.Bad{{Raw: []byte("x")}}, start), tx.AddSuffix(link.JD, "123456", 1))
		ignore(tx.AddWay(order.Way{Link: 1, User: 1, Network: link.JD, Tag: "t"}))
		ignore(tx.Ways(link.JD, []string{"a", "b"}, []string{"a", "b"}, []string{"a", "b"}, []string{"a", "b"}, start))
		ignore(tx.PutClaim(order.Claim{User: 1, Network: link.JD, Order: "1", State: order.ClaimWaiting}))
		ignore(tx.SwapClaim(order.Claim{ID: 1, Rev: 2, State: order.ClaimGranted}, 1))
		ignore(tx.Claim(1))
		ignore(tx.ClaimsOf(link.JD, "1"))
		ignore(tx.CountClaims(1, start))
		ignore(tx.SetProgress(order.Progress{Place: order.Place{Network: link.JD}}))
		return nil
	}))
	ignore(db.Orders().OfUser(ctx, 1, 0, 5))
	ignore(db.Orders().OfUser(ctx, 1, 9, 5))
	ignore(db.Orders().ByNumber(ctx, "1"))
	ignore(db.Orders().History(ctx, keys[0]))
	ignore(db.Orders().Progress(ctx, order.Place{}))
	ignore(db.Orders().Places(ctx))
	ignore(db.Orders().Counts(ctx))

	must(t, db.Rebates().InTx(ctx, func(tx rebate.Tx) error {
		ignore(tx.Put([]rebate.Rebate{{Key: keys[0], Stage: rebate.Pending}}))
		ignore(tx.Rebates(keys))
		ignore(tx.Due(start, 5))
		ignore(tx.AddRules(rebate.Rules{}, rebate.Edition{At: start}))
		ignore(tx.Rules(0))
		ignore(tx.Rules(1))
		return nil
	}))
	askPayment(t, db, keys, p)
	askWebhooks(t, db)
	askPost(t, db)

	must(t, db.Messages().InTx(ctx, func(tx notify.Tx) error {
		return tx.Write([]notify.Message{{Key: "m", User: 1, State: notify.Waiting}})
	}))
	ignore(db.Messages().Waiting(ctx, start, 5))
	ignore(db.Messages().Mark(ctx, 1, notify.Outcome{State: notify.Sent, Tries: 1, Next: start}))
	ignore(db.Messages().Told(ctx, "rebate/"))
	ignore(db.Messages().Untold(ctx, 0, 0, 5))
	ignore(db.Messages().Untold(ctx, 1, 9, 5))
	ignore(db.Leases().Take(ctx, "job", "a", time.Minute))
	ignore(db.Leases().Drop(ctx, "job", "a"))
	askMemory(t, db)
	askKeys(t, db)
	for _, o := range db.Outboxes() {
		ignore(o.Waiting(ctx, start, 5))
		ignore(o.Dead(ctx, 0, 5))
		ignore(o.Depth(ctx))
		ignore(o.Sent(ctx, []int64{1, 2}), o.Failed(ctx, 1, "x", start, true), o.Retry(ctx, 1, event.Event{}), o.Discard(ctx, 1, event.Event{}))
	}
}

func askWebhooks(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, ignore := t.Context(), func(...any) {}
	must(t, db.Webhooks().InTx(ctx, func(tx webhook.Tx) error {
		h := webhook.Hook{Name: "a", URL: "https://a.example", State: webhook.Active, Secret: webhook.NewSecret()}
		ignore(tx.Insert(h))
		h.ID = 1
		ignore(tx.Update(h), tx.AddMember(webhook.Member{User: 1, Client: "a"}), tx.Note(webhook.Try{Delivery: 1}))
		ignore(tx.Hooks())
		ignore(tx.Members([]int64{1, 2}))
		ignore(tx.Add(webhook.Delivery{Hook: 1, Event: "e", Message: "m", Stage: webhook.Waiting, At: start}))
		ignore(tx.Delivery(1))
		ignore(tx.Swap(webhook.Delivery{ID: 1, Stage: webhook.Waiting}, webhook.Waiting, 0))
		ignore(tx.Prune(start.Add(time.Hour), 5))
		ignore(tx.Remove(1))
		return nil
	}))
	ignore(db.Webhooks().Hooks(ctx))
	ignore(db.Webhooks().Due(ctx, 1, start, 5))
	ignore(db.Webhooks().Newest(ctx, 1, 5))
	ignore(db.Webhooks().Tries(ctx, 1, 5))
}

func askPayment(t *testing.T, db *store.DB, keys []order.Key, p user.Payee) {
	t.Helper()
	ctx, ignore := t.Context(), func(...any) {}
	must(t, db.Credits().InTx(ctx, func(tx credit.Tx) error {
		ignore(tx.Handled("e"))
		ignore(tx.PutBooked([]credit.Booked{{Key: keys[0], Seq: 1}}))
		ignore(tx.Booked(keys))
		j, err := ledger.Open(tx, start, "network/jd", "house/margin")
		must(t, err)
		must(t, j.Move(ledger.Entry{Key: "e1", Kind: ledger.Earn, From: "network/jd", To: ledger.User(1, ledger.Pending), Amount: 1, Cause: "c"}))
		return j.Post()
	}))
	for _, r := range []ledger.Reader{db.Ledger()} {
		ignore(r.Balance(ctx, "network/jd"))
		ignore(r.Wallet(ctx, 1))
		ignore(r.Paid(ctx, 1))
		ignore(r.Statement(ctx, 1, 0, 5))
		ignore(r.Statement(ctx, 1, 9, 5))
		ignore(r.Caused(ctx, "c"))
		ignore(r.Walk(ctx, func(ledger.Entry) error { return nil }))
		ignore(r.Accounts(ctx))
	}
	must(t, db.Withdrawals().InTx(ctx, func(tx withdraw.Tx) error {
		w := withdraw.Withdrawal{Key: "w", User: 1, Amount: 1, Payee: p, State: withdraw.Approved, Rev: 1}
		ignore(tx.Insert(w))
		ignore(tx.ByKey("w"))
		ignore(tx.Open(1))
		ignore(tx.Swap(w, withdraw.Approved))
		ignore(tx.Spent(withdraw.Query{User: 1, Asked: start}))
		ignore(tx.Spent(withdraw.Query{Payee: p, Asked: start}))
		ignore(tx.Spent(withdraw.Query{Sent: start}))
		ignore(tx.Sharing(p, 1))
		ignore(tx.AddIncident(withdraw.Incident{Withdrawal: 1, State: withdraw.Paid, Verdict: withdraw.Dead}))
		ignore(tx.SetSwitch(control.Switch{Scope: control.Payouts, On: true, By: "cli"}))
		ignore(tx.Switches(control.Payouts, control.Credits))
		return nil
	}))
	must(t, db.Charges().InTx(ctx, func(tx collect.Tx) error {
		d := collect.Due{Key: "c", Purpose: collect.Membership, User: 1, Amount: 1, Subject: "x", Collector: "till", Stage: collect.Created, Rev: 1}
		ignore(tx.Insert(d))
		ignore(tx.ByKey("c"))
		ignore(tx.OpenOf(1, collect.Membership))
		ignore(tx.Swap(d, collect.Created))
		return nil
	}))
	ignore(db.Charges().Due(ctx, 1))
	ignore(db.Charges().ByNumber(ctx, "C1"))
	ignore(db.Charges().Waiting(ctx, start, 5))
	ignore(db.Charges().Newest(ctx, 5))
	ignore(db.Charges().Newest(ctx, 5, collect.Held))
	ignore(db.Withdrawals().ByNumber(ctx, "W1"))
	ignore(db.Withdrawals().Incidents(ctx, 5))
	ignore(db.Withdrawals().OfBatch(ctx, "b"))
	ignore(db.Control().Switches(ctx))
	ignore(db.Withdrawals().Withdrawal(ctx, 1))
	ignore(db.Withdrawals().OfUser(ctx, 1, 0, 5))
	ignore(db.Withdrawals().OfUser(ctx, 1, 9, 5))
	ignore(db.Withdrawals().InState(ctx, start, 5, withdraw.Approved, withdraw.Sending))
}

func askKeys(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, ignore := t.Context(), func(...any) {}
	must(t, db.Keys().InTx(ctx, func(tx access.Tx) error {
		ignore(tx.Insert(access.Key{Client: "a", Name: "n", Scopes: []access.Scope{access.WalletRead}}, "h"))
		ignore(tx.Key(1))
		ignore(tx.Use(1, start), tx.Revoke(1, start))
		return nil
	}))
	ignore(db.Keys().ByName(ctx, "n"))
	ignore(db.Keys().Keys(ctx, 5))
}

func askMemory(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, m, ignore := t.Context(), db.Memory(), func(...any) {}
	ignore(m.KeepAnswer(ctx, "web", "1", nil, start), m.SetDialogue(ctx, 1, 0, []byte("x")), m.SetDialogue(ctx, 1, 1, nil), m.SetMark(ctx, "a", "b", 1))
	ignore(m.Answer(ctx, "web", "1"))
	ignore(m.Dialogue(ctx, 1))
	ignore(m.Mark(ctx, "a"))
	ignore(m.Append(ctx, "a", "", false, nil, start))
	ignore(m.Append(ctx, "a", "1", false, nil, start))
	ignore(m.End(ctx))
	ignore(m.News(ctx, 0, 5))
	ignore(m.Unanswered(ctx, "", start, start, 5))
	ignore(m.Unanswered(ctx, "a", start, start, 5))
	ignore(db.Memory().Cached(cache.NewMemory(time.Now)).Dialogue(ctx, 1))
	ignore(m.Since(ctx, "a", 0, 5))
}
