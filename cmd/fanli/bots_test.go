package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"fanli/adapters/bus/brokertest"
	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/money"
)

// A pair is two processes of bot over one database, and one process with all that
// they ask.
type pair struct {
	t    *testing.T
	out  *outside
	env  []string
	args []string
	dsn  string
	key  []byte
	bots [2]*process
	base [2]string
	core *process
}

// newPair starts one. env is for the bots.
func newPair(t *testing.T, name string, env ...string) *pair {
	t.Helper()
	dir := memoryDir(t)
	p := &pair{t: t, out: newOutside(t), key: []byte(strings.Repeat("k", sealKeyLen))}
	p.env, p.args = p.out.settings(t, dir)
	p.dsn = databasesOf(t, mariadbtest.Shared(t), name)
	p.env = append(p.env, "FANLI_DATABASE_DSN="+p.dsn, "FANLI_DATABASE_SEAL_KEY="+hex.EncodeToString(p.key),
		"FANLI_PEERS_TOKEN=a token that only these three know", "FANLI_BROKER_URL="+brokertest.Redis(t).URL(), "FANLI_BROKER_PREFIX="+name)
	peer := [3]string{address(t), address(t), address(t)}
	at := fmt.Sprintf("FANLI_PEERS_TARGETS={bot: %q, user: %q, order: %q, rebate: %q, payment: %q}", "static:"+peer[1]+","+peer[2],
		"static:"+peer[0], "static:"+peer[0], "static:"+peer[0], "static:"+peer[0])
	start := func(i int, targets string, more ...string) *process {
		mine := slices.Concat(p.env, more, []string{at, "FANLI_TARGETS=" + targets, "FANLI_LISTEN=127.0.0.1:0", "FANLI_PEERS_LISTEN=" + peer[i]})
		return launch(t, mine, "serve", "--config", p.args[1], "--data", filepath.Join(dir, fmt.Sprint("process", i)))
	}
	p.core = start(0, "user,order,rebate,payment,notification")
	var all errgroup.Group
	all.Go(func() error { _, err := p.core.ready(t.Context()); return err })
	for i := range p.bots {
		p.bots[i] = start(i+1, botTarget, env...)
		all.Go(func() (err error) { p.base[i], err = p.bots[i].ready(t.Context()); return err })
	}
	t.Cleanup(p.logs)
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	return p
}

// logs are what the processes have said, for a test that failed.
func (p *pair) logs() {
	if p.t.Failed() {
		p.t.Logf("core:\n%s\nfirst bot:\n%s\nsecond bot:\n%s", p.core.log, p.bots[0].log, p.bots[1].log)
	}
}

// books are those of all three.
func (p *pair) books() *books {
	p.t.Helper()
	db, err := openApart(p.t.Context(), store.Config{DSN: p.dsn, SealKey: p.key}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(p.t.Context()); err != nil { // there is no gateway, which would make its own
		p.t.Fatal(err)
	}
	return &books{db: db, env: p.env, args: p.args}
}

// shared are two browsers of one person, one at each process.
func (p *pair) shared() (a, b *caller) {
	p.t.Helper()
	a, b = callerAt(p.base[0]), callerAt(p.base[1])
	if err := a.enter(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	b.session = a.session
	return a, b
}

// patient bounds a step of a test.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestTwoBots writes to one process and reads at the other, with a bell and without.
func TestTwoBots(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	for name, redis := range map[string]func(t *testing.T) []string{
		"polls": func(*testing.T) []string { return nil },
		"rings": func(t *testing.T) []string { return []string{"FANLI_REDIS_URL=" + brokertest.Redis(t).URL()} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, "bots_"+name, redis(t)...)
			a, b := p.shared()
			for i, text := range []string{"你好", "收款 13800000001 张三", "https://item.jd.com/100012043978.html", "余额", "收款 修改"} {
				from, at := a, b
				if i%2 == 1 {
					from, at = b, a
				}
				from.count = i
				id, err := from.post(patient(t), text)
				if err != nil {
					t.Fatal(err)
				}
				at.count = i
				if again, err := at.post(patient(t), text); err != nil || again != id { // as a page does that had no answer
					t.Fatal(again, id, err)
				}
				r, err := at.answer(patient(t), id)
				if err != nil {
					t.Fatal(err)
				}
				if i == 2 && shopLink(r) == "" {
					t.Errorf("there is no link in %+v", r)
				}
			}
			// What was asked for at one is answered at the other.
			b.count = 10
			r, err := b.ask(patient(t), "13900000002")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(r.Text, "姓名") {
				t.Errorf("the account was asked for, and the answer to it is %q", r.Text)
			}
			all, err := a.history(patient(t))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(all); n != 12 {
				t.Errorf("%d entries for six messages and their answers: %+v", n, all)
			}
			p.takenOver(a, b)
		})
	}
}

// takenOver kills the process that has just taken a message. The other one answers it.
func (p *pair) takenOver(a, b *caller) {
	p.t.Helper()
	wire := p.out.wire.arm("/fake/jd", false) // the answer waits for a network
	a.count = 20
	id, err := a.post(patient(p.t), "https://item.jd.com/100012043980.html")
	if err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-wire.hit:
	case <-patient(p.t).Done():
		p.t.Fatal("the network was never asked")
	}
	p.bots[0].kill()
	from := time.Now()
	if _, err := b.answer(patient(p.t), id); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("taken over after %v", time.Since(from).Round(time.Millisecond))
}

