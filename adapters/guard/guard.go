// Package guard stands between fanli and what may be slow, down or tired of us. It
// decorates the roles of a network and speaks to none itself. A [Line] does the same
// for anything else that is called, and a [Door] stands before ourselves.
//
// What a guarded call goes through, from the outside in:
//
//	Offer ─▶ kept answer? ─▶ somebody asking already? ─┐
//	Link, Search, Pull ────────────────────────────────┴▶ retry ─▶ seats ─▶ breaker ─▶ rate limit ─▶ the network
//
// # Guarantees
//
//   - No more calls leave for an account than its rate allows, links and orders
//     together, and those of all processes where Limits are shared. A call that would have to wait beyond its deadline fails at once
//     with fault.Limited.
//   - After a row of failures the role rests: calls fail at once with
//     fault.Unavailable until one probe has succeeded. Only fault.Unavailable,
//     fault.Limited and fault.Internal are failures; that goods do not exist, or
//     a caller who goes away, says nothing about the network. Links and orders
//     rest apart, so that a broken order list keeps no shopper waiting.
//   - Only what is safe to repeat is repeated, and only on fault.Limited and
//     fault.Unavailable: offers, searches and pages of orders are reads, and the
//     same mark makes an equal link. Waits between grow, are random, and never
//     outlast the deadline: then the last error returns instead. Of many calls no
//     more than a part are repetitions, so that a network in trouble is not asked
//     several times as much.
//   - No more than so many calls of a role are under way, and no more wait for that.
//   - Where the network does not answer, an offer that is older than it should be
//     serves, and says so by the caveat StaleOffer.
//   - Many who ask for the same goods at once cause one call. It belongs to
//     nobody: each caller leaves at the own deadline, and the call goes on for
//     the others and for the cache.
//   - What the network does not have is not there afterwards either: a guarded
//     network is a link.Searcher or link.Pooled exactly if it was one before.
//
// Errors of the network pass through unchanged.
package guard

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// Options say how patient the guard is. A zero field means its default; the
// defaults are what every network tolerates.
type Options struct {
	PerSecond  int           `yaml:"per_second"`  // calls per second to one account; default 5
	Burst      int           `yaml:"burst"`       // calls that may leave at once after a pause; default PerSecond
	Tries      int           `yaml:"tries"`       // how often a call is made at most; default 3, 1 means no retry
	Backoff    time.Duration `yaml:"backoff"`     // wait before the second try, doubled for each further one; default 200ms
	TryTimeout time.Duration `yaml:"try_timeout"` // of one try; default 8s
	Timeout    time.Duration `yaml:"timeout"`     // of a call with all its tries, if the caller sets no earlier end; default 20s
	Failures   int           `yaml:"failures"`    // failures in a row after which a role rests; default 5
	Rest       time.Duration `yaml:"rest"`        // how long it rests before a probe; default 20s
	OfferTTL   time.Duration `yaml:"offer_ttl"`   // how long an offer is kept; default 1m, below 0 means not at all
	MissTTL    time.Duration `yaml:"miss_ttl"`    // how long it is remembered that goods are not there; default 20s
	OffersMax  int           `yaml:"offers_max"`  // how many answers are kept; default 10,000, some 20 MB
	Stale      time.Duration `yaml:"stale"`       // how long after OfferTTL an offer still serves where the network does not answer; default 1h, below 0 means not at all
	Concurrent int           `yaml:"concurrent"`  // calls of one role under way at once; default 16
	Queue      int           `yaml:"queue"`       // calls of one role that wait for that; default 64
	Retries    int           `yaml:"retries"`     // how many calls are repetitions at most, in percent of the others; default 20

	// Kept says that offers are to come from what is kept, whatever their age; optional.
	Kept func(network string) bool `yaml:"-"`

	Now    func() time.Time `yaml:"-"` // the time by which kept answers grow old; default time.Now
	Cache  cache.Cache      `yaml:"-"` // where other processes find kept offers, too; nil: they are this process's own
	Limits cache.Limits     `yaml:"-"` // where other processes' calls count, too; nil: each process has the whole rate

	// Told hears of every call, as it happens; optional. It must not wait.
	Told func(Call) `yaml:"-"`
	// Turned hears of every change of a role's state, as in Status; optional. It must
	// not wait.
	Turned func(name, role, state string) `yaml:"-"`
}

// A Call is one try at a network, or one that did not leave.
type Call struct {
	Name, Role string        // as in Status
	Left       bool          // it reached the network
	Err        error         // what it failed with; nil where it worked
	Took       time.Duration // by our own watch
}

