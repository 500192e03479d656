// Package collecttest holds the promises of collect.Collector as tests. A
// collector is done when [Run] passes. The suite asks the provider's own book
// what really came and went, and compares it with what the collector said.
package collecttest

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// The ways in which the road to a provider fails. The empty one is health.
const (
	LostRequest = "lost_request" // the request never arrives, the connection breaks
	LostAnswer  = "lost_answer"  // the request has its effect, the answer never arrives
	Down        = "down"         // answers with a server error and no document
	Garbage     = "garbage"      // has its effect and answers with something unreadable
	Forged      = "forged"       // answers with a wrong signature, and with a lie
	Unsigned    = "unsigned"     // answers without a signature, and with a lie
	Stall       = "stall"        // takes the request and never answers
)

// deadline is how long a caller waits for a provider that stalls.
const deadline = 50 * time.Millisecond

// A Provider is the other side of a collector, as its fake lets tests see it.
type Provider interface {
	// Open makes somebody open a charge's code, without paying.
	Open(number string) error
	// Pay makes somebody pay a charge. It fails if that is not possible.
	Pay(number string) error
	// Balance returns what is there under a number, refunds taken off.
	Balance(number string) money.Fen
	// Notice returns the newest callback about a charge.
	Notice(number string) withdraw.Callback
	// Fail makes the road fail in one of the ways above until it is called with
	// "". It reports whether the provider knows that way.
	Fail(way string) bool
}

// A Subject is a collector under test with the provider that it talks to.
type Subject struct {
	Collector collect.Collector
	Provider  Provider
	Now       time.Time
}

// Run checks every promise of collect.Collector. open returns a new subject that
// shares nothing with others; subtests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"NameIsShortAndStable", nameIsStable},
		{"PaidIsPaid", paid},
		{"CreateAgainIsOneCharge", createAgain},
		{"NumberOfAnotherChargeIsRefused", createOther},
		{"UnknownNumberIsAbsent", unknown},
		{"ClosedCannotBePaid", closed},
		{"CloseIsTooLateForPaid", closedTooLate},
		{"RefundsAreGivenBackOnce", refunds},
		{"RefundOfMoreThanThereIsFails", refundTooMuch},
		{"RefundIsFoundAfterALostAnswer", refundLost},
		{"WhatCannotBeTrustedSaysNothing", untrusted},
		{"DeadlineIsHonoured", stalls},
		{"CallbackTellsTheNumber", heard},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, open(t))
		})
	}
}

// charge returns the charge that most tests are about.
func (s Subject) charge() collect.Charge {
	return collect.Charge{Number: "C1", Amount: 2_000, Subject: "会员", Expires: s.Now.Add(time.Hour)}
}

// create creates a charge, which must succeed.
func (s Subject) create(t *testing.T, c collect.Charge) {
	t.Helper()
	code, err := s.Collector.Create(t.Context(), c)
	if err != nil || code == "" {
		t.Fatalf("Create = %q, %v", code, err)
	}
}

// paid creates a charge that somebody pays.
func (s Subject) paid(t *testing.T) collect.Charge {
	t.Helper()
	c := s.charge()
	s.create(t, c)
	if err := s.Provider.Pay(c.Number); err != nil {
		t.Fatal(err)
	}
	return c
}

// want judges what a collector says about a charge.
func want(t *testing.T, what string, got collect.Collection, err error, want collect.State, amount money.Fen) {
	t.Helper()
	if err != nil || got.State != want || got.Amount != amount {
		t.Errorf("%s = %+v, %v; want %s, %s", what, got, err, want, amount)
	}
	if want == collect.Paid && got.Receipt == "" {
		t.Errorf("%s of a paid charge has no receipt", what)
	}
}

func (s Subject) query(t *testing.T, number string, state collect.State, amount money.Fen) {
	t.Helper()
	got, err := s.Collector.Query(t.Context(), number)
	want(t, "Query", got, err, state, amount)
}

func (s Subject) balance(t *testing.T, number string, amount money.Fen) {
	t.Helper()
	if got := s.Provider.Balance(number); got != amount {
		t.Errorf("%s are there under %s, want %s", got, number, amount)
	}
}

