// Package manual is the payer for operators without a merchant account: a person
// sends the money with their own app and says so.
//
// What it keeps: nothing. A withdrawal that is given to it stays in the state
// "sending", where it can no longer be cancelled, and waits in the operators'
// list. When a person has paid (or could not), withdraw.Desk.Attest settles it
// as paid or failed; that is the only way out.
//
// What it guarantees: it never says that money has left or will not leave,
// because it cannot know. Not here: who may confirm, and the four eyes above a
// limit. The desk and the operators' commands see to these.
//
// Many payments at once go by files: WriteBatch writes one as Alipay's mass
// transfer takes it, ReadResults reads what came of it.
package manual

import (
	"context"

	"fanli/core/withdraw"
)

// Name is the payer's name in withdrawals and in the ledger.
const Name = "manual"

// reasonWaiting is the key of the sentence that says what a withdrawal waits for.
const reasonWaiting = "payout.by_hand"

// Payer leaves every payment to a person. The zero value is ready, and safe for
// concurrent use.
type Payer struct{}

var (
	_ withdraw.Payer = Payer{}
	_ withdraw.Hand  = Payer{}
)

// ByHand implements withdraw.Hand.
func (Payer) ByHand() {}

// Name returns "manual".
func (Payer) Name() string { return Name }

// Send leaves the payment to a person: Busy.
func (Payer) Send(context.Context, withdraw.Payment) (withdraw.Outcome, error) {
	return withdraw.Outcome{Verdict: withdraw.Busy, Reason: reasonWaiting}, nil
}

// Query is always Busy: only a person knows.
func (Payer) Query(context.Context, string) (withdraw.Outcome, error) {
	return withdraw.Outcome{Verdict: withdraw.Busy, Reason: reasonWaiting}, nil
}
