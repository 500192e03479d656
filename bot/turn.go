package bot

import (
	"context"
	"log/slog"

	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/user"
)

// A turn is one message and the way to its answer.
type turn struct {
	voice
	bot    *Bot
	m      Message
	text   string // what is looked at: m.Text, or an earlier one again
	user   user.User
	state  state
	stored []byte // the state as it was
	rev    int64  // and its revision

	doing  string       // the command that is run, if it is one
	member *desk.Member // who speaks as staff; nil for everybody else

	asks  bool   // the answer means nothing unless the state is stored
	again bool   // the answer repeats one
	retry string // what to look up again if the person asks for it
}

// chat names where the conversation is held, over all channels.
func (t *turn) chat() string { return t.m.From.Channel + "/" + t.m.Chat }

// take answers the message of a person whose turn it is.
func (t *turn) take(ctx context.Context) (Reply, error) {
	u, joined, err := t.bot.Users.Resolve(ctx, t.m.From, t.words.Tag())
	if err != nil {
		return Reply{}, fault.In("bot.Resolve", err)
	}
	t.user = u
	t.voice = t.bot.voice(u.Locale)
	if joined && t.m.Via != "" {
		t.credit(ctx)
	}
	if err := t.recall(ctx); err != nil {
		return Reply{}, err
	}
	r, served, err := t.serve(ctx)
	if !served && err == nil {
		r, err = t.route(ctx)
	}
	if err != nil {
		r = t.fail(ctx, err)
	}
	if joined && !t.m.Group {
		r = t.welcome(r)
	}
	if !t.again && !r.empty() {
		t.state.Last = &last{Chat: t.chat(), Reply: r, Retry: t.retry, Until: t.now.Add(lastTTL)}
	}
	if err := t.remember(ctx); err != nil {
		if t.asks || moved(err) {
			return Reply{}, err
		}
		t.bot.log(ctx, slog.LevelError, t.bot.traceID(ctx), err)
	}
	return r, nil
}

// fail puts an error into words: its reason if that is an answer, else one line
// with an id under which the log says what happened.
func (t *turn) fail(ctx context.Context, err error) Reply {
	if text, ok := t.switchText(err); ok {
		return Reply{Text: text}
	}
	if absent(err) {
		return t.away(ctx, err)
	}
	if text, ok := t.refusal(err); ok {
		return Reply{Text: text}
	}
	if t.bot.Failed != nil {
		t.bot.Failed(ctx, err)
	}
	return t.say("fault."+string(fault.CodeOf(err)), "trace", t.trace(ctx, err))
}

// trace logs an error and returns the id under which it stands in the log.
func (t *turn) trace(ctx context.Context, err error) string {
	id := t.bot.traceID(ctx)
	level := slog.LevelError
	if fault.Retryable(err) {
		level = slog.LevelWarn
	}
	t.bot.log(ctx, level, id, err)
	return id
}

// refusal returns the sentence of an error that is an answer.
func (t *turn) refusal(err error) (text string, ok bool) {
	if !expected(err) {
		return "", false
	}
	return t.sentence(fault.ReasonOf(err))
}

// sentence returns the sentence of a reason, with the limits of withdrawals in
// it.
func (t *turn) sentence(reason string) (text string, ok bool) {
	return t.reason(reason, "min", t.bot.manner().Limits.Minimum.Yuan(), "max", t.bot.manner().Limits.Maximum.Yuan())
}

// empty reports whether there is nothing to send.
func (r Reply) empty() bool { return r.Text == "" && len(r.Cards) == 0 && len(r.Buttons) == 0 }
