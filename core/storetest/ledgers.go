package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A LedgerStore is a book under test: what writes it and what reads it.
type LedgerStore struct {
	Store  credit.Store
	Reader ledger.Reader
}

// Ledger checks every promise of ledger.Tx and ledger.Reader.
func Ledger(t *testing.T, open func(t *testing.T) LedgerStore) {
	t.Helper()
	run(t, open, []check[LedgerStore]{
		{"PostMovesMoney", postMoves},
		{"EntriesComeBack", entriesComeBack},
		{"SameMoveAgainIsNothing", sameMoveAgain},
		{"KeyOfAnotherMoveIsConflict", keyReused},
		{"KeyIsUniqueBeneathTheJournalToo", keyUnique},
		{"OneKeyAtOnceMovesOnce", oneKeyAtOnce},
		{"UserNeverBelowZero", neverBelowZero},
		{"DebtNeverAboveZero", debtNeverAbove},
		{"SpendersAtOnceSpendWhatIsThere", spendersAtOnce},
		{"BalancesOfNobodyAreZero", zeroBalances},
		{"StatementIsNewestFirstInPages", statementPages},
		{"StatementIsOfOneUser", statementOfOne},
		{"CausedAreOldestFirst", causedInOrder},
		{"WalkSeesAllEntriesInOrder", walkAll},
		{"WalkStopsAtAnError", walkStops},
		{"BooksOfRandomMovesAreSound", randomBooks},
	})
}

// move is an entry from one account to another. Only staff may move anything anywhere.
func move(key string, from, to ledger.Account, amount money.Fen) ledger.Entry {
	return ledger.Entry{Key: key, Kind: ledger.Manual, From: from, To: to, Amount: amount, Cause: "test/" + key, Note: "保温杯"}
}

// post posts entries as one journal.
func post(t *testing.T, s LedgerStore, es ...ledger.Entry) error {
	t.Helper()
	return s.Store.InTx(t.Context(), func(tx credit.Tx) error {
		j, err := ledger.Open(tx, start())
		if err != nil {
			return err
		}
		for _, e := range es {
			if err := j.Move(e); err != nil {
				return err
			}
		}
		return j.Post()
	})
}

// earn is a move from JD to a user's pocket.
func earn(key string, user int64, p ledger.Pocket, amount money.Fen) ledger.Entry {
	return move(key, ledger.Network("jd"), ledger.User(user, p), amount)
}

func wantBalances(t *testing.T, s LedgerStore, accounts map[ledger.Account]money.Fen) {
	t.Helper()
	got, err := s.Reader.Accounts(t.Context())
	must(t, err)
	want(t, "Accounts", got, accounts)
	for a, b := range accounts {
		one, err := s.Reader.Balance(t.Context(), a)
		must(t, err)
		want(t, "Balance of "+string(a), one, b)
	}
	wantSound(t, s.Reader)
}

// wantSound audits the book.
func wantSound(t *testing.T, r ledger.Reader) {
	t.Helper()
	rep, err := ledger.Audit(t.Context(), r)
	must(t, err)
	if !rep.OK() {
		t.Errorf("the book is not sound: %+v", rep)
	}
}

func keysOf(es []ledger.Entry) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.Key
	}
	return out
}

func postMoves(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Pending, 300), move("b", ledger.Network("jd"), ledger.Margin, 100)))
	must(t, post(t, s, move("c", ledger.User(7, ledger.Pending), ledger.User(7, ledger.Available), 200)))
	wantBalances(t, s, map[ledger.Account]money.Fen{
		"network/jd": -400, "house/margin": 100, "user/7/pending": 100, "user/7/available": 200,
	})
	w, err := s.Reader.Wallet(t.Context(), 7)
	must(t, err)
	want(t, "pending in the wallet", w[ledger.Pending], money.Fen(100))
	want(t, "available in the wallet", w[ledger.Available], money.Fen(200))
	want(t, "the rest of the wallet", w[ledger.Reserved]+w[ledger.Debt], money.Fen(0))
}

func entriesComeBack(t *testing.T, s LedgerStore) {
	a, b := earn("a", 7, ledger.Pending, 300), earn("b/好", 8, ledger.Available, 1)
	b.Note = ""
	must(t, post(t, s, a, b))
	a.At, b.At = start(), start()
	var got map[string]ledger.Entry
	must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) (err error) {
		got, err = tx.Entries([]string{"a", "b/好", "a", "no", ""})
		return err
	}))
	a.ID, b.ID = got[a.Key].ID, got[b.Key].ID
	want(t, "Entries", got, map[string]ledger.Entry{a.Key: a, b.Key: b})
	if a.ID <= 0 || b.ID <= a.ID {
		t.Errorf("ids %d and %d are not in the order of posting", a.ID, b.ID)
	}
}

