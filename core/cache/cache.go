// Package cache is what may be forgotten at any moment.
//
// What is kept behind these roles makes fanli faster and keeps several processes in
// step; it never decides what is true. Whoever uses them must be right with a cache
// that has just been emptied, answers slowly, or is not there at all.
package cache

import (
	"context"
	"time"
)

// A Cache keeps values that can be had again elsewhere. Implementations pass
// cachetest.Cache. A cache that cannot be reached has nothing and keeps nothing: that
// is no error.
type Cache interface {
	// Get returns what is kept under a key.
	Get(ctx context.Context, key string) (value []byte, ok bool)
	// Set keeps a value for at most ttl, which is above zero; it may be forgotten
	// earlier. The caller does not change the value afterwards.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration)
}

// A Rate is how often something may happen: Count times in Per.
type Rate struct {
	Count int
	Per   time.Duration
}

// Every is a rate of one in d.
func Every(d time.Duration) Rate { return Rate{1, d} }

// PerSecond is a rate of n in a second.
func PerSecond(n int) Rate { return Rate{n, time.Second} }

// Interval is the time between two at an even pace.
func (r Rate) Interval() time.Duration { return r.Per / time.Duration(max(r.Count, 1)) }

// Valid reports whether r is a rate at all: at least one in a microsecond or longer.
func (r Rate) Valid() bool { return r.Count > 0 && r.Interval() >= time.Microsecond }

// Limits let things happen at a rate, and up to burst of them at once after a pause.
// Under one key there is one bucket of tokens, for all processes that share the
// limits. Implementations pass cachetest.Limits.
//
// What they fail with is fault.Invalid for a rate or burst that is none, and
// fault.Unavailable where they cannot be reached. The limits that users of this role
// are given count within the process then, and do not fail with that.
type Limits interface {
	// Allow takes a token if there is one, and says otherwise when to ask again.
	Allow(ctx context.Context, key string, r Rate, burst int) (ok bool, retryAfter time.Duration, err error)
	// Reserve takes a token that is there now or within a time, and says how long to
	// wait for it; those who reserve get their turns in that order. Without a token
	// in time it takes none, and says when there would be one.
	Reserve(ctx context.Context, key string, r Rate, burst int, within time.Duration) (ok bool, wait time.Duration, err error)
}
