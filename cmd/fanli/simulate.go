package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fanli/cmd/fanli/simulate"
)

// What a simulation is like unless somebody says otherwise: a thousand seeds of it
// are twenty years and more than five million operations.
const (
	simulateDays = 8
	simulatePace = 50
)

// simulateGC lets garbage grow: what a world keeps is small, its database is not on the
// heap, and it makes much garbage.
const simulateGC = 1200

// simulateFlags are those of the command.
type simulateFlags struct {
	opt     simulate.Options
	faults  string
	plant   string
	json    bool
	profile string
}

func simulateCommand(std stdio) *cobra.Command {
	f := &simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play the real code against a world full of faults, and prove every fen",
		Long: `Plays seeds. Each is a fake world with a truth of its own: users make links, buy, return
goods, bring friends, check in, claim orders and withdraw; networks split, settle, refund and change rates; pages
come twice, late, shuffled or not at all; the payer loses requests and replies and
calls with what is not so, and so does the till at which memberships are paid; the process dies, also while it recovers. The code is the real one, SQL included, on a
virtual clock. Then the faults stop, and a small oracle that has seen nothing but how
the outside ended computes every balance. A seed replays exactly.

Faults: all, none, or a list of duplicate, lost, reorder, shift, late, odd, outage, skew,
crash, payer, callback, till. Each seed draws which of them it has. --plant puts a mistake into the
process, to see that it is found: ` + fmt.Sprint(simulate.Defects()) + `.

It exits with 3 if a seed has a difference, and prints its story and how to replay it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), std) },
	}
	fl := cmd.Flags()
	fl.Uint64Var(&f.opt.Seed, "seed", 1, "the first seed")
	fl.IntVar(&f.opt.Seeds, "seeds", 1, "how many seeds")
	fl.IntVar(&f.opt.Days, "days", simulateDays, "simulated days of each seed")
	fl.IntVar(&f.opt.Pace, "pace", simulatePace, "how much happens in half a day")
	fl.IntVar(&f.opt.Workers, "workers", runtime.GOMAXPROCS(0), "seeds at the same time")
	fl.StringVar(&f.faults, "faults", "all", "what may go wrong: all, none, or a list")
	fl.StringVar(&f.opt.Dir, "dir", "", "folder for databases in files, really reopened after a crash; without one they are in memory")
	fl.StringVar(&f.opt.DSN, "dsn", "", "a database on a MySQL or MariaDB server; each seed gets a fresh one beside it, which is dropped")
	fl.StringVar(&f.plant, "plant", "", "a mistake to plant")
	fl.BoolVar(&f.json, "json", false, "print one JSON object for each seed, and one with the sums")
	fl.StringVar(&f.profile, "cpuprofile", "", "write a profile of the processor's time to this file")
	return cmd
}

// run checks the flags, plays, and reports.
func (f *simulateFlags) run(ctx context.Context, std stdio) (err error) {
	if f.opt.Faults, err = simulate.ParseFaults(f.faults); err != nil {
		return exitError{exitUsage, err}
	}
	if f.opt.Plant, err = simulate.ParseDefect(f.plant); err != nil {
		return exitError{exitUsage, err}
	}
	if f.opt.Seeds < 1 || f.opt.Days < 1 || f.opt.Days > simulate.DaysMax || f.opt.Pace < 1 || f.opt.Workers < 1 {
		return exitError{exitUsage, fmt.Errorf("--seeds, --days, --pace and --workers start at 1, and --days ends at %d", simulate.DaysMax)}
	}
	if f.profile != "" {
		stop, err := profileTo(f.profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(simulateGC))
	s := &simulation{flags: f, std: std, began: time.Now(), told: time.Now()}
	if err := simulate.Run(ctx, f.opt, s.hear); err != nil {
		return err
	}
	if err := s.sum(); err != nil {
		return err
	}
	if s.Failed > 0 {
		return exitError{exitUnsound, nil}
	}
	return nil
}

// profileTo starts a profile.
func profileTo(path string) (stop func(), err error) {
	w, err := os.Create(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(w); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = w.Close() // a profile that is cut short is seen when it is read
	}, nil
}

// A simulation is what has become of all seeds.
type simulation struct {
	flags *simulateFlags
	std   stdio
	began time.Time
	told  time.Time

	Seeds   int            `json:"seeds"`
	Failed  int            `json:"failed"`
	Days    int            `json:"days"`
	Crashes int            `json:"crashes"`
	Total   int64          `json:"total"`
	Tally   simulate.Tally `json:"operations"`
	Took    time.Duration  `json:"took"`
	Version string         `json:"version"`
}

// simulateProgress is how often progress is told.
const simulateProgress = 5 * time.Second

// hear adds up one seed and tells of it if it failed.
func (s *simulation) hear(r simulate.Result) {
	s.Seeds++
	s.Days += r.Days
	s.Crashes += r.Crashes
	s.Tally.Add(r.Tally)
	if !r.OK() {
		s.Failed++
	}
	switch {
	case s.flags.json:
		_ = json.NewEncoder(s.std.out).Encode(r)
	case !r.OK():
		s.explain(s.std.out, r)
	case s.flags.opt.Seeds == 1:
		_, _ = fmt.Fprintf(s.std.out, "seed %d with %s: %d crashes, hash %s\n", r.Seed, simulate.List(r.Faults), r.Crashes, r.Hash)
	}
	if now := time.Now(); now.Sub(s.told) >= simulateProgress && !s.flags.json {
		s.told = now
		_, _ = fmt.Fprintf(s.std.err, "%d of %d seeds, %d failed, %d operations, %s\n",
			s.Seeds, s.flags.opt.Seeds, s.Failed, s.Tally.Sum(), now.Sub(s.began).Round(time.Second))
	}
}

// explain tells the story of a seed that failed, and how to see it again.
func (s *simulation) explain(w io.Writer, r simulate.Result) {
	_, _ = fmt.Fprintf(w, "SEED %d FAILED (version %s, faults %s, hash %s)\n", r.Seed, version, simulate.List(r.Faults), r.Hash)
	for _, d := range r.Wrong {
		_, _ = fmt.Fprintf(w, "  %s\n", d)
	}
	if len(r.Story) > 0 {
		_, _ = fmt.Fprintln(w, "the story of the first difference:")
	}
	for _, line := range r.Story {
		_, _ = fmt.Fprintf(w, "  %s\n", line)
	}
	o := s.flags.opt
	_, _ = fmt.Fprintf(w, "replay: fanli simulate --seed %d --days %d --pace %d --faults %s", r.Seed, o.Days, o.Pace, simulate.List(o.Faults))
	if o.Plant != simulate.Sound {
		_, _ = fmt.Fprintf(w, " --plant %s", o.Plant)
	}
	if o.DSN != "" {
		_, _ = fmt.Fprint(w, " --dsn ADDRESS") // it has a password
	}
	_, _ = fmt.Fprint(w, "\n\n")
}

// sum prints the totals.
func (s *simulation) sum() error {
	s.Took, s.Total, s.Version = time.Since(s.began), s.Tally.Sum(), version
	if s.flags.json {
		return json.NewEncoder(s.std.out).Encode(s)
	}
	t := tabwriter.NewWriter(s.std.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, n any) { _, _ = fmt.Fprintf(t, "%s\t%v\t\n", what, n) }
	row("seeds", s.Seeds)
	row("failed", s.Failed)
	row("simulated days", s.Days)
	row("simulated years", fmt.Sprintf("%d.%d", s.Days/365, s.Days%365*10/365))
	row("crashes", s.Crashes)
	row("order lines' states", s.Tally.Lines)
	row("rebates' states", s.Tally.Rebates)
	row("ledger entries", s.Tally.Entries)
	row("links", s.Tally.Links)
	row("withdrawals' moves", s.Tally.Moves)
	row("claims", s.Tally.Claims)
	row("notices", s.Tally.Notices)
	row("merges", s.Tally.Merges)
	row("charges' moves", s.Tally.Charges)
	row("operations through SQL", s.Total)
	row("took", s.Took.Round(100*time.Millisecond))
	row("operations a second", s.Total*1000/max(s.Took.Milliseconds(), 1))
	if err := t.Flush(); err != nil {
		return err
	}
	verdict := "every fen is explained"
	if s.Failed > 0 {
		verdict = "NOT every fen is explained"
	}
	_, err := fmt.Fprintln(s.std.out, verdict)
	return err
}
