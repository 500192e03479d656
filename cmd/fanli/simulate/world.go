package simulate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"time"

	"fanli/adapters/store"
	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/jobs"
)

// A world is the outside of one seed with its own truth, and the process in it.
// One goroutine moves both; all chance comes from the seed.
type world struct {
	opt   Options
	seed  uint64
	rng   *rand.Rand // what people and networks do
	ill   *ill       // what goes wrong
	crash crasher
	at    time.Time
	tells bool // notices are delivered in this world
	fixed bool // its rules never change; only there people buy what they have not asked for

	nets      []*net
	bank      *bank
	till      *till
	trade     *trade              // nil where nobody is asked for money
	told      map[int64]time.Time // by charge: when somebody was told that it is paid
	rules     *oracle.Rules
	users     []*person
	links     []oracle.Link // as their users have seen them
	claim     []oracle.Claim
	words     []oracle.Decision
	contested map[string]bool     // by the order number as placed
	named     map[string]bool     // network/number, as placed, of what somebody claimed
	buyers    map[string]int64    // by line, of networks whose order numbers name them
	said      []oracle.Invitation // whose codes people have entered
	asked     []oracle.Bonus      // and which bonuses they have asked for
	funds     map[string]oracle.Limit
	lines     []lineRef // those that may still change
	left      map[int64]bool

	db      *store.DB
	dsn     string // of this world's database, where it is on a server
	house   *house
	fence   int64
	tally   Tally
	chances int
	tags    int
	orders  int64

	hash    hash.Hash
	record  bool
	story   []string
	wrongs  []string // what must never happen, and did
	persons map[string]int64
	kin     *rand.Rand // what people with several accounts do; nil where there are none
	unions  []oracle.Union
	notices map[string]int // by key: how often a message was delivered
}

// A person is a user, outside.
type person struct {
	id      int64
	level   int
	account int // how often the payout account was changed
	asked   int // withdrawals
	family  *family
	buys    bool    // memberships
	into    *person // the account that this one was linked to
}

// A lineRef finds a line.
type lineRef struct {
	n  *net
	id string
}

// start is when all worlds begin.
func start() time.Time { return time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC) }

func newWorld(opt Options, seed uint64, record bool) *world {
	w := &world{
		opt: opt, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), ill: drawIll(seed, opt.Faults), at: start(),
		hash: sha256.New(), record: record, left: map[int64]bool{}, contested: map[string]bool{}, named: map[string]bool{}, buyers: map[string]int64{}, persons: map[string]int64{}, notices: map[string]int{},
	}
	w.kin = drawFamilies(seed)
	w.crash = crasher{ill: w.ill, quiet: true}
	w.bank = &bank{w: w, book: map[string]*payment{}}
	w.trade, w.told = drawTrade(seed), map[int64]time.Time{}
	w.till = &till{w: w, lazy: seed%2 == 0, slips: map[string]*slip{}}
	w.tells = w.rng.IntN(4) == 0
	w.fixed = w.rng.IntN(3) == 0
	pages := []int{25, 100, 500}
	for _, name := range []string{link.JD, link.PDD, link.Taobao} {
		n := &net{
			w: w, name: name, rows: pages[w.rng.IntN(len(pages))], binds: name == link.JD, apart: name == link.Taobao,
			newest: map[string]int64{}, disputed: map[string]bool{}, baskets: map[string]bool{},
		}
		if w.ill.has(Skew) {
			n.skew = w.ill.upTo(2*skewMax) - skewMax
		}
		n.market = market.New(func() time.Time { return w.at.Add(n.skew) }, fee, 1)
		for i := range 12 {
			n.market.Stock(market.Goods{
				ID: fmt.Sprintf("%s-item-%d", name, i), Title: fmt.Sprintf("%s 商品 %d", name, i), Category: []string{"digital", "home", ""}[i%3],
				Price: money.Fen(900 + w.rng.IntN(60_000)), Coupon: money.Fen(w.rng.IntN(800)), CouponFrom: 1000, Rate: money.Bps(50 + w.rng.IntN(3_000)),
			})
		}
		w.nets = append(w.nets, n)
	}
	w.rules = w.drawRules()
	w.drawFunds()
	return w
}

// drawRules draws how commissions are shared from now on.
func (w *world) drawRules() *oracle.Rules {
	bps := func(max int) money.Bps { return money.Bps(w.rng.IntN(max)) }
	r := &oracle.Rules{
		Base: 3000 + bps(6000), Fee: bps(3) * 500, Minimum: money.Fen(w.rng.IntN(4) * 5),
		Levels:     map[int]money.Bps{1: bps(1000), 2: bps(2500)},
		Networks:   map[string]money.Bps{link.JD: bps(1500) - 700},
		Categories: map[string]money.Bps{"digital": bps(1500) - 700},
		HoldDays:   map[string]int{"": w.rng.IntN(3), link.Taobao: w.rng.IntN(9)},
	}
	if w.rng.IntN(3) > 0 {
		r.First, r.Second = bps(3000), bps(1500)
	}
	if w.rng.IntN(4) == 0 {
		r.Gift = money.Fen(1 + w.rng.IntN(60))
	}
	if w.rng.IntN(3) == 0 {
		r.Cap = money.Fen(200 + w.rng.IntN(3000))
	}
	// Rules that could give more than everything are refused, so none are drawn.
	most := max(r.Levels[1], r.Levels[2]) + max(r.Networks[link.JD], 0) + max(r.Categories["digital"], 0)
	r.Base = min(r.Base, money.Whole-most)
	return r
}