func sameMoveAgain(t *testing.T, s LedgerStore) {
	for range 3 {
		must(t, post(t, s, earn("a", 7, ledger.Pending, 300), earn("b", 7, ledger.Pending, 5)))
	}
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -305, "user/7/pending": 305})
}

func keyReused(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Pending, 300)))
	for name, e := range map[string]ledger.Entry{
		"another amount": earn("a", 7, ledger.Pending, 301), "another user": earn("a", 8, ledger.Pending, 300),
		"another pocket": earn("a", 7, ledger.Available, 300),
	} {
		wantCode(t, name, post(t, s, e), fault.Conflict)
	}
	wantCode(t, "a journal that is half in the book", post(t, s, earn("a", 7, ledger.Pending, 300), earn("b", 7, ledger.Pending, 1)), fault.Conflict)
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -300, "user/7/pending": 300})
}

func keyUnique(t *testing.T, s LedgerStore) {
	e := earn("a", 7, ledger.Pending, 300)
	must(t, post(t, s, e))
	for name, es := range map[string][]ledger.Entry{"a known key": {e}, "one key twice": {earn("b", 7, ledger.Pending, 1), earn("b", 7, ledger.Pending, 1)}} {
		err := s.Store.InTx(t.Context(), func(tx credit.Tx) error {
			return tx.Post(es, map[ledger.Account]money.Fen{e.From: -600, e.To: 600})
		})
		wantCode(t, name, err, fault.Conflict)
	}
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -300, "user/7/pending": 300})
}

func oneKeyAtOnce(t *testing.T, s LedgerStore) {
	_, errs := together(atOnce, func(int) (struct{}, error) { return struct{}{}, post(t, s, earn("a", 7, ledger.Pending, 300)) })
	must(t, errors.Join(errs...))
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -300, "user/7/pending": 300})
}

func neverBelowZero(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Available, 300)))
	for _, p := range []ledger.Pocket{ledger.Pending, ledger.Available, ledger.Reserved} {
		err := post(t, s, earn("b", 7, ledger.Available, 1), move("c", ledger.User(7, p), ledger.Payer("manual"), 302))
		wantCode(t, "taking too much from "+string(p), err, fault.Insufficient)
	}
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -300, "user/7/available": 300})
}

func debtNeverAbove(t *testing.T, s LedgerStore) {
	must(t, post(t, s, move("a", ledger.User(7, ledger.Debt), ledger.Network("jd"), 300)))
	must(t, post(t, s, earn("b", 7, ledger.Debt, 200)))
	wantCode(t, "paying more than the debt", post(t, s, earn("c", 7, ledger.Debt, 101)), fault.Insufficient)
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": 100, "user/7/debt": -100})
}

func spendersAtOnce(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Available, 1000)))
	_, errs := together(atOnce, func(i int) (struct{}, error) {
		return struct{}{}, post(t, s, move(fmt.Sprint("spend/", i), ledger.User(7, ledger.Available), ledger.User(7, ledger.Reserved), 100))
	})
	spent := 0
	for _, err := range errs {
		if err == nil {
			spent++
		} else {
			wantCode(t, "one who was late", err, fault.Insufficient)
		}
	}
	want(t, "how many could spend", spent, 10)
	wantBalances(t, s, map[ledger.Account]money.Fen{"network/jd": -1000, "user/7/available": 0, "user/7/reserved": 1000})
}

func zeroBalances(t *testing.T, s LedgerStore) {
	b, err := s.Reader.Balance(t.Context(), "user/7/pending")
	must(t, err)
	want(t, "Balance", b, money.Fen(0))
	w, err := s.Reader.Wallet(t.Context(), 7)
	must(t, err)
	want(t, "pending in the wallet", w[ledger.Pending], money.Fen(0))
	st, err := s.Reader.Statement(t.Context(), 7, 0, 10)
	must(t, err)
	want(t, "length of the statement", len(st), 0)
	must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error {
		m, err := tx.Balances([]ledger.Account{"user/7/pending"})
		want(t, "Balances", m["user/7/pending"], money.Fen(0))
		return err
	}))
	wantBalances(t, s, map[ledger.Account]money.Fen{})
}

func statementPages(t *testing.T, s LedgerStore) {
	var all []string
	for i := range 7 {
		key := fmt.Sprint("e", i)
		must(t, post(t, s, earn(key+"/pending", 7, ledger.Pending, 10), earn(key+"/available", 7, ledger.Available, 10),
			move(key+"/settle", ledger.User(7, ledger.Pending), ledger.User(7, ledger.Available), 10)))
		all = append(all, key+"/pending", key+"/available", key+"/settle")
	}
	slices.Reverse(all)
	var got []string
	before, page := int64(0), 4
	for len(got) < len(all) {
		es, err := s.Reader.Statement(t.Context(), 7, before, page)
		must(t, err)
		if n := min(page, len(all)-len(got)); len(es) != n {
			t.Fatalf("a page of %d entries after %d of %d, want %d", len(es), len(got), len(all), n)
		}
		got, before = append(got, keysOf(es)...), es[len(es)-1].ID
	}
	end, err := s.Reader.Statement(t.Context(), 7, before, page)
	must(t, err)
	want(t, "length of the page after the last", len(end), 0)
	want(t, "all pages of the statement", got, all)
}

