package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/manual"
	"fanli/configs"
	"fanli/core/fault"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// version is set by the linker.
var version = "dev"

func versionCommand(std stdio) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, build and platform", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			rev := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						rev = " " + s.Value[:min(12, len(s.Value))]
					}
				}
			}
			_, err := fmt.Fprintf(std.out, "fanli %s%s %s %s/%s\n", version, rev, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func checkCommand(std stdio, f *flags) *cobra.Command {
	var live bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong with the configuration, and start nothing",
		Long: `Reads the configuration as serve would and prints every mistake at once, by name
and line. With --live it instead asks a running fanli whether it is well.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load(std)
			if err != nil {
				return err
			}
			if live {
				return alive(cmd.Context(), c)
			}
			if err := checkSplit(c); err != nil {
				return err
			}
			mode := "with the configured networks"
			if c.Sandbox() {
				mode = "in the sandbox: no network is configured"
			}
			_, err = fmt.Fprintf(std.out, "the configuration is sound; serve would run %s\n", mode)
			return err
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask the running process at the configured address")
	return cmd
}

// alive asks a running process for /livez.
func alive(ctx context.Context, c configs.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, localURL(c.Listen)+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	return nil
}

func migrateCommand(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's tables up to date",
		Long:  "Applies the migrations that are missing, in order. It may be run again, by several at once, and after it was interrupted.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), std, f, func(db *stores, _ configs.Config) error {
				applied, err := db.Migrate(cmd.Context())
				for _, m := range applied {
					_, _ = fmt.Fprintln(std.out, m)
				}
				if err == nil && len(applied) == 0 {
					_, err = fmt.Fprintln(std.out, "nothing to do")
				}
				return err
			})
		},
	}
}

// withStore runs fn on the configured database without starting anything.
func withStore(ctx context.Context, std stdio, f *flags, fn func(*stores, configs.Config) error) error {
	c, err := f.load(std)
	if err != nil {
		return err
	}
	c.Targets = []string{configs.AllTargets}
	a := &app{cfg: c, log: logger(c.Log, std.err), now: time.Now}
	if a.db, err = openStores(ctx, a, surroundings{}); err != nil {
		return err
	}
	return errors.Join(fn(a.db, c), a.close())
}

func syncCommand(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "sync",
		Short: "Ask the networks for orders now, and show where each stream stands",
		Long: `Follows every stream of orders up to now, once, and carries what is new through to
the ledger. A running fanli that holds the lease of a stream keeps it; then this only
shows where the streams stand. In the sandbox, orders are followed by serve itself.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load(std)
			if err != nil {
				return err
			}
			return syncNow(cmd.Context(), c, std)
		},
	}
}

// syncNow does it beside a running fanli, or at its place.
func syncNow(ctx context.Context, c configs.Config, std stdio) (err error) {
	around := surroundings{log: logger(c.Log, std.err), now: time.Now, http: &http.Client{}, holder: holder()}
	own, err := openFolder(c.Data)
	switch {
	case err == nil:
		defer func() { err = errors.Join(err, own.close()) }()
		around.holder = own.holds(c) // the leases that it leaves behind are those of the next serve
	case errors.Is(err, errAtWork):
		around.visit = true
	default:
		return err
	}
	a, err := newApp(ctx, c, around)
	if err != nil {
		return err
	}
	return errors.Join(a.syncOnce(ctx, std), a.close())
}

// syncOnce follows everything once and prints where it stands.
func (a *app) syncOnce(ctx context.Context, std stdio) error {
	err := a.runner.Drain(ctx)
	places, perr := a.orders.Store.Places(ctx)
	if perr != nil {
		return errors.Join(err, perr)
	}
	for _, p := range places {
		if p.Rung != jobs.Follow {
			continue
		}
		state := "ok"
		if !p.Failing.IsZero() {
			state = fmt.Sprintf("failing since %s: %s", p.Failing.Format(time.RFC3339), p.Error)
		}
		_, _ = fmt.Fprintf(std.out, "%-40s complete until %s  %s\n", place(p.Place), p.Done.In(a.cfg.Location()).Format(time.RFC3339), state)
	}
	counts, cerr := a.orders.Store.Counts(ctx)
	if cerr == nil {
		_, _ = fmt.Fprintf(std.out, "%d order lines, %d of them nobody's, %d unreadable rows\n", counts.Lines, counts.Unattributed, counts.Quarantined)
	}
	return errors.Join(err, cerr)
}

func withdrawalsCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "withdrawals",
		Short: "List withdrawals that wait for a person, and decide them",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPayouts(cmd.Context(), std, f, func(a *app) error { return a.listWithdrawals(cmd.Context(), std) })
		},
	}
	cmd.AddCommand(
		decision(std, f, "approve", "Let a withdrawal be sent", (*app).approve),
		decision(std, f, "refuse", "Give the money back, with a reason that the user reads", (*app).refuse),
		decision(std, f, "paid", "Say that a withdrawal was paid by hand; any other payer is asked first", (*app).paid),
		decision(std, f, "failed", "Say that one could not be paid, and the money goes back; any other payer than people is asked first", (*app).failed),
		batchCommand(std, f), resultsCommand(std, f), incidentsCommand(std, f),
	)
	return cmd
}

// reasons are what a refusal or failure may be for; each has a text for users.
var reasons = []string{"review.refused", "payout.no_such_account", "payout.name_mismatch", "payout.limit", "payout.refused"}

