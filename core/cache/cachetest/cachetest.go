// Package cachetest is the promises of the roles of package cache, as tests.
package cachetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/core/cache"
	"fanli/core/fault"
)

// patience is how long a busy machine may take.
const patience = 30 * time.Second

// Cache tests a cache. open returns one that is empty.
func Cache(t *testing.T, open func(t *testing.T) cache.Cache) {
	t.Run("what was set is there", func(t *testing.T) {
		c := open(t)
		if v, ok := c.Get(t.Context(), "a"); ok {
			t.Errorf("an empty cache has %q", v)
		}
		for key, value := range map[string]string{"a": "1", "b": "", "口令/￥x￥": "\x00\xff\r\n"} {
			c.Set(t.Context(), key, []byte(value), time.Hour)
			if v, ok := c.Get(t.Context(), key); !ok || string(v) != value {
				t.Errorf("%q: %q, %v, want %q", key, v, ok, value)
			}
		}
		c.Set(t.Context(), "a", []byte("2"), time.Hour)
		if v, _ := c.Get(t.Context(), "a"); string(v) != "2" {
			t.Errorf("after a second Set: %q", v)
		}
	})
	t.Run("what is too old is gone", func(t *testing.T) {
		c := open(t)
		c.Set(t.Context(), "long", []byte("x"), time.Hour)
		c.Set(t.Context(), "short", []byte("x"), 30*time.Millisecond)
		for from := time.Now(); ; time.Sleep(5 * time.Millisecond) { // its clock is not ours
			if _, ok := c.Get(t.Context(), "short"); !ok {
				break
			}
			if time.Since(from) > patience {
				t.Fatal("what was to last 30ms lasts for ever")
			}
		}
		if _, ok := c.Get(t.Context(), "long"); !ok {
			t.Error("what is to last an hour is gone, too")
		}
	})
	t.Run("many at once", func(t *testing.T) {
		c := open(t)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for k := range 50 {
					key := fmt.Sprint(i, "/", k)
					c.Set(t.Context(), key, []byte(key), time.Hour)
					if v, ok := c.Get(t.Context(), key); !ok || string(v) != key {
						t.Errorf("%q: %q, %v", key, v, ok)
					}
				}
			})
		}
		all.Wait()
	})
}

// Limits tests limits. open returns some that nobody has used.
func Limits(t *testing.T, open func(t *testing.T) cache.Limits) {
	slow := cache.Every(time.Hour)
	t.Run("a burst, and then no more", func(t *testing.T) {
		l := open(t)
		for i := range 5 {
			if ok, after, err := l.Allow(t.Context(), "a", slow, 5); !ok || after != 0 || err != nil {
				t.Fatalf("%d of 5: %v, %s, %v", i+1, ok, after, err)
			}
		}
		ok, after, err := l.Allow(t.Context(), "a", slow, 5)
		if ok || err != nil || after < 59*time.Minute || after > time.Hour {
			t.Errorf("the sixth of 5: %v, again after %s, %v", ok, after, err)
		}
		if ok, _, err := l.Allow(t.Context(), "b", slow, 5); !ok || err != nil {
			t.Errorf("another key: %v, %v", ok, err)
		}
	})
	t.Run("tokens come back", func(t *testing.T) {
		l := open(t)
		quick := cache.Rate{Count: 20, Per: time.Second}
		if ok, _, err := l.Allow(t.Context(), "a", quick, 1); !ok || err != nil {
			t.Fatal(ok, err)
		}
		ok, after, err := l.Allow(t.Context(), "a", quick, 1)
		for from := time.Now(); !ok && err == nil && time.Since(from) < patience; ok, after, err = l.Allow(t.Context(), "a", quick, 1) {
			time.Sleep(max(after, time.Millisecond)) // its clock is not ours
		}
		if !ok || err != nil {
			t.Errorf("no token comes back: %v, %v", ok, err)
		}
	})
	t.Run("turns are given in order", func(t *testing.T) { reserves(t, open(t)) })
	t.Run("many at once", func(t *testing.T) {
		l := open(t)
		var allowed atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				ok, _, err := l.Allow(t.Context(), "a", slow, 10)
				if err != nil {
					t.Error(err)
				}
				if ok {
					allowed.Add(1)
				}
			})
		}
		all.Wait()
		if n := allowed.Load(); n != 10 {
			t.Errorf("%d of 40 were allowed at once, want 10", n)
		}
	})
	t.Run("what is no rate", func(t *testing.T) {
		l := open(t)
		for _, tt := range []struct {
			r     cache.Rate
			burst int
		}{{cache.Rate{}, 1}, {cache.Rate{Count: -1, Per: time.Second}, 1}, {cache.Rate{Count: 2, Per: time.Microsecond}, 1}, {slow, 0}} {
			if ok, _, err := l.Allow(context.Background(), "a", tt.r, tt.burst); ok || !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v, burst %d: %v, %v", tt.r, tt.burst, ok, err)
			}
		}
	})
}

// reserves takes turns that lie ahead.
func reserves(t *testing.T, l cache.Limits) {
	slow := cache.Every(time.Hour)
	var last time.Duration
	for i := range 4 {
		ok, wait, err := l.Reserve(t.Context(), "a", slow, 1, 4*time.Hour)
		if !ok || err != nil || wait < last || wait > time.Duration(i)*time.Hour || wait < time.Duration(i)*time.Hour-time.Minute {
			t.Fatalf("turn %d: %v after %s, %v", i, ok, wait, err)
		}
		last = wait
	}
	ok, wait, err := l.Reserve(t.Context(), "a", slow, 1, time.Hour)
	if ok || err != nil || wait < 3*time.Hour || wait > 4*time.Hour {
		t.Errorf("a turn that is too far away: %v after %s, %v", ok, wait, err)
	}
	if ok, wait, err = l.Reserve(t.Context(), "a", slow, 1, 5*time.Hour); !ok || err != nil || wait > 4*time.Hour {
		t.Errorf("who was refused has taken a turn all the same: %v after %s, %v", ok, wait, err)
	}
}
