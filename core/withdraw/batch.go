package withdraw

import (
	"context"
	"slices"
	"strings"

	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/money"
)

// batchMax bounds a batch: what payers take in one file.
const batchMax = 1000

// batchTries bounds how often a batch is put together anew because a withdrawal
// has changed meanwhile.
const batchTries = 5

// Batch puts all withdrawals that were given to a payer, and are in no batch yet,
// in one with a name, and returns them, oldest first. Asking again for a batch
// returns the same ones: none is ever in two, so that files of different batches
// never pay the same twice. It fails with fault.NotFound if there is nothing to
// put in a new one.
func (d *Desk) Batch(ctx context.Context, payer, name, actor string) ([]Withdrawal, error) {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return nil, fault.Newf(fault.Invalid, "withdraw.batch_name", "%q is not a name of letters, digits and - _ .", name)
	}
	for try := 1; ; try++ {
		ws, err := d.Store.OfBatch(ctx, name)
		if err != nil || len(ws) > 0 {
			return ws, err
		}
		err = d.fill(ctx, payer, name, actor)
		if err != nil && (!fault.Is(err, fault.Conflict) || try == batchTries) {
			return nil, fault.In("withdraw.Batch", err)
		}
	}
}

// fill makes a batch, all of it or nothing.
func (d *Desk) fill(ctx context.Context, payer, name, actor string) error {
	ws, err := d.unbatched(ctx, payer)
	if err != nil {
		return err
	}
	if len(ws) == 0 {
		return fault.New(fault.NotFound, "withdraw.batch_empty")
	}
	return d.Store.InTx(ctx, func(tx Tx) error {
		for _, w := range ws {
			w.Batch, w.Rev = name, w.Rev+1
			ok, err := tx.Swap(w, w.State)
			if err != nil {
				return err
			}
			if !ok {
				return fault.Newf(fault.Conflict, "", "withdrawal %d has changed", w.ID)
			}
		}
		return tx.Act(audit.Act{Actor: actor, What: "withdrawal.batch", On: "batch/" + name})
	})
}

// unbatched returns the oldest withdrawals that were given to a payer and are in no
// batch, at most batchMax of them. It looks beyond those that are in one.
func (d *Desk) unbatched(ctx context.Context, payer string) ([]Withdrawal, error) {
	for count := batchMax; ; count *= 2 {
		ws, err := d.Store.InState(ctx, d.Now().AddDate(10, 0, 0), count, Sending, Unknown)
		if err != nil {
			return nil, err
		}
		all := len(ws) < count
		ws = slices.DeleteFunc(ws, func(w Withdrawal) bool { return w.Payer != payer || w.Batch != "" })
		if all || len(ws) >= batchMax {
			return ws[:min(len(ws), batchMax)], nil
		}
	}
}

// A Result is what a person, or a payer's file, says of one number.
type Result struct {
	Number string
	Amount money.Fen
	Said   Verdict // Done, Dead or Unclear
	Reason string  // Dead: stable key
}

// A Difference is a result that does not agree with us, or one that is missing. It
// has moved nothing.
type Difference struct {
	Number string
	What   string // stable key: "result.amount"
	Ours   money.Fen
	Theirs money.Fen
}

// Settle takes results for a payer: each settles its withdrawal if number and
// amount agree, once, however often it comes. It returns how many were settled
// now, and everything that does not agree; with a batch also what is on its way in
// that batch and has no result.
func (d *Desk) Settle(ctx context.Context, payer, batch string, results []Result, actor string) (n int, diffs []Difference, err error) {
	seen := map[string]bool{}
	for _, r := range results {
		moved, diff, err := d.settle(ctx, payer, r, seen[r.Number], actor)
		if err != nil {
			return n, diffs, fault.In("withdraw.Settle", err)
		}
		seen[r.Number] = true
		if moved {
			n++
		}
		if diff != nil {
			diffs = append(diffs, *diff)
		}
	}
	ws, err := d.Store.OfBatch(ctx, batch)
	for _, w := range ws {
		if !w.State.Final() && !seen[w.Number] {
			diffs = append(diffs, Difference{Number: w.Number, What: "result.missing", Ours: w.Amount})
		}
	}
	return n, diffs, err
}

func (d *Desk) settle(ctx context.Context, payer string, r Result, again bool, actor string) (moved bool, diff *Difference, err error) {
	w, err := d.Store.ByNumber(ctx, r.Number)
	unlike := func(what string) *Difference {
		return &Difference{Number: r.Number, What: what, Ours: w.Amount, Theirs: r.Amount}
	}
	to := map[Verdict]State{Done: Paid, Dead: Failed}[r.Said]
	switch {
	case fault.Is(err, fault.NotFound):
		return false, unlike("result.not_ours"), nil
	case err != nil:
		return false, nil, err
	case again:
		return false, unlike("result.twice"), nil
	case w.Payer != payer:
		return false, unlike("result.other_payer"), nil
	case w.Amount != r.Amount:
		return false, unlike("result.amount"), nil
	case to == "":
		return false, unlike("result.unknown"), nil
	case w.State == to:
		return false, nil, nil
	case w.State.Final():
		return false, unlike("result.contradicts"), d.compare(ctx, w, Outcome{Verdict: r.Said, Reason: r.Reason})
	}
	_, err = d.Confirm(ctx, w.ID, to == Paid, actor, r.Reason)
	if fault.Is(err, fault.Conflict) { // it has changed at this moment
		return false, unlike("result.changed"), nil
	}
	return err == nil, nil, err
}
