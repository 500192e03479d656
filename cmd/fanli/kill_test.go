package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fanli/adapters/alipay"
	"fanli/adapters/store"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A killer runs the real binary and kills it again and again, at moments drawn
// from a seed.
type killer struct {
	t    *testing.T
	rng  *rand.Rand
	out  *outside
	env  []string
	args []string

	mu    sync.Mutex
	base  string
	up    chan struct{}  // closed while a process serves
	modes map[string]int // how often it was killed in which way
	talks chan struct{}  // somebody sends a message
}

// where is where the service is, as soon as it is somewhere.
func (k *killer) where(ctx context.Context) (string, error) {
	k.mu.Lock()
	up := k.up
	k.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.base, nil
}

func (k *killer) set(base string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.base = base
	close(k.up)
}

func (k *killer) unset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.up = make(chan struct{})
}

// How long a process lives: a start takes some 50 ms, and a second is enough for
// everything that it does by itself.
const (
	startMax  = 80 * time.Millisecond
	lifeMax   = 700 * time.Millisecond
	cutWithin = 800 * time.Millisecond
	talkMax   = 4 * time.Millisecond // from a message to its answer
)

// life starts a process and kills it: while it starts, some time later, as it takes
// or answers a message, or as it waits for an answer of the outside.
func (k *killer) life(ctx context.Context) error {
	p := launch(k.t, k.env, k.args...)
	defer p.kill()
	if k.rng.IntN(5) == 0 {
		return k.after(p, "starting", k.span(startMax), nil)
	}
	base, err := p.ready(ctx)
	if err != nil {
		return err
	}
	k.set(base)
	defer k.unset()
	switch k.rng.IntN(8) {
	case 0, 1, 2:
		return k.after(p, "running", k.span(lifeMax), nil)
	case 3, 4:
		return k.talking(p)
	}
	under := []string{"/fake/alipay/", "/fake/alipay/", "/fake/jd/", "/fake/taobao/", "/go/pdd/"}[k.rng.IntN(5)]
	answer := k.rng.IntN(2) == 0
	c := k.out.wire.arm(under, answer)
	defer k.out.wire.disarm()
	name := "answer lost " + under
	if !answer {
		name = "request lost " + under
	}
	return k.after(p, name, cutWithin, c.hit)
}

// talking kills a process some time after the next message was sent to it, early in
// its life or later.
func (k *killer) talking(p *process) error {
	busy := time.NewTimer(k.span(lifeMax))
	defer busy.Stop()
	select {
	case <-busy.C:
	case <-p.ended:
	}
	select {
	case <-k.talks: // an old one
	default:
	}
	longest := time.NewTimer(cutWithin)
	defer longest.Stop()
	select {
	case <-k.talks:
	case <-longest.C:
	case <-p.ended:
	}
	return k.after(p, "talking", k.span(talkMax), nil)
}

// talk hears of a message that is being sent.
func (k *killer) talk() {
	select {
	case k.talks <- struct{}{}:
	default:
	}
}

// span draws a moment, early ones more often.
func (k *killer) span(longest time.Duration) time.Duration {
	a, b := k.rng.Int64N(int64(longest)), k.rng.Int64N(int64(longest))
	return time.Duration(min(a, b*2))
}

// after kills a process after a time, or at a sign.
func (k *killer) after(p *process, mode string, d time.Duration, sign <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-sign:
	case <-timer.C:
		if sign != nil {
			mode = "running"
		}
	case <-p.ended:
		return fmt.Errorf("the process ended by itself: %s\n%s", p.cmd.ProcessState, p.log)
	}
	k.modes[mode]++
	p.kill()
	if s := p.log.String(); strings.Contains(s, "panic:") || strings.Contains(s, "fatal error:") {
		return fmt.Errorf("before it was killed:\n%s", s)
	}
	return nil
}

// A shopper goes through the whole loop again and again.
type shopper struct {
	*caller
	name   string
	rng    *rand.Rand
	out    *outside
	bought map[string][]string // lines by network
	stop   <-chan struct{}     // closed when enough was killed
}

