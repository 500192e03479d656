package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
)

// start is when tests begin.
var start = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

// now is a day later.
func now() time.Time { return start.Add(24 * time.Hour) }

// sealKey is a key of the right length.
func sealKey() []byte { return bytes.Repeat([]byte("k"), 32) }

// onBoth runs a test on both kinds of database. here returns where its database is:
// the same place as often as it is asked.
func onBoth(t *testing.T, run func(t *testing.T, here store.Config)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		run(t, store.Config{Path: filepath.Join(t.TempDir(), "fanli.db")})
	})
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		run(t, store.Config{DSN: mariadbtest.Shared(t).Database(t)})
	})
}

// migrated is the file of a fresh database. Making it takes far longer than
// copying it, most of all under the race detector.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fanli-store")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fanli.db")
	db, err := store.Open(context.Background(), store.Config{Path: path, SealKey: sealKey()})
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// inMemory is the file of a database without the log beside it, which a database in
// memory cannot have: two bytes of the file's header say so.
func inMemory(file []byte) []byte {
	b := slices.Clone(file)
	b[18], b[19] = 1, 1
	return b
}

// open returns a fresh database that is migrated: a file, unless cfg says
// otherwise.
func open(tb testing.TB, cfg store.Config) *store.DB {
	tb.Helper()
	if cfg.Path == "" && cfg.DSN == "" {
		cfg.Path = filepath.Join(tb.TempDir(), "fanli.db")
	}
	if cfg.DSN == "" && cfg.Path != store.Memory {
		b, err := migrated()
		must(tb, err)
		must(tb, os.WriteFile(cfg.Path, b, 0o600))
	}
	db := reopen(tb, cfg)
	if cfg.DSN != "" && strings.Contains(cfg.DSN, mariadbtest.Shared(tb).Addr()) {
		mariadbtest.Shared(tb).Fill(tb, cfg.DSN)
		return db
	}
	switch {
	case cfg.DSN != "":
		_, err := db.Migrate(tb.Context())
		must(tb, err)
	case cfg.Path == store.Memory:
		b, err := migrated()
		must(tb, err)
		path := filepath.Join(tb.TempDir(), "fanli.db")
		must(tb, os.WriteFile(path, inMemory(b), 0o600))
		must(tb, db.Restore(tb.Context(), path))
	}
	return db
}

// reopen opens a database that may be there already and closes it in the end.
func reopen(tb testing.TB, cfg store.Config) *store.DB {
	tb.Helper()
	if cfg.SealKey == nil {
		cfg.SealKey = sealKey()
	}
	db, err := store.Open(tb.Context(), cfg)
	must(tb, err)
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
