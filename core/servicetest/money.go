package servicetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A WalletWorld is a credit.Wallets under test, with the store behind it.
type WalletWorld struct {
	Clock
	Service credit.Wallets
	Store   credit.Store
}

// Wallets checks every promise of credit.Wallets.
func Wallets(t *testing.T, open func(t *testing.T) WalletWorld) {
	t.Helper()
	run(t, open, story[WalletWorld]{"MoneyIsToldToTheLastField", moneyTold})
}

// post moves money between accounts, as only staff may.
func post(t *testing.T, s credit.Store, now time.Time, es ...ledger.Entry) {
	t.Helper()
	must(t, s.InTx(t.Context(), func(tx credit.Tx) error {
		j, err := ledger.Open(tx, now)
		if err != nil {
			return err
		}
		for _, e := range es {
			if err := j.Move(e); err != nil {
				return err
			}
		}
		return j.Post()
	}))
}

func manual(key string, from, to ledger.Account, amount money.Fen) ledger.Entry {
	return ledger.Entry{Key: key, Kind: ledger.Manual, From: from, To: to, Amount: amount, Cause: "test/" + key, Note: "保温杯 ☕"}
}

func moneyTold(t *testing.T, w WalletWorld) {
	ctx, jd := t.Context(), ledger.Network("jd")
	es := []ledger.Entry{
		manual("pending", jd, ledger.User(7, ledger.Pending), 101), manual("available", jd, ledger.User(7, ledger.Available), 202),
		manual("reserved", jd, ledger.User(7, ledger.Reserved), 303), manual("debt", ledger.User(7, ledger.Debt), jd, 404),
	}
	post(t, w.Store, w.Now(), es...)
	wallet := credit.Wallet{Pending: 101, Available: 202, Reserved: 303, Debt: 404}
	full(t, wallet)
	got, err := w.Service.Wallet(ctx, 7)
	must(t, err)
	want(t, "Wallet", got, wallet)
	got, err = w.Service.Wallet(ctx, 8)
	must(t, err)
	want(t, "Wallet of nobody", got, credit.Wallet{})

	for i, amount := range []money.Fen{100, 3} {
		out := ledger.Entry{Kind: ledger.Payout, From: ledger.User(7, ledger.Reserved), To: ledger.Payer("manual"), Amount: amount, Cause: "withdrawal/1"}
		back := manual("back", ledger.Payer("manual"), ledger.User(7, ledger.Reserved), amount)
		out.Key, back.Key, back.Cause = fmt.Sprint("out", i), fmt.Sprint("back", i), "test/back"
		post(t, w.Store, w.Now(), out, back)
		es = append(es, out, back)
	}
	for who, sum := range map[int64]money.Fen{7: 103, 8: 0} {
		paid, err := w.Service.Paid(ctx, who)
		must(t, err)
		want(t, "Paid", paid, sum)
	}
	all, err := w.Service.Statement(ctx, 7, 0, 10)
	must(t, err)
	if len(all) != len(es) {
		t.Fatalf("%d entries, want %d", len(all), len(es))
	}
	for i, e := range all {
		expected := es[len(es)-1-i]
		expected.ID, expected.At = e.ID, w.Now()
		if i >= len(es)-4 { // payouts bear no note
			full(t, expected)
		}
		want(t, "Statement", e, expected)
	}
	page, err := w.Service.Statement(ctx, 7, all[0].ID, 2)
	must(t, err)
	want(t, "Statement, the second page", page, all[1:3])
	page, err = w.Service.Statement(ctx, 8, 0, 10)
	must(t, err)
	want(t, "number of entries of nobody", len(page), 0)
}

// A GiftWorld is a credit.Gifts under test.
type GiftWorld struct {
	Clock
	Service credit.Gifts
	// Set says what a check-in brings, 0 for that there are none, and its budget.
	Set func(amount money.Fen, name string, b credit.Budget)
}

// Gifts checks every promise of credit.Gifts.
func Gifts(t *testing.T, open func(t *testing.T) GiftWorld) {
	t.Helper()
	run(t, open, story[GiftWorld]{"AGiftADayUntilTheBudgetIsUsedUp", giftADay})
}

func giftADay(t *testing.T, w GiftWorld) {
	ctx := t.Context()
	come := func(what string, user int64, brings money.Fen) {
		t.Helper()
		n, err := w.Service.Come(ctx, user)
		must(t, err)
		want(t, what, n, brings)
	}
	dry := func(name string, is bool) {
		t.Helper()
		d, err := w.Service.Dry(ctx, name)
		must(t, err)
		want(t, "Dry of "+name, d, is)
	}
	w.Set(0, "签到", credit.Budget{Day: 10})
	wantFailures(t, failure{"Come where there are none", errOf(w.Service.Come(ctx, 7)), fault.NotFound, "bonus.no_checkin"})
	w.Set(5, "签到", credit.Budget{Day: 10})
	dry("签到", false)
	come("the first", 7, 5)
	come("again on that day", 7, 0)
	dry("签到", false)
	come("somebody else", 8, 5)
	dry("签到", true)
	wantFailures(t, failure{"Come to a used-up budget", errOf(w.Service.Come(ctx, 9)), fault.Limited, "bonus.used_up"})
	w.Advance(24 * time.Hour)
	dry("签到", false)
	come("the next day", 7, 5)
}

// A SwitchWorld is a control.Service under test.
type SwitchWorld struct {
	Clock
	Service control.Service
	Board   *control.Board
}

// Switches checks every promise of control.Service.
func Switches(t *testing.T, open func(t *testing.T) SwitchWorld) {
	t.Helper()
	run(t, open, story[SwitchWorld]{"ASwitchStopsWhatItNames", switchStops})
}

func switchStops(t *testing.T, w SwitchWorld) {
	ctx, s := t.Context(), control.Switch{Scope: control.Network("jd"), On: true, By: "cli", Why: "京东 is odd", Text: "明天再来 🙏"}
	must(t, w.Service.Check(ctx))
	must(t, w.Service.Check(ctx, control.Payouts, s.Scope))
	must(t, w.Board.Set(ctx, s))
	s.Since = w.Now()
	full(t, s)
	w.Advance(time.Minute)
	must(t, w.Service.Check(ctx))
	must(t, w.Service.Check(ctx, control.Payouts, control.ReadOnly))
	err := w.Service.Check(ctx, control.Payouts, s.Scope)
	wantFailures(t, failure{"Check", err, fault.Unavailable, control.Stopped})
	var stopped *control.StoppedError
	if !errors.As(err, &stopped) {
		t.Fatalf("%v does not say what stopped it", err)
	}
	want(t, "what stopped it", stopped.Switch, s)
	s.On, s.Since = false, time.Time{}
	must(t, w.Board.Set(ctx, s))
	must(t, w.Service.Check(ctx, s.Scope))
}
