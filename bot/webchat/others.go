package webchat

import (
	"context"
	"slices"
	"time"
)

// How processes that serve the same chats get on with each other.
const (
	lookEvery  = 500 * time.Millisecond // between two looks at what others have appended
	lookRarely = 2 * time.Second        // the same where a bell rings, which may get lost
	adoptEvery = 2 * time.Second        // between two looks for messages that nobody answers
	newsMax    = 1000                   // entries of one look
	adoptMax   = 100                    // messages of one look
	turnPause  = 100 * time.Millisecond // before looking again whether an earlier message is answered

	// takeOver is how old a message becomes before another process than the one that
	// took it answers it: that one has died, or has more than it can do.
	takeOver = 10 * time.Second
)

// A SharedLog is a log that other processes append to as well.
type SharedLog interface {
	Log
	// End returns the number of the newest entry of all chats, 0 for none.
	End(ctx context.Context) (seq int64, err error)
	// News returns the chats that got entries above a number, and how far it looked,
	// at most count entries.
	News(ctx context.Context, after int64, count int) (chats []string, last int64, err error)
	// Unanswered returns the oldest count messages without an answer that were sent in
	// a span of time, until not included: of one chat, or of all for "".
	Unanswered(ctx context.Context, chat string, from, until time.Time, count int) (chats, asked []string, err error)
}

// A Bell wakes other processes. It may fail to: they look by themselves, too.
type Bell interface {
	// Ring wakes who listens.
	Ring(ctx context.Context, chat string)
	// Listen calls heard for each ring until ctx ends.
	Listen(ctx context.Context, heard func(chat string))
}

// Others says that other processes serve the same chats.
type Others struct {
	Log  SharedLog
	Bell Bell // nil for none
}

// follow looks at what other processes do until ctx ends: it wakes the streams of
// chats that got entries, and answers what nobody answers.
func (c *Chat) followOthers(ctx context.Context) {
	every := lookEvery
	if c.opts.Others.Bell != nil {
		every = lookRarely
		c.work.Go(func() { c.opts.Others.Bell.Listen(ctx, c.wakeRoom) })
	}
	look, adopt := time.NewTicker(every), time.NewTicker(adoptEvery)
	defer look.Stop()
	defer adopt.Stop()
	at, known := int64(0), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			at, known = c.lookAt(ctx, at, known)
		case <-adopt.C:
			c.adoptAll(ctx)
		}
	}
}

// lookAt wakes the streams of chats with entries above a number and returns the
// newest one's. Where it is not known yet it wakes all: they have read before.
func (c *Chat) lookAt(ctx context.Context, after int64, known bool) (int64, bool) {
	log := c.opts.Others.Log
	if !known {
		end, err := log.End(ctx)
		c.complain(ctx, err)
		if err == nil {
			for _, chat := range c.rooms.chats() {
				c.wakeRoom(chat)
			}
		}
		return end, err == nil
	}
	for {
		chats, last, err := log.News(ctx, after, newsMax)
		if err != nil || last == after {
			c.complain(ctx, err)
			return after, true
		}
		for _, chat := range chats {
			c.wakeRoom(chat)
		}
		after = last
	}
}

func (c *Chat) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		c.opts.Logger.Error("the log of all chats could not be read", "error", err)
	}
}

// wakeRoom tells the streams of a chat to look at the log, if there are any.
func (c *Chat) wakeRoom(chat string) {
	rm := c.rooms.present(chat)
	if rm == nil {
		return
	}
	defer c.rooms.leave(rm)
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.wake()
}

// adoptAll takes over messages that were accepted by processes that do not answer
// them.
func (c *Chat) adoptAll(ctx context.Context) {
	now := c.opts.Now()
	chats, asked, err := c.opts.Others.Log.Unanswered(ctx, "", now.Add(-answerAgainFor), now.Add(-takeOver), adoptMax)
	c.complain(ctx, err)
	for i, chat := range chats {
		if err := c.adopt(ctx, chat, asked[i]); err != nil {
			c.complain(ctx, err)
		}
	}
}

// adopt puts a message of another process among those that wait here.
func (c *Chat) adopt(ctx context.Context, chat, id string) error {
	rm, err := c.rooms.enter(chat)
	if err != nil {
		return err
	}
	defer c.rooms.leave(rm)
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if slices.ContainsFunc(rm.waiting, func(e entry) bool { return e.ID == id }) {
		return nil
	}
	rm.loaded = false // read again, whatever waits without an answer
	return c.load(ctx, rm)
}

// abandoned reports whether a message that the log has without an answer is ours to
// answer: where other processes are, the one that took it is asked first.
func (c *Chat) abandoned(e entry, now time.Time) bool {
	return c.opts.Others == nil || e.At.Before(now.Add(-takeOver))
}

// inTurn reports whether a message that waits here is the oldest of its chat without
// an answer, and whether it has one already. Where there are no others both are known.
func (c *Chat) inTurn(ctx context.Context, chat string, e entry) (turn, answered bool) {
	if c.opts.Others == nil {
		return true, false
	}
	now := c.opts.Now()
	_, asked, err := c.opts.Others.Log.Unanswered(ctx, chat, now.Add(-answerAgainFor), now.Add(time.Hour), waitingMax+1)
	if err != nil {
		c.complain(ctx, err)
		return false, false
	}
	at := slices.Index(asked, e.ID)
	return at == 0, at < 0 && len(asked) <= waitingMax
}
