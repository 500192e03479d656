package main

import (
	"fmt"
	"strings"
	"testing"

	"fanli/adapters/store/mariadbtest"
)

// TestEveryDurableStepIsAFaultPoint reads the whole database wherever the process
// could die, and after every step of every tale. Nothing may have changed but by
// the commit that has just been told of, in the tables of its target: what writes
// in another way would be a step at which no crash is tried.
func TestEveryDurableStepIsAFaultPoint(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("skipped under the race detector, which makes reading a whole database slow: stage 2 plays it")
	}
	for _, l := range legends() {
		for _, on := range []string{"SQLite", "MySQL"} {
			t.Run(l.name+" on "+on, func(t *testing.T) {
				t.Parallel()
				var server *mariadbtest.Server
				if on == "MySQL" {
					server = mariadbtest.Shared(t)
				}
				if err := newTheatre(t, server).in(l, true, func(w *little, r *reading) error { return l.watched(w, r) }); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// watched tells a legend and looks where its world changes.
func (l legend) watched(w *little, r *reading) error {
	if err := w.open(); err != nil {
		return err
	}
	if err := r.refresh(everyTable); err != nil {
		return err
	}
	commits := 0
	w.hook = func(point string) error {
		domain, moment, _ := strings.Cut(point, ".")
		switch {
		case moment == "pull" || moment == "offer" || moment == "begin":
			return nil // many, and the next point sees the same
		case moment != "committed":
			return r.changedBut(point, func(string) bool { return false })
		case domain == "lease":
			return r.changedBut(point, ofTarget(domain))
		case ofTarget(domain)("nobody's"):
			return fmt.Errorf("whose tables does %s commit to?", point)
		}
		commits++
		return r.changedBut(point, ofTarget(domain))
	}
	s := &tale{w: w, lines: map[string]string{}, last: map[string]string{}}
	for _, step := range l.steps(s) {
		if err := step.do(); err != nil {
			return fmt.Errorf("step %q: %w", step.name, err)
		}
		if err := r.changedBut("the end of "+step.name, func(string) bool { return false }); err != nil {
			return err
		}
	}
	w.hook = nil
	if commits < 50 {
		return fmt.Errorf("only %d commits", commits)
	}
	return nil
}

// changedBut fails if other tables than those have changed since it looked last.
func (r *reading) changedBut(point string, may func(table string) bool) error {
	before := map[string]state{}
	for _, t := range r.tables {
		before[t.name] = t.hash
	}
	if err := r.refresh(everyTable); err != nil {
		return err
	}
	for _, t := range r.tables {
		if before[t.name] != t.hash && !may(t.name) {
			return fmt.Errorf("%s: %s has changed past the fault points", point, t.name)
		}
	}
	return nil
}
