package wechat

import (
	"context"
	"time"

	"fanli/core/fault"
)

// typingTime bounds the call that shows that we are typing.
const typingTime = 3 * time.Second

// typing shows a person whose answer is sent later that it is coming. Accounts that may
// send the answer may show that, too, and it counts for none of the messages that the
// person may be sent. That it fails matters to nobody.
func (c *Channel) typing(run *running, openid string) {
	run.work.Add(1)
	go func() {
		defer run.work.Done()
		ctx, cancel := context.WithTimeout(run.ctx, typingTime)
		defer cancel()
		if err := c.opts.Platform.Typing(ctx, openid, true); err != nil {
			c.log.Debug("nobody sees that we are typing", "code", string(fault.CodeOf(err)))
		}
	}()
}