func nameIsStable(t *testing.T, s Subject) {
	name := s.Collector.Name()
	if name == "" || len(name) > 16 || name != strings.ToLower(name) || strings.ContainsAny(name, " /|") || s.Collector.Name() != name {
		t.Errorf("Name() = %q, want a short lower-case word", name)
	}
}

func paid(t *testing.T, s Subject) {
	c := s.charge()
	s.create(t, c)
	if err := s.Provider.Open(c.Number); err != nil {
		t.Fatal(err)
	}
	s.query(t, c.Number, collect.Open, 0)
	if err := s.Provider.Pay(c.Number); err != nil {
		t.Fatal(err)
	}
	s.query(t, c.Number, collect.Paid, c.Amount)
}

func createAgain(t *testing.T, s Subject) {
	c := s.charge()
	s.create(t, c)
	s.create(t, c)
	if err := s.Provider.Pay(c.Number); err != nil {
		t.Fatal(err)
	}
	if err := s.Provider.Pay(c.Number); err == nil {
		t.Error("a charge was paid twice")
	}
	s.query(t, c.Number, collect.Paid, c.Amount)
	if _, err := s.Collector.Create(t.Context(), c); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create of a paid charge: %v, want a conflict", err)
	}
	s.balance(t, c.Number, c.Amount)
}

func createOther(t *testing.T, s Subject) {
	c := s.charge()
	s.create(t, c)
	if err := s.Provider.Open(c.Number); err != nil {
		t.Fatal(err)
	}
	other := c
	other.Amount++
	if _, err := s.Collector.Create(t.Context(), other); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create of another amount: %v, want a conflict", err)
	}
	if err := s.Provider.Pay(c.Number); err != nil {
		t.Fatal(err)
	}
	s.query(t, c.Number, collect.Paid, c.Amount)
}

func unknown(t *testing.T, s Subject) {
	s.paid(t)
	s.query(t, "C404", collect.Absent, 0)
	got, err := s.Collector.Close(t.Context(), "C404")
	want(t, "Close", got, err, collect.Absent, 0)
	if st, _, err := s.Collector.QueryRefund(t.Context(), "C1", "R404"); err != nil || st != collect.Unreturned {
		t.Errorf("QueryRefund of nothing = %s, %v", st, err)
	}
	if st, err := s.Collector.Refund(t.Context(), collect.Refund{Charge: "C404", Number: "R1", Amount: 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Refund of nothing = %s, %v", st, err)
	}
}

func closed(t *testing.T, s Subject) {
	c := s.charge()
	s.create(t, c)
	if err := s.Provider.Open(c.Number); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := s.Collector.Close(t.Context(), c.Number)
		want(t, "Close", got, err, collect.Closed, 0)
	}
	if err := s.Provider.Pay(c.Number); err == nil {
		t.Error("a closed charge was paid")
	}
	s.query(t, c.Number, collect.Closed, 0)
	if _, err := s.Collector.Create(t.Context(), c); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create of a closed charge: %v, want a conflict", err)
	}
}

func closedTooLate(t *testing.T, s Subject) {
	c := s.paid(t)
	got, err := s.Collector.Close(t.Context(), c.Number)
	want(t, "Close", got, err, collect.Paid, c.Amount)
	s.balance(t, c.Number, c.Amount)
}

// refund asks for a refund, which must be made, now or soon.
func (s Subject) refund(t *testing.T, r collect.Refund) {
	t.Helper()
	if st, err := s.Collector.Refund(t.Context(), r); err != nil || st == collect.Unreturned {
		t.Errorf("Refund = %s, %v", st, err)
	}
	if st, amount, err := s.Collector.QueryRefund(t.Context(), r.Charge, r.Number); err != nil || st != collect.Returned || amount != r.Amount {
		t.Errorf("QueryRefund = %s, %s, %v; want %s", st, amount, err, r.Amount)
	}
}

