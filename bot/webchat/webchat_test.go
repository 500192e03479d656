package webchat_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanli/bot"
	"fanli/bot/webchat"
	"fanli/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a log in memory. Its numbers are shared by all chats, as those of a
// table are.
type memory struct {
	mu      sync.Mutex
	last    int64
	chats   map[string][]line
	failing int // how many appends fail from now on
}

type line struct {
	seq    int64
	chat   string
	asked  string
	answer bool
	body   []byte
	at     time.Time
}

func (m *memory) Append(_ context.Context, chat, asked string, answer bool, body []byte, at time.Time) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing > 0 {
		m.failing--
		return 0, false, errors.New("the disk is full")
	}
	if m.chats == nil {
		m.chats = map[string][]line{}
	}
	for _, l := range m.chats[chat] {
		if asked != "" && l.asked == asked && l.answer == answer {
			return l.seq, false, nil
		}
	}
	m.last++
	m.chats[chat] = append(m.chats[chat], line{m.last, chat, asked, answer, body, at})
	return m.last, true, nil
}

func (m *memory) Since(_ context.Context, chat string, after int64, count int) (seqs []int64, bodies [][]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.chats[chat] {
		if l.seq > after && len(seqs) < count {
			seqs, bodies = append(seqs, l.seq), append(bodies, l.body)
		}
	}
	return seqs, bodies, nil
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// echo answers with what it was asked.
func echo(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: "re: " + m.Text} }

// house is a running chat behind a server.
type house struct {
	t     *testing.T
	chat  *webchat.Chat
	srv   *httptest.Server
	log   *memory
	clock *clock
	stop  func()
}

// open starts a chat and waits until it answers; handle nil leaves it without Run.
func open(t *testing.T, log *memory, handle bot.Handler, with func(*webchat.Options)) *house {
	t.Helper()
	h := &house{t: t, log: log, clock: newClock()}
	o := webchat.Options{Log: log, Now: h.clock.now, Heartbeat: 20 * time.Millisecond, Logger: logtest.New(nil)}
	if with != nil {
		with(&o)
	}
	var err error
	if h.chat, err = webchat.New(o); err != nil {
		t.Fatal(err)
	}
	h.srv = httptest.NewServer(h.chat)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	if handle == nil {
		done <- nil
	} else {
		go func() { done <- h.chat.Run(ctx, handle) }()
		for !h.chat.Answering() {
			runtime.Gosched()
		}
	}
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		h.srv.CloseClientConnections()
		h.srv.Close()
	})
	t.Cleanup(h.stop)
	return h
}

// visitor is one browser: a cookie jar.
type visitor struct {
	h    *house
	http *http.Client
}

func (h *house) visitor() *visitor {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	v := &visitor{h, &http.Client{Jar: jar, Transport: h.srv.Client().Transport}}
	res := v.get("/")
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return v
}

func (v *visitor) get(path string) *http.Response {
	v.h.t.Helper()
	req, err := http.NewRequestWithContext(v.h.t.Context(), http.MethodGet, v.h.srv.URL+path, nil)
	if err != nil {
		v.h.t.Fatal(err)
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.h.t.Fatal(err)
	}
	return res
}

// problem is the friendly error of an answer.
type problem struct {
	Error struct{ Code, Zh, En, Trace string }
	Fresh bool
}

// send posts a body with headers (pairs) and returns the status and the answer.
func (v *visitor) send(body string, headers ...string) (int, problem, http.Header) {
	v.h.t.Helper()
	req, err := http.NewRequestWithContext(v.h.t.Context(), http.MethodPost, v.h.srv.URL+"/api/messages", strings.NewReader(body))
	if err != nil {
		v.h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var p problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		v.h.t.Fatalf("status %d with no JSON: %v", res.StatusCode, err)
	}
	return res.StatusCode, p, res.Header
}

// post sends a text under an id and expects it to be taken.
func (v *visitor) post(id, text string) problem {
	v.h.t.Helper()
	b, err := json.Marshal(map[string]string{"id": id, "text": text, "lang": "zh"})
	if err != nil {
		v.h.t.Fatal(err)
	}
	status, p, _ := v.send(string(b))
	if status != http.StatusAccepted {
		v.h.t.Fatalf("posting %q: status %d, %+v", text, status, p)
	}
	return p
}

// event is one event of a stream.
type event struct {
	name, id, data string
}

// said is what an entry says, whoever said it.
func (e event) said(t *testing.T) string {
	t.Helper()
	var x struct {
		From, ID, To, Text, Action string
		Reply                      *bot.Reply
	}
	if err := json.Unmarshal([]byte(e.data), &x); err != nil {
		t.Fatalf("entry %q: %v", e.data, err)
	}
	if x.Action != "" {
		t.Errorf("the page is told an action: %q", x.Action)
	}
	if x.Reply != nil {
		return x.From + ": " + x.Reply.Text
	}
	return x.From + ": " + x.Text
}

// tab is one open page.
type tab struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

// tab opens a stream; after "" is a page that has nothing yet.
func (v *visitor) tab(after string) *tab {
	v.h.t.Helper()
	ctx, cancel := context.WithCancel(v.h.t.Context())
	path := "/api/events"
	if after != "" {
		path += "?after=" + after
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.h.srv.URL+path, nil)
	if err != nil {
		v.h.t.Fatal(err)
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.h.t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		v.h.t.Fatalf("status %d, type %q", res.StatusCode, got)
	}
	tb := &tab{v.h.t, bufio.NewScanner(res.Body), func() { cancel(); _ = res.Body.Close() }}
	v.h.t.Cleanup(tb.close)
	return tb
}

// next returns the next event; ok is false at the end of the stream.
func (tb *tab) next() (e event, ok bool) {
	for tb.lines.Scan() {
		name, value, _ := strings.Cut(tb.lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e, true
			}
		}
	}
	return e, false
}

// entries returns what the next n entries say, and the id of the last.
func (tb *tab) entries(n int) (said []string, last string) {
	tb.t.Helper()
	for len(said) < n {
		e, ok := tb.next()
		if !ok {
			tb.t.Fatalf("the stream ended after %q", said)
		}
		if e.name == "entry" {
			said, last = append(said, e.said(tb.t)), e.id
		}
	}
	return said, last
}

// until skips to an event.
func (tb *tab) until(name string) event {
	tb.t.Helper()
	for {
		e, ok := tb.next()
		if !ok {
			tb.t.Fatalf("the stream ended before %q", name)
		}
		if e.name == name {
			return e
		}
	}
}

func wantSaid(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("said %q, want %q", got, want)
	}
}
