package order

import (
	"context"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// A Merged says that two accounts are, or were, one person's. Lines, links and claims stay
// with the account that they are of: whose they are is looked up where it is asked. So
// links that were made before are good for ever, and all of it ends with the merge.
type Merged struct {
	ID       int64
	Absorbed int64
	Survivor int64
	Linked   bool
	Rev      int64 // of the merge that was answered last
}

// MergeChanged hears merge.changed, shows what is whose from now on, and answers. The same
// revision is answered alike however often it is heard.
func (b *Book) MergeChanged(ctx context.Context, e event.Event) error {
	const op = "order.MergeChanged"
	var c user.MergeChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, op, err)
	}
	if c.Stage != user.MergeMoved && c.Stage != user.MergeReturned {
		return nil
	}
	return fault.In(op, b.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		m, err := tx.Merged(c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if m.Rev < c.Rev {
			m = Merged{c.ID, c.Absorbed, c.Survivor, c.Stage == user.MergeMoved, c.Rev}
			if err := b.merged(tx, m); err != nil {
				return err
			}
		}
		answer, err := user.AnswerMerge(e, b.Now(), user.MergeAnswered{ID: c.ID, Rev: c.Rev, Part: user.MergeOrder})
		if err != nil {
			return err
		}
		return tx.Emit(answer)
	}))
}

// merged stores a merge, and looks again at orders that could be of either account: what
// both could have bought was nobody's as long as they were two people's.
func (b *Book) merged(tx Tx, m Merged) error {
	if err := tx.PutMerged(m); err != nil || !m.Linked {
		return err
	}
	root, err := tx.Root(m.Survivor)
	if err != nil {
		return err
	}
	open, err := tx.Wanted(root, rerunMax)
	if err != nil {
		return err
	}
	return b.rerun(tx, open)
}

// same reports whether two accounts are one person's.
func same(tx Tx, a, b int64) (bool, error) {
	if a == b {
		return true, nil
	}
	x, err := tx.Root(a)
	if err != nil {
		return false, err
	}
	y, err := tx.Root(b)
	return x == y, err
}

// asOne shows lines of a user's other accounts as theirs. They are not stored so.
func asOne(tx Tx, lines []Line, user int64) error {
	for i := range lines {
		if lines[i].User == 0 {
			continue
		}
		own, err := same(tx, lines[i].User, user)
		if err != nil {
			return err
		}
		if own {
			lines[i].User = user
		}
	}
	return nil
}
