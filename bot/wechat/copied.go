package wechat

import (
	"context"
	"crypto/rand"
	"time"

	"fanli/bot/mail"
	"fanli/bot/plaintext"
	"fanli/core/fault"
)

// In WeChat a long press copies a whole message, so that a 口令 is copied best where it is
// one. It is in the answer, too: that it comes by itself is a convenience. It is tried
// once, survives no crash, waits for nothing, and leaves partsMax of the messages that the
// person may be sent, which is as many as an answer takes that was promised.

// copyTime bounds the call that sends it.
const copyTime = 5 * time.Second

// copyAlone sends what an answer has to copy, once for a message over all deliveries and
// processes, after the answer.
func (c *Channel) copyAlone(run *running, in incoming, text string) {
	if text == "" || !c.may(run.ctx, Customer) {
		return
	}
	run.work.Add(1)
	go func() {
		defer run.work.Done()
		select {
		case <-c.opts.After(followAfter):
		case <-run.over:
			return
		}
		ctx, cancel := context.WithTimeout(run.ctx, copyTime)
		defer cancel()
		own := rand.Text()
		if by, err := c.opts.Book.Decide(ctx, in.id+"/copy", own, c.opts.Now()); err != nil || by != own {
			return
		}
		c.copyNow(ctx, in.from, text)
	}()
}

// copyNow sends what there is to copy, if enough messages are allowed.
func (c *Channel) copyNow(ctx context.Context, openid, text string) {
	f, err := c.follower(ctx, openid)
	if err == nil && f.allowed(c.opts.Now()) <= partsMax {
		return
	}
	sent := false
	if err == nil {
		sent, err = c.message(ctx, f, page{text: text})
	}
	if err != nil {
		c.log.Debug("what there is to copy does not come by itself", "code", string(fault.CodeOf(err)))
	}
	c.noticed(sent, "copy")
}

// copyLate sends what a late answer has to copy, as the message of its parcel with number
// part.
func (c *Channel) copyLate(ctx context.Context, p mail.Parcel, progress *mail.Progress, part int) error {
	text := plaintext.ToCopy(p.Reply)
	if text == "" || len(p.Data) > 0 { // it only follows an answer
		return nil
	}
	return progress.Do(ctx, part, func(ctx context.Context, again bool) (string, error) {
		if !again {
			c.copyNow(ctx, p.To.External, text)
		}
		return "", nil
	})
}
