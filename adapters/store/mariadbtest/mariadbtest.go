// Package mariadbtest starts a real MariaDB for tests, as package servertest promises
// it: on a free port, in a folder of its own.
//
//   - A test gets a database of its own; nothing another test does shows there.
//   - What was committed is there again after Kill and Start: the server flushes at
//     every commit.
package mariadbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"fanli/core/servertest"
)

const (
	patience  = 2 * time.Minute // that a busy machine may take to make a folder of data
	answerMax = 10 * time.Second
)

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
	*servertest.Server
	dir, port string
	made      atomic.Int64 // databases

	mu     sync.Mutex
	spares []string // databases that were borrowed and are empty again
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
	tb.Cleanup(s.End)
	return s
}

// need skips a test where there is no server to start.
func need(tb testing.TB) {
	tb.Helper()
	servertest.Need(tb, "mariadbd")
	servertest.Need(tb, "mariadb-install-db")
}

// start makes a server, with its data, and starts it.
func start() (*Server, error) {
	dir, err := servertest.Folder("mariadb")
	if err != nil {
		return nil, err
	}
	port, err := servertest.FreePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{dir: dir, port: port}
	if err := s.install(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	if err := s.grant(); err != nil {
		s.End()
		return nil, err
	}
	return s, nil
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
	path, err := servertest.Find("mariadb-install-db")
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

// run starts the server and waits until it answers.
func (s *Server) run() error {
	path, err := servertest.Find("mariadbd")
	if err != nil {
		return err
	}
	root, err := s.open("root", "", "")
	if err != nil {
		return err
	}
	root.SetMaxIdleConns(0) // each look connects
	s.Server, err = servertest.Start(servertest.Program{
		Name: "mariadbd", Dir: s.dir, Path: path,
		Ready: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), answerMax)
			defer cancel()
			return root.PingContext(ctx)
		},
		Args: append([]string{
			"--no-defaults", "--datadir=" + s.data(), "--skip-networking=0", "--bind-address=127.0.0.1",
			"--port=" + s.port, "--socket=" + filepath.Join(s.dir, "sock"), "--pid-file=" + filepath.Join(s.dir, "pid"),
			"--innodb-flush-log-at-trx-commit=1", "--skip-name-resolve", "--max-connections=400", "--character-set-server=utf8mb4",
			// Memory does not forget what is written without a flush, and files in it
			// cannot be written around the cache.
			"--innodb-flush-method=nosync",
		}, append(s.sizes(), asRoot()...)...),
	})
	return err
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
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

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
	name := s.create(tb)
	tb.Cleanup(func() { _ = s.exec("DROP DATABASE IF EXISTS " + name) }) // the server may be dead by then
	return s.address(name)
}

// create makes an empty database.
func (s *Server) create(tb testing.TB) (name string) {
	tb.Helper()
	name = fmt.Sprint("test_", s.made.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("mariadb: %v", err)
	}
	return name
}

// address is where somebody reaches a database.
func (s *Server) address(name string) string {
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