// WithDefaults returns o with its zero fields filled.
func (o Options) WithDefaults() Options {
	whole := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	span := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	whole(&o.PerSecond, 5)
	whole(&o.Burst, o.PerSecond)
	whole(&o.Tries, 3)
	whole(&o.Failures, 5)
	whole(&o.OffersMax, 10_000)
	whole(&o.Concurrent, 16)
	whole(&o.Queue, 64)
	whole(&o.Retries, 20)
	span(&o.Stale, time.Hour)
	span(&o.Backoff, 200*time.Millisecond)
	span(&o.TryTimeout, 8*time.Second)
	span(&o.Timeout, 20*time.Second)
	span(&o.Rest, 20*time.Second)
	span(&o.OfferTTL, time.Minute)
	span(&o.MissTTL, 20*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Told == nil {
		o.Told = func(Call) {}
	}
	if o.Turned == nil {
		o.Turned = func(string, string, string) {}
	}
	return o
}

// triesMax bounds Tries: more only keeps people waiting.
const triesMax = 10

// Validate returns all mistakes at once, each with the name of its key.
func (o Options) Validate() error {
	o = o.WithDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("guard: "+format, args...))
		}
	}
	check(o.PerSecond > 0, "per_second: %d is not above 0", o.PerSecond)
	check(o.Burst > 0, "burst: %d is not above 0", o.Burst)
	check(o.Tries > 0 && o.Tries <= triesMax, "tries: %d is not 1 to %d", o.Tries, triesMax)
	check(o.Backoff > 0, "backoff: %s is not above 0", o.Backoff)
	check(o.TryTimeout > 0, "try_timeout: %s is not above 0", o.TryTimeout)
	check(o.Timeout >= o.TryTimeout, "timeout: %s is shorter than try_timeout, %s", o.Timeout, o.TryTimeout)
	check(o.Failures > 0, "failures: %d is not above 0", o.Failures)
	check(o.Rest > 0, "rest: %s is not above 0", o.Rest)
	check(o.MissTTL > 0, "miss_ttl: %s is not above 0", o.MissTTL)
	check(o.Concurrent > 0, "concurrent: %d is not above 0", o.Concurrent)
	check(o.Queue > 0, "queue: %d is not above 0", o.Queue)
	check(o.Retries > 0 && o.Retries <= 100, "retries: %d is not 1 to 100 percent", o.Retries)
	check(o.OffersMax > 0, "offers_max: %d is not above 0", o.OffersMax)
	return errors.Join(errs...)
}

// A Guard watches one account at one network: all roles that it wraps share the
// account's rate. It is safe for concurrent use.
type Guard struct {
	name  string
	o     Options // at first
	now   *atomic.Pointer[Options]
	limit *rate.Limiter

	mu    sync.Mutex
	gates []*gate
}

// New returns the guard of an account, with o as it is after WithDefaults. The
// name is how operators know it.
func New(name string, o Options) *Guard {
	o = o.WithDefaults()
	g := &Guard{name: name, o: o, now: &atomic.Pointer[Options]{}, limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.Burst)}
	g.now.Store(&o)
	return g
}

// Change makes o count from now on, for calls that begin after it: rates, tries,
// time-outs, and after how many failures a role rests. For how long it rests and what
// is kept of offers stays as it was made. It may be called at any time.
func (g *Guard) Change(o Options) {
	o.Kept, o.Now, o.Cache, o.Limits, o.Told, o.Turned = g.o.Kept, g.o.Now, g.o.Cache, g.o.Limits, g.o.Told, g.o.Turned
	o = o.WithDefaults()
	g.limit.SetLimit(rate.Limit(o.PerSecond))
	g.limit.SetBurst(o.Burst)
	g.now.Store(&o)
}

// Network guards n alone. Use [New] where links and orders share an account.
func Network(n link.Network, o Options) link.Network { return New(n.Name(), o).Network(n) }

// Feed guards f alone. Use [New] where links and orders share an account.
func Feed(f order.Feed, o Options) order.Feed {
	return New(f.Network()+"/"+f.Account(), o).Feed(f)
}

// Status says how one role of a network is, for operators.
type Status struct {
	Name      string     // of the guard
	Role      string     // "links" or "orders"
	State     string     // "closed" is well, "open" rests, "half-open" probes
	Calls     int64      // tries that reached the network
	Failures  int64      // of those, how many failed because of the network
	Refused   int64      // calls that did not leave: rate, rest
	Kept      int64      // offers answered from the cache
	LastCode  fault.Code // of the last failure; "" for none yet
	LastError string     // its text
	FailedAt  time.Time  // when it was
	WorkedAt  time.Time  // when the network last answered

	Took time.Duration // what a call takes, about; 0: not known
}

// Status returns how the roles are, in the order in which they were wrapped.
func (g *Guard) Status() []Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Status, 0, len(g.gates))
	for _, gt := range g.gates {
		out = append(out, gt.status())
	}
	return out
}

// gate makes the gate of a role.
func (g *Guard) gate(role string) *gate {
	gt := &gate{
		o: g.now, name: g.name, limit: g.limit,
		seats: newSeats(g.o.Concurrent, g.o.Queue, g.o.TryTimeout), again: newBudget(g.o.Retries),
		health: newHealth(g.name, role, g.o.Rest, func() int { return g.now.Load().Failures }, failed, g.o.Now, func(state string) {
			g.o.Turned(g.name, role, state)
		}),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gates = append(g.gates, gt)
	return gt
}
