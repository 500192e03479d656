package telegram_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
	"fanli/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take. It is the bubble's time, so waiting
// costs nothing.
const patience = time.Hour

// The people of the tests.
const (
	ann = int64(1001)
	bob = int64(1002)
	cat = int64(1003)
)

// bubble runs a story in which time passes only while everybody waits.
func bubble(t *testing.T, story func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, story)
}

// bubbleNow is bubble for one of many stories of a test, one after the other.
func bubbleNow(t *testing.T, story func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, story)
}

// marks is a bot's memory.
type marks struct {
	mu    sync.Mutex
	kept  map[string]string
	fails error
	works func() // takes the time that the database does; nil for none
}

func newMarks() *marks { return &marks{kept: map[string]string{}} }

// Mark implements telegram.Marks.
func (m *marks) Mark(_ context.Context, name string) (string, error) {
	if m.works != nil {
		m.works()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.kept[name]
	if m.fails != nil {
		return "", m.fails
	}
	if !ok {
		return "", fault.New(fault.NotFound, "")
	}
	return v, nil
}

// SetMark implements telegram.Marks.
func (m *marks) SetMark(_ context.Context, name, value string, _ int64) error {
	if m.works != nil {
		m.works()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails == nil {
		m.kept[name] = value
	}
	return m.fails
}

func (m *marks) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = err
}

func (m *marks) all() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]string{}
	for k, v := range m.kept {
		out[k] = v
	}
	return out
}

// logs is everything that was logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String returns all lines.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logs) logger() *slog.Logger {
	return logtest.New(l)
}

// world is a Telegram with one bot on it.
type world struct {
	t     *testing.T
	fake  *telegramfake.Server
	marks *marks
	logs  *logs
	ctx   context.Context

	admins int64 // where staff are
	keys   bool  // whether private chats have keys

	store  *mailtest.Store // what processes share
	engine *mail.Engine    // of the process that was started last
	wanted func(context.Context, bot.Notice) (bot.Wish, error)
	front  *front // what the webhook leads to; nil: updates are polled
	count  counts
}

// A front hands deliveries to the processes that run, one after the other.
type front struct {
	mu   sync.Mutex
	live []*telegram.Channel
	next int
}

// ServeHTTP hands a delivery on.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if len(f.live) == 0 {
		f.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	f.next++
	c := f.live[f.next%len(f.live)]
	f.mu.Unlock()
	c.ServeHTTP(w, r)
}

func (f *front) add(c *telegram.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = append(f.live, c)
}

func (f *front) drop(c *telegram.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(o *telegram.Channel) bool { return o == c })
}

// counts are what became of deliveries.
type counts struct {
	mu  sync.Mutex
	all map[string]int
}

func (c *counts) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]int{}
	}
	c.all[what]++
}

func (c *counts) of(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[what]
}

// The address that deliveries go to.
const hookURL = "https://bot.example/channel/telegram"

func newWorld(t *testing.T) *world {
	return newWorldOf(t, telegramfake.Config{})
}

func newWorldOf(t *testing.T, cfg telegramfake.Config) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &world{t: t, fake: telegramfake.New(cfg), marks: newMarks(), logs: &logs{}, ctx: ctx, store: &mailtest.Store{}}
}

// newHooked is a world whose updates are delivered to a webhook.
func newHooked(t *testing.T, cfg telegramfake.Config) *world {
	t.Helper()
	f := &front{}
	cfg.HookClient = telegramfake.Wire(f)
	w := newWorldOf(t, cfg)
	w.front = f
	t.Cleanup(w.fake.Close)
	return w
}

// engineOf is a new process's.
func engineOf(s *mailtest.Store, log *slog.Logger) *mail.Engine {
	return &mail.Engine{Store: s, Holder: rand.Text(), Now: time.Now, Log: log}
}

// settle waits until everything that came is answered and everything that was said has
// arrived, or has come to nothing.
func (w *world) settle() {
	w.t.Helper()
	for {
		if err := w.fake.WaitQueued(w.ctx, 0); err != nil {
			w.t.Fatalf("what came stays: %v\n%s", err, w.logs)
		}
		depths, err := w.store.Depths(w.ctx)
		waiting := int64(0)
		for _, d := range depths {
			waiting += d.Waiting
		}
		if waiting == 0 && err == nil {
			return
		}
		select {
		case <-time.After(time.Second / 4): // the bubble's
		case <-w.ctx.Done():
			w.t.Fatalf("%d wait: %v\n%s", waiting, err, w.logs)
		}
	}
}

// channel returns a new process's channel to the world.
func (w *world) channel(opts ...telegram.Option) *telegram.Channel {
	w.t.Helper()
	cfg := telegram.Config{Token: telegram.Secret(w.fake.Token()), Endpoint: "http://localhost", AdminChatID: w.admins, Keyboard: w.keys}
	if w.front != nil {
		cfg.Mode, cfg.WebhookURL = telegram.Webhook, hookURL
	}
	own := []telegram.Option{telegram.WithHTTPClient(w.fake.Client()), telegram.WithCount(w.count.add)}
	w.engine = engineOf(w.store, w.logs.logger())
	w.engine.Wanted = w.wanted
	c, err := telegram.New(cfg, w.engine, w.marks, w.logs.logger(), append(own, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// running is a channel that runs.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan error
}

// run starts a new process; the test's end stops it.
func (w *world) run(handle bot.Handler, opts ...telegram.Option) *running {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	r := &running{t: w.t, cancel: cancel, ended: make(chan error, 1)}
	c := w.channel(opts...)
	door := w.front
	go func() {
		if door != nil {
			door.add(c)
			defer door.drop(c)
		}
		r.ended <- c.Run(ctx, handle)
	}()
	w.t.Cleanup(r.kill)
	return r
}

// stop ends it and returns what Run returned and how long that took.
func (r *running) stop() (time.Duration, error) {
	began := time.Now()
	r.cancel()
	err := <-r.ended
	r.ended <- err
	return time.Since(began), err
}

// kill ends it, however it takes that.
func (r *running) kill() {
	r.t.Helper()
	if _, err := r.stop(); err != nil {
		r.t.Errorf("Run returned %v", err)
	}
}

// wait waits for the n-th message to a person and returns all.
func (w *world) wait(chat int64, n int) []telegramfake.Sent {
	w.t.Helper()
	all, err := w.fake.Wait(w.ctx, chat, n)
	if err != nil {
		w.t.Fatalf("waiting for message %d to %d, got %d: %v\n%s", n, chat, len(all), err, w.logs)
	}
	return all
}

// echo answers with the message.
func echo(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: m.Text} }

// inbox collects messages and answers each with "ok".
type inbox struct {
	mu  sync.Mutex
	all []bot.Message
}

func (b *inbox) handle(_ context.Context, m bot.Message) bot.Reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, m)
	return bot.Reply{Text: "ok"}
}

func (b *inbox) messages() []bot.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]bot.Message(nil), b.all...)
}

func texts(all []telegramfake.Sent) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.Text)
	}
	return out
}

func wantTexts(t *testing.T, all []telegramfake.Sent, want ...string) {
	t.Helper()
	if got := texts(all); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("people were told %q, want %q", got, want)
	}
}

func wantLog(t *testing.T, l *logs, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(l.String(), word) {
			t.Errorf("the log lacks %q:\n%s", word, l)
		}
	}
}

type ctx = context.Context

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
