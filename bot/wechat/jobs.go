package wechat

import (
	"sync"
	"time"

	"fanli/bot"
	"fanli/bot/callback"
)

// How many messages are remembered, and how long one that is answered.
const (
	jobTTL  = time.Minute
	jobsMax = 4096
)

// The platform delivers a message at most deliveriesMax times, deliveryEvery apart.
const (
	deliveriesMax = 3
	deliveryEvery = 5 * time.Second
)

// A job is one message that is being answered, or was. Each delivery of it waits for
// the same one.
type job struct {
	ready chan struct{} // closed once message is known
	done  chan struct{} // closed once reply is known

	message bot.Message // for the bot; without ID where the channel answers itself
	reply   bot.Reply
	raw     string // instead of reply: the rest of a text, as it is
	quiet   bool   // nothing is to be said
	cut     bool   // it was cut short: it is as if it had not been

	began time.Time

	mu         sync.Mutex
	deliveries int
	made       *answer // what the deliveries are answered with
}

// A jobs is all jobs of a process. The zero value is empty.
type jobs struct {
	mu   sync.Mutex
	by   map[string]*job
	tidy time.Time
}

// has reports whether a message is being answered, or was.
func (m *jobs) has(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by[id] != nil
}

// join returns the job of a message; mine says that it is new and whoever asks does it. A
// new one must be admitted; otherwise there is none.
func (m *jobs) join(id string, now time.Time, admit func() bool) (j *job, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[string]*job{}
	}
	if now.Sub(m.tidy) > jobTTL || len(m.by) > jobsMax {
		m.tidy = now
		for k, j := range m.by {
			if j.ended() && (now.Sub(j.began) > jobTTL || len(m.by) > jobsMax) {
				delete(m.by, k)
			}
		}
	}
	if j = m.by[id]; j == nil {
		if !admit() {
			return nil, false
		}
		j, mine = &job{ready: make(chan struct{}), done: make(chan struct{}), began: now}, true
		m.by[id] = j
	}
	j.mu.Lock()
	j.deliveries++
	j.mu.Unlock()
	return j, mine
}

// drop forgets a job that was cut short.
func (m *jobs) drop(id string, j *job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[id] == j {
		delete(m.by, id)
	}
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// last reports whether the platform will not deliver the message again. Other processes
// may have had the deliveries before; then the message's own time says so.
func (j *job) last(in incoming, now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.deliveries >= deliveriesMax {
		return true
	}
	age := now.Sub(in.at)
	return age >= (deliveriesMax-1)*deliveryEvery && age < callback.Freshness
}
