package withdraw

import (
	"context"
	"errors"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
)

// Waits before a payer is asked again: the first, doubled each time up to the
// longest. What is unknown is resolved within a minute of the payer's return, so
// unclearEvery is well below.
const (
	queryAfter   = 5 * time.Second
	unclearEvery = 30 * time.Second // the payer has not said
	busyEvery    = 10 * time.Minute // it has said that it is not finished
	confirmEvery = time.Minute      // it waits for the payee, and the payee waits for us
	shortAfter   = time.Minute      // our money there is used up
	shortEvery   = 15 * time.Minute
	stoppedEvery = 30 * time.Second // a switch is on, or the payer rests
)

// sendTimeout bounds one call to a payer.
const sendTimeout = 20 * time.Second

// resendMax is how long after its intent was committed the same request goes out again by
// itself. It is shorter than payers remember a number (WeChat Pay: 30 days): one that says
// later that it does not know a number may have forgotten that it has paid it.
const resendMax = 21 * 24 * time.Hour

// runMax bounds how many withdrawals one run of the payout job handles.
const runMax = 200

// restAfter is how often in a row a payer does not answer in one run before it is
// left alone until the next.
const restAfter = 3

// reasonUnclear says that the payer has not said.
const reasonUnclear = "payout.unclear"

// reasonForgotten says that a payer may not remember a number any more: a person looks
// into its books and attests.
const reasonForgotten = "payout.forgotten"

// reasonShort says that a payer has no more of our money.
const reasonShort = "payout.waiting_funds"

