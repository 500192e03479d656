package bottest

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// A Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at a moment.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Random is the same sequence of bytes each time, for codes in golden files.
type Random struct {
	mu sync.Mutex
	n  uint64
}

// Read fills b. It never fails.
func (r *Random) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := 0; i < len(b); {
		r.n++
		h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, r.n))
		i += copy(b[i:], h[:])
	}
	return len(b), nil
}
