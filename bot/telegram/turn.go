package telegram

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
)

// The limits of an answer.
const (
	handleTime = 50 * time.Second // for the handler; it has its own, shorter limits

	// Telegram shows for five seconds that we are typing, so it is repeated before.
	typingAgain = 4 * time.Second
	typingTime  = 5 * time.Second
)

// disarm takes the buttons off a message once they are used up. That it fails matters to
// nobody: they do nothing more.
func (c *Channel) disarm(ctx context.Context, chat, message int64) {
	p := tgbotapi.Params{"chat_id": strconv.FormatInt(chat, 10), "message_id": strconv.FormatInt(message, 10)}
	if err := c.call(ctx, "editMessageReplyMarkup", p, nil); err != nil {
		c.log.Debug("buttons that are used up stay", "error", err)
	}
}

// ask calls the handler. One that panics has answered: the message must not come
// again and again.
func (c *Channel) ask(ctx context.Context, in incoming, handle bot.Handler) (reply bot.Reply) {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("the handler panics", "panic", c.redact(fmt.Sprint(p)), "stack", string(debug.Stack()))
			reply = bot.Reply{Text: say(in.msg.Locale, broken)}
		}
	}()
	return handle(ctx, in.msg)
}

// acknowledge stops the button's clock while the answer is being made, and
// returns what waits for it. That it fails matters to nobody: the press was too
// long ago, or has been acknowledged before a crash.
func (c *Channel) acknowledge(ctx context.Context, in incoming) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := tgbotapi.Params{"callback_query_id": in.query}
		p.AddNonEmpty("text", in.refused)
		if err := c.call(ctx, "answerCallbackQuery", p, nil); err != nil {
			c.log.Debug("a press is not acknowledged", "error", err)
		}
	}()
	return func() { <-done }
}

// typing shows that an answer is coming, at once and until stop is called. Who has just
// been shown it is not shown it again for each of many messages.
func (c *Channel) typing(ctx context.Context, to target) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for more := c.pace.mayHint(to); more; more = sleep(ctx, typingAgain) && c.pace.mayHint(to) {
			call, end := context.WithTimeout(ctx, typingTime)
			p := tgbotapi.Params{"chat_id": strconv.FormatInt(to.chat, 10), "action": "typing"}
			p.AddNonZero64("message_thread_id", to.thread)
			err := c.call(call, "sendChatAction", p, nil)
			end()
			if err != nil { // a courtesy that is not worth a second try
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
