package mail

import (
	"sync"
	"time"
)

// How a gate keeps floods away from the store, in which one writes at a time.
const (
	enteringMax = 16          // letters of one chat that are being kept at the same time
	fullTime    = time.Second // for which a chat that is full is taken for full without a look
	fullMax     = 4096        // chats that are remembered as full
)

// A gate lets letters in to the store. Whoever floods us costs nobody else's time: few
// letters of one chat are being kept at once, and once too many wait the store is not
// asked again for a while.
type gate struct {
	mu       sync.Mutex
	entering map[string]int       // by chat
	full     map[string]time.Time // until when
}

// enter reports whether a letter of a chat may be kept; leave must be called then. first
// is true for the first letter that may not.
func (g *gate) enter(chat string, now time.Time) (ok, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until, full := g.full[chat]; full && now.Before(until) {
		return false, false
	}
	if g.entering[chat] >= enteringMax {
		g.close(chat, now)
		return false, true
	}
	if g.entering == nil {
		g.entering = map[string]int{}
	}
	g.entering[chat]++
	return true, false
}

// leave ends what enter has begun. It returns true for the first letter that has found
// the chat full.
func (g *gate) leave(chat string, now time.Time, full bool) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.entering[chat]--; g.entering[chat] == 0 {
		delete(g.entering, chat)
	}
	if until, known := g.full[chat]; !full || known && now.Before(until) {
		return false
	}
	g.close(chat, now)
	return true
}

// close takes a chat for full for a while.
func (g *gate) close(chat string, now time.Time) {
	if g.full == nil || len(g.full) >= fullMax {
		g.full = map[string]time.Time{}
	}
	g.full[chat] = now.Add(fullTime)
}
