package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fanli/adapters/billfile"
	"fanli/adapters/chart"
	"fanli/core/fault"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// differencesShown bounds the differences that are printed; --csv has all.
const differencesShown = 50

// comparing are the flags of a comparison.
type comparing struct {
	file, columns, account string
	csv, picture           string
	keep, as               string
	accept                 bool
	ask                    bool
	trade                  bool // the bill is of what people have paid us
}

func reconcileCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Hold networks' settlements, and payers' and collectors' bills, against the books",
		Long: `Says of every row of a settlement or bill, and of everything that the books have in
that period, whether it matches, differs and in what, is missing here, missing there,
listed twice, or unreadable. With --accept, what matched is entered in the ledger as
arrived. Exits with 3 if anything does not match.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(reconcileNetwork(std, f), reconcilePayer(std, f), reconcileCollector(std, f), reconcileStatus(std, f))
	return cmd
}

// flagsOf adds the flags of a comparison.
func (c *comparing) flagsOf(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&c.file, "file", "", "the settlement or bill: a table in CSV, UTF-8 or GBK")
	cmd.Flags().StringVar(&c.columns, "columns", "", "a YAML file that says which column is what, where the known names do not fit")
	cmd.Flags().StringVar(&c.csv, "csv", "", "write every finding into this file")
	cmd.Flags().StringVar(&c.picture, "picture", "", "draw the summary into this PNG file")
	cmd.Flags().BoolVar(&c.accept, "accept", false, "enter in the ledger that what matched has arrived")
	cmd.Flags().StringVar(&c.as, "as", "", "your name, for the record of who accepted it")
	return cmd
}

// twoArgs refuses anything but a name and a period.
func twoArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 2 {
			return exitError{exitUsage, fmt.Errorf("%s takes a %s and a month such as 2026-10 or a day such as 2026-10-03", cmd.CommandPath(), what)}
		}
		return nil
	}
}

func reconcileNetwork(std stdio, f *flags) *cobra.Command {
	c := &comparing{}
	cmd := &cobra.Command{
		Use: "network NETWORK PERIOD --file FILE | --ask", Short: "Hold a network's settlement of a period against order lines and ledger",
		Long: `With --ask the network itself is asked, through its order queries, what it has settled
