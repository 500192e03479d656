package telegram

import (
	"context"
	"encoding/json"
	"time"

	"fanli/core/fault"
)

// tokenAgain is after how long a token that Telegram has refused is tried again, and
// tokenStale how old a refusal is of which nothing has been heard since.
const (
	tokenAgain = 3 * time.Minute
	tokenStale = 3 * tokenAgain
)

// A TokenState is whether Telegram takes a bot's token, as of the last try.
type TokenState struct {
	Refused bool
	Since   time.Time // of that, refused
	Seen    time.Time
}

// tokenMark is the name under which a bot's TokenState is kept.
func (c Config) tokenMark() string { return "telegram.token." + c.bot() }

// noteToken keeps whether the token was refused, for all processes.
func (c *Channel) noteToken(ctx context.Context, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	now := c.now()
	before, err := TokenOf(ctx, c.marks, c.cfg, now)
	if err == nil && !refused && !before.Refused {
		return
	}
	s := TokenState{Refused: refused, Since: now, Seen: now}
	if err == nil && before.Refused {
		s.Since = before.Since
	}
	b, err := json.Marshal(s)
	if err == nil {
		err = c.marks.SetMark(ctx, c.cfg.tokenMark(), string(b), 0)
	}
	if err != nil && ctx.Err() == nil {
		c.log.Warn("it cannot be kept whether the token is refused", "error", err)
	}
}

// TokenOf returns whether Telegram refuses the token of a configured bot; the zero
// TokenState where nobody has tried lately, or it was never refused.
func TokenOf(ctx context.Context, m Marks, cfg Config, now time.Time) (s TokenState, err error) {
	text, err := m.Mark(ctx, cfg.tokenMark())
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && text == "":
		return s, nil
	case err != nil:
		return s, fault.In("telegram.TokenOf", err)
	}
	if bad := json.Unmarshal([]byte(text), &s); bad != nil || now.Sub(s.Seen) > tokenStale { // of another version, or nobody tries
		return TokenState{}, nil //nolint:nilerr // it is as if it were not there
	}
	return s, nil
}
