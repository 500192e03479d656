package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/core/fault"
)

// InStaffGroup reports whether a message was written in the group of staff.
func (c *Channel) InStaffGroup(ctx context.Context, m bot.Message) bool {
	chat := c.AdminChat(ctx)
	return chat != 0 && m.Group && m.From.Channel == Name && m.Chat == strconv.FormatInt(chat, 10)
}

// ToStaff returns the parcels of something said unasked in the group of staff: a picture
// as PNG, if there is one, and a reply. It fails with fault.NotFound where there is no
// group.
func (c *Channel) ToStaff(ctx context.Context, key string, r bot.Reply, picture []byte) ([]mail.Parcel, error) {
	chat := c.AdminChat(ctx)
	if chat == 0 {
		return nil, fault.Wrap(fault.NotFound, "telegram.ToStaff", errors.New("there is no group of staff"))
	}
	var out []mail.Parcel
	if len(picture) > 0 {
		out = append(out, staffParcel(key+"/picture", chat, envelope{Picture: picture}, bot.Reply{}))
	}
	return append(out, staffParcel(key, chat, envelope{}, r)), nil
}

func staffParcel(key string, chat int64, e envelope, r bot.Reply) mail.Parcel {
	e.Group, e.Staff = true, true
	data, err := json.Marshal(e)
	if err != nil { // numbers and bytes can be written
		data = nil
	}
	return mail.Parcel{Key: key, Channel: Name, Chat: strconv.FormatInt(chat, 10), Reply: r, Data: data, Quiet: true}
}

// carryPicture sends a picture of ours.
func (c *Channel) carryPicture(ctx context.Context, to target, p mail.Parcel, picture []byte, progress *mail.Progress) error {
	if err := c.pace.claim(ctx, to, p.Quiet); err != nil {
		return err
	}
	return progress.Do(ctx, 0, func(ctx context.Context, _ bool) (string, error) {
		params := tgbotapi.Params{"chat_id": strconv.FormatInt(to.chat, 10)}
		var sent json.RawMessage
		f := tgbotapi.RequestFile{Name: "photo", Data: tgbotapi.FileBytes{Name: "report.png", Bytes: picture}}
		return "", c.upload(ctx, "sendPhoto", params, f, &sent)
	})
}

// lostStaff makes of an error one that operators see: that nobody of staff can be told is
// nothing that happens to people.
func lostStaff(e envelope, err error) error {
	if e.Staff && fault.Is(err, fault.NotFound) {
		return fault.Newf(fault.Invalid, "telegram.staff_group", "%v", err)
	}
	return err
}
