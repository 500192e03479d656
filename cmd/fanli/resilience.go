package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	rest "fanli/adapters/gateway"
	"fanli/adapters/guard"
	"fanli/adapters/rpc"
	"fanli/configs"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/ladder"
	"fanli/core/link"
	"fanli/core/rebate"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// How often a process looks how everything is, and for pins of staff.
const (
	ladderEvery = time.Second
	pinsEvery   = 5 * time.Second
	probeMax    = time.Second
)

// Names of dependencies, beside those of targets.
const (
	networkKind = "network/"
	payerKind   = "payer/"
)

// resilience is what stands between this process and what may be away, and between
// callers and this process.
type resilience struct {
	cfg    configs.Resilience
	door   *guard.Door
	ladder *ladder.Ladder
	pins   control.Service // as they are now: nil where nobody can be asked

	mu     sync.Mutex
	lines  map[string]*guard.Line
	guards map[string]*guard.Guard // by network
	conns  map[string]*grpc.ClientConn
	pools  map[string]func(ctx context.Context) // asks for a page that everybody has

	probing atomic.Bool
	known   map[string]ladder.Pin
	asked   time.Time // when for pins
}

func newResilience(cfg configs.Config) *resilience {
	r := &resilience{
		cfg: cfg.Resilience, door: guard.NewDoor(cfg.Resilience.Shed), lines: map[string]*guard.Line{}, guards: map[string]*guard.Guard{},
		conns: map[string]*grpc.ClientConn{}, pools: map[string]func(context.Context){},
	}
	var names []string
	for _, t := range targets() {
		first, found := cfg.Found(cfg.Peers.Targets[t.name])
		if cfg.Split() && !slices.Contains(cfg.Targets, t.name) && (found || len(first) > 0) {
			names = append(names, t.name)
		}
	}
	for _, n := range []string{link.Taobao, link.JD, link.PDD} {
		names = append(names, networkKind+n)
	}
	for _, n := range slices.Concat([]string{cfg.Payer}, slices.Collect(maps.Values(cfg.Payers))) {
		if !slices.Contains(names, payerKind+n) {
			names = append(names, payerKind+n)
		}
	}
	slices.Sort(names)
	r.ladder = ladder.New(cfg.Resilience.Rungs(), names)
	return r
}

// line is the way to a target or a payer.
func (r *resilience) line(name string, failed func(error) bool) *guard.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines[name] == nil {
		r.lines[name] = guard.NewLine(name, r.cfg.Line(name), failed)
	}
	return r.lines[name]
}

// dial adds to the options of a connection to a target what its calls go through.
func (r *resilience) dial(name string, o rpc.Options) rpc.Options {
	o.Dial = slices.Concat(o.Dial, rpc.Through(r.line(name, rpc.Failed)))
	return o
}

// reached notes the connection to a target.
func (r *resilience) reached(name string, c *grpc.ClientConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[name] = c
}

// guarded notes the guard of a network.
func (r *resilience) guarded(network string, g *guard.Guard) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guards[network] = g
}

// payer is the way to a payer. A payer that answers is well, whatever it says.
func (r *resilience) payer(name string) withdraw.Line {
	return r.line(payerKind+name, func(err error) bool {
		return err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound)
	})
}

// served lets calls of other targets in by the door.
func (r *resilience) served() grpc.ServerOption {
	return rpc.Limited(func(ctx context.Context, service string) (func(), error) {
		class := guard.Orders
		if service == "PaymentService" {
			class = guard.Money
		}
		return r.door.Enter(ctx, class)
	})
}

// kept reports whether offers of a network come from what is kept.
func (r *resilience) kept(network string) bool {
	return r.ladder.On(ladder.Offers, networkKind+network)
}

// health is how all dependencies are.
func (r *resilience) health() map[string]ladder.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]ladder.Health{}
	for name, l := range r.lines {
		out[name] = ladder.Health{Away: !l.Well(), Took: l.Status().Took}
	}
	for name, c := range r.conns {
		h := out[name]
		h.Away = h.Away || c.GetState() == connectivity.TransientFailure
		out[name] = h
	}
	for name, g := range r.guards {
		for _, s := range g.Status() {
			if s.Role == "links" {
				out[networkKind+name] = ladder.Health{Away: s.State != "closed", Took: s.Took}
			}
		}
	}
	return out
}

// look takes a measure, and asks those who were away whether they are back.
func (r *resilience) look(ctx context.Context, now time.Time) []ladder.State {
	m := ladder.Measure{At: now, Of: r.health(), Load: r.door.Load(), Pins: r.pinned(ctx)}
	changed := r.ladder.Observe(m)
	if r.probing.CompareAndSwap(false, true) {
		go func() {
			defer r.probing.Store(false)
			r.probe(ctx)
		}()
	}
	return changed
}

// probe calls targets that are not well and may be asked again, so that they need no
// shopper to be found well.
func (r *resilience) probe(ctx context.Context) {
	r.mu.Lock()
	asks := maps.Clone(r.pools)
	for name, c := range r.conns {
		asks[name] = func(ctx context.Context) { _ = rpc.Probe(ctx, c) } // the line learns what came of it
	}
	lines := maps.Clone(r.lines)
	r.mu.Unlock()
	for name, ask := range asks {
		l := lines[name]
		if l == nil || l.Well() || l.Resting() {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, probeMax)
		ask(asking)
		cancel()
	}
}

