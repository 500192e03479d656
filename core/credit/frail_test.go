package credit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// over is a credit.Store whose transactions are one tx.
type over struct{ tx credit.Tx }

func (o over) InTx(_ context.Context, fn func(credit.Tx) error) error { return fn(o.tx) }
func (o over) Used(context.Context, string, []string) (map[string]money.Fen, error) {
	return nil, errFrail
}

var errFrail = errors.New("the database is gone")

// frail is a transaction of which one call fails.
type frail struct {
	*books
	left  int    // calls until then
	asked string // which one it was
}

func (f *frail) fail(what string) error {
	if f.left--; f.left != 0 {
		return nil
	}
	f.asked = what
	return errFrail
}

func (f *frail) Emit(e event.Event) error {
	return errors.Join(f.fail("Emit"), f.books.Emit(e))
}

func (f *frail) Act(a audit.Act) error { return errors.Join(f.fail("Act"), f.books.Act(a)) }

func (f *frail) Handled(id string) (bool, error) {
	before, _ := f.books.Handled(id)
	return before, f.fail("Handled")
}

func (f *frail) Switches(...control.Scope) ([]control.Switch, error) { return nil, f.fail("Switches") }

func (f *frail) Booked(ks []order.Key) (map[order.Key]credit.Booked, error) {
	all, _ := f.books.Booked(ks)
	return all, f.fail("Booked")
}

func (f *frail) PutBooked(bs []credit.Booked) error {
	return errors.Join(f.fail("PutBooked"), f.books.PutBooked(bs))
}

func (f *frail) Spend(budget, span string, n, limit money.Fen) (bool, error) {
	ok, _ := f.books.Spend(budget, span, n, limit)
	return ok, f.fail("Spend")
}

func (f *frail) Balances(as []ledger.Account) (map[ledger.Account]money.Fen, error) {
	all, _ := f.books.Balances(as)
	return all, f.fail("Balances")
}

func (f *frail) Entries(keys []string) (map[string]ledger.Entry, error) {
	all, _ := f.books.Entries(keys)
	return all, f.fail("Entries")
}

func (f *frail) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	return errors.Join(f.fail("Post"), f.books.Post(es, b))
}

// TestWhateverFailsIsSaid fails each call to the store in turn: it always comes
// out, so that the transaction is undone, and nothing is said to be done.
func TestWhateverFailsIsSaid(t *testing.T) {
	t.Parallel()
	topped := at(3, 42, rebate.Available, 500, 60)
	topped.TopUp, topped.Budget, topped.Cuts = 30, "m", [2]rebate.Cut{{User: 8, Amount: 5}, {User: 9, Amount: 2}}
	for name, tt := range map[string]struct {
		do    func(s credit.Store) (bool, error)
		calls string
	}{
		"RebateChanged": {func(s credit.Store) (bool, error) {
			c := credit.Cashier{Store: s, Now: func() time.Time { return now }}
			return false, c.RebateChanged(t.Context(), news(t, "n", topped))
		}, "[Switches Handled Booked Balances Spend Spend Spend Entries Post PutBooked Emit]"},
		"Give": {func(s credit.Store) (bool, error) {
			at := now
			c := treasurer(nil, &at)
			c.Store = s
			return c.Give(t.Context(), credit.Gift{Key: "g", User: 42, Amount: 200, Budget: "campaign"})
		}, "[Balances Entries Spend Spend Spend Entries Post]"},
		"Forgive": {func(s credit.Store) (bool, error) {
			at := now
			c := treasurer(nil, &at)
			c.Store = s
			return c.Forgive(t.Context(), credit.Forgiveness{Key: "f", User: 42, Amount: 60, By: "ann", Reason: "theirs"})
		}, "[Balances Entries Spend Entries Post Act]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls []string
			for n := 1; ; n++ {
				f := &frail{books: indebted(t), left: n}
				done, err := tt.do(over{tx: f})
				if f.asked == "" {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
				calls = append(calls, f.asked)
				if !errors.Is(err, errFrail) || done {
					t.Errorf("%s, call %d, fails: done is %v, with %v", f.asked, n, done, err)
				}
			}
			if fmt.Sprint(calls) != tt.calls {
				t.Errorf("the calls are %v, want %s", calls, tt.calls)
			}
		})
	}
}

// gone is a ledger that cannot be read: not its accounts, or not its statements.
type gone struct {
	ledgertest.Reader
	accounts, statements bool
}

func (g gone) Accounts(ctx context.Context) (map[ledger.Account]money.Fen, error) {
	if g.accounts {
		return nil, errFrail
	}
	return g.Reader.Accounts(ctx)
}

func (g gone) Statement(ctx context.Context, user, before int64, n int) ([]ledger.Entry, error) {
	if g.statements {
		return nil, errFrail
	}
	return g.Reader.Statement(ctx, user, before, n)
}

func (g gone) Wallet(context.Context, int64) (map[ledger.Pocket]money.Fen, error) {
	return nil, errFrail
}

// TestWhatCannotBeReadIsSaid, and is not taken for nothing.
func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	b, at := indebted(t), now
	c := treasurer(b, &at)
	r := ledgertest.Reader{Memory: b.Memory}
	nothing := func(credit.Debtor) error { return nil }
	for what, err := range map[string]error{
		"accounts":     c.Debtors(t.Context(), gone{r, true, false}, nothing),
		"statements":   c.Debtors(t.Context(), gone{r, false, true}, nothing),
		"its listener": c.Debtors(t.Context(), r, func(credit.Debtor) error { return errFrail }),
	} {
		if !errors.Is(err, errFrail) {
			t.Errorf("without %s: %v", what, err)
		}
	}
	if _, err := (credit.Purse{Ledger: gone{Reader: r}}).Wallet(t.Context(), 42); !errors.Is(err, errFrail) {
		t.Errorf("a wallet that cannot be read: %v", err)
	}
	c.Store = over{}
	if dry, err := c.Dry(t.Context(), "campaign"); dry || !errors.Is(err, errFrail) {
		t.Errorf("a budget that cannot be read is dry: %v, %v", dry, err)
	}
	e := event.Event{ID: "n", Name: event.RebateChanged, Data: []byte("{")}
	if err := (&credit.Cashier{Store: b, Now: c.Now}).RebateChanged(t.Context(), e); err == nil {
		t.Error("news that cannot be read is heard")
	}
}
