package telegram

import (
	"sync"
	"time"
)

// The limits of what is worked on.
const (
	chatQueueMax = 60  // messages of one chat: somebody forwards a day's finds at once
	openMax      = 256 // messages of all chats; also the number of goroutines
)

// queues runs jobs: those of one chat in order, those of several at the same
// time.
type queues struct {
	do func(incoming)

	mu      sync.Mutex
	chats   map[int64][]incoming // an entry means that a worker is running
	total   int
	closed  bool
	workers sync.WaitGroup
}

func newQueues(do func(incoming)) *queues { return &queues{do: do, chats: map[int64][]incoming{}} }

// full reports whether no more should be added now.
func (q *queues) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total >= openMax
}

// add takes a job. It reports false if its chat has too many.
func (q *queues) add(in incoming) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, running := q.chats[in.to.chat]
	if len(waiting) >= chatQueueMax {
		return false
	}
	q.chats[in.to.chat] = append(waiting, in)
	q.total++
	if !running {
		q.workers.Go(func() { q.work(in.to.chat) })
	}
	return true
}

// work does the jobs of a chat until there are none.
func (q *queues) work(chat int64) {
	for {
		in, ok := q.next(chat)
		if !ok {
			return
		}
		q.do(in)
		q.mu.Lock()
		q.total--
		q.mu.Unlock()
	}
}

func (q *queues) next(chat int64) (incoming, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.chats[chat]
	if q.closed || len(waiting) == 0 {
		delete(q.chats, chat)
		return incoming{}, false
	}
	q.chats[chat] = waiting[1:]
	return waiting[0], true
}

// close begins nothing new; what has begun goes on.
func (q *queues) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// wait waits until what has begun has ended, and reports whether it has.
func (q *queues) wait(within time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		q.workers.Wait()
		close(ended)
	}()
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-ended:
		return true
	case <-t.C:
		return false
	}
}
