package telegram

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot/mail"
	"fanli/core/fault"
)

// Who waits longer than mail.WaitAfter in a private chat is sent a message that says so,
// and the answer takes its place. It is a parcel like others, so that it is sent once and
// its id outlives the process; the answer's parcel says whose place it takes. Of all
// messages it is the only one that need not arrive: it is tried once.
//
// In groups "typing" is all: there a message more counts against the twenty a minute, and
// everybody else reads it.

// mayWait reports whether a person can be told that the answer takes a while. An edit is
// answered only if there was nothing before.
func (in incoming) mayWait() bool { return !in.to.group && in.refused == "" && in.msg.Edits == "" }

// waitKey is the key of the parcel that tells them.
func (in incoming) waitKey() string { return "wait/" + in.msg.ID }

// staleAfter is how old such a message may get before it is sent: then the answer is there.
const staleAfter = time.Minute

// idle sends a message that need not arrive, unless one was tried before or the chat would
// have to wait for it.
func (c *Channel) idle(ctx context.Context, to target, p mail.Parcel, progress *mail.Progress) error {
	if c.now().Sub(p.At) > staleAfter || c.isAway(ctx, to.chat) || c.pace.claim(ctx, to, p.Quiet) != nil {
		return ctx.Err()
	}
	for _, part := range render(p.Reply) {
		err := progress.Do(ctx, 0, func(ctx context.Context, again bool) (string, error) {
			if again { // nobody knows its id: a second one would stay for ever, too
				return "", nil
			}
			return c.once(ctx, &to, part)
		})
		if err != nil {
			c.unreachable(ctx, to, err)
			c.log.Debug("a person is not told that the answer takes a while", "error", err)
			return ctx.Err()
		}
	}
	return nil
}

// standIn is the message whose place a parcel takes; 0 for none.
func (c *Channel) standIn(ctx context.Context, e envelope, progress *mail.Progress) (int64, error) {
	if e.Stead == "" {
		return 0, nil
	}
	note, err := progress.NoteOf(ctx, e.Stead)
	id, bad := strconv.ParseInt(note, 10, 64)
	if err != nil || bad != nil {
		return 0, err
	}
	return id, nil
}

// edit puts a text in the place of a message of ours. That it is there already is no
// error: an earlier try had arrived.
func (c *Channel) edit(ctx context.Context, message int64, p tgbotapi.Params) error {
	delete(p, "message_thread_id")
	delete(p, "reply_parameters")
	p["message_id"] = strconv.FormatInt(message, 10)
	err := c.call(ctx, "editMessageText", p, nil)
	var r *refusal
	if errors.As(err, &r) && r.status == http.StatusBadRequest && strings.Contains(strings.ToLower(r.text), "message is not modified") {
		return nil
	}
	return err
}

// clear deletes the message that says that the answer takes a while, if the answer has
// not taken its place: the message with the id answer. It fails only where later may help.
func (c *Channel) clear(ctx context.Context, to target, idle int64, answer string) error {
	id := strconv.FormatInt(idle, 10)
	if answer == id {
		return nil
	}
	p := tgbotapi.Params{"chat_id": strconv.FormatInt(to.chat, 10), "message_id": id}
	err := c.call(ctx, "deleteMessage", p, nil)
	switch {
	case err == nil:
		return nil
	case retryAfter(err) > 0:
		return fault.After(err, retryAfter(err))
	case fault.Retryable(err):
		return err
	}
	c.log.Debug("what said that the answer takes a while stays", "error", err) // gone, or of a time that is
	return nil
}
