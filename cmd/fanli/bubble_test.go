package main

import (
	"context"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
)

// An ether carries connections between who is in one bubble of package synctest: what
// takes no time takes none there, however busy the machine is.
type ether struct {
	mu sync.Mutex
	at map[string]*etherPort
}

func newEther() *ether { return &ether{at: map[string]*etherPort{}} }

// An etherPort is where somebody listens.
type etherPort struct {
	name  string
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
}

// far puts somebody else into the ether, under its own name.
func (e *ether) far(t *testing.T, name string) *far {
	t.Helper()
	p := &etherPort{name: name + ".example:80", conns: make(chan net.Conn), gone: make(chan struct{})}
	e.mu.Lock()
	e.at[p.name] = p
	e.mu.Unlock()
	f := &far{name: name}
	f.Server = &httptest.Server{Listener: p, Config: f.server()}
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// dial is the DialContext of who is in it, too.
func (e *ether) dial(ctx context.Context, _, address string) (net.Conn, error) {
	e.mu.Lock()
	p := e.at[address]
	e.mu.Unlock()
	if p == nil {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	}
	near, away := net.Pipe()
	select {
	case p.conns <- away:
		return near, nil
	case <-p.gone:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *etherPort) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *etherPort) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

// Addr implements net.Listener.
func (p *etherPort) Addr() net.Addr { return p }

// Network implements net.Addr.
func (p *etherPort) Network() string { return "pipe" }

// String implements net.Addr.
func (p *etherPort) String() string { return p.name }
