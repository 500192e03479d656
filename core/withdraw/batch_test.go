package withdraw_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

// byHand returns a world in which three withdrawals wait to be paid by a person.
func byHand(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.bank.Mode(payertest.Holds)
	for id := int64(1); id <= 3; id++ {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	w.run()
	return w
}

func TestAWithdrawalIsInOneBatchOnly(t *testing.T) {
	t.Parallel()
	w := byHand(t)
	first, err := w.Batch(t.Context(), "bank", "b1", "cli")
	must(t, err)
	w.give(4, 1000)
	w.request(4, 1000)
	w.run()
	again, err := w.Batch(t.Context(), "bank", "b1", "cli")
	must(t, err)
	second, err := w.Batch(t.Context(), "bank", "b2", "cli")
	must(t, err)
	if len(first) != 3 || fmt.Sprint(first) != fmt.Sprint(again) || len(second) != 1 || second[0].User != 4 {
		t.Errorf("the batches are %v, %v and %v", first, again, second)
	}
	_, err = w.Batch(t.Context(), "bank", "b3", "cli")
	wantFault(t, "a batch of nothing", err, fault.NotFound, "withdraw.batch_empty")
	_, err = w.Batch(t.Context(), "bank", "../b4", "cli")
	wantFault(t, "a name that is a path", err, fault.Invalid, "withdraw.batch_name")
	if n := len(w.store.Acts()); n != 2 {
		t.Errorf("%d acts are recorded", n)
	}
	w.advance(time.Hour)
	w.run() // being asked about does not take it out
	again, err = w.Batch(t.Context(), "bank", "b1", "cli")
	must(t, err)
	if len(again) != 3 {
		t.Errorf("later the batch has %d", len(again))
	}
}

// TestABatchThatIsOutHoldsUpNoOther: a thousand payments whose results nobody has read
// yet are no reason that the next ones wait.
func TestABatchThatIsOutHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.store.InTx(t.Context(), func(tx withdraw.Tx) error {
		for id := int64(1); id <= 1003; id++ {
			n := fmt.Sprint("W", id)
			_, err := tx.Insert(withdraw.Withdrawal{
				Key: n, User: id, Amount: 1000, Payee: payee(), State: withdraw.Sending, Payer: "bank", Number: n, Rev: 1, At: start, Changed: start, Sent: start,
			})
			must(t, err)
		}
		return nil
	}))
	for i, want := range []int{1000, 3} {
		ws, err := w.Batch(t.Context(), "bank", fmt.Sprint("b", i), "cli")
		must(t, err)
		if len(ws) != want {
			t.Errorf("batch %d has %d, want %d", i, len(ws), want)
		}
	}
	_, err := w.Batch(t.Context(), "bank", "b3", "cli")
	wantFault(t, "a batch of nothing", err, fault.NotFound, "withdraw.batch_empty")
}

func TestResultsSettleWhatAgrees(t *testing.T) {
	t.Parallel()
	w := byHand(t)
	_, err := w.Batch(t.Context(), "bank", "b1", "cli")
	must(t, err)
	results := []withdraw.Result{
		{Number: "TW1", Amount: 1000, Said: withdraw.Done},
		{Number: "TW1", Amount: 1000, Said: withdraw.Dead, Reason: "payout.refused"}, // a second time, otherwise
		{Number: "TW2", Amount: 999, Said: withdraw.Done},
		{Number: "TW9", Amount: 1000, Said: withdraw.Done},
	}
	n, diffs, err := w.Settle(t.Context(), "bank", "b1", results, "cli")
	must(t, err)
	want := "[{TW1 result.twice 10.00 10.00} {TW2 result.amount 10.00 9.99} {TW9 result.not_ours 0.00 10.00} {TW3 result.missing 10.00 0.00}]"
	if n != 1 || fmt.Sprint(diffs) != want {
		t.Errorf("%d are settled, with %v, want one, with %s", n, diffs, want)
	}
	w.wantState(1, withdraw.Paid, "")
	w.wantState(2, withdraw.Sending, "")
	n, diffs, err = w.Settle(t.Context(), "bank", "", results[:1], "cli") // the same file again
	must(t, err)
	if n != 0 || len(diffs) != 0 {
		t.Errorf("again %d are settled, with %v", n, diffs)
	}
	results = []withdraw.Result{
		{Number: "TW1", Amount: 1000, Said: withdraw.Dead, Reason: "payout.refused"},
		{Number: "TW2", Amount: 1000, Said: withdraw.Unclear},
		{Number: "TW3", Amount: 1000, Said: withdraw.Dead, Reason: "payout.name_mismatch"},
	}
	n, diffs, err = w.Settle(t.Context(), "bank", "b1", results, "cli")
	must(t, err)
	if n != 1 || fmt.Sprint(diffs) != "[{TW1 result.contradicts 10.00 10.00} {TW2 result.unknown 10.00 10.00}]" {
		t.Errorf("then %d are settled, with %v", n, diffs)
	}
	w.wantState(3, withdraw.Failed, "payout.name_mismatch")
	incidents, err := w.Incidents(t.Context(), 10)
	must(t, err)
	if len(incidents) != 1 || incidents[0].Withdrawal != 1 || incidents[0].Verdict != withdraw.Dead {
		t.Errorf("incidents are %+v", incidents)
	}
	_, diffs, err = w.Settle(t.Context(), "other", "", results[1:2], "cli")
	must(t, err)
	if fmt.Sprint(diffs) != "[{TW2 result.other_payer 10.00 10.00}]" {
		t.Errorf("to another payer it is %v", diffs)
	}
	w.wantSound()
}