func (w *world) now() time.Time { return w.at }

// rungs are the re-scans that worlds need in which following loses rows.
func (w *world) rungs() []jobs.Rung {
	if !w.ill.on[Lost] {
		return nil
	}
	return []jobs.Rung{
		{Name: "day", Back: 44 * time.Hour, Every: 24 * time.Hour},
		{Name: "month", Back: 40 * 24 * time.Hour, Every: 7 * 24 * time.Hour},
	}
}

// note enters what happens in the log whose hash proves a replay.
func (w *world) note(format string, args ...any) {
	_, _ = fmt.Fprintf(w.hash, "%d ", w.at.UnixMilli())
	_, _ = fmt.Fprintf(w.hash, format+"\n", args...)
	if w.record {
		w.story = append(w.story, w.at.Format(moment)+" "+fmt.Sprintf(format, args...))
	}
}

// wrong keeps what must never happen.
func (w *world) wrong(format string, args ...any) {
	w.note("WRONG: "+format, args...)
	w.wrongs = append(w.wrongs, fmt.Sprintf(format, args...))
}

// Send implements notify.Sender.
func (w *world) Send(_ context.Context, m notify.Message) error {
	if err := w.crash.point("told"); err != nil {
		return err
	}
	w.notices[m.Key]++
	w.tally.Notices++
	return w.crash.point("told.done")
}

// open starts the first process.
func (w *world) open(ctx context.Context) (err error) {
	if w.db, err = openDB(ctx, w, w.path()); err != nil {
		return err
	}
	if w.house, err = newHouse(ctx, w, w.db); err != nil {
		return err
	}
	w.crash.quiet = false
	w.crash.born()
	return nil
}

// path is where the database is.
func (w *world) path() string {
	if w.opt.Dir == "" {
		return store.Memory
	}
	return fmt.Sprintf("%s/seed-%d.db", w.opt.Dir, w.seed)
}

// onServer makes this world's database on a server.
func (w *world) onServer(ctx context.Context) (drop func(context.Context) error, err error) {
	w.dsn, drop, err = store.Scratch(ctx, w.opt.DSN, fmt.Sprintf("seed_%d", w.seed))
	return drop, err
}

// restart drops the dead process with all that it remembers, and starts the next
// one over the same database; that one may die while it starts.
func (w *world) restart(ctx context.Context) error {
	for {
		w.crash.born()
		w.note("restart %d", w.crash.deaths)
		if w.opt.Dir != "" || w.dsn != "" {
			if err := w.db.Close(); err != nil {
				return err
			}
			db, err := openDB(ctx, w, w.path())
			if w.crash.dead {
				if err == nil {
					w.db = db
				}
				continue
			}
			if err != nil {
				return err
			}
			w.db = db
		}
		h, err := newHouse(ctx, w, w.db)
		if err == nil {
			w.house = h
			return nil
		}
		if !w.crash.dead {
			return err
		}
	}
}

// try does what somebody wants of the process, again and again while it dies. An
// answer that is a fault of ours is kept as wrong; others are answers.
func (w *world) try(ctx context.Context, do func() error) error {
	for {
		err := do()
		if w.crash.dead {
			if err := w.restart(ctx); err != nil {
				w.wrong("the process does not start: %v", err)
				return err
			}
			continue
		}
		switch fault.CodeOf(err) {
		case fault.Internal, fault.Unavailable, fault.Unknown:
			w.wrong("an answer of ours: %v", err)
		default:
		}
		return err
	}
}

// work lets the jobs run until they have nothing left to do.
func (w *world) work(ctx context.Context) {
	_ = w.try(ctx, func() error { return w.house.work(ctx, w) }) // what is wrong is kept
}

// live moves the world through its days.
func (w *world) live(ctx context.Context) error {
	for range 6 + w.rng.IntN(8) {
		w.join(ctx)
	}
	end := start().AddDate(0, 0, w.opt.Days)
	for w.at.Before(end) && len(w.wrongs) == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.shoppers(ctx)
		w.visitors(ctx)
		w.families(ctx)
		w.called(ctx)
		w.trading(ctx)
		w.staff(ctx, false)
		w.work(ctx)
	}
	return nil
}

// rescans is how many days it takes at most until a re-scan has seen everything
// that following has lost.
const rescans = 9

// settling is how time passes once the faults have stopped. Every world has to
// converge within it; what bank and till still have on its way takes some hours.
func (w *world) settling() []time.Duration {
	var out []time.Duration
	pass := func(n int, d time.Duration) {
		for range n {
			out = append(out, d)
		}
	}
	pass(6, 10*time.Minute)
	hours := func() {
		pass(2, time.Hour)
		pass(2, 150*time.Minute)
	}
	hours()
	if w.ill.on[Lost] {
		pass(rescans, 24*time.Hour)
		hours()
	}
	pass(3, 10*time.Minute)
	return out
}

// settle stops the faults and lets time pass until nothing is left to do.
func (w *world) settle(ctx context.Context) {
	w.ill.over = true
	w.note("the faults stop")
	for _, d := range w.settling() {
		w.at = w.at.Add(d)
		w.called(ctx)
		w.rung(ctx)
		w.staff(ctx, true)
		w.work(ctx)
	}
}
