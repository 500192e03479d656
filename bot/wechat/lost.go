package wechat

import (
	"context"
	"time"

	"fanli/bot"
	"fanli/core/fault"
)

// An answer that the platform was not handed is asked for again, as a rule: with the next
// delivery. After the last one there is none. What could not be written then is sent as a
// customer message or, where none may be sent, told with the answer to the next message. What
// was written and lost on its way is not known here: people ask for it with "重发".

// keepTime bounds what is done for an answer after its delivery has ended.
const keepTime = 3 * time.Second

// said is what the deliveries of a message are answered with, without the notices below it
// and without what follows it by itself. It must be made.
func (j *job) said() bot.Reply {
	if j.raw != "" || len(j.made.more) > 0 {
		return bot.Reply{Text: j.made.text}
	}
	return j.reply
}

// rescue has an answer told later with which the last delivery could not be answered, once
// for a message.
func (c *Channel) rescue(run *running, in incoming, r bot.Reply) {
	if c.opts.Mail == nil {
		return
	}
	ctx, cancel := context.WithTimeout(run.ctx, keepTime)
	defer cancel()
	if err := c.opts.Mail.Post(ctx, Name+"/lost/"+in.id, identity(in.from), r, c.opts.Now()); err != nil {
		c.log.Error("an answer that did not arrive is lost", "code", string(fault.CodeOf(err)))
		return
	}
	c.count("answered", "lost")
}

// cutOff keeps a message whose last delivery has ended before its answer was there.
func (c *Channel) cutOff(run *running, in incoming, j *job) {
	select {
	case <-j.ready:
	default:
		return // it is not even known what it means
	}
	if j.message.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(run.ctx, keepTime)
	defer cancel()
	if c.decide(ctx, in, wayLater) == wayLater {
		_, _ = c.keep(ctx, in, j)
	}
}
