package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanli/bot/mail"
	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/post"
)

// deliveriesMax bounds what one `retry --all` does.
const deliveriesMax = 10_000

// A delivery says which letters or parcels an operator means.
type delivery struct {
	stdio
	*flags
	in, waiting, all, text bool
	channel, as, reason    string
	after                  int64
	count                  int
}

func (d *delivery) side() post.Side {
	if d.in {
		return post.In
	}
	return post.Out
}

func deliveriesCommand(std stdio, f *flags) *cobra.Command {
	d := &delivery{stdio: std, flags: f}
	cmd := &cobra.Command{
		Use: "deliveries", Short: "Show replies that did not arrive, and see to them", Args: noArgs,
		Long: `Replies and notices that came to nothing are kept for thirty days, so that somebody can
remove the cause and let them be delivered, or discard them; so are messages of people
that could not be answered (--in). What is in them is shown only with --show-text, and
that it was is recorded. docs/delivery.md says what becomes of a reply, and when.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().BoolVar(&d.in, "in", false, "messages of people instead of replies")
	list := &cobra.Command{Use: "list", Short: "List what came to nothing, oldest first", Args: noArgs, RunE: d.do(d.list)}
	list.Flags().BoolVar(&d.waiting, "waiting", false, "what waits instead")
	list.Flags().Int64Var(&d.after, "after", 0, "begin after this number")
	list.Flags().IntVar(&d.count, "count", 50, fmt.Sprintf("how many, at most %d", listMax))
	show := &cobra.Command{Use: "show NUMBER", Short: "Show one", Args: cobra.ExactArgs(1), RunE: d.do(d.show)}
	show.Flags().BoolVar(&d.text, "show-text", false, "with what is in it, which is personal; this is recorded")
	retry := &cobra.Command{Use: "retry NUMBER… | --all", Short: "Let some be tried again, as if they were new", RunE: d.do(d.retry)}
	retry.Flags().BoolVar(&d.all, "all", false, "all that came to nothing")
	discard := &cobra.Command{Use: "discard NUMBER…", Short: "Forget some that nobody wants any more", Args: cobra.MinimumNArgs(1), RunE: d.do(d.discard)}
	for _, c := range []*cobra.Command{list, retry} {
		c.Flags().StringVar(&d.channel, "channel", "", "only of this channel")
	}
	for _, c := range []*cobra.Command{show, retry, discard} {
		c.Flags().StringVar(&d.as, "as", "", "your name, for the record")
		c.Flags().StringVar(&d.reason, "reason", "", "why, for the record")
	}
	cmd.AddCommand(list, show, retry, discard)
	return cmd
}

// do opens the databases for an operator.
func (d *delivery) do(fn func(ctx context.Context, desk post.Desk, c configs.Config, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return withStore(cmd.Context(), d.stdio, d.flags, func(db *stores, c configs.Config) error {
			if _, err := db.Migrate(cmd.Context()); err != nil {
				return err
			}
			return fn(cmd.Context(), db.PostOffice(), c, args)
		})
	}
}

// act is what is entered in the record of acts.
func (d *delivery) act(what string, seq int64, now time.Time) (event.Event, error) {
	on := fmt.Sprintf("delivery/%s/%d", d.side(), seq)
	return audit.Say(fmt.Sprintf("%s/%s/%d", on, what, now.UnixNano()), now, audit.Act{
		Actor: actorNamed(d.as), What: "delivery." + what, On: on, Reason: d.reason,
	})
}

func (d *delivery) list(ctx context.Context, desk post.Desk, c configs.Config, _ []string) error {
	d.count = min(max(d.count, 1), listMax)
	items, err := desk.Items(ctx, post.Filter{Side: d.side(), Channel: d.channel, Dead: !d.waiting, After: d.after, Count: d.count})
	for _, i := range items {
		_, _ = fmt.Fprintf(d.out, "%6d  %s  %-9s %-8s  tried %d times, %s  %s\n",
			i.Seq, i.At.In(c.Location()).Format(time.DateTime), i.Channel, i.State, i.Tries, orNone(i.Reason), i.Key)
	}
	switch {
	case err != nil:
	case len(items) == 0:
		_, err = fmt.Fprintln(d.out, "none")
	case len(items) == d.count:
		_, err = fmt.Fprintf(d.out, "there may be more: --after %d\n", items[len(items)-1].Seq)
	}
	return err
}

func orNone(reason string) string {
	if reason == "" {
		return "no error"
	}
	return reason
}

func (d *delivery) show(ctx context.Context, desk post.Desk, c configs.Config, args []string) error {
	seq, err := number(args[0])
	if err != nil {
		return err
	}
	i, err := desk.Item(ctx, d.side(), seq)
	if err != nil {
		return d.wrong(err, seq)
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.In(c.Location()).Format(time.DateTime)
	}
	_, _ = fmt.Fprintf(d.out, "key      %s\nchannel  %s\nstate    %s\nreason   %s\ntries    %d\narrived  %d messages of it\nat       %s\nexpires  %s\nended    %s\n",
		i.Key, i.Channel, i.State, orNone(i.Reason), i.Tries, i.Parts, at(i.At), at(i.Expires), at(i.Ended))
	if i.Doubt {
		_, _ = fmt.Fprintln(d.out, "the next message of it may have arrived, too")
	}
	if !d.text {
		return nil
	}
	act, err := d.act("read", seq, time.Now())
	if err != nil {
		return err
	}
	body, err := desk.Read(ctx, d.side(), seq, act)
	if err == nil {
		_, err = fmt.Fprintf(d.out, "text     %s\n", body)
	}
	return err
}

func (d *delivery) retry(ctx context.Context, desk post.Desk, _ configs.Config, args []string) error {
	if d.all == (len(args) > 0) {
		return exitError{exitUsage, errors.New("name numbers, or say --all")}
	}
	if d.all {
		return d.retryAll(ctx, desk)
	}
	return d.each(args, func(seq int64) error { return d.again(ctx, desk, seq) })
}

// retryAll lets what is dead now be tried again.
func (d *delivery) retryAll(ctx context.Context, desk post.Desk) error {
	n := 0
	for after := int64(0); n < deliveriesMax; {
		items, err := desk.Items(ctx, post.Filter{Side: d.side(), Channel: d.channel, Dead: true, After: after, Count: listMax})
		if err != nil {
			return err
		}
		for _, i := range items {
			if err := d.again(ctx, desk, i.Seq); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			n, after = n+1, i.Seq
		}
		if len(items) < listMax {
			break
		}
	}
	_, err := fmt.Fprintf(d.out, "%d are tried again\n", n)
	return err
}

// again lets one be tried again, for as long as a notice is.
func (d *delivery) again(ctx context.Context, desk post.Desk, seq int64) error {
	now := time.Now()
	act, err := d.act("retry", seq, now)
	if err != nil {
		return err
	}
	return desk.Retry(ctx, d.side(), seq, now, now.Add(mail.NoticeKeep), act)
}

func (d *delivery) discard(ctx context.Context, desk post.Desk, _ configs.Config, args []string) error {
	return d.each(args, func(seq int64) error {
		act, err := d.act("discard", seq, time.Now())
		if err != nil {
			return err
		}
		return desk.Discard(ctx, d.side(), seq, act)
	})
}

// each does something with each of the numbers.
func (d *delivery) each(args []string, do func(seq int64) error) error {
	for _, arg := range args {
		seq, err := number(arg)
		if err != nil {
			return err
		}
		if err := do(seq); err != nil {
			return d.wrong(err, seq)
		}
		_, _ = fmt.Fprintf(d.out, "%d: done\n", seq)
	}
	return nil
}

func (d *delivery) wrong(err error, seq int64) error {
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no such delivery %d", seq)
	}
	return err
}
