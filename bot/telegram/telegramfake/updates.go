package telegramfake

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// The queue's limits.
const (
	firstUpdate  = 700_000_001    // Telegram starts anywhere
	pageMax      = 100            // updates a poll returns
	pollMax      = 50             // seconds a poll is parked
	updateAgeMax = 24 * time.Hour // then it is forgotten
)

// What the server does to those who ask too often: the same offset again within
// hurriedOne brings one update only, and within hurriedPark parks the poll.
const (
	hurriedOne  = 500 * time.Millisecond
	hurriedPark = 3 * time.Second
)

// alwaysAllowed are the kinds of updates a bot gets that never asked for any.
var alwaysAllowed = []string{"message", "edited_message", "callback_query", "my_chat_member"}

// A queued update waits to be confirmed.
type queued struct {
	id   int64
	lane int64 // those of one are delivered one after the other
	body json.RawMessage
	at   time.Time
}

// polled remembers the last poll.
type polled struct {
	offset int64
	at     time.Time
}

// A poll is parked until something comes.
type poll struct {
	woken chan *failure // nil: look again
}

// push queues an update of a kind, if the bot wants that kind.
func (s *Server) push(kind string, content any) {
	wanted := s.allowed
	if len(wanted) == 0 {
		wanted = alwaysAllowed
	}
	if !slices.Contains(wanted, kind) {
		return
	}
	s.pushRaw(map[string]any{kind: content})
}

func (s *Server) pushRaw(update map[string]any) {
	if _, ok := update["update_id"]; !ok {
		update["update_id"] = s.next
	}
	body, err := json.Marshal(update)
	if err != nil { // only a test that pushes what is not JSON comes here
		return
	}
	u := queued{id: s.next, lane: laneOf(update), body: body, at: s.cfg.Now()}
	s.queue, s.newest[u.lane] = append(s.queue, u), u
	s.next++
	s.unpark(nil)
	s.pump()
	s.announce()
}

// unpark wakes the parked poll, if there is one.
func (s *Server) unpark(f *failure) {
	if s.parked == nil {
		return
	}
	s.parked.woken <- f
	s.parked = nil
}

// getUpdates hands out what is queued, or waits for something.
func (s *Server) getUpdates(ctx context.Context, p Params) (any, *failure) {
	offset, limit, wait := p.number("offset"), int(p.number("limit")), min(p.number("timeout"), pollMax)
	if limit < 1 || limit > pageMax {
		limit = pageMax
	}
	s.mu.Lock()
	var kinds []string
	if p.decode("allowed_updates", &kinds) {
		s.allowed = kinds
	}
	if now := s.cfg.Now(); offset == s.polled.offset && !s.polled.at.IsZero() {
		if wait < 3 && now.Before(s.polled.at.Add(hurriedPark)) {
			wait = 3
		}
		if now.Before(s.polled.at.Add(hurriedOne)) {
			limit = 1
		}
	}
	s.polled = polled{offset: offset, at: s.cfg.Now()}
	s.unpark(conflict("terminated by other getUpdates request; make sure that only one bot instance is running"))
	s.mu.Unlock()

	timer := time.NewTimer(time.Duration(max(wait, 0)) * time.Second)
	defer timer.Stop()
	for {
		page, parked, f := s.take(offset, limit, wait > 0)
		if f != nil || parked == nil {
			return page, f
		}
		select {
		case f := <-parked.woken:
			if f != nil {
				return nil, s.conflicting(ctx, f)
			}
		case <-timer.C:
			wait = 0
		case <-ctx.Done():
			wait = 0
		}
		s.leave(parked)
	}
}

// take confirms, and returns a page, or a place to wait at if park is set and
// there is nothing to return.
func (s *Server) take(offset int64, limit int, park bool) ([]json.RawMessage, *poll, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.announce()
	if s.hook != nil {
		return nil, nil, conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	}
	s.confirm(offset)
	page := []json.RawMessage{}
	for _, u := range s.queue {
		if len(page) == limit {
			break
		}
		page = append(page, u.body)
	}
	if len(page) > 0 || !park {
		return page, nil, nil
	}
	s.parked = &poll{woken: make(chan *failure, 1)}
	return page, s.parked, nil
}

// leave gives up a place that nobody has taken.
func (s *Server) leave(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parked == p {
		s.parked = nil
		s.announce()
	}
}

// confirm drops what an offset says was handled, and what is too old.
func (s *Server) confirm(offset int64) {
	s.age()
	if offset < 0 {
		s.queue = s.queue[max(0, len(s.queue)+int(offset)):]
		return
	}
	if offset > s.next { // outside of the queue: from the head
		return
	}
	s.queue = slices.DeleteFunc(s.queue, func(u queued) bool { return u.id < offset })
}

// conflicting answers a poll that has lost, and lets it wait if one has just before: two
// bots with one token must not spin.
func (s *Server) conflicting(ctx context.Context, f *failure) *failure {
	s.mu.Lock()
	now := s.cfg.Now()
	again := f.code == http.StatusConflict && !s.lost.IsZero() && now.Sub(s.lost) < hurriedPark
	s.lost = now
	s.mu.Unlock()
	if !again {
		return f
	}
	timer := time.NewTimer(hurriedPark)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return f
}

func conflict(text string) *failure {
	return &failure{code: http.StatusConflict, text: "Conflict: " + text}
}

// Queued returns how many updates nobody has confirmed.
func (s *Server) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// WaitQueued waits until n updates are queued and unconfirmed.
func (s *Server) WaitQueued(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return len(s.queue) == n })
}

// WaitParked waits until a poll is parked: everything has been handed out and
// confirmed.
func (s *Server) WaitParked(ctx context.Context) error {
	return s.await(ctx, func() bool { return s.parked != nil })
}

// JumpUpdates makes id the next update's, as the server does after a week
// without one.
func (s *Server) JumpUpdates(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = id
}

// PushUpdate queues any update; update_id is added if it is missing.
func (s *Server) PushUpdate(update map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushRaw(update)
}