// decision makes a command that decides one withdrawal.
func decision(std stdio, f *flags, name, short string, do func(*app, context.Context, act) error) *cobra.Command {
	var reason, as string
	cmd := &cobra.Command{
		Use: name + " ID", Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{exitUsage, fmt.Errorf("withdrawals %s takes the number of one withdrawal", name)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var id int64
			if _, err := fmt.Sscanf(args[0], "%d", &id); err != nil || id <= 0 || fmt.Sprint(id) != args[0] {
				return exitError{exitUsage, fmt.Errorf("%q is not the number of a withdrawal", args[0])}
			}
			if reason != "" && !slices.Contains(reasons, reason) {
				return exitError{exitUsage, fmt.Errorf("--reason: %q is not one of %v", reason, reasons)}
			}
			asks := name == "paid" || name == "failed" // the payer
			return visiting(cmd.Context(), std, f, asks, func(a *app) error {
				err := do(a, cmd.Context(), act{id, reason, actorNamed(as)})
				if fault.Is(err, fault.NotFound) {
					return fmt.Errorf("there is no withdrawal %d", id)
				}
				if err == nil {
					_, err = fmt.Fprintf(std.out, "withdrawal %d: %s\n", id, name)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record; where two have to approve they need different ones")
	if name == "refuse" || name == "failed" {
		cmd.Flags().StringVar(&reason, "reason", "", fmt.Sprintf("one of %v", reasons))
	}
	return cmd
}

// withPayouts runs fn with an app that starts nothing, sends nothing and asks no
// payer.
func withPayouts(ctx context.Context, std stdio, f *flags, fn func(*app) error) error {
	return visiting(ctx, std, f, false, fn)
}

// visiting runs fn with an app that starts nothing, beside the process that serves
// or at its place. Payers are made only where fn asks them.
func visiting(ctx context.Context, std stdio, f *flags, payers bool, fn func(*app) error) error {
	c, err := f.load(std)
	if err != nil {
		return err
	}
	c.Targets = []string{configs.AllTargets} // whoever looks, looks at everything
	if !payers {
		c.Payer, c.Payers, c.Collect.Collector = manual.Name, nil, ""
	}
	a, err := newApp(ctx, c, surroundings{
		log: logger(c.Log, std.err), now: time.Now, http: &http.Client{}, holder: holder(), visit: true,
	})
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.close())
}

// listMax bounds what is listed at once.
const listMax = 200

func (a *app) listWithdrawals(ctx context.Context, std stdio) error {
	ws, err := a.payouts.Waiting(ctx, listMax)
	if err != nil {
		return err
	}
	for _, w := range ws {
		_, _ = fmt.Fprintf(std.out, "%6d  %-9s %10s  user %-6d %-30s %s  %s\n",
			w.ID, w.State, w.Amount.Yuan(), w.User, w.Payee.Masked(), w.At.In(a.cfg.Location()).Format(time.DateTime), inWords(w))
	}
	if len(ws) == 0 {
		_, _ = fmt.Fprintln(std.out, "nothing waits")
	}
	return nil
}

const actorCLI = "cli"

// An act is what a person decides about one withdrawal.
type act struct {
	id     int64
	reason string
	actor  string
}

// actorNamed is how a person at the command line is recorded.
func actorNamed(name string) string {
	if name == "" {
		return actorCLI
	}
	return actorCLI + ":" + name
}

func (a *app) approve(ctx context.Context, x act) error {
	w, err := a.payouts.Approve(ctx, x.id, x.actor)
	if fault.ReasonOf(err) == "withdraw.same_person" {
		return fmt.Errorf("withdrawal %d: %s has approved it already; somebody else has to, with --as", x.id, x.actor)
	}
	if err == nil && w.State == withdraw.Reviewing {
		return fmt.Errorf("withdrawal %d: the first approval is recorded; somebody else has to approve it, too, with --as", x.id)
	}
	return err
}

func (a *app) refuse(ctx context.Context, x act) error {
	if x.reason == "" {
		x.reason = "review.refused"
	}
	_, err := a.payouts.Refuse(ctx, x.id, x.actor, x.reason)
	return err
}

func (a *app) paid(ctx context.Context, x act) error {
	return attested(a.payouts.Attest(ctx, x.id, true, x.actor, ""))
}

func (a *app) failed(ctx context.Context, x act) error {
	if x.reason == "" {
		x.reason = "payout.refused"
	}
	return attested(a.payouts.Attest(ctx, x.id, false, x.actor, x.reason))
}

// attested says why a person's word about a payment does not count.
func attested(w withdraw.Withdrawal, err error) error {
	switch fault.ReasonOf(err) {
	case "withdraw.payer_says":
		return fmt.Errorf("withdrawal %d: %s says that it is %s, and that is what counts", w.ID, w.Payer, w.State)
	case "withdraw.payer_busy":
		return fmt.Errorf("withdrawal %d: %s has it in hand; what becomes of it is what it says", w.ID, w.Payer)
	case "withdraw.payer_first":
		return fmt.Errorf("withdrawal %d: %s does not say what became of it. Stop it with `fanli switch on payer/%s`, wait for a minute, "+
			"look for number %s in its console, and say so again", w.ID, w.Payer, w.Payer, w.Number)
	}
	return err
}
