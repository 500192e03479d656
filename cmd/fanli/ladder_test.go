package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/guard"
	"fanli/adapters/rpc"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// An apart is a little world in which one target has a process, a database and a
// server of its own, and can be away. Everything else is in another one. What they
// tell each other waits for whoever is away.
type apart struct {
	*little
	victim string
	sides  [2]*side // the others, and the victim
}

// A side is one of the two processes.
type side struct {
	targets []string
	path    string
	address string
	peer    string // where the other one answers
	app     *app   // nil while it is away
	server  *rpc.Server
	done    chan error
}

// newApart opens the world; with no victim everything is in one process.
func newApart(t *testing.T, victim string) *apart {
	t.Helper()
	w := &apart{little: littleIn(t, memoryDir(t)), victim: victim}
	if victim == "" {
		w.mustOpen()
		t.Cleanup(func() { _ = w.app.close() })
		return w
	}
	others := slices.DeleteFunc(slices.Clone(configs.Targets()), func(n string) bool { return n == victim })
	w.sides = [2]*side{{targets: others}, {targets: []string{victim}}}
	for i, s := range w.sides {
		s.path, s.address = filepath.Join(filepath.Dir(w.path), fmt.Sprint(i, ".db")), address(t)
	}
	w.sides[0].peer, w.sides[1].peer = w.sides[1].address, w.sides[0].address
	for _, s := range w.sides {
		w.start(s)
	}
	w.app = w.sides[0].app
	t.Cleanup(func() {
		for _, s := range w.sides {
			w.stop(s)
		}
	})
	return w
}