in the period. That takes as long as its rate allows: minutes for a month. --keep FILE
writes what it said, to be compared or accepted from that file later.`,
		Args: twoArgs("network"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (c.file == "") != c.ask {
				return exitError{exitUsage, errors.New("reconcile network takes either --file or --ask")}
			}
			return withDesk(cmd.Context(), std, f, false, func(a *app, d *reconcile.Desk) (err error) {
				var ask asker
				if c.ask {
					if ask, err = c.askNetwork(std, a, args[0]); err != nil {
						return err
					}
				}
				return c.run(cmd.Context(), std, d, reconcile.OfNetwork(args[0], c.account), args[0], args[1], ask)
			})
		},
	}
	cmd.Flags().BoolVar(&c.ask, "ask", false, "ask the network instead of reading a file")
	cmd.Flags().StringVar(&c.keep, "keep", "", "with --ask: write what the network said into this file")
	cmd.Flags().StringVar(&c.account, "account", "main", "which of our accounts at the network")
	return c.flagsOf(cmd)
}

func reconcilePayer(std stdio, f *flags) *cobra.Command {
	c := &comparing{}
	cmd := &cobra.Command{
		Use: "payer PAYER PERIOD [--file FILE]", Short: "Hold a payer's bill of a period against what we paid through it",
		Long: "Without --file the configured payer is asked for its bill of a day, if it has such a call.",
		Args: twoArgs("payer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), std, f, c.file == "", func(a *app, d *reconcile.Desk) error {
				var ask asker
				if c.file == "" {
					b, ok := a.payouts.PayerNamed(args[0]).(withdraw.Biller)
					if !ok {
						return exitError{exitUsage, fmt.Errorf("%s cannot be asked for its bill from here: give --file", args[0])}
					}
					ask = askPayer(b)
				}
				return c.run(cmd.Context(), std, d, reconcile.OfPayer(args[0]), args[0], args[1], ask)
			})
		},
	}
	return c.flagsOf(cmd)
}

// withDesk runs fn with an app that starts nothing. Unless the payer is asked, none
// is needed.
func withDesk(ctx context.Context, std stdio, f *flags, payer bool, fn func(*app, *reconcile.Desk) error) error {
	return visiting(ctx, std, f, payer, func(a *app) error { return fn(a, a.reconciliation()) })
}

// reconciliation returns the desk that compares books.
func (a *app) reconciliation() *reconcile.Desk {
	return &reconcile.Desk{Lines: a.db.Settlements(), Store: a.db.Reconciliations(), Now: a.now, Zone: a.cfg.Location(), Leases: a.db.Leases(paymentTarget)}
}

// rows opens the other book.
func (c *comparing) rows(ctx context.Context, d *reconcile.Desk, name string, p reconcile.Period, ask asker) (reconcile.Rows, error) {
	format, err := c.format(name)
	if err != nil {
		return nil, err
	}
	if ask != nil {
		rows, err := ask(ctx, p)
		if err == nil && c.keep != "" {
			err = keepRows(c.keep, rows, format.Fen)
		}
		return rows, err
	}
	file, err := billfile.Open(c.file, format, d.Zone)
	if err != nil {
		return nil, err
	}
	return file.Rows(), nil
}

// format is how the book of a name is written.
func (c *comparing) format(name string) (billfile.Format, error) {
	if c.columns != "" {
		b, err := os.ReadFile(c.columns)
		if err != nil {
			return billfile.Format{}, err
		}
		return billfile.ReadFormat(b)
	}
	formats, err := billfile.Formats()
	if err != nil {
		return billfile.Format{}, err
	}
	if c.trade {
		name += "/trade"
	}
	format, ok := formats[name]
	if !ok {
		format = formats["any"]
	}
	return format, nil
}

// run compares, accepts where wanted, and reports.
func (c *comparing) run(ctx context.Context, std stdio, d *reconcile.Desk, s reconcile.Subject, name, period string, ask asker) error {
	p, err := reconcile.ParsePeriod(period, d.Zone)
	if err != nil {
		return exitError{exitUsage, err}
	}
	rows, err := c.rows(ctx, d, name, p, ask)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
		return exitError{exitUsage, err}
	}
	if err != nil {
		return err
	}
	shown, table, err := 0, newTable(c.csv), error(nil)
	say := func(f reconcile.Finding) error {
		if f.Kind != reconcile.Matched {
			if shown++; shown <= differencesShown {
				_, _ = fmt.Fprintf(std.out, "%-13s %-28s %s\n", f.Kind, whereIs(f), f.Words())
			}
		}
		return table.add(f)
	}
	var sum reconcile.Summary
	if c.accept {
		sum, err = c.accepted(ctx, std, d, s, p, rows, say)
	} else {
		sum, err = d.Compare(ctx, s, p, rows, say)
	}
	if err = errors.Join(err, table.close()); err != nil {
		return err
	}
	if shown > differencesShown {
		_, _ = fmt.Fprintf(std.out, "and %d more; --csv has all\n", shown-differencesShown)
	}
	summary(std, sum)
	if c.picture != "" {
		err = picture(c.picture, sum)
	}
	if err == nil && sum.Open() > 0 {
		err = exitError{exitUnsound, nil}
	}
	return err
}

func (c *comparing) accepted(ctx context.Context, std stdio, d *reconcile.Desk, s reconcile.Subject, p reconcile.Period, rows reconcile.Rows, say func(reconcile.Finding) error) (reconcile.Summary, error) {
	sum, moved, err := d.Accept(ctx, s, p, actorNamed(c.as), rows, say)
	if err == nil || moved != 0 {
		_, _ = fmt.Fprintf(std.out, "entered in the ledger: %s\n", moved)
	}
	return sum, err
}

// whereIs says where a finding is.
func whereIs(f reconcile.Finding) string {
	if f.Row.Number == 0 {
		return f.Key
	}
	return strings.TrimSpace(fmt.Sprintf("%s line %d", f.Key, f.Row.Number))
}

// summary prints what a comparison has counted.
func summary(std stdio, s reconcile.Summary) {
	_, _ = fmt.Fprintf(std.out, "%s %s: %d rows\n", s.Subject, s.Period, s.Rows)
	for _, k := range reconcile.Kinds() {
		if n := s.Counts[k]; n > 0 || k == reconcile.Matched {
			_, _ = fmt.Fprintf(std.out, "  %-13s %8d\n", k, n)
		}
	}
	_, _ = fmt.Fprintf(std.out, "  they list %s, of which %s matched; we have %s\n", s.Theirs, s.Matched, s.Ours)
	if s.Fees != 0 {
		_, _ = fmt.Fprintf(std.out, "  of what matched they have kept %s\n", s.Fees)
	}
}

// picture draws what a comparison has counted.
func picture(path string, s reconcile.Summary) error {
	var bars []chart.Bar
	for _, k := range reconcile.Kinds() {
		bars = append(bars, chart.Bar{Label: string(k), Value: fmt.Sprint(s.Counts[k]), Length: s.Counts[k], Wrong: k != reconcile.Matched})
	}
	for _, m := range []struct {
		label string
		sum   int64
		text  string
	}{{"yuan: they list", int64(s.Theirs), s.Theirs.String()}, {"yuan: matched", int64(s.Matched), s.Matched.String()}, {"yuan: we have", int64(s.Ours), s.Ours.String()}} {
		bars = append(bars, chart.Bar{Label: m.label, Value: m.text})
	}
	file, err := os.Create(path) //nolint:gosec // the operator's own choice
	if err != nil {
		return err
	}
	return errors.Join(chart.Bars(file, fmt.Sprintf("%s %s: %d rows, %d open", s.Subject, s.Period, s.Rows, s.Open()), bars), file.Close())
}

// A table writes findings as CSV; without a path it writes nothing.
type table struct {
	file *os.File
	w    *csv.Writer
	err  error
}

func newTable(path string) *table {
	t := &table{}
	if path == "" {
		return t
	}
	if t.file, t.err = os.Create(path); t.err == nil { //nolint:gosec // the operator's own choice
		t.w = csv.NewWriter(t.file)
		t.err = t.w.Write(reconcile.Header())
	}
	return t
}

func (t *table) add(f reconcile.Finding) error {
	if t.w != nil && t.err == nil {
		t.err = t.w.Write(f.Record())
	}
	return t.err
}

func (t *table) close() error {
	if t.w == nil {
		return t.err
	}
	t.w.Flush()
	return errors.Join(t.err, t.w.Error(), t.file.Close())
}
