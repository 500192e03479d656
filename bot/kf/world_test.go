package kf_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/logtest"
	"fanli/core/user"
)

// ann and bob have written to the account before; cat has not.
var ann, bob, cat = kffake.Customer("Ann", 1), kffake.Customer("Bob", 2), kffake.Customer("Cat", 3)

// kept is what a database keeps, in memory: a book, marks and leases.
type kept struct {
	works func() // whenever it is asked; nil: that costs nothing

	mu     sync.Mutex
	states map[string][]byte
	revs   map[string]int64
	parked []parked
	marks  map[string]mark
	leases map[string]holding
	tokens int64
}

type parked struct {
	id             int64
	who, key, told string
	body           []byte
}

type mark struct {
	value string
	token int64
}

type holding struct {
	holder string
	lock.Lease
}

func newKept() *kept {
	return &kept{states: map[string][]byte{}, revs: map[string]int64{}, marks: map[string]mark{}, leases: map[string]holding{}}
}

func (b *kept) lock() func() {
	if b.works != nil {
		b.works()
	}
	b.mu.Lock()
	return b.mu.Unlock
}

func (b *kept) Follower(_ context.Context, id string) ([]byte, int64, error) {
	defer b.lock()()
	return b.states[id], b.revs[id], nil
}

func (b *kept) SetFollower(_ context.Context, id string, rev int64, state []byte) error {
	defer b.lock()()
	if b.revs[id] != rev {
		return fault.New(fault.Conflict, "follower.moved")
	}
	b.states[id], b.revs[id] = state, rev+1
	return nil
}

func (b *kept) Park(_ context.Context, who, key string, body []byte, _ time.Time) error {
	b.put(who, key, "", body)
	return nil
}

func (b *kept) put(who, key, told string, body []byte) {
	defer b.lock()()
	if !slices.ContainsFunc(b.parked, func(p parked) bool { return p.key == key }) {
		b.parked = append(b.parked, parked{int64(len(b.parked) + 1), who, key, told, body})
	}
}

func (b *kept) Tell(_ context.Context, who, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error) {
	defer b.lock()()
	again := slices.ContainsFunc(b.parked, func(p parked) bool { return p.who == who && p.told == message })
	for i := range b.parked {
		p := &b.parked[i]
		switch {
		case p.who != who || p.told != "" && p.told != message:
		case p.told == message, !again && len(ids) < count:
			p.told = message
			ids, bodies = append(ids, p.id), append(bodies, p.body)
		default:
			waiting++
		}
	}
	return ids, bodies, waiting, nil
}

func (b *kept) Untell(_ context.Context, ids []int64) error {
	defer b.lock()()
	for i := range b.parked {
		if slices.Contains(ids, b.parked[i].id) {
			b.parked[i].told = ""
		}
	}
	return nil
}

func (b *kept) Sent(_ context.Context, who, key string, body []byte, _ time.Time) error {
	b.put(who, key, "sent", body)
	return nil
}

func (b *kept) Unsent(_ context.Context, who, key string) (bool, error) {
	defer b.lock()()
	for i, p := range b.parked {
		if p.who == who && p.key == key && p.told == "sent" {
			b.parked[i].told = ""
			return true, nil
		}
	}
	return false, nil
}

func (b *kept) Mark(_ context.Context, name string) (string, error) {
	defer b.lock()()
	return b.marks[name].value, nil
}

func (b *kept) SetMark(_ context.Context, name, value string, token int64) error {
	defer b.lock()()
	if token > 0 && token < b.marks[name].token {
		return fault.New(fault.Conflict, "mark.fenced")
	}
	b.marks[name] = mark{value, token}
	return nil
}

// has reports whether a mark has a text in it.
func (b *kept) has(text string) bool {
	defer b.lock()()
	for _, m := range b.marks {
		if strings.Contains(m.value, `"`+text+`"`) {
			return true
		}
	}
	return false
}

func (b *kept) Take(_ context.Context, name, holder string, length time.Duration) (lock.Lease, error) {
	defer b.lock()()
	h, now := b.leases[name], time.Now()
	if h.holder != holder {
		if now.Before(h.Until) {
			return lock.Lease{}, fault.New(fault.Conflict, "lease.held")
		}
		b.tokens++
		h = holding{holder, lock.Lease{Name: name, Token: b.tokens}}
	}
	h.Until = now.Add(length)
	b.leases[name] = h
	return h.Lease, nil
}

func (b *kept) Drop(_ context.Context, name, holder string) error {
	defer b.lock()()
	if b.leases[name].holder == holder {
		delete(b.leases, name)
	}
	return nil
}

func (*kept) Held(context.Context) ([]lock.Holding, error) { return nil, nil }

// counts counts what a channel says it does.
type counts struct {
	mu sync.Mutex
	by map[string]int
}

func (c *counts) add(what, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[what+"/"+how]++
}

func (c *counts) of(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[key]
}

// logs is a log that can be read while it is written.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A world is an account with its customers, and a database.
type world struct {
	fake    *kffake.Server
	channel *kf.Channel // of the newest process
	kept    *kept
	store   *mailtest.Store
	logs    *logs
	counts  counts
	engine  *mail.Engine // of the newest process

	processes int
}

// open makes a world with one process; change changes what is configured.
func open(t *testing.T, cfg kffake.Config, change func(o *kf.Options)) *world {
	t.Helper()
	w := &world{fake: kffake.New(cfg), kept: newKept(), store: &mailtest.Store{}, logs: &logs{}}
	w.join(t, cfg, change)
	return w
}

// join makes the channel of one more process, to which hints go from now on.
func (w *world) join(t *testing.T, cfg kffake.Config, change func(o *kf.Options)) *kf.Channel {
	t.Helper()
	w.processes++
	o := w.options(t, cfg)
	w.engine = o.Mail
	if change != nil {
		change(&o)
	}
	c, err := kf.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.channel = c
	w.fake.Connect("http://fanli.example/wecom", kffake.Local(c))
	return c
}

// options are those of the newest process, with a mail of its own.
func (w *world) options(t *testing.T, cfg kffake.Config) kf.Options {
	t.Helper()
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	holder, log := fmt.Sprint("process ", w.processes), logtest.New(w.logs)
	client, err := platform.New(platform.Config{CorpID: w.fake.CorpID(), Secret: w.fake.Secret(), OpenKfID: w.fake.OpenKfID()},
		platform.Options{HTTP: kffake.Local(w.fake), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return kf.Options{
		CorpID: w.fake.CorpID(), Token: w.fake.Token(), AESKey: w.fake.AESKey(), OpenKfID: w.fake.OpenKfID(), Every: time.Hour,
		Platform: client, Book: w.kept, Marks: w.kept, Leases: w.kept, Holder: holder,
		Mail: &mail.Engine{Store: w.store, Holder: holder, Now: now, Log: log}, Count: w.counts.add, Log: log, Now: now,
	}
}

// run runs the newest channel until the test ends, or stop is called.
func (w *world) run(t *testing.T, answer bot.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	c := w.channel
	go func() { ended <- c.Run(ctx, answer) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// patience is when something that does not happen is called missing.
const patience = 20 * time.Second

// until waits until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never comes to that: %s", what)
		}
	}
}

// echo answers with the message.
func echo(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: "re " + m.Text} }

// identity is a person of the channel.
func identity(id string) user.Identity { return user.Identity{Channel: kf.Name, External: id} }
