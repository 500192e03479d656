package withdraw

import (
	"context"
	"errors"

	"fanli/core/fault"
)

// Run sends what is approved and asks about what is on its way: one bounded
// batch. It returns how many withdrawals changed, and the errors of those that
// could not be handled; the others are handled all the same.
func (d *Desk) Run(ctx context.Context) (n int, err error) {
	ws, err := d.Store.InState(ctx, d.Now(), runMax, Approved, Sending, Unknown)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, w := range ws {
		var err error
		switch w.State {
		case Approved:
			err = d.send(ctx, w)
		default:
			err = d.ask(ctx, w)
		}
		switch {
		case err == nil:
			n++
		case fault.Is(err, fault.Conflict): // somebody else was faster
		default:
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}

// send commits the intent and then calls the payer.
func (d *Desk) send(ctx context.Context, w Withdrawal) error {
	err := d.move(ctx, &w, Sending, func(w *Withdrawal) {
		w.Payer, w.Number = d.Payer.Name(), d.number(w.ID)
		w.NextAt = w.Changed.Add(queryAfter)
	})
	if fault.ReasonOf(err) == reasonDebt { // goods went back meanwhile: a person decides what becomes of it
		return d.move(ctx, &w, Reviewing, func(w *Withdrawal) { w.Reason, w.Actor = "review.debt", "" })
	}
	if err != nil {
		return err
	}
	return d.call(ctx, w)
}

// call sends a withdrawal whose intent is committed.
func (d *Desk) call(ctx context.Context, w Withdrawal) error {
	cctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	o, err := d.Payer.Send(cctx, Payment{Number: w.Number, Amount: w.Amount, Payee: w.Payee, Note: "返利提现 " + w.Number})
	if err != nil {
		o = Outcome{Verdict: Unclear, Reason: "payout.unclear"}
	}
	return d.conclude(ctx, w, o)
}

// ask asks the payer what became of a withdrawal; the same request goes out again
// only if the payer says that it does not know the number.
func (d *Desk) ask(ctx context.Context, w Withdrawal) error {
	if w.Payer != d.Payer.Name() {
		gone := fault.Newf(fault.Unavailable, "payout.payer_gone", "withdrawal %d was given to payer %s, which is not configured", w.ID, w.Payer)
		return errors.Join(gone, d.askLater(ctx, w)) // so that it does not stand in the way of others
	}
	cctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	o, err := d.Payer.Query(cctx, w.Number)
	if err != nil {
		o = Outcome{Verdict: Unclear, Reason: "payout.unclear"}
	}
	if o.Verdict == Absent {
		return d.call(ctx, w)
	}
	return d.conclude(ctx, w, o)
}

// conclude records what the payer said.
func (d *Desk) conclude(ctx context.Context, w Withdrawal, o Outcome) error {
	switch o.Verdict {
	case Done:
		return d.move(ctx, &w, Paid, func(w *Withdrawal) { w.Reason = "" })
	case Dead:
		return d.move(ctx, &w, Failed, func(w *Withdrawal) { w.Reason = o.Reason })
	case Unclear:
		if w.State == Sending {
			return d.move(ctx, &w, Unknown, func(w *Withdrawal) { w.Reason = o.Reason; d.later(w) })
		}
		fallthrough
	default: // Busy, Absent, and Unclear again
		return d.askLater(ctx, w)
	}
}

// askLater stores that a withdrawal is as it was, and puts off the next query.
func (d *Desk) askLater(ctx context.Context, w Withdrawal) error {
	d.later(&w)
	return d.Store.InTx(ctx, func(tx Tx) error {
		_, err := tx.Swap(w, w.State)
		return err
	})
}

// later puts off the next query, each time for longer.
func (d *Desk) later(w *Withdrawal) {
	wait := queryAfter
	for range min(w.Tries, 10) {
		wait *= 2
	}
	w.Tries++
	w.NextAt = d.Now().Add(min(wait, queryEvery))
}
