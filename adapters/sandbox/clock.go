package sandbox

import (
	"sync"
	"time"
)

// A clock runs ahead of another one, or stands until it is moved.
type clock struct {
	base  func() time.Time
	still bool

	mu     sync.Mutex
	start  time.Time     // still: what it shows when nothing was added
	offset time.Duration // added
	last   time.Time     // never shown an earlier time
}

func newClock(base func() time.Time, still bool) *clock {
	return &clock{base: base, still: still, start: base()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.start
	if !c.still {
		t = c.base()
	}
	t = t.Add(c.offset)
	if t.Before(c.last) {
		t = c.last
	}
	c.last = t
	return t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// set moves the clock to an offset that was kept.
func (c *clock) set(offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = max(c.offset, offset)
}

func (c *clock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}
