package webchat

import (
	"container/list"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"fanli/bot"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/user"
)

// Limits of one chat and of all of them.
const (
	roomsMax       = 10_000           // chats that are remembered; each has some kilobytes
	answeringMax   = 64               // messages that are being answered at the same time
	waitingMax     = 16               // messages of one chat that wait for their turn
	messagesBurst  = 12               // messages at once; pasting a whole shopping list is fine
	messagesEvery  = 2 * time.Second  // and then one each
	historyMax     = 200              // entries that a new page is shown
	seenMax        = 500              // ids of messages that are known again without asking the log
	readMax        = 200              // entries that are read at once
	answerAgainFor = 10 * time.Minute // a message without an answer is handled again if it is not older
	appendTriesMax = 3                // how often an answer is offered to a log that fails
)

// A room is one chat as this process knows it. Fields below mu are guarded by it;
// it is held while the log is appended to, so that numbers are seen in order.
type room struct {
	chat string
	refs int           // guarded by rooms.mu
	at   *list.Element // guarded by rooms.mu

	mu      sync.Mutex
	loaded  bool
	floor   int64           // history begins after this number
	seen    map[string]bool // ids of messages in the log
	order   []string        // the same, oldest first
	waiting []entry
	working bool
	limit   *rate.Limiter
	streams []*stream
}

// wake tells the streams to look at the log; the room is locked.
func (rm *room) wake() {
	for _, s := range rm.streams {
		s.wake()
	}
}

// know remembers an id; the room is locked.
func (rm *room) know(id string) {
	if rm.seen[id] {
		return
	}
	rm.seen[id] = true
	rm.order = append(rm.order, id)
	if len(rm.order) > seenMax {
		delete(rm.seen, rm.order[0])
		rm.order = rm.order[1:]
	}
}

// rooms are the chats that were used last.
type rooms struct {
	mu  sync.Mutex
	all map[string]*room
	use *list.List // of *room, latest used first
}

func newRooms() *rooms { return &rooms{all: map[string]*room{}, use: list.New()} }

// enter returns the room of a chat; leave must be called. Where there are too
// many it forgets the one that was used longest ago and that nobody is in, and
// fails with fault.Limited if there is none.
func (rs *rooms) enter(chat string) (*room, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rm, ok := rs.all[chat]
	if !ok {
		if len(rs.all) >= roomsMax && !rs.forget() {
			return nil, fault.New(fault.Limited, "webchat.full")
		}
		rm = &room{chat: chat, limit: rate.NewLimiter(rate.Every(messagesEvery), messagesBurst)}
		rm.at = rs.use.PushFront(rm)
		rs.all[chat] = rm
	}
	rs.use.MoveToFront(rm.at)
	rm.refs++
	return rm, nil
}

// present returns the room of a chat if it is remembered; leave must be called then.
func (rs *rooms) present(chat string) *room {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rm := rs.all[chat]
	if rm != nil {
		rm.refs++
	}
	return rm
}

// chats are those of all rooms that are remembered.
func (rs *rooms) chats() []string {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return slices.Collect(maps.Keys(rs.all))
}

func (rs *rooms) leave(rm *room) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rm.refs--
}

func (rs *rooms) forget() bool {
	for e := rs.use.Back(); e != nil; e = e.Prev() {
		rm := e.Value.(*room)
		if rm.refs == 0 {
			rs.use.Remove(e)
			delete(rs.all, rm.chat)
			return true
		}
	}
	return false
}

// load reads what the log knows of a room, once; the room is locked. Messages
// without an answer are given to the worker.
func (c *Chat) load(ctx context.Context, rm *room) error {
	if rm.loaded {
		return nil
	}
	rm.seen, rm.order, rm.floor = map[string]bool{}, nil, 0
	var recent []int64
	var open []entry
	now := c.opts.Now()
	since := now.Add(-answerAgainFor)
	for after := int64(0); ; {
		es, last, err := c.read(ctx, rm.chat, after, readMax)
		if err != nil {
			return err
		}
		for _, e := range es {
			if recent = append(recent, e.Seq); len(recent) > historyMax {
				rm.floor, recent = recent[0], recent[1:]
			}
			if e.From == fromBot {
				open = without(open, e.To)
				continue
			}
			if !rm.seen[e.ID] && e.At.After(since) && len(open) < waitingMax {
				open = append(open, e)
			}
			rm.know(e.ID)
		}
		if last == after {
			break
		}
		after = last
	}
	rm.waiting = slices.DeleteFunc(open, func(e entry) bool {
		return !c.abandoned(e, now) && !slices.ContainsFunc(rm.waiting, func(w entry) bool { return w.ID == e.ID })
	})
	rm.loaded = true
	c.employ(rm)
	return nil
}

