package telegram

import (
	"context"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/core/fault"
)

// deafMark is the name under which it is kept that a bot gets little of what staff write.
func (c Config) deafMark() string { return "telegram.deaf." + c.bot() }

// listenToStaff looks every now and then whether the bot gets what is written in the group
// of staff, until ctx ends. In privacy mode, which is Telegram's usual one, it gets commands
// with a slash and answers to itself, unless it is an administrator there.
func (c *Channel) listenToStaff(ctx context.Context, me int64) {
	if c.cfg.AdminChatID == 0 {
		return
	}
	known := ""
	for {
		deaf, err := c.deaf(ctx, me)
		word := map[bool]string{true: "deaf", false: "hears"}[deaf]
		switch {
		case err != nil && ctx.Err() == nil:
			c.log.Warn("it cannot be seen whether staff are heard in their group", "error", err)
		case err == nil && word != known:
			if deaf {
				c.log.Warn("words in the staff group do not reach the bot: make it an administrator there, or turn privacy mode off")
			}
			if err := c.marks.SetMark(ctx, c.cfg.deafMark(), word, 0); err == nil {
				known = word
			}
		}
		if !sleep(ctx, hookLook) {
			return
		}
	}
}

// deaf reports whether most of what staff write does not reach the bot.
func (c *Channel) deaf(ctx context.Context, me int64) (bool, error) {
	var self tgbotapi.User
	if err := c.call(ctx, "getMe", nil, &self); err != nil || self.CanReadAllGroupMessages {
		return false, err
	}
	var admins []tgbotapi.ChatMember
	err := c.call(ctx, "getChatAdministrators", tgbotapi.Params{"chat_id": strconv.FormatInt(c.AdminChat(ctx), 10)}, &admins)
	for _, a := range admins {
		if a.User != nil && a.User.ID == me {
			return false, err
		}
	}
	return true, err
}

// StaffUnheard reports whether what staff of a configured bot write does not reach it.
func StaffUnheard(ctx context.Context, m Marks, cfg Config) (bool, error) {
	if cfg.AdminChatID == 0 {
		return false, nil
	}
	word, err := m.Mark(ctx, cfg.deafMark())
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return word == "deaf", fault.In("telegram.StaffUnheard", err)
}
