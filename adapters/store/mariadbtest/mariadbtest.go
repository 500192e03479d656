// Package mariadbtest starts a real MariaDB for tests: on a free port, in a
// folder of its own, in memory where the machine has memory for files.
//
// # Guarantees
//
//   - A test gets a database of its own; nothing another test does shows there.
//   - The server and its folder are gone when the test binary is, however it
//     ends: a small shell holds the other end of a pipe and sees it close.
//   - Kill ends a server as a loss of power of its process would, and Start
//     brings it back on the same port with the same data. What was committed is
//     there again: the server flushes at every commit.
//   - Where there is no mariadbd a test is skipped, and says so; with
//     FANLI_NEED_ALL set it fails instead.
package mariadbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// patience is how long a busy machine may take to start a server.
const patience = 2 * time.Minute

// The account that tests use. Its password has what must be escaped in an
// address.
const (
	user     = "fanli"
	password = "se:cr/et@%"
)

// Secret is a part of the password that nothing may print.
const Secret = "cr/et"

// A Server is a MariaDB of this test binary.
type Server struct {
	dir  string
	port int
	made atomic.Int64 // databases

	mu    sync.Mutex
	alive []io.Closer // pipes: when the last process that holds one ends, so does the server
}

// shared is the server that tests of this binary have in common.
var shared = sync.OnceValues(start)

// Shared returns the server that all tests of this binary have in common; nobody
// may kill it.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	need(tb)
	s, err := shared()
	if err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
	return s
}

// New returns a server of the test's own, which it may kill.
func New(tb testing.TB) *Server {
	tb.Helper()
	need(tb)
	s, err := start()
	if err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
	tb.Cleanup(s.end)
	return s
}

// end ends the server; its shell does the rest.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.alive {
		_ = c.Close()
	}
	s.alive = nil
}

// need skips a test where there is no server to start.
func need(tb testing.TB) {
	tb.Helper()
	for _, name := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := program(name); err == nil {
			continue
		}
		if os.Getenv("FANLI_NEED_ALL") != "" {
			tb.Fatalf("there is no %s, and FANLI_NEED_ALL is set: `make tools` installs one", name)
		}
		tb.Skipf("skipped: there is no %s on this machine; `make test` installs one", name)
	}
}

// program finds a program of MariaDB, also where only root's PATH has it.
func program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	if p, e := exec.LookPath(filepath.Join("/usr/sbin", name)); e == nil {
		return p, nil
	}
	return "", err
}

// start makes a server, with its data, and starts it.
func start() (*Server, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{dir: dir, port: port}
	if err := errors.Join(s.install(), s.run(), s.grant()); err != nil {
		text := s.log()
		s.end()
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return s, nil
}

// folder makes a folder in memory where there is one.
func folder() (string, error) {
	const shm = "/dev/shm"
	if st, err := os.Stat(shm); err == nil && st.IsDir() {
		if dir, err := os.MkdirTemp(shm, "fanli-mariadb-"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", "fanli-mariadb-")
}

// freePort is one that the system gives to nobody who wants any: while a server is
// dead its port stays free.
func freePort() (int, error) {
	var err error
	for range 1000 {
		port := 10_000 + rand.IntN(10_000)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// sizes keep a server small, and to its own folder: one that starts removes what it
// takes for its predecessor's temporary tables, wherever those are.
func (s *Server) sizes() []string {
	return []string{"--tmpdir=" + s.dir, "--innodb-log-file-size=32M", "--innodb-buffer-pool-size=48M", "--aria-log-file-size=8M"}
}

// asRoot is what the server wants to be told before it runs as root.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// install makes the folder of data.
func (s *Server) install() error {
	path, err := program("mariadb-install-db")
	if err != nil {
		return err
	}
	args := append([]string{
		"--no-defaults", "--datadir=" + s.data(), "--auth-root-authentication-method=normal", "--skip-test-db",
	}, append(s.sizes(), asRoot()...)...)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// watcher starts the server and ends it when its own input ends.
const watcher = `dir=$1; shift
trap '' INT TERM HUP
"$@" >>"$dir/log" 2>&1 &
cat >/dev/null
kill -9 $! 2>/dev/null
wait
rm -rf "$dir"`

// run starts the server and waits until it answers.
func (s *Server) run() error {
	path, err := program("mariadbd")
	if err != nil {
		return err
	}
	_ = os.Remove(s.pidFile())
	args := append([]string{
		"-c", watcher, "sh", s.dir, path, "--no-defaults", "--datadir=" + s.data(), "--skip-networking=0", "--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(s.port), "--socket=" + filepath.Join(s.dir, "sock"), "--pid-file=" + s.pidFile(),
		"--innodb-flush-log-at-trx-commit=1", "--skip-name-resolve", "--max-connections=400", "--character-set-server=utf8mb4",
		// Memory does not forget what is written without a flush, and files in it
		// cannot be written around the cache.
		"--innodb-flush-method=nosync",
	}, append(s.sizes(), asRoot()...)...)
	cmd := exec.Command("/bin/sh", args...) // it ends when the pipe does
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.alive = append(s.alive, alive) // also those of servers that were killed: their shells would clean up
	s.mu.Unlock()
	return s.wait()
}

func (s *Server) pidFile() string { return filepath.Join(s.dir, "pid") }

// wait returns when the server answers.
func (s *Server) wait() error {
	db, err := s.open("root", "", "")
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("mariadbd does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// log is what the server has said last.
func (s *Server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b[max(0, len(b)-2000):])
}

// config says how somebody connects; nothing is said about connections that die.
func (s *Server) config(name, secret, database string) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = name, secret, "tcp", s.Addr(), database
	c.Logger = &mysql.NopLogger{}
	return c
}

// open connects as somebody.
func (s *Server) open(name, secret, database string) (*sql.DB, error) {
	connector, err := mysql.NewConnector(s.config(name, secret, database))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Addr is host and port of the server.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// grant makes the account of tests, which is not the server's owner.
func (s *Server) grant() error {
	return s.exec("CREATE USER '"+user+"'@'%' IDENTIFIED BY '"+password+"'", "GRANT ALL ON `test\\_%`.* TO '"+user+"'@'%'")
}

func (s *Server) exec(statements ...string) error {
	db, err := s.open("root", "", "")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, st := range statements {
		if _, err := db.ExecContext(context.Background(), st); err != nil {
			return err
		}
	}
	return nil
}

// Database makes an empty database for a test and returns its address as an
// operator would write it: mysql://USER:PASSWORD@HOST:PORT/NAME.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprint("test_", s.made.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
	tb.Cleanup(func() { _ = s.exec("DROP DATABASE IF EXISTS " + name) }) // the server may be dead by then
	u := url.URL{Scheme: "mysql", User: url.UserPassword(user, password), Host: s.Addr(), Path: "/" + name}
	return u.String()
}

// Shell opens a database that Database has made, beside whatever a test does
// with it, as an operator with a shell could.
func (s *Server) Shell(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := s.open(user, password, strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Kill ends the server at once, as kill -9 does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	b, err := os.ReadFile(s.pidFile())
	if err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		tb.Fatalf("mariadb: pid %q", b)
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
}

// Start brings back a server that was killed.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.run(); err != nil {
		tb.Fatalf("mariadb: %v\n%s", err, s.log())
	}
}
