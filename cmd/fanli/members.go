package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// contestsShown is how far back contests are listed.
const contestsShown = 30 * 24 * time.Hour

func membersCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "members",
		Short: "List who wanted to bind a shop's account that is somebody else's, and unbind accounts",
		Long: `A Taobao account is bound to one person (绑定淘宝). Who wants one that is somebody
else's may be the same person, who can link their accounts in the chat, or share it,
or have bound it for somebody else by mistake: unbind it then, and they can bind it
anew. Orders stay whose they are; "fanli claims" and the staff's group change that.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error { return a.listContests(cmd.Context(), std) })
		},
	}
	cmd.AddCommand(unbindCommand(std, f))
	return cmd
}

func (a *app) listContests(ctx context.Context, std stdio) error {
	cs, err := a.orders.Store.Contests(ctx, a.now().Add(-contestsShown), listMax)
	if err != nil {
		return err
	}
	for _, c := range cs {
		_, _ = fmt.Fprintf(std.out, "%s  %s %s is user %d's, and user %d wanted to bind it\n",
			c.At.In(a.cfg.Location()).Format(time.DateTime), c.Network, c.Masked(), c.Owner, c.User)
	}
	if len(cs) == 0 {
		_, _ = fmt.Fprintln(std.out, "nobody wants what is somebody else's")
	}
	return nil
}

func unbindCommand(std stdio, f *flags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "unbind USER", Short: "Unbind all accounts at shops that are bound to a user", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a user", args[0])}
			}
			if strings.TrimSpace(reason) == "" {
				return exitError{exitUsage, errors.New("--reason is missing: it is kept with the act")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				n, err := a.orders.UnbindMembers(cmd.Context(), id, actorCLI, reason)
				if err == nil {
					_, err = fmt.Fprintf(std.out, "%d unbound\n", n)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is kept with the act")
	return cmd
}
