package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/proof"
)

// When the books are proved and sealed, in the zone of the house: at night, when
// little is written, and the seals first.
const (
	sealAt  = "15 0 * * *"
	auditAt = "30 4 * * *"
)

func auditCommand(std stdio, f *flags) *cobra.Command {
	var head string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Prove the books: every entry, its cause, its digest and the seals",
		Long: `Reads every entry of the ledger, as of one moment and also while fanli runs, and proves
that every balance is the sum of its entries, that every order line and withdrawal has
exactly the entries that its state demands, and that nothing was edited since it was
written: batches, seals and the acts of staff. Prints the first difference with its
story. Exits with 3 if the books are not sound.

Every seal's hash is also in the log ("head"). With --head, the chain of seals must
have that hash: then nobody has written history anew.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load(std)
			if err != nil {
				return err
			}
			if _, err := os.Stat(databasePath(c)); err != nil && c.Database.DSN == "" {
				return fmt.Errorf("there are no books to prove: %w", err)
			}
			return withStore(cmd.Context(), std, f, func(db *stores, c configs.Config) error {
				a := &app{cfg: c, db: db}
				rep, err := a.proveTelling(cmd.Context(), strings.ToLower(head), std.err)
				if err != nil {
					return err
				}
				return printProof(std.out, rep)
			})
		},
	}
	cmd.Flags().StringVar(&head, "head", "", "hash of a seal that you have remembered")
	return cmd
}

// printProof prints what a proof found.
func printProof(w io.Writer, rep proof.Report) error {
	_, _ = fmt.Fprintf(w, "%d entries, %d accounts, sum of all balances %s\n", rep.Entries, rep.Accounts, rep.Sum.Yuan())
	_, _ = fmt.Fprintf(w, "%d order lines, %d withdrawals, %d batches, %d seals, %d acts of staff\n", rep.Lines, rep.Withdrawals, rep.Batches, rep.Seals, rep.Acts)
	if rep.Unbatched > 0 {
		_, _ = fmt.Fprintf(w, "%d entries are older than digests: only their sums are proved\n", rep.Unbatched)
	}
	if rep.Head != "" {
		_, _ = fmt.Fprintf(w, "head %s of %s\n", rep.Head, rep.HeadDay)
	}
	for _, s := range rep.Faults {
		_, _ = fmt.Fprintln(w, "  !", s)
	}
	if !rep.OK() {
		_, _ = fmt.Fprintln(w, "the books are NOT sound")
		return exitError{code: exitUnsound}
	}
	_, err := fmt.Fprintln(w, "the books are sound")
	return err
}

// audit proves the books and says loudly if they are not sound.
func (a *app) audit(ctx context.Context) (int, error) {
	rep, err := a.prove(ctx)
	if err != nil {
		return 0, err
	}
	a.obs.Audited(rep.OK())
	a.house.proved.Store(&proved{rep, a.now()})
	if !rep.OK() {
		a.log.Error("the books are not sound: stop payouts and look", "sum", rep.Sum, "faults", rep.Faults)
		return 0, fault.New(fault.Internal, "audit.unsound")
	}
	a.log.Info("audit", "entries", rep.Entries, "accounts", rep.Accounts, "head", rep.Head, "sound", true)
	return 0, nil
}

// prove proves the books as of one moment.
func (a *app) prove(ctx context.Context) (proof.Report, error) {
	return a.proveTelling(ctx, "", io.Discard)
}

// proveTelling is prove with a remembered head, and with its progress told on w.
func (a *app) proveTelling(ctx context.Context, head string, w io.Writer) (rep proof.Report, err error) {
	c := counting(w, "entries read")
	err = a.db.Prove(ctx, func(src proof.Source) error {
		rep, err = (&proof.Prover{Head: head, Progress: c.count}).Prove(ctx, src)
		return err
	})
	c.done()
	return rep, err
}

// sealDays seals the days that are over.
func (a *app) sealDays(ctx context.Context) (int, error) {
	s := proof.Sealer{Store: a.db.Seals(), Now: a.now, Zone: a.cfg.Location(), Told: func(s proof.Seal) {
		a.log.Info("the day is sealed", "day", s.Day, "head", s.Hash, "entries", s.Entries, "seal", s.ID)
	}}
	return s.Run(ctx)
}

func actsCommand(std stdio, f *flags) *cobra.Command {
	var filter audit.Filter
	var day string
	cmd := &cobra.Command{
		Use:   "acts",
		Short: "List what staff have done, newest first",
		Long: `Lists the acts of staff: who did what to what, why, and what it was before and after.
They are a chain of hashes, which audit checks.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), std, f, func(db *stores, c configs.Config) error {
				if day != "" {
					from, err := time.ParseInLocation(time.DateOnly, day, c.Location())
					if err != nil {
						return exitError{exitUsage, fmt.Errorf("--day: %q is not a day like 2026-11-11", day)}
					}
					filter.From, filter.Until = from, from.AddDate(0, 0, 1)
				}
				filter.Count = listMax
				acts, err := db.Acts().Acts(cmd.Context(), filter)
				if err != nil {
					return err
				}
				for _, a := range acts {
					_, _ = fmt.Fprintf(std.out, "%6d  %s  %-14s %-10s %-24s %-16s %s → %s  %s\n", a.ID,
						a.At.In(c.Location()).Format(time.DateTime), a.Actor, a.Role, a.What, a.On, a.Before, a.After, a.Reason)
				}
				if len(acts) == 0 {
					_, _ = fmt.Fprintln(std.out, "no such acts")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&filter.Actor, "actor", "", "only those of one actor, such as cli")
	cmd.Flags().StringVar(&filter.What, "what", "", "only those of one kind, such as withdrawal.approve")
	cmd.Flags().StringVar(&filter.On, "on", "", "only those on one thing, such as withdrawal/7")
	cmd.Flags().StringVar(&day, "day", "", "only those of one day, such as 2026-11-11")
	return cmd
}
