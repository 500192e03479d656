// Package ladder decides what is left out while something that we need is away,
// slow, or asked for too much.
//
// A [Rung] names what it looks at, how bad that has to be and for how long, and its
// [Effect]. Rungs are climbed and left by themselves: Observe is told every moment
// how things are. Staff pin a rung on or off.
//
// # Guarantees
//
//   - A rung is on only after its condition has held for After without a break, and
//     off only after it has not held for Back: what flickers does not make people's
//     answers flicker.
//   - A pin counts at once, and as long as it is there.
//   - A rung for several dependencies of a kind, as networks are, is on for those that
//     are away, not for all.
package ladder

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Effect says what is different while a rung is on.
type Effect string

// The effects.
const (
	Search   Effect = "search"   // nothing is searched for
	Offers   Effect = "offers"   // offers are those that are kept, with a note
	Queue    Effect = "queue"    // links that cannot be made are remembered, and answered later
	Promises Effect = "promises" // links are made without a promise, which is made later
	Payouts  Effect = "payouts"  // whoever wants to withdraw is told when to try again
)

// Effects are all of them, in the order in which they hurt.
func Effects() []Effect { return []Effect{Search, Offers, Queue, Promises, Payouts} }

// A Rung is one step of the ladder.
type Rung struct {
	Name   string
	Effect Effect
	Of     []string      // dependencies, one of which is away: "rebate", "network/jd", "network/*"
	Slow   time.Duration // a dependency that takes longer than this is as one that is away; 0: never
	Load   int           // percent of what this process can take at once; 0: it does not matter
	After  time.Duration // how long that lasts before the rung is on
	Back   time.Duration // how long all is well before it is off
}

// calmer is how much, in percent of Load, the load has to be below to count as well.
const calmer = 80

// Validate says what is wrong with a rung; "" for nothing.
func (r Rung) Validate() string {
	switch {
	case r.Name == "" || strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return fmt.Sprintf("%q is no name of a rung: small letters, digits, - and _", r.Name)
	case !slices.Contains(Effects(), r.Effect):
		return fmt.Sprintf("rung %s: effect %q is none of %v", r.Name, r.Effect, Effects())
	case len(r.Of) == 0 && r.Load == 0:
		return fmt.Sprintf("rung %s: it looks at nothing: give of or load", r.Name)
	case r.Load < 0 || r.Load > 100:
		return fmt.Sprintf("rung %s: load %d is not between 0 and 100 percent", r.Name, r.Load)
	case r.After < 0 || r.Back < 0 || r.Slow < 0:
		return fmt.Sprintf("rung %s: a time is below zero", r.Name)
	default:
		return ""
	}
}

// Health is how a dependency is.
type Health struct {
	Away bool
	Took time.Duration // what its calls take, about
}

// A Pin holds a rung; the zero Pin does not.
type Pin int

// The pins.
const (
	Free Pin = iota
	On
	Off
)

// A Measure is how everything is at one moment.
type Measure struct {
	At   time.Time
	Of   map[string]Health
	Load int            // percent
	Pins map[string]Pin // by rung; nil: as before, because nobody could say
}

