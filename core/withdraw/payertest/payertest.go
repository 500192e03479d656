// Package payertest holds the promises of withdraw.Payer as tests. A payer is
// done when [Run] passes.
//
// The promises are about money, so the suite asks the provider's own book what
// really left and compares it with what the payer said. A payer whose provider
// cannot be asked (a person, say) passes the part that is about the payer alone.
// The suite never sleeps; a provider that stalls is met with a short deadline.
//
// It does not check what only one provider promises (its signature, its odd
// answers): that belongs beside the adapter.
package payertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// The ways in which a provider decides about new payments. The empty way pays at
// once.
const (
	Holds   = "holds"   // takes them and decides later
	Refuses = "refuses" // says no for good
)

// The ways in which the road to a provider fails. The empty one is health.
const (
	LostRequest = "lost_request" // the request never arrives, the connection breaks
	LostAnswer  = "lost_answer"  // the request has its effect, the answer never arrives
	Down        = "down"         // answers with a server error and no document, without an effect
	Garbage     = "garbage"      // has its effect and answers with something unreadable
	Forged      = "forged"       // answers with a wrong signature, and with a lie
	Unsigned    = "unsigned"     // answers without a signature, and with a lie
	Late        = "late"         // does not find a payment that it has when first asked about it
	Stall       = "stall"        // takes the request and never answers
	Denied      = "denied"       // refuses our credentials
)

// deadline is how long a caller waits for a provider that stalls.
const deadline = 50 * time.Millisecond

// patience is when a call that ignores its deadline is called hung. It is far
// above deadline so that a busy machine fails no test.
const patience = 10 * time.Second

// A Provider is the other side of a payer, as its fake lets tests see it.
type Provider interface {
	// Paid returns what has really left under a number.
	Paid(number string) []money.Fen
	// Decide ends a payment that is held: paid, or dead.
	Decide(number string, paid bool) error
	// Mode says how new payments are decided, by a constant above or "".
	Mode(mode string)
	// Fail makes the road fail in one of the ways above until it is called with
	// "". It reports whether the provider knows that way.
	Fail(way string) bool
}

// A Confirmer is a provider whose payments leave when their payee confirms them.
// The suite then confirms every payment that waits before it judges what has
// left, so that the promises to such payers are those to all others.
type Confirmer interface {
	// Confirm is what the payee does. Repeating it changes nothing; it fails for a
	// payment that cannot be confirmed any more.
	Confirm(number string) error
}

// A Subject is a payer under test with the provider that it talks to.
type Subject struct {
	Payer    withdraw.Payer
	Provider Provider // nil for a payer whose provider cannot be asked
	Secret   string   // appears in no error; "" where there is none
	Method   string   // of the payees; "" is alipay
}

// Run checks every promise of withdraw.Payer. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name     string
		provided bool // needs a provider
		run      func(t *testing.T, s Subject)
	}{
		{"NameIsShortAndStable", false, nameIsStable},
		{"SendingSaysWhatIsKnown", false, sendingSays},
		{"NothingIsDoneBeforeItIsSent", false, nothingBefore},
		{"SendPaysOnce", true, sendPaysOnce},
		{"SendAgainPaysNothing", true, sendAgain},
		{"ManySendsAtOncePayOnce", true, sendAtOnce},
		{"TwoNumbersAreTwoPayments", true, twoNumbers},
		{"SameNumberForOtherMoneyPaysNothing", true, otherAmount},
		{"SameNumberForSomebodyElsePaysNothing", true, otherPayee},
		{"UnknownNumberIsAbsent", true, unknownIsAbsent},
		{"HeldIsBusyUntilDecided", true, heldIsBusy},
		{"RefusedIsDeadForGood", true, refusedIsDead},
		{"LostRequestIsUnclearThenAbsent", true, lostRequest},
		{"LostAnswerIsUnclearThenDone", true, lostAnswer},
		{"WhatCannotBeTrustedIsUnclear", true, untrusted},
		{"AnsweredTooSoonStillPaysOnce", true, foundLate},
		{"DeadlineIsHonoured", true, deadlineHonoured},
		{"CancelledCallReturns", true, cancelReturns},
		{"WaitingLeavesWhenConfirmed", true, waitsForPayee},
		{"CalledBackNeverLeaves", true, calledBack},
		{"CallingBackTooLateIsDone", true, calledBackTooLate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if tt.provided && s.Provider == nil {
				t.Skip("the payer has no provider that can be asked")
			}
			tt.run(t, s)
		})
	}
}

