package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/control"
)

func switchCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "switch",
		Short: "Stop payouts, credits, a network, a payer or every change, at once",
		Long: `A switch that is on stops what it names, also in a running fanli, from the next
transaction on. What it stops waits, and goes on when it is turned off.

    payouts       no withdrawal is taken or sent; what was sent is followed up
    credits       no rebate is entered in the ledger; they wait
    network/NAME  no links of it are made, and its orders wait
    payer/NAME    nothing new is sent through it
    readonly      no command of a user changes anything
    degrade/RUNG, keep/RUNG  hold a rung of the ladder on or off: see fanli ladder`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list", Short: "Show what is stopped, by whom, why and since when", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBoard(cmd.Context(), std, f, func(b *control.Board, c configs.Config) error {
				return listSwitches(cmd.Context(), std, b, c)
			})
		},
	}
	cmd.AddCommand(list, turnCommand(std, f, "on", "Stop something", true), turnCommand(std, f, "off", "Let it go on", false))
	return cmd
}

func turnCommand(std stdio, f *flags, name, short string, on bool) *cobra.Command {
	var why, text, as string
	cmd := &cobra.Command{
		Use: name + " SCOPE", Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{exitUsage, fmt.Errorf("switch %s takes one of payouts, credits, readonly, network/NAME, payer/NAME", name)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s := control.Switch{Scope: control.Scope(args[0]), On: on, By: actorNamed(as), Why: why, Text: text}
			if err := s.Scope.Validate(); err != nil {
				return exitError{exitUsage, fmt.Errorf("%q is not payouts, credits, readonly, network/NAME or payer/NAME", args[0])}
			}
			if why == "" {
				return exitError{exitUsage, errors.New("--why: say why, for the record")}
			}
			return withBoard(cmd.Context(), std, f, func(b *control.Board, c configs.Config) error {
				if err := b.Set(cmd.Context(), s); err != nil {
					return err
				}
				return listSwitches(cmd.Context(), std, b, c)
			})
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "for the record")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	if on {
		cmd.Flags().StringVar(&text, "text", "", "what users are told meanwhile, instead of the usual words")
	}
	return cmd
}

func withBoard(ctx context.Context, std stdio, f *flags, fn func(*control.Board, configs.Config) error) error {
	return withStore(ctx, std, f, func(db *stores, c configs.Config) error {
		if _, err := db.Migrate(ctx); err != nil {
			return err
		}
		return fn(&control.Board{Store: db.Control(), Now: time.Now}, c)
	})
}

func listSwitches(ctx context.Context, std stdio, b *control.Board, c configs.Config) error {
	all, err := b.List(ctx)
	if err != nil {
		return err
	}
	on := 0
	for _, s := range all {
		if !s.On {
			continue
		}
		on++
		_, _ = fmt.Fprintf(std.out, "%-20s stopped by %s since %s: %s", s.Scope, s.By, s.Since.In(c.Location()).Format(time.DateTime), s.Why)
		if s.Text != "" {
			_, _ = fmt.Fprintf(std.out, "  (users read: %s)", s.Text)
		}
		_, _ = fmt.Fprintln(std.out)
	}
	if on == 0 {
		_, err = fmt.Fprintln(std.out, "nothing is stopped")
	}
	return err
}
