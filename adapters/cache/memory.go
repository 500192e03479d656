package cache

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"fanli/core/cache"
	"fanli/core/fault"
)

// What is kept in memory at most; what was used longest ago goes first.
const (
	valuesMax  = 10_000
	bucketsMax = 100_000 // each has some 200 bytes; a bucket that goes is full again
)

// A value ends by itself.
type value struct {
	data  []byte
	until time.Time
}

// Memory is the roles within this process. Make it with NewMemory. It is safe for
// concurrent use.
type Memory struct {
	now     func() time.Time
	values  *otter.Cache[string, value]
	buckets *otter.Cache[string, *bucket]
}

// NewMemory returns an empty one.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{
		now:     now,
		values:  otter.Must(&otter.Options[string, value]{MaximumSize: valuesMax}),
		buckets: otter.Must(&otter.Options[string, *bucket]{MaximumSize: bucketsMax}),
	}
}

// Get implements cache.Cache.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool) {
	v, ok := m.values.GetIfPresent(key)
	if !ok || !m.now().Before(v.until) {
		return nil, false
	}
	return v.data, true
}

// Set implements cache.Cache.
func (m *Memory) Set(_ context.Context, key string, data []byte, ttl time.Duration) {
	m.values.Set(key, value{data, m.now().Add(ttl)})
}

// Allow implements cache.Limits.
func (m *Memory) Allow(ctx context.Context, key string, r cache.Rate, burst int) (bool, time.Duration, error) {
	return m.Reserve(ctx, key, r, burst, 0)
}

// Reserve implements cache.Limits. A key keeps the rate with which it came first.
func (m *Memory) Reserve(_ context.Context, key string, r cache.Rate, burst int, within time.Duration) (bool, time.Duration, error) {
	if err := valid(r, burst); err != nil {
		return false, 0, err
	}
	b, _ := m.buckets.ComputeIfAbsent(key, func() (*bucket, bool) {
		return &bucket{limit: rate.NewLimiter(rate.Every(r.Interval()), burst)}, false
	})
	ok, wait := b.take(m.now(), within)
	return ok, wait, nil
}

// A bucket holds the tokens of one key.
type bucket struct {
	mu    sync.Mutex // what is given back is given back whole
	limit *rate.Limiter
}

func (b *bucket) take(now time.Time, within time.Duration) (ok bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	turn := b.limit.ReserveN(now, 1)
	if wait = turn.DelayFrom(now); wait > within {
		turn.CancelAt(now)
		return false, wait
	}
	return true, wait
}

// valid refuses what is no rate.
func valid(r cache.Rate, burst int) error {
	if !r.Valid() || burst < 1 {
		return fault.Newf(fault.Invalid, "", "cache: %d in %s, %d at once, is no rate", r.Count, r.Per, burst)
	}
	return nil
}

var (
	_ cache.Cache  = (*Memory)(nil)
	_ cache.Limits = (*Memory)(nil)
)
