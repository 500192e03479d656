package ledger_test

import (
	"slices"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
)

var now = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

func post(t *testing.T, m *ledgertest.Memory, es ...ledger.Entry) error {
	t.Helper()
	j, err := ledger.Open(m, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if err := j.Move(e); err != nil {
			return err
		}
	}
	return j.Post()
}

func earn(key string, user int64, p ledger.Pocket, amount money.Fen) ledger.Entry {
	return ledger.Entry{Key: key, Kind: ledger.Earn, From: ledger.Network("jd"), To: ledger.User(user, p), Amount: amount, Cause: "jd/main/1"}
}

func wantSound(t *testing.T, m *ledgertest.Memory) {
	t.Helper()
	rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: m})
	if err != nil || !rep.OK() {
		t.Errorf("the book is not sound: %+v, %v", rep, err)
	}
}

func TestClearingAccounts(t *testing.T) {
	t.Parallel()
	for a, want := range map[ledger.Account]bool{
		ledger.Network("jd"): true, ledger.Payer("alipay"): true, ledger.Collector("alipay"): true,
		ledger.Bank: false, ledger.Suspense: false, ledger.User(7, ledger.Available): false, "networks/jd": false,
	} {
		if a.Clearing() != want {
			t.Errorf("%s is one: %v", a, !want)
		}
	}
}

