package telegram

import (
	"context"
	"errors"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// stopSave is how long of the two seconds of stopping may be spent for writing down how
// far we got.
const stopSave = 300 * time.Millisecond

// saveTime bounds how long polling waits for the database.
const saveTime = 5 * time.Second

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

// An offset is what is kept of how far the updates were read.
type offset struct {
	*Channel
	name    string // of its mark
	token   int64  // of the lease under which it is kept; 0 for none
	saved   int64
	unsaved bool // the last attempt to save failed, and the log says so
}

// offsetMark is the name under which a bot's offset is kept.
func offsetMark(me int64) string { return "telegram.offset." + strconv.FormatInt(me, 10) }

// save keeps the offset, if it has changed. What is not kept is not lost:
// Telegram hands out again what the next poll does not confirm.
func (o *offset) save(ctx context.Context, next int64) {
	if next == o.saved {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	err := o.marks.SetMark(ctx, o.name, strconv.FormatInt(next, 10), o.token)
	if err == nil {
		o.saved, o.unsaved = next, false
		return
	}
	if !o.unsaved && !errors.Is(err, context.Canceled) {
		o.log.Warn("the offset cannot be kept; a restart will read the latest messages again", "error", err)
	}
	o.unsaved = true
}
