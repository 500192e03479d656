package withdraw_test

import (
	"context"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

// people is a bank whose payments people make.
type people struct{ *bank }

func (people) ByHand() {}

// TestAPersonsWordComesAfterThePayers: nobody gives money back that a payer has sent, or
// may yet send.
func TestAPersonsWordComesAfterThePayers(t *testing.T) {
	t.Parallel()
	stop := func(w *world) {
		must(t, w.board().Set(t.Context(), control.Switch{Scope: control.Payer("bank"), On: true, By: "cli", Why: "it does not answer"}))
	}
	for name, tt := range map[string]struct {
		mode, way string
		stop      bool          // the payer is stopped
		wait      time.Duration // after that
		paid      bool          // what the person says
		reason    string        // of the refusal; "" for none
		want      withdraw.State
	}{
		"it has paid":                      {want: withdraw.Paid, way: payertest.LostAnswer, paid: true},
		"it has paid, the person says no":  {want: withdraw.Paid, way: payertest.LostAnswer, reason: "withdraw.payer_says"},
		"it refused":                       {mode: payertest.Refuses, want: withdraw.Failed, way: payertest.LostAnswer},
		"it refused, the person says paid": {mode: payertest.Refuses, want: withdraw.Failed, way: payertest.LostAnswer, paid: true, reason: "withdraw.payer_says"},
		"it has it in hand":                {mode: payertest.Holds, want: withdraw.Sending, stop: true, wait: time.Hour, reason: "withdraw.payer_busy"},
		"it waits for the payee":           {mode: waits, want: withdraw.Confirming, stop: true, wait: time.Hour, reason: "withdraw.payer_busy"},
		"it does not know the number":      {want: withdraw.Unknown, way: payertest.LostRequest, reason: "withdraw.payer_first"},
		"it is stopped, just now":          {want: withdraw.Unknown, way: payertest.LostRequest, stop: true, wait: time.Minute - time.Millisecond, reason: "withdraw.payer_first"},
		"it is stopped for a minute":       {want: withdraw.Failed, way: payertest.LostRequest, stop: true, wait: time.Minute},
		"it was paid all the same":         {want: withdraw.Paid, way: payertest.LostRequest, stop: true, wait: time.Minute, paid: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.bank.Mode(tt.mode)
			w.bank.way = tt.way
			w.run()
			w.bank.way = ""
			if tt.stop {
				stop(w)
			}
			w.advance(tt.wait)
			got, err := w.Attest(t.Context(), x.ID, tt.paid, "cli:wang", "payout.refused")
			if fault.ReasonOf(err) != tt.reason || tt.reason == "" && (err != nil || got.State != tt.want) {
				t.Errorf("%s, %v; want %s and %q", got.State, err, tt.want, tt.reason)
			}
			if now := w.get(x.ID); now.State != tt.want {
				t.Errorf("it is %s, want %s", now.State, tt.want)
			}
			w.wantSound()
		})
	}
}

// TestAPersonsWordWhereNobodyElseKnows: where people pay, and of what was never sent or
// is over, Attest is Confirm; of a payer that is configured no more only people know.
func TestAPersonsWordWhereNobodyElseKnows(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	w.Payers = map[string]withdraw.Payer{"": people{w.bank}}
	w.bank.Mode(payertest.Holds)
	w.give(42, 1000)
	x := w.request(42, 1000)
	_, err := w.Attest(ctx, x.ID, true, "cli", "")
	wantFault(t, "Attest of what was not sent", err, fault.Conflict, "withdraw.wrong_state")
	w.run()
	got, err := w.Attest(ctx, x.ID, true, "cli", "")
	must(t, err)
	if got.State != withdraw.Paid || got.Actor != "cli" {
		t.Errorf("%+v", got)
	}
	_, err = w.Attest(ctx, x.ID, true, "cli", "")
	must(t, err)
	_, err = w.Attest(ctx, x.ID, false, "cli", "")
	wantFault(t, "Attest of the opposite", err, fault.Conflict, "withdraw.wrong_state")
	_, err = w.Attest(ctx, 404, true, "cli", "")
	wantFault(t, "Attest of none", err, fault.NotFound, "")

	w.Payers = map[string]withdraw.Payer{"": w.bank}
	w.give(43, 1000)
	y := w.request(43, 1000)
	w.run()
	w.Payers = map[string]withdraw.Payer{"": &speaker{words: []withdraw.Verdict{withdraw.Done}}}
	_, err = w.Attest(ctx, y.ID, false, "cli", "")
	wantFault(t, "Attest while it may be sent", err, fault.Conflict, "withdraw.payer_first")
	must(t, w.board().Set(context.Background(), control.Switch{Scope: control.Payouts, On: true, By: "cli", Why: "the bank is gone"}))
	w.advance(time.Minute)
	got, err = w.Attest(ctx, y.ID, false, "cli", "payout.refused")
	must(t, err)
	if got.State != withdraw.Failed {
		t.Errorf("%+v", got)
	}
	w.Payers = map[string]withdraw.Payer{"": w.bank}
	w.bank.asked()
	_, err = w.Attest(ctx, y.ID, true, "cli", "")
	wantFault(t, "Attest of what is over", err, fault.Conflict, "withdraw.wrong_state")
	w.wantAsked()
	w.wantSound()
}
