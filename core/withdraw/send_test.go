package withdraw_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

func TestWhatIsApprovedIsPaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 600)
	if n := w.run(); n != 1 {
		t.Errorf("one withdrawal changed, and the run says %d", n)
	}
	w.wantState(x.ID, withdraw.Paid, "")
	w.wantAsked("send TW1")
	if n := w.run(); n != 0 {
		t.Errorf("nothing is left, and the run says %d", n)
	}
	w.wantAsked()
	w.wantWallet(42, credit.Wallet{Available: 400})
	if p := w.bank.known["TW1"].payment; p.Amount != 600 || p.Payee != payee() || !strings.Contains(p.Note, "TW1") {
		t.Errorf("the bank was asked for %s to %v with note %q", p.Amount, p.Payee, p.Note)
	}
	if b, err := w.store.Reader().Balance(t.Context(), ledger.Payer("bank")); b != 600 || err != nil {
		t.Errorf("through the bank went %s, %v", b, err)
	}
	w.wantSound()
}

func TestWhatIsReviewedWaitsForAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 10_000)
	x := w.request(42, 9_000)
	w.run()
	w.wantAsked()
	_, err := w.Approve(t.Context(), x.ID, "telegram:12")
	must(t, err)
	w.run()
	w.wantState(x.ID, withdraw.Paid, "")
	if got := w.get(x.ID); got.Actor != "telegram:12" || got.Rev != 4 {
		t.Errorf("%+v", got)
	}
}

func TestTheVerdictDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mode   string
		way    string
		state  withdraw.State
		reason string
		wallet credit.Wallet
	}{
		{"done", "", "", withdraw.Paid, "", credit.Wallet{}},
		{"dead", payertest.Refuses, "", withdraw.Failed, "payout.no_such_account", credit.Wallet{Available: 1000}},
		{"busy", payertest.Holds, "", withdraw.Sending, "", credit.Wallet{Reserved: 1000}},
		{"the request was lost", "", payertest.LostRequest, withdraw.Unknown, "payout.unclear", credit.Wallet{Reserved: 1000}},
		{"the answer was lost", "", payertest.LostAnswer, withdraw.Unknown, "payout.unclear", credit.Wallet{Reserved: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.bank.Mode(tt.mode)
			w.bank.Fail(tt.way)
			w.run()
			w.wantState(x.ID, tt.state, tt.reason)
			w.wantWallet(42, tt.wallet)
			w.wantSound()
			if !tt.state.Final() {
				if got := w.get(x.ID); !got.NextAt.Equal(start.Add(5 * time.Second)) {
					t.Errorf("it is asked about at %s", got.NextAt)
				}
			}
		})
	}
}

func TestAHeldPaymentIsAskedAboutUntilItIsDecided(t *testing.T) {
	t.Parallel()
	for paid, state := range map[bool]withdraw.State{true: withdraw.Paid, false: withdraw.Failed} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.bank.Mode(payertest.Holds)
			w.run()
			w.advance(5 * time.Second)
			w.run()
			w.wantAsked("send TW1", "query TW1")
			w.wantState(x.ID, withdraw.Sending, "")
			must(t, w.bank.Decide("TW1", paid))
			w.advance(time.Hour)
			w.run()
			if got := w.get(x.ID); got.State != state {
				t.Errorf("it is %s", got.State)
			}
			w.wantAsked("query TW1")
			w.wantSound()
		})
	}
}

// An outcome that is not known is asked about, each time after a longer wait, and
// nothing is sent again unless the payer does not know the number.
func TestQuestionsComeAfterLongerAndLongerWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.bank.Fail(payertest.LostAnswer)
	w.run()
	w.wantAsked("send TW1")
	var waits []time.Duration
	last := w.now()
	for range 12 {
		for len(w.bank.asked()) == 0 {
			w.advance(time.Second)
			w.run()
		}
		waits, last = append(waits, w.now().Sub(last)), w.now()
		w.wantState(x.ID, withdraw.Unknown, "payout.unclear")
	}
	if fmt.Sprint(waits) != "[5s 10s 20s 30s 30s 30s 30s 30s 30s 30s 30s 30s]" {
		t.Errorf("the waits are %v", waits)
	}
	w.bank.Fail("")
	w.advance(10 * time.Minute)
	w.run()
	w.wantState(x.ID, withdraw.Paid, "")
	w.wantAsked("query TW1")
	if said := w.said(x.ID); fmt.Sprint(said) != "[approved sending unknown paid]" {
		t.Errorf("said is %v", said)
	}
}

