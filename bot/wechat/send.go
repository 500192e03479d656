package wechat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"fanli/bot"
	"fanli/bot/wechat/platform"
	"fanli/core/fault"
	"fanli/core/user"
)

// Send implements bot.Channel.
func (c *Channel) Send(ctx context.Context, to user.Identity, r bot.Reply) error {
	return c.Notice(ctx, to, rand.Text(), bot.Notice{To: to, Reply: r})
}

// Notice tells a person something unasked: by a customer message if one is allowed, else
// by the form of its kind, else with the next answer to them.
func (c *Channel) Notice(ctx context.Context, to user.Identity, key string, n bot.Notice) error {
	f, err := c.reach(ctx, to)
	if err != nil {
		return err
	}
	sent, err := c.custom(ctx, f, n.Reply, true)
	if sent || err != nil {
		c.noticed(sent, "customer")
		return err
	}
	sent, err = c.form(ctx, f.openid, key, n)
	if sent || err != nil {
		c.noticed(sent, "form")
		return err
	}
	return c.park(ctx, f.openid, key, n.Reply)
}

// noticed counts a notice.
func (c *Channel) noticed(sent bool, how string) {
	if sent {
		c.count("notice", how)
	}
}

// SendAnswer sends the answer to a message that was acknowledged before. What is not
// allowed waits, for "1" or whatever the person writes.
func (c *Channel) SendAnswer(ctx context.Context, to user.Identity, key string, r bot.Reply) error {
	f, err := c.reach(ctx, to)
	if err != nil {
		return err
	}
	sent, err := c.custom(ctx, f, r, false)
	if sent || err != nil {
		return err
	}
	return c.park(ctx, f.openid, key, r)
}

// reach returns what is kept of a person. It fails with fault.NotFound for one who does
// not follow us.
func (c *Channel) reach(ctx context.Context, to user.Identity) (follower, error) {
	if to.Channel != Name {
		return follower{}, fault.Newf(fault.NotFound, "", "wechat does not reach people of other channels")
	}
	f, err := c.follower(ctx, to.External)
	if err != nil {
		return follower{}, fault.In("wechat.Send", err)
	}
	if f.Gone || f.rev == 0 {
		return follower{}, fault.Newf(fault.NotFound, "", "the person does not follow the account")
	}
	return f, nil
}

// park keeps something until its person writes.
func (c *Channel) park(ctx context.Context, openid, key string, r bot.Reply) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = c.opts.Book.Park(ctx, openid, key, b, c.opts.Now())
	}
	if err == nil {
		c.count("notice", "parked")
	}
	return fault.In("wechat.Park", err)
}

// custom sends a customer message. sent is false if none is allowed.
func (c *Channel) custom(ctx context.Context, f follower, r bot.Reply, notice bool) (sent bool, err error) {
	if !c.may(ctx, Customer) || f.allowed(c.opts.Now()) == 0 {
		return false, nil
	}
	ok, err := c.take(ctx, f.openid)
	if !ok || err != nil {
		return false, err
	}
	out := c.render(r)
	if notice && out.article == nil {
		out = c.renderText(r, true)
	}
	next := talkState{Menu: out.menu}
	if len(out.text) > textBytesMax {
		out.text, _, next = cutText(out.text, next)
	}
	if !notice || len(next.Rest) > 0 {
		c.offer(ctx, f.openid, next)
	}
	if out.article != nil {
		err = c.opts.Platform.SendNews(ctx, f.openid, *out.article)
	} else {
		err = c.opts.Platform.SendText(ctx, f.openid, out.text)
	}
	return c.customSent(ctx, f.openid, err)
}

// customSent says what became of a customer message.
func (c *Channel) customSent(ctx context.Context, openid string, err error) (sent bool, _ error) {
	switch fault.ReasonOf(err) {
	case platform.NoRight:
		c.downgrade(ctx, Customer)
		return false, nil
	case platform.NotFollower:
		return false, c.lost(ctx, openid)
	case platform.WindowClosed, platform.QuotaUsed:
		c.count("quota", "used_up")
		_, err := c.change(ctx, openid, func(f *follower) bool {
			f.Message, f.Action = allowance{}, allowance{}
			return true
		})
		return false, err
	}
	if platform.CodeOf(err) != 0 { // it has said no, so that nothing was spent
		if err := c.giveBack(ctx, openid); err != nil {
			c.log.Warn("what a person may be sent is not kept", "error", err)
		}
	}
	return err == nil, fault.In("wechat.Send", patient(err))
}

// busyWait is how long the platform is left alone that says that we call too often.
const busyWait = time.Minute

// patient says of an error how long to wait, where it is a limit.
func patient(err error) error {
	if fault.Is(err, fault.Limited) {
		return fault.After(err, busyWait)
	}
	return err
}

// giveBack takes back that a message was spent.
func (c *Channel) giveBack(ctx context.Context, openid string) error {
	now := c.opts.Now()
	_, err := c.change(ctx, openid, func(f *follower) bool {
		if now.Before(f.Message.Until) {
			f.Message.Left = min(f.Message.Left+1, messageCount)
		}
		if now.Before(f.Action.Until) {
			f.Action.Left = min(f.Action.Left+1, actionCount)
		}
		return true
	})
	return err
}

// lost enters that somebody does not follow us any more.
func (c *Channel) lost(ctx context.Context, openid string) error {
	_, err := c.change(ctx, openid, func(f *follower) bool {
		f.Gone, f.Message, f.Action = true, allowance{}, allowance{}
		return true
	})
	if err != nil {
		return err
	}
	return fault.Newf(fault.NotFound, "", "the person does not follow the account any more")
}
