package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"fanli/adapters/manual"
	"fanli/core/fault"
	"fanli/core/money"
)

func batchCommand(std stdio, f *flags) *cobra.Command {
	var out, name, as string
	cmd := &cobra.Command{
		Use:   "batch --out FILE",
		Short: "Write what a person has to pay as a file for Alipay's mass transfer",
		Long: `Writes all withdrawals that wait to be paid by hand, and are in no batch yet, as a
CSV file, and its SHA-256 beside it in FILE.sha256. A withdrawal is in one batch
only. Asking for the same batch again, by the name that the first time has printed,
writes the same file again. The file holds payout accounts: it is for you only.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return exitError{exitUsage, errors.New("--out: where to?")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				return a.writeBatch(cmd.Context(), std, out, name, actorNamed(as))
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file to write; one that is there is not overwritten")
	cmd.Flags().StringVar(&name, "batch", "", "its name; of one that is there to write it again")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

// writeBatch writes a batch as a file that only its owner reads.
func (a *app) writeBatch(ctx context.Context, std stdio, path, name, actor string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	if name == "" {
		name = a.now().In(a.cfg.Location()).Format("20060102-150405")
	}
	ws, err := a.payouts.Batch(ctx, manual.Name, name, actor)
	switch {
	case fault.Is(err, fault.NotFound):
		_, err = fmt.Fprintln(std.out, "nothing waits to be paid by hand")
		return err
	case err != nil:
		return err
	}
	var b bytes.Buffer
	sum, err := manual.WriteBatch(&b, ws)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(path+".sha256", []byte(sum+"  "+filepath.Base(path)+"\n"), 0o600); err != nil {
		return err
	}
	var total money.Fen
	for _, w := range ws {
		total += w.Amount
	}
	_, err = fmt.Fprintf(std.out, "batch %s: %d payments, %s, in %s\nsha256 %s\n", name, len(ws), total.Yuan(), path, sum)
	return err
}

func resultsCommand(std stdio, f *flags) *cobra.Command {
	var in, name, as string
	cmd := &cobra.Command{
		Use:   "results --in FILE",
		Short: "Read what came of a batch",
		Long: `Reads a CSV file with the columns 商家订单号 (number), 金额 (amount), 结果 (result: 成功,
失败, or anything else for not yet) and perhaps 原因 (reason). What agrees with us in
number and amount is settled, once, however often the file is read; everything else
is reported and moves nothing. Exits with 3 if something does not agree.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in == "" {
				return exitError{exitUsage, errors.New("--in: which file?")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				return a.readResults(cmd.Context(), std, in, name, actorNamed(as))
			})
		},
	}
	cmd.Flags().StringVar(&in, "in", "", "the file to read")
	cmd.Flags().StringVar(&name, "batch", "", "report what is missing of this batch, too")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

// differences puts into words what does not agree.
var differences = map[string]string{
	"result.not_ours":    "no such number here",
	"result.twice":       "it is in the file twice; only the first line counts",
	"result.other_payer": "another payer has it",
	"result.amount":      "the amount is another one",
	"result.unknown":     "no result yet",
	"result.contradicts": "it has ended otherwise here",
	"result.changed":     "it is not on its way, or changed at this moment; read the file again",
	"result.missing":     "it is on its way in this batch, and not in the file",
}

func (a *app) readResults(ctx context.Context, std stdio, path, name, actor string) error {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer file.Close()
	results, err := manual.ReadResults(file)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing of it counts", path, err)
	}
	n, diffs, err := a.payouts.Settle(ctx, manual.Name, name, results, actor)
	_, _ = fmt.Fprintf(std.out, "%d lines, %d settled now\n", len(results), n)
	for _, d := range diffs {
		_, _ = fmt.Fprintf(std.out, "  ! %s: %s (here %s, there %s)\n", d.Number, differences[d.What], d.Ours.Yuan(), d.Theirs.Yuan())
	}
	if err == nil && len(diffs) > 0 {
		return exitError{code: exitUnsound}
	}
	return err
}
