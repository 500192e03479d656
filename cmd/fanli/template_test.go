package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"fanli/adapters/store"
)

// migrated is the file of a fresh database. Making it takes far longer than
// copying it, most of all under the race detector.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fanli-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fanli.db")
	db, err := store.Open(context.Background(), store.Config{Path: path, SealKey: make([]byte, sealKeyLen)})
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migratedAt puts a fresh database at path, unless there is one already.
func migratedAt(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b, err := migrated()
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
