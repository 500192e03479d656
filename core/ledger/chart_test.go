package ledger_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
)

// accountOf returns an account of each class.
func accountOf(c ledger.Class) ledger.Account {
	switch c {
	case ledger.ClassNetwork:
		return "network/jd"
	case ledger.ClassPayer:
		return "payer/manual"
	case ledger.ClassPending:
		return ledger.User(42, ledger.Pending)
	case ledger.ClassAvailable:
		return ledger.User(42, ledger.Available)
	case ledger.ClassReserved:
		return ledger.User(42, ledger.Reserved)
	case ledger.ClassDebt:
		return ledger.User(42, ledger.Debt)
	default:
		return ledger.Account(c.String())
	}
}

func TestAccountsHaveTheirClass(t *testing.T) {
	t.Parallel()
	for c := ledger.ClassNetwork; c <= ledger.ClassAdjustments; c++ {
		if got := accountOf(c).Class(); got != c {
			t.Errorf("%s is of class %d, want %d", accountOf(c), got, c)
		}
	}
	for _, a := range []ledger.Account{"", "network/", "payer/", "collector/", "house/", "house/cellar", "user/42", "user/42/", "user/42/purse", "user/x/debt", "networks/jd"} {
		if got := a.Class(); got != ledger.NoClass {
			t.Errorf("%q is of class %s", a, got)
		}
	}
}

// TestTheJournalHoldsTheChart tries every kind between all classes.
func TestTheJournalHoldsTheChart(t *testing.T) {
	t.Parallel()
	kinds := map[ledger.Kind]bool{"theft": true, ledger.Manual: true}
	for _, w := range ledger.Chart() {
		kinds[w.Kind] = true
	}
	for kind := range kinds {
		for from := ledger.NoClass; from <= ledger.ClassAdjustments; from++ {
			for to := ledger.NoClass; to <= ledger.ClassAdjustments; to++ {
				e := ledger.Entry{Key: "k", Kind: kind, From: accountOf(from), To: accountOf(to), Amount: 1, Cause: "c"}
				if e.From == e.To {
					continue
				}
				want := slices.Contains(ledger.Chart(), ledger.Way{Kind: kind, From: from, To: to}) ||
					kind == ledger.Manual && from != ledger.NoClass && to != ledger.NoClass
				err := post(t, ledgertest.New(), e)
				if got := fault.ReasonOf(err) != "ledger.not_charted"; got != want {
					t.Errorf("%s from %q to %q is allowed: %v, want %v", kind, e.From, e.To, got, want)
				}
			}
		}
	}
}

func TestNobodyGetsAnothersMoney(t *testing.T) {
	t.Parallel()
	m := ledgertest.New()
	if err := post(t, m, earn("a", 42, ledger.Pending, 100)); err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Key: "b", Kind: ledger.Settle, From: ledger.User(42, ledger.Pending), To: ledger.User(43, ledger.Available), Amount: 5, Cause: "jd/main/1"}
	if err := post(t, m, e); fault.ReasonOf(err) != "ledger.not_charted" {
		t.Errorf("one user's money settles for another: %v", err)
	}
	if e.Kind = ledger.Manual; post(t, m, e) != nil {
		t.Error("staff cannot correct it")
	}
	wantSound(t, m)
	m.Book[1].Kind = ledger.Settle
	if rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: m}); err != nil || rep.OK() {
		t.Errorf("audit %+v, %v", rep, err)
	}
}

// TestTheDocumentIsTheChart holds the table of docs/ledger.md against the code.
func TestTheDocumentIsTheChart(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	var said, is []string
	for _, m := range regexp.MustCompile("(?m)^\\| (\\w+) +\\| `([^`]+)` +\\| `([^`]+)` +\\|").FindAllStringSubmatch(string(doc), -1) {
		said = append(said, fmt.Sprintf("%s: %s to %s", m[1], m[2], m[3]))
	}
	for _, w := range ledger.Chart() {
		is = append(is, fmt.Sprintf("%s: %s to %s", w.Kind, w.From, w.To))
	}
	for _, s := range is {
		if !slices.Contains(said, s) {
			t.Errorf("docs/ledger.md does not have %s", s)
		}
	}
	for _, s := range said {
		if !slices.Contains(is, s) {
			t.Errorf("docs/ledger.md has %s, the chart does not", s)
		}
	}
	if len(said) != len(is) {
		t.Errorf("docs/ledger.md has %d ways, the chart %d", len(said), len(is))
	}
}

// TestEachFieldIsInTheDigest also moves letters between neighbouring fields.
func TestEachFieldIsInTheDigest(t *testing.T) {
	t.Parallel()
	e := earn("a", 42, ledger.Pending, 100)
	e.Note, e.At = "水壶", now
	seen := map[string]string{ledger.DigestOf([]ledger.Entry{e}): "the entry", ledger.DigestOf(nil): "none", ledger.DigestOf([]ledger.Entry{e, e}): "two"}
	for name, change := range map[string]func(*ledger.Entry){
		"Key": func(e *ledger.Entry) { e.Key = "b" }, "Kind": func(e *ledger.Entry) { e.Kind = ledger.Adjust }, "From": func(e *ledger.Entry) { e.From = "network/pdd" },
		"To": func(e *ledger.Entry) { e.To = ledger.User(4, ledger.Pending) }, "Amount": func(e *ledger.Entry) { e.Amount++ },
		"Cause": func(e *ledger.Entry) { e.Cause += "1" }, "Note": func(e *ledger.Entry) { e.Note = "" }, "At": func(e *ledger.Entry) { e.At = now.Add(time.Millisecond) },
		"a moved letter": func(e *ledger.Entry) { e.Cause, e.Note = e.Cause[:3], e.Cause[3:]+e.Note },
	} {
		c := e
		change(&c)
		d := ledger.DigestOf([]ledger.Entry{c})
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
	e.ID = 9
	if seen[ledger.DigestOf([]ledger.Entry{e})] != "the entry" {
		t.Error("the id, which is not known yet when a batch is posted, is in the digest")
	}
	d := ledger.NewDigest()
	d.Add(&e)
	if d.Reset(); seen[d.String()] != "none" {
		t.Error("a digest that starts again remembers")
	}
}
