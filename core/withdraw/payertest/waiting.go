package payertest

import (
	"testing"

	"fanli/core/withdraw"
)

// addressed gives p a payee of the kind that the payer pays to.
func (s Subject) addressed(p withdraw.Payment) withdraw.Payment {
	if s.Method != "" {
		p.Payee.Method = s.Method
	}
	return p
}

// confirmed has the payee confirm a payment that waits, and returns what the payer
// says then.
func (s Subject) confirmed(t *testing.T, p withdraw.Payment, v withdraw.Verdict) withdraw.Verdict {
	t.Helper()
	c, ok := s.Provider.(Confirmer)
	if v != withdraw.Waiting || !ok {
		return v
	}
	if err := c.Confirm(p.Number); err != nil {
		t.Errorf("a payment that waits cannot be confirmed: %v", err)
	}
	o, err := s.Payer.Query(t.Context(), p.Number)
	return s.verdict(t, "Query after the payee's confirmation", p, o, err)
}

// asked returns what the payer says about p, without a payee who confirms.
func (s Subject) asked(t *testing.T, p withdraw.Payment) withdraw.Verdict {
	t.Helper()
	o, err := s.Payer.Query(t.Context(), p.Number)
	return s.verdict(t, "Query", p, o, err)
}

// wait sends p to a payee who does nothing yet, or skips the test where payments
// need no confirmation.
func (s Subject) wait(t *testing.T, p withdraw.Payment) Confirmer {
	t.Helper()
	c, ok := s.Provider.(Confirmer)
	if !ok {
		t.Skip("payments need no confirmation")
	}
	o, err := s.Payer.Send(t.Context(), s.addressed(p))
	want(t, "Send", s.verdict(t, "Send", p, o, err), withdraw.Waiting)
	return c
}

// waitsForPayee: nothing leaves before the payee confirms it, however often it is
// sent and asked about; it leaves once afterwards.
func waitsForPayee(t *testing.T, s Subject) {
	p := payment(1)
	payee := s.wait(t, p)
	for range 2 {
		want(t, "Query", s.asked(t, p), withdraw.Waiting)
		s.wait(t, p)
		s.wantPaid(t, p, false)
	}
	for range 2 {
		if err := payee.Confirm(p.Number); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "Query of the confirmed one", s.asked(t, p), withdraw.Done)
	s.wantPaid(t, p, true)
}

// calledBack: what is called back is given to the user again, so it must never
// leave, whatever its payee does then and however often it is sent.
func calledBack(t *testing.T, s Subject) {
	caller, ok := s.Payer.(withdraw.Canceller)
	if !ok {
		t.Skip("the payer cannot call back")
	}
	p := payment(1)
	payee := s.wait(t, p)
	for range 2 {
		o, err := caller.Cancel(t.Context(), p.Number)
		want(t, "Cancel", s.verdict(t, "Cancel", p, o, err), withdraw.Dead, withdraw.Busy)
	}
	if payee.Confirm(p.Number) == nil {
		t.Error("what was called back can be confirmed")
	}
	want(t, "Query", s.asked(t, p), withdraw.Dead, withdraw.Busy)
	want(t, "Send again", s.send(t, p), withdraw.Dead, withdraw.Busy)
	s.wantPaid(t, p, false)
}

func calledBackTooLate(t *testing.T, s Subject) {
	caller, ok := s.Payer.(withdraw.Canceller)
	if !ok {
		t.Skip("the payer cannot call back")
	}
	p := payment(1)
	if err := s.wait(t, p).Confirm(p.Number); err != nil {
		t.Fatal(err)
	}
	o, err := caller.Cancel(t.Context(), p.Number)
	want(t, "Cancel", s.verdict(t, "Cancel", p, o, err), withdraw.Done)
	s.wantPaid(t, p, true)
	o, err = caller.Cancel(t.Context(), payment(2).Number)
	if v := s.verdict(t, "Cancel", p, o, err); v == withdraw.Done || v == withdraw.Dead {
		t.Errorf("Cancel says %s of a number that was never sent", v)
	}
}
