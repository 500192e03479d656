package collect

import (
	"context"
	"errors"
	"time"

	"fanli/core/fault"
	"fanli/core/ledger"
)

// Waits before a collector is asked again: the first, doubled each time up to the
// longest.
const (
	askAfter    = 5 * time.Second
	askEvery    = 2 * time.Minute  // while it may be paid: callbacks are faster where there are any
	refundEvery = 15 * time.Minute // a refund that does not get on
	lapseAfter  = time.Minute      // past the expiry, for clocks that differ
	onceMore    = 24 * time.Hour   // what has lapsed is asked about a last time
	stuckAfter  = 5                // tries, after which staff hears of a refund
)

// callTimeout bounds one call to a collector.
const callTimeout = 20 * time.Second

// runMax bounds how many dues one run handles.
const runMax = 100

// Run asks about what is on its way: one bounded batch. It returns how many dues it
// handled, and the errors of those that could not be; the others are handled all the
// same.
func (d *Desk) Run(ctx context.Context) (n int, err error) {
	dues, err := d.Store.Waiting(ctx, d.Now(), runMax)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, due := range dues {
		err := d.handle(ctx, due)
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

func (d *Desk) handle(ctx context.Context, due Due) error {
	if d.collector(due.Collector) == nil {
		gone := fault.Newf(fault.Unavailable, "charge.collector_gone", "charge %d: collector %q is not configured", due.ID, due.Collector)
		return errors.Join(gone, d.later(ctx, &due, refundEvery)) // so that it does not stand in the way of others
	}
	switch due.Stage {
	case Created:
		if d.Now().Before(due.Expires) {
			return d.create(ctx, &due)
		}
		return d.lapse(ctx, &due, reasonExpired)
	case Asked:
		if d.Now().Before(due.Expires.Add(lapseAfter)) {
			return d.ask(ctx, &due)
		}
		return d.lapse(ctx, &due, reasonExpired)
	case Lapsed:
		return d.ask(ctx, &due)
	case Refunding:
		return d.giveBack(ctx, &due)
	case Received, Held, Refunded:
		return d.move(ctx, &due, due.Stage, func(n *Due) { n.NextAt = time.Time{} })
	default:
		return fault.Newf(fault.Internal, "", "charge %d is %q", due.ID, due.Stage)
	}
}

// later asks again after a while that grows up to longest.
func (d *Desk) later(ctx context.Context, due *Due, longest time.Duration) error {
	return d.move(ctx, due, due.Stage, func(n *Due) { n.wait(d.Now(), longest) })
}

// wait puts the next question off.
func (d *Due) wait(now time.Time, longest time.Duration) {
	pause := askAfter
	for range min(d.Tries, 12) {
		pause *= 2
	}
	d.Tries++
	d.NextAt = now.Add(min(pause, longest))
}

// create asks the collector for the charge that was committed. If that fails, the
// charge may be there all the same, so it stays as it is and is asked for again.
func (d *Desk) create(ctx context.Context, due *Due) error {
	k := d.collector(due.Collector)
	if k == nil {
		return nil
	}
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	code, err := k.Create(cctx, Charge{Number: due.Number, Amount: due.Amount, Subject: due.Subject, Expires: due.Expires})
	cancel()
	switch {
	case err == nil:
		return d.move(ctx, due, Asked, func(n *Due) { n.Code, n.Tries = code, 0; n.wait(d.Now(), askEvery) })
	case fault.Is(err, fault.Conflict): // it was paid or closed before we heard of its code
		return d.ask(ctx, due)
	default:
		return errors.Join(fault.In("collect.create", err), d.later(ctx, due, askEvery))
	}
}

// ask asks what became of a charge, and concludes.
func (d *Desk) ask(ctx context.Context, due *Due) error {
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	o, err := d.collector(due.Collector).Query(cctx, due.Number)
	cancel()
	if err != nil {
		return errors.Join(fault.In("collect.ask", err), d.later(ctx, due, askEvery))
	}
	return d.conclude(ctx, due, o, "")
}

// lapse ends a charge that nobody has paid, unless somebody just has.
func (d *Desk) lapse(ctx context.Context, due *Due, reason string) error {
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	o, err := d.collector(due.Collector).Close(cctx, due.Number)
	cancel()
	if err != nil {
		return errors.Join(fault.In("collect.lapse", err), d.later(ctx, due, askEvery))
	}
	return d.conclude(ctx, due, o, reason)
}

// callOff lapses what somebody is not asked for any more.
func (d *Desk) callOff(ctx context.Context, due Due) error {
	if d.collector(due.Collector) == nil {
		return fault.New(fault.Unavailable, "charge.collector_gone")
	}
	if err := d.lapse(ctx, &due, reasonAnother); err != nil {
		return err
	}
	if due.Stage.Taken() { // it was paid in this moment: whoever asks should know first
		return fault.New(fault.Conflict, "charge.paid")
	}
	return nil
}

// conclude does what a collector's word demands. reason is why the charge was
// closed, "" if it was only asked about.
func (d *Desk) conclude(ctx context.Context, due *Due, o Collection, reason string) error {
	switch o.State {
	case Paid:
		return d.paid(ctx, due, o)
	case Closed:
		if reason == "" {
			reason = reasonExpired
		}
		return d.lapsed(ctx, due, reason)
	case Absent:
		if reason != "" { // nothing to close; nobody can pay it after its expiry
			return d.lapsed(ctx, due, reason)
		}
		return d.stillOpen(ctx, due)
	case Open:
		return d.stillOpen(ctx, due)
	default:
		return fault.Newf(fault.Internal, "", "charge %d: the collector says %q", due.ID, o.State)
	}
}

// stillOpen waits on. What has lapsed and is open all the same has to be closed.
func (d *Desk) stillOpen(ctx context.Context, due *Due) error {
	if due.Stage != Lapsed {
		return d.later(ctx, due, askEvery)
	}
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	o, err := d.collector(due.Collector).Close(cctx, due.Number)
	cancel()
	switch {
	case err != nil:
		return errors.Join(fault.In("collect.stillOpen", err), d.later(ctx, due, askEvery))
	case o.State == Paid:
		return d.paid(ctx, due, o)
	default:
		return d.lapsed(ctx, due, due.Reason)
	}
}

// lapsed notes that nobody paid. It is asked about a last time a day later, because
// a collector that once did not know a number may have been mistaken.
func (d *Desk) lapsed(ctx context.Context, due *Due, reason string) error {
	if due.Stage == Lapsed {
		return d.move(ctx, due, Lapsed, func(n *Due) {
			if n.NextAt = n.Changed.Add(onceMore); !n.NextAt.After(d.Now()) {
				n.NextAt = time.Time{}
			}
		})
	}
	return d.move(ctx, due, Lapsed, func(n *Due) { n.Reason, n.Code, n.Tries, n.NextAt = reason, "", 0, n.Changed.Add(onceMore) })
}

// paid takes the money in: as what was asked for, or to be given back at once where
// it came too late, or for a person to decide where the amount is another.
func (d *Desk) paid(ctx context.Context, due *Due, o Collection) error {
	if due.Stage.Taken() {
		return nil
	}
	late := due.Stage == Lapsed
	to, where, reason, at := Received, due.Purpose.account(), "", time.Time{}
	var worry Concern
	switch {
	case o.Amount != due.Amount:
		to, where, reason, worry = Held, ledger.Suspense, reasonOther, WrongAmount
	case late:
		to, where, reason, worry, at = Refunding, ledger.Suspense, reasonLate, Late, d.Now()
	}
	err := d.move(ctx, due, to, func(n *Due) {
		n.Paid, n.Receipt, n.Account, n.Reason, n.Code, n.Tries, n.NextAt = o.Amount, o.Receipt, where, reason, "", 0, at
	})
	if err == nil && worry != "" {
		d.alarm(ctx, worry, *due)
	}
	return err
}

func (d *Desk) alarm(ctx context.Context, c Concern, due Due) {
	if d.Alarm != nil {
		d.Alarm(ctx, c, due)
	}
}

// giveBack asks for the refund that was committed, under its one number, and then
// what became of it. Only a refund that is known to have left ends it.
func (d *Desk) giveBack(ctx context.Context, due *Due) error {
	k := d.collector(due.Collector)
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	st, err := k.Refund(cctx, Refund{Charge: due.Number, Number: due.RefundNumber(), Amount: due.Paid})
	if err == nil {
		amount := due.Paid
		if st != Returned {
			st, amount, err = k.QueryRefund(cctx, due.Number, due.RefundNumber())
		}
		if err == nil && st == Returned {
			if amount != due.Paid {
				err = fault.Newf(fault.Internal, "", "charge %d: %s were given back, not %s", due.ID, amount, due.Paid)
			} else {
				return d.move(ctx, due, Refunded, func(n *Due) { n.NextAt = time.Time{} })
			}
		}
	}
	if lerr := d.later(ctx, due, refundEvery); lerr != nil {
		return errors.Join(fault.In("collect.giveBack", err), lerr)
	}
	if due.Tries == stuckAfter || err != nil && due.Tries == 1 && !fault.Retryable(err) {
		d.alarm(ctx, Stuck, *due)
	}
	return fault.In("collect.giveBack", err)
}
