package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanli/core/fault"
	"fanli/core/reconcile"
)

func reconcileStatus(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "status [MONTH]", Short: "Say what is not reconciled in a month, and which months are closed",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exitError{exitUsage, errors.New("reconcile status takes one month such as 2026-10, or none for the last one")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), std, f, false, func(a *app, d *reconcile.Desk) error {
				month := a.now().In(d.Zone).AddDate(0, 0, 1-a.now().In(d.Zone).Day()).AddDate(0, -1, 0).Format("2006-01")
				if len(args) == 1 {
					month = args[0]
				}
				return standing(cmd.Context(), std, d, month)
			})
		},
	}
}

// standing prints how a month stands and proves the closed ones.
func standing(ctx context.Context, std stdio, d *reconcile.Desk, month string) error {
	p, err := reconcile.ParsePeriod(month, d.Zone)
	if err != nil || p.Name != p.Month() {
		return exitError{exitUsage, fmt.Errorf("%q is not a month such as 2026-10", month)}
	}
	ss, err := d.Stand(ctx, p)
	if err != nil {
		return err
	}
	open := int64(0)
	for _, s := range ss {
		note := ""
		if !s.Compared {
			note = "  never compared"
		}
		open += s.Open + s.Strays
		_, _ = fmt.Fprintf(std.out, "%-28s %7d of ours, booked %s, accepted %s, open %d (%s), strays %d%s\n",
			s.Subject, s.Count, s.Booked, s.Accepted, s.Open, s.Gap, s.Strays, note)
	}
	_, _ = fmt.Fprintf(std.out, "%s: %d open differences\n", month, open)
	months, err := d.Store.Months(ctx)
	if err != nil {
		return err
	}
	for _, m := range months {
		_, _ = fmt.Fprintf(std.out, "closed: %s by %s at %s, %d differences, sha256 %s\n", m.Name, m.Actor, m.At.In(d.Zone).Format(time.RFC3339), m.Open, m.Hash)
	}
	if bad := reconcile.Proven(months); bad != "" {
		return exitError{exitUnsound, fmt.Errorf("the report of %s is not the one that was frozen", bad)}
	}
	return nil
}

func closeCommand(std stdio, f *flags) *cobra.Command {
	var reason, by string
	cmd := &cobra.Command{
		Use:   "close MONTH",
		Short: "Close a month: freeze its report; what changes later is an adjustment of a later month",
		Long: `Refuses while the month has open differences, unless --with-differences says why it is
closed with them. Months are closed one after the other, after they are over. The
report that is printed is kept with a hash over it and over the one before.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{exitUsage, errors.New("close takes one month such as 2026-10")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), std, f, false, func(_ *app, d *reconcile.Desk) error {
				p, err := reconcile.ParsePeriod(args[0], d.Zone)
				if err != nil {
					return exitError{exitUsage, err}
				}
				m, err := d.Close(cmd.Context(), p, by, reason)
				if fault.Is(err, fault.Invalid) {
					return exitError{exitUsage, err}
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(std.out, "%ssha256: %s\n", m.Report, m.Hash)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "with-differences", "", "close although there are differences, for this reason")
	cmd.Flags().StringVar(&by, "by", actorCLI, "who closes it")
	return cmd
}
