package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/user"
)

// noticeTime bounds how long Send tries. Who calls it tries again later.
const noticeTime = 20 * time.Second

// Send implements bot.Channel. The identity's external id is the person's user
// id, which is also that of the private chat. Besides fault.NotFound it fails
// with fault.Limited or fault.Unavailable if later may help, and with
// fault.Denied if Telegram refuses the token.
func (c *Channel) Send(ctx context.Context, to user.Identity, r bot.Reply) error {
	id, err := strconv.ParseInt(to.External, 10, 64)
	if to.Channel != Name || err != nil || id <= 0 {
		return fault.Wrap(fault.NotFound, "telegram.Send", errors.New("not an identity of Telegram"))
	}
	ctx, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	if c.isAway(ctx, id) {
		return fault.Wrap(fault.NotFound, "telegram.Send", errors.New("the person has blocked the bot, and is not back yet"))
	}
	err = c.deliver(ctx, target{chat: id, silent: c.night()}, r, true)
	if fault.Is(err, fault.NotFound) {
		if kept := c.setAway(ctx, id, true); kept != nil {
			c.log.Warn("it cannot be kept that somebody is out of reach", "error", kept)
		}
	}
	return fault.In("telegram.Send", err)
}

// deliver sends the messages of a reply in order, until ctx ends.
func (c *Channel) deliver(ctx context.Context, to target, r bot.Reply, notice bool) error {
	to = c.follow(ctx, to)
	for _, p := range render(r) {
		if err := c.send(ctx, &to, p, notice); err != nil {
			return err
		}
	}
	return nil
}

// send sends one message, in another form if Telegram does not take it, and
// again if later may help. It gives up when the next try would be after the end
// of ctx.
func (c *Channel) send(ctx context.Context, to *target, p part, notice bool) error {
	w := newWaits()
	for {
		if err := c.pace.wait(ctx, *to, notice); err != nil {
			return err
		}
		_, err := c.post(ctx, *to, &p)
		switch {
		case err == nil:
			return nil
		case c.remedy(ctx, err, to, &p):
			continue
		case !fault.Retryable(err) || ctx.Err() != nil:
			return err
		}
		d := w.after(err)
		if hold := retryAfter(err); hold > 0 {
			c.pace.hold(*to, hold) // the next wait does the waiting
			d = 0
		}
		if end, ok := ctx.Deadline(); ok && c.now().Add(d).After(end) || !sleep(ctx, d) {
			return err
		}
	}
}

// post makes the call that sends one message, or puts its text in the place of another,
// and returns its id.
func (c *Channel) post(ctx context.Context, to target, p *part) (id int64, err error) {
	params := tgbotapi.Params{"chat_id": strconv.FormatInt(to.chat, 10)}
	params.AddNonZero64("message_thread_id", to.thread)
	params.AddBool("disable_notification", to.silent)
	if !p.plain {
		params["parse_mode"] = tgbotapi.ModeHTML
	}
	if err := p.attach(params, to); err != nil {
		return 0, fault.Wrap(fault.Internal, "telegram.post", err)
	}
	text := html(p.lines)
	if p.plain {
		text = bare(p.lines)
	}
	if p.photo != "" {
		params.AddNonEmpty("caption", text)
		return c.postPhoto(ctx, p, params)
	}
	params["text"] = text
	params["link_preview_options"] = `{"is_disabled":true}`
	if to.instead != 0 && len(p.keys) == 0 { // with an edit no keys come
		return to.instead, c.edit(ctx, to.instead, params)
	}
	var sent sentMessage
	err = c.call(ctx, "sendMessage", params, &sent)
	return sent.ID, err
}

// sentMessage is what is read of a message that Telegram has taken.
type sentMessage struct {
	ID    int64                `json:"message_id"`
	Photo []tgbotapi.PhotoSize `json:"photo"`
}

// attach adds the buttons and the message that is answered.
func (p part) attach(params tgbotapi.Params, to target) error {
	var markup any
	switch {
	case len(p.rows) > 0:
		markup = keyboard{p.rows}
	case len(p.keys) > 0:
		markup = padOf(p.keys)
	}
	if markup != nil {
		b, err := json.Marshal(markup)
		if err != nil {
			return err
		}
		params["reply_markup"] = string(b)
	}
	if to.replyTo == 0 {
		return nil
	}
	return params.AddInterface("reply_parameters", map[string]any{
		"message_id": to.replyTo, "allow_sending_without_reply": true,
	})
}

// remedy changes what Telegram refuses and reports whether it did. Every change
// can be made once, so trying again comes to an end.
func (c *Channel) remedy(ctx context.Context, err error, to *target, p *part) bool {
	var r *refusal
	if !errors.As(err, &r) || r.status != http.StatusBadRequest {
		return false
	}
	says := func(words string) bool { return strings.Contains(strings.ToLower(r.text), words) }
	switch {
	case r.migratedTo != 0 && !to.moved:
		if err := c.setMoved(ctx, to.chat, r.migratedTo); err != nil {
			c.log.Warn("it cannot be kept where a group has moved", "error", err)
		}
		*to = target{chat: r.migratedTo, group: true, moved: true} // ids of messages do not move along
	case r.code() != fault.Invalid:
		return false
	case says("thread not found") && to.thread != 0:
		to.thread = 0
	case says("replied not found") && to.replyTo != 0:
		to.replyTo = 0
	case (says("message to edit not found") || says("message can't be edited")) && to.instead != 0:
		to.instead = 0
	case says("can't parse entities") && !p.plain:
		c.log.Error("Telegram does not understand our markup; sending without", "error", err)
		p.plain = true
	case says("button") && len(p.rows) > 0:
		c.log.Error("Telegram does not take our buttons; sending without", "error", err)
		p.rows = nil
	case says("keyboard") && len(p.keys) > 0:
		c.log.Error("Telegram does not take our keys; sending without", "error", err)
		p.keys = nil
	case p.photo != "": // whatever is wrong with it: the text matters
		c.elsewise(ctx, p, err)
	default:
		return false
	}
	return true
}