func TestWhatThePayerDoesNotKnowGoesOutAgainUnderTheSameNumber(t *testing.T) {
	t.Parallel()
	for _, way := range []string{payertest.LostRequest, payertest.LostAnswer} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.bank.Fail(way)
			w.run()
			w.bank.Fail(payertest.Late) // or says that it does not know it, and does
			w.advance(5 * time.Second)
			w.run()
			w.wantState(x.ID, withdraw.Paid, "")
			w.wantAsked("send TW1", "query TW1", "send TW1")
			if paid := w.bank.Paid("TW1"); len(paid) != 1 {
				t.Errorf("%v left", paid)
			}
			w.wantSound()
		})
	}
}

func TestAManualPaymentEndsWhenAPersonSaysSo(t *testing.T) {
	t.Parallel()
	for paid, wallet := range map[bool]credit.Wallet{true: {}, false: {Available: 1000}} {
		w := newWorld(t)
		w.give(42, 1000)
		x := w.request(42, 1000)
		w.bank.Mode(payertest.Holds)
		for range 100 {
			w.run()
			w.advance(time.Hour)
		}
		w.wantState(x.ID, withdraw.Sending, "")
		_, err := w.Cancel(t.Context(), 42, x.ID)
		wantFault(t, "Cancel of what was given to a person", err, fault.Conflict, "withdraw.wrong_state")
		got, err := w.Confirm(t.Context(), x.ID, paid, "telegram:12", "")
		must(t, err)
		if got.Actor != "telegram:12" {
			t.Errorf("%+v", got)
		}
		w.wantWallet(42, wallet)
		w.bank.asked()
		w.advance(time.Hour)
		w.run()
		w.wantAsked()
		w.wantSound()
	}
}

func TestGoodsThatGoBackBeforeItIsSentMakeAPersonLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.claw(42, 300)
	w.run()
	w.wantAsked()
	w.wantState(x.ID, withdraw.Reviewing, "review.debt")
	if got := w.get(x.ID); got.Actor != "" || got.Number != "" {
		t.Errorf("%+v", got)
	}
	w.wantWallet(42, credit.Wallet{Reserved: 1000, Debt: 300})
	_, err := w.Approve(t.Context(), x.ID, "cli") // still owed: it comes back to the person
	must(t, err)
	w.run()
	w.wantState(x.ID, withdraw.Reviewing, "review.debt")
	w.wantAsked()
}

// Whenever a debt arises during a run, either the intent to pay was committed
// before, or nothing is sent.
func TestADebtAtAnyMomentIsSeen(t *testing.T) {
	t.Parallel()
	for nth := range 6 {
		t.Run(fmt.Sprint("before transaction ", nth+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.give(42, 1000)
			x := w.request(42, 1000)
			n, sending := 0, false
			w.store.Before = func() error {
				if n++; n == nth+1 {
					w.store.Before = nil
					sending = w.get(x.ID).State != withdraw.Approved
					w.claw(42, 300)
				}
				return nil
			}
			w.run()
			w.store.Before = nil
			if owed := n > nth; owed && !sending && len(w.bank.known) > 0 {
				t.Error("money was sent to a user who owed before the intent was committed")
			}
			w.wantSound()
		})
	}
}

func TestManyRunnersSendOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const users, runners = 20, 100
	for id := int64(1); id <= users; id++ {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	var all sync.WaitGroup
	errs := make([]error, runners)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Run(t.Context()) })
	}
	all.Wait()
	must(t, errors.Join(errs...))
	asked := w.bank.asked()
	slices.Sort(asked)
	if len(asked) != users || len(slices.Compact(asked)) != users {
		t.Errorf("%d withdrawals were asked for %d times: %v", users, len(asked), asked)
	}
	for id := int64(1); id <= users; id++ {
		w.wantState(id, withdraw.Paid, "")
		if said := w.said(id); fmt.Sprint(said) != "[approved sending paid]" {
			t.Errorf("said is %v", said)
		}
	}
	w.wantSound()
}

func TestNobodyAsksWhileACallIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	w.request(42, 1000)
	w.bank.first = func() {
		if n := w.run(); n != 0 {
			t.Errorf("another runner handled %d", n)
		}
	}
	w.run()
	w.wantAsked("send TW1")
}

func TestManyRunnersResolveOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.bank.Fail(payertest.LostRequest)
	w.run()
	w.bank.Fail("")
	w.advance(time.Minute)
	var all sync.WaitGroup
	errs := make([]error, 100)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Run(t.Context()) })
	}
	all.Wait()
	must(t, errors.Join(errs...))
	w.wantState(x.ID, withdraw.Paid, "")
	if paid := w.bank.Paid("TW1"); len(paid) != 1 || len(w.bank.known) != 1 {
		t.Errorf("%v left, under %d numbers", paid, len(w.bank.known))
	}
	w.wantWallet(42, credit.Wallet{})
	w.wantSound()
}

func TestBeingStoppedInACallForgetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []int64{1, 2, 3} {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.bank.after = cancel // after it has paid
	if _, err := w.Run(ctx); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	w.wantAsked("send TW1")
	w.wantState(1, withdraw.Sending, "")
	w.wantState(2, withdraw.Approved, "")
	w.bank.after = nil
	w.restart()
	w.advance(5 * time.Second)
	w.run()
	w.wantAsked("query TW1", "send TW2", "send TW3")
	for id := int64(1); id <= 3; id++ {
		w.wantState(id, withdraw.Paid, "")
	}
	w.wantSound()
}

func TestAPayerThatStallsHoldsUpNothingForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.give(42, 1000)
		x := w.request(42, 1000)
		w.bank.Fail(payertest.Stall)
		before := time.Now()
		w.run()
		w.advance(time.Minute)
		w.run() // a question that stalls likewise
		if took := time.Since(before); took != 40*time.Second {
			t.Errorf("two calls that stall took %s", took)
		}
		w.wantState(x.ID, withdraw.Unknown, "payout.unclear")
		w.bank.Fail("")
		w.advance(time.Minute)
		w.run()
		w.wantState(x.ID, withdraw.Paid, "")
	})
}

func TestOneThatCannotBeHandledHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []int64{1, 2, 3} {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	n := 0
	w.store.Before = func() error {
		if n++; n == 1 {
			return fault.New(fault.Unavailable, "store.busy")
		}
		return nil
	}
	done, err := w.Run(t.Context())
	wantFault(t, "Run", err, fault.Unavailable, "store.busy")
	w.store.Before = nil
	if done != 2 {
		t.Errorf("%d of the others were handled", done)
	}
	w.wantState(1, withdraw.Approved, "")
	w.wantState(2, withdraw.Paid, "")
	w.wantState(3, withdraw.Paid, "")
}

// Withdrawals that were given to a payer which is not configured any more wait
// for it, or for a person. They must not stand in the way of others, however many
// they are.
func TestWithdrawalsOfAPayerThatIsGoneHoldUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.Mode(payertest.Holds)
	const many = 120
	for id := int64(1); id <= many; id++ {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	for w.run() > 0 {
	}
	old := w.bank
	w.bank = newBank()
	w.bank.name = "other"
	w.restart()
	w.give(999, 1000)
	x := w.request(999, 1000)
	w.advance(time.Minute)
	failed := 0
	for range 10 {
		if _, err := w.Run(t.Context()); err != nil {
			wantFault(t, "Run", err, fault.Unavailable, "payout.payer_gone")
			failed++
		}
	}
	w.wantState(x.ID, withdraw.Paid, "")
	if failed == 0 || failed > 3 {
		t.Errorf("%d of ten runs say that a payer is gone", failed)
	}
	w.wantState(1, withdraw.Sending, "")
	w.bank = old // it is configured again
	w.restart()
	must(t, old.Decide("TW1", true))
	w.advance(time.Hour)
	for w.run() > 0 {
	}
	w.wantState(1, withdraw.Paid, "")
	w.wantSound()
}

func TestNumbersAreShortAndPlain(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	seen := map[string]bool{}
	for _, last := range []int64{0, 9, 999_999, math.MaxInt64 - 1} {
		w := newWorld(t)
		w.Prefix = "FANLI001"
		w.store.Last = last
		w.give(42, 1000)
		x := w.request(42, 1000)
		w.run()
		number := w.get(x.ID).Number
		if !plain.MatchString(number) || seen[number] {
			t.Errorf("withdrawal %d has number %q", x.ID, number)
		}
		seen[number] = true
	}
}

// TestADeskSaysWhoPaid: the amount that went out through a payer stands under its
// own account.
func TestADeskSaysWhoPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.name = "manual"
	w.give(42, 1000)
	w.request(42, 700)
	w.run()
	for account, want := range map[ledger.Account]money.Fen{ledger.Payer("manual"): 700, ledger.Payer("bank"): 0} {
		if got, err := w.store.Reader().Balance(t.Context(), account); got != want || err != nil {
			t.Errorf("%s has %s, %v", account, got, err)
		}
	}
}
