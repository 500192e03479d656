package store_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	role "fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/storetest"
)

// liar is a cache that forgets, remembers what is old, and answers with what belongs
// under other keys.
type liar struct {
	mu  sync.Mutex
	rng *rand.Rand
	all map[string][][]byte
}

func newLiar() *liar { return &liar{rng: rand.New(rand.NewPCG(1, 2)), all: map[string][][]byte{}} }

func (l *liar) Get(_ context.Context, key string) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.all[key]
	switch l.rng.IntN(4) {
	case 0:
		return nil, false
	case 1:
		return []byte("rubbish"), true
	case 2:
		for _, others := range l.all {
			return others[0], true
		}
	}
	if len(mine) == 0 {
		return nil, false
	}
	return mine[l.rng.IntN(len(mine))], true
}

func (l *liar) Set(_ context.Context, key string, value []byte, _ time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rng.IntN(4) > 0 {
		l.all[key] = append(l.all[key], bytes.Clone(value))
	}
}

// TestMemoryBehindACache holds what the bot remembers to the same promises with a good
// cache and with one that forgets and lies.
func TestMemoryBehindACache(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func() role.Cache{
		"Good": func() role.Cache { return cache.NewMemory(time.Now) }, "Liar": func() role.Cache { return newLiar() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Memory(t, func(t *testing.T) storetest.Remembering {
				return open(t, store.Config{Path: store.Memory, Now: now}).Memory().Cached(fresh())
			})
		})
		t.Run(name+"MySQL", func(t *testing.T) {
			t.Parallel()
			if underRace {
				t.Skip(same)
			}
			storetest.Memory(t, func(t *testing.T) storetest.Remembering {
				return open(t, store.Config{DSN: mariadbtest.Shared(t).Database(t), Now: now}).Memory().Cached(fresh())
			})
		})
	}
}

// TestAStaleCacheNeverWins is two processes, the cache of one of which has not heard of
// what the other did.
func TestAStaleCacheNeverWins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		stale, other := db.Memory().Cached(cache.NewMemory(time.Now)), db.Memory()
		must(t, stale.SetDialogue(t.Context(), 7, 0, []byte("confirm 100")))
		must(t, other.SetDialogue(t.Context(), 7, 1, []byte("cancelled")))
		state, rev, err := stale.Dialogue(t.Context(), 7)
		must(t, err)
		if string(state) != "cancelled" || rev != 2 {
			t.Errorf("the stale one reads %q at %d", state, rev)
		}
		if err := stale.SetDialogue(t.Context(), 7, 1, []byte("stale")); !fault.Is(err, fault.Conflict) {
			t.Errorf("it writes over it: %v", err)
		}
	})
}

// spy sees what is put into a cache.
type spy struct {
	role.Cache
	seen bytes.Buffer
}

func (s *spy) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	s.seen.WriteString(key)
	s.seen.Write(value)
	s.Cache.Set(ctx, key, value, ttl)
}

func TestWhatIsCachedIsSealed(t *testing.T) {
	t.Parallel()
	s := &spy{Cache: cache.NewMemory(time.Now)}
	m := open(t, store.Config{Path: store.Memory}).Memory().Cached(s)
	must(t, m.SetDialogue(t.Context(), 7, 0, []byte("pay to 13800000001")))
	must(t, m.KeepAnswer(t.Context(), "web", "chat-of-ann/1", []byte("138****0001"), start))
	for _, secret := range []string{"13800000001", "138****0001", "chat-of-ann"} {
		if bytes.Contains(s.seen.Bytes(), []byte(secret)) {
			t.Errorf("the cache sees %q", secret)
		}
	}
	if s.seen.Len() == 0 {
		t.Error("the cache sees nothing")
	}
}
