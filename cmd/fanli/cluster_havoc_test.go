package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a mishap is.
const (
	killed  = "is killed"
	delayed = "is slow"
	cutOff  = "is cut off"
	broken  = "is broken"
)

// A mishap is one thing that goes wrong.
type mishap struct {
	at    time.Duration // after the beginning
	whom  string        // a process, a server or a line
	what  string
	lasts time.Duration // until it is started again, or well
	late  time.Duration // of what is slow
}

// String is a line of the schedule.
func (f mishap) String() string {
	s := fmt.Sprintf("%8.3fs %s %s", f.at.Seconds(), f.whom, f.what)
	if f.late > 0 {
		s += fmt.Sprintf(" by %v", f.late)
	}
	return s + fmt.Sprintf(", for %v", f.lasts)
}

// A plan says how much goes wrong.
type plan struct {
	lasts  time.Duration // from the first mishap to the last one
	kills  int           // of each process
	deaths int           // of each server
	bad    int           // lines
}

// How long what was killed stays away at most, and lines are bad.
const (
	nodeAway   = 300 * time.Millisecond
	serverAway = time.Second
	lineBad    = 2 * time.Second
	lateMax    = 150 * time.Millisecond
)

// schedule draws what goes wrong, and when, from a seed and nothing else. What happens
// to one process, server or line is spread over the whole time.
func schedule(seed uint64, p plan, nodes, servers, lines []string) (all []mishap) {
	rng := rand.New(rand.NewPCG(seed, 4))
	ms := func(longest time.Duration) time.Duration {
		return time.Duration(rng.Int64N(longest.Milliseconds())) * time.Millisecond
	}
	spread := func(count int, each func(at time.Duration)) {
		for i := range count {
			each(p.lasts*time.Duration(i)/time.Duration(count) + ms(p.lasts/time.Duration(count)))
		}
	}
	for _, n := range nodes {
		spread(p.kills, func(at time.Duration) {
			all = append(all, mishap{at: at, whom: n, what: killed, lasts: ms(nodeAway)})
		})
	}
	for _, s := range servers {
		spread(p.deaths, func(at time.Duration) {
			all = append(all, mishap{at: at, whom: s, what: killed, lasts: ms(serverAway)})
		})
	}
	turns := rng.Perm(len(lines)) // so that a line is good again before it has its turn again
	next := 0
	spread(p.bad, func(at time.Duration) {
		f := mishap{at: at, whom: lines[turns[next%len(turns)]], what: []string{delayed, cutOff, broken}[rng.IntN(3)], lasts: lineBad/10 + ms(lineBad)}
		next++
		if f.what == delayed {
			f.late = lateMax/10 + ms(lateMax)
		}
		all = append(all, f)
	})
	slices.SortFunc(all, func(a, b mishap) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.whom, b.whom)) })
	return all
}

// listing is the schedule as text.
func listing(all []mishap) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// seedOf is the one of FANLI_SEED, or the one that every run has.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("FANLI_SEED")
	if text == "" {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal("FANLI_SEED: ", err)
	}
	return seed
}

// A mortal is a server that can be killed and comes back.
type mortal interface {
	Kill(tb testing.TB)
	Run() error // starts it again
}

// havoc lets a schedule happen, mishap by mishap in its order. One comes later than its
// time only if what it hits is not back yet.
type havoc struct {
	c       *cluster
	servers map[string]mortal
	busy    map[string]*sync.Mutex // held while a server is away
	begun   time.Time
	late    time.Duration // the longest delay of a mishap
	healing sync.WaitGroup

	mu    sync.Mutex
	wrong []error
}

func newHavoc(c *cluster, servers map[string]mortal) *havoc {
	h := &havoc{c: c, servers: servers, busy: map[string]*sync.Mutex{}}
	for name := range servers {
		h.busy[name] = &sync.Mutex{}
	}
	return h
}

// run plays the schedule, and returns when everything is back and well.
func (h *havoc) run(ctx context.Context, all []mishap) error {
	h.begun = time.Now()
	for _, f := range all {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(h.begun.Add(f.at))):
		}
		if err := h.happen(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		h.late = max(h.late, time.Since(h.begun)-f.at)
	}
	h.healing.Wait()
	for _, n := range h.c.nodes {
		if err := n.serves(ctx); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 {
		return h.wrong[0]
	}
	return nil
}

// happen lets one mishap happen, and sees to it that it ends.
func (h *havoc) happen(ctx context.Context, f mishap) error {
	if s, ok := h.servers[f.whom]; ok {
		h.busy[f.whom].Lock()
		s.Kill(h.c.t)
		h.after(f.lasts, func() error {
			defer h.busy[f.whom].Unlock()
			return s.Run() // not Start, which would end a test that may have ended
		})
		return nil
	}
	for _, n := range h.c.nodes {
		if n.name == f.whom {
			return n.kill(ctx, f.lasts)
		}
	}
	for _, l := range h.c.lines {
		if l.name == f.whom {
			if err := l.harm(f); err != nil {
				return err
			}
			h.after(f.lasts, l.heal)
			return nil
		}
	}
	return fmt.Errorf("nothing is called %q", f.whom)
}

// after does something later.
func (h *havoc) after(d time.Duration, do func() error) {
	h.healing.Go(func() {
		time.Sleep(d) // it is away
		if err := do(); err != nil {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.wrong = append(h.wrong, err)
		}
	})
}

// TestAScheduleIsItsSeeds draws schedules: a seed always has the same one, in which
// everything is hit as often as the plan says.
func TestAScheduleIsItsSeeds(t *testing.T) {
	t.Parallel()
	p := plan{lasts: time.Minute, kills: 20, deaths: 5, bad: 60}
	nodes, servers, lines := []string{"a/1", "a/2", "b/1"}, []string{"x", "y"}, strings.Fields("1 2 3 4 5 6 7 8 9")
	draw := func(seed uint64) []mishap { return schedule(seed, p, nodes, servers, lines) }
	if one, two := listing(draw(7)), listing(draw(7)); one != two {
		t.Errorf("seed 7 has two schedules:\n%s\n%s", one, two)
	}
	if listing(draw(7)) == listing(draw(8)) {
		t.Error("seeds 7 and 8 have the same schedule")
	}
	count, last, bad := map[string]int{}, time.Duration(0), 0
	for _, f := range draw(7) {
		if f.at < last || f.at > p.lasts || f.lasts < 0 {
			t.Errorf("%s comes after %v", f, last)
		}
		last = f.at
		if f.what == killed {
			count[f.whom]++
		} else {
			bad++
		}
	}
	for _, name := range nodes {
		if count[name] != p.kills {
			t.Errorf("%s is killed %d times", name, count[name])
		}
	}
	for _, name := range servers {
		if count[name] != p.deaths {
			t.Errorf("%s is killed %d times", name, count[name])
		}
	}
	if bad != p.bad {
		t.Errorf("%d lines are bad", bad)
	}
}
