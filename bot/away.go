package bot

import (
	"context"
	"time"

	"fanli/core/fault"
	"fanli/core/ladder"
)

// A Ladder says what is left out now because something that it needs is away. A
// [ladder.Ladder] is one.
type Ladder interface {
	On(e ladder.Effect, dependency string) bool
	Expect(now time.Time, dependencies ...string) time.Time
}

// degraded reports whether an effect of the ladder is on.
func (t *turn) degraded(e ladder.Effect, dependency string) bool {
	return t.bot.Ladder != nil && t.bot.Ladder.On(e, dependency)
}

// searchOff reports whether no shop is searched now.
func (t *turn) searchOff() bool {
	for _, n := range t.bot.networks() {
		if !t.degraded(ladder.Search, "network/"+n) {
			return false
		}
	}
	return true
}

// soonest says when to try again what needs dependencies.
func (t *turn) soonest(dependencies ...string) string {
	at := t.now.Add(5 * time.Minute)
	if t.bot.Ladder != nil {
		at = t.bot.Ladder.Expect(t.now, dependencies...)
	}
	return t.hour(at)
}

// absent reports whether err says that a part of us is away, so that nothing has
// happened.
func absent(err error) bool {
	return fault.Is(err, fault.Unavailable) && fault.ReasonOf(err) == fault.Down
}

// away says what a part's absence means for what was asked, that nothing is lost, and
// when to try again.
func (t *turn) away(ctx context.Context, err error) Reply {
	trace := t.trace(ctx, err)
	switch t.doing {
	case "withdraw", "confirm", "autopay":
		return t.say("away.withdraw", "at", t.soonest("payment", "user"), "trace", trace)
	case "balance", "statement", "withdrawals", "cancelwithdrawal":
		return t.say("away.money", "at", t.soonest("payment", "user"), "trace", trace)
	case "orders", "order", "why", "claim", "claims", "appeal":
		return t.say("away.orders", "at", t.soonest("order", "rebate", "user"), "trace", trace)
	default:
		return t.say("away.any", "at", t.soonest("user", "order", "rebate", "payment"), "trace", trace)
	}
}
