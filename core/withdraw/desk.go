package withdraw

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
)

// A Desk is the service that takes requests and sends money. It is safe for
// concurrent use. Fields that are called optional may stay empty.
type Desk struct {
	Store Store
	// Payers send the money, by the payee's method; the one under "" has the rest.
	Payers map[string]Payer
	// Retired are sent nothing new, but still know what they were given.
	Retired []Payer
	Payee   func(ctx context.Context, user int64) (user.Payee, error)
	// Facts says what is known of a user beside their withdrawals; optional.
	Facts  func(ctx context.Context, user int64) (Facts, error)
	Limits Limits // at first; see Change
	Now    func() time.Time
	// Prefix begins every number, so that two installations that share a payer
	// never use the same one. Letters and digits, at most 8.
	Prefix string
	// Alarm tells staff, after it is stored; optional.
	Alarm func(ctx context.Context, what Alarm, w Withdrawal)
	// Line is what calls to a payer go through; optional. While it rests nothing is
	// sent, so that nothing becomes unclear in vain.
	Line func(payer string) Line

	changed atomic.Pointer[Limits]
}

// Change makes l count from now on, for withdrawals that are asked for, approved or
// sent after it. It may be called while the desk is at work.
func (d *Desk) Change(l Limits) { d.changed.Store(&l) }

// limits are those that count now.
func (d *Desk) limits() Limits {
	if l := d.changed.Load(); l != nil {
		return *l
	}
	return d.Limits
}

// A Line is the way to one payer. It makes call, or fails without.
type Line interface {
	Resting() bool
	Do(ctx context.Context, call func(context.Context) error) error
}

// An Alarm says why a person has to look.
type Alarm string

// The alarms.
const (
	Contradicted Alarm = "contradicted" // a payer says otherwise than a final state
	NoMoney      Alarm = "no_money"     // a payer has no more of our money, or quota
	PayerPaused  Alarm = "payer_paused" // a payer refuses us and was paused
	DayCap       Alarm = "day_cap"      // the house's cap of a day is used up
	Forgotten    Alarm = "forgotten"    // a payer may not remember a number any more
)

func (d *Desk) alarm(ctx context.Context, what Alarm, w Withdrawal) {
	if d.Alarm != nil {
		d.Alarm(ctx, what, w)
	}
}

// payer returns who pays to a method, nil for nobody.
func (d *Desk) payer(method string) Payer {
	if p := d.Payers[method]; p != nil {
		return p
	}
	return d.Payers[""]
}

// PayerNamed returns the payer with a name, nil for one that is not configured.
func (d *Desk) PayerNamed(name string) Payer {
	for _, p := range slices.AppendSeq(slices.Clone(d.Retired), maps.Values(d.Payers)) {
		if p != nil && p.Name() == name {
			return p
		}
	}
	return nil
}

// Request reserves amount (all that is available for 0) for the user. key names
// the request: asking again with it returns the same withdrawal. It fails with
// fault.Invalid and the reason "withdraw.no_payee", "withdraw.below_minimum" or
// "withdraw.above_maximum", with fault.Conflict and "withdraw.open" while another
// one is on its way, with fault.Denied and "withdraw.debt" while the user owes,
// with fault.Limited and "withdraw.day_count", "withdraw.day_amount" or
// "withdraw.payee_day" for what has to wait until tomorrow, with fault.Unavailable
// and control.Stopped while it is stopped, and with fault.Insufficient.
func (d *Desk) Request(ctx context.Context, userID int64, amount money.Fen, key string) (Withdrawal, error) {
	return d.request(ctx, userID, amount, key)
}

// request is Request; what is also done comes last in the transaction.
func (d *Desk) request(ctx context.Context, userID int64, amount money.Fen, key string, also ...func(Tx, Withdrawal) error) (Withdrawal, error) {
	payee, err := d.Payee(ctx, userID)
	if err != nil {
		return Withdrawal{}, fault.In("withdraw.Request", err)
	}
	var f Facts
	if d.Facts != nil {
		if f, err = d.Facts(ctx, userID); err != nil {
			return Withdrawal{}, fault.In("withdraw.Request", err)
		}
	}
	var w Withdrawal
	err = d.Store.InTx(ctx, func(tx Tx) error {
		old, err := tx.ByKey(key)
		switch {
		case err == nil && old.User != userID:
			return fault.New(fault.Conflict, "withdraw.key_reused")
		case err == nil:
			w = old
		case !fault.Is(err, fault.NotFound):
			return err
		default:
			if w, err = d.accept(tx, userID, amount, key, payee, f); err != nil {
				return err
			}
		}
		for _, do := range also {
			if err := do(tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	return w, fault.In("withdraw.Request", err)
}

func (d *Desk) accept(tx Tx, userID int64, amount money.Fen, key string, payee user.Payee, f Facts) (Withdrawal, error) {
	if err := control.Check(tx, control.Payouts, control.ReadOnly); err != nil {
		return Withdrawal{}, err
	}
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
		w.Amount = min(have, d.limits().Maximum)
	}
	if err := d.refuse(w, have, owed, open); err != nil {
		return w, err
	}
	if err := d.budget(tx, w); err != nil {
		return w, err
	}
	if err := d.review(tx, &w, f); err != nil {
		return w, err
	}
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
		return fault.New(fault.Invalid, reasonNoPayee)
	case w.Amount > have:
		return fault.New(fault.Insufficient, "withdraw.insufficient")
	case w.Amount < d.limits().Minimum || w.Amount <= 0:
		return fault.New(fault.Invalid, reasonMinimum)
	case w.Amount > d.limits().Maximum:
		return fault.New(fault.Invalid, "withdraw.above_maximum")
	case w.Amount < d.payerMinimum(w.Payee.Method):
		return fault.New(fault.Invalid, "withdraw.below_payer")
	default:
		return nil
	}
}

// reasonDebt says that a user owes.
const reasonDebt = "withdraw.debt"

// post enters what a new state means for the money. Where the intent to pay would
// be committed it fails with reasonDebt although the user owes, and as release
// does.
func (d *Desk) post(tx Tx, w Withdrawal) error {
	reserved := ledger.User(w.User, ledger.Reserved)
	available, debt := ledger.User(w.User, ledger.Available), ledger.User(w.User, ledger.Debt)
	switch w.State {
	case Sending:
		b, err := tx.Balances([]ledger.Account{debt})
		if err == nil && b[debt] < 0 {
			err = fault.New(fault.Denied, reasonDebt)
		}
		if err != nil {
			return err
		}
		return d.release(tx, w)
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
	case Requested, Reviewing, Approved, Confirming, Unknown:
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
		w.ID, w.User, w.Amount, w.State, was, w.Reason, w.Payee.Masked(), w.Automatic(),
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// number is what the payer knows a withdrawal by. It depends on nothing but the
// withdrawal, so it is the same after every restart.
func (d *Desk) number(id int64) string { return d.Prefix + "W" + strconv.FormatInt(id, 10) }

// OfUser returns a user's withdrawals, newest first, starting after the one with id
// before; from the newest if before is 0.
func (d *Desk) OfUser(ctx context.Context, userID, before int64, count int) ([]Withdrawal, error) {
	return d.Store.OfUser(ctx, userID, before, count)
}

// Waiting returns the withdrawals that a person has to decide or to send.
func (d *Desk) Waiting(ctx context.Context, count int) ([]Withdrawal, error) {
	return d.Store.InState(ctx, d.Now().AddDate(10, 0, 0), count, Requested, Reviewing, Approved, Sending, Confirming, Unknown)
}