func TestPostTwiceMovesOnce(t *testing.T) {
	t.Parallel()
	m := ledgertest.New()
	for range 3 {
		if err := post(t, m, earn("a", 42, ledger.Pending, 100), earn("b", 42, ledger.Pending, 5)); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.Sums[ledger.User(42, ledger.Pending)]; got != 105 || len(m.Book) != 2 {
		t.Errorf("%s in %d entries", got, len(m.Book))
	}
	wantSound(t, m)
}

func TestAKeyWithOtherContentIsAConflict(t *testing.T) {
	t.Parallel()
	m := ledgertest.New()
	if err := post(t, m, earn("a", 42, ledger.Pending, 100)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ledger.Entry){
		"another amount": func(e *ledger.Entry) { e.Amount++ },
		"another kind":   func(e *ledger.Entry) { e.Kind = ledger.Refer },
		"another payer":  func(e *ledger.Entry) { e.From = ledger.Network("pdd") },
		"another pocket": func(e *ledger.Entry) { e.To = ledger.User(42, ledger.Available) },
		"another user":   func(e *ledger.Entry) { e.To = ledger.User(43, ledger.Pending) },
		"another cause":  func(e *ledger.Entry) { e.Cause = "jd/main/2" },
		"all of it": func(e *ledger.Entry) {
			*e = ledger.Entry{Key: "a", Kind: ledger.Bonus, From: ledger.Marketing, To: ledger.User(7, ledger.Available), Amount: 1, Cause: "c"}
		},
		"two things of it": func(e *ledger.Entry) { e.Kind, e.Amount = ledger.Refer, 7 },
	} {
		e := earn("a", 42, ledger.Pending, 100)
		change(&e)
		if err := post(t, m, e); fault.ReasonOf(err) != "ledger.key_reused" || len(m.Book) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	later := earn("a", 42, ledger.Pending, 100)
	later.Note = "the title has changed since"
	if err := post(t, m, later); err != nil || m.Book[0].Note != "" {
		t.Errorf("another note, which is for people only: %v", err)
	}
	if err := post(t, m, earn("a", 42, ledger.Pending, 100), earn("new", 42, ledger.Pending, 1)); !fault.Is(err, fault.Conflict) {
		t.Errorf("half new: %v", err)
	}
	wantSound(t, m)
}

func TestAUserNeverGoesBelowZero(t *testing.T) {
	t.Parallel()
	m := ledgertest.New()
	if err := post(t, m, earn("a", 42, ledger.Available, 100)); err != nil {
		t.Fatal(err)
	}
	out := ledger.Entry{
		Key: "w", Kind: ledger.Reserve, From: ledger.User(42, ledger.Available), To: ledger.User(42, ledger.Reserved), Amount: 101, Cause: "withdrawal/1",
	}
	if err := post(t, m, out); !fault.Is(err, fault.Insufficient) || len(m.Book) != 1 {
		t.Errorf("got %v with %d entries", err, len(m.Book))
	}
	out.Amount = 100
	if err := post(t, m, out); err != nil {
		t.Error(err)
	}
	claw := ledger.Entry{Key: "c", Kind: ledger.Claw, From: ledger.User(42, ledger.Debt), To: ledger.Network("jd"), Amount: 30, Cause: "jd/main/1"}
	if err := post(t, m, claw); err != nil {
		t.Errorf("a debt is refused: %v", err)
	}
	over := ledger.Entry{Key: "r", Kind: ledger.Manual, From: ledger.User(42, ledger.Reserved), To: ledger.User(42, ledger.Debt), Amount: 31, Cause: "jd/main/1"}
	if err := post(t, m, over); !fault.Is(err, fault.Insufficient) {
		t.Errorf("more is repaid than is owed: %v", err)
	}
	if over.Amount = 30; post(t, m, over) != nil || m.Sums[ledger.User(42, ledger.Debt)] != 0 {
		t.Error("a debt cannot be repaid to the last fen")
	}
	wantSound(t, m)
}

func TestMalformedEntriesAreRefused(t *testing.T) {
	t.Parallel()
	good := earn("a", 42, ledger.Pending, 1)
	for name, spoil := range map[string]func(*ledger.Entry){
		"negative":      func(e *ledger.Entry) { e.Amount = -1 },
		"to itself":     func(e *ledger.Entry) { e.To = e.From },
		"without key":   func(e *ledger.Entry) { e.Key = "" },
		"without cause": func(e *ledger.Entry) { e.Cause = "" },
		"overflow":      func(e *ledger.Entry) { e.Amount = 1 << 62 },
	} {
		m := ledgertest.New()
		if err := post(t, m, earn("x", 42, ledger.Pending, 1<<62)); err != nil {
			t.Fatal(err)
		}
		e := good
		spoil(&e)
		if err := post(t, m, e); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := ledgertest.New()
	good.Amount = 0
	if err := post(t, m, good); err != nil || len(m.Book) != 0 {
		t.Errorf("moving nothing: %v, %d entries", err, len(m.Book))
	}
}

func TestAuditFindsEveryKindOfDamage(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*ledgertest.Memory){
		"a changed amount":  func(m *ledgertest.Memory) { m.Book[0].Amount++ },
		"another receiver":  func(m *ledgertest.Memory) { m.Book[0].To = ledger.User(43, ledger.Pending) },
		"another payer":     func(m *ledgertest.Memory) { m.Book[0].From = ledger.Network("pdd") },
		"a lost entry":      func(m *ledgertest.Memory) { m.Book = m.Book[1:] },
		"a changed balance": func(m *ledgertest.Memory) { m.Sums[ledger.User(42, ledger.Pending)]++ },
		"a lost balance":    func(m *ledgertest.Memory) { delete(m.Sums, ledger.User(42, ledger.Pending)) },
		"no cause":          func(m *ledgertest.Memory) { m.Book[0].Cause = "" },
		"a turned entry":    func(m *ledgertest.Memory) { m.Book[0].From, m.Book[0].To = m.Book[0].To, m.Book[0].From },
	} {
		m := ledgertest.New()
		if err := post(t, m, earn("a", 42, ledger.Pending, 100), earn("b", 43, ledger.Pending, 7)); err != nil {
			t.Fatal(err)
		}
		wantSound(t, m)
		spoil(m)
		if rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: m}); err != nil || rep.OK() {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

// TestAnAuditSaysWhatIsWrong spoils a sound book of two entries, and reads the
// whole report.
func TestAnAuditSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	user := ledger.User(42, ledger.Pending)
	tests := []struct {
		name  string
		spoil func(m *ledgertest.Memory)
		sum   money.Fen
		want  []string
	}{
		{"nothing", func(*ledgertest.Memory) {}, 0, nil},
		{"a fen more", func(m *ledgertest.Memory) { m.Sums[user]++ }, 1, []string{"user/42/pending has a balance of 1.01, but its entries add up to 1.00"}},
		{"a fen less", func(m *ledgertest.Memory) { m.Sums[user]-- }, -1, []string{"user/42/pending has a balance of 0.99, but its entries add up to 1.00"}},
		{"no balance", func(m *ledgertest.Memory) { delete(m.Sums, user) }, -100, []string{"user/42/pending has no balance, but its entries add up to 1.00"}},
		{"a balance of nothing", func(m *ledgertest.Memory) { m.Sums[ledger.Bank] = 0 }, 0, nil},
		{"no balance, and nothing moved in the end", func(m *ledgertest.Memory) {
			m.Book = append(m.Book, ledger.Entry{ID: 3, Key: "c", Kind: ledger.Receive, From: ledger.Bank, To: "network/pdd", Amount: 5, Cause: "c"},
				ledger.Entry{ID: 4, Key: "d", Kind: ledger.Receive, From: "network/pdd", To: ledger.Bank, Amount: 5, Cause: "c"})
		}, 0, nil},
		{"an amount of nothing", func(m *ledgertest.Memory) {
			m.Book = append(m.Book, ledger.Entry{ID: 3, Key: "c", Kind: ledger.Manual, From: ledger.Bank, To: ledger.Margin, Cause: "c"})
		}, 0, []string{"entry 3 c is malformed: 0.00 from house/bank to house/margin"}},
		{"to itself", func(m *ledgertest.Memory) {
			m.Book = append(m.Book, ledger.Entry{ID: 3, Key: "c", Kind: ledger.Manual, From: ledger.Bank, To: ledger.Bank, Amount: 1, Cause: "c"})
		}, 0, []string{"entry 3 c is malformed: 0.01 from house/bank to house/bank"}},
		{"no cause", func(m *ledgertest.Memory) { m.Book[1].Cause = "" }, 0, []string{"entry 2 b is malformed: 0.07 from network/jd to house/margin"}},
		{"no kind", func(m *ledgertest.Memory) { m.Book[1].Kind = "" }, 0, []string{"entry 2 b is not in the chart:  from network/jd to house/margin"}},
		{"a user below zero for a while", func(m *ledgertest.Memory) {
			revoke := ledger.Entry{ID: 3, Key: "c", Kind: ledger.Revoke, From: user, To: "network/jd", Amount: 100, Cause: "c"}
			m.Book = []ledger.Entry{revoke, m.Book[0], m.Book[1], m.Book[0]}
		}, 0, []string{"entry 3 c leaves user/42/pending at -1.00"}},
	}
	for _, tt := range tests {
		m := ledgertest.New()
		keep := ledger.Entry{Key: "b", Kind: ledger.Keep, From: ledger.Network("jd"), To: ledger.Margin, Amount: 7, Cause: "jd/main/1"}
		if err := post(t, m, earn("a", 42, ledger.Pending, 100), keep); err != nil {
			t.Fatal(err)
		}
		tt.spoil(m)
		rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: m})
		if err != nil || rep.Sum != tt.sum || !slices.Equal(rep.Faults, tt.want) || rep.Entries != int64(len(m.Book)) || rep.Accounts != len(m.Sums) {
			t.Errorf("%s: %+v, %v; want %q", tt.name, rep, err, tt.want)
		}
	}
}

func TestAnAuditSpellsOutTwentyFaults(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{19: 19, 20: 20, 21: 20, 100: 20} {
		m := ledgertest.New()
		for i := range n {
			m.Sums[ledger.User(int64(i+1), ledger.Pending)] = 1
		}
		if rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: m}); err != nil || len(rep.Faults) != want || rep.Sum != money.Fen(n) {
			t.Errorf("of %d wrong balances %d are spelled out, %v", n, len(rep.Faults), err)
		}
	}
}

func TestOwner(t *testing.T) {
	t.Parallel()
	if u, p, ok := ledger.User(42, ledger.Debt).Owner(); u != 42 || p != ledger.Debt || !ok {
		t.Errorf("%d %s %v", u, p, ok)
	}
	for _, a := range []ledger.Account{ledger.Margin, ledger.Network("jd"), "user/x/pending", "user/1"} {
		if _, _, ok := a.Owner(); ok {
			t.Errorf("%s has an owner", a)
		}
	}
}
