// Package foreigntest runs programs that talk to our fakes with libraries of other
// languages: what these take for the platform, our own channel may take for it, too.
//
// The libraries are those of node/package-lock.json, which `make tools` puts into the
// user's cache. Where one is missing a test is skipped, and says so; with FANLI_NEED_ALL
// set it fails instead.
package foreigntest

import (
	"bytes"
	"context"
	_ "embed" // the lock file
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"fanli/core/servertest"
)

// patience is how long a busy machine may take to start an interpreter and play.
const patience = 2 * time.Minute

//go:embed node/package-lock.json
var lock []byte

// Missing skips a test where something is missing, or fails it where all must be there.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("FANLI_NEED_ALL") != "" {
		tb.Fatalf("there is no %s, and FANLI_NEED_ALL is set: `make tools` installs it", what)
	}
	tb.Skipf("skipped: there is no %s on this machine; `make tools` installs it", what)
}

// Node returns how to run a script with Node.js and the libraries, for two minutes at most.
func Node(tb testing.TB, script string, args ...string) *exec.Cmd {
	tb.Helper()
	program := servertest.Need(tb, "node", "nodejs")
	cache, err := os.UserCacheDir()
	if err != nil {
		Missing(tb, "folder for caches")
	}
	folder := filepath.Join(cache, "fanli", "foreign-node")
	if have, err := os.ReadFile(filepath.Join(folder, "package-lock.json")); err != nil || !bytes.Equal(have, lock) {
		Missing(tb, "library as in bot/foreigntest/node/package-lock.json")
	}
	ctx, stop := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(stop)
	c := exec.CommandContext(ctx, program, append([]string{"--no-deprecation", script}, args...)...)
	c.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder, "node_modules"))
	return c
}
