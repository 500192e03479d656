package withdraw

import (
	"context"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
)

// A Hand is a payer whose payments people make, so that only they know what became of
// one. A payer says so by having the method.
type Hand interface {
	ByHand()
}

// attestAfter is how long a payer has to be stopped before a person's word counts
// instead of its own: whatever was on its way to it has arrived, or has not, by then.
const attestAfter = time.Minute

// Attest is what a person says of a payment that was sent: paid or not. Where people pay,
// that is the end of it. Any other payer is asked first, and its final word counts, not
// the person's: they fail with fault.Conflict and "withdraw.payer_says" where it is
// another one. While it has the payment in hand they fail with "withdraw.payer_busy".
// Where it says nothing, or does not know the number, a person who has looked into its
// books is heard, but only once the payer was stopped for a minute, so that nothing more
// can be sent: before, they fail with "withdraw.payer_first".
func (d *Desk) Attest(ctx context.Context, id int64, paid bool, actor, reason string) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	to := Failed
	if paid {
		to = Paid
	}
	p := d.PayerNamed(w.Payer)
	if _, byHand := p.(Hand); byHand || w.State.Final() || w.Sent.IsZero() {
		return d.Confirm(ctx, id, paid, actor, reason)
	}
	if p != nil {
		o := run{d, map[string]int{}}.heed(ctx, p, func(ctx context.Context) (Outcome, error) { return p.Query(ctx, w.Number) }).of(w)
		switch o.Verdict {
		case Done, Dead:
			if err := d.conclude(ctx, w, o); err != nil {
				return w, err
			}
			w, err = d.Store.Withdrawal(ctx, id)
			if err == nil && w.State != to {
				err = fault.Newf(fault.Conflict, "withdraw.payer_says", "withdrawal %d is %s, says %s", id, w.State, w.Payer)
			}
			return w, err
		case Busy, Waiting:
			return w, fault.Newf(fault.Conflict, "withdraw.payer_busy", "%s has withdrawal %d in hand", w.Payer, id)
		case Unclear, Absent, Short, Barred:
		}
	}
	err = d.move(ctx, &w, to, func(w *Withdrawal) { w.Actor, w.Reason = actor, reason },
		func(tx Tx) error { return d.stopped(tx, w.Payer) }, act(w, whats[to], actor, reason, to))
	return w, err
}

// stopped fails unless nothing was sent through a payer for a while, because staff or
// its own refusal have stopped it.
func (d *Desk) stopped(tx Tx, payer string) error {
	on, err := tx.Switches(control.Payer(payer), control.Payouts)
	if err != nil {
		return err
	}
	for _, s := range on {
		if !d.Now().Before(s.Since.Add(attestAfter)) {
			return nil
		}
	}
	return fault.Newf(fault.Conflict, "withdraw.payer_first", "payer/%s was not stopped for %s", payer, attestAfter)
}
