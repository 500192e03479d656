package telegram

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// The limits of polling.
const (
	pageMax  = 100              // updates of one poll, Telegram's limit
	pollSecs = 50               // how long Telegram parks a poll, its limit
	pollTime = 65 * time.Second // then the connection is dead

	// An empty answer before emptyMin is that of a server that does not park;
	// it is asked again after emptyRest.
	emptyMin  = 100 * time.Millisecond
	emptyRest = 300 * time.Millisecond
	againRest = 600 * time.Millisecond // after a page with nothing new
)

// wanted are the kinds of updates that we read, as Telegram keeps them from one
// poll to the next.
const wanted = `["message","edited_message","callback_query","my_chat_member"]`

// gather polls until ctx ends or the token is refused. Every update is kept before the
// next poll confirms it, so nobody's slowness holds up anybody.
func (c *Channel) gather(ctx context.Context, r reader, o *offset) error {
	w, next := newWaits(), o.saved
	for ctx.Err() == nil {
		o.save(ctx, next)
		asked, began := next, c.now()
		page, err := c.updates(ctx, asked)
		for i := 0; err == nil && i < len(page); i++ {
			next, err = c.file(ctx, r, page[i], next)
		}
		switch {
		case err == nil && len(page) > 0 && next != asked:
			w.reset()
		case err == nil:
			w.reset()
			if len(page) > 0 { // a server that forgets what was confirmed
				sleep(ctx, againRest)
			} else if c.now().Sub(began) < emptyMin {
				sleep(ctx, emptyRest)
			}
		case ctx.Err() != nil || fault.Is(err, fault.Denied):
			return err
		default:
			d := w.after(err)
			c.complain(err, d)
			sleep(ctx, d)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopSave)
	defer cancel()
	o.save(last, next)
	return nil
}

// file has an update of a page kept and returns what to ask for next.
func (c *Channel) file(ctx context.Context, r reader, raw json.RawMessage, next int64) (int64, error) {
	var id struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(raw, &id); err != nil || id.ID <= 0 {
		c.log.Error("an update without a number is skipped")
		return next, nil //nolint:nilerr // it will not have one the next time
	}
	if _, err := c.receive(ctx, r, raw); err != nil {
		return next, err
	}
	return id.ID + 1, nil
}

// complain says why there are no messages. A conflict needs a person.
func (c *Channel) complain(err error, wait time.Duration) {
	if fault.Is(err, fault.Conflict) {
		c.log.Error("somebody else receives this bot's messages: stop the other program that uses its token, "+
			"or delete its webhook", "error", err, "wait", wait)
		return
	}
	c.log.Warn("polling fails; trying again", "error", err, "wait", wait)
}

// updates asks for what is not confirmed, and confirms what is before offset.
func (c *Channel) updates(ctx context.Context, offset int64) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	p := tgbotapi.Params{
		"timeout": strconv.Itoa(pollSecs), "limit": strconv.Itoa(pageMax), "allowed_updates": wanted,
	}
	p.AddNonZero64("offset", offset)
	var page []json.RawMessage
	return page, c.do(ctx, "getUpdates", p, &page)
}
