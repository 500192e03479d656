package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	etcd "fanli/adapters/registry"
	"fanli/adapters/rpc"
	"fanli/configs"
	"fanli/core/registry"
)

// registryMax is how long stopping waits for the registry, each time.
const registryMax = 500 * time.Millisecond

// A discovery is how a process of a split finds the others, and is found.
type discovery struct {
	cfg      configs.Config
	id       string
	registry *etcd.Etcd // nil where all addresses are configured

	ctx       context.Context // until close
	end       context.CancelFunc
	work      sync.WaitGroup
	listening chan net.Addr // where it answers other targets; nil for nowhere
	leaving   chan struct{} // closed when it is about to leave
	member    registry.Membership
}

// newDiscovery returns that of a process. Nothing is reached yet.
func newDiscovery(cfg configs.Config, log *slog.Logger, name string) (*discovery, error) {
	d := &discovery{
		cfg: cfg, id: strings.ReplaceAll(name, "/", "-") + "-" + strings.ToLower(rand.Text()[:8]),
		listening: make(chan net.Addr, 1), leaving: make(chan struct{}),
	}
	d.ctx, d.end = context.WithCancel(context.Background())
	var err error
	if cfg.Registry.URL != "" {
		d.registry, err = openRegistry(cfg.Registry, log)
	}
	return d, err
}

// openRegistry returns the configured registry. Nothing is reached yet.
func openRegistry(c configs.Registry, log *slog.Logger) (*etcd.Etcd, error) {
	o, err := registryConfig(c, log)
	if err != nil {
		return nil, err
	}
	return etcd.New(o)
}

// registryConfig is how the configured registry is reached.
func registryConfig(c configs.Registry, log *slog.Logger) (etcd.Config, error) {
	o := etcd.Config{URL: c.URL, User: c.User, Password: c.Password, Prefix: c.Prefix, Lease: c.Lease, Log: log}
	if c.Certificate == "" && c.Authority == "" {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Certificate != "" {
		cert, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return o, fmt.Errorf("registry.certificate: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{cert}
	}
	if c.Authority != "" {
		text, err := os.ReadFile(c.Authority)
		if err != nil {
			return o, fmt.Errorf("registry.authority: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(text) {
			return o, errors.New("registry.authority: there is no certificate in it")
		}
	}
	return o, nil
}

// known reports whether something says where a target answers.
func (a *app) known(target string) bool {
	first, found := a.cfg.Found(a.cfg.Peers.Targets[target])
	return found || len(first) > 0
}

// dial returns the line to a target.
func (d *discovery) dial(target string, o rpc.Options) (*grpc.ClientConn, error) {
	to := d.cfg.Peers.Targets[target]
	if first, found := d.cfg.Found(to); found {
		var find grpc.DialOption
		to, find = rpc.Found(d.registry, target, first)
		o.Dial = append(o.Dial[:len(o.Dial):len(o.Dial)], find)
	}
	return rpc.Dial(to, o)
}

// poolOf returns the processes to which requests for a target are handed on; nil
// where nobody says where they are.
func (a *app) poolOf(target string) (*pool, error) {
	first, found := a.cfg.Found(a.cfg.Peers.HTTP[target])
	if !found && len(first) == 0 {
		return nil, nil
	}
	p := newPool(a.log.With("target", target))
	if err := p.set(first); err != nil || !found {
		return p, err
	}
	d := a.peers
	d.work.Go(func() {
		d.registry.Watch(d.ctx, target, func(ps []registry.Process) {
			if len(ps) == 0 && len(first) > 0 { // those may not have joined
				return
			}
			var at []string
			for _, q := range registry.Live(ps) {
				if q.HTTP != "" {
					at = append(at, q.HTTP)
				}
			}
			if err := p.set(at); err != nil {
				a.log.Error("there is an address in the registry that is none", "target", target, "error", err)
			}
		})
	})
	return p, nil
}

// listen opens where other targets ask this process; nil where nobody does.
func (d *discovery) listen(ctx context.Context, at string) (net.Listener, error) {
	if at == "" {
		d.listening <- nil
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", at)
	if err == nil {
		d.listening <- ln.Addr()
	}
	return ln, err
}

// untilLeaving returns when the process is about to leave, or ctx ends.
func (d *discovery) untilLeaving(ctx context.Context) {
	select {
	case <-d.leaving:
	case <-ctx.Done():
	}
}

// close ends what watches and keeps.
func (d *discovery) close() error {
	d.end()
	d.work.Wait()
	if d.registry == nil {
		return nil
	}
	return d.registry.Close()
}

// join says in the registry that this process is ready, as soon as it answers the
// other targets; one that cannot answer them, which failed is closed for, does not.
func (s *server) join(failed <-chan struct{}) {
	if s.app.peers == nil || s.app.peers.registry == nil {
		return
	}
	d := s.app.peers.discovery
	p := registry.Process{ID: d.id, HTTP: "http://" + advertised(s.at, d.cfg.Registry.Advertise), Since: time.Now()}
	for _, t := range s.app.targetsHere() {
		p.Targets = append(p.Targets, t.name)
	}
	select {
	case at := <-d.listening:
		if at != nil {
			p.GRPC = advertised(at, d.cfg.Registry.Advertise)
		}
	case <-failed:
		return
	}
	d.member = d.registry.Join(p)
}

// drain says to the others that this process is about to stop, and gives them time
// to notice. Until it returns everything goes on as before.
func (s *server) drain(ctx context.Context) {
	if s.app.peers == nil {
		return
	}
	d := s.app.peers.discovery
	ctx = context.WithoutCancel(ctx)
	if d.member != nil {
		asking, cancel := context.WithTimeout(ctx, registryMax)
		defer cancel()
		if err := d.member.Drain(asking); err != nil {
			s.app.log.Warn("the registry does not know that this process stops", "error", err)
		}
	}
	close(d.leaving)
	t := time.NewTimer(d.cfg.Peers.Drain)
	defer t.Stop()
	<-t.C
}

// leave takes this process out of the registry.
func (s *server) leave(ctx context.Context) {
	if s.app.peers == nil || s.app.peers.member == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, registryMax)
	defer cancel()
	if err := s.app.peers.member.Leave(ctx); err != nil {
		s.app.log.Warn("the registry will know later that this process has stopped", "error", err)
	}
}

// farewell tells a gateway that this process is about to stop.
func (s *server) farewell(w http.ResponseWriter) {
	if s.app != nil && s.app.peers != nil && !s.ready.Load() {
		w.Header().Set(drainingHeader, "1")
		w.Header().Set("Connection", "close")
	}
}

// advertised is where others reach what listens at an address.
func advertised(at net.Addr, host string) string {
	own, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return at.String()
	}
	if host == "" {
		if host = own; net.ParseIP(own).IsUnspecified() {
			host = machine()
		}
	}
	return net.JoinHostPort(host, port)
}

// machine is an address of this machine that others can reach, or else its name.
func machine() string {
	as, _ := net.InterfaceAddrs()
	var other string
	for _, a := range as {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String()
		}
		other = n.IP.String()
	}
	if other == "" {
		other, _ = os.Hostname()
	}
	return other
}
