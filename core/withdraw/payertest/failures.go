package payertest

import (
	"context"
	"testing"

	"fanli/core/withdraw"
)

func lostRequest(t *testing.T, s Subject) {
	p := payment(1)
	mend := s.fail(t, LostRequest)
	want(t, "Send", s.send(t, p), withdraw.Unclear)
	want(t, "Query meanwhile", s.query(t, p), withdraw.Unclear)
	s.wantPaid(t, p, false)
	mend()
	want(t, "Query", s.query(t, p), withdraw.Absent)
	want(t, "Send again", s.send(t, p), withdraw.Done, withdraw.Busy)
	s.wantPaid(t, p, true)
}

func lostAnswer(t *testing.T, s Subject) {
	p := payment(1)
	mend := s.fail(t, LostAnswer)
	want(t, "Send", s.send(t, p), withdraw.Unclear)
	mend()
	want(t, "Query", s.query(t, p), withdraw.Done)
	want(t, "Send again", s.send(t, p), withdraw.Done)
	s.wantPaid(t, p, true)
}

// untrusted: what a stranger on the road, or a broken proxy, can write must
// never decide about money.
func untrusted(t *testing.T, s Subject) {
	for i, way := range []string{Down, Garbage, Forged, Unsigned, Denied} {
		p, before := payment(10+i), payment(20+i)
		want(t, "Send in health", s.send(t, before), withdraw.Done, withdraw.Busy)
		if !s.Provider.Fail(way) {
			continue
		}
		want(t, "Send while "+way, s.send(t, p), withdraw.Unclear, withdraw.Barred)
		want(t, "Query while "+way, s.query(t, before), withdraw.Unclear, withdraw.Barred)
		want(t, "Query of nothing while "+way, s.query(t, payment(30+i)), withdraw.Unclear, withdraw.Barred)
		s.Provider.Fail("")
		want(t, "Query after "+way, s.query(t, before), withdraw.Done)
		want(t, "Send after "+way, s.send(t, p), withdraw.Done, withdraw.Busy)
		s.wantPaid(t, p, true)
		s.wantPaid(t, before, true)
	}
}

// foundLate: a provider whose books lag may say that it does not know a payment
// that it has. The same request goes out again then, and must pay nothing more.
func foundLate(t *testing.T, s Subject) {
	p := payment(1)
	mend := s.fail(t, LostAnswer)
	want(t, "Send", s.send(t, p), withdraw.Unclear)
	mend()
	mend = s.fail(t, Late)
	want(t, "Query", s.query(t, p), withdraw.Absent)
	want(t, "Send again", s.send(t, p), withdraw.Done)
	mend()
	want(t, "Query again", s.query(t, p), withdraw.Done)
	s.wantPaid(t, p, true)
}

// calls returns every remote call of the payer, by name.
func (s Subject) calls(p withdraw.Payment) map[string]func(ctx context.Context) (withdraw.Outcome, error) {
	return map[string]func(ctx context.Context) (withdraw.Outcome, error){
		"Send":  func(ctx context.Context) (withdraw.Outcome, error) { return s.Payer.Send(ctx, s.addressed(p)) },
		"Query": func(ctx context.Context) (withdraw.Outcome, error) { return s.Payer.Query(ctx, p.Number) },
	}
}

func deadlineHonoured(t *testing.T, s Subject) {
	p := payment(1)
	mend := s.fail(t, Stall)
	for name, call := range s.calls(p) {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		o, err := promptly(ctx, t, name, call)
		want(t, name, s.verdict(t, name, p, o, err), withdraw.Unclear)
		cancel()
	}
	mend()
	want(t, "Send afterwards", s.send(t, p), withdraw.Done, withdraw.Busy)
	s.wantPaid(t, p, true)
}

func cancelReturns(t *testing.T, s Subject) {
	p := payment(1)
	mend := s.fail(t, Stall)
	defer mend()
	for name, call := range s.calls(p) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o, err := promptly(ctx, t, name, call)
		want(t, name, s.verdict(t, name, p, o, err), withdraw.Unclear)
	}
}
