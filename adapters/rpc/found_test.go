package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"google.golang.org/grpc"

	"fanli/adapters/rpc"
	"fanli/core/fault"
	"fanli/core/registry"
	"fanli/core/user"
)

// found dials a target that a registry knows.
func found(t *testing.T, r registry.Registry, first ...string) *grpc.ClientConn {
	t.Helper()
	to, find := rpc.Found(r, "user", first)
	o := options()
	o.Dial = append(o.Dial, find)
	c, err := rpc.Dial(to, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// join starts a process and has it join.
func join(t *testing.T, r registry.Registry, name string) (registry.Membership, process) {
	t.Helper()
	p := start(t, options(), rpc.UserServer(&people{name: name}))
	return r.Join(registry.Process{ID: name, Targets: []string{"user"}, GRPC: p.addr}), p
}

// until calls until the last calls were answered by exactly those named, and by each
// of them. No call may fail.
func until(t *testing.T, s user.Service, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		answered := map[string]int{}
		for range 4 * len(names) {
			u, err := s.User(ctx, 7)
			if err != nil {
				t.Fatalf("want answers of %v: %v", names, err)
			}
			answered[u.Locale]++
		}
		all := len(answered) == len(names)
		for _, n := range names {
			all = all && answered[n] > 0
		}
		if all {
			return
		}
	}
}

// TestCallsGoToWhomTheRegistryKnows has processes come, drain, leave, and come back
// at the same address under another name.
func TestCallsGoToWhomTheRegistryKnows(t *testing.T) {
	t.Parallel()
	r := registry.NewStatic()
	one, first := join(t, r, "u1")
	s := rpc.Users(found(t, r))
	until(t, s, "u1")
	two, second := join(t, r, "u2")
	until(t, s, "u1", "u2")
	if err := one.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, s, "u2")
	if err := two.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, s, "u1", "u2") // everybody drains: better one of them than nobody
	r.Join(registry.Process{ID: "u1 again", Targets: []string{"user"}, GRPC: first.addr})
	until(t, s, "u1")
	if err := two.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.stop()
	until(t, s, "u1")
}

// TestNobodyThatIsKnownIsUnavailable asks where the registry knows nobody, and where
// it says nothing.
func TestNobodyThatIsKnownIsUnavailable(t *testing.T) {
	t.Parallel()
	r := registry.NewStatic()
	if _, err := rpc.Users(found(t, r)).User(t.Context(), 7); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != "target.down" {
		t.Errorf("with nobody: %v", err)
	}
	if _, err := rpc.Users(found(t, &silence{})).User(t.Context(), 7); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != "target.down" {
		t.Errorf("with a registry that is away: %v", err)
	}
}

// silence is a registry that is away.
type silence struct{ registry.Registry }

func (*silence) Watch(ctx context.Context, _ string, _ func([]registry.Process)) { <-ctx.Done() }

// TestConfiguredAddressesServeUntilTheRegistryAnswers starts with an address while the
// registry is away, and with one that knows nobody yet.
func TestConfiguredAddressesServeUntilTheRegistryAnswers(t *testing.T) {
	t.Parallel()
	p := start(t, options(), rpc.UserServer(&people{name: "configured"}))
	until(t, rpc.Users(found(t, &silence{}, p.addr)), "configured")
	r := registry.NewStatic()
	s := rpc.Users(found(t, r, p.addr))
	until(t, s, "configured")
	join(t, r, "u1")
	until(t, s, "u1")
}

// TestTheTurnsAreEven joins three.
func TestTheTurnsAreEven(t *testing.T) {
	t.Parallel()
	r := registry.NewStatic()
	var names []string
	for i := range 3 {
		names = append(names, fmt.Sprint("u", i))
		join(t, r, names[i])
	}
	s := rpc.Users(found(t, r))
	until(t, s, names...)
	answered := map[string]int{}
	for range 300 {
		u, err := s.User(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		answered[u.Locale]++
	}
	for name, n := range answered {
		if n < 90 || n > 110 {
			t.Errorf("%s answered %d of 300", name, n)
		}
	}
}

// TestACertificateNamesTheTarget asks over TLS a process whose certificate is for the
// target that it runs, and one whose certificate is for another.
func TestACertificateNamesTheTarget(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"user": true, "payment": false} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
			BasicConstraintsValid: true, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AddCert(cert)
		o := options()
		o.TLS = &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
			RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		}
		at := start(t, o, rpc.UserServer(&people{name: name})).addr
		to, find := rpc.Found(registry.NewStatic(registry.Process{ID: "one", Targets: []string{"user"}, GRPC: at}), "user", nil)
		o.Dial = append(o.Dial, find)
		c, err := rpc.Dial(to, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := rpc.Users(c).User(t.Context(), 7); (err == nil) != ok {
			t.Errorf("with a certificate for %s: %v", name, err)
		}
	}
}
