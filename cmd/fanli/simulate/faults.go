package simulate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Fault is a kind of what goes wrong outside, or of how this process dies.
type Fault string

// The faults.
const (
	Duplicate Fault = "duplicate" // rows and pages come twice
	Lost      Fault = "lost"      // requests to networks fail; rows show up hours late
	Reorder   Fault = "reorder"   // rows of a page come in any order
	Shift     Fault = "shift"     // lines change while their window is being read
	Late      Fault = "late"      // rows become visible minutes after their change
	Odd       Fault = "odd"       // rows that cannot be read
	Outage    Fault = "outage"    // a network is away for hours or days
	Skew      Fault = "skew"      // networks' clocks differ from ours
	Crash     Fault = "crash"     // the process dies, also while it recovers
	Payer     Fault = "payer"     // lost requests, lost replies, late, busy, contradictory, away
	Callback  Fault = "callback"  // what payer and till say unasked: lost, early, late, twice, in any order, wrong, forged
	Till      Fault = "till"      // lost requests, lost answers, slow, short, old news, contradictory, away
)

// Faults returns all of them.
func Faults() []Fault {
	return []Fault{Duplicate, Lost, Reorder, Shift, Late, Odd, Outage, Skew, Crash, Payer, Callback, Till}
}

// ParseFaults reads "all", "none" or a list with commas.
func ParseFaults(s string) ([]Fault, error) {
	switch s {
	case "all":
		return Faults(), nil
	case "none", "":
		return nil, nil
	}
	var out []Fault
	for _, name := range strings.Split(s, ",") {
		f := Fault(strings.TrimSpace(name))
		if !slices.Contains(Faults(), f) {
			return nil, fmt.Errorf("faults: there is no %q; there are all, none, %s", name, List(Faults()))
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

// List writes faults as ParseFaults reads them.
func List(fs []Fault) string {
	if len(fs) == 0 {
		return "none"
	}
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = string(f)
	}
	return strings.Join(names, ",")
}

// An ill is what goes wrong in one seed, and how often.
type ill struct {
	rng   *rand.Rand
	on    map[Fault]bool
	names []Fault // those that are on
	rate  map[Fault]float64
	over  bool // the faults have stopped
}

// drawIll draws from those faults that are wanted.
func drawIll(seed uint64, wanted []Fault) *ill {
	i := &ill{rng: rand.New(rand.NewPCG(seed, 2)), on: map[Fault]bool{}, rate: map[Fault]float64{}}
	for _, f := range Faults() { // all are drawn, so that leaving one out does not change the others
		on, rate := i.rng.IntN(3) > 0, i.rng.Float64()
		if on && slices.Contains(wanted, f) {
			i.on[f], i.rate[f] = true, 0.02+rate*0.28
			i.names = append(i.names, f)
		}
	}
	return i
}

// has reports whether a fault is on and has not stopped.
func (i *ill) has(f Fault) bool { return i.on[f] && !i.over }

// strikes draws whether a fault happens now, scaled to how often it may.
func (i *ill) strikes(f Fault, scale float64) bool {
	return i.has(f) && i.rng.Float64() < i.rate[f]*scale
}

// upTo draws a length of time in whole seconds.
func (i *ill) upTo(d time.Duration) time.Duration {
	return time.Duration(i.rng.Int64N(int64(d/time.Second)+1)) * time.Second
}

// errCrash is what everything returns after the process has died.
var errCrash = errors.New("the process is dead")

// How many fault points lie between two crashes.
const (
	crashSoon  = 30    // at most; a second crash, during the recovery
	crashLater = 1_600 // at most
)

// A crasher kills the process at fault points: around every commit and around
// every call of the payer.
type crasher struct {
	ill    *ill
	left   int
	dead   bool
	deaths int
	quiet  bool // while a world is being set up
}

// point is a fault point. Once dead, nothing works until the next process.
func (c *crasher) point(string) error {
	if c.dead {
		return errCrash
	}
	if c.quiet || !c.ill.has(Crash) {
		return nil
	}
	if c.left--; c.left > 0 {
		return nil
	}
	c.dead = true
	c.deaths++
	return errCrash
}

// born starts the next process and draws how long it lives.
func (c *crasher) born() {
	c.dead = false
	c.left = 1 + c.ill.rng.IntN(crashLater)
	if c.ill.rng.IntN(3) == 0 {
		c.left = 1 + c.ill.rng.IntN(crashSoon)
	}
}
