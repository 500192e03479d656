// Package logtest sees to it that nothing of what fanli logs while it is tested is
// secret or personal.
//
// Tests log through this package: New is the log of what runs inside of a test, Tee
// goes between a process and whoever reads its log. Where the environment variable
// Folder names a folder, every line is collected there, and so is what Secret and
// Environment are told: values that no line may hold, whoever writes it. `make test`
// names one, and reads it in the end with Read: see .ci/leaks.go.
//
// # Guarantees
//
//   - A collected line is searched for every secret that any test has told, of any
//     package and process, as it is and as it is written in an address; for every value
//     of People; and for what looks like a secret or like something personal, whatever
//     test it is from: Shapes says what.
//   - A test binary replaces the lines of its last run. What go test has cached stays
//     collected, because the folder lies outside of the module.
//   - Without the variable nothing is written and nothing costs anything.
package logtest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// Folder is the environment variable that says where lines are collected.
const Folder = "FANLI_LOGS"

// App is the kind of what runs inside of a test.
const App = "app"

// secretsFile is where values are kept that no line may hold, one quoted value a line.
const secretsFile = "secrets"

// secretMin is how long a value is at least that is told to be secret: shorter ones are
// words that anybody may say.
const secretMin = 8

// A collection is what one test binary collects.
type collection struct {
	mu    sync.Mutex
	dir   string // "" collects nothing
	files map[string]*os.File
	told  map[string]bool // secrets
	err   error           // the first one
}

// here is the collection of this process: lines of all its tests end in one place.
var here = sync.OnceValue(func() *collection { return collect(os.Getenv(Folder), binary()) })

// collect opens a collection in place of the one of the last run.
func collect(folder, name string) *collection {
	c := &collection{files: map[string]*os.File{}, told: map[string]bool{}}
	if folder == "" {
		return c
	}
	c.dir = filepath.Join(folder, name)
	if c.err = os.RemoveAll(c.dir); c.err == nil {
		c.err = os.MkdirAll(c.dir, 0o700)
	}
	return c
}

// binary names the package that is tested, on one level of folders.
func binary() string {
	name := filepath.Base(os.Args[0])
	if b, ok := debug.ReadBuildInfo(); ok && b.Path != "" {
		name = b.Path
	}
	name = strings.TrimPrefix(strings.TrimSuffix(name, ".test"), "fanli/")
	return strings.ReplaceAll(name, "/", "_")
}

// write adds to a file. That it cannot is a failure of the check, not of the test: Read
// finds no line.
func (c *collection) write(name string, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir == "" || c.err != nil {
		return
	}
	f := c.files[name]
	if f == nil {
		if f, c.err = os.OpenFile(filepath.Join(c.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); c.err != nil {
			return
		}
		c.files[name] = f
	}
	_, c.err = f.Write(b)
}

// secret adds a value that no line may hold.
func (c *collection) secret(value string) {
	if c.dir == "" || len(value) < secretMin {
		return
	}
	c.mu.Lock()
	known := c.told[value]
	c.told[value] = true
	c.mu.Unlock()
	if !known {
		c.write(secretsFile, []byte(strconv.Quote(value)+"\n"))
	}
}

// Secret says that no line of a log may hold these values. Of a value of several lines
// none of them may be.
func Secret(values ...string) {
	for _, v := range values {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				here().secret(line)
			}
		}
	}
}

// Environment says the same of everything that is secret in a process's environment of
// "NAME=value".
func Environment(env []string) {
	if here().dir == "" {
		return
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if file, ok := strings.CutSuffix(name, "_FILE"); ok {
			b, _ := os.ReadFile(value) // what is not there is no secret
			name, value = file, string(b)
		}
		if strings.HasPrefix(name, "FANLI_") {
			Secret(secretsOf(name, value)...)
		}
	}
}

// secretsOf returns what is secret of a setting.
func secretsOf(name, value string) []string {
	for _, s := range []string{"_APP_KEY", "_PUBLIC_KEY"} {
		if strings.HasSuffix(name, s) {
			return nil
		}
	}
	for _, s := range []string{"SECRET", "TOKEN", "KEY", "PASSWORD", "SESSION"} {
		if strings.HasSuffix(name, s) {
			return []string{value}
		}
	}
	if strings.HasSuffix(name, "DSN") || strings.HasSuffix(name, "URL") {
		if u, err := url.Parse(value); err == nil && u.User != nil {
			p, _ := u.User.Password()
			return []string{p}
		}
	}
	return nil
}

// New returns the log of what runs inside of a test. It writes to w; nil is nobody.
func New(w io.Writer) *slog.Logger {
	if w == nil {
		w = io.Discard
		if here().dir == "" {
			return slog.New(slog.DiscardHandler)
		}
	}
	return slog.New(slog.NewTextHandler(Tee(w, App), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Tee returns what writes to w and into the collection. kind says what kind of process
// it is that writes: Process makes it of how one is started.
func Tee(w io.Writer, kind string) io.Writer {
	if here().dir == "" {
		return w
	}
	return &tee{w: w, kind: kind, to: here()}
}

// Process says what kind of process fanli is, started with an environment and
// arguments.
func Process(env, args []string) string {
	if len(args) == 0 || args[0] != "serve" {
		return "command"
	}
	kind := "serve"
	for _, e := range env {
		if targets, ok := strings.CutPrefix(e, "FANLI_TARGETS="); ok && targets != "" {
			kind = "serve-" + targets
		}
	}
	for i, a := range args[:len(args)-1] {
		if a == "--targets" {
			kind = "serve-" + args[i+1]
		}
	}
	return strings.ReplaceAll(kind, ",", "+")
}

// A tee copies whole lines: those of several processes end in one file.
type tee struct {
	mu   sync.Mutex
	w    io.Writer
	kind string
	rest []byte // of a line that has not ended
	to   *collection
}

// Write implements io.Writer.
func (t *tee) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, b...)
	if i := bytes.LastIndexByte(t.rest, '\n'); i >= 0 {
		t.to.write(t.kind+".log", t.rest[:i+1])
		t.rest = append([]byte(nil), t.rest[i+1:]...)
	}
	n, err := t.w.Write(b)
	if err != nil {
		err = fmt.Errorf("logtest: %w", err)
	}
	return n, err
}
