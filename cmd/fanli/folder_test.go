package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// TestOneProcessAtWork is the promise on which a restart relies: who has the
// folder is alone in it, and works under the name that the one before had.
func TestOneProcessAtWork(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	first, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(dir); !errors.Is(err, errAtWork) {
		t.Errorf("a second one gets in: %v", err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	next, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.close() }()
	if next.holder != first.holder {
		t.Errorf("the next one is %q, the first was %q: it would wait for leases", next.holder, first.holder)
	}
}

// TestTheDeadAreSucceeded is what a process that was killed leaves to the next one in
// its folder: the leases of all that came before are given back, also if that failed
// for some of them.
func TestTheDeadAreSucceeded(t *testing.T) {
	t.Parallel()
	f, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.close() }()
	away := errors.New("the server is away")
	for _, step := range []struct {
		me   string
		err  error
		want []string
	}{
		{"a", nil, nil},
		{"b", away, []string{"a"}},
		{"c", nil, []string{"a", "b"}},
		{"d", nil, []string{"c"}},
		{"d", nil, nil}, // a container's processes all have the same number
	} {
		var dropped []string
		err := f.succeed(t.Context(), step.me, func(_ context.Context, dead string) error {
			dropped = append(dropped, dead)
			return step.err
		})
		if !errors.Is(err, step.err) || !slices.Equal(dropped, step.want) {
			t.Errorf("%s drops the leases of %q, want %q: %v", step.me, dropped, step.want, err)
		}
	}
}
