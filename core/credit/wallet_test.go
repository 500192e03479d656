package credit_test

import (
	"fmt"
	"testing"

	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
	"fanli/core/rebate"
)

// TestWhatAnEntryDoesToAUser: it adds to what is theirs, takes from it, or moves it
// from one pocket to another, and others' entries do nothing.
func TestWhatAnEntryDoesToAUser(t *testing.T) {
	t.Parallel()
	network, margin := ledger.Network("jd"), ledger.Margin
	available, reserved := ledger.User(42, ledger.Available), ledger.User(42, ledger.Reserved)
	for _, tt := range []struct {
		name     string
		from, to ledger.Account
		want     money.Fen
	}{
		{"to them", network, available, 170},
		{"from them", available, network, -170},
		{"between their pockets", available, reserved, 0},
		{"to somebody else", network, ledger.User(43, ledger.Available), 0},
		{"from somebody else", ledger.User(43, ledger.Available), network, 0},
		{"without users", network, margin, 0},
	} {
		if got := credit.Effect(42, ledger.Entry{From: tt.from, To: tt.to, Amount: 170}); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := credit.Effect(0, ledger.Entry{From: network, To: margin, Amount: 170}); got != 0 {
		t.Errorf("the house's accounts are nobody's: %d", got)
	}
}

// TestAPurseTellsAUsersMoney: where it is, and how it came there, newest first.
func TestAPurseTellsAUsersMoney(t *testing.T) {
	t.Parallel()
	b := indebted(t)
	waiting := at(1, 42, rebate.Pending, 30, 0)
	waiting.Key = key("2")
	hear(t, b, waiting)
	p := credit.Purse{Ledger: ledgertest.Reader{Memory: b.Memory}}
	w, err := p.Wallet(t.Context(), 42)
	if want := (credit.Wallet{Pending: 30, Debt: 170}); err != nil || w != want {
		t.Errorf("%+v, %v, want %+v", w, err, want)
	}
	es, err := p.Statement(t.Context(), 42, 0, 2)
	if err != nil || len(es) != 2 || es[0].Kind != ledger.Earn || es[1].Kind != ledger.Claw {
		t.Fatalf("%+v, %v", es, err)
	}
	before, err := p.Statement(t.Context(), 42, es[1].ID, 1)
	if err != nil || fmt.Sprint(before[0].Kind, before[0].To) != "manual"+string(ledger.Payer("manual")) {
		t.Errorf("%+v, %v", before, err)
	}
}
