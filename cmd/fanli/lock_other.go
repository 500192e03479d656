//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"errors"
	"os"
)

// lockFile is not known for this system: leases alone keep processes apart.
func lockFile(*os.File) error { return errors.ErrUnsupported }
