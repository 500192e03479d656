// Package simulate plays fanli against a fake world that has a truth of its own.
//
// For each seed it runs the real services over a real database, in one goroutine,
// on a virtual clock: users make links and buy, networks pay, split, settle,
// refund and change their minds, rules change, money is withdrawn, claims are
// made, memberships bought. Networks, payer and till lose, repeat, delay and contradict; the process dies at
// fault points and again while it recovers. Then the faults stop, and once nothing
// is left to do the books are held against those of package oracle, which has seen
// nothing but how the outside has ended.
//
// # Guarantees
//
//   - The same seed, options and code give the same events in the same order:
//     [Result.Hash] proves it.
//   - A seed that fails says so in its [Result], with the story of the first
//     difference; it never ends the others.
package simulate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fanli/adapters/store"
)

// DaysMax bounds how long a world lives: networks forget what is older.
const DaysMax = 60

// Options say what to play.
type Options struct {
	Seed    uint64 // the first
	Seeds   int    // how many, one after the other
	Days    int    // simulated, for each
	Faults  []Fault
	Plant   Defect // to see that it is found
	Pace    int    // how much happens in half a day
	Workers int    // seeds at the same time
	Dir     string // for databases in files, really reopened after a crash, and left there if a seed fails; "": in memory
	DSN     string // of a database on a server, beside which each seed gets a fresh one; secret

	model string // a database file with which those in memory begin; "": with nothing
}

// A Result is what became of one seed.
type Result struct {
	Seed    uint64        `json:"seed"`
	Faults  []Fault       `json:"faults"`
	Hash    string        `json:"hash"` // of everything that happened, entries with times among it
	Days    int           `json:"days"` // that have passed
	Crashes int           `json:"crashes"`
	Tally   Tally         `json:"operations"`
	Wrong   []string      `json:"wrong,omitempty"` // empty in a sound world
	Story   []string      `json:"story,omitempty"` // of the first difference
	Took    time.Duration `json:"took"`
}

// OK reports whether every fen is explained.
func (r Result) OK() bool { return len(r.Wrong) == 0 }

// wrongMax bounds how many differences are spelled out.
const wrongMax = 12

// Run plays all seeds and calls each with what became of them, in the order in
// which they end, one at a time.
func Run(ctx context.Context, opt Options, each func(Result)) error {
	if opt.Dir == "" && opt.DSN == "" && opt.Seeds > 1 {
		dir, err := os.MkdirTemp("", "fanli-simulate-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // the system's cleaner takes what is left
		opt.model = filepath.Join(dir, "model.db")
		if err := store.Model(ctx, opt.model); err != nil {
			return err
		}
	}
	seeds := make(chan uint64)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range max(opt.Workers, 1) {
		wg.Go(func() {
			for s := range seeds {
				r, err := Play(ctx, opt, s)
				mu.Lock()
				if err != nil {
					errs = append(errs, fmt.Errorf("seed %d: %w", s, err))
					cancel()
				} else {
					each(r)
				}
				mu.Unlock()
			}
		})
	}
	for i := range opt.Seeds {
		select {
		case seeds <- opt.Seed + uint64(i):
		case <-ctx.Done():
		}
	}
	close(seeds)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// Play plays one seed. One that fails is played a second time, with its story
// written down.
func Play(ctx context.Context, opt Options, seed uint64) (Result, error) {
	r, err := play(ctx, opt, seed, false)
	if err != nil || r.OK() {
		return r, err
	}
	again, err := play(ctx, opt, seed, true)
	if err == nil && again.Hash != r.Hash {
		again.Wrong = append(again.Wrong, "the replay went another way: the seed does not decide everything")
	}
	return again, err
}

func play(ctx context.Context, opt Options, seed uint64, record bool) (r Result, err error) {
	ctx = unwatched{ctx}
	began := time.Now()
	w := newWorld(opt, seed, record)
	if path := w.path(); path != store.Memory {
		defer func() { // what is wrong stays to be looked at
			if r.OK() || !record {
				_ = errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm")) // the last two may be gone
			}
		}()
	}
	if opt.DSN != "" {
		drop, err := w.onServer(ctx)
		if err != nil {
			return r, err
		}
		defer func() { _ = drop(context.WithoutCancel(ctx)) }() // the next run drops what is left
	}
	if err := w.open(ctx); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.db.Close()) }()
	if err := w.live(ctx); err != nil {
		return r, err
	}
	w.settle(ctx)
	ds, b := w.prove(ctx)
	r = Result{
		Seed: seed, Faults: w.ill.names, Days: int(w.at.Sub(start()) / (24 * time.Hour)), Crashes: w.crash.deaths, Tally: w.tally,
		Hash: hex.EncodeToString(w.hash.Sum(nil)), Took: time.Since(began),
	}
	for _, d := range ds[:min(len(ds), wrongMax)] {
		r.Wrong = append(r.Wrong, d.text)
	}
	if record && len(ds) > 0 {
		r.Story = w.tell(ds[0], b)
	}
	return r, ctx.Err()
}

// An unwatched context can be asked whether it has ended, as worlds do every half
// day, but not be waited for: that would cost a goroutine for each statement.
type unwatched struct{ context.Context }

// Done implements context.Context.
func (unwatched) Done() <-chan struct{} { return nil }

// second cuts a time as networks tell it.
func second(t time.Time) time.Time { return t.Truncate(time.Second) }