// payment returns the nth payment.
func payment(n int) withdraw.Payment {
	return withdraw.Payment{
		Number: fmt.Sprintf("PTW%d", n), Amount: money.Fen(1_000 + n),
		Payee: user.Payee{Method: "alipay", Account: fmt.Sprintf("1380013%04d", n), Name: "张三"},
		Note:  "返利提现",
	}
}

// send sends p and returns what the payer says, an error being Unclear as
// withdraw.Desk reads it.
func (s Subject) send(t *testing.T, p withdraw.Payment) withdraw.Verdict {
	t.Helper()
	o, err := s.Payer.Send(t.Context(), s.addressed(p))
	return s.confirmed(t, p, s.verdict(t, "Send", p, o, err))
}

// query asks about p likewise.
func (s Subject) query(t *testing.T, p withdraw.Payment) withdraw.Verdict {
	t.Helper()
	o, err := s.Payer.Query(t.Context(), p.Number)
	return s.confirmed(t, p, s.verdict(t, "Query", p, o, err))
}

func (s Subject) verdict(t *testing.T, what string, p withdraw.Payment, o withdraw.Outcome, err error) withdraw.Verdict {
	t.Helper()
	if err != nil {
		s.wantDiscreet(t, what, p, err.Error())
		return withdraw.Unclear
	}
	switch o.Verdict {
	case withdraw.Done, withdraw.Busy, withdraw.Absent:
	case withdraw.Waiting:
		if o.Confirm == "" {
			t.Errorf("%s says waiting, but not how the payee confirms", what)
		}
	case withdraw.Dead, withdraw.Unclear, withdraw.Short, withdraw.Barred:
		if !strings.HasPrefix(o.Reason, "payout.") {
			t.Errorf("%s says %s with reason %q, want a key of payout.*", what, o.Verdict, o.Reason)
		}
	default:
		t.Errorf("%s says %q, which is no verdict", what, o.Verdict)
	}
	return o.Verdict
}

// wantDiscreet judges that a text tells no secret and nobody's account.
func (s Subject) wantDiscreet(t *testing.T, what string, p withdraw.Payment, text string) {
	t.Helper()
	if s.Secret != "" && strings.Contains(text, s.Secret) {
		t.Errorf("%s: the error tells the secret", what)
	}
	if strings.Contains(text, p.Payee.Account) || strings.Contains(text, p.Payee.Name) {
		t.Errorf("%s: the error tells the payee", what)
	}
}

// want compares a verdict.
func want(t *testing.T, what string, got withdraw.Verdict, want ...withdraw.Verdict) {
	t.Helper()
	for _, w := range want {
		if got == w {
			return
		}
	}
	t.Errorf("%s says %s, want %v", what, got, want)
}

// wantPaid judges what has left for p: exactly its amount, once, or nothing.
func (s Subject) wantPaid(t *testing.T, p withdraw.Payment, paid bool) {
	t.Helper()
	left := s.Provider.Paid(p.Number)
	switch {
	case paid && (len(left) != 1 || left[0] != p.Amount):
		t.Errorf("%v left under %s, want %s once", left, p.Number, p.Amount)
	case !paid && len(left) != 0:
		t.Errorf("%v left under %s, want nothing", left, p.Number)
	}
}

// fail breaks the road until the returned function is called, or skips the test
// where the provider cannot break that way.
func (s Subject) fail(t *testing.T, way string) (mend func()) {
	t.Helper()
	if !s.Provider.Fail(way) {
		t.Skipf("the provider cannot fail by %s", way)
	}
	return func() { s.Provider.Fail("") }
}

// promptly runs call and fails the test if it does not return.
func promptly(ctx context.Context, t *testing.T, what string, call func(ctx context.Context) (withdraw.Outcome, error)) (withdraw.Outcome, error) {
	t.Helper()
	type answer struct {
		o   withdraw.Outcome
		err error
	}
	done := make(chan answer, 1)
	go func() {
		o, err := call(ctx)
		done <- answer{o, err}
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case a := <-done:
		return a.o, a.err
	case <-late.C:
		t.Fatalf("%s still hangs %s after its deadline", what, patience)
		return withdraw.Outcome{}, nil
	}
}
