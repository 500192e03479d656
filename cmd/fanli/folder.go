package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"fanli/configs"
)

// A folder is the data folder while this process is at work in it. Where the
// system can say so there is no other one, so that whoever opens it next knows
// that the process before has died, and need not wait for its leases to end.
type folder struct {
	file   *os.File
	holder string // this process in leases
}

// owner is the holder of leases that the process at work in the folder has. It is
// the same after a restart.
const owner = "owner of the data folder"

// errAtWork says that another process is at work in the folder.
var errAtWork = errors.New("another fanli is at work here")

// openFolder makes the folder if there is none, and locks it until close, or until
// the process dies in whatever way. It fails with errAtWork while another process
// has it.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(filepath.Clean(dir), "fanli.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	err = lockFile(file)
	switch {
	case err == nil:
		return &folder{file, owner}, nil
	case errors.Is(err, errors.ErrUnsupported):
		return &folder{file, holder()}, nil
	default:
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
}

// holds is the holder of the process's leases. On a server the leases are those of
// all folders, and each needs a name of its own.
func (f *folder) holds(c configs.Config) string {
	if c.Database.DSN != "" && !c.Sandbox() {
		return holder()
	}
	return f.holder
}

// close lets others work in the folder.
func (f *folder) close() error { return f.file.Close() }

// atWork says what to do about a folder that is taken.
func atWork(err error) error {
	if errors.Is(err, errAtWork) {
		return fmt.Errorf("%w: stop it, or choose another folder with --data", err)
	}
	return err
}
