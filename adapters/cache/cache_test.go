package cache_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"fanli/adapters/bus/brokertest"
	"fanli/adapters/cache"
	role "fanli/core/cache"
	"fanli/core/cache/cachetest"
	"fanli/core/fault"
	"fanli/core/logtest"
)

// patience is how long a busy machine may take.
const patience = 30 * time.Second

// TestMain silences the client's own log, as the binary does.
func TestMain(m *testing.M) {
	logging.Disable()
	m.Run()
}

// prefixes keeps tests on one Redis apart.
var prefixes atomic.Int64

// open opens a Redis under a prefix of its own, or under the given one.
func open(t *testing.T, url, prefix string, log *slog.Logger) *cache.Redis {
	t.Helper()
	if prefix == "" {
		prefix = fmt.Sprint("test", prefixes.Add(1))
	}
	return openFor(t, cache.Config{URL: url, Prefix: prefix, Log: log, Time: patience}) // a busy machine is no dead Redis
}

func openFor(t *testing.T, cfg cache.Config) *cache.Redis {
	t.Helper()
	r, err := cache.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestMemory(t *testing.T) {
	t.Parallel()
	cachetest.Cache(t, func(*testing.T) role.Cache { return cache.NewMemory(time.Now) })
	cachetest.Limits(t, func(*testing.T) role.Limits { return cache.NewMemory(time.Now) })
}

func TestRedis(t *testing.T) {
	t.Parallel()
	url := brokertest.Redis(t).URL()
	cachetest.Cache(t, func(t *testing.T) role.Cache { return open(t, url, "", nil) })
	cachetest.Limits(t, func(t *testing.T) role.Limits { return open(t, url, "", nil) })

	a, b := open(t, url, "shared", nil), open(t, url, "shared", nil)
	a.Set(t.Context(), "k", []byte("v"), time.Hour)
	if v, ok := b.Get(t.Context(), "k"); !ok || string(v) != "v" {
		t.Errorf("another process finds %q, %v", v, ok)
	}
	slow := role.Every(time.Hour)
	ok1, _, _ := a.Allow(t.Context(), "l", slow, 1)
	ok2, _, _ := b.Allow(t.Context(), "l", slow, 1)
	if !ok1 || ok2 {
		t.Errorf("two processes share one token: %v, %v", ok1, ok2)
	}
	if _, ok := open(t, url, "", nil).Get(t.Context(), "k"); ok {
		t.Error("another installation finds it, too")
	}
}

// TestLimitsWithoutRedis is the promise that limits hold within the process while
// Redis is away.
func TestLimitsWithoutRedis(t *testing.T) {
	t.Parallel()
	cachetest.Limits(t, func(t *testing.T) role.Limits { return open(t, "redis://127.0.0.1:1", "", nil) })
}

// A page is what a log has written.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) count(s string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.text.String(), s)
}

// TestARedisThatSaysNothing is asked twice and then left alone.
func TestARedisThatSaysNothing(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var asked atomic.Int64
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	log := &page{}
	r := openFor(t, cache.Config{URL: "redis://" + ln.Addr().String(), Prefix: "x", Log: logtest.New(log)})
	began := time.Now()
	for range 10_000 {
		r.Set(t.Context(), "a", []byte("x"), time.Hour)
		if v, ok := r.Get(t.Context(), "a"); ok {
			t.Fatalf("it has %q", v)
		}
	}
	took := time.Since(began)
	if most := int64(3 + took/time.Second); asked.Load() > most { // and once in two seconds, on a machine that is so slow
		t.Errorf("it was asked %d times in %s", asked.Load(), took)
	}
	if n := log.count("does not answer"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
}

// TestARedisThatComesBack is killed and flushed: who asks never sees an error, and
// it serves again.
func TestARedisThatComesBack(t *testing.T) {
	t.Parallel()
	server := brokertest.Redis(t)
	log := &page{}
	r := open(t, server.URL(), "", logtest.New(log))
	keeps := func() bool {
		r.Set(t.Context(), "a", []byte("x"), time.Hour)
		_, ok := r.Get(t.Context(), "a")
		return ok
	}
	await(t, "it keeps", keeps)
	bell := r.Bell("chat")
	heard := make(chan string, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var listening sync.WaitGroup
	listening.Go(func() { bell.Listen(ctx, func(s string) { heard <- s }) })
	rings := func() bool {
		bell.Ring(t.Context(), "room")
		select {
		case s := <-heard:
			return s == "room"
		case <-time.After(50 * time.Millisecond):
			return false
		}
	}
	await(t, "the bell is heard", rings)

	server.Kill(t)
	for range 100 {
		if ok, _, err := r.Allow(t.Context(), "l", role.PerSecond(1000), 1000); !ok || err != nil {
			t.Fatalf("without Redis: %v, %v", ok, err)
		}
		bell.Ring(t.Context(), "nobody")
	}
	if keeps() {
		t.Error("a dead Redis keeps things")
	}
	server.Start(t)
	await(t, "it keeps again", keeps)
	await(t, "the bell is heard again", rings)
	if n := log.count("does not answer"); n != 1 {
		t.Errorf("the log says %d times that it is away", n)
	}

	flush(t, server.URL())
	if _, ok := r.Get(t.Context(), "a"); ok {
		t.Error("what was flushed is there")
	}
	await(t, "it keeps after a flush", keeps)
	cancel()
	listening.Wait()
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for from := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) { // another process is at work
		if time.Since(from) > patience {
			t.Fatalf("never: %s", what)
		}
	}
}

// flush empties a Redis.
func flush(t *testing.T, url string) {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"redis://127.0.0.1:6379/2": true, "rediss://:hunter2@cache.example:6380": true,
		"": false, "http://127.0.0.1": false, "redis://:hunter2@host/first": false,
	} {
		err := cache.CheckURL(url)
		if good != (err == nil) || err != nil && (!fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
