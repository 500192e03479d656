package credit_test

import (
	"testing"

	"fanli/core/credit"
	"fanli/core/fault"
)

// TestTermsChangeWhileTheTreasurerIsAtWork: what was used of a budget stays used.
func TestTermsChangeWhileTheTreasurerIsAtWork(t *testing.T) {
	t.Parallel()
	b, at := open(), now
	c := treasurer(b, &at)
	if got, err := c.Come(t.Context(), 42); got != 5 || err != nil {
		t.Fatal(got, err)
	}
	c.Change(credit.Terms{Budgets: map[string]credit.Budget{"checkin": {Day: 12}}, CheckIn: 7, CheckInBudget: "checkin", Invitation: credit.Invitation{Inviter: 3, Budget: "checkin"}})
	if got, err := c.Come(t.Context(), 43); got != 7 || err != nil {
		t.Errorf("%d, %v: 5 of 12 were used", got, err)
	}
	if _, err := c.Come(t.Context(), 44); fault.ReasonOf(err) != "bonus.used_up" {
		t.Errorf("12 of 12 are used: %v", err)
	}
	if i, err := c.Promised(t.Context()); err != nil || i.Inviter != 0 {
		t.Errorf("%+v, %v: nothing is left to promise", i, err)
	}
	c.Change(credit.Terms{})
	if _, err := c.Come(t.Context(), 45); fault.ReasonOf(err) != "bonus.no_checkin" {
		t.Errorf("there are none any more: %v", err)
	}
}
