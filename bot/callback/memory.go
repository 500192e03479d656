package callback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanli/core/cache"
)

// Redelivery is for how long after the first a request may come again to the byte.
// WeChat delivers a message three times, five seconds apart; whether it signs each
// delivery anew is not documented. Nobody gains anything in that time: a message that is
// known does nothing twice.
const Redelivery = 20 * time.Second

// How long requests are remembered.
const (
	remember  = 10 * time.Minute // twice Freshness, so that none is fresh and forgotten
	replayMax = 1 << 16          // requests that a process remembers by itself
)

// A Verdict says what a request is.
type Verdict int

// The verdicts.
const (
	New         Verdict = iota // nobody has seen it
	Redelivered                // the same was here a moment ago
	Replayed                   // it is refused
)

// A sighting is when a request was here first, and what was in it.
type sighting struct {
	at   time.Time
	body string // a digest
}

// of judges a request that has the same time, nonce and signatures.
func (s sighting) of(again sighting) Verdict {
	if again.body == s.body && again.at.Sub(s.at) <= Redelivery {
		return Redelivered
	}
	return Replayed
}

// String is a sighting as others read it.
func (s sighting) String() string { return strconv.FormatInt(s.at.UnixMilli(), 10) + " " + s.body }

// sightingOf reads one that another process has written. What cannot be read is older than
// anything: the request is refused.
func sightingOf(b []byte) sighting {
	at, body, _ := strings.Cut(string(b), " ")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return sighting{}
	}
	return sighting{time.UnixMilli(ms), body}
}

// A Memory is what one process remembers of requests: those of now and those of before.
// The zero value is empty.
type Memory struct {
	mu          sync.Mutex
	now, before map[string]sighting
	since       time.Time
}

// Judge says whether a request to a channel was here before, with the same body. The
// cache, if there is one, lets processes know of each other's; what it has lost, this
// process still knows.
func (m *Memory) Judge(ctx context.Context, channel string, s Signed, body []byte, others cache.Cache, now time.Time) Verdict {
	key := channel + "/seen/" + digest([]byte(s.Timestamp+"\n"+s.Nonce+"\n"+s.Signature+"\n"+s.Message))
	seen := sighting{now, digest(body)}
	if first, known := m.add(key, seen); known {
		return first.of(seen)
	}
	if others == nil {
		return New
	}
	if b, ok := others.Get(ctx, key); ok {
		first := sightingOf(b)
		m.set(key, first)
		return first.of(seen)
	}
	others.Set(ctx, key, []byte(seen.String()), remember)
	return New
}

// add remembers a request for at least remember, unless there are too many, and returns
// its first sighting where it is known.
func (m *Memory) add(key string, seen sighting) (first sighting, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil || len(m.now) >= replayMax || seen.at.Sub(m.since) >= remember {
		m.before, m.now, m.since = m.now, map[string]sighting{}, seen.at
	}
	for _, all := range []map[string]sighting{m.now, m.before} {
		if first, known = all[key]; known {
			return first, true
		}
	}
	m.now[key] = seen
	return seen, false
}

// set corrects when a request was here first, and what was in it: another process has
// seen it before.
func (m *Memory) set(key string, first sighting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now[key] = first
}

// digest names a text without telling it.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
