package wechat

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"fanli/bot"
	"fanli/core/fault"
)

// What a person's own act allows us to send them.
const (
	messageCount  = 5
	messageWindow = 48 * time.Hour
	actionCount   = 3
	actionWindow  = time.Minute
)

// How long what we offered can be chosen.
const (
	menuTTL = 10 * time.Minute
	restTTL = 10 * time.Minute
)

// casMax is how often a change is tried that others are in the way of.
const casMax = 8

// A follower is what is kept of one person: what we may still send them, and what their
// next digit means. The allowances are as the platform counts them: they don't add up,
// and a newer one replaces the older.
type follower struct {
	openid  string
	rev     int64       // 0: nothing is kept yet
	Gone    bool        `json:"gone,omitempty"` // has unfollowed
	Message allowance   `json:"message,omitzero"`
	Action  allowance   `json:"action,omitzero"`
	Talk    talkState   `json:"talk,omitzero"` // what was offered
	Code    friendsCode `json:"code,omitzero"` // by which their friends come
}

// An allowance is how many messages we may send, and until when.
type allowance struct {
	Left  int       `json:"left"`
	Until time.Time `json:"until"`
}

// A Book keeps followers, the notices that wait for them, and which way answers went.
// It is the truth over all processes. What it is given is personal.
type Book interface {
	// Follower returns what is kept of a person and its revision; nil and 0 for nothing.
	Follower(ctx context.Context, openid string) (state []byte, rev int64, err error)
	// SetFollower keeps what follows revision rev. It fails with fault.Conflict if that
	// is not the newest.
	SetFollower(ctx context.Context, openid string, rev int64, state []byte) error
	// Park keeps a notice until its person writes, once for each key.
	Park(ctx context.Context, openid, key string, body []byte, now time.Time) error
	// TellWith returns the notices that go with the answer to a message: those that
	// went before, or else at most count of those that wait; and how many more wait.
	// What went with another message waits until that was Told, and waits again where
	// it is asked for after that: so it did not arrive.
	TellWith(ctx context.Context, openid, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error)
	// Told says that the answer to a message was written.
	Told(ctx context.Context, openid, message string) error
	// Sent keeps what is sent without an answer, once for each key, and Unsent lets it
	// wait until its person writes, if it is there.
	Sent(ctx context.Context, openid, key string, body []byte, now time.Time) error
	Unsent(ctx context.Context, openid, key string) (found bool, err error)
	// Untell lets notices wait again.
	Untell(ctx context.Context, ids []int64) error
	// Decide says which way the answer to a message goes, or something else of which
	// there is one: as who asks first wants.
	Decide(ctx context.Context, message, way string, now time.Time) (decided string, err error)
}

// talkState is what a person can choose from, as it is kept.
type talkState struct {
	Menu  []choice  `json:"menu,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Rest  []string  `json:"rest,omitempty"` // of a text that was cut
	Read  int       `json:"read,omitempty"` // how much of it has been read
	By    string    `json:"by,omitempty"`   // the message that read on last
	To    time.Time `json:"to,omitzero"`

	Late *bot.Message `json:"late,omitempty"` // "1" shows its answer, until Until
}

// A choice is a digit and what it stands for.
type choice struct {
	Digit  int    `json:"digit"`
	Action string `json:"action"`
}

func (t talkState) empty() bool { return len(t.Menu) == 0 && len(t.Rest) == 0 && t.Late == nil }

// follower returns what is kept of a person.
func (c *Channel) follower(ctx context.Context, openid string) (follower, error) {
	b, rev, err := c.opts.Book.Follower(ctx, openid)
	f := follower{}
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &f)
	}
	f.openid, f.rev = openid, rev
	return f, fault.In("wechat.Book", err)
}

// keepFollower keeps what follows f.
func (c *Channel) keepFollower(ctx context.Context, f follower) error {
	b, err := json.Marshal(f)
	if err == nil {
		err = c.opts.Book.SetFollower(ctx, f.openid, f.rev, b)
	}
	return fault.In("wechat.Book", err)
}

// allowed is how many messages a person may be sent now.
func (f follower) allowed(now time.Time) int {
	if f.Gone {
		return 0
	}
	n := 0
	for _, a := range []allowance{f.Message, f.Action} {
		if now.Before(a.Until) {
			n = max(n, a.Left)
		}
	}
	return n
}

// hear enters what a person did.
func (f *follower) hear(in incoming, now time.Time) {
	f.Gone = in.kind == left
	if f.Gone {
		f.Message, f.Action = allowance{}, allowance{}
		return
	}
	if in.message {
		f.Message = allowance{messageCount, now.Add(messageWindow)}
	}
	if in.action {
		f.Action = allowance{actionCount, now.Add(actionWindow)}
	}
}

// spend takes n messages from what is allowed.
func (f *follower) spend(n int) {
	f.Message.Left, f.Action.Left = max(0, f.Message.Left-n), max(0, f.Action.Left-n)
}

// change changes what is kept of a person; fn says whether there is anything to keep,
// and may be called again.
func (c *Channel) change(ctx context.Context, openid string, fn func(f *follower) (keep bool)) (follower, error) {
	for try := 1; ; try++ {
		f, err := c.follower(ctx, openid)
		if err != nil || !fn(&f) {
			return f, err
		}
		if err = c.keepFollower(ctx, f); err == nil {
			f.rev++
			return f, nil
		}
		if !fault.Is(err, fault.Conflict) || try == casMax {
			return f, err
		}
	}
}

// take spends one message to a person, if one is allowed.
func (c *Channel) take(ctx context.Context, openid string) (ok bool, err error) {
	now := c.opts.Now()
	f, err := c.change(ctx, openid, func(f *follower) bool {
		if ok = f.allowed(now) > 0; ok {
			f.spend(1)
		}
		return ok
	})
	if err == nil && f.Gone {
		err = fault.New(fault.NotFound, "")
	}
	return ok && err == nil, err
}

// meant returns what a digit stands for, if it was offered.
func (t talkState) meant(text string, now time.Time) (action string, ok bool) {
	d, ok := digit(text)
	if !ok || now.After(t.Until) {
		return "", false
	}
	i := slices.IndexFunc(t.Menu, func(c choice) bool { return c.Digit == d })
	if i < 0 {
		return "", false
	}
	return t.Menu[i].Action, true
}

// late returns the message whose answer was promised, if a text asks for it.
func (t talkState) late(text string, now time.Time) (m bot.Message, ok bool) {
	if t.Late == nil || now.After(t.Until) {
		return bot.Message{}, false
	}
	switch strings.ToLower(trim(text)) {
	case "重发", "没收到", "结果", "last", "again", "resend": // as in the bot, where they mean what was answered last
		return *t.Late, true
	}
	d, ok := digit(text)
	return *t.Late, ok && d == 1
}

// digit reads a bare digit, also a full-width one.
func digit(s string) (int, bool) {
	r := []rune(trim(s))
	if len(r) != 1 {
		return 0, false
	}
	switch d := r[0]; {
	case d >= '1' && d <= '9':
		return int(d - '0'), true
	case d >= '１' && d <= '９':
		return int(d-'１') + 1, true
	default:
		return 0, false
	}
}