// start starts a process, on what it left behind.
func (w *apart) start(s *side) {
	w.t.Helper()
	cfg, err := configs.Load("", func(string) (string, bool) { return "", false })
	if err == nil {
		err = migratedAt(s.path)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Withdraw.Auto, cfg.Withdraw.Cooling, cfg.Withdraw.Maximum = 10_000_000, 0, 10_000_000
	cfg.Sync.Rescan = false
	cfg.Targets, cfg.Peers.Token, cfg.Peers.Targets = s.targets, "the installation's token", map[string]string{}
	for _, name := range configs.Targets() {
		if !slices.Contains(s.targets, name) {
			cfg.Peers.Targets[name] = "static:" + s.peer
		}
	}
	cfg.Resilience.Dependencies = nil
	cfg.Resilience.Defaults = guard.LineOptions{Failures: 2, Rest: 20 * time.Millisecond}
	stands := &stands{payer: &hooked{w.bank, w.little}}
	for _, name := range []string{link.JD, link.PDD} {
		stands.networks = append(stands.networks, &hookedNet{w.nets[name], w.little})
		var f order.Feed = feedtest.NewMemory(name, "main", w.markets[name])
		stands.feeds = append(stands.feeds, hookedFeed{f, w.little})
	}
	a, err := newApp(context.Background(), cfg, surroundings{log: logtest.New(nil), now: w.now, stands: stands, holder: s.path, path: s.path})
	if err != nil {
		w.t.Fatal(err)
	}
	s.app = a
	if a.tell != nil {
		a.tell.Channels = []bot.Channel{w.little}
	}
	w.bridge(s)
	o, err := a.rpcOptions()
	if err != nil {
		w.t.Fatal(err)
	}
	o.Serve = append(o.Serve, a.resilience.served())
	if s.server, err = rpc.NewServer(o, a.services()...); err != nil {
		w.t.Fatal(err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", s.address)
	if err != nil {
		w.t.Fatal(err)
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.server.Serve(ln) }()
}

// bridge tells the other process what its targets hear.
func (w *apart) bridge(s *side) {
	other := w.sides[0]
	if s == other {
		other = w.sides[1]
	}
	for _, t := range targets() {
		if slices.Contains(s.targets, t.name) {
			continue
		}
		for i, h := range t.hears(&app{}) {
			s.app.bus.Hear(h.name, t.name+"/far", func(ctx context.Context, e event.Event) error {
				if other.app == nil {
					return fault.New(fault.Unavailable, fault.Down)
				}
				return t.hears(other.app)[i].handle(ctx, e)
			})
		}
	}
}

// stop ends a process at once.
func (w *apart) stop(s *side) {
	w.t.Helper()
	if s.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	s.server.Stop(ctx)
	if err := <-s.done; err != nil {
		w.t.Error(err)
	}
	if err := s.app.close(); err != nil {
		w.t.Error(err)
	}
	s.app = nil
}

// leave takes the victim away, and lets the others notice.
func (w *apart) leave() {
	w.t.Helper()
	if w.victim == "" {
		return
	}
	w.stop(w.sides[1])
	w.notice(true)
}

// back brings it back. Nobody has to ask for anything to find that out.
func (w *apart) back() {
	w.t.Helper()
	if w.victim != "" {
		w.start(w.sides[1])
		w.notice(false)
	}
	for range 3 { // what was put off has its turn, and what follows from it
		w.advance(time.Minute)
		w.calm()
	}
	if err := w.settleAll(); err != nil {
		w.t.Error(err)
	}
}

// notice looks around until the others know that the victim is away, or back.
func (w *apart) notice(away bool) {
	w.t.Helper()
	if w.victim == notificationTarget { // nobody asks it
		return
	}
	a := w.sides[0].app
	deadline := time.Now().Add(patience)
	for {
		w.advance(time.Second)
		a.lookAround(w.t.Context())
		h := a.resilience.health()[w.victim]
		settled := true
		for _, s := range a.resilience.ladder.States() {
			settled = settled && (s.Of != w.victim || s.On == away)
		}
		if h.Away == away && settled {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s away is not noticed to be %v: %+v", w.victim, away, a.resilience.ladder.States())
		}
		if away { // somebody asks
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = rpc.Probe(ctx, a.resilience.conns[w.victim])
			cancel()
		}
		time.Sleep(5 * time.Millisecond) // connections have a clock of their own
	}
}

// calm lets happen what can.
func (w *apart) calm() { _ = w.settleAll() }

func (w *apart) settleAll() error {
	if w.victim == "" {
		return w.settle()
	}
	for range 4 {
		for _, s := range w.sides {
			if s.app == nil {
				continue
			}
			if err := s.app.settleDown(context.Background()); err != nil {
				return err
			}
		}
	}
	return nil
}

// books are the entries of the ledger, wherever that is.
func (w *apart) books() (out []string) {
	w.t.Helper()
	a := w.app
	if w.victim == paymentTarget {
		a = w.sides[1].app
	}
	err := a.db.Ledger().Walk(context.Background(), func(e ledger.Entry) error {
		out = append(out, fmt.Sprintf("%s %s→%s %d %s", e.Kind, e.From, e.To, e.Amount, e.Key))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(out) // what was away together comes in any order
	return out
}

// buy pastes and orders; the reply is returned.
func (w *apart) buy(id, network string, n int) (r bot.Reply, line string) {
	w.t.Helper()
	r = w.say("ann", id, itemLink(network, n))
	l, err := w.follow(network, r, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, l.ID
}

// settled lets a network receive and settle a line.
func (w *apart) settled(network, line string) {
	w.t.Helper()
	for _, step := range []func(string) error{w.markets[network].Receive, w.markets[network].Settle} {
		w.advance(time.Minute)
		if err := step(line); err != nil {
			w.t.Fatal(err)
		}
		w.calm()
	}
	w.advance(40 * 24 * time.Hour) // every hold is over
	w.calm()
}

// story is a shopper's, in the middle of which a target is away. During says what is
// read meanwhile.
func (w *apart) story(during func()) []string {
	w.t.Helper()
	_, first := w.buy("m1", link.JD, 0)
	w.calm()
	w.settled(link.JD, first)
	w.say("ann", "m2", "收款 13812340000 张三")
	w.leave()
	line := ""
	if w.victim != userTarget {
		var r bot.Reply
		r, line = w.buy("m3", link.PDD, 1)
		if late := strings.Contains(bot.RenderText(r), "稍后告诉你"); late != (w.victim == rebateTarget) {
			w.t.Errorf("with %q away a link says\n%s", w.victim, bot.RenderText(r))
		}
	}
	w.calm()
	w.advance(10 * time.Minute)
	w.calm()
	if during != nil {
		during()
	}
	w.back()
	if w.victim == userTarget {
		_, line = w.buy("m3", link.PDD, 1)
		w.advance(time.Minute)
		w.calm()
	}
	w.settled(link.PDD, line)
	w.withdraw()
	return w.books()
}

// withdraw takes everything out.
func (w *apart) withdraw() {
	w.t.Helper()
	r := w.say("ann", "w1", "提现")
	for _, b := range r.Buttons {
		if strings.HasPrefix(b.Action, "确认") {
			r = w.say("ann", "w2", b.Action)
		}
	}
	if text := bot.RenderText(r); !strings.Contains(text, "已受理") {
		w.t.Errorf("a withdrawal is answered with\n%s", text)
	}
	w.calm()
	w.advance(time.Minute)
	w.calm()
}

// wants checks what a message is answered with.
func (w *apart) wants(id, text string, parts ...string) {
	w.t.Helper()
	got := bot.RenderText(w.say("ann", id, text))
	for _, p := range parts {
		if !strings.Contains(got, p) {
			w.t.Errorf("with %s away %q is answered without %q:\n%s", w.victim, text, p, got)
		}
	}
}

// TestATargetIsAway: whichever it is, people read what that means, the rest goes on,
// and afterwards the books are those of a world in which nobody was away.
func TestATargetIsAway(t *testing.T) {
	t.Parallel()
	want := newApart(t, "").story(nil)
	if len(want) < 6 {
		t.Fatalf("the story has only %v", want)
	}
	for victim, during := range map[string]func(w *apart){
		rebateTarget: func(w *apart) {
			w.wants("d1", "订单", "返利计算中", "pdd 商品 1")
			w.wants("d2", "余额", "可提现")
		},
		paymentTarget: func(w *apart) {
			at := w.app.resilience.ladder.Expect(w.now(), paymentTarget).In(w.app.cfg.Location()).Format("15:04")
			w.wants("d1", "提现", "提现暂时办不了", "请在 "+at+" 之后再发“提现”")
			w.wants("d2", "余额", "余额暂时查不到", at)
			w.wants("d3", "订单", "pdd 商品 1")
		},
		orderTarget: func(w *apart) {
			w.wants("d1", "订单", "订单暂时查不到")
			w.wants("d2", "余额", "可提现")
		},
		userTarget: func(w *apart) {
			w.wants("d1", "余额", "正在恢复", "之后再试")
			w.wants("d2", itemLink(link.JD, 1), "正在恢复")
		},
		notificationTarget: func(w *apart) {
			told := len(w.told)
			w.wants("d1", "余额", "可提现")
			w.calm()
			if len(w.told) != told {
				w.t.Errorf("somebody was told %v", w.told[told:])
			}
		},
	} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			w := newApart(t, victim)
			got := w.story(func() { during(w) })
			if !slices.Equal(got, want) {
				t.Errorf("the books are\n%s\nwithout an absence they are\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for _, s := range w.sides[0].app.resilience.ladder.States() {
				if s.On {
					t.Errorf("%s is still on", s.Rung)
				}
			}
			if !slices.ContainsFunc(w.told, func(s string) bool { return strings.Contains(s, "pdd 商品 1") }) {
				t.Errorf("nobody was told of what was bought meanwhile: %v", w.told)
			}
		})
	}
}
