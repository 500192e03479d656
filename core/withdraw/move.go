package withdraw

import (
	"context"
	"slices"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/fault"
)

// Approve lets a withdrawal be sent. Above Limits.FourEyes the first approval is
// recorded and a second one is waited for: the same person again fails with
// fault.Denied and "withdraw.same_person". Repeating it after that changes
// nothing.
func (d *Desk) Approve(ctx context.Context, id int64, actor string) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	two := d.limits().FourEyes > 0 && w.Amount > d.limits().FourEyes
	switch {
	case !two || w.State != Reviewing && w.State != Requested:
		return d.decide(ctx, w, Approved, actor, "", act(w, whats[Approved], actor, "", Approved))
	case w.First == actor:
		return w, fault.New(fault.Denied, "withdraw.same_person")
	case w.First == "":
		err = d.move(ctx, &w, Reviewing, func(w *Withdrawal) { w.First, w.Reason = actor, "review.second" },
			act(w, "withdrawal.approve_first", actor, "", Reviewing))
		return w, err
	default:
		err = d.move(ctx, &w, Approved, func(w *Withdrawal) { w.Actor, w.Reason = actor, "" },
			act(w, "withdrawal.approve", actor, "", Approved))
		return w, err
	}
}

// act records what a person decided about a withdrawal.
func act(w Withdrawal, what, actor, reason string, to State) func(Tx) error {
	return func(tx Tx) error {
		return tx.Act(audit.Act{Actor: actor, What: what, On: Cause(w.ID), Reason: reason, Before: string(w.State), After: string(to)})
	}
}

// whats are the names of acts, by the state that they lead to.
var whats = map[State]string{
	Approved: "withdrawal.approve", Refused: "withdrawal.refuse", Paid: "withdrawal.paid", Failed: "withdrawal.failed",
}

// judge is decide for staff, whose acts are recorded.
func (d *Desk) judge(ctx context.Context, id int64, to State, actor, reason string) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	return d.decide(ctx, w, to, actor, reason, act(w, whats[to], actor, reason, to))
}

// Refuse gives the money back, with a reason that the user reads.
func (d *Desk) Refuse(ctx context.Context, id int64, actor, reason string) (Withdrawal, error) {
	return d.judge(ctx, id, Refused, actor, reason)
}

// Cancel gives the money back to a user who changed their mind, while nothing was
// sent, or calls it back from a payer that waits for them to confirm. It fails
// with fault.NotFound for somebody else's withdrawal, with fault.Conflict and
// "withdraw.wrong_state" where it is too late, and with "withdraw.cancelling"
// where the payer has not yet said what became of it.
func (d *Desk) Cancel(ctx context.Context, userID, id int64) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	if w.User != userID {
		return Withdrawal{}, fault.New(fault.NotFound, "withdraw.none")
	}
	if w.State == Confirming || w.State == Failed && w.Reason == reasonCalledBack {
		return d.callBack(ctx, w)
	}
	return d.decide(ctx, w, Cancelled, "user", "")
}

// reasonCalledBack says that a user took a payment back before confirming it.
const reasonCalledBack = "payout.called_back"

// callBack asks the payer to take back what its payee has not confirmed.
func (d *Desk) callBack(ctx context.Context, w Withdrawal) (Withdrawal, error) {
	if w.State == Failed { // it was called back before
		return w, nil
	}
	p, ok := d.PayerNamed(w.Payer).(Canceller)
	if !ok {
		return w, fault.Newf(fault.Conflict, "withdraw.wrong_state", "withdrawal %d is at payer %s, which takes nothing back", w.ID, w.Payer)
	}
	cctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	o, err := p.Cancel(cctx, w.Number)
	if err != nil {
		o = Outcome{Verdict: Unclear, Reason: reasonUnclear}
	}
	if o.Verdict == Dead {
		o.Reason = reasonCalledBack
	}
	if err := d.conclude(ctx, w, o); err != nil {
		return w, err
	}
	if w, err = d.Store.Withdrawal(ctx, w.ID); err != nil {
		return w, err
	}
	switch w.State {
	case Failed:
		return w, nil
	case Paid:
		return w, fault.New(fault.Conflict, "withdraw.wrong_state")
	default:
		return w, fault.New(fault.Conflict, "withdraw.cancelling")
	}
}

// Confirm settles a withdrawal that was sent, from what a person knows who has paid it
// by hand: paid or not. Of payments through others, see [Desk.Attest].
func (d *Desk) Confirm(ctx context.Context, id int64, paid bool, actor, reason string) (Withdrawal, error) {
	to := Failed
	if paid {
		to = Paid
	}
	return d.judge(ctx, id, to, actor, reason)
}

// decide moves a withdrawal, as whoever decides has read it, to a state. It fails with
// fault.Conflict and "withdraw.wrong_state" if there is no legal way from there, or if it
// has changed since; being there already is success.
func (d *Desk) decide(ctx context.Context, w Withdrawal, to State, actor, reason string, also ...func(Tx) error) (Withdrawal, error) {
	if w.State == to {
		return w, nil
	}
	err := d.move(ctx, &w, to, func(w *Withdrawal) { w.Actor, w.Reason = actor, reason }, also...)
	return w, err
}

// move changes the state of w from what it is to another, with its entries and
// its event; to the same one it changes only what with changes, unless that is
// final. What is also done comes last in the transaction. Or it changes nothing: it
// fails with fault.Conflict if there is no legal way or w has changed, and as post does.
func (d *Desk) move(ctx context.Context, w *Withdrawal, to State, with func(*Withdrawal), also ...func(Tx) error) error {
	was := w.State
	if was.Final() || was != to && !slices.Contains(next[was], to) {
		return fault.Newf(fault.Conflict, "withdraw.wrong_state", "withdrawal %d is %s, not on the way to %s", w.ID, was, to)
	}
	n := *w
	n.State, n.Rev = to, w.Rev+1
	if to != was {
		n.Changed = d.Now()
	}
	if with != nil {
		with(&n)
	}
	err := d.Store.InTx(ctx, func(tx Tx) error {
		ok, err := tx.Swap(n, was)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Newf(fault.Conflict, "withdraw.wrong_state", "withdrawal %d is not %s any more", n.ID, was)
		}
		if to != was {
			if err := d.post(tx, n); err != nil {
				return err
			}
			if err := emit(tx, n, was); err != nil {
				return err
			}
		}
		for _, do := range also {
			if err := do(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		*w = n
	}
	return err
}

// release says whether money may leave now: it is asked in the transaction that
// commits to send. It fails with control.Stopped, or with reasonDayCap where the
// house has paid enough for a day.
func (d *Desk) release(tx Tx, w Withdrawal) error {
	if err := control.Check(tx, control.Payouts, control.Payer(w.Payer)); err != nil {
		return err
	}
	if d.limits().HouseDay == 0 {
		return nil
	}
	_, sum, err := tx.Spent(Query{Sent: d.limits().day(d.Now())}) // this one is among them
	if err == nil && sum > d.limits().HouseDay {
		err = fault.New(fault.Limited, reasonDayCap)
	}
	return err
}

// reasonDayCap says that the house has paid enough for a day.
const reasonDayCap = "payout.day_cap"
