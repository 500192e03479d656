// Command fanli is the whole system in one binary: the shopper's chat, the
// operators' commands, and everything between the affiliate networks and the
// payers. This package wires the parts together as the configuration says, and
// does nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"fanli/configs"
)

// Exit codes. Scripts rely on them.
const (
	exitOK      = 0
	exitFailed  = 1 // it was tried and did not work
	exitUsage   = 2 // the command line or the configuration is wrong; nothing was tried
	exitUnsound = 3 // a proof does not hold: look at the books before anything else
)

// An exitError carries the exit code of a command that has said everything
// already.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

func main() {
	logging.Disable() // of the client of Redis, which would tell of each call that fails; what uses it says so once
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(whole(ctx), os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv})
	stop()
	os.Exit(code)
}

// stdio is how a command talks with whoever started it.
type stdio struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	lookup func(string) (string, bool)
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, std stdio) int {
	root := rootCommand(std)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		if exit.err != nil {
			complain(std.err, exit.err)
		}
		return exit.code
	default:
		complain(std.err, err)
		return exitFailed
	}
}

// complain prints what is wrong, one line for each mistake.
func complain(w io.Writer, err error) {
	for _, e := range configs.Mistakes(err) {
		_, _ = fmt.Fprintln(w, "fanli:", e)
	}
}

// flags are those that every command has.
type flags struct {
	config  string
	data    string
	targets []string // instead of the configured ones
}

func rootCommand(std stdio) *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:   "fanli",
		Short: "A chat-first rebate system: coupons, tagged links, orders, rebates, payouts",
		Long: `fanli answers pasted product links with coupon, price, rebate and a tagged link,
follows the order at the affiliate network, keeps the rebate in a double-entry
ledger, pays it out, and takes it back when the goods go back.

Without a configuration it serves its own sandbox world: start with
    fanli serve
and open the address that it prints.

Exit codes: 0 done; 1 it did not work; 2 the command line or the configuration is
wrong and nothing was tried; 3 a proof does not hold.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(badFlag)
	root.PersistentFlags().StringVar(&f.config, "config", "", "configuration file; without one the defaults count (see configs/default.yaml)")
	root.PersistentFlags().StringVar(&f.data, "data", "", "folder of the database, instead of the configured one")
	root.AddCommand(
		serveCommand(std, f), demoCommand(std), chatCommand(std, f), recogniseCommand(std),
		checkCommand(std, f), migrateCommand(std, f), transferCommand(std, f), targetsCommand(std), peersCommand(std, f), configCommand(std, f), keysCommand(std, f),
		auditCommand(std, f), actsCommand(std, f), switchCommand(std, f), staffCommand(std, f), ladderCommand(std, f), syncCommand(std, f),
		eventsCommand(std, f), deliveriesCommand(std, f), noticesCommand(std, f), webhooksCommand(std, f),
		claimsCommand(std, f), membersCommand(std, f), mergeCommand(std, f), rulesCommand(std, f), debtsCommand(std, f),
		withdrawalsCommand(std, f), collectionsCommand(std, f), reconcileCommand(std, f), closeCommand(std, f),
		wechatCommand(std, f), kfCommand(std, f), simulateCommand(std), versionCommand(std),
	)
	sayForms(root)
	return root
}

// load reads the configuration; mistakes end the command before it starts.
func (f *flags) load(std stdio) (configs.Config, error) {
	r, err := f.read(std)
	if err != nil {
		return configs.Config{}, err
	}
	r.warn(std.err)
	return r.Config, nil
}

// read is load for those who also want to know where values are from. Where there is
// a central configuration, it is in it.
func (f *flags) read(std stdio) (*given, error) {
	lookup := std.lookup
	if len(f.targets) > 0 {
		lookup = func(key string) (string, bool) {
			if key == "FANLI_TARGETS" {
				return strings.Join(f.targets, ","), true
			}
			return std.lookup(key)
		}
	}
	r := &given{src: configs.Sources{Path: f.config, Lookup: lookup}, data: f.data}
	var err error
	r.Loaded, err = r.src.Load()
	if centralOn(r.Config) { // it may be what makes the rest sound
		r.src.Targets = r.Targets
		err = r.addCentral(context.Background())
	}
	if err != nil && len(f.targets) > 0 {
		err = errors.New(strings.ReplaceAll(err.Error(), "(from FANLI_TARGETS)", "(from --targets)"))
	}
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	if f.data != "" {
		r.Data = f.data
	}
	return r, nil
}
