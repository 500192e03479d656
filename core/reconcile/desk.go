package reconcile

import (
	"context"
	"fmt"
	"time"

	"fanli/core/audit"
	"fanli/core/ledger"
	"fanli/core/lock"
	"fanli/core/money"
)

const (
	// keptMax bounds the findings that are kept of one comparison; all are counted.
	keptMax = 10_000
	// acceptMax is how many keys are accepted in one transaction.
	acceptMax = 500
)

// A Desk compares books, accepts what matched, and closes months. It is safe for
// concurrent use.
type Desk struct {
	Lines Lines
	Store Store
	Now   func() time.Time
	Zone  *time.Location // by which months begin
	// Leases let one at a time close a month; nil where there is only one.
	Leases lock.Leases
}

// Compare holds rows against ours, calls say for every finding, and keeps the
// summary and what is not matched. It moves no money.
func (d *Desk) Compare(ctx context.Context, s Subject, p Period, rows Rows, say func(Finding) error) (Summary, error) {
	var noted []Noted
	sum, err := compare(ctx, d.book(s), p, rows, func(f Finding) error {
		if f.Kind != Matched && len(noted) < keptMax {
			noted = append(noted, note(f))
		}
		return say(f)
	})
	if err != nil {
		return sum, err
	}
	sum.Subject, sum.At = s, d.Now()
	err = d.Store.InTx(ctx, func(tx Tx) error {
		id, err := tx.Compared(sum)
		if err != nil {
			return err
		}
		sum.ID = id
		return tx.Keep(id, noted)
	})
	return sum, err
}

// note puts a finding in words.
func note(f Finding) Noted {
	n := Noted{Kind: f.Kind, Key: f.Key, Row: f.Row.Number, Text: f.Words()}
	if f.Kind == Unreadable {
		n.Raw = f.Row.Raw
	}
	return n
}

// Accept compares and, for what matched, enters in the ledger that the money has
// arrived, or that the payer's or collector's bill agrees, and what a collector has kept
// of it, and with it that actor has accepted it. moved is what has left the clearing
// account. It fails with fault.Conflict if the period's month is closed. Accepting again enters only what is new; after a
// failure, accepting again goes on.
func (d *Desk) Accept(ctx context.Context, s Subject, p Period, actor string, rows Rows, say func(Finding) error) (sum Summary, moved money.Fen, err error) {
	batch := make([]arrival, 0, acceptMax)
	flush := func() error {
		n, err := d.accept(ctx, s, p, actor, batch)
		moved += n
		batch = batch[:0]
		return err
	}
	sum, err = d.Compare(ctx, s, p, rows, func(f Finding) error {
		if f.Kind == Matched {
			a := arrival{Accepted: Accepted{Subject: s, Period: p.Name, Key: f.Key, Sum: f.Row.Sum, Fee: f.Row.Fee}, hasFee: f.Row.HasFee}
			if f.Ours.Before == 0 { // else the period that was accepted first has counted it
				a.cleared = f.Ours.Cleared
			}
			batch = append(batch, a)
		}
		if err := say(f); err != nil || len(batch) < acceptMax {
			return err
		}
		return flush()
	})
	if err != nil {
		return sum, moved, err
	}
	return sum, moved, flush()
}

// An arrival is what is to be accepted for a key.
type arrival struct {
	Accepted
	cleared money.Fen // is at the bank in the ledger already
	hasFee  bool      // the book says what was kept; else it is as before
}

// accept enters a batch in one transaction: the difference between what it lists
// and what was accepted for the same keys before.
func (d *Desk) accept(ctx context.Context, s Subject, p Period, actor string, batch []arrival) (moved money.Fen, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	keys := make([]string, len(batch))
	for i, a := range batch {
		keys[i] = a.Key
	}
	err = d.Store.InTx(ctx, func(tx Tx) error {
		var kept money.Fen
		moved = 0
		if err := stillOpen(tx, p); err != nil {
			return err
		}
		known, err := tx.AcceptedIn(s, p.Name, keys)
		if err != nil {
			return err
		}
		var fresh []Accepted
		for _, a := range batch {
			old := known[a.Key]
			if !a.hasFee {
				a.Fee = old.Fee
			}
			if old.Rev > 0 && old.Sum == a.Sum && old.Fee == a.Fee {
				continue
			}
			a.At, a.Rev = d.Now(), old.Rev+1
			moved, kept = moved+a.Sum-old.Sum, kept+a.Fee-old.Fee
			if old.Rev == 0 {
				moved -= a.cleared
			}
			fresh = append(fresh, a.Accepted)
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := tx.Accept(fresh); err != nil {
			return err
		}
		if err := d.receive(tx, s, p, fresh, moved, kept); err != nil {
			return err
		}
		return tx.Act(audit.Act{
			Actor: actor, What: "reconcile.accept", On: s.cause(p), Reason: fmt.Sprintf("%d rows from %s on", len(fresh), fresh[0].Key),
			After: moved.String(),
		})
	})
	if err != nil {
		moved = 0
	}
	return moved, err
}

// receive posts what a batch has moved, and what of it was kept on the way. The keys name
// the first of the batch and its revision, which nobody can accept a second time.
func (d *Desk) receive(tx Tx, s Subject, p Period, batch []Accepted, moved, kept money.Fen) error {
	e := ledger.Entry{
		Key:  fmt.Sprintf("%s/%s/rev%d", s.cause(p), batch[0].Key, batch[0].Rev),
		Kind: ledger.Receive, From: ledger.Bank, To: s.clearing(), Amount: moved - kept, Cause: s.cause(p),
		Note: fmt.Sprintf("%d rows", len(batch)),
	}
	if _, _, network := s.Feed(); !network {
		e.Kind = ledger.Clear
	}
	fee := e
	if _, in := s.collector(); !in && e.Kind == ledger.Clear {
		e.From, e.To = e.To, e.From
	}
	fee.Key, fee.Kind, fee.From, fee.Amount = e.Key+"/fee", ledger.Fee, ledger.Fees, kept
	j, err := ledger.Open(tx, d.Now(), ledger.Bank, ledger.Fees, s.clearing())
	if err != nil {
		return err
	}
	for _, e := range []ledger.Entry{e, fee} {
		if e.Amount < 0 {
			e.From, e.To, e.Amount = e.To, e.From, -e.Amount
		}
		if err := j.Move(e); err != nil {
			return err
		}
	}
	return j.Post()
}
