package gateway

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Limiter lets things happen at a rate, and up to burst of them at once after a
// pause. Under one key there is one count.
type Limiter interface {
	// Allow reports whether it may happen now, and otherwise when to ask again.
	Allow(ctx context.Context, key string, perMinute, burst int) (ok bool, retryAfter time.Duration, err error)
}

// keysMax bounds how many keys a Memory counts for. Whoever has been quiet for long
// enough to have everything at once again need not be remembered.
const keysMax = 50_000

// A Memory is a Limiter of this process. It is safe for concurrent use.
type Memory struct {
	now  func() time.Time
	mu   sync.Mutex
	each map[string]*rate.Limiter
}

// NewMemory returns one.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, each: map[string]*rate.Limiter{}}
}

// Allow implements Limiter. A key keeps the rate that it came with first.
func (m *Memory) Allow(_ context.Context, key string, perMinute, burst int) (bool, time.Duration, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.each[key]
	if l == nil {
		if len(m.each) >= keysMax {
			m.forget(now)
		}
		l = rate.NewLimiter(rate.Every(time.Minute/time.Duration(max(perMinute, 1))), max(burst, 1))
		m.each[key] = l
	}
	turn := l.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait <= 0 {
		return true, 0, nil
	}
	turn.CancelAt(now)
	return false, wait, nil
}

// forget drops those who have been quiet, and everybody if nobody was.
func (m *Memory) forget(now time.Time) {
	for key, l := range m.each {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(m.each, key)
		}
	}
	if len(m.each) >= keysMax {
		clear(m.each)
	}
}
