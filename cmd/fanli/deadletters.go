package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/store"
	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
)

func eventsCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "events", Short: "Show events that wait, and see to those that were given up",
		Long: `Shows for each target how many of its events wait to be heard, since when, and how many
are dead: tried until nobody could hope any more. A dead one is kept until somebody
retries it, which is safe any number of times, or discards it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), std, f, func(db *stores, c configs.Config) error {
				return showOutboxes(cmd.Context(), std, db, c)
			})
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "dead TARGET", Short: "List a target's dead events, oldest first", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return withOutbox(cmd.Context(), std, f, args[0], func(o *store.Outbox, c configs.Config) error {
					return listDead(cmd.Context(), std, o, c)
				})
			},
		},
		deadCommand(std, f, "retry", "Let a dead event be heard again", (*store.Outbox).Retry),
		deadCommand(std, f, "discard", "Forget a dead event that nobody shall ever hear", (*store.Outbox).Discard),
	)
	return cmd
}

// deadCommand does something with one dead event, and has it recorded.
func deadCommand(std stdio, f *flags, name, short string, do func(o *store.Outbox, ctx context.Context, seq int64, act event.Event) error) *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: name + " TARGET NUMBER", Short: short, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of an event", args[1])}
			}
			return withOutbox(cmd.Context(), std, f, args[0], func(o *store.Outbox, _ configs.Config) error {
				on, now := fmt.Sprintf("event/%s/%d", args[0], seq), time.Now()
				act, err := audit.Say(fmt.Sprintf("%s/%s/%d", on, name, now.UnixNano()), now, audit.Act{
					Actor: actorNamed(as), What: "event." + name, On: on, Reason: reason,
				})
				if err != nil {
					return err
				}
				if err := do(o, cmd.Context(), seq, act); fault.Is(err, fault.NotFound) {
					return fmt.Errorf("%s has no dead event %d", args[0], seq)
				} else if err != nil {
					return err
				}
				_, err = fmt.Fprintf(std.out, "%s: event %d of %s\n", name, seq, args[0])
				return err
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

// withOutbox runs fn with the outbox of a target.
func withOutbox(ctx context.Context, std stdio, f *flags, target string, fn func(*store.Outbox, configs.Config) error) error {
	return withStore(ctx, std, f, func(db *stores, c configs.Config) error {
		if _, err := db.Migrate(ctx); err != nil {
			return err
		}
		for _, o := range db.Outboxes() {
			if o.Name() == target {
				return fn(o, c)
			}
		}
		return exitError{exitUsage, fmt.Errorf("%q is no target that has events; fanli targets lists them", target)}
	})
}

func showOutboxes(ctx context.Context, std stdio, db *stores, c configs.Config) error {
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	for _, o := range db.Outboxes() {
		n, oldest, err := o.Depth(ctx)
		if err != nil {
			return err
		}
		dead, err := o.Dead(ctx, 0, listMax)
		if err != nil {
			return err
		}
		since := ""
		if n > 0 {
			since = "since " + oldest.In(c.Location()).Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(std.out, "%-14s %6d wait  %5d dead  %s\n", o.Name(), n, len(dead), since)
	}
	return nil
}

func listDead(ctx context.Context, std stdio, o *store.Outbox, c configs.Config) error {
	dead, err := o.Dead(ctx, 0, listMax)
	for _, s := range dead {
		_, _ = fmt.Fprintf(std.out, "%6d  %s  %-20s %s  tried %d times: %s\n", s.Seq, s.Event.At.In(c.Location()).Format(time.DateTime), s.Event.Name, s.Event.ID, s.Tries, s.Error)
	}
	if err == nil && len(dead) == 0 {
		_, err = fmt.Fprintln(std.out, "no dead events")
	}
	return err
}