// State is how a rung is, for operators.
type State struct {
	Rung   string    `json:"rung"`
	Effect Effect    `json:"effect"`
	Of     string    `json:"of,omitempty"` // the dependency; "" for the load
	On     bool      `json:"on"`
	Pinned bool      `json:"pinned,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// A Ladder keeps which rungs are on. It is safe for concurrent use. The zero Ladder
// has no rungs.
type Ladder struct {
	mu    sync.RWMutex
	rungs []*step
	pins  map[string]Pin
	away  map[string]time.Time // since when
}

// A step is a rung for one dependency, or for the load.
type step struct {
	Rung
	of    string
	auto  bool
	on    bool
	turn  time.Time // since when the condition says otherwise than auto; zero: it does not
	since time.Time
}

// New returns the ladder of rungs, where there are these dependencies.
func New(rungs []Rung, dependencies []string) *Ladder {
	l := &Ladder{away: map[string]time.Time{}}
	for _, r := range rungs {
		if r.Load > 0 {
			l.rungs = append(l.rungs, &step{Rung: r})
		}
		for _, d := range dependencies {
			if slices.ContainsFunc(r.Of, func(of string) bool { return fits(of, d) }) {
				l.rungs = append(l.rungs, &step{Rung: r, of: d})
			}
		}
	}
	return l
}

func fits(of, dependency string) bool {
	head, all := strings.CutSuffix(of, "*")
	return of == dependency || all && strings.HasPrefix(dependency, head)
}

// Observe takes a measure and returns the rungs that it turns on or off.
func (l *Ladder) Observe(m Measure) (changed []State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for d, h := range m.Of {
		if _, known := l.away[d]; !h.Away {
			delete(l.away, d)
		} else if !known {
			l.away[d] = m.At
		}
	}
	if m.Pins != nil {
		l.pins = m.Pins
	}
	for _, s := range l.rungs {
		s.observe(m)
		on := s.auto && l.pins[s.Name] != Off || l.pins[s.Name] == On
		if on != s.on {
			s.on, s.since = on, m.At
			changed = append(changed, l.state(s))
		}
	}
	return changed
}

// observe turns the step by itself.
func (s *step) observe(m Measure) {
	if s.bad(m) == s.auto {
		s.turn = time.Time{}
		return
	}
	if s.turn.IsZero() {
		s.turn = m.At
	}
	wait := s.After
	if s.auto {
		wait = s.Back
	}
	if m.At.Sub(s.turn) >= wait {
		s.auto, s.turn = !s.auto, time.Time{}
	}
}

// bad says whether the condition holds.
func (s *step) bad(m Measure) bool {
	if s.of == "" {
		if s.auto {
			return m.Load*100 >= s.Load*calmer
		}
		return m.Load >= s.Load
	}
	h := m.Of[s.of]
	return h.Away || s.Slow > 0 && h.Took > s.Slow
}

func (l *Ladder) state(s *step) State {
	return State{Rung: s.Name, Effect: s.Effect, Of: s.of, On: s.on, Pinned: l.pins[s.Name] != Free, Since: s.since}
}

// On reports whether an effect is on because of a dependency, of the load, or of
// staff.
func (l *Ladder) On(e Effect, dependency string) bool {
	if l == nil {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.rungs {
		if s.on && s.Effect == e && s.counts(dependency) {
			return true
		}
	}
	return false
}

// counts reports whether a step is for a dependency: that one, or none of its kind.
func (s *step) counts(dependency string) bool {
	return s.of == dependency || s.of == "" || dependency == "" || kind(s.of) != kind(dependency)
}

// kind is "network/" for "network/jd".
func kind(dependency string) string {
	return dependency[:strings.LastIndexByte(dependency, '/')+1]
}

// Kept reports whether staff hold off all rungs of an effect: it is not to be, not
// even where that would help.
func (l *Ladder) Kept(e Effect) bool {
	if l == nil {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	some := false
	for _, s := range l.rungs {
		if s.Effect != e {
			continue
		}
		some = true
		if l.pins[s.Name] != Off {
			return false
		}
	}
	return some
}

// States returns all rungs, in their order.
func (l *Ladder) States() (out []State) {
	if l == nil {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.rungs {
		out = append(out, l.state(s))
	}
	return out
}

// Bounds of what people are told to wait.
const (
	expectMin = 2 * time.Minute
	expectMax = 30 * time.Minute
)

// Expect returns when to try again what needs dependencies: what has been away for
// long will be for as long again, within reason. The time is a whole minute.
func (l *Ladder) Expect(now time.Time, dependencies ...string) time.Time {
	wait := expectMin
	if l != nil {
		l.mu.RLock()
		defer l.mu.RUnlock()
		for _, d := range dependencies {
			if since, ok := l.away[d]; ok {
				wait = max(wait, min(now.Sub(since), expectMax))
			}
		}
	}
	return now.Add(wait + time.Minute - 1).Truncate(time.Minute)
}
