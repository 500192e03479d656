package payertest

import (
	"strings"
	"sync"
	"testing"

	"fanli/core/withdraw"
)

func nameIsStable(t *testing.T, s Subject) {
	name := s.Payer.Name()
	if name == "" || len(name) > 16 || name != strings.ToLower(name) || strings.ContainsAny(name, " /|") {
		t.Errorf("Name() = %q, want a short lower-case word", name)
	}
	if again := s.Payer.Name(); again != name {
		t.Errorf("Name() = %q, then %q", name, again)
	}
}

// sendingSays: after a Send in good health the payer knows the number, and says
// the same when it is asked.
func sendingSays(t *testing.T, s Subject) {
	p := payment(1)
	sent := s.send(t, p)
	want(t, "Send", sent, withdraw.Done, withdraw.Busy)
	asked := s.query(t, p)
	if asked == withdraw.Absent || asked == withdraw.Dead {
		t.Errorf("Query says %s of a payment that Send called %s", asked, sent)
	}
	if sent == withdraw.Done && asked != withdraw.Done {
		t.Errorf("Query says %s of a payment that was done", asked)
	}
	want(t, "Send again", s.send(t, p), sent, withdraw.Done)
}

func nothingBefore(t *testing.T, s Subject) {
	if v := s.query(t, payment(1)); v == withdraw.Done || v == withdraw.Dead {
		t.Errorf("Query says %s of a number that was never sent", v)
	}
}

func sendPaysOnce(t *testing.T, s Subject) {
	p := payment(1)
	v := s.send(t, p)
	want(t, "Send", v, withdraw.Done, withdraw.Busy)
	want(t, "Query", s.query(t, p), withdraw.Done)
	s.wantPaid(t, p, true)
}

func sendAgain(t *testing.T, s Subject) {
	p := payment(1)
	for range 3 {
		want(t, "Send", s.send(t, p), withdraw.Done, withdraw.Busy)
	}
	want(t, "Query", s.query(t, p), withdraw.Done)
	s.wantPaid(t, p, true)
}

func sendAtOnce(t *testing.T, s Subject) {
	p := payment(1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { want(t, "Send", s.send(t, p), withdraw.Done, withdraw.Busy, withdraw.Unclear) })
	}
	all.Wait()
	want(t, "Send after all", s.send(t, p), withdraw.Done, withdraw.Busy)
	s.wantPaid(t, p, true)
}

func twoNumbers(t *testing.T, s Subject) {
	a, b := payment(1), payment(1)
	b.Number += "B"
	s.send(t, a)
	s.send(t, b)
	s.wantPaid(t, a, true)
	s.wantPaid(t, b, true)
}

// otherAmount: a number that is used for something else is a defect of ours. It
// is neither done nor dead, because the first payment is not ours to judge, so a
// person has to look.
func otherAmount(t *testing.T, s Subject) {
	p := payment(1)
	s.send(t, p)
	other := p
	other.Amount += 100
	want(t, "Send of another amount", s.send(t, other), withdraw.Unclear, withdraw.Barred)
	s.wantPaid(t, p, true)
}

func otherPayee(t *testing.T, s Subject) {
	p := payment(1)
	s.send(t, p)
	other := p
	other.Payee = payment(2).Payee
	want(t, "Send to somebody else", s.send(t, other), withdraw.Unclear, withdraw.Barred)
	s.wantPaid(t, p, true)
}

func unknownIsAbsent(t *testing.T, s Subject) {
	s.send(t, payment(1))
	want(t, "Query", s.query(t, payment(2)), withdraw.Absent)
}

func heldIsBusy(t *testing.T, s Subject) {
	s.Provider.Mode(Holds)
	yes, no := payment(1), payment(2)
	for _, p := range []withdraw.Payment{yes, no} {
		want(t, "Send", s.send(t, p), withdraw.Busy)
		want(t, "Query", s.query(t, p), withdraw.Busy)
		want(t, "Send again", s.send(t, p), withdraw.Busy)
		s.wantPaid(t, p, false)
	}
	if err := s.Provider.Decide(yes.Number, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Provider.Decide(no.Number, false); err != nil {
		t.Fatal(err)
	}
	want(t, "Query of the paid one", s.query(t, yes), withdraw.Done)
	want(t, "Query of the refused one", s.query(t, no), withdraw.Dead)
	s.wantPaid(t, yes, true)
	s.wantPaid(t, no, false)
}

// refusedIsDead: a payment that was called dead is given back to the user, so it
// must never leave, also not if it is sent again when the provider is in a
// better mood.
func refusedIsDead(t *testing.T, s Subject) {
	s.Provider.Mode(Refuses)
	p := payment(1)
	want(t, "Send", s.send(t, p), withdraw.Dead)
	want(t, "Query", s.query(t, p), withdraw.Dead)
	s.Provider.Mode("")
	want(t, "Send again", s.send(t, p), withdraw.Dead)
	s.wantPaid(t, p, false)
}
