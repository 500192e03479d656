package credit

import (
	"context"
	"fmt"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
)

// A MovedStage says what became of the money of a merge.
type MovedStage string

// The stages.
const (
	MoneyMoved    MovedStage = "moved"    // the absorbed account's money is the survivor's
	MoneyRefused  MovedStage = "refused"  // nothing was moved, and nothing will be
	MoneyReturned MovedStage = "returned" // it was moved, and was moved back
)

// A Moved is what a merge has moved, pocket by pocket. Lines stay booked for the account
// that they were ordered through; whose money that is follows from the merges in force,
// here and in every later change of the line.
type Moved struct {
	ID       int64
	Absorbed int64
	Survivor int64
	Stage    MovedStage
	Rev      int64  // of the merge that was answered last
	Reason   string // of that answer: "" for done

	Pending   money.Fen
	Available money.Fen
	Debt      money.Fen // above zero
	Repaid    money.Fen // of debts, by what came together
	Lines     LineSums  // of the absorbed accounts, as they were then

	BackPending money.Fen // moved back
	BackNet     money.Fen // moved back of available, less debt: below zero for a debt
	At          time.Time
}

// LineSums are the sums of what is booked for the lines of accounts.
type LineSums struct {
	Pending   money.Fen
	Available money.Fen
}

// A MergeStore keeps what merges have moved, together with the ledger.
type MergeStore interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(MergeTx) error) error
}

// A MergeTx is what a transaction on merges can do.
type MergeTx interface {
	event.Emitter
	event.Inbox
	ledger.Tx
	control.Reader
	// Open returns how many of the user's withdrawals are not final.
	Open(user int64) (int, error)
	// Moved returns what a merge has moved, locked, or fault.NotFound.
	Moved(id int64) (Moved, error)
	// PutMoved inserts or updates it.
	PutMoved(m Moved) error
	// Members returns the account and all that are merged into it, also by way of
	// others.
	Members(user int64) ([]int64, error)
	// LineSums adds up what is booked for lines of accounts, for them as buyers and as
	// inviters.
	LineSums(accounts []int64) (LineSums, error)
}

// A Merger is the part of a merge that has the money. All that a merge moves is moved in
// one transaction, with the answer. It is safe for concurrent use.
type Merger struct {
	Store MergeStore
	Now   func() time.Time
}

// Reasons of refusals, which people read.
const (
	reasonWithdrawal = "merge.withdrawal" // a withdrawal of the absorbed account is on its way
	reasonSpent      = "merge.spent"      // what would go back is not there any more
)

// MergeChanged hears merge.changed, moves the money there or back, and answers. The same
// revision is answered alike however often it is heard, and moves money once. It fails
// with control.Stopped while credits are stopped.
func (m *Merger) MergeChanged(ctx context.Context, e event.Event) error {
	const op = "credit.MergeChanged"
	var c user.MergeChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, op, err)
	}
	if c.Stage != user.MergeBegun && c.Stage != user.MergeUndoing {
		return nil
	}
	return fault.In(op, m.Store.InTx(ctx, func(tx MergeTx) error {
		if err := control.Check(tx, control.Credits); err != nil {
			return err
		}
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		moved, err := tx.Moved(c.ID)
		switch {
		case fault.Is(err, fault.NotFound) && c.Stage == user.MergeBegun:
			moved = Moved{ID: c.ID, Absorbed: c.Absorbed, Survivor: c.Survivor, At: m.Now()}
			err = m.there(tx, &moved)
		case err == nil && moved.Rev < c.Rev && c.Stage == user.MergeUndoing:
			err = m.back(tx, &moved)
		}
		if err != nil {
			return err
		}
		if moved.Rev < c.Rev {
			moved.Rev = c.Rev
			if err := tx.PutMoved(moved); err != nil {
				return err
			}
		}
		answer, err := user.AnswerMerge(e, m.Now(), user.MergeAnswered{ID: c.ID, Rev: c.Rev, Part: user.MergePayment, Reason: moved.Reason})
		if err != nil {
			return err
		}
		return tx.Emit(answer)
	}))
}

// A mover posts the entries of one merge.
type mover struct {
	j     *ledger.Journal
	cause string
	way   string // "" or "undo/": a part of the keys
}

// MergeCause is how the ledger names a merge.
func MergeCause(id int64) string { return fmt.Sprintf("merge/%d", id) }

// openMover starts the journal of a merge.
func (m *Merger) openMover(tx MergeTx, d *Moved, way string) (*mover, error) {
	var accounts []ledger.Account
	for _, u := range []int64{d.Absorbed, d.Survivor} {
		for _, p := range []ledger.Pocket{ledger.Pending, ledger.Available, ledger.Debt} {
			accounts = append(accounts, ledger.User(u, p))
		}
	}
	j, err := ledger.Open(tx, m.Now(), accounts...)
	return &mover{j, MergeCause(d.ID), way}, err
}