// over reports whether the shopper should come to an end.
func (s *shopper) over() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// live buys, keeps or returns, and withdraws, until it is over.
func (s *shopper) live(ctx context.Context) error {
	if _, err := s.ask(ctx, "你好"); err != nil {
		return err
	}
	if _, err := s.ask(ctx, "收款 1380000000"+s.name+" 张三"); err != nil {
		return err
	}
	for !s.over() {
		network, line, err := s.buy(ctx)
		if err != nil {
			return err
		}
		if line == "" {
			continue
		}
		if err := s.fate(ctx, network, line); err != nil {
			return err
		}
		if err := s.withdraw(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pasted is what a shopper pastes for one of the goods of a network.
func (s *shopper) pasted(network string) string {
	n := s.rng.IntN(10)
	switch network {
	case link.Taobao:
		return fmt.Sprintf("https://item.taobao.com/item.htm?id=6789012345%02d", 1+n)
	case link.JD:
		return fmt.Sprintf("看看这个 https://item.jd.com/1000120439%d.html 怎么样", 78+n)
	default:
		return fmt.Sprintf("https://mobile.yangkeduo.com/goods.html?goods_id=4455667788%02d", 1+n)
	}
}

// buy pastes a link and orders through what comes back.
func (s *shopper) buy(ctx context.Context) (network, line string, err error) {
	network = []string{link.Taobao, link.JD, link.PDD}[s.rng.IntN(3)]
	r, err := s.ask(ctx, s.pasted(network))
	if err != nil {
		return "", "", err
	}
	url := shopLink(r)
	if url == "" { // the network did not answer in time: people try again
		return "", "", nil
	}
	got, l, err := s.out.world.Buy(url, 1+s.rng.IntN(2))
	if err != nil || got != network {
		return "", "", fmt.Errorf("%s leads to %q: %w", url, got, err)
	}
	s.bought[network] = append(s.bought[network], l.ID)
	return network, l.ID, nil
}

// fate is what becomes of an order.
func (s *shopper) fate(ctx context.Context, network, id string) error {
	shop, _ := s.out.world.Shop(network)
	m := shop.Market
	l, _ := m.Line(id)
	if s.rng.IntN(2) == 0 { // else it is first seen in a later state
		if err := s.patient(ctx, s.notice); err != nil {
			return err
		}
	}
	switch s.rng.IntN(10) {
	case 0:
		return m.Cancel(id)
	case 1:
		return m.Refund(id, l.Price)
	case 2:
		if err := m.Refund(id, 1+money.Fen(s.rng.Int64N(int64(l.Price-1)))); err != nil {
			return err
		}
	}
	if err := m.Receive(id); err != nil {
		return err
	}
	if err := m.Settle(id); err != nil {
		return err
	}
	if err := s.patient(ctx, s.notice); err != nil || s.rng.IntN(4) > 0 {
		return err
	}
	// Returned when it can have been paid out.
	if err := s.withdraw(ctx); err != nil {
		return err
	}
	l, _ = m.Line(id)
	return m.Refund(id, l.Price-l.Refunded)
}

// patient runs wait, but not for longer than people look at their telephone.
func (s *shopper) patient(ctx context.Context, wait func(context.Context) error) error {
	short, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	err := wait(short)
	if short.Err() != nil && ctx.Err() == nil && !errors.Is(err, errGone) && !errors.Is(err, errTwice) {
		return nil
	}
	return err
}

// withdraw asks for all there is, and confirms.
func (s *shopper) withdraw(ctx context.Context) error {
	r, err := s.ask(ctx, "提现")
	if err != nil {
		return err
	}
	word := confirmation(r)
	if word == "" {
		return nil
	}
	if _, err := s.ask(ctx, word); err != nil {
		return err
	}
	return s.patient(ctx, s.notice)
}

// TestRandomKills kills the real binary at random moments while people do the
// whole loop with it over HTTP, and then holds its books against those of the
// networks, of the payer and of the people.
func TestRandomKills(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	kills, shoppers := 200, 6
	switch {
	case os.Getenv("FANLI_SOAK") != "":
		kills = 2000
	case testing.Short():
		kills = 20
	}
	seed := uint64(1)
	if text := os.Getenv("FANLI_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal("FANLI_SEED: ", err)
		}
	}
	t.Logf("seed %d, %d kills", seed, kills)
	dir := memoryDir(t)
	out := newOutside(t)
	env, args := out.settings(t, dir)
	k := &killer{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), out: out, env: env, args: serveArgs(args), up: make(chan struct{}), modes: map[string]int{},
		talks: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := make(chan struct{})
	people, pctx := errgroup.WithContext(ctx)
	var all []*shopper
	for i := range shoppers {
		s := &shopper{
			caller: newCaller(k.where), name: fmt.Sprint(i), rng: rand.New(rand.NewPCG(seed, uint64(10+i))), out: out,
			bought: map[string][]string{}, stop: stop,
		}
		s.sending = k.talk
		all = append(all, s)
		people.Go(func() error { return s.live(pctx) })
	}
	from := time.Now()
	for i := range kills {
		if err := k.life(pctx); err != nil {
			t.Fatalf("kill %d: %v", i, errors.Join(err, context.Cause(pctx)))
		}
	}
	t.Logf("%d kills in %v: %v", kills, time.Since(from).Round(time.Millisecond), k.modes)
	k.calm(func() {
		close(stop)
		if err := people.Wait(); err != nil {
			t.Fatal(err)
		}
		b := openBooks(t, filepath.Join(dir, "data"))
		b.env, b.args = env, args
		b.settled(t, out)
		wantAnswered(t, all)
	})
	if code := runProgram(t, env, append([]string{"audit"}, args...)...); code != exitOK {
		t.Errorf("fanli audit ends with %d", code)
	}
	b := openBooks(t, filepath.Join(dir, "data"))
	b.wantTrue(t, out, all)
	if kills >= 200 {
		b.wantBusy(t, out, k)
	}
}

// calm runs fn with a process that nobody kills, and then stops it.
func (k *killer) calm(fn func()) {
	k.t.Helper()
	p := launch(k.t, k.env, k.args...)
	k.set(p.mustReady(k.t))
	fn()
	if code, took := p.stop(k.t); code != exitOK || took > stopLimit {
		k.t.Errorf("it stops with %d after %v\n%s", code, took, p.log)
	}
}

// runProgram runs the binary to its end and returns its exit code.
func runProgram(t testing.TB, env []string, args ...string) int {
	t.Helper()
	p := launch(t, env, args...)
	code := p.end(t)
	t.Logf("fanli %s: %d\n%s%s", args[0], code, p.out, p.log)
	return code
}

// wantAnswered reads every chat from its beginning: what was taken is there once,
// and is answered once.
func wantAnswered(t *testing.T, all []*shopper) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	messages, notices := 0, 0
	for _, s := range all {
		h, err := s.history(ctx)
		if err != nil {
			t.Fatal(err)
		}
		asked, answered := map[string]int{}, map[string]int{}
		for _, e := range h {
			switch {
			case e.From == "user":
				asked[e.ID]++
				if want, ok := s.sent[e.ID]; !ok || want != e.Text {
					t.Errorf("shopper %s never said %q", s.name, e.Text)
				}
			case e.To != "":
				answered[e.To]++
			default:
				notices++
			}
		}
		for id, text := range s.sent {
			messages++
			if asked[id] != 1 || answered[id] != 1 {
				t.Errorf("shopper %s: %q is there %d times and answered %d times", s.name, text, asked[id], answered[id])
			}
		}
	}
	t.Logf("%d messages answered once, %d notices", messages, notices)
}

// books are fanli's own, read beside it or after it.
type books struct {
	db        *stores
	env, args []string // of the program, for staff
}

func openBooks(t *testing.T, data string) *books {
	t.Helper()
	key, err := sealKey(data)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openApart(t.Context(), store.Config{Path: filepath.Join(data, "fanli.db"), SealKey: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &books{db: db}
}

// owed is what a network owes by its own book.
func owed(s interface {
	Lines(func(market.Line) bool) []market.Line
}) (sum money.Fen) {
	for _, l := range s.Lines(nil) {
		if l.State != market.Created {
			sum += l.Commission
		}
	}
	return sum
}

// staff refuses what waits for a person: somebody returned goods between asking
// for their money and its being sent.
func (b *books) staff(t *testing.T) {
	t.Helper()
	waiting, err := b.db.Withdrawals().InState(t.Context(), time.Now().AddDate(1, 0, 0), 100, withdraw.Reviewing)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range waiting {
		if w.Reason != "review.debt" {
			t.Fatalf("withdrawal %d waits for a person because of %q", w.ID, w.Reason)
		}
		if code := runProgram(t, b.env, append([]string{"withdrawals", "refuse", fmt.Sprint(w.ID)}, b.args...)...); code != exitOK {
			t.Fatalf("refusing withdrawal %d ends with %d", w.ID, code)
		}
	}
}

// unsettled says what is still on its way, "" for nothing.
func (b *books) unsettled(t *testing.T, out *outside) string {
	t.Helper()
	for _, o := range b.db.Outboxes() {
		if n, _, err := o.Depth(t.Context()); err != nil || n > 0 {
			return fmt.Sprintf("%d events of %s wait, %v", n, o.Name(), err)
		}
	}
	b.staff(t)
	open, err := b.db.Withdrawals().InState(t.Context(), time.Now().AddDate(1, 0, 0), 100,
		withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Sending, withdraw.Unknown)
	if err != nil || len(open) > 0 {
		return fmt.Sprintf("withdrawals %+v are open, %v", open, err)
	}
	accounts, err := b.db.Ledger().Accounts(t.Context())
	if err != nil {
		return err.Error()
	}
	for _, s := range out.world.Shops() {
		if got, want := -accounts[ledger.Network(s.Name)], owed(s.Market); got != want {
			return fmt.Sprintf("%s owes %s by its own book, %s by ours", s.Name, want, got)
		}
	}
	return ""
}

// settled waits until nothing is on its way any more.
func (b *books) settled(t *testing.T, out *outside) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	from := time.Now()
	for {
		why := b.unsettled(t, out)
		if why == "" {
			t.Logf("settled after %v", time.Since(from).Round(time.Millisecond))
			return
		}
		if time.Since(from) > patience {
			b.wantLines(t, out)
			t.Fatal("it never settles: ", why)
		}
		<-tick.C
	}
}

// wantTrue holds our books against the truth outside.
func (b *books) wantTrue(t *testing.T, out *outside, all []*shopper) {
	t.Helper()
	if why := b.unsettled(t, out); why != "" {
		t.Error(why)
	}
	b.wantLines(t, out)
	paid := b.wantPayments(t, out)
	for _, s := range all {
		b.wantBalance(t, out, s, paid)
	}
}

// wantLines looks for every order that the networks know.
func (b *books) wantLines(t *testing.T, out *outside) {
	t.Helper()
	for _, s := range out.world.Shops() {
		for _, l := range s.Market.Lines(nil) {
			known, err := b.db.Orders().ByNumber(t.Context(), l.Order)
			if err != nil || len(known) != 1 || known[0].User == 0 || known[0].Commission != l.Commission {
				t.Errorf("%s order %s, %s, %s of %s given back, owes %s: we have %+v, %v", s.Name, l.Order, l.State, l.Refunded, l.Price, l.Commission, known, err)
			}
		}
	}
	c, err := b.db.Orders().Counts(t.Context())
	if err != nil || c.Unattributed != 0 || c.Quarantined != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// wantPayments holds our withdrawals against the payer's book: each was paid once
// and as much as we say, and nothing else was. It returns what each account got.
func (b *books) wantPayments(t *testing.T, out *outside) map[string]money.Fen {
	t.Helper()
	ours, err := b.db.Withdrawals().InState(t.Context(), time.Now().AddDate(1, 0, 0), 100_000, withdraw.Paid)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]money.Fen{}
	for _, w := range ours {
		want[w.Number] = w.Amount
	}
	got, sum := map[string]money.Fen{}, money.Fen(0)
	for _, p := range out.world.Pay().Transfers() {
		if paid := out.world.Pay().Paid(p.Number); len(paid) != 1 || paid[0] != want[p.Number] {
			t.Errorf("number %s: the payer has sent %v, our book says %s", p.Number, paid, want[p.Number])
		}
		got[p.Identity] += p.Amount
		sum += p.Amount
		delete(want, p.Number)
	}
	for number, amount := range want {
		t.Errorf("number %s: our book says %s, the payer does not know it", number, amount)
	}
	booked, err := b.db.Ledger().Balance(t.Context(), ledger.Payer(alipay.Name))
	if err != nil || booked != sum {
		t.Errorf("the payer has sent %s, the ledger says %s, %v", sum, booked, err)
	}
	return got
}

// wantBalance computes from the outside alone what a person should have.
func (b *books) wantBalance(t *testing.T, out *outside, s *shopper, paid map[string]money.Fen) {
	t.Helper()
	var earned money.Fen
	var id int64
	const share = 7000 // of default.yaml
	for network, lines := range s.bought {
		shop, _ := out.world.Shop(network)
		for _, name := range lines {
			l, _ := shop.Market.Line(name)
			earned += l.Commission.Share(share)
			if known, err := b.db.Orders().ByNumber(t.Context(), l.Order); err == nil && len(known) == 1 {
				if id != 0 && known[0].User != id {
					t.Errorf("shopper %s: order %s is user %d's, not %d's", s.name, l.Order, known[0].User, id)
				}
				id = known[0].User
			}
		}
	}
	pockets, err := b.db.Ledger().Wallet(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got := pockets[ledger.Pending] + pockets[ledger.Available] + pockets[ledger.Reserved] + pockets[ledger.Debt]
	if want := earned - paid["1380000000"+s.name]; got != want || pockets[ledger.Reserved] != 0 {
		t.Errorf("shopper %s has %s in %v, but earned %s and was paid %s", s.name, got, pockets, earned, paid["1380000000"+s.name])
	}
}

// wantBusy fails if the kills came to a system that did nothing.
func (b *books) wantBusy(t *testing.T, out *outside, k *killer) {
	t.Helper()
	lines, cut := 0, 0
	for _, s := range out.world.Shops() {
		lines += len(s.Market.Lines(nil))
	}
	for mode, n := range k.modes {
		if strings.Contains(mode, "/fake/alipay/") {
			cut += n
		}
	}
	payments := len(out.world.Pay().Transfers())
	t.Logf("%d orders, %d payments, %d of them cut off", lines, payments, cut)
	if lines < 30 || payments < 10 || cut < 3 {
		t.Errorf("too little happened between the kills")
	}
}
