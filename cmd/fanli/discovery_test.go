package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	etcd "fanli/adapters/registry"
	"fanli/adapters/registry/etcdtest"
	"fanli/core/registry"
	"fanli/core/registry/registrytest"
)

// TestPeers lists who is there.
func TestPeers(t *testing.T) {
	t.Parallel()
	cli(t, "", nil, "peers").want(t, exitOK, "all targets run in one process")
	s := etcdtest.Shared(t)
	prefix := s.Prefix(t)
	env := []string{"FANLI_REGISTRY_URL=" + s.URL(), "FANLI_REGISTRY_PREFIX=" + prefix}
	r := cli(t, "", env, "peers")
	r.want(t, exitOK, "payment\n  nobody\n")
	if n := strings.Count(r.out, "nobody"); n != len(targets()) {
		t.Errorf("%d targets are run by nobody:\n%s", n, r.out)
	}
	e, err := etcd.New(etcd.Config{URL: s.URL(), Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	w := registrytest.Watch(t, e, userTarget)
	e.Join(registry.Process{ID: "one", Targets: []string{userTarget, orderTarget}, GRPC: "10.0.0.7:9090", HTTP: "http://10.0.0.7:8080", Since: time.Now()})
	m := e.Join(registry.Process{ID: "two", Targets: []string{userTarget}, Since: time.Now()})
	w.Want(t, "one two")
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = cli(t, "", env, "peers")
	r.want(t, exitOK, "user\n  one", "serves   since", "grpc 10.0.0.7:9090", "http http://10.0.0.7:8080", "draining since", "order\n  one", "payment\n  nobody")
	if strings.Count(r.out, "  two ") != 1 {
		t.Errorf("who runs one target is listed otherwise:\n%s", r.out)
	}
}

// TestPeersWithoutARegistry lists what is configured; one that does not answer is no
// answer.
func TestPeersWithoutARegistry(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "fanli.yaml")
	if err := os.WriteFile(file, []byte("peers: {targets: {user: \"dns:///user:9090\"}, http: {bot: \"http://a:1,http://b:2\"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cli(t, "", nil, "peers", "--config", file).want(t, exitOK, "user          grpc dns:///user:9090  http -", "bot           grpc -  http http://a:1,http://b:2")
	r := cli(t, "", []string{"FANLI_REGISTRY_URL=etcd://fanli:geheim@" + strings.TrimPrefix(refusing(t), "http://")}, "peers")
	r.want(t, exitFailed, "registry")
	if strings.Contains(r.out+r.err, "geheim") {
		t.Errorf("it shows the password: %s", r.err)
	}
}

// TestAdvertised: others reach a process where it listens, or where it is told.
func TestAdvertised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ at, host, want string }{
		{"127.0.0.1:9090", "", "127.0.0.1:9090"},
		{"10.0.0.7:9090", "", "10.0.0.7:9090"},
		{"10.0.0.7:9090", "pod.example", "pod.example:9090"},
		{"[::]:9090", "fd00::7", "[fd00::7]:9090"},
		{"0.0.0.0:9090", "pod.example", "pod.example:9090"},
	} {
		at, err := net.ResolveTCPAddr("tcp", tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := advertised(at, tt.host); got != tt.want {
			t.Errorf("%s told %q is at %s, want %s", tt.at, tt.host, got, tt.want)
		}
	}
	got := advertised(&net.TCPAddr{IP: net.IPv4zero, Port: 9090}, "")
	host, port, err := net.SplitHostPort(got)
	if err != nil || port != "9090" || host == "" || net.ParseIP(host).IsUnspecified() {
		t.Errorf("who listens everywhere is at %s, %v", got, err)
	}
}
