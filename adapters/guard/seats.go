package guard

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// errFull says that nobody may even wait any more.
var errFull = errors.New("too many calls wait already")

// seats bound how many calls are under way, and how many wait for that.
type seats struct {
	free  *semaphore.Weighted
	queue int64
	wait  time.Duration
	line  atomic.Int64 // who waits
}

func newSeats(count, queue int, wait time.Duration) *seats {
	return &seats{free: semaphore.NewWeighted(int64(count)), queue: int64(queue), wait: wait}
}

// take returns what gives a seat back. It waits for one no longer than it may, and
// not at all where the queue is full.
func (s *seats) take(ctx context.Context) (leave func(), err error) {
	leave = func() { s.free.Release(1) }
	if s.free.TryAcquire(1) {
		return leave, nil
	}
	if s.line.Add(1) > s.queue {
		s.line.Add(-1)
		return nil, errFull
	}
	defer s.line.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	return leave, s.free.Acquire(ctx, 1)
}

// A budget bounds repeated calls to a part of all calls, so that who is in trouble
// already does not get several times the load. It is safe for concurrent use.
type budget struct {
	part int64        // hundredths of a repetition that each call earns
	left atomic.Int64 // hundredths
}

// budgetMax is how many repetitions can be saved up, in hundredths: a hiccup of a
// moment is repeated in full.
const budgetMax = 1000

func newBudget(percent int) *budget {
	b := &budget{part: int64(percent)}
	b.left.Store(budgetMax)
	return b
}

// earn counts a call.
func (b *budget) earn() {
	if b.left.Add(b.part) > budgetMax {
		b.left.Store(budgetMax)
	}
}

// spend reports whether there is a repetition left, and takes it.
func (b *budget) spend() bool {
	if b.left.Add(-100) >= 0 {
		return true
	}
	b.left.Add(100)
	return false
}
