package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/core/fault"
	"fanli/core/order"
)

func claimsCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claims",
		Short: "List claims of orders that wait for a person, and decide them",
		Long: `A claim waits for a person when two people say with equal right that an order is
theirs, and when a user appeals. The list shows what the claimant said beside what
the network says. Each claim bears the date by which its user was promised an answer.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error { return a.listClaims(cmd.Context(), std) })
		},
	}
	cmd.AddCommand(
		claimDecision(std, f, "grant", "Give the order to the claimant; rival claims are refused", true),
		claimDecision(std, f, "refuse", "Refuse a claim, with a reason that the user reads", false),
	)
	return cmd
}

func claimDecision(std stdio, f *flags, name, short string, grant bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: name + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a claim", args[0])}
			}
			if strings.TrimSpace(reason) == "" {
				return exitError{exitUsage, errors.New("--reason is missing: it is kept with the decision")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				c, err := a.orders.DecideClaim(cmd.Context(), id, grant, actorCLI, reason)
				if fault.Is(err, fault.NotFound) && fault.ReasonOf(err) != "claim.no_order" {
					return fmt.Errorf("there is no claim %d", id)
				}
				if err == nil {
					_, err = fmt.Fprintf(std.out, "claim %d of order %s: %s\n", c.ID, c.Order, c.State)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; the user reads it where a claim is refused")
	return cmd
}

func (a *app) listClaims(ctx context.Context, std stdio) error {
	cs, err := a.orders.Staffed(ctx, listMax)
	if err != nil {
		return err
	}
	for _, c := range cs {
		lines, err := a.orders.ByNumber(ctx, c.Order)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(std.out, "%6d  %-9s user %-6d %s order %s, answer promised by %s\n        says: %s\n",
			c.ID, c.State, c.User, c.Network, c.Order, c.Until.In(a.cfg.Location()).Format(time.DateTime), saying(c))
		for _, l := range lines {
			_, _ = fmt.Fprintf(std.out, "        line %s: paid %s on %s, user %d by %q: %s\n",
				l.Key, l.Price.Yuan(), l.Row().Created.In(a.cfg.Location()).Format(time.DateOnly), l.User, l.Step, l.Evidence)
		}
	}
	if len(cs) == 0 {
		_, _ = fmt.Fprintln(std.out, "nothing waits")
	}
	return nil
}

// saying is what a claimant has said.
func saying(c order.Claim) string {
	var parts []string
	if c.Proof.Paid > 0 {
		parts = append(parts, fmt.Sprintf("paid %s on %s", c.Proof.Paid.Yuan(), c.Proof.Day))
	}
	if c.Note != "" {
		parts = append(parts, strconv.Quote(c.Note))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}
