package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"
	"github.com/spf13/cobra"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
)

func collectionsCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collections",
		Short: "List what people were asked to pay, give it back, put money in for bonuses",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(collectionsList(std, f), collectionsRefund(std, f), collectionsTopUp(std, f))
	return cmd
}

func collectionsList(std stdio, f *flags) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List charges that wait for a person or are on their way; --all lists the newest of every kind", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				stages := []collect.Stage{collect.Held, collect.Refunding, collect.Created, collect.Asked}
				if all {
					stages = nil
				}
				dues, err := a.dues.Store.Newest(cmd.Context(), listMax, stages...)
				for _, d := range dues {
					who := "the house"
					if d.User != 0 {
						who = fmt.Sprintf("user %d", d.User)
					}
					paid := ""
					if d.Paid != 0 && d.Paid != d.Amount {
						paid = "  " + d.Paid.Yuan() + " came"
					}
					_, _ = fmt.Fprintf(std.out, "%6d  %s  %-10s %10s  %s  %s  %s/%s%s  %s\n",
						d.ID, d.At.In(a.cfg.Location()).Format(time.DateTime), d.Stage, d.Amount.Yuan(), who, d.Subject, d.Collector, d.Number, paid, d.Reason)
				}
				if err == nil && len(dues) == 0 {
					_, err = fmt.Fprintln(std.out, "nothing is on its way")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what is paid, given back or has lapsed")
	return cmd
}

func collectionsRefund(std stdio, f *flags) *cobra.Command {
	var reason, as string
	cmd := &cobra.Command{
		Use: "refund ID --reason TEXT", Short: "Give back what was paid; a membership ends with it",
		Long: `Commits to giving back all that was paid under a charge. The process that serves asks
the collector for it, again and again until it has left.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			switch {
			case err != nil || id <= 0:
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a charge", args[0])}
			case strings.TrimSpace(reason) == "":
				return exitError{exitUsage, errors.New("collections refund takes --reason TEXT; the user reads it")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				d, err := a.dues.Refund(cmd.Context(), id, actorNamed(as), reason)
				switch {
				case fault.Is(err, fault.NotFound):
					return fmt.Errorf("there is no charge %d", id)
				case fault.ReasonOf(err) == "charge.wrong_stage":
					return fmt.Errorf("charge %d is %s: there is nothing to give back", id, d.Stage)
				case err != nil:
					return err
				}
				_, err = fmt.Fprintf(std.out, "charge %d: %s, %s\n", id, d.Stage, d.Paid.Yuan())
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; the user reads it")
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	return cmd
}

func collectionsTopUp(std stdio, f *flags) *cobra.Command {
	var again, as string
	cmd := &cobra.Command{
		Use: "topup AMOUNT", Short: "Print a code by which the operator puts money in for bonuses",
		Long: `Asks the configured collector for a charge and prints its code. Once it is paid, the
process that serves enters it in the ledger: at the bank, for house/marketing, which
pays bonuses. The same amount on one day is one charge; another takes --again with any
word.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := money.ParseYuan(args[0], money.Exact)
			if err != nil || amount <= 0 {
				return exitError{exitUsage, fmt.Errorf("%q is not an amount in yuan such as 500", args[0])}
			}
			return visiting(cmd.Context(), std, f, true, func(a *app) error {
				key := fmt.Sprintf("topup/%s/%d/%s", a.now().In(a.cfg.Location()).Format(time.DateOnly), amount, again)
				d, err := a.dues.Ask(cmd.Context(), collect.Request{Key: key, Purpose: collect.TopUp, Amount: amount, Subject: "充值 top-up", Staff: actorNamed(as)})
				if fault.ReasonOf(err) == "charge.off" {
					return exitError{exitUsage, errors.New("nobody is configured to take money: set collect.collector")}
				}
				if err != nil {
					return err
				}
				if !d.Stage.Open() {
					_, err = fmt.Fprintf(std.out, "charge %d of today is %s; another one takes --again with any word\n", d.ID, d.Stage)
					return err
				}
				q, err := qrcode.New(d.Code, qrcode.Low)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(std.out, "charge %d, %s, to be paid until %s:\n%s%s\n",
					d.ID, d.Amount.Yuan(), d.Expires.In(a.cfg.Location()).Format(time.DateTime), q.ToSmallString(false), d.Code)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	cmd.Flags().StringVar(&again, "again", "", "a word that tells this apart from the same amount today")
	return cmd
}
