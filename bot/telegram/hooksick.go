package telegram

import (
	"context"
	"encoding/json"
	"time"

	"fanli/core/fault"
)

// A HookState is how deliveries to the webhook went when it was looked at last.
type HookState struct {
	Sick    bool
	Since   time.Time // of that, sick
	Seen    time.Time
	Said    string // Telegram's words for what is wrong, without secrets
	Waiting int    // updates that wait with Telegram
}

// saidMax bounds what is kept of Telegram's words, hookStale how old a look may be.
const (
	saidMax   = 120
	hookStale = 3 * hookLook
)

// hookMark is the name under which a bot's HookState is kept.
func (c Config) hookMark() string { return "telegram.hook." + c.bot() }

// noteHook keeps how the webhook is, for all processes: an error counts until two looks
// have found no newer one, for Telegram tries again every minute or less.
func (c *Channel) noteHook(ctx context.Context, info hookInfo) {
	now := c.now()
	failed := info.ErrorAt > 0 && now.Sub(time.Unix(info.ErrorAt, 0)) < 2*hookLook
	s := HookState{Sick: failed || info.Pending > hookPending, Seen: now, Waiting: info.Pending}
	if failed {
		said := []rune(c.redact(info.Error))
		s.Said = string(said[:min(len(said), saidMax)])
	}
	before, err := HookOf(ctx, c.marks, c.cfg, now)
	if s.Since = now; err == nil && before.Sick {
		s.Since = before.Since
	}
	if err == nil && !s.Sick && !before.Sick {
		return
	}
	b, err := json.Marshal(s)
	if err == nil {
		err = c.marks.SetMark(ctx, c.cfg.hookMark(), string(b), 0)
	}
	if err != nil {
		c.log.Warn("it cannot be kept how the webhook is", "error", err)
	}
}

// HookOf returns how the webhook of a configured bot is; the zero HookState where nobody
// has looked lately, or nothing was ever wrong.
func HookOf(ctx context.Context, m Marks, cfg Config, now time.Time) (s HookState, err error) {
	if cfg.withDefaults().Mode != Webhook {
		return s, nil
	}
	text, err := m.Mark(ctx, cfg.hookMark())
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && text == "":
		return s, nil
	case err != nil:
		return s, fault.In("telegram.HookOf", err)
	}
	if bad := json.Unmarshal([]byte(text), &s); bad != nil || now.Sub(s.Seen) > hookStale { // of another version, or nobody looks
		return HookState{}, nil //nolint:nilerr // it is as if it were not there
	}
	return s, nil
}
