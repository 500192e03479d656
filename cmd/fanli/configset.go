package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/central"
	"fanli/configs"
	"fanli/core/fault"
)

// An editor changes the central configuration.
type editor struct {
	std    stdio
	r      *given
	book   *central.Book
	now    central.Version // that counts
	head   central.Head
	broken error // why it does not
}

// An amendment is the flags of what changes the central configuration.
type amendment struct {
	note, as string
	dryRun   bool
	expect   int64
	force    bool
	wait     time.Duration
}

const (
	noteMax  = 500 // characters of a note
	actorMax = 100 // bytes of a name
)

func (x *amendment) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&x.note, "note", "", "why, for the record")
	cmd.Flags().StringVar(&x.as, "as", "", "your name, for the record")
	cmd.Flags().BoolVar(&x.dryRun, "dry-run", false, "check it and show what would differ, and change nothing")
	cmd.Flags().Int64Var(&x.expect, "expect", 0, "the version that must count now; 0: the one that the differences are shown to")
	cmd.Flags().BoolVar(&x.force, "force", false, "make it count also if a process would refuse it")
	cmd.Flags().DurationVar(&x.wait, "wait", 3*time.Second, "how long to wait for the processes to take it")
}

func (x *amendment) check() error {
	if len([]rune(x.note)) > noteMax || len(x.as) > actorMax {
		return exitError{exitUsage, fmt.Errorf("--note has at most %d characters, and --as at most %d bytes", noteMax, actorMax)}
	}
	return nil
}

