package main

import (
	"errors"
	"path/filepath"
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
