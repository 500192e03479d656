package wechat

import (
	"context"

	"fanli/bot"
	"fanli/core/fault"
)

// What is kept of a template message, by the platform's number of it: what was there
// first.
const (
	formSent   = "sent"   // that it was sent, with what it said
	formFailed = "failed" // that it did not arrive, which the platform says later
)

// formKey names a template message.
func formKey(id string) string { return "form/" + id }

// formKept keeps what a template message says that was sent, since the platform may say
// that it failed. That can be before this is kept. Where it cannot be kept the message is
// sent again, by a key of which the platform sends it once.
func (c *Channel) formKept(ctx context.Context, openid, id string, r bot.Reply) error {
	keys, bodies, err := c.pieces(formKey(id), r)
	for i := 0; i < len(keys) && err == nil; i++ {
		err = c.opts.Book.Sent(ctx, openid, keys[i], bodies[i], c.opts.Now())
	}
	first := formSent
	if err == nil {
		first, err = c.opts.Book.Decide(ctx, formKey(id), formSent, c.opts.Now())
	}
	if err == nil && first == formFailed {
		err = c.unsend(ctx, openid, id)
	}
	return fault.In("wechat.Book", err)
}

// formLost has told with the next answer what a template message was to say that did not
// arrive. One that is not ours stays as unknown as it was.
func (c *Channel) formLost(ctx context.Context, openid, id string) error {
	first, err := c.opts.Book.Decide(ctx, formKey(id), formFailed, c.opts.Now())
	if err == nil && first == formSent {
		err = c.unsend(ctx, openid, id)
	}
	return fault.In("wechat.Book", err)
}

// unsend lets wait what a template message was to say.
func (c *Channel) unsend(ctx context.Context, openid, id string) error {
	for i := 0; ; i++ {
		found, err := c.opts.Book.Unsent(ctx, openid, pieceKey(formKey(id), i))
		if err != nil || !found {
			return err
		}
		c.count("notice", "unsent")
	}
}
