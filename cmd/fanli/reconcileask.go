package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// An asker returns the other book of a period, asked of whoever has it.
type asker func(ctx context.Context, p reconcile.Period) (reconcile.Rows, error)

// How often a call that failed is made again, and how long we wait before, more
// each time. The guards have tried several times before that.
const (
	askTries = 8
	askWait  = 15 * time.Second
)

// askTold is after how many windows whoever waits hears how far it is.
const askTold = 100

// askNetwork asks the configured network what it has settled.
func (c *comparing) askNetwork(std stdio, a *app, network string) (asker, error) {
	i := slices.IndexFunc(a.feeds, func(f order.Feed) bool { return f.Network() == network && f.Account() == c.account })
	if i < 0 {
		return nil, exitError{exitUsage, fmt.Errorf("%s/%s is not configured here: give --file", network, c.account)}
	}
	s, ok := a.feeds[i].(order.Settler)
	if !ok {
		return nil, exitError{exitUsage, fmt.Errorf("%s cannot be asked what it has settled: give --file", network)}
	}
	return func(ctx context.Context, p reconcile.Period) (reconcile.Rows, error) {
		asking := &reconcile.Asking{Feed: s, Period: p, Now: a.now}
		asking.Told = func(w order.Window) {
			if asking.Windows%askTold == 0 {
				_, _ = fmt.Fprintf(std.err, "%d windows read, %s until %s\n", asking.Windows, w.Scene, w.To.In(a.cfg.Location()).Format(time.DateTime))
			}
		}
		if err := persist(ctx, std, asking); err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintf(std.out, "asked %s/%s: %d windows, %d lines seen\n", network, c.account, asking.Windows, asking.Lines())
		return asking.Rows(ctx, a.db.Settlements())
	}, nil
}

// persist lets an asking go on after failures that may pass.
func persist(ctx context.Context, std stdio, asking *reconcile.Asking) error {
	for try := 1; ; try++ {
		before := asking.Windows
		err := asking.Run(ctx)
		if asking.Windows > before { // it got on
			try = 1
		}
		if err == nil || !fault.Retryable(err) || try >= askTries {
			return err
		}
		wait := time.Duration(try) * askWait
		_, _ = fmt.Fprintf(std.err, "after %d windows: %v; again in %s\n", asking.Windows, err, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// askPayer asks a payer for its bill of a day.
func askPayer(b withdraw.Biller) asker {
	return askBill(b.Bill, func(l withdraw.BillLine) reconcile.Row {
		r := reconcile.Row{
			Key: l.Number, Sum: l.Amount, State: string(withdraw.Paid), At: l.At,
			Raw: fmt.Sprintf("%s %s %s %t", l.Number, l.Receipt, l.Amount, l.Paid),
		}
		if !l.Paid {
			r.Sum, r.State = 0, reconcile.Returned
		}
		return r
	})
}

// askCollector asks a collector for its bill of a day.
func askCollector(b collect.Biller) asker {
	return askBill(b.Bill, func(l collect.BillLine) reconcile.Row {
		r := reconcile.Row{
			Key: l.Charge, Sum: l.Amount, Fee: l.Fee, HasFee: l.HasFee, State: "paid", At: l.At,
			Raw: fmt.Sprintf("%s %s %s %s %t %s", l.Charge, l.Refund, l.Receipt, l.Amount, l.Back, l.Fee),
		}
		if l.Back {
			r.Key, r.Sum, r.State = cmp.Or(l.Refund, collect.RefundNumber(l.Charge)), -l.Amount, string(collect.Refunded)
			r.Fee = -l.Fee
		}
		return r
	})
}

// askBill asks for a bill of one day, and makes a row of each of its lines.
func askBill[L any](bill func(context.Context, time.Time) ([]L, error), row func(L) reconcile.Row) asker {
	return func(ctx context.Context, p reconcile.Period) (reconcile.Rows, error) {
		if err := oneDay(p); err != nil {
			return nil, err
		}
		lines, err := bill(ctx, p.From)
		if err != nil {
			return nil, err
		}
		rows := make([]reconcile.Row, len(lines))
		for i, l := range lines {
			rows[i] = row(l)
			rows[i].Number = i + 1
		}
		return inMemory(rows), nil
	}
}

// oneDay refuses a period that is longer than bills are.
func oneDay(p reconcile.Period) error {
	if p.Name == p.Month() {
		return exitError{exitUsage, errors.New("bills are asked for by the day: give a day such as 2026-10-03")}
	}
	return nil
}

func inMemory(rows []reconcile.Row) reconcile.Rows {
	return func() iter.Seq2[reconcile.Row, error] {
		return func(yield func(reconcile.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// keepRows writes what was asked for into a file that can be compared again; fen says
// that its amounts are whole fen.
func keepRows(path string, rows reconcile.Rows, fen bool) error {
	file, err := os.Create(path) //nolint:gosec // the operator's own choice
	if err != nil {
		return err
	}
	amount := money.Fen.String
	if fen {
		amount = func(f money.Fen) string { return fmt.Sprint(int64(f)) }
	}
	w := csv.NewWriter(file)
	err = w.Write([]string{"line", "commission", "price", "refund", "state", "time"})
	for r, rerr := range rows() {
		if err = errors.Join(err, rerr); err != nil {
			break
		}
		cells := []string{r.Key, amount(r.Sum), amount(r.Price), amount(r.Refund), r.State, ""}
		if !r.At.IsZero() {
			cells[5] = r.At.Format(time.RFC3339)
		}
		if r.Bad != "" { // unreadable as it was, also when it is read again
			cells = []string{r.Raw}
		}
		err = w.Write(cells)
	}
	w.Flush()
	return errors.Join(err, w.Error(), file.Close())
}

func reconcileCollector(std stdio, f *flags) *cobra.Command {
	c := &comparing{trade: true}
	cmd := &cobra.Command{
		Use: "collector COLLECTOR PERIOD [--file FILE]", Short: "Hold a collector's bill of a period against what people have paid us through it",
		Long: `Compares charges and their refunds. Without --file the configured collector is asked
for its bill of a day, if it has such a call.`,
		Args: twoArgs("collector"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), std, f, c.file == "", func(a *app, d *reconcile.Desk) error {
				var ask asker
				if c.file == "" {
					b, ok := a.dues.CollectorNamed(args[0]).(collect.Biller)
					if !ok {
						return exitError{exitUsage, fmt.Errorf("%s cannot be asked for its bill from here: give --file", args[0])}
					}
					ask = askCollector(b)
				}
				return c.run(cmd.Context(), std, d, reconcile.OfCollector(args[0]), args[0], args[1], ask)
			})
		},
	}
	return c.flagsOf(cmd)
}
