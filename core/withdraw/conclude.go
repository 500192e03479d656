package withdraw

import (
	"context"
	"slices"

	"fanli/core/control"
	"fanli/core/fault"
)

// concludeTries bounds how often a payer's word is heard anew because the
// withdrawal has changed meanwhile. Each change is another word, and few come at
// once.
const concludeTries = 5

// conclude records what the payer said, whatever the withdrawal has become while
// it was asked: what a reply, a callback and a query say has one effect, in
// whatever order they come.
func (d *Desk) conclude(ctx context.Context, w Withdrawal, o Outcome) error {
	for try := 1; ; try++ {
		err := d.follow(ctx, w, o)
		if !fault.Is(err, fault.Conflict) || try == concludeTries {
			return err
		}
		if w, err = d.Store.Withdrawal(ctx, w.ID); err != nil {
			return err
		}
	}
}

// follow does what a verdict means for a withdrawal as it is.
func (d *Desk) follow(ctx context.Context, w Withdrawal, o Outcome) error {
	if w.State.Final() {
		return d.compare(ctx, w, o)
	}
	o = o.of(w)
	receipt := func(w *Withdrawal) {
		if o.Receipt != "" {
			w.Receipt = o.Receipt
		}
	}
	switch o.Verdict {
	case Done:
		return d.move(ctx, &w, Paid, func(w *Withdrawal) { receipt(w); w.Reason, w.Confirm = "", "" })
	case Dead:
		return d.move(ctx, &w, Failed, func(w *Withdrawal) { receipt(w); w.Reason, w.Confirm = o.Reason, "" })
	case Waiting:
		return d.move(ctx, &w, Confirming, func(n *Withdrawal) { receipt(n); d.waiting(n, w.State, o) })
	case Short:
		return d.short(ctx, w)
	case Barred:
		return d.barred(ctx, w, o)
	case Unclear, Absent:
		return d.unclear(ctx, w, o)
	default: // Busy
		return d.move(ctx, &w, w.State, func(n *Withdrawal) {
			receipt(n)
			if n.Reason == reasonShort {
				n.Reason, n.Tries = "", 0
			}
			d.later(n, queryAfter, busyEvery)
		})
	}
}

// reasonReused says that a number is another payment's.
const reasonReused = "payout.number_reused"

// of is what the outcome says of w: nothing but that a person has to look, where it is
// about another payment.
func (o Outcome) of(w Withdrawal) Outcome {
	if o.Amount != 0 && o.Amount != w.Amount {
		return Outcome{Verdict: Barred, Reason: reasonReused}
	}
	return o
}

// waiting makes w wait for its payee, who gets a page for that.
func (d *Desk) waiting(w *Withdrawal, was State, o Outcome) {
	w.Reason = ""
	if o.Confirm != "" {
		w.Confirm = o.Confirm
	}
	if was != Confirming {
		w.Tries = 0
	}
	d.later(w, queryAfter, confirmEvery)
}

// short keeps w on its way, to be sent again under the same number.
func (d *Desk) short(ctx context.Context, w Withdrawal) error {
	before := w.Reason
	err := d.move(ctx, &w, w.State, func(w *Withdrawal) {
		if before != reasonShort {
			w.Reason, w.Tries = reasonShort, 0
		}
		d.later(w, shortAfter, shortEvery)
	})
	if err == nil && before != reasonShort {
		d.alarm(ctx, NoMoney, w)
	}
	return err
}

// barred keeps w, whatever becomes of it, and pauses its payer.
func (d *Desk) barred(ctx context.Context, w Withdrawal, o Outcome) error {
	fresh := false
	err := d.move(ctx, &w, Unknown, func(w *Withdrawal) { w.Reason = o.Reason; d.later(w, queryAfter, unclearEvery) },
		func(tx Tx) error {
			on, err := tx.Switches(control.Payer(w.Payer))
			if fresh = err == nil && len(on) == 0; !fresh {
				return err
			}
			return tx.SetSwitch(control.Switch{
				Scope: control.Payer(w.Payer), On: true, By: "auto", Why: o.Reason + " (" + w.Number + ")", Since: d.Now(),
			})
		})
	if err == nil && fresh {
		d.alarm(ctx, PayerPaused, w)
	}
	return err
}

// unclear keeps w until the payer speaks. What waits for its payee goes on
// waiting, unless the payer has forgotten it.
func (d *Desk) unclear(ctx context.Context, w Withdrawal, o Outcome) error {
	to := Unknown
	if w.State == Sending && o.Verdict == Absent || w.State == Confirming && o.Verdict == Unclear {
		to = w.State
	}
	return d.move(ctx, &w, to, func(n *Withdrawal) {
		if to == Unknown && w.State != Unknown || n.Reason == reasonShort {
			n.Reason, n.Tries = o.Reason, 0
			if n.Reason == "" {
				n.Reason = reasonUnclear
			}
		}
		d.later(n, queryAfter, unclearEvery)
	})
}

// against says which verdicts contradict a final state.
func against(s State) []Verdict {
	if s == Paid {
		return []Verdict{Dead, Waiting}
	}
	return []Verdict{Done, Busy, Waiting}
}

// compare keeps a payer's word against a final state, and moves nothing.
func (d *Desk) compare(ctx context.Context, w Withdrawal, o Outcome) error {
	if !slices.Contains(against(w.State), o.Verdict) {
		return nil
	}
	fresh := false
	err := d.Store.InTx(ctx, func(tx Tx) (err error) {
		fresh, err = tx.AddIncident(Incident{Withdrawal: w.ID, State: w.State, Verdict: o.Verdict, Reason: o.Reason, At: d.Now()})
		return err
	})
	if err == nil && fresh {
		d.alarm(ctx, Contradicted, w)
	}
	return err
}

// Heard takes a hint that a payer has news of a number: what is on its way is
// asked about by the next run; what is final is asked about at once, and an
// [Incident] is kept if the payer contradicts it. It fails with fault.NotFound
// for a number that was not given to this payer.
func (d *Desk) Heard(ctx context.Context, payer, number string) error {
	for try := 1; ; try++ {
		w, err := d.Store.ByNumber(ctx, number)
		if err == nil && w.Payer != payer {
			err = fault.New(fault.NotFound, "withdraw.none")
		}
		if err != nil {
			return fault.In("withdraw.Heard", err)
		}
		if w.State.Final() {
			return fault.In("withdraw.Heard", d.askFinal(ctx, w))
		}
		err = d.move(ctx, &w, w.State, func(w *Withdrawal) { w.NextAt = d.Now() })
		if !fault.Is(err, fault.Conflict) || try == concludeTries {
			return fault.In("withdraw.Heard", err)
		}
	}
}

// askFinal holds a final state against what the payer says now.
func (d *Desk) askFinal(ctx context.Context, w Withdrawal) error {
	p := d.PayerNamed(w.Payer)
	if p == nil {
		return nil
	}
	cctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	o, err := p.Query(cctx, w.Number)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "withdraw.askFinal", err)
	}
	return d.compare(ctx, w, o)
}

// Incidents returns the newest contradictions of payers.
func (d *Desk) Incidents(ctx context.Context, count int) ([]Incident, error) {
	return d.Store.Incidents(ctx, count)
}
