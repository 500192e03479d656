package telegram

import (
	"context"
	"strconv"
	"time"

	"fanli/core/fault"
)

// awayMax is how long somebody counts as out of reach who has not said that they are
// back: news of that can get lost.
const awayMax = 30 * 24 * time.Hour

// note keeps what nothing but an update says of a chat: that somebody has blocked us or
// thought better of it, and that a group has moved.
func (c *Channel) note(ctx context.Context, u update) error {
	switch m := u.Member; {
	case m != nil && m.Chat.IsPrivate():
		return c.setAway(ctx, m.Chat.ID, m.New.Status == "kicked")
	case m != nil:
		return nil
	case u.Message != nil && u.Message.Chat != nil && u.Message.MigrateToChatID != 0:
		return c.setMoved(ctx, u.Message.Chat.ID, u.Message.MigrateToChatID)
	default:
		return nil
	}
}

// markOf is the name of what is kept of a chat of this bot.
func (c *Channel) markOf(what string, chat int64) string {
	return "telegram." + what + "." + c.cfg.bot() + "." + strconv.FormatInt(chat, 10)
}

// kept returns what is kept under a name; "" for nothing.
func (c *Channel) kept(ctx context.Context, name string) (string, error) {
	v, err := c.marks.Mark(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return v, err
}

// setAway keeps that somebody cannot be reached, or can be again.
func (c *Channel) setAway(ctx context.Context, person int64, away bool) error {
	name := c.markOf("away", person)
	v, err := c.kept(ctx, name)
	if err != nil || away == (v != "") {
		return err
	}
	v = ""
	if away {
		v = strconv.FormatInt(c.now().Unix(), 10)
	}
	return c.marks.SetMark(ctx, name, v, 0)
}

// back keeps that somebody has written: they can be reached. It is looked at as their
// letter is answered, so that a flood of them costs nothing.
func (c *Channel) back(ctx context.Context, to target) {
	if !to.group {
		_ = c.setAway(ctx, to.chat, false) // if it is not kept, the next letter says so, too
	}
}

// isAway reports whether somebody is known to be out of reach.
func (c *Channel) isAway(ctx context.Context, person int64) bool {
	v, err := c.kept(ctx, c.markOf("away", person))
	since, bad := strconv.ParseInt(v, 10, 64)
	return err == nil && bad == nil && c.now().Sub(time.Unix(since, 0)) < awayMax
}

// setMoved keeps what became of a group.
func (c *Channel) setMoved(ctx context.Context, old, moved int64) error {
	return c.marks.SetMark(ctx, c.markOf("moved", old), strconv.FormatInt(moved, 10), 0)
}

// moved returns where a group is now.
func (c *Channel) moved(ctx context.Context, group int64) int64 {
	v, err := c.kept(ctx, c.markOf("moved", group))
	if to, bad := strconv.ParseInt(v, 10, 64); err == nil && bad == nil && to != 0 {
		return to
	}
	return group
}

// follow makes the target of a group that has moved the one that it has become. Ids of
// messages do not move along.
func (c *Channel) follow(ctx context.Context, to target) target {
	if !to.group || to.moved {
		return to
	}
	if now := c.moved(ctx, to.chat); now != to.chat {
		return target{chat: now, group: true, moved: true}
	}
	return to
}

// AdminChat returns the group in which staff command the bot, as it is called now; 0 for
// none.
func (c *Channel) AdminChat(ctx context.Context) int64 {
	if c.cfg.AdminChatID == 0 {
		return 0
	}
	return c.moved(ctx, c.cfg.AdminChatID)
}
