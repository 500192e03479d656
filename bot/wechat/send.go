package wechat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"fanli/bot"
	"fanli/bot/plaintext"
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
	sent, err := c.message(ctx, f, c.noticePage(n.Reply))
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

// parkedBytesMax is how long something is at most that waits: two of them are told below
// a short answer.
const parkedBytesMax = 900

// A parkedBody is what is kept of something that waits.
type parkedBody struct {
	bot.Reply
	Of string `json:"of,omitempty"` // the key of what it is a piece of
}

// park keeps something until its person writes; in pieces, where it is too long to be told
// below an answer.
func (c *Channel) park(ctx context.Context, openid, key string, r bot.Reply) error {
	keys, bodies, err := c.pieces(key, r)
	if err != nil {
		return fault.In("wechat.Park", err)
	}
	for i, own := range keys {
		if err := c.opts.Book.Park(ctx, openid, own, bodies[i], c.opts.Now()); err != nil {
			return fault.In("wechat.Park", err)
		}
		c.count("notice", "parked")
	}
	return nil
}

// pieces are what something is kept as, each short enough to be told below an answer.
func (c *Channel) pieces(key string, r bot.Reply) (keys []string, bodies [][]byte, err error) {
	pieces := []bot.Reply{r}
	if text := c.renderText(plaintext.WithoutActions(r), true).text; len(text) > parkedBytesMax {
		pieces = nil
		for _, t := range plaintext.Split(text, parkedBytesMax) {
			pieces = append(pieces, bot.Reply{Text: t})
		}
	}
	for i, p := range pieces {
		b, err := json.Marshal(parkedBody{p, key})
		if err != nil {
			return nil, nil, err
		}
		keys, bodies = append(keys, pieceKey(key, i)), append(bodies, b)
	}
	return keys, bodies, nil
}

// pieceKey is the key of a piece.
func pieceKey(key string, i int) string {
	if i == 0 {
		return key
	}
	return fmt.Sprintf("%s/%d", key, i+1)
}

// A page is what one customer message shows.
type page struct {
	text    string
	article *platform.Article // instead of text
	talk    *talkState        // what can be chosen from then on; nil leaves it as it is
	left    string            // of an answer: its text from here to its end
}

// noticePage writes a notice. It leaves what can be chosen alone, unless it is cut.
func (c *Channel) noticePage(r bot.Reply) page {
	out := c.render(r)
	if out.article != nil {
		return page{article: out.article}
	}
	p := page{text: c.renderText(r, true).text}
	if len(p.text) > textBytesMax {
		var next talkState
		p.text, _, next = cutText(p.text, next)
		p.talk = &next
	}
	return p
}

// message sends a customer message. sent is false if none is allowed.
func (c *Channel) message(ctx context.Context, f follower, p page) (sent bool, err error) {
	if !c.may(ctx, Customer) || f.allowed(c.opts.Now()) == 0 {
		return false, nil
	}
	ok, err := c.take(ctx, f.openid)
	if !ok || err != nil {
		return false, err
	}
	if p.talk != nil {
		c.offer(ctx, f.openid, *p.talk)
	}
	if p.article != nil {
		err = c.opts.Platform.SendNews(ctx, f.openid, *p.article)
	} else {
		err = c.opts.Platform.SendText(ctx, f.openid, p.text)
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
