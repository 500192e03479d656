package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc"

	"fanli/adapters/bus"
	"fanli/adapters/rpc"
	"fanli/adapters/store"
	"fanli/configs"
	"fanli/core/control"
	"fanli/core/event"
)

// A peers is the way to the processes that run the targets which are not here: they are
// asked over gRPC and told by way of a broker.
type peers struct {
	a      *app
	conns  []*grpc.ClientConn
	broker *bus.Broker
	server *rpc.Server

	*discovery
}

// openPeers reaches for the other processes. Nothing is connected yet.
func (a *app) openPeers(name string) error {
	if !a.cfg.Split() {
		return nil
	}
	p := &peers{a: a}
	o, err := a.rpcOptions()
	if err != nil {
		return err
	}
	if p.discovery, err = newDiscovery(a.cfg, a.log, name); err != nil {
		return err
	}
	a.peers = p // so that it is closed, whatever comes
	for _, t := range targets() {
		if a.here(t.name) || !a.known(t.name) {
			continue
		}
		c, err := p.dial(t.name, a.resilience.dial(t.name, o))
		if err != nil {
			return fmt.Errorf("peers.targets.%s: %w", t.name, err)
		}
		p.conns = append(p.conns, c)
		a.resilience.reached(t.name, c)
		a.reach(t.name, c)
	}
	if a.cfg.Broker.URL != "" {
		p.broker, err = bus.NewBroker(bus.Config{
			URL: a.cfg.Broker.URL, Prefix: a.cfg.Broker.Prefix, Hearers: hearers(), Name: name, Log: a.log,
		})
	}
	return err
}

// reach enters clients of a target in asks.
func (a *app) reach(name string, c grpc.ClientConnInterface) {
	a.house.atElsewhere(name, rpc.Desk(name, c))
	switch name {
	case userTarget:
		a.ask.users = rpc.Users(c)
	case orderTarget:
		a.ask.orders = rpc.Orders(c)
	case rebateTarget:
		a.ask.rebates = rpc.Rebates(c)
	case paymentTarget:
		m := rpc.Payment(c)
		a.ask.wallets, a.ask.gifts, a.ask.payouts, a.ask.charges, a.ask.switches = m.Wallets, m.Gifts, m.Payouts, m.Charges, &control.Careful{Service: m.Switches}
		a.resilience.pins = m.Switches
	case botTarget:
		a.ask.chats, a.ask.links = rpc.Sender(c), rpc.Links(c)
	}
}

// missing says whom a target that is here asks and nobody knows where they are.
func (a *app) missing() error {
	var errs []error
	for _, t := range a.targetsHere() {
		for _, name := range t.asks {
			if !a.here(name) && !a.known(name) {
				errs = append(errs, fmt.Errorf("peers.targets.%s: %s asks it; where does it answer?", name, t.name))
			}
		}
	}
	return errors.Join(errs...)
}

// hearers are the targets that hear each event.
func hearers() map[event.Name][]string {
	out := map[event.Name][]string{}
	for _, t := range targets() {
		for _, h := range t.hears(&app{}) {
			if n := len(out[h.name]); n == 0 || out[h.name][n-1] != t.name { // one with two handlers hears once
				out[h.name] = append(out[h.name], t.name)
			}
		}
	}
	return out
}

// rpcOptions are those of this process's calls and of its answers.
func (a *app) rpcOptions() (rpc.Options, error) {
	o := rpc.Options{Token: a.cfg.Peers.Token, Log: a.log, Dial: a.obs.Dial(), Serve: a.obs.Serve()}
	p := a.cfg.Peers
	if p.Certificate == "" {
		return o, nil
	}
	cert, err := tls.LoadX509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return o, fmt.Errorf("peers.certificate: %w", err)
	}
	text, err := os.ReadFile(p.Authority)
	if err != nil {
		return o, fmt.Errorf("peers.authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return o, errors.New("peers.authority: there is no certificate in it")
	}
	o.TLS = &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	return o, nil
}

// services are what others may ask of this process.
func (a *app) services() (out []rpc.Service) {
	out = append(out, rpc.DeskServer(a.house.stations))
	for _, t := range a.targetsHere() {
		switch t.name {
		case userTarget:
			out = append(out, rpc.UserServer(a.users))
		case orderTarget:
			out = append(out, rpc.OrderServer(a.orders))
		case rebateTarget:
			out = append(out, rpc.RebateServer(a.rebates))
		case paymentTarget:
			out = append(out, rpc.PaymentServer(rpc.Money{
				Wallets: a.purse, Gifts: a.treasurer, Payouts: a.payouts, Charges: a.dues, Switches: a.board,
			}))
		case botTarget:
			out = append(out, rpc.BotServer(a.tell), rpc.LinkServer(a.desk))
		}
	}
	return out
}

// run answers the other processes and hears what they say, until ctx ends.
func (p *peers) run(ctx context.Context) error {
	o, err := p.a.rpcOptions()
	if err != nil {
		return err
	}
	o.Serve = append(o.Serve, p.a.resilience.served())
	if p.server, err = rpc.NewServer(o, p.a.services()...); err != nil {
		return err
	}
	ln, err := p.listen(ctx, p.a.cfg.Peers.Listen)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	if ln != nil {
		all.Go(func() {
			if err := p.server.Serve(ln); err != nil {
				p.a.log.Error("other targets are not answered", "error", err)
			}
		})
	}
	for _, t := range p.a.targetsHere() {
		h := p.a.hearingOf(t)
		if h == nil {
			continue
		}
		all.Go(func() {
			if err := p.broker.Hear(ctx, *h); err != nil {
				p.a.log.Error("events are not heard", "target", t.name, "error", err)
			}
		})
	}
	p.untilLeaving(ctx)
	p.server.Drain()
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainMax)
	defer cancel()
	p.server.Stop(stopping)
	all.Wait()
	return nil
}

// hearingOf is what a target does with events; nil for one that hears nothing.
func (a *app) hearingOf(t target) *bus.Hearing {
	hs := t.hears(a)
	if len(hs) == 0 {
		return nil
	}
	local := &bus.Local{}
	for _, h := range hs {
		local.Hear(h.name, t.name, a.hearer(t, h))
	}
	box := a.outbox(t.name)
	return &bus.Hearing{
		Target: t.name, Handle: local.Publish,
		Bury: func(ctx context.Context, e event.Event, cause error) error { return box.Bury(ctx, e, cause.Error()) },
	}
}

// outbox is that of a target that is here.
func (a *app) outbox(name string) *store.Outbox {
	for _, o := range a.db.of[name].Outboxes() {
		if o.Name() == name {
			return o
		}
	}
	return nil
}

// close ends what was reached for.
func (p *peers) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, c := range p.conns {
		errs = append(errs, c.Close())
	}
	errs = append(errs, p.discovery.close())
	if p.broker != nil {
		errs = append(errs, p.broker.Close())
	}
	return errors.Join(errs...)
}

// relayBus is what relays hand events to: the other processes' broker, or everybody
// in this one.
func (a *app) relayBus() event.Bus {
	if a.peers != nil && a.peers.broker != nil {
		return a.obs.Bus(a.peers.broker)
	}
	return a.obs.Bus(a.bus)
}

// checkSplit refuses what only shows once the wiring is known.
func checkSplit(cfg configs.Config) error {
	if err := (&app{cfg: cfg}).missing(); err != nil {
		return exitError{exitUsage, err}
	}
	return nil
}