// TestRedisIsNeverTheTruth tells the same story to one process without Redis, and to
// two bots in turn whose Redis is flushed and killed all the time: people are told the
// same, and every line and withdrawal has moved the same money between the same accounts.
func TestRedisIsNeverTheTruth(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	dir := memoryDir(t)
	out := newOutside(t)
	env, args := out.settings(t, dir)
	one := launch(t, env, serveArgs(args)...)
	plain := &story{t: t, out: out, me: callerAt(one.mustReady(t)), books: openBooks(t, filepath.Join(dir, "data"))}
	plain.tell()
	want := moved(t, plain.books)

	server := brokertest.Redis(t)
	p := newPair(t, "flushed", "FANLI_REDIS_URL="+server.URL())
	stop := make(chan struct{})
	var chaos sync.WaitGroup
	var flushed, killed int
	chaos.Go(func() { flushed, killed = harass(t, server, stop) })
	var n atomic.Int64
	me := newCaller(func(context.Context) (string, error) { return p.base[n.Add(1)%2], nil })
	many := &story{t: t, out: p.out, me: me, books: p.books()}
	many.tell()
	got := moved(t, many.books)
	close(stop)
	chaos.Wait()
	t.Logf("Redis was flushed %d times and killed %d times", flushed, killed)
	if flushed == 0 || killed == 0 {
		t.Error("nothing was done to Redis")
	}
	if !maps.Equal(got, want) {
		t.Errorf("without Redis there is\n%v\nwith it\n%v", want, got)
	}
	if a, b := told(plain.me), told(many.me); !slices.Equal(a, b) {
		t.Errorf("without Redis people are told\n%s\nwith it\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	if code := runProgram(t, p.env, append([]string{"audit"}, p.args...)...); code != exitOK {
		t.Errorf("fanli audit ends with %d", code)
	}
}

// moved is what each cause has put into each account. (Whether an order is heard of
// before its link is chance where they are different processes; where it is, its entries
// are other ones with the same end.)
func moved(t *testing.T, b *books) map[string]money.Fen {
	t.Helper()
	out := nets(t, &app{db: b.db})
	maps.DeleteFunc(out, func(_ string, n money.Fen) bool { return n == 0 })
	return out
}

// harass flushes and kills a Redis at random moments until it is told to stop.
func harass(t *testing.T, server *brokertest.Broker, stop <-chan struct{}) (flushed, killed int) {
	o, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	rng := rand.New(rand.NewPCG(4, 11))
	for i := 0; ; i++ {
		select {
		case <-stop:
			return flushed, killed
		case <-time.After(time.Duration(rng.Int64N(int64(400 * time.Millisecond)))):
		}
		if i%4 == 3 {
			server.Kill(t)
			killed++
			select { // sometimes it is away for a while
			case <-stop:
			case <-time.After(time.Duration(rng.Int64N(int64(3 * time.Second)))):
			}
			server.Start(t)
			continue
		}
		c := redis.NewClient(o)
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Error(err)
		}
		_ = c.Close()
		flushed++
	}
}

// chance is what differs from one telling to the next: numbers, codes and addresses.
var chance = regexp.MustCompile(`[0-9A-Za-z:/._?&=%~+¥-]+`)

// told is what a person was told as answers, in order of the questions.
func told(c *caller) (out []string) {
	var ids []string
	for id := range c.heard {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		out = append(out, c.sent[id]+" → "+wordsOf(c.heard[id].Reply))
	}
	for i := range out {
		out[i] = chance.ReplaceAllString(out[i], "#")
	}
	return out
}

// wordsOf is all text of a reply.
func wordsOf(r bot.Reply) string {
	s := r.Text
	for _, c := range r.Cards {
		s += " | " + c.Title
		for _, row := range c.Rows {
			s += " " + row.Label + " " + row.Value
		}
		s += " " + strings.Join(c.Notes, " ")
	}
	for _, b := range r.Buttons {
		s += " [" + b.Label + "]"
	}
	return s
}

// TestTelegramWithTwoBots has one of two processes poll. It is killed, and the other one
// takes over; what people are told unasked may come from either.
func TestTelegramWithTwoBots(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	const token = "123456:AAexampleexampleexampleexampleexamp"
	fake := telegramfake.New(telegramfake.Config{Token: token, Username: "fanli_bot"})
	platform := httptest.NewServer(fake)
	t.Cleanup(platform.Close)
	pr := newPair(t, "telegram", "FANLI_TELEGRAM_TOKEN="+token, "FANLI_TELEGRAM_ENDPOINT="+platform.URL)
	p := &phone{t: t, fake: fake, me: 4242}
	p.says("/start", "返利")
	p.says("收款 13800000000 张三", "138****0000")
	polls := slices.IndexFunc(pr.bots[:], func(b *process) bool { return strings.Contains(b.log.String(), "the channel is open") })
	if polls < 0 || strings.Contains(pr.bots[1-polls].log.String(), "the channel is open") {
		t.Fatalf("%d polls", polls)
	}
	card := p.says("https://item.jd.com/100012043978.html", "预计返利")
	made := ""
	for _, b := range card.Flat() {
		if strings.HasPrefix(b.URL, pr.out.base) {
			made = b.URL
		}
	}
	if _, _, err := pr.out.world.Buy(made, 1); err != nil {
		t.Fatal(err)
	}
	p.hears("看到你的京东订单了")
	pr.bots[polls].kill()
	from := time.Now()
	p.says("余额", "待结算")
	t.Logf("taken over after %v", time.Since(from).Round(time.Millisecond))
	if _, _, err := pr.out.world.Buy(made, 1); err != nil {
		t.Fatal(err)
	}
	p.hears("看到你的京东订单了")
}
