package telegram

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot"
	"fanli/core/fault"
)

// The limits of an answer.
const (
	handleTime = time.Minute      // for the handler; it has its own, shorter limits
	answerTime = 15 * time.Minute // then an answer that cannot be delivered is stale

	// typingAfter is when a person begins to wait. Most answers are faster and
	// need no sign. Telegram shows it for five seconds, so it is repeated before.
	typingAfter = 300 * time.Millisecond
	typingAgain = 4 * time.Second
	typingTime  = 5 * time.Second
)

// take answers one message. The update is finished unless the run ended first;
// then it comes again.
func (s *session) take(in incoming) {
	if in.query != "" {
		acknowledged := s.acknowledge(in)
		defer acknowledged()
	}
	if in.refused == "" && !s.answer(in) {
		return
	}
	s.progress.finish(in.update)
}

// answer asks the handler and delivers what it says. It reports false if the
// run ended before that was done.
func (s *session) answer(in incoming) bool {
	stop := s.typing(in.to)
	reply := s.ask(in)
	stop()
	if s.work.Err() != nil { // an answer that was cut short is no answer
		return false
	}
	ctx, cancel := context.WithTimeout(s.work, answerTime)
	defer cancel()
	if reply.Spent && in.pressed != 0 {
		defer s.disarm(ctx, in)
	}
	switch err := s.deliver(ctx, in.to, reply, false); {
	case err == nil:
	case s.work.Err() != nil:
		return false
	case fault.Is(err, fault.NotFound):
		s.log.Info("an answer cannot be delivered: the chat is out of reach", "update", in.update, "error", err)
	default:
		s.log.Error("an answer cannot be delivered", "update", in.update, "error", err)
	}
	return true
}

// disarm takes the buttons off a message once they are used up. That it fails matters to
// nobody: they do nothing more.
func (c *Channel) disarm(ctx context.Context, in incoming) {
	p := tgbotapi.Params{"chat_id": strconv.FormatInt(in.to.chat, 10), "message_id": strconv.FormatInt(in.pressed, 10)}
	if err := c.call(ctx, "editMessageReplyMarkup", p, nil); err != nil {
		c.log.Debug("buttons that are used up stay", "update", in.update, "error", err)
	}
}

// ask calls the handler. One that panics has answered: the message must not come
// again and again.
func (s *session) ask(in incoming) (reply bot.Reply) {
	ctx, cancel := context.WithTimeout(s.work, handleTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("the handler panics", "update", in.update, "panic", s.redact(fmt.Sprint(p)), "stack", string(debug.Stack()))
			reply = bot.Reply{Text: say(in.msg.Locale, broken)}
		}
	}()
	return s.handle(ctx, in.msg)
}

// acknowledge stops the button's clock while the answer is being made, and
// returns what waits for it. That it fails matters to nobody: the press was too
// long ago, or has been acknowledged before a crash.
func (s *session) acknowledge(in incoming) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := tgbotapi.Params{"callback_query_id": in.query}
		p.AddNonEmpty("text", in.refused)
		if err := s.call(s.work, "answerCallbackQuery", p, nil); err != nil {
			s.log.Debug("a press is not acknowledged", "update", in.update, "error", err)
		}
	}()
	return func() { <-done }
}

// typing shows that an answer is coming, until stop is called.
func (s *session) typing(to target) (stop func()) {
	ctx, cancel := context.WithCancel(s.work)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wait := typingAfter; sleep(ctx, wait); wait = typingAgain {
			call, end := context.WithTimeout(ctx, typingTime)
			p := tgbotapi.Params{"chat_id": strconv.FormatInt(to.chat, 10), "action": "typing"}
			p.AddNonZero64("message_thread_id", to.thread)
			err := s.call(call, "sendChatAction", p, nil)
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