func (v *mover) move(kind ledger.Kind, name string, from, to ledger.Account, amount money.Fen) error {
	return v.j.Move(ledger.Entry{
		Key: v.cause + "/" + v.way + name, Kind: kind, From: from, To: to, Amount: amount, Cause: v.cause,
	})
}

// repay pays the survivor's debt from what is available, and returns how much.
func (v *mover) repay(survivor int64) (money.Fen, error) {
	available, debt := ledger.User(survivor, ledger.Available), ledger.User(survivor, ledger.Debt)
	owed, err := v.j.Balance(debt)
	if err != nil {
		return 0, err
	}
	have, err := v.j.Balance(available)
	if err != nil {
		return 0, err
	}
	n := min(-owed, have)
	return n, v.move(ledger.Repay, "repay", available, debt, n)
}

// there moves all that the absorbed account has and owes, or says why not.
func (m *Merger) there(tx MergeTx, d *Moved) error {
	open, err := tx.Open(d.Absorbed)
	if err != nil {
		return err
	}
	if open > 0 {
		d.Stage, d.Reason = MoneyRefused, reasonWithdrawal
		return nil
	}
	members, err := tx.Members(d.Absorbed)
	if err != nil {
		return err
	}
	if d.Lines, err = tx.LineSums(members); err != nil {
		return err
	}
	v, err := m.openMover(tx, d, "")
	if err != nil {
		return err
	}
	for _, p := range []struct {
		pocket ledger.Pocket
		amount *money.Fen
	}{{ledger.Pending, &d.Pending}, {ledger.Available, &d.Available}, {ledger.Debt, &d.Debt}} {
		from, to := ledger.User(d.Absorbed, p.pocket), ledger.User(d.Survivor, p.pocket)
		if *p.amount, err = v.j.Balance(from); err != nil {
			return err
		}
		if *p.amount < 0 { // who takes over a debt gets further below zero
			*p.amount, from, to = -*p.amount, to, from
		}
		if err := v.move(ledger.Merge, string(p.pocket), from, to, *p.amount); err != nil {
			return err
		}
	}
	if d.Repaid, err = v.repay(d.Survivor); err != nil {
		return err
	}
	d.Stage, d.Reason = MoneyMoved, ""
	return v.j.Post()
}

// back moves back what was moved and what has become of it: of the absorbed accounts'
// lines all that is booked for them now. Anything else that came in between stays. If it
// is not there any more it says so, and moves nothing.
func (m *Merger) back(tx MergeTx, d *Moved) error {
	d.Reason = ""
	if d.Stage != MoneyMoved {
		return nil
	}
	members, err := tx.Members(d.Absorbed)
	if err != nil {
		return err
	}
	now, err := tx.LineSums(members)
	if err != nil {
		return err
	}
	v, err := m.openMover(tx, d, "undo/")
	if err != nil {
		return err
	}
	pending := d.Pending + now.Pending - d.Lines.Pending
	net := d.Available - d.Debt + now.Available - d.Lines.Available
	err = v.undo(d, pending, net)
	if fault.Is(err, fault.Insufficient) || fault.Is(err, fault.Invalid) {
		d.Reason = reasonSpent
		return nil
	}
	if err != nil {
		return err
	}
	d.Stage, d.BackPending, d.BackNet = MoneyReturned, pending, net
	return v.j.Post()
}

// undo adds the entries of the way back. It fails with fault.Insufficient if the money
// is not there.
func (v *mover) undo(d *Moved, pending, net money.Fen) error {
	available, debt := ledger.User(d.Survivor, ledger.Available), ledger.User(d.Survivor, ledger.Debt)
	if err := v.move(ledger.Merge, "pending", ledger.User(d.Survivor, ledger.Pending), ledger.User(d.Absorbed, ledger.Pending), pending); err != nil {
		return err
	}
	if err := v.move(ledger.Merge, "restore", debt, available, d.Repaid); err != nil { // of each other's debts nothing is paid any more
		return err
	}
	var err error
	if net >= 0 {
		err = v.move(ledger.Merge, "available", available, ledger.User(d.Absorbed, ledger.Available), net)
	} else {
		err = v.move(ledger.Merge, "debt", ledger.User(d.Absorbed, ledger.Debt), available, -net)
	}
	if err != nil {
		return err
	}
	_, err = v.repay(d.Survivor)
	return err
}

// persons are the accounts to which others point, by those: who is not in it is
// themselves.
type persons map[int64]int64

// of returns whose money an account's is.
func (p persons) of(account int64) int64 {
	if to, ok := p[account]; ok {
		return to
	}
	return account
}
