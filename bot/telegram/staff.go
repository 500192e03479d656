package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/core/fault"
)

// InStaffGroup reports whether a message was written in the group of staff.
func (c *Channel) InStaffGroup(ctx context.Context, m bot.Message) bool {
	chat := c.AdminChat(ctx)
	return chat != 0 && m.Group && m.From.Channel == Name && m.Chat == strconv.FormatInt(chat, 10)
}

// TellStaff says something in the group of staff, with a picture as PNG if there is
// one. It fails as Send does, and with fault.NotFound where there is no group.
func (c *Channel) TellStaff(ctx context.Context, r bot.Reply, picture []byte) error {
	chat := c.AdminChat(ctx)
	if chat == 0 {
		return fault.Wrap(fault.NotFound, "telegram.TellStaff", errors.New("there is no group of staff"))
	}
	ctx, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	if len(picture) > 0 {
		p := tgbotapi.Params{"chat_id": strconv.FormatInt(chat, 10)}
		var sent json.RawMessage
		f := tgbotapi.RequestFile{Name: "photo", Data: tgbotapi.FileBytes{Name: "report.png", Bytes: picture}}
		if err := c.upload(ctx, "sendPhoto", p, f, &sent); err != nil {
			c.log.Warn("a picture for staff is not sent; the text goes without", "error", err)
		}
	}
	return fault.In("telegram.TellStaff", c.deliver(ctx, target{chat: chat, group: true}, r, true))
}
