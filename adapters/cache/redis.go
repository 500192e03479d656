// Package cache keeps in Redis, or in memory, what may be forgotten at any moment:
// the roles of core/cache, and a bell that wakes other processes.
//
// # Guarantees
//
//   - A Redis that is away, slow, killed or flushed is never an error of whoever asks
//     here. A cache has nothing then, limits count within this process, and nobody is
//     woken.
//   - A call takes callTime at most, or what is configured. After failuresMax failures in a row nothing is
//     asked for restTime, so that a dead Redis does not slow each turn. The log says
//     once that Redis is away, and once that it is back.
//   - Keys begin with the configured prefix, so that installations can share a Redis.
package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"fanli/core/cache"
	"fanli/core/fault"
)

// How Redis is asked.
const (
	callTime      = 150 * time.Millisecond // for one call, unless configured; it takes less than one on a good day
	failuresMax   = 2                      // in a row, after which Redis is left alone
	restTime      = 2 * time.Second        // and for how long, before one call tries again
	poolMax       = 32                     // connections
	valueBytesMax = 256 << 10              // of one value; a longer one is not kept
)

// Config says where Redis is.
type Config struct {
	URL    string           // redis://:PASSWORD@HOST:PORT/DB or rediss://…; it may be secret
	Prefix string           // of all keys
	Log    *slog.Logger     // nil for none
	Now    func() time.Time // of the limits in memory; nil means time.Now
	Time   time.Duration    // that one call may take; 0 means callTime
}

// CheckURL fails with fault.Invalid for what is no address of a Redis. The error does
// not repeat it.
func CheckURL(url string) error {
	_, err := options(url, callTime)
	return err
}

func options(url string, most time.Duration) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "redis.url") // without the cause, which may quote a password
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = most, most, most, most
	o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries, o.PoolSize = true, -1, 1, poolMax
	o.Protocol, o.DisableIdentity = 2, true // nothing of what comes with the third is used
	return o, nil
}

// Redis is the roles over one Redis, and in memory where it is away. Make it with
// Open, and close it after use. It is safe for concurrent use.
type Redis struct {
	client  *redis.Client
	prefix  string
	time    time.Duration // that one call may take
	memory  *Memory
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// Open returns the roles over a Redis. Nothing is connected yet; it fails only for an
// address that is none.
func Open(cfg Config) (*Redis, error) {
	cfg.Time = cmp.Or(cfg.Time, callTime)
	o, err := options(cfg.URL, cfg.Time)
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	log := cfg.Log.With("redis", o.Addr)
	r := &Redis{client: redis.NewClient(o), prefix: cfg.Prefix + "/", time: cfg.Time, memory: NewMemory(cfg.Now)}
	r.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "redis", Timeout: restTime,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresMax },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("Redis does not answer: nothing is cached, and limits count in this process, until it does")
			case to == gobreaker.StateClosed:
				log.Info("Redis answers again")
			}
		},
	})
	return r, nil
}

// Close ends the connections.
func (r *Redis) Close() error { return r.client.Close() }

// call makes one call within its time, unless Redis is being left alone.
func (r *Redis) call(ctx context.Context, do func(ctx context.Context) error) error {
	_, err := r.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, r.time)
		defer cancel()
		return struct{}{}, do(ctx)
	})
	return fault.Wrap(fault.Unavailable, "cache", err)
}

// Get implements cache.Cache.
func (r *Redis) Get(ctx context.Context, key string) (value []byte, ok bool) {
	err := r.call(ctx, func(ctx context.Context) error {
		var err error
		value, err = r.client.Get(ctx, r.prefix+key).Bytes()
		if ok = err == nil; errors.Is(err, redis.Nil) {
			err = nil
		}
		return err
	})
	return value, ok && err == nil
}

// Set implements cache.Cache.
func (r *Redis) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	if len(value) > valueBytesMax {
		return
	}
	_ = r.call(ctx, func(ctx context.Context) error { // what is not kept is had again elsewhere
		return r.client.Set(ctx, r.prefix+key, value, max(ttl, time.Millisecond)).Err()
	})
}

// take is one bucket of tokens in Redis: the time at which it will be full again. By
// Redis' own clock, so that processes need not agree on theirs. Unlike redis_rate's
// it gives turns that lie ahead, in their order.
var take = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local step, burst, within = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = math.max(full - (burst - 1) * step - now, 0)
if wait > within then
  return {0, wait}
end
full = full + step
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, wait}`)

// Allow implements cache.Limits.
func (r *Redis) Allow(ctx context.Context, key string, rate cache.Rate, burst int) (bool, time.Duration, error) {
	return r.Reserve(ctx, key, rate, burst, 0)
}

// Reserve implements cache.Limits.
func (r *Redis) Reserve(ctx context.Context, key string, rate cache.Rate, burst int, within time.Duration) (bool, time.Duration, error) {
	if err := valid(rate, burst); err != nil {
		return false, 0, err
	}
	var said []int64
	err := r.call(ctx, func(ctx context.Context) (err error) {
		said, err = take.Run(ctx, r.client, []string{r.prefix + key}, rate.Interval().Microseconds(), burst, within.Microseconds()).Int64Slice()
		return err
	})
	if err != nil || len(said) != 2 {
		return r.memory.Reserve(ctx, key, rate, burst, within)
	}
	return said[0] == 1, time.Duration(said[1]) * time.Microsecond, nil
}

var (
	_ cache.Cache  = (*Redis)(nil)
	_ cache.Limits = (*Redis)(nil)
)
