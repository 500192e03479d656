// Package etcdtest starts real etcds for tests: on free ports, in folders of their
// own, in memory where the machine has memory for files.
//
// # Guarantees
//
//   - A test that asks for a Prefix has keys that no other test touches.
//   - An etcd and its folder are gone when the test binary is, however it ends: a
//     small shell holds the other end of a pipe and sees it close.
//   - Kill ends an etcd as kill -9 does, and Start brings it back on the same ports
//     with the same data.
//   - Where there is no etcd a test is skipped, and says so; with FANLI_NEED_ALL set
//     it fails instead.
//
// It imports nothing of etcd's own, so that whoever tests with it needs no client.
package etcdtest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is how long a busy machine may take to start an etcd.
const patience = 2 * time.Minute

// A Server is an etcd of this test binary.
type Server struct {
	dir          string
	client, peer string // ports
	prefixes     atomic.Int64

	mu    sync.Mutex
	alive []io.Closer // pipes: when the last process that holds one ends, so does the etcd
}

// shared is the etcd that tests of this binary have in common.
var shared = sync.OnceValues(begin)

// Shared returns the etcd that all tests of this binary have in common; nobody may
// kill it.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	need(tb)
	s, err := shared()
	if err != nil {
		tb.Fatalf("etcd: %v", err)
	}
	return s
}

// New returns an etcd of the test's own, which it may kill.
func New(tb testing.TB) *Server {
	tb.Helper()
	need(tb)
	s, err := begin()
	if err != nil {
		tb.Fatalf("etcd: %v", err)
	}
	tb.Cleanup(s.end)
	return s
}

// Endpoint is where the etcd answers, as HOST:PORT.
func (s *Server) Endpoint() string { return net.JoinHostPort("127.0.0.1", s.client) }

// URL is the etcd's address as an operator would write it.
func (s *Server) URL() string { return "etcd://" + s.Endpoint() }

// Prefix returns the beginning of keys that only one test uses. It begins and ends
// with a slash.
func (s *Server) Prefix(tb testing.TB) string {
	tb.Helper()
	return fmt.Sprintf("/fanli-test/%d-%d/", os.Getpid(), s.prefixes.Add(1))
}

// Start brings back an etcd that was killed, and returns when it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.run(); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
}

// Kill ends the etcd at once. When it returns nobody listens any more.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.signal(syscall.SIGKILL); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
	for s.ready() == nil {
		time.Sleep(time.Millisecond) // the system takes the port away after the process
	}
}

// Wipe kills the etcd and takes its data away. Start then starts an empty one.
func (s *Server) Wipe(tb testing.TB) {
	tb.Helper()
	s.Kill(tb)
	if err := os.RemoveAll(filepath.Join(s.dir, "data")); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
}

// Pause makes the etcd hear and say nothing, as one does that is cut off: its ports
// stay open. Resume ends it.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	if err := s.signal(syscall.SIGSTOP); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
	for s.ready() == nil {
		time.Sleep(time.Millisecond) // its threads stop one after the other
	}
}

// Resume ends Pause.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	if err := s.signal(syscall.SIGCONT); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
}

// need skips a test where there is no etcd to start.
func need(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("etcd"); err == nil {
		return
	}
	if os.Getenv("FANLI_NEED_ALL") != "" {
		tb.Fatal("there is no etcd, and FANLI_NEED_ALL is set: `make tools` installs one")
	}
	tb.Skip("skipped: there is no etcd on this machine; `make test` installs one")
}

// begin makes a folder for an etcd and starts it.
func begin() (*Server, error) {
	parent := ""
	if i, err := os.Stat("/dev/shm"); err == nil && i.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "fanli-etcd-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if s.client, err = freePort(); err == nil {
		s.peer, err = freePort()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.run(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func freePort() (string, error) {
	var err error
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000)) // the system gives it to nobody else while the etcd is dead
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

// watcher starts the etcd in a group of its own and ends the group when its own
// input ends. The shell of an etcd that was killed leaves the folder to the one that
// runs after it.
const watcher = `dir=$1; shift
trap '' INT TERM HUP
setsid "$@" >>"$dir/log.txt" 2>&1 &
echo $! >"$dir/new" && mv "$dir/new" "$dir/group"
cat >/dev/null
kill -9 -$! 2>/dev/null
wait
rm -rf "$dir"`

// run starts the program and waits until it answers.
func (s *Server) run() error {
	client, peer := "http://"+s.Endpoint(), "http://127.0.0.1:"+s.peer
	cmd := exec.Command("/bin/sh", "-c", watcher, "sh", s.dir, // it ends when the pipe does
		"etcd", "--name", "one", "--data-dir", filepath.Join(s.dir, "data"), "--log-level", "warn", "--logger", "zap",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "one="+peer)
	cmd.Env = environment()
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.alive = append(s.alive, alive) // also those of etcds that were killed: their shells would clean up
	s.mu.Unlock()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := s.ready()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "log.txt"))
			return fmt.Errorf("it does not answer: %w\n%s", err, text[max(0, len(text)-2000):])
		}
	}
}

// environment is ours without what would tell an etcd something else.
func environment() (out []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ETCD_") {
			out = append(out, v)
		}
	}
	return out
}

// ready reports whether the etcd answers and may be written to.
func (s *Server) ready() error {
	c := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + s.Endpoint() + "/health")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), `"health":"true"`) {
		return fmt.Errorf("it says %q", text)
	}
	return nil
}

// signal sends a signal to the etcd.
func (s *Server) signal(sig syscall.Signal) error {
	text, err := os.ReadFile(filepath.Join(s.dir, "group"))
	if err != nil {
		return err
	}
	group, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || group <= 1 {
		return fmt.Errorf("its group is %q: %w", text, errors.Join(err, errors.New("not a group")))
	}
	return syscall.Kill(-group, sig)
}

// end ends the etcd; its shell does the rest.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.alive {
		_ = c.Close()
	}
	s.alive = nil
}
