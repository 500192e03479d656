package wechat_test

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
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/bot/wechat"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/user"
)

// book is a Book in memory.
type book struct {
	mu      sync.Mutex
	states  map[string][]byte
	revs    map[string]int64
	parked  []parked
	ways    map[string]string
	refuses bool // it cannot be reached
	forgets bool // what was written, as if the process had died before
}

type parked struct {
	id                int64
	openid, key, told string
	body              []byte
}

func newBook() *book {
	return &book{states: map[string][]byte{}, revs: map[string]int64{}, ways: map[string]string{}}
}

func (b *book) lock() (func(), error) {
	b.mu.Lock()
	if b.refuses {
		b.mu.Unlock()
		return nil, fault.New(fault.Unavailable, "")
	}
	return b.mu.Unlock, nil
}

func (b *book) Follower(_ context.Context, openid string) ([]byte, int64, error) {
	free, err := b.lock()
	if err != nil {
		return nil, 0, err
	}
	defer free()
	return b.states[openid], b.revs[openid], nil
}

func (b *book) SetFollower(_ context.Context, openid string, rev int64, state []byte) error {
	free, err := b.lock()
	if err != nil {
		return err
	}
	defer free()
	if b.revs[openid] != rev {
		return fault.New(fault.Conflict, "follower.moved")
	}
	b.states[openid], b.revs[openid] = state, rev+1
	return nil
}

func (b *book) Park(_ context.Context, openid, key string, body []byte, _ time.Time) error {
	free, err := b.lock()
	if err != nil {
		return err
	}
	defer free()
	if !slices.ContainsFunc(b.parked, func(p parked) bool { return p.key == key }) {
		b.parked = append(b.parked, parked{int64(len(b.parked) + 1), openid, key, "", body})
	}
	return nil
}

func (b *book) TellWith(_ context.Context, openid, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error) {
	free, err := b.lock()
	if err != nil {
		return nil, nil, 0, err
	}
	defer free()
	own := func(p parked) bool {
		return p.openid == openid && p.told != "" && strings.TrimLeft(p.told, "?!") == message
	}
	again := slices.ContainsFunc(b.parked, own)
	for i := range b.parked {
		p := &b.parked[i]
		switch {
		case own(*p):
			if p.told == message {
				p.told = "!" + message
			}
		case p.openid != openid || p.told != "" && p.told[0] != '?' && p.told[0] != '!':
			continue
		case again || len(ids) == count:
			waiting++
			continue
		default:
			p.told = "?" + message
		}
		ids, bodies = append(ids, p.id), append(bodies, p.body)
	}
	return ids, bodies, waiting, nil
}

func (b *book) Told(_ context.Context, openid, message string) error {
	free, err := b.lock()
	if err != nil {
		return err
	}
	defer free()
	if b.forgets {
		return fault.New(fault.Unavailable, "")
	}
	for i, p := range b.parked {
		if p.openid == openid && p.told == "?"+message {
			b.parked[i].told = message
		}
	}
	return nil
}

func (b *book) Sent(_ context.Context, openid, key string, body []byte, _ time.Time) error {
	free, err := b.lock()
	if err != nil {
		return err
	}
	defer free()
	if !slices.ContainsFunc(b.parked, func(p parked) bool { return p.key == key }) {
		b.parked = append(b.parked, parked{int64(len(b.parked) + 1), openid, key, "-", body})
	}
	return nil
}

func (b *book) Unsent(_ context.Context, openid, key string) (bool, error) {
	free, err := b.lock()
	if err != nil {
		return false, err
	}
	defer free()
	i := slices.IndexFunc(b.parked, func(p parked) bool { return p.openid == openid && p.key == key && p.told == "-" })
	if i < 0 {
		return false, nil
	}
	b.parked[i].told = ""
	return true, nil
}

func (b *book) Untell(_ context.Context, ids []int64) error {
	free, err := b.lock()
	if err != nil {
		return err
	}
	defer free()
	for i := range b.parked {
		if slices.Contains(ids, b.parked[i].id) {
			b.parked[i].told = ""
		}
	}
	return nil
}

func (b *book) Decide(_ context.Context, message, way string, _ time.Time) (string, error) {
	free, err := b.lock()
	if err != nil {
		return "", err
	}
	defer free()
	if b.ways[message] == "" {
		b.ways[message] = way
	}
	return b.ways[message], nil
}

// A world is an account with its followers.
type world struct {
	fake    *wechatfake.Server
	channel *wechat.Channel
	office  *wechat.Office
	book    *book
	store   *mailtest.Store
	logs    *logs
	counts  counts

	processes int
}

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

// open makes a world; change changes what is configured.
func open(t *testing.T, cfg wechatfake.Config, change func(o *wechat.Options)) *world {
	t.Helper()
	fake := wechatfake.New(cfg)
	logtest.Secret(fake.Secret(), fake.Token(), fake.AESKey())
	w := &world{fake: fake, book: newBook(), store: &mailtest.Store{}, logs: &logs{}}
	w.join(t, cfg, change)
	fake.Connect("http://fanli.example/wechat", wechatfake.Local(w.channel))
	return w
}

// join makes the channel of one more process.
func (w *world) join(t *testing.T, cfg wechatfake.Config, change func(o *wechat.Options)) {
	t.Helper()
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	w.processes++
	office := wechat.NewOffice(&mail.Engine{Store: w.store, Holder: fmt.Sprint("process ", w.processes), Now: now, Log: logtest.New(w.logs)}, now)
	o := w.options(t, cfg, office)
	if change != nil {
		change(&o)
	}
	c, err := wechat.New(o)
	if err != nil {
		t.Fatal(err)
	}
	office.Open(c)
	w.channel, w.office = c, office
}

// options are those of a process.
func (w *world) options(t *testing.T, cfg wechatfake.Config, office *wechat.Office) wechat.Options {
	t.Helper()
	now, after := cfg.Now, cfg.After
	if now == nil {
		now = time.Now
	}
	if after == nil {
		after = time.After
	}
	o := wechat.Options{
		AppID: w.fake.AppID(), Token: w.fake.Token(), AESKey: w.fake.AESKey(), Account: w.fake.Account(),
		Mode: wechat.Safe, Profile: wechat.Service,
		Book: w.book, Mail: office, Count: w.counts.add, Log: logtest.New(w.logs), Now: now, After: after,
	}
	if cfg.Mode != "" {
		o.Mode = wechat.Mode(cfg.Mode)
	}
	if cfg.Profile != "" {
		o.Profile = wechat.Profile(cfg.Profile)
	}
	client, err := platform.New(platform.Config{
		AppID: w.fake.AppID(), AppSecret: w.fake.Secret(), Token: w.fake.Token(), AESKey: w.fake.AESKey(), Profile: string(o.Profile),
	}, platform.Options{HTTP: wechatfake.Local(w.fake), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	o.Platform = client
	return o
}

// run runs the channel until the test ends.
func (w *world) run(t *testing.T, answer bot.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	c := w.channel
	go func() { ended <- c.Run(ctx, answer) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// identityOf is a person of the channel.
func identityOf(openid string) user.Identity {
	return user.Identity{Channel: wechat.Name, External: openid}
}
