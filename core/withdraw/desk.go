package withdraw

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
)

// Limits say what may be withdrawn.
type Limits struct {
	Minimum money.Fen     // the least that is sent
	Maximum money.Fen     // the most in one withdrawal
	Auto    money.Fen     // up to this much is approved without a person; 0: never
	Cooling time.Duration // after a change of the payout account a person decides
}

// Backoff of queries: the first after queryAfter, each later one after twice the
// time, at most queryEvery.
const (
	queryAfter = 5 * time.Second
	queryEvery = 10 * time.Minute
)

// sendTimeout bounds one call to a payer.
const sendTimeout = 20 * time.Second

// runMax bounds how many withdrawals one run of the payout job handles.
const runMax = 50

// A Desk is the service that takes requests and sends money. It is safe for
// concurrent use.
type Desk struct {
	Store  Store
	Payer  Payer
	Payee  func(ctx context.Context, user int64) (user.Payee, error)
	Limits Limits
	Now    func() time.Time
	// Prefix begins every number, so that two installations that share a payer
	// never use the same one. Letters and digits, at most 8.
	Prefix string
}

// Request reserves amount (all that is available for 0) for the user. key names
// the request: asking again with it returns the same withdrawal. It fails with
// fault.Invalid and the reason "withdraw.no_payee", "withdraw.below_minimum" or
// "withdraw.above_maximum", with fault.Conflict and "withdraw.open" while another
// one is on its way, with fault.Denied and "withdraw.debt" while the user owes,
// and with fault.Insufficient.
func (d *Desk) Request(ctx context.Context, userID int64, amount money.Fen, key string) (Withdrawal, error) {
	payee, err := d.Payee(ctx, userID)
	if err != nil {
		return Withdrawal{}, fault.In("withdraw.Request", err)
	}
	var w Withdrawal
	err = d.Store.InTx(ctx, func(tx Tx) error {
		old, err := tx.ByKey(key)
		if err == nil {
			if old.User != userID {
				return fault.New(fault.Conflict, "withdraw.key_reused")
			}
			w = old
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		w, err = d.accept(tx, userID, amount, key, payee)
		return err
	})
	return w, fault.In("withdraw.Request", err)
}

func (d *Desk) accept(tx Tx, userID int64, amount money.Fen, key string, payee user.Payee) (Withdrawal, error) {
	now := d.Now()
	w := Withdrawal{Key: key, User: userID, Payee: payee, State: Requested, Rev: 1, At: now, Changed: now}
	available, reserved := ledger.User(userID, ledger.Available), ledger.User(userID, ledger.Reserved)
	debt := ledger.User(userID, ledger.Debt)
	j, err := ledger.Open(tx, now, available, reserved, debt)
	if err != nil {
		return w, err
	}
	have, err := j.Balance(available)
	if err != nil {
		return w, err
	}
	owed, err := j.Balance(debt)
	if err != nil {
		return w, err
	}
	open, err := tx.Open(userID)
	if err != nil {
		return w, err
	}
	if w.Amount = amount; amount == 0 {
		w.Amount = min(have, d.Limits.Maximum)
	}
	if err := d.refuse(w, have, owed, open); err != nil {
		return w, err
	}
	d.review(&w)
	if w.ID, err = tx.Insert(w); err != nil {
		return w, err
	}
	if err := j.Move(entry(w, ledger.Reserve, available, reserved)); err != nil {
		return w, err
	}
	if err := j.Post(); err != nil {
		return w, err
	}
	return w, emit(tx, w, "")
}

// refuse says why a withdrawal cannot be accepted.
func (d *Desk) refuse(w Withdrawal, have, owed money.Fen, open int) error {
	switch {
	case owed < 0:
		return fault.New(fault.Denied, reasonDebt)
	case open > 0:
		return fault.New(fault.Conflict, "withdraw.open")
	case w.Payee.IsZero():
		return fault.New(fault.Invalid, "withdraw.no_payee")
	case w.Amount > have:
		return fault.New(fault.Insufficient, "withdraw.insufficient")
	case w.Amount < d.Limits.Minimum || w.Amount <= 0:
		return fault.New(fault.Invalid, "withdraw.below_minimum")
	case w.Amount > d.Limits.Maximum:
		return fault.New(fault.Invalid, "withdraw.above_maximum")
	default:
		return nil
	}
}

// review decides whether a person has to look.
func (d *Desk) review(w *Withdrawal) {
	switch {
	case w.Amount > d.Limits.Auto:
		w.State, w.Reason = Reviewing, "review.amount"
	case w.At.Sub(w.Payee.Changed) < d.Limits.Cooling:
		w.State, w.Reason = Reviewing, "review.payee_changed"
	default:
		w.State, w.Actor = Approved, "auto"
	}
}

// Approve lets a withdrawal be sent. Repeating it changes nothing.
func (d *Desk) Approve(ctx context.Context, id int64, actor string) (Withdrawal, error) {
	return d.decide(ctx, id, Approved, actor, "")
}

// Refuse gives the money back, with a reason that the user reads.
func (d *Desk) Refuse(ctx context.Context, id int64, actor, reason string) (Withdrawal, error) {
	return d.decide(ctx, id, Refused, actor, reason)
}

// Cancel gives the money back to a user who changed their mind, while nothing
// was sent. It fails with fault.NotFound for somebody else's withdrawal.
func (d *Desk) Cancel(ctx context.Context, userID, id int64) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	if w.User != userID {
		return Withdrawal{}, fault.New(fault.NotFound, "withdraw.none")
	}
	return d.decide(ctx, id, Cancelled, "user", "")
}

