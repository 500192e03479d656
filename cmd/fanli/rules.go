package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fanli/core/fault"
	"fanli/core/rebate"
)

func rulesCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Show, try and change the rules by which commissions are shared",
		Long: `The rules have versions. A link keeps the version under which it was made, so a
change concerns only links that are made afterwards. The configuration's rebate
section is the first version; once a person has set rules, it is not looked at any
more. A file of rules is a configuration with nothing but its rebate section.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(rulesShow(std, f), rulesHistory(std, f), rulesWhatIf(std, f), rulesSet(std, f), rulesRollback(std, f))
	return cmd
}

func rulesShow(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "show [VERSION]", Short: "Show the rules in force, or an earlier version", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version := int64(0)
			if len(args) > 0 {
				var err error
				if version, err = versionArg(args[0]); err != nil {
					return err
				}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				r, v, err := a.rebates.Store.Rules(cmd.Context(), version)
				if err != nil {
					return noSuchVersion(err, version)
				}
				_, _ = fmt.Fprintf(std.out, "version %d\n", v)
				for _, l := range r.Lines() {
					_, _ = fmt.Fprintln(std.out, " ", l)
				}
				for _, l := range a.gifts() {
					_, _ = fmt.Fprintln(std.out, " ", l)
				}
				return nil
			})
		},
	}
}

func rulesHistory(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the versions: when, by whom, and why", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				es, err := a.rebates.Store.Editions(cmd.Context(), 0, listMax)
				for _, e := range es {
					by := "configuration"
					if e.Staff {
						by = e.By
					}
					_, _ = fmt.Fprintf(std.out, "%4d  %s  %-16s %s\n", e.Version, e.At.In(a.cfg.Location()).Format(time.DateTime), by, e.Reason)
				}
				return err
			})
		},
	}
}

func rulesWhatIf(std stdio, f *flags) *cobra.Command {
	var file string
	var days int
	cmd := &cobra.Command{
		Use: "what-if --file FILE", Short: "Compute the last days under other rules, and change nothing",
		Long: `Computes every order line of the last days as if its link had been made under the
rules in the file, and says who would have got what. Promises that were made are kept:
this is what such days will bring from now on. Nothing is written.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" || days < 1 || days > 3660 {
				return exitError{exitUsage, fmt.Errorf("rules what-if takes --file FILE and --days between 1 and 3660")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				r, err := a.cfg.LoadRules(file)
				if err != nil {
					return exitError{exitUsage, err}
				}
				return a.whatIf(cmd.Context(), std, r, days)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the rules to try")
	cmd.Flags().IntVar(&days, "days", 30, "how many days to look back")
	return cmd
}

func (a *app) whatIf(ctx context.Context, std stdio, r rebate.Rules, days int) error {
	fc, err := a.rebates.WhatIf(ctx, r, a.now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(std.out, "the last %d days, as if every link had been made under these rules\n", days)
	_, _ = fmt.Fprintf(std.out, "%-8s %7s %7s %12s   %12s %12s   %12s %12s\n", "network", "lines", "differ", "commission", "paid now", "paid then", "house now", "house then")
	for _, n := range slices.Sorted(maps.Keys(fc.Networks)) {
		o := fc.Networks[n]
		_, _ = fmt.Fprintf(std.out, "%-8s %7d %7d %12s   %12s %12s   %12s %12s\n", n, o.Lines, o.Differ, o.Commission,
			o.Now.Users+o.Now.Inviters, o.Then.Users+o.Then.Inviters, o.Now.House, o.Then.House)
		if o.Then.Inviters+o.Then.Budgets > 0 {
			_, _ = fmt.Fprintf(std.out, "%-8s of what would be paid, inviters get %s and budgets pay %s\n", "", o.Then.Inviters, o.Then.Budgets)
		}
	}
	if len(fc.Networks) == 0 {
		_, _ = fmt.Fprintln(std.out, "nothing was bought")
	}
	for _, d := range fc.Changes {
		_, _ = fmt.Fprintf(std.out, "%s  %s → %s  %s\n", d.Key, d.Now, d.Then, d.Why)
	}
	return nil
}

// change are the flags of what changes the rules.
type change struct {
	by, reason string
	expect     int64
}

func (c *change) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.by, "by", "", "who decides this")
	cmd.Flags().StringVar(&c.reason, "reason", "", "why")
	cmd.Flags().Int64Var(&c.expect, "expect", 0, "the version that must be in force; 0: the one that the differences are shown to")
}

func (c *change) check(name string) error {
	if c.by == "" || c.reason == "" {
		return exitError{exitUsage, fmt.Errorf("%s takes --by NAME and --reason TEXT", name)}
	}
	return nil
}

func rulesSet(std stdio, f *flags) *cobra.Command {
	c := &change{}
	cmd := &cobra.Command{
		Use: "set FILE --by NAME --reason TEXT", Short: "Enact the rules in a file, for links made from now on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check("rules set"); err != nil {
				return err
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				r, err := a.cfg.LoadRules(args[0])
				if err != nil {
					return exitError{exitUsage, err}
				}
				return a.changeRules(cmd.Context(), std, c, r)
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func rulesRollback(std stdio, f *flags) *cobra.Command {
	c := &change{}
	cmd := &cobra.Command{
		Use: "rollback VERSION --by NAME --reason TEXT", Short: "Enact what an earlier version said, as a new version", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := versionArg(args[0])
			if err == nil {
				err = c.check("rules rollback")
			}
			if err != nil {
				return err
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				r, _, err := a.rebates.Store.Rules(cmd.Context(), version)
				if err != nil {
					return noSuchVersion(err, version)
				}
				r.Budgets = slices.Sorted(maps.Keys(a.cfg.Rebate.Budgets)) // what it used may be gone: Validate says so
				return a.changeRules(cmd.Context(), std, c, r)
			})
		},
	}
	c.flags(cmd)
	return cmd
}

// changeRules says what changes and enacts it, if nobody else has changed the rules
// meanwhile.
func (a *app) changeRules(ctx context.Context, std stdio, c *change, r rebate.Rules) error {
	old, v, err := a.rebates.Store.Rules(ctx, 0)
	if err != nil {
		return err
	}
	if c.expect == 0 {
		c.expect = v
	}
	diff := rebate.Compare(old, r)
	if len(diff) == 0 {
		_, err := fmt.Fprintf(std.out, "version %d says the same; nothing changes\n", v)
		return err
	}
	for _, l := range diff {
		_, _ = fmt.Fprintln(std.out, l)
	}
	now, err := a.rebates.Set(ctx, r, c.expect, c.by, c.reason)
	if fault.Is(err, fault.Conflict) {
		return fmt.Errorf("the rules are not those of version %d any more: look at `fanli rules history` and decide again", c.expect)
	}
	if err == nil {
		_, err = fmt.Fprintf(std.out, "version %d is in force for links made from now on\n", now)
	}
	return err
}

func versionArg(s string) (int64, error) {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v <= 0 {
		return 0, exitError{exitUsage, fmt.Errorf("%q is not the number of a version", s)}
	}
	return v, nil
}

func noSuchVersion(err error, version int64) error {
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no version %d of the rules", version)
	}
	return err
}
