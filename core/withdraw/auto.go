package withdraw

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
)

// An Autopay is what a user wants to happen without asking: that all that is
// available is withdrawn once it has reached a threshold. It is off until the
// user turns it on.
type Autopay struct {
	User      int64
	On        bool
	Threshold money.Fen
	Day       string // the last one on which it was tried, as "2026-11-27"
	Why       string // stable key: why the last try was refused; "" where it was not
	Rev       int64  // counts the changes, from 1; 0: it was never set
	Changed   time.Time
}

// Held is the content of autopay.held: what a user had wanted to happen without
// asking was refused.
type Held struct {
	User      int64     `json:"user"`
	Threshold money.Fen `json:"threshold"`
	Reason    string    `json:"reason"`
}

// autoPage is how many users are looked at with one query, which bounds the memory
// of a run.
const autoPage = 200

// autoPrefix begins the keys of withdrawals that nobody asked for by hand.
const autoPrefix = "auto/"

// reasonNoPayee says that there is no account to pay to.
const reasonNoPayee = "withdraw.no_payee"

// reasonMinimum says that it is less than the least that is sent.
const reasonMinimum = "withdraw.below_minimum"

// Automatic reports whether the withdrawal was made by the user's Autopay.
func (w Withdrawal) Automatic() bool { return strings.HasPrefix(w.Key, autoPrefix) }

// autoKey names the one request that a user's Autopay may make in a day.
func autoKey(userID int64, day string) string { return fmt.Sprintf("%s%d/%s", autoPrefix, userID, day) }

// Autopay returns what a user wants to happen without asking; off, and with the
// lowest threshold there is, for one who never said.
func (d *Desk) Autopay(ctx context.Context, userID int64) (Autopay, error) {
	a, err := d.Store.Autopay(ctx, userID)
	if fault.Is(err, fault.NotFound) {
		return Autopay{User: userID, Threshold: d.limits().Minimum}, nil
	}
	return a, fault.In("withdraw.Autopay", err)
}

// SetAutopay turns a user's automatic withdrawals on or off. A threshold of 0
// keeps the one before. It fails with fault.Invalid and "withdraw.below_minimum"
// or "withdraw.above_maximum" for one at which nothing could be asked for. Saying
// what is so already changes nothing.
func (d *Desk) SetAutopay(ctx context.Context, userID int64, on bool, threshold money.Fen) (Autopay, error) {
	was, err := d.Autopay(ctx, userID)
	if err != nil {
		return Autopay{}, err
	}
	if threshold == 0 {
		threshold = min(max(was.Threshold, d.limits().Minimum), d.limits().Maximum)
	}
	switch {
	case threshold < d.limits().Minimum || threshold <= 0:
		return Autopay{}, fault.New(fault.Invalid, reasonMinimum)
	case threshold > d.limits().Maximum:
		return Autopay{}, fault.New(fault.Invalid, "withdraw.above_maximum")
	case was.On == on && was.Threshold == threshold:
		return was, nil
	}
	a := was
	a.On, a.Threshold, a.Why, a.Rev, a.Changed = on, threshold, "", was.Rev+1, d.Now()
	err = d.Store.InTx(ctx, func(tx Tx) error { return d.swapAutopay(tx, a) })
	if err != nil {
		return Autopay{}, fault.In("withdraw.SetAutopay", err)
	}
	return a, nil
}

// swapAutopay stores a, or fails with fault.Conflict if somebody was faster.
func (d *Desk) swapAutopay(tx Tx, a Autopay) error {
	ok, err := tx.SwapAutopay(a)
	if err == nil && !ok {
		err = fault.New(fault.Conflict, reasonFaster)
	}
	return err
}

// reasonFaster says that what was decided upon has changed meanwhile.
const reasonFaster = "withdraw.autopay_changed"

// RunAutopay asks for the money of everybody who wants that to happen without
// asking and has enough, as they would themselves: every limit, review and switch
// holds. A user's is asked for at most once a day, however often this runs and
// wherever it dies. What is refused is told once; what merely has to wait (for
// another withdrawal, for a debt, for a switch) is not told at all. It returns how
// many were asked for or told, and the first error; the others are handled all
// the same.
func (d *Desk) RunAutopay(ctx context.Context) (n int, err error) {
	day := d.limits().day(d.Now()).Format(time.DateOnly)
	var last int64
	for {
		as, pageErr := d.Store.DueAutopays(ctx, day, last, autoPage)
		if pageErr != nil {
			return n, pageErr
		}
		for _, a := range as {
			last = a.User
			done, one := d.autopay(ctx, a, day)
			switch {
			case fault.ReasonOf(one) == control.Stopped:
				return n, err // for everybody: later
			case one != nil && err == nil:
				err = one
			case done:
				n++
			}
		}
		if len(as) < autoPage {
			return n, err
		}
	}
}

// autopay asks for one user's money. That it was tried is stored in the
// transaction that reserves the money.
func (d *Desk) autopay(ctx context.Context, a Autopay, day string) (done bool, err error) {
	a.Rev++
	tried := a
	tried.Day, tried.Why = day, ""
	_, err = d.request(ctx, a.User, 0, autoKey(a.User, day), func(tx Tx, w Withdrawal) error {
		if w.Amount < min(a.Threshold, d.limits().Maximum) { // money has left since it was looked at
			return fault.New(fault.Conflict, reasonFaster)
		}
		if err := onlyToday(tx, a.User, day); err != nil {
			return err
		}
		return d.swapAutopay(tx, tried)
	})
	reason := fault.ReasonOf(err)
	switch {
	case err == nil:
		return true, nil
	case waits(reason), reason == reasonMinimum && a.Threshold >= d.limits().Minimum: // all of it has left
		return false, nil
	case !refused(err):
		return false, err
	case reason == reasonNoPayee && reason == a.Why:
		return false, nil
	case reason != reasonNoPayee: // which may be said any minute: the money then goes the same day
		a.Day = day
	}
	fresh := reason != a.Why
	a.Why = reason
	err = d.Store.InTx(ctx, func(tx Tx) error { return d.hold(tx, a, fresh) })
	if fault.ReasonOf(err) == reasonFaster {
		return false, nil
	}
	return err == nil && fresh, err
}

// onlyToday refuses the request of a person for whom another of their accounts has asked
// today, before it was linked with this one.
func onlyToday(tx Tx, userID int64, day string) error {
	kin, err := tx.Kin(userID)
	for _, account := range kin {
		if account == userID {
			continue // its own key says so
		}
		_, err := tx.ByKey(autoKey(account, day))
		switch {
		case err == nil:
			return fault.New(fault.Conflict, reasonFaster)
		case !fault.Is(err, fault.NotFound):
			return err
		}
	}
	return err
}

// waits reports whether what was refused will be possible without the user doing
// anything, perhaps the same day.
func waits(reason string) bool {
	switch reason {
	case reasonDebt, reasonFaster, "withdraw.open", "withdraw.insufficient":
		return true
	default:
		return false
	}
}

// refused reports whether err is the desk's answer to a request, not a failure.
func refused(err error) bool { return strings.HasPrefix(fault.ReasonOf(err), "withdraw.") }

// hold keeps why a user's Autopay was refused, and lets them be told if they were
// not before.
func (d *Desk) hold(tx Tx, a Autopay, fresh bool) error {
	if err := d.swapAutopay(tx, a); err != nil || !fresh {
		return err
	}
	e, err := event.New(fmt.Sprintf("autopay/%d/%d", a.User, a.Rev), event.AutopayHeld, d.Now(), Held{a.User, a.Threshold, a.Why})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}