// Run sends what is approved and asks about what is on its way: one bounded
// batch. It returns how many withdrawals changed, and the errors of those that
// could not be handled; the others are handled all the same. A payer that does
// not answer holds up nobody else's money.
func (d *Desk) Run(ctx context.Context) (n int, err error) {
	ws, err := d.Store.InState(ctx, d.Now(), runMax, Approved, Sending, Confirming, Unknown)
	if err != nil {
		return 0, err
	}
	r := run{d, map[string]int{}}
	var errs []error
	for _, w := range ws {
		err := r.handle(ctx, w)
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

// A run is one batch; it counts how often in a row each payer has not answered.
type run struct {
	*Desk
	silent map[string]int
}

func (r run) handle(ctx context.Context, w Withdrawal) error {
	p := r.PayerNamed(w.Payer)
	if w.State == Approved {
		p = r.payer(w.Payee.Method)
	}
	if p == nil {
		gone := fault.Newf(fault.Unavailable, "payout.payer_gone", "withdrawal %d: payer %q for %s is not configured", w.ID, w.Payer, w.Payee.Method)
		return errors.Join(gone, r.putOff(ctx, w, busyEvery)) // so that it does not stand in the way of others
	}
	if r.silent[p.Name()] >= restAfter || r.Line != nil && r.Line(p.Name()).Resting() {
		return r.putOff(ctx, w, stoppedEvery)
	}
	if w.State == Approved {
		return r.send(ctx, w, p)
	}
	return r.ask(ctx, w, p)
}

// send commits the intent and then calls the payer.
func (r run) send(ctx context.Context, w Withdrawal, p Payer) error {
	err := r.move(ctx, &w, Sending, func(w *Withdrawal) {
		w.Payer, w.Number, w.Reason = p.Name(), r.number(w.ID), ""
		w.NextAt, w.Sent = w.Changed.Add(queryAfter), w.Changed
	})
	switch fault.ReasonOf(err) {
	case reasonDebt: // goods went back meanwhile: a person decides what becomes of it
		return r.move(ctx, &w, Reviewing, func(w *Withdrawal) { w.Reason, w.Actor, w.First = "review.debt", "", "" })
	case control.Stopped:
		return r.putOff(ctx, w, stoppedEvery)
	case reasonDayCap:
		return r.tomorrow(ctx, w)
	}
	if err != nil {
		return err
	}
	return r.call(ctx, w, p)
}

// tomorrow puts off what is too much for today.
func (r run) tomorrow(ctx context.Context, w Withdrawal) error {
	before := w.Reason
	err := r.move(ctx, &w, Approved, func(w *Withdrawal) {
		w.Reason, w.NextAt = reasonDayCap, r.limits().day(r.Now()).AddDate(0, 0, 1)
	})
	if err == nil && before != reasonDayCap {
		r.alarm(ctx, DayCap, w)
	}
	return err
}

// call sends a withdrawal whose intent is committed.
func (r run) call(ctx context.Context, w Withdrawal, p Payer) error {
	o := r.heed(ctx, p, func(ctx context.Context) (Outcome, error) {
		return p.Send(ctx, Payment{Number: w.Number, Amount: w.Amount, Payee: w.Payee, Note: "返利提现 " + w.Number})
	})
	return r.conclude(ctx, w, o)
}

// heed makes one call to a payer. No answer is Unclear, and is remembered.
func (r run) heed(ctx context.Context, p Payer, call func(context.Context) (Outcome, error)) Outcome {
	cctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	o, err := r.through(cctx, p, call)
	if err != nil {
		r.silent[p.Name()]++
		return Outcome{Verdict: Unclear, Reason: reasonUnclear}
	}
	r.silent[p.Name()] = 0
	return o
}

// through makes a call by the payer's line, if there is one.
func (d *Desk) through(ctx context.Context, p Payer, call func(context.Context) (Outcome, error)) (o Outcome, err error) {
	if d.Line == nil {
		return call(ctx)
	}
	err = d.Line(p.Name()).Do(ctx, func(ctx context.Context) (err error) {
		o, err = call(ctx)
		return err
	})
	return o, err
}

// ask asks the payer what became of a withdrawal. The same request goes out again
// only if the payer says that it does not know the number, or had no money for it, and
// within resendMax.
func (r run) ask(ctx context.Context, w Withdrawal, p Payer) error {
	o := Outcome{Verdict: Short}
	if w.Reason != reasonShort {
		o = r.heed(ctx, p, func(ctx context.Context) (Outcome, error) { return p.Query(ctx, w.Number) })
	}
	if o.Verdict != Short && (o.Verdict != Absent || w.State == Confirming) {
		return r.conclude(ctx, w, o)
	}
	if r.Now().After(w.Sent.Add(resendMax)) {
		return r.forgotten(ctx, w)
	}
	err := r.move(ctx, &w, w.State, func(w *Withdrawal) { w.NextAt = r.Now().Add(sendTimeout + queryAfter) },
		func(tx Tx) error { return control.Check(tx, control.Payouts, control.Payer(w.Payer)) })
	switch {
	case fault.ReasonOf(err) == control.Stopped:
		return r.putOff(ctx, w, stoppedEvery)
	case err != nil:
		return err
	}
	return r.call(ctx, w, p)
}

// forgotten leaves a withdrawal to a person, who has to attest what became of it. Its
// payer is still asked.
func (r run) forgotten(ctx context.Context, w Withdrawal) error {
	before := w.Reason
	err := r.move(ctx, &w, w.State, func(w *Withdrawal) { w.Reason, w.NextAt = reasonForgotten, r.Now().Add(busyEvery) })
	if err == nil && before != reasonForgotten {
		r.alarm(ctx, Forgotten, w)
	}
	return err
}

// putOff leaves a withdrawal as it is for a while.
func (d *Desk) putOff(ctx context.Context, w Withdrawal, wait time.Duration) error {
	return d.move(ctx, &w, w.State, func(w *Withdrawal) { w.NextAt = d.Now().Add(wait) })
}

// later puts off the next query, each time for longer.
func (d *Desk) later(w *Withdrawal, first, longest time.Duration) {
	wait := first
	for range min(w.Tries, 10) {
		wait *= 2
	}
	w.Tries++
	w.NextAt = d.Now().Add(min(wait, longest))
}
