package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/configs"
	"fanli/core/notify"
)

// untold counts a notice that is not told, or not yet, as its person wishes.
func (a *app) untold(why string) {
	if a.obs != nil {
		a.obs.Untold(strings.TrimPrefix(why, "notify."))
	}
}

// An untoldList says which notices an operator means.
type untoldList struct {
	stdio
	user, before int64
	count        int
}

func noticesCommand(std stdio, f *flags) *cobra.Command {
	l := &untoldList{stdio: std}
	cmd := &cobra.Command{
		Use: "notices", Short: "List what people were not told, and why, newest first", Args: noArgs,
		Long: `Lists the notices that were given up: since their topic was turned off (notify.off) or
they were old news by the end of quiet hours (notify.overtaken), since their user has no
channel (notify.no_channel), or since nobody could be reached. What is on its way to a chat
is in 'fanli deliveries'. Nothing of what they say is shown.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), std, f, func(db *stores, c configs.Config) error {
				if _, err := db.Migrate(cmd.Context()); err != nil {
					return err
				}
				return l.list(cmd.Context(), db.Messages(), c)
			})
		},
	}
	cmd.Flags().Int64Var(&l.user, "user", 0, "only those of this user")
	cmd.Flags().Int64Var(&l.before, "before", 0, "begin below this number")
	cmd.Flags().IntVar(&l.count, "count", 50, fmt.Sprintf("how many, at most %d", listMax))
	return cmd
}

func (l *untoldList) list(ctx context.Context, s notify.Store, c configs.Config) error {
	l.count = min(max(l.count, 1), listMax)
	all, err := s.Untold(ctx, l.user, l.before, l.count)
	for _, u := range all {
		_, _ = fmt.Fprintf(l.out, "%6d  %s  user %-6d %-16s tried %d times, %s\n",
			u.ID, u.At.In(c.Location()).Format(time.DateTime), u.User, u.Kind, u.Tries, orNone(u.Reason))
	}
	switch {
	case err != nil:
	case len(all) == 0:
		_, err = fmt.Fprintln(l.out, "none")
	case len(all) == l.count:
		_, err = fmt.Fprintf(l.out, "there may be more: --before %d\n", all[len(all)-1].ID)
	}
	return err
}