func refunds(t *testing.T, s Subject) {
	c := s.paid(t)
	part := collect.Refund{Charge: c.Number, Number: "R1", Amount: 500}
	s.refund(t, part)
	s.refund(t, part)
	s.balance(t, c.Number, c.Amount-500)
	s.query(t, c.Number, collect.Paid, c.Amount)

	other := part
	other.Amount = 600
	if st, err := s.Collector.Refund(t.Context(), other); !fault.Is(err, fault.Conflict) {
		t.Errorf("Refund of another amount = %s, %v", st, err)
	}
	s.balance(t, c.Number, c.Amount-500)

	s.refund(t, collect.Refund{Charge: c.Number, Number: "R2", Amount: c.Amount - 500})
	s.balance(t, c.Number, 0)
	got, err := s.Collector.Query(t.Context(), c.Number)
	if err == nil && got.State == collect.Paid { // some do not tell parts from the whole
		want(t, "Query of what was given back", got, err, collect.Paid, c.Amount)
	} else {
		want(t, "Query of what was given back", got, err, collect.Closed, 0)
	}
}

func refundTooMuch(t *testing.T, s Subject) {
	c := s.paid(t)
	if st, err := s.Collector.Refund(t.Context(), collect.Refund{Charge: c.Number, Number: "R1", Amount: c.Amount + 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Refund = %s, %v", st, err)
	}
	s.balance(t, c.Number, c.Amount)
}

func refundLost(t *testing.T, s Subject) {
	c := s.paid(t)
	r := collect.Refund{Charge: c.Number, Number: "R1", Amount: 500}
	if !s.Provider.Fail(LostAnswer) {
		t.Skip("the provider cannot lose answers")
	}
	if st, err := s.Collector.Refund(t.Context(), r); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Refund = %s, %v", st, err)
	}
	s.Provider.Fail("")
	s.refund(t, r)
	s.balance(t, c.Number, c.Amount-500)
}

// calls returns every remote call of the collector about a charge, by name.
func (s Subject) calls(c collect.Charge) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"Create": func(ctx context.Context) error { _, err := s.Collector.Create(ctx, c); return err },
		"Query":  func(ctx context.Context) error { _, err := s.Collector.Query(ctx, c.Number); return err },
		"Close":  func(ctx context.Context) error { _, err := s.Collector.Close(ctx, c.Number); return err },
		"Refund": func(ctx context.Context) error {
			_, err := s.Collector.Refund(ctx, collect.Refund{Charge: c.Number, Number: "R1", Amount: 500})
			return err
		},
		"QueryRefund": func(ctx context.Context) error {
			_, _, err := s.Collector.QueryRefund(ctx, c.Number, "R1")
			return err
		},
	}
}

func untrusted(t *testing.T, s Subject) {
	c := s.paid(t)
	for _, way := range []string{LostRequest, LostAnswer, Down, Garbage, Forged, Unsigned} {
		if !s.Provider.Fail(way) {
			continue
		}
		for name, call := range s.calls(c) {
			if err := call(t.Context()); !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Denied) {
				t.Errorf("%s while %s: %v", name, way, err)
			}
		}
	}
	s.Provider.Fail("")
	s.refund(t, collect.Refund{Charge: c.Number, Number: "R1", Amount: 500})
	s.balance(t, c.Number, c.Amount-500)
	s.query(t, c.Number, collect.Paid, c.Amount)
}

func stalls(t *testing.T, s Subject) {
	c := s.paid(t)
	if !s.Provider.Fail(Stall) {
		t.Skip("the provider cannot stall")
	}
	for name, call := range s.calls(c) {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		if err := call(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func heard(t *testing.T, s Subject) {
	c := s.paid(t)
	cb := s.Provider.Notice(c.Number)
	number, err := s.Collector.Hear(t.Context(), cb)
	if err != nil || number != c.Number {
		t.Errorf("Hear = %q, %v", number, err)
	}
	at := strings.Index(string(cb.Body), c.Number)
	if at < 0 { // it is encrypted
		at = len(cb.Body) / 2
	}
	other := "X"
	if cb.Body[at] == 'X' { // as one of 64 characters of what is encrypted is
		other = "Y"
	}
	cb.Body = []byte(string(cb.Body[:at]) + other + string(cb.Body[at+1:]))
	if number, err := s.Collector.Hear(t.Context(), cb); !fault.Is(err, fault.Denied) {
		t.Errorf("Hear of a changed callback = %q, %v", number, err)
	}
	if status, _, body := s.Collector.Answer(nil); status/100 != 2 {
		t.Errorf("Answer = %d %q", status, body)
	}
}
