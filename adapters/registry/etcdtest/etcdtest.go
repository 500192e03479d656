// Package etcdtest starts real etcds for tests, as package servertest promises it: on
// free ports, in folders of their own. A test that asks for a Prefix has keys that no
// other test touches.
//
// It imports nothing of etcd's own, so that whoever tests with it needs no client.
package etcdtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/core/servertest"
)

// A Server is an etcd of this test binary.
type Server struct {
	*servertest.Server
	client   string // its port
	prefixes atomic.Int64
}

// shared is the etcd that tests of this binary have in common.
var shared = sync.OnceValues(begin)

// Shared returns the etcd that all tests of this binary have in common; nobody may
// kill it.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	servertest.Need(tb, "etcd")
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// New returns an etcd of the test's own, which it may kill.
func New(tb testing.TB) *Server {
	tb.Helper()
	servertest.Need(tb, "etcd")
	s, err := begin()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.End)
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

// Wipe kills the etcd and takes its data away. Start then starts an empty one.
func (s *Server) Wipe(tb testing.TB) {
	tb.Helper()
	s.Kill(tb)
	if err := os.RemoveAll(filepath.Join(s.Dir, "data")); err != nil {
		tb.Fatalf("etcd: %v", err)
	}
}

// begin makes a folder for an etcd and starts it.
func begin() (*Server, error) {
	path, err := servertest.Find("etcd")
	if err != nil {
		return nil, err
	}
	dir, err := servertest.Folder("etcd")
	if err != nil {
		return nil, err
	}
	port, none := servertest.FreePort()
	other, no := servertest.FreePort()
	if err := errors.Join(none, no); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{client: port}
	client, peer := "http://"+s.Endpoint(), "http://127.0.0.1:"+other
	s.Server, err = servertest.Start(servertest.Program{
		Name: "etcd", Dir: dir, Path: path, Hide: "ETCD_", Ready: s.ready,
		Args: []string{
			"--name", "one", "--data-dir", filepath.Join(dir, "data"), "--log-level", "warn", "--logger", "zap",
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "one=" + peer,
			// A password takes no time: on a busy machine the usual work for one takes longer
			// than a question may, and whoever comes back after a restart has to ask with it.
			"--bcrypt-cost", "4",
		},
	})
	return s, err
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