// without returns es without the message that has an id.
func without(es []entry, id string) []entry {
	return slices.DeleteFunc(slices.Clone(es), func(e entry) bool { return e.ID == id })
}

// post keeps a message and has it answered. fresh is false for one that was
// posted before.
func (c *Chat) post(ctx context.Context, chat string, e entry) (fresh bool, err error) {
	if !c.open() {
		return false, fault.New(fault.Unavailable, "webchat.starting")
	}
	rm, err := c.rooms.enter(chat)
	if err != nil {
		return false, err
	}
	defer c.rooms.leave(rm)
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if err := c.load(ctx, rm); err != nil {
		return false, err
	}
	if rm.seen[e.ID] {
		return false, nil
	}
	if len(rm.waiting) >= waitingMax || !c.allowed(ctx, rm) {
		return false, fault.New(fault.Limited, "webchat.too_fast")
	}
	e.From = fromUser
	fresh, err = c.append(ctx, rm, e)
	if err != nil {
		return false, err
	}
	rm.know(e.ID)
	if !fresh { // another process has it
		return false, nil
	}
	e.At = c.opts.Now()
	rm.waiting = append(rm.waiting, e)
	c.employ(rm)
	return true, nil
}

// allowed takes one of the messages that a chat may send now.
func (c *Chat) allowed(ctx context.Context, rm *room) bool {
	if c.opts.Limits == nil {
		return rm.limit.AllowN(c.opts.Now(), 1)
	}
	ok, _, err := c.opts.Limits.Allow(ctx, "web/"+rm.chat, cache.Every(messagesEvery), messagesBurst)
	return ok && err == nil
}

// employ starts the room's worker if there is work and nobody does it; the room
// is locked.
func (c *Chat) employ(rm *room) {
	if rm.working || len(rm.waiting) == 0 {
		return
	}
	inside, err := c.rooms.enter(rm.chat)
	if err != nil {
		return
	}
	rm.working = c.start(func(ctx context.Context, handle bot.Handler) {
		defer c.rooms.leave(inside)
		for c.next(ctx, inside, handle) {
		}
	})
	if !rm.working {
		c.rooms.leave(inside)
		return
	}
	rm.wake()
}

// next answers the oldest message that waits. It returns false, and the worker
// ends, when there is none or the chat is closing.
func (c *Chat) next(ctx context.Context, rm *room, handle bot.Handler) bool {
	rm.mu.Lock()
	if len(rm.waiting) == 0 || ctx.Err() != nil {
		rm.working = false
		rm.wake()
		rm.mu.Unlock()
		return false
	}
	e := rm.waiting[0]
	rm.mu.Unlock()

	turn, answered := c.inTurn(ctx, rm.chat, e)
	if answered {
		rm.mu.Lock()
		defer rm.mu.Unlock()
		rm.waiting = without(rm.waiting, e.ID)
		return true
	}
	if !turn { // another process answers an earlier one
		sleep(ctx, turnPause)
		return true
	}
	return c.answer(ctx, rm, e, handle)
}

// answer answers a message whose turn it is.
func (c *Chat) answer(ctx context.Context, rm *room, e entry, handle bot.Handler) bool {
	select {
	case c.desk <- struct{}{}:
	case <-ctx.Done():
		return true // and ends
	}
	r := handle(ctx, c.message(rm.chat, e))
	<-c.desk
	if ctx.Err() != nil { // the answer may be about that; the message is handled again
		return true
	}

	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.waiting = without(rm.waiting, e.ID)
	var err error
	for range appendTriesMax {
		if _, err = c.append(ctx, rm, entry{From: fromBot, To: e.ID, Reply: &r}); err == nil {
			return true
		}
	}
	rm.loaded = false // whoever looks next finds the message unanswered
	c.opts.Logger.Error("an answer could not be kept", "error", err)
	return true
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// message is what the bot is asked.
func (c *Chat) message(chat string, e entry) bot.Message {
	text := e.Text
	if e.Action != "" {
		text = e.Action
	}
	return bot.Message{
		From: user.Identity{Channel: Name, External: chat}, Chat: chat,
		ID: chat + "/" + e.ID, Text: text, Locale: e.Lang,
	}
}