// Confirm settles a withdrawal that was sent, from what a person saw at the
// payer: paid or not.
func (d *Desk) Confirm(ctx context.Context, id int64, paid bool, actor, reason string) (Withdrawal, error) {
	to := Failed
	if paid {
		to = Paid
	}
	return d.decide(ctx, id, to, actor, reason)
}

// decide moves a withdrawal to a state. It fails with fault.Conflict and
// "withdraw.wrong_state" if there is no legal way from where it is; being there
// already is success.
func (d *Desk) decide(ctx context.Context, id int64, to State, actor, reason string) (Withdrawal, error) {
	w, err := d.Store.Withdrawal(ctx, id)
	if err != nil {
		return w, err
	}
	if w.State == to {
		return w, nil
	}
	err = d.move(ctx, &w, to, func(w *Withdrawal) { w.Actor, w.Reason = actor, reason })
	return w, err
}

// move changes the state of w from what it is to another, with its entries and
// its event. Or it changes nothing: it fails with fault.Conflict if there is no
// legal way, and as post does.
func (d *Desk) move(ctx context.Context, w *Withdrawal, to State, with func(*Withdrawal)) error {
	was := w.State
	if !slices.Contains(next[was], to) {
		return fault.Newf(fault.Conflict, "withdraw.wrong_state", "withdrawal %d is %s, not on the way to %s", w.ID, was, to)
	}
	n := *w
	n.State, n.Changed, n.Rev = to, d.Now(), w.Rev+1
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
		if err := d.post(tx, n); err != nil {
			return err
		}
		return emit(tx, n, was)
	})
	if err == nil {
		*w = n
	}
	return err
}

// reasonDebt says that a user owes.
const reasonDebt = "withdraw.debt"

// post enters what a new state means for the money. It fails with reasonDebt
// where the intent to pay would be committed although the user owes.
func (d *Desk) post(tx Tx, w Withdrawal) error {
	reserved := ledger.User(w.User, ledger.Reserved)
	available, debt := ledger.User(w.User, ledger.Available), ledger.User(w.User, ledger.Debt)
	switch w.State {
	case Sending:
		b, err := tx.Balances([]ledger.Account{debt})
		if err == nil && b[debt] < 0 {
			err = fault.New(fault.Denied, reasonDebt)
		}
		return err
	case Paid:
		j, err := ledger.Open(tx, w.Changed, reserved, ledger.Payer(w.Payer))
		if err != nil {
			return err
		}
		if err := j.Move(entry(w, ledger.Payout, reserved, ledger.Payer(w.Payer))); err != nil {
			return err
		}
		return j.Post()
	case Failed, Refused, Cancelled:
		j, err := ledger.Open(tx, w.Changed, reserved, available, debt)
		if err != nil {
			return err
		}
		if err := j.Move(entry(w, ledger.Release, reserved, available)); err != nil {
			return err
		}
		owed, err := j.Balance(debt)
		if err != nil {
			return err
		}
		have, err := j.Balance(available)
		if err != nil {
			return err
		}
		repay := entry(w, ledger.Repay, available, debt)
		repay.Amount = min(-owed, have)
		if err := j.Move(repay); err != nil {
			return err
		}
		return j.Post()
	case Requested, Reviewing, Approved, Unknown:
		return nil
	default:
		return fault.Newf(fault.Internal, "", "no such state %q", w.State)
	}
}

// Cause is how the ledger names a withdrawal.
func Cause(id int64) string { return "withdrawal/" + strconv.FormatInt(id, 10) }

func entry(w Withdrawal, kind ledger.Kind, from, to ledger.Account) ledger.Entry {
	cause := Cause(w.ID)
	return ledger.Entry{Key: cause + "/" + string(kind), Kind: kind, From: from, To: to, Amount: w.Amount, Cause: cause}
}

func emit(tx Tx, w Withdrawal, was State) error {
	e, err := event.New(fmt.Sprintf("withdrawal/%d/%d-%s", w.ID, w.Rev, w.State), event.WithdrawalChanged, w.Changed, Changed{
		w.ID, w.User, w.Amount, w.State, was, w.Reason, w.Payee.Masked(),
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// number is what the payer knows a withdrawal by. It depends on nothing but the
// withdrawal, so it is the same after every restart.
func (d *Desk) number(id int64) string { return d.Prefix + "W" + strconv.FormatInt(id, 10) }

// OfUser returns a user's withdrawals, newest first.
func (d *Desk) OfUser(ctx context.Context, userID int64, count int) ([]Withdrawal, error) {
	return d.Store.OfUser(ctx, userID, count)
}

// Waiting returns the withdrawals that a person has to decide or to send.
func (d *Desk) Waiting(ctx context.Context, count int) ([]Withdrawal, error) {
	return d.Store.InState(ctx, d.Now().AddDate(10, 0, 0), count, Requested, Reviewing, Approved, Sending, Unknown)
}
