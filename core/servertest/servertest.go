// Package servertest starts real servers for tests: databases, brokers, registries.
// What kind of server it is, and how it is asked whether it is well, says whoever
// starts one.
//
// # Guarantees
//
//   - A server and its folder are gone when the test binary is, however it ends: a
//     small shell holds the other end of a pipe and sees it close.
//   - Kill ends a server as kill -9 does, with all its processes, and Start brings it
//     back with the same data. Its ports stay free meanwhile.
//   - Where there is no such program a test is skipped, and says so; with
//     FANLI_NEED_ALL set it fails instead.
package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	patience = 3 * time.Minute // that a busy machine may take to start a server
	lookEach = 20 * time.Millisecond
	logBytes = 2000 // of what it has said last
)

// Need finds the first of programs, also where only root's PATH has it, or skips the
// test.
func Need(tb testing.TB, programs ...string) string {
	tb.Helper()
	for _, name := range programs {
		if path, err := Find(name); err == nil {
			return path
		}
	}
	name := filepath.Base(programs[0])
	if os.Getenv("FANLI_NEED_ALL") != "" {
		tb.Fatalf("there is no %s, and FANLI_NEED_ALL is set: `make tools` installs one", name)
	}
	tb.Skipf("skipped: there is no %s on this machine; `make test` installs one", name)
	return ""
}

// Find finds a program, also where only root's PATH has it.
func Find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	if p, e := exec.LookPath(filepath.Join("/usr/sbin", program)); e == nil {
		return p, nil
	}
	return "", err
}

// Folder makes a folder, in memory where the machine has memory for files: servers are
// killed here, not machines.
func Folder(name string) (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "fanli-"+name+"-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "fanli-"+name+"-")
}

// FreePort is one that the system gives to nobody who wants any: while a server is dead
// its port stays free.
func FreePort() (string, error) {
	var err error
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

// A Program is how a server is started.
type Program struct {
	Name  string   // in messages
	Dir   string   // its own; it goes when the server does
	Path  string   //
	Args  []string //
	Env   []string // beside ours
	Hide  string   // begins the names of what it shall not see of ours; "" hides nothing
	After string   // what a shell does when it has ended for good
	Ready func() error
}

// A Server is one of this test binary.
type Server struct {
	Program

	mu    sync.Mutex
	alive []io.Closer // pipes: when the last process that holds one ends, so does the server
}

// Start starts a server and returns when it answers. If it does not, it is ended, and
// the error has what it has said last.
func Start(p Program) (*Server, error) {
	s := &Server{Program: p}
	if err := s.Run(); err != nil {
		s.End()
		return nil, err
	}
	return s, nil
}

// watcher starts the server in a group of its own and ends the group when its own
// input ends. The shell of a server that was killed leaves the name of the group to
// the one that runs after it.
const watcher = `dir=$1; after=$2; shift 2
trap '' INT TERM HUP
setsid "$@" >>"$dir/log.txt" 2>&1 &
echo $! >"$dir/new" && mv "$dir/new" "$dir/group"
cat >/dev/null
kill -9 -$! 2>/dev/null
eval "$after" >/dev/null 2>&1
wait
rm -rf "$dir"`

// Run starts the program, again after it was killed, and returns when it answers.
func (s *Server) Run() error {
	args := append([]string{"-c", watcher, "sh", s.Dir, s.After, s.Path}, s.Args...)
	cmd := exec.Command("/bin/sh", args...) // it ends when the pipe does
	hidden := func(v string) bool { return s.Hide != "" && strings.HasPrefix(v, s.Hide) }
	cmd.Env = append(slices.DeleteFunc(os.Environ(), hidden), s.Env...)
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := os.Remove(s.group()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.alive = append(s.alive, alive) // also those of servers that were killed: their shells would clean up
	s.mu.Unlock()
	for end := time.Now().Add(patience); ; time.Sleep(lookEach) {
		_, err := os.Stat(s.group()) // a server may answer before its shell has said which group it is
		if err == nil {
			err = s.Ready()
		}
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not answer: %w\n%s", s.Name, err, s.Log())
		}
	}
}

// group is where the shell of the server that was started last writes which group of
// processes it is.
func (s *Server) group() string { return filepath.Join(s.Dir, "group") }

// Log is what the server has said last.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log.txt")) // nothing was said
	return string(b[max(0, len(b)-logBytes):])
}

// Start brings back a server that was killed, and returns when it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.Run(); err != nil {
		tb.Fatal(err)
	}
}

// Kill ends the server at once. When it returns nobody listens any more, at any of its
// ports, nor has any of its files: the next one would find them taken, and end.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	group := s.signal(tb, syscall.SIGKILL)
	for end := time.Now().Add(patience); anyOf(group); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("%s does not die", s.Name)
		}
	}
	s.untilAway() // the system takes the port away after the process
}

// anyOf reports whether a process of a group is there, as far as the system tells. One
// that has ended and that only its parent has not seen yet has nothing any more, unless
// some of its threads are still ending.
func anyOf(group int) bool {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		_, rest, _ := strings.Cut(string(text[max(0, bytes.LastIndexByte(text, ')')):]), " ")
		fields := strings.Fields(rest) // state, parent, group
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		threads, _ := os.ReadDir(filepath.Join(filepath.Dir(path), "task"))
		if fields[0] != "Z" && fields[0] != "X" || len(threads) > 1 {
			return true
		}
	}
	return false
}

// Pause makes the server hear and say nothing, as one does that is cut off: its ports
// stay open. Resume ends it.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGSTOP)
	s.untilAway() // its threads stop one after the other
}

// Resume ends Pause.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGCONT)
}

func (s *Server) untilAway() {
	for s.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
}

// signal sends a signal to all processes of the server, and returns their group.
func (s *Server) signal(tb testing.TB, sig syscall.Signal) (group int) {
	tb.Helper()
	text, err := os.ReadFile(s.group())
	if err != nil {
		tb.Fatalf("%s: %v", s.Name, err)
	}
	group, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || group <= 1 {
		tb.Fatalf("%s: its group is %q: %v", s.Name, text, errors.Join(err, errors.New("not a group")))
	}
	if err := syscall.Kill(-group, sig); err != nil {
		tb.Fatalf("%s: %v", s.Name, err)
	}
	return group
}

// End ends the server for good; its shell does the rest.
func (s *Server) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.alive {
		_ = c.Close()
	}
	s.alive = nil
}
