package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/user"
)

func mergeCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge",
		Short: "List accounts that people have linked, and take them apart",
		Long: `Two accounts of one person become one when the person reads a code on one channel and
writes it on another. The newer account points to the older one, and its money is moved
there by entries with the cause merge/ID. See docs/identity.md.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(mergeList(std, f), mergeShow(std, f), mergeUndo(std, f), mergeResume(std, f))
	return cmd
}

func (a *app) mergeLine(m user.Merge) string {
	line := fmt.Sprintf("%-5d user %-6d in user %-6d %-9s %s", m.ID, m.Absorbed, m.Survivor, m.Stage, m.At.In(a.cfg.Location()).Format("2006-01-02 15:04"))
	if m.Reason != "" {
		line += "  " + m.Reason
	}
	if m.Stage.UnderWay() && a.now().After(m.Changed.Add(user.MergeStuckAfter)) {
		line += "  STUCK: see `fanli events`, then `fanli merge resume`"
	}
	return line
}

func mergeList(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the newest merges", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return visiting(cmd.Context(), std, f, false, func(a *app) error {
				ms, err := a.db.Merges().Merges(cmd.Context(), 0, listMax)
				for _, m := range ms {
					_, _ = fmt.Fprintln(std.out, a.mergeLine(m))
				}
				if err == nil && len(ms) == 0 {
					_, err = fmt.Fprintln(std.out, "nobody has linked accounts")
				}
				return err
			})
		},
	}
}

// mergeID reads the argument of a command about one merge.
func mergeID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, exitError{exitUsage, fmt.Errorf("%q is not the number of a merge", arg)}
	}
	return id, nil
}

func mergeShow(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one merge with what it moved", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := mergeID(args[0])
			if err != nil {
				return err
			}
			return visiting(cmd.Context(), std, f, false, func(a *app) error { return a.showMerge(cmd.Context(), std, id) })
		},
	}
}

func (a *app) showMerge(ctx context.Context, std stdio, id int64) error {
	m, err := a.db.Merges().Merge(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no merge %d", id)
	}
	if err != nil {
		return err
	}
	es, err := a.db.Ledger().Caused(ctx, credit.MergeCause(id))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(std.out, a.mergeLine(m))
	if m.Actor != "" {
		_, _ = fmt.Fprintf(std.out, "undone by %s: %s\n", m.Actor, m.Note)
	}
	if m.Stage == user.MergeDone {
		_, _ = fmt.Fprintf(std.out, "can be undone until %s\n", m.Until().In(a.cfg.Location()).Format("2006-01-02 15:04"))
	}
	for _, e := range es {
		_, err = fmt.Fprintln(std.out, entryLine(e))
	}
	return err
}

// entryLine writes an entry.
func entryLine(e ledger.Entry) string {
	return fmt.Sprintf("    %-8s %10s  %s to %s  %s", e.Kind, e.Amount.Yuan(), e.From, e.To, e.Key)
}

func mergeUndo(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "undo ID REASON", Short: "Take two linked accounts apart, within 72 hours",
		Long: `Begins to move back what the merge moved and what is booked for the absorbed account's
lines now; what else came in between stays with the survivor. If the money is not there
any more nothing is moved, and the list says so. The process that serves does the work.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return actOnMerge(cmd.Context(), std, f, args, "being undone", (*user.Directory).Undo)
		},
	}
}

func mergeResume(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "resume ID REASON", Short: "Say again what a merge waits for, after its event was buried",
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return actOnMerge(cmd.Context(), std, f, args, "going on", (*user.Directory).ResumeMerge)
		},
	}
}

func actOnMerge(
	ctx context.Context, std stdio, f *flags, args []string, done string,
	act func(d *user.Directory, ctx context.Context, id int64, actor, reason string) (user.Merge, error),
) error {
	id, err := mergeID(args[0])
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(strings.Join(args[1:], " "))
	if reason == "" {
		return exitError{exitUsage, fmt.Errorf("a reason is missing: it is kept with the act")}
	}
	return visiting(ctx, std, f, false, func(a *app) error {
		_, err := act(a.users, ctx, id, actorCLI, reason)
		if err == nil {
			_, err = fmt.Fprintf(std.out, "merge %d is %s\n", id, done)
			return err
		}
		if text, ok := mergeRefusals[fault.ReasonOf(err)]; ok {
			return fmt.Errorf("merge %d: %s", id, text)
		}
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("there is no merge %d", id)
		}
		return err
	})
}

// mergeRefusals say to operators why nothing is done.
var mergeRefusals = map[string]string{
	"merge.none":        "it is not linked, or waits for nothing",
	"merge.under_way":   "it, or another one of the same people, is under way",
	"merge.window":      "the 72 hours in which it can be undone are over",
	"merge.later_first": "the survivor was merged into somebody else since: undo that first",
}
