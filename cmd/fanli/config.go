package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/central"
	"fanli/configs"
	"fanli/core/fault"
)

func configCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration, and change that of all processes at once",
		Long: `Shows what is set and where each value is from: the defaults, the operator's file, the
central configuration, the environment; each counts more than those before.

The central configuration is one document with versions, in the etcd under registry. A
change is checked as ` + "`fanli check`" + ` does before it counts, reaches every process at once,
and is an act of staff. What a process cannot take while it runs waits for its restart;
what is broken is taken by nobody. Secrets, and what each process must say itself, do
not belong there and are refused.

Without an etcd, a running process takes up its own file when that is changed, or on
SIGHUP.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(configShow(std, f), configGet(std, f), configSetCommand(std, f), configUnset(std, f), configDiff(std, f), configHistory(std, f), configRollback(std, f))
	return cmd
}

// below returns the keys that key names: itself, or all of a group.
func below(key string) (out []string) {
	for _, k := range configs.Keys() {
		if key == "" || k == key || strings.HasPrefix(k, key+".") {
			out = append(out, k)
		}
	}
	return out
}

// keyArg checks the one key that a command may have.
func keyArg(args []string) ([]string, error) {
	if len(args) > 1 {
		return nil, exitError{exitUsage, errors.New("one key, or the name of a group")}
	}
	keys := below(strings.Join(args, ""))
	if len(keys) == 0 {
		return nil, exitError{exitUsage, fmt.Errorf("there is no key %q; `fanli config show` lists them", args[0])}
	}
	return keys, nil
}

// eachKey prints a line for each key that a command was asked about.
func eachKey(std stdio, f *flags, args []string, line func(r *given, key string) string) error {
	keys, err := keyArg(args)
	if err != nil {
		return err
	}
	r, err := f.read(std)
	if err != nil {
		return err
	}
	r.warn(std.err)
	for _, k := range keys {
		_, _ = fmt.Fprintln(std.out, line(r, k))
	}
	return nil
}

func configShow(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "show [KEY]", Short: "Show what is set, and where each value is from", Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			return eachKey(std, f, args, func(r *given, k string) string {
				return fmt.Sprintf("%-50s # %s", k+": "+r.Value(k), r.Layer(k))
			})
		},
	}
}

func configGet(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "get [KEY]", Short: "Print what is set: the value of one key, or those of a group", Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			return eachKey(std, f, args, func(r *given, k string) string {
				if len(args) == 1 && k == args[0] {
					return r.Value(k)
				}
				return k + ": " + r.Value(k)
			})
		},
	}
}

// withBook runs fn with the central configuration; there has to be one.
func withBook(ctx context.Context, std stdio, f *flags, fn func(*editor) error) error {
	r, err := f.bare(std)
	if err != nil {
		return err
	}
	if !centralOn(r.Config) {
		return exitError{exitUsage, errors.New("there is no central configuration: set central.enabled and registry.url to have one; " +
			"without it, change the file of --config: a running process takes it up, and `fanli config diff` shows what it says")}
	}
	book, err := openCentral(r.Config)
	if err != nil {
		return exitError{exitUsage, err}
	}
	defer func() { _ = book.Close() }()
	ed := &editor{std: std, r: r, book: book}
	ed.now, ed.head, ed.broken = book.Current(ctx)
	if fault.Is(ed.broken, fault.Unavailable) {
		return fmt.Errorf("the etcd under registry.url does not answer: %w", ed.broken)
	}
	return fn(ed)
}

// bare reads the configuration without the central document. Mistakes may be for that
// to put right, so that they are no reason to stop where there is one.
func (f *flags) bare(std stdio) (*given, error) {
	r := &given{src: configs.Sources{Path: f.config, Lookup: std.lookup}, data: f.data}
	var err error
	r.Loaded, err = r.src.Load()
	if err != nil && !centralOn(r.Config) {
		return nil, exitError{exitUsage, err}
	}
	r.src.Targets = r.Targets
	if f.data != "" {
		r.Data = f.data
	}
	return r, nil
}

func configDiff(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "diff [N] [M]", Short: "Show what differs between two versions", Args: cobra.MaximumNArgs(2),
		Long: `Shows which values differ between the central versions N and M; between N and the one
