package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/money"
)

func debtsCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "debts",
		Short: "List who owes what because of returned goods, and give debts up",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(debtsList(std, f), debtsWriteOff(std, f))
	return cmd
}

func debtsList(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List debts with the orders that they come from", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				n := 0
				err := a.treasurer.Debtors(cmd.Context(), a.db.Ledger(), func(d credit.Debtor) error {
					n++
					_, err := fmt.Fprintf(std.out, "user %-6d %10s\n", d.User, d.Owes.Yuan())
					for _, e := range d.Origin {
						_, _ = fmt.Fprintf(std.out, "    %s  %10s  %s\n", e.At.In(a.cfg.Location()).Format("2006-01-02 15:04"), e.Amount.Yuan(), e.Cause)
					}
					return err
				})
				if err == nil && n == 0 {
					_, err = fmt.Fprintln(std.out, "nobody owes anything")
				}
				return err
			})
		},
	}
}

func debtsWriteOff(std stdio, f *flags) *cobra.Command {
	var by, reason, again string
	cmd := &cobra.Command{
		Use: "write-off USER AMOUNT --by NAME --reason TEXT", Short: "Give up a debt, or a part of it",
		Long: `Gives up a debt within rebate.write_off of the month. The user reads the reason in the
statement. The same sum for the same user on the same day is given up once; a second
one takes --again with any word.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			user, err := strconv.ParseInt(args[0], 10, 64)
			amount, aerr := money.ParseYuan(args[1], money.Exact)
			switch {
			case err != nil || user <= 0:
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a user", args[0])}
			case aerr != nil || amount <= 0:
				return exitError{exitUsage, fmt.Errorf("%q is not an amount in yuan such as 12.50", args[1])}
			case by == "" || reason == "":
				return exitError{exitUsage, fmt.Errorf("debts write-off takes --by NAME and --reason TEXT")}
			}
			return withPayouts(cmd.Context(), std, f, func(a *app) error {
				key := fmt.Sprintf("forgive/%d/%s/%d", user, a.now().In(a.cfg.Location()).Format("2006-01-02"), amount)
				if again != "" {
					key += "/" + again
				}
				done, err := a.treasurer.Forgive(cmd.Context(), credit.Forgiveness{Key: key, User: user, Amount: amount, By: by, Reason: reason})
				switch {
				case fault.Is(err, fault.Insufficient):
					return fmt.Errorf("user %d does not owe %s", user, amount.Yuan())
				case fault.Is(err, fault.Limited):
					return fmt.Errorf("that would be more than the %s that may be given up in a month (rebate.write_off)", a.treasurer.Forgiven.Yuan())
				case err != nil:
					return err
				case !done:
					_, err = fmt.Fprintln(std.out, "it was given up before; nothing changes")
				default:
					_, err = fmt.Fprintf(std.out, "%s of user %d are given up\n", amount.Yuan(), user)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who decides this")
	cmd.Flags().StringVar(&reason, "reason", "", "why; the user reads it")
	cmd.Flags().StringVar(&again, "again", "", "a word that tells this apart from the same sum before")
	return cmd
}
