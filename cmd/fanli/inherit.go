package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A will says which processes have worked in a data folder and may have left leases
// behind on a server. Nobody but the one at work in the folder reads or changes it,
// so that all others that it names are dead.
type will struct{ path string }

// willOf is that of a folder.
func (f *folder) willOf() will {
	return will{filepath.Join(filepath.Dir(f.file.Name()), "leases")}
}

// names are the processes, each once.
func (w will) names() ([]string, error) {
	text, err := os.ReadFile(w.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	names := strings.Fields(string(text))
	slices.Sort(names)
	return slices.Compact(names), nil
}

// write names processes instead of those that were named.
func (w will) write(names []string) error {
	next := w.path + ".new"
	if err := os.WriteFile(next, []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, w.path)
}

// inherit gives back what the processes before this one in the folder still hold, so
// that a process that was killed and started again goes on at once. What fails is tried
// again by the next one; until then the leases end by themselves.
func (f *folder) inherit(ctx context.Context, a *app, me string) {
	if f.holder != owner || me == owner { // nobody knows that they are dead, or they had our name
		return
	}
	if err := f.succeed(ctx, me, a.runner.Inherit); err != nil {
		a.log.Warn("the leases of the process before this one have to end by themselves", "error", err)
	}
}

// succeed writes down the name of this process and lets go of all others.
func (f *folder) succeed(ctx context.Context, me string, drop func(ctx context.Context, dead string) error) error {
	w := f.willOf()
	names, err := w.names()
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := w.write(append(names, me)); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	for _, dead := range names {
		if dead != me {
			err = errors.Join(err, drop(ctx, dead))
		}
	}
	if err != nil {
		return err
	}
	return w.write([]string{me})
}