that counts; or, without N, what the central version that counts changes, or where there
is none, what file and environment change of the defaults.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var numbers []int64
			for _, a := range args {
				n, err := versionArg(a)
				if err != nil {
					return err
				}
				numbers = append(numbers, n)
			}
			r, err := f.bare(std)
			if err != nil {
				return err
			}
			if len(args) == 0 && !centralOn(r.Config) {
				plain, err := configs.Sources{Lookup: func(string) (string, bool) { return "", false }}.Load()
				if err != nil {
					return err
				}
				return printDifferences(std, differing("", plain, r.Loaded))
			}
			return withBook(cmd.Context(), std, f, func(ed *editor) error { return ed.diff(cmd.Context(), numbers) })
		},
	}
}

// printDifferences prints what differs, with when that counts.
func printDifferences(std stdio, all []difference) error {
	for _, d := range all {
		_, _ = fmt.Fprintln(std.out, d)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(std.out, "no value differs")
		return err
	}
	return nil
}

// A difference is one of a key, for all processes or for those of a target.
type difference struct {
	configs.Difference
	target string
}

// String says what differs, and when it counts.
func (d difference) String() string {
	when := needsRestart
	if settingOf(d.Key) != nil {
		when = "at once"
	}
	of := ""
	if d.target != "" {
		of = "for " + d.target + ": "
	}
	return fmt.Sprintf("%s%s  (%s)", of, d.Difference, when)
}

func differing(target string, old, now *configs.Loaded) (out []difference) {
	for _, d := range configs.Differences(old, now) {
		out = append(out, difference{d, target})
	}
	return out
}

func configHistory(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the versions: when, by whom, why; and which one each process runs", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBook(cmd.Context(), std, f, func(ed *editor) error {
				all, err := ed.book.History(cmd.Context(), listMax)
				if err != nil {
					return err
				}
				for _, v := range all {
					mark := " "
					if v.Number == ed.head.Number {
						mark = "*"
					}
					by, at := v.By, v.At.In(ed.r.Location()).Format(time.DateTime)
					if v.Text == "" && v.At.IsZero() {
						by, at = "?", "it cannot be read"
					}
					_, _ = fmt.Fprintf(std.out, "%s v%-4d %s  %-14s %s\n", mark, v.Number, at, by, v.Note)
				}
				if len(all) == 0 {
					_, _ = fmt.Fprintln(std.out, "there is no version yet: `fanli config set` makes one")
				}
				return ed.processes(cmd.Context())
			})
		},
	}
}

// processes prints what each process runs, and how many run what counts.
func (ed *editor) processes(ctx context.Context) error {
	all, err := ed.book.Reports(ctx)
	if err != nil {
		return err
	}
	run := 0
	for _, p := range all {
		state := fmt.Sprintf("runs v%d", p.Version)
		if p.Version == ed.head.Number {
			run++
		}
		if p.Why != "" {
			state += fmt.Sprintf("; refuses %s: %s", strings.TrimPrefix(centralName(p.Refused), "central "), p.Why)
		}
		for _, k := range sortedKeys(p.Waits) {
			state += fmt.Sprintf("; %s: %s", k, p.Waits[k])
		}
		_, _ = fmt.Fprintf(ed.std.out, "  %-24s %-28s %s\n", p.Process, strings.Join(p.Targets, ","), state)
	}
	_, err = fmt.Fprintf(ed.std.out, "%d of %d processes run v%d\n", run, len(all), ed.head.Number)
	return err
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// diff shows what differs between versions.
func (ed *editor) diff(ctx context.Context, numbers []int64) error {
	of := func(n int64) (central.Version, error) {
		v, err := ed.book.Version(ctx, n)
		if fault.Is(err, fault.NotFound) {
			return v, exitError{exitUsage, fmt.Errorf("there is no version %s; `fanli config history` lists them", strconv.FormatInt(n, 10))}
		}
		return v, err
	}
	var old central.Version
	now := ed.now
	var err error
	if len(numbers) > 0 {
		if old, err = of(numbers[0]); err != nil {
			return err
		}
	}
	if len(numbers) > 1 {
		if now, err = of(numbers[1]); err != nil {
			return err
		}
	} else if ed.broken != nil {
		return ed.broken
	}
	return printDifferences(ed.std, ed.differences(old.Text, now.Text))
}
