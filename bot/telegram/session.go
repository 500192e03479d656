package telegram

import (
	"context"
	"errors"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/core/fault"
)

// How the two seconds of stopping are spent.
const (
	stopGrace = 1200 * time.Millisecond // for those who are being answered
	stopAbort = 300 * time.Millisecond  // for handlers to notice that time is up
	stopSave  = 300 * time.Millisecond  // for writing down how far we got
)

// saveTime bounds how long polling waits for the database.
const saveTime = 5 * time.Second

// session is one run of a channel.
type session struct {
	*Channel
	reader
	handle   bot.Handler
	progress *progress
	queues   *queues
	token    int64 // of the lease under which it polls; 0 for none
	saved    int64
	unsaved  bool // the last attempt to save failed, and the log says so

	work context.Context // the life of what is being answered; it outlives the poll
	end  context.CancelFunc
}

// meet finds out who we are. It tries until ctx ends or Telegram refuses the token.
func (c *Channel) meet(ctx context.Context) (id int64, err error) {
	var me tgbotapi.User
	err = c.persist(ctx, "Telegram cannot be reached", func() error {
		return c.call(ctx, "getMe", nil, &me)
	})
	if err != nil {
		return 0, err
	}
	c.username.Store(&me.UserName)
	return me.ID, nil
}

// open finds out where the last run stopped. It tries until the watch ends.
func (c *Channel) open(w watch, me int64, handle bot.Handler) (*session, error) {
	username := *c.username.Load()
	s := &session{Channel: c, handle: handle, token: w.token, reader: reader{me: me, username: username, clock: c.now}}
	err := c.persist(w.held, "the offset cannot be read", func() (err error) {
		s.saved, err = c.restore(w.held, s.mark())
		return err
	})
	if err != nil {
		return nil, err
	}
	s.progress = newProgress(s.saved)
	s.queues = newQueues(s.take)
	s.work, s.end = context.WithCancel(context.WithoutCancel(w.held))
	c.log.Info("the channel is open", "bot", username)
	return s, nil
}

// persist tries until it works, ctx ends, or credentials are refused.
func (c *Channel) persist(ctx context.Context, trouble string, try func() error) error {
	w := newWaits()
	for {
		err := try()
		if err == nil || ctx.Err() != nil || fault.Is(err, fault.Denied) {
			return err
		}
		d := w.after(err)
		c.log.Warn(trouble+"; trying again", "error", err, "wait", d)
		if !sleep(ctx, d) {
			return err
		}
	}
}

// mark is the name under which this bot's offset is kept.
func (s *session) mark() string { return "telegram.offset." + strconv.FormatInt(s.me, 10) }

// restore reads the offset; 0 for none.
func (c *Channel) restore(ctx context.Context, name string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	v, err := c.marks.Mark(ctx, name)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && v == "":
		return 0, nil
	case err != nil:
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 { // Telegram still knows what was not confirmed
		c.log.Error("the kept offset is not a number; starting with what is not confirmed", "mark", name)
		return 0, nil
	}
	return n, nil
}

// run polls until ctx ends or the token is refused, and then lets those finish
// who are being answered.
func (s *session) run(ctx context.Context) error {
	defer s.end()
	menu, cancelMenu := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		s.setFace(menu)
	}()
	err := s.poll(ctx)
	cancelMenu()
	<-shown
	s.queues.close()
	if !s.queues.wait(stopGrace) {
		s.end()
		if !s.queues.wait(stopAbort) {
			s.log.Warn("a handler does not stop when its time is up; its message will come again")
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopSave)
	defer cancel()
	s.save(last)
	return err
}

// save keeps the offset, if it has changed. What is not kept is not lost:
// Telegram hands out again what the next poll does not confirm.
func (s *session) save(ctx context.Context) {
	next := s.progress.offset()
	if next == s.saved {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	err := s.marks.SetMark(ctx, s.mark(), strconv.FormatInt(next, 10), s.token)
	if err == nil {
		s.saved, s.unsaved = next, false
		return
	}
	if !s.unsaved && !errors.Is(err, context.Canceled) {
		s.log.Warn("the offset cannot be kept; a restart will answer the latest messages again", "error", err)
	}
	s.unsaved = true
}
