package ledger_test

import (
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
	if err := post(t, m, earn("a", 42, ledger.Pending, 101)); !fault.Is(err, fault.Conflict) {
		t.Errorf("another amount: %v", err)
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
