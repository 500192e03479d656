package manual_test

import (
	"testing"

	"fanli/adapters/manual"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

func TestPayer(t *testing.T) {
	t.Parallel()
	payertest.Run(t, func(*testing.T) payertest.Subject {
		return payertest.Subject{Payer: manual.Payer{}}
	})
}

// A manual payment leaves the queue through a person only, so however often it is
// sent or asked about, the payer keeps saying that it is not finished.
func TestOnlyAPersonEndsIt(t *testing.T) {
	t.Parallel()
	p := withdraw.Payment{Number: "W1", Amount: 100}
	for i := range 3 {
		for name, call := range map[string]func() (withdraw.Outcome, error){
			"Send":  func() (withdraw.Outcome, error) { return manual.Payer{}.Send(t.Context(), p) },
			"Query": func() (withdraw.Outcome, error) { return manual.Payer{}.Query(t.Context(), p.Number) },
		} {
			o, err := call()
			if err != nil || o.Verdict != withdraw.Busy || o.Reason == "" {
				t.Errorf("%s number %d = %v, %v; want busy with a reason", name, i, o, err)
			}
		}
	}
}