// pinned returns what staff have pinned; nil where that is not known.
func (r *resilience) pinned(ctx context.Context) map[string]ladder.Pin {
	if r.pins == nil || time.Since(r.asked) < pinsEvery {
		return r.known
	}
	r.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, probeMax)
	defer cancel()
	pins := map[string]ladder.Pin{}
	var all []control.Scope
	for _, g := range r.cfg.Ladder {
		all = append(all, control.Degrade(g.Name), control.Keep(g.Name))
	}
	if len(all) == 0 || r.pins.Check(ctx, all...) == nil {
		r.known = pins
		return pins
	}
	for _, g := range r.cfg.Ladder {
		for pin, scope := range map[ladder.Pin]control.Scope{ladder.On: control.Degrade(g.Name), ladder.Off: control.Keep(g.Name)} {
			var stopped *control.StoppedError
			err := r.pins.Check(ctx, scope)
			switch {
			case errors.As(err, &stopped):
				pins[g.Name] = pin
			case err != nil: // nobody says: as before
				return r.known
			}
		}
	}
	r.known = pins
	return pins
}

// watchLadder looks how everything is until ctx ends, and says what changes.
func (a *app) watchLadder(ctx context.Context) {
	tick := time.NewTicker(ladderEvery)
	defer tick.Stop()
	for {
		a.lookAround(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookAround takes one measure, and says loudly what changes.
func (a *app) lookAround(ctx context.Context) {
	if a.resilience.pins == nil && a.board != nil {
		a.resilience.pins = a.board
	}
	for _, s := range a.resilience.look(ctx, a.now()) {
		say := a.log.Info
		text := "a rung of the ladder is off again"
		if s.On {
			say, text = a.log.Warn, "a rung of the ladder is on"
		}
		say(text, "rung", s.Rung, "effect", string(s.Effect), "of", s.Of, "pinned", s.Pinned, "try", "fanli ladder")
	}
}

// promiser says what links bring; where rebate is elsewhere and the ladder says so,
// nobody is asked.
func (a *app) promiser() link.Promiser {
	if a.here(rebateTarget) {
		return a.ask.rebates
	}
	return remotePromises{a.ask.rebates, a.resilience.ladder}
}

type remotePromises struct {
	link.Promiser
	ladder *ladder.Ladder
}

// Promise implements link.Promiser.
func (p remotePromises) Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	if p.ladder.On(ladder.Promises, rebateTarget) {
		return link.Promise{}, fault.New(fault.Unavailable, fault.Down)
	}
	return p.Promiser.Promise(ctx, user, o)
}

// later makes promises that rebate makes when it is back; nil where it is in this
// process, and as much there as we are.
func (a *app) later() func(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	if a.here(rebateTarget) {
		return nil
	}
	return func(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
		if a.resilience.ladder.Kept(ladder.Promises) {
			return link.Promise{}, fault.New(fault.Unavailable, fault.Down)
		}
		level, err := a.level(ctx, user)
		return rebate.Later(user, level, o, a.now()), err
	}
}

func (a *app) botPlans(c configs.Config) []jobs.Plan {
	return append(a.staffPlans(c), []jobs.Plan{
		{Job: jobs.Func{As: "bot/waiting", Do: a.tell.AnswerWaiting}, Every: "@every 5s"},
		{Job: jobs.Func{As: "bot/mail-sweep", Do: a.sweepMail}, Every: "@every 1h", Calm: true},
		{Job: jobs.Func{As: "bot/wechat-sweep", Do: a.sweepWechat}, Every: "@every 1h", Calm: true},
	}...)
}

// admit lets a request in by the door, or answers that it should come again. What
// payers tell us and whether we are well always comes in; a stream takes no place,
// because it takes no time.
func (s *server) admit(w http.ResponseWriter, r *http.Request) (leave func(), ok bool) {
	class, counts := s.classOf(r)
	if s.app == nil || s.app.resilience == nil || !counts {
		return func() {}, true
	}
	leave, err := s.app.resilience.door.Enter(r.Context(), class)
	if err == nil {
		return leave, true
	}
	w.Header().Set("Retry-After", "2")
	answer(w, http.StatusServiceUnavailable, map[string]any{"error": "too many people at once; please try again in a moment"})
	return nil, false
}

// classOf says how much a request matters, and whether it takes a place.
func (s *server) classOf(r *http.Request) (c guard.Class, counts bool) {
	p := r.URL.Path
	first := firstSegment(p)
	switch {
	case p == "/livez" || p == "/readyz" || first == "fake":
		return guard.Always, false
	case r.Method == http.MethodGet && p == "/api/events":
		return guard.Always, false
	case strings.HasPrefix(p, callbackPath) || strings.HasPrefix(p, chargePath):
		return guard.Always, true
	case strings.HasPrefix(p, payPath):
		return guard.Money, true
	case strings.HasPrefix(p, rest.Path):
		return classOfAPI(firstSegment(p[len(rest.Path)-1:])), true
	case first == "go" || first == "shop" || r.Method == http.MethodGet || r.Method == http.MethodHead:
		return guard.Rest, true
	default:
		return guard.Orders, true
	}
}

// classOfAPI says how much a request of a program matters, by what it is about: whether
// it looks or acts, because who cannot see their money asks for it again.
func classOfAPI(about string) guard.Class {
	switch about {
	case "wallet", "statement", "withdrawals":
		return guard.Money
	case "links", "orders", "claims", "users", "payee":
		return guard.Orders
	default:
		return guard.Rest
	}
}

// degraded adds to what /readyz says what is left out, and who is away.
func (a *app) degraded(out map[string]any) {
	if a == nil || a.resilience == nil {
		return
	}
	var on []ladder.State
	for _, s := range a.resilience.ladder.States() {
		if s.On {
			on = append(on, s)
		}
	}
	var away []string
	for name, h := range a.resilience.health() {
		if h.Away {
			away = append(away, name)
		}
	}
	if len(on) > 0 {
		out["degraded"] = on
	}
	if slices.Sort(away); len(away) > 0 {
		out["away"] = away
	}
}
