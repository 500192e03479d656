package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	adapter "fanli/adapters/registry"
	"fanli/adapters/registry/etcdtest"
	"fanli/core/registry/registrytest"
)

// A line leads to an etcd and can be cut.
type line struct {
	to, at string

	mu    sync.Mutex
	ln    net.Listener
	conns []net.Conn
}

// newLine returns a line to an address.
func newLine(t *testing.T, to string) *line {
	t.Helper()
	l := &line{to: to, at: "127.0.0.1:0"}
	l.mend(t)
	t.Cleanup(l.cut)
	return l
}

func (l *line) addr() string { return l.at }

// mend opens the line, at the same address as before.
func (l *line) mend(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", l.at)
	if err != nil {
		t.Fatal(err)
	}
	l.lead(ln)
	l.at = ln.Addr().String()
}

// lead takes what comes at a listener to the other end.
func (l *line) lead(ln net.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ln = ln
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", l.to)
			if err != nil {
				_ = c.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, c, far)
			l.mu.Unlock()
			go pipe(c, far)
			go pipe(far, c)
		}
	}()
}

func pipe(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// cut ends everything that is on the line.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.ln.Close()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// TestTLS reaches an etcd over a line that is encrypted, and not where it shows a
// certificate that nobody has signed.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{to: s.Endpoint()}
	l.lead(ln)
	t.Cleanup(l.cut)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	cfg := adapter.Config{URL: "etcds://" + ln.Addr().String(), Prefix: s.Prefix(t)}
	if ps, err := open(t, cfg).List(t.Context()); err == nil {
		t.Errorf("an etcd that nobody vouches for lists %v", ps)
	}
	cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	e := open(t, cfg)
	e.Join(registrytest.Process("u1", "user"))
	registrytest.Watch(t, e, "user").Want(t, "u1")
}