func statementOfOne(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Pending, 10), earn("b", 77, ledger.Pending, 10), earn("c", 1, ledger.Pending, 10),
		move("d", ledger.Network("jd"), ledger.Margin, 10), move("e", ledger.User(7, ledger.Debt), ledger.Network("jd"), 10)))
	es, err := s.Reader.Statement(t.Context(), 7, 0, 10)
	must(t, err)
	want(t, "Statement", keysOf(es), []string{"e", "a"})
	for _, e := range es {
		for _, a := range []ledger.Account{e.From, e.To} {
			if !strings.HasPrefix(string(a), "user/7/") && a != "network/jd" {
				t.Errorf("%s names the account %q", e.Key, a)
			}
		}
	}
}

func causedInOrder(t *testing.T, s LedgerStore) {
	a, b, c := earn("a", 7, ledger.Pending, 10), earn("b", 7, ledger.Pending, 10), earn("c", 7, ledger.Pending, 10)
	a.Cause, b.Cause, c.Cause = "jd/main/1", "jd/main/12", "jd/main/1"
	must(t, post(t, s, a, b, c))
	for cause, keys := range map[string][]string{"jd/main/1": {"a", "c"}, "jd/main/12": {"b"}, "jd/main": {}} {
		es, err := s.Reader.Caused(t.Context(), cause)
		must(t, err)
		want(t, "Caused by "+cause, keysOf(es), keys)
	}
}

func walkAll(t *testing.T, s LedgerStore) {
	const n = 2501 // more than any page that a store would read at once
	var es []ledger.Entry
	var keys []string
	for i := range n {
		es = append(es, earn(fmt.Sprint("e", i), int64(i%50+1), ledger.Pending, money.Fen(i+1)))
		keys = append(keys, es[i].Key)
	}
	must(t, post(t, s, es...))
	var got []string
	last := int64(0)
	must(t, s.Reader.Walk(t.Context(), func(e ledger.Entry) error {
		if e.ID <= last {
			t.Errorf("entry %d follows %d", e.ID, last)
		}
		last, got = e.ID, append(got, e.Key)
		return nil
	}))
	want(t, "keys", got, keys)
	wantSound(t, s.Reader)
}

func walkStops(t *testing.T, s LedgerStore) {
	must(t, post(t, s, earn("a", 7, ledger.Pending, 10), earn("b", 7, ledger.Pending, 10)))
	n := 0
	err := s.Reader.Walk(t.Context(), func(ledger.Entry) error { n++; return errNo })
	if !errors.Is(err, errNo) || n != 1 {
		t.Errorf("Walk = %v after %d entries, want the function's error after 1", err, n)
	}
}

// randomBooks posts journals of random moves, some of which are refused, from
// many at once, and holds the result against a ledger of two lines.
func randomBooks(t *testing.T, s LedgerStore) {
	accounts := []ledger.Account{
		"network/jd", "house/margin", "payer/manual", ledger.User(1, ledger.Pending), ledger.User(1, ledger.Available),
		ledger.User(1, ledger.Debt), ledger.User(2, ledger.Available), ledger.User(2, ledger.Reserved),
	}
	const seed = 20261111
	journals, errs := together(atOnce, func(i int) ([]ledger.Entry, error) {
		r := rand.New(rand.NewPCG(seed, uint64(i))) // the same moves every time
		var es []ledger.Entry
		for n := range 1 + r.IntN(6) {
			from, to := r.IntN(len(accounts)), r.IntN(len(accounts)-1)
			if to >= from {
				to++
			}
			es = append(es, move(fmt.Sprintf("j%d/%d", i, n), accounts[from], accounts[to], money.Fen(1+r.IntN(500))))
		}
		return es, post(t, s, es...)
	})
	sums, posted := map[ledger.Account]money.Fen{}, 0
	for i, err := range errs {
		if err != nil {
			wantCode(t, "a journal", err, fault.Insufficient)
			continue
		}
		posted++
		for _, e := range journals[i] {
			sums[e.From] -= e.Amount
			sums[e.To] += e.Amount
		}
	}
	if posted == 0 || posted == atOnce {
		t.Errorf("%d of %d journals were posted: the test has tried nothing", posted, atOnce)
	}
	wantBalances(t, s, sums)
}