func configSetCommand(std stdio, f *flags) *cobra.Command {
	x := &amendment{}
	var file, target string
	cmd := &cobra.Command{
		Use: "set KEY VALUE [KEY VALUE]... | --file FILE", Short: "Change values for all processes, as a new version", Args: cobra.ArbitraryArgs,
		Long: `Changes values in the central configuration, or replaces it by a file, as a new version.
Values are written as in YAML: 70%, 12.50, false, [1, 2], {jd: 5%}. With --target they
count for the processes of one target alone. First everything is checked, and what
differs is shown with whether it counts at once or after a restart.`,
		Example: `  fanli config set withdraw.minimum 2.00 --note "small transfers cost more than they bring"
  fanli config set --target order log.level debug --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			edit, err := amending(args, file, target)
			if err == nil {
				err = x.check()
			}
			if err != nil {
				return err
			}
			if r, err := f.bare(std); err == nil && x.dryRun && !centralOn(r.Config) {
				return r.dryRun(std, edit)
			}
			return withBook(cmd.Context(), std, f, func(ed *editor) error {
				if ed.broken != nil && file == "" {
					return fmt.Errorf("%w: go back with `fanli config rollback`, or replace it with --file", ed.broken)
				}
				text, err := edit(ed.now.Text)
				if err != nil {
					return exitError{exitUsage, fmt.Errorf("the version that counts cannot be edited: %w", err)}
				}
				return ed.change(cmd.Context(), x, text)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the whole document, instead of single values")
	cmd.Flags().StringVar(&target, "target", "", "only for the processes of this target")
	x.flags(cmd)
	return cmd
}

// amending returns what makes the new document of the old one.
func amending(args []string, file, target string) (func(string) (string, error), error) {
	switch {
	case target != "" && !slices.Contains(configs.Targets(), target):
		return nil, exitError{exitUsage, fmt.Errorf("--target: %q is none of %s", target, strings.Join(configs.Targets(), ", "))}
	case file != "" && (len(args) > 0 || target != ""):
		return nil, exitError{exitUsage, errors.New("config set takes keys with values, or --file with the whole document")}
	case file != "":
		text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, exitError{exitUsage, err}
		}
		return func(string) (string, error) { return string(text), nil }, nil
	case len(args) == 0 || len(args)%2 != 0:
		return nil, exitError{exitUsage, errors.New("config set takes a value for each key, or --file; as in: fanli config set withdraw.minimum 2.00")}
	}
	return func(text string) (_ string, err error) {
		for i := 0; i < len(args) && err == nil; i += 2 {
			text, err = configs.SetCentral(text, target, args[i], args[i+1])
		}
		return text, err
	}, nil
}

// dryRun shows what a change of the operator's file would do, where there is no
// central configuration.
func (r *given) dryRun(std stdio, edit func(string) (string, error)) error {
	var old []byte
	if r.src.Path != "" {
		var err error
		if old, err = os.ReadFile(r.src.Path); err != nil {
			return exitError{exitUsage, err}
		}
	}
	text, err := edit(string(old))
	if err != nil {
		return exitError{exitUsage, err}
	}
	s := r.src
	s.Text = &text
	next, err := s.Load()
	if err != nil {
		return exitError{exitUsage, err}
	}
	if r.data != "" {
		next.Data = r.data
	}
	if err := printDifferences(std, differing("", r.Loaded, next)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, "it is sound; nothing was changed (--dry-run)")
	return err
}

func configUnset(std stdio, f *flags) *cobra.Command {
	x := &amendment{}
	var target string
	cmd := &cobra.Command{
		Use: "unset KEY...", Short: "Take values out of the central configuration, as a new version", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := x.check(); err != nil {
				return err
			}
			return withBook(cmd.Context(), std, f, func(ed *editor) error {
				text, err := ed.now.Text, ed.broken
				for _, key := range args {
					if err == nil {
						text, err = configs.UnsetCentral(text, target, key)
					}
				}
				if err != nil {
					return err
				}
				return ed.change(cmd.Context(), x, text)
			})
		},
	}
	cmd.Flags().StringVar(&target, "target", "", "what is only for the processes of this target")
	x.flags(cmd)
	return cmd
}

func configRollback(std stdio, f *flags) *cobra.Command {
	x := &amendment{}
	cmd := &cobra.Command{
		Use: "rollback N", Short: "Make what an earlier version said count again, as a new version", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := versionArg(args[0])
			if err == nil {
				err = x.check()
			}
			if err != nil {
				return err
			}
			return withBook(cmd.Context(), std, f, func(ed *editor) error {
				v, err := ed.book.Version(cmd.Context(), n)
				if fault.Is(err, fault.NotFound) {
					return exitError{exitUsage, fmt.Errorf("there is no version %d; `fanli config history` lists them", n)}
				}
				if err != nil {
					return err
				}
				if x.note == "" {
					x.note = fmt.Sprintf("back to v%d", n)
				}
				return ed.change(cmd.Context(), x, v.Text)
			})
		},
	}
	x.flags(cmd)
	return cmd
}

// load reads the configuration with a document in it, as the processes of targets do;
// none: what is for all.
func (ed *editor) load(text string, targets ...string) (*configs.Loaded, error) {
	s := ed.r.src
	s.Targets = append([]string{}, targets...)
	s.Central = &configs.Layer{Name: "the new version", Text: text}
	return s.Load()
}

// sound checks a document for all processes: for each target that it says something
// apart for, too.
func (ed *editor) sound(text string) error {
	_, err := ed.load(text)
	if err != nil {
		return err
	}
	for _, t := range configs.OnlyTargets(text) {
		if _, err := ed.load(text, t); err != nil {
			return err
		}
	}
	return nil
}

// differences are those of two documents, for all and for each target apart.
func (ed *editor) differences(old, now string) []difference {
	was, _ := ed.load(old) // also what is broken can be compared
	is, _ := ed.load(now)
	out := differing("", was, is)
	for _, t := range configs.Targets() {
		if !slices.Contains(configs.OnlyTargets(old), t) && !slices.Contains(configs.OnlyTargets(now), t) {
			continue
		}
		was, _ := ed.load(old, t)
		is, _ := ed.load(now, t)
		for _, d := range differing(t, was, is) {
			if !slices.ContainsFunc(out, func(o difference) bool { return o.Difference == d.Difference }) {
				out = append(out, d)
			}
		}
	}
	return out
}

// change makes a document count, if it is sound and nobody else has changed anything
// meanwhile.
func (ed *editor) change(ctx context.Context, x *amendment, text string) error {
	if x.expect != 0 && x.expect != ed.head.Number {
		return fmt.Errorf("v%d counts, not v%d: look at `fanli config diff %d` and decide again", ed.head.Number, x.expect, x.expect)
	}
	if err := ed.sound(text); err != nil {
		return exitError{exitUsage, err}
	}
	if ed.broken == nil && ed.head.Number > 0 && text == ed.now.Text {
		_, err := fmt.Fprintf(ed.std.out, "v%d says the same; nothing changes\n", ed.head.Number)
		return err
	}
	diff := ed.differences(ed.now.Text, text)
	if err := printDifferences(ed.std, diff); err != nil {
		return err
	}
	ed.hidden(text)
	if err := ed.ask(ctx, text, x.force); err != nil {
		return err
	}
	if x.dryRun {
		_, err := fmt.Fprintln(ed.std.out, "it is sound; nothing was changed (--dry-run)")
		return err
	}
	v := central.Version{At: time.Now().UTC().Truncate(time.Millisecond), By: actorNamed(x.as), Note: x.note, Changes: inRecord(diff), Text: text}
	n, err := ed.book.Publish(ctx, ed.head, v)
	switch {
	case fault.Is(err, fault.Conflict):
		return fmt.Errorf("somebody else has just changed it: look at `fanli config diff %d` and decide again", ed.head.Number)
	case fault.Is(err, fault.Unknown):
		return fmt.Errorf("the etcd has not said whether it was done; `fanli config history` shows it: %w", err)
	case err != nil:
		return err
	}
	v.Number = n
	_, _ = fmt.Fprintf(ed.std.out, "v%d counts\n", n)
	if err := ed.record(ctx, v); err != nil {
		_, _ = fmt.Fprintf(ed.std.err, "fanli: the act could not be recorded from here (%v); a process of payment records it\n", err)
	}
	return ed.await(ctx, n, x.wait)
}

// trialTimeout bounds how long the processes have to say what they think.
const trialTimeout = 2 * time.Second

// ask shows a document to all living processes, whose own files may be others than
// ours. It fails if one of them would refuse it.
func (ed *editor) ask(ctx context.Context, text string, force bool) error {
	living, err := ed.book.Reports(ctx)
	if err != nil || len(living) == 0 {
		return err
	}
	var names []string
	for _, p := range living {
		names = append(names, p.Process)
	}
	all, err := ed.book.Try(ctx, text, names, trialTimeout)
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range all {
		names = slices.DeleteFunc(names, func(n string) bool { return n == v.Process })
		if v.Why != "" {
			errs = append(errs, fmt.Errorf("%s would refuse it: %s", v.Process, v.Why))
		}
	}
	for _, n := range names {
		_, _ = fmt.Fprintf(ed.std.out, "%s has not said whether it would take it; it may have died just now\n", n)
	}
	if len(errs) > 0 && !force {
		errs = append(errs, errors.New("nothing was changed; change what is named, there or here, or say --force"))
		return errors.Join(errs...)
	}
	return nil
}

// hidden says which values of a document do not count here, because the environment
// counts more.
func (ed *editor) hidden(text string) {
	plain := ed.r.src
	plain.Lookup = func(string) (string, bool) { return "", false }
	plain.Central, plain.Targets = &configs.Layer{Name: "document", Text: text}, []string{}
	doc, _ := plain.Load()
	all, _ := ed.load(text)
	for _, k := range configs.Keys() {
		if strings.Contains(doc.Layer(k), "document") && strings.HasPrefix(all.Layer(k), "FANLI_") {
			_, _ = fmt.Fprintf(ed.std.out, "%s does not count where %s is set, as it is here\n", k, all.Layer(k))
		}
	}
}

// recordMax bounds what an act says of a change, in bytes.
const recordMax = 2000

// inRecord says for the record what has changed.
func inRecord(diff []difference) string {
	lines := make([]string, len(diff))
	for i, d := range diff {
		lines[i] = d.Difference.String()
		if d.target != "" {
			lines[i] = "for " + d.target + ": " + lines[i]
		}
	}
	s := strings.Join(lines, "\n")
	if len(s) > recordMax {
		s = strings.ToValidUTF8(s[:recordMax], "") + "…"
	}
	return s
}

// record enters the act in the record, where its database can be opened from here.
func (ed *editor) record(ctx context.Context, v central.Version) error {
	c := ed.r.Config
	if whole, err := ed.r.with(v); err == nil {
		c = whole.Config
	}
	if _, err := os.Stat(databasePath(c)); c.Database.DSN == "" && err != nil {
		return fmt.Errorf("there is no database in %s", c.Data)
	}
	c.Targets = []string{paymentTarget}
	a := &app{cfg: c, log: logger(c.Log, ed.std.err), now: time.Now}
	var err error
	if a.db, err = openStores(ctx, a, surroundings{}); err != nil {
		return err
	}
	if _, err = a.db.Migrate(ctx); err == nil {
		err = a.recordVersion(ctx, v)
	}
	return errors.Join(err, a.db.Close())
}

// await waits until all living processes have taken a version or refused it, and says
// how that came out. It fails if one refuses it.
func (ed *editor) await(ctx context.Context, n int64, patience time.Duration) error {
	end := time.Now().Add(patience)
	var all []central.Report
	for {
		var err error
		if all, err = ed.book.Reports(ctx); err != nil {
			return err
		}
		open := slices.ContainsFunc(all, func(p central.Report) bool { return p.Version != n && p.Refused != n })
		if !open || time.Now().After(end) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	ed.head.Number = n
	if err := ed.processes(ctx); err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(p central.Report) bool { return p.Refused == n }); i >= 0 {
		return fmt.Errorf("%s refuses v%d: change what it names, there or here, or `fanli config rollback %d`", all[i].Process, n, cmp.Or(ed.now.Number, n))
	}
	return nil
}
