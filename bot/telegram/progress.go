package telegram

import (
	"sync"
	"time"
)

// seenMax is how many finished updates are remembered, against servers that hand
// out the confirmed again.
const seenMax = 1024

// progress knows which updates are being worked on and how far everything is
// finished. Its ids are in the order in which they were handed out, which is
// usually ascending; after a quiet week Telegram starts anywhere.
type progress struct {
	mu    sync.Mutex
	next  int64   // everything before is finished; 0 as long as nothing is known
	order []int64 // handed out and not before next
	open  map[int64]*step
	seen  map[int64]bool
	ring  [seenMax]int64 // what is in seen, oldest at at
	at    int
	moved chan struct{} // holds one when next has changed
}

// step is an update that is worked on.
type step struct {
	since time.Time
	done  bool
}

func newProgress(next int64) *progress {
	return &progress{next: next, open: map[int64]*step{}, seen: map[int64]bool{}, moved: make(chan struct{}, 1)}
}

// admit begins an update. It reports false for one that has been admitted.
func (p *progress) admit(id int64, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[id] != nil || p.seen[id] {
		return false
	}
	p.order = append(p.order, id)
	p.open[id] = &step{since: now}
	return true
}

// finish ends an update.
func (p *progress) finish(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.open[id]; s != nil {
		s.done = true
		p.advance(time.Time{})
	}
}

// pass gives up waiting for the oldest updates if they began before the given
// time, and returns how many.
func (p *progress) pass(before time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.advance(before)
}

// advance moves next over what is finished or began before the given time, and
// returns how many of those were not finished.
func (p *progress) advance(before time.Time) (given int) {
	moved := false
	for len(p.order) > 0 {
		id := p.order[0]
		s := p.open[id]
		if !s.done {
			if !s.since.Before(before) {
				break
			}
			given++
		}
		delete(p.open, id)
		p.remember(id)
		p.order, p.next, moved = p.order[1:], id+1, true
	}
	if moved {
		select {
		case p.moved <- struct{}{}:
		default: // somebody is told already
		}
	}
	return given
}

func (p *progress) remember(id int64) {
	delete(p.seen, p.ring[p.at])
	p.ring[p.at], p.seen[id] = id, true
	p.at = (p.at + 1) % seenMax
}

// offset is what the next poll should ask for.
func (p *progress) offset() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}
