package kf

import (
	"context"
	"encoding/json"
	"time"

	"fanli/bot/kf/platform"
	"fanli/core/fault"
)

// What a message of a person allows us to send them.
const (
	messageCount  = 5
	messageWindow = 48 * time.Hour
)

// restTTL is how long "更多" reads on in a text that was cut.
const restTTL = 10 * time.Minute

// ledMax is how long a person of ours leads a conversation of whose end we don't hear.
const ledMax = 24 * time.Hour

// casMax is how often a change is tried that others are in the way of.
const casMax = 8

// A customer is what is kept of one person: what we may still send them, and what they
// were offered.
type customer struct {
	id  string
	rev int64 // 0: nothing is kept yet

	Left  int       `json:"left"`            // messages that we may send
	Until time.Time `json:"until"`           // and until when
	Spent time.Time `json:"spent,omitzero"`  // when one was taken last
	Heard string    `json:"heard,omitempty"` // the message that allowed them
	Gone  bool      `json:"gone,omitempty"`  // wants to hear nothing

	Took  string `json:"took,omitempty"` // the message whose answer was taken from Left last
	Parts int    `json:"parts,omitempty"`

	LedFrom time.Time `json:"led_from,omitzero"` // since when a person of ours leads
	LedTo   time.Time `json:"led_to,omitzero"`   // and until when

	Via string `json:"via,omitempty"` // who brought them, until they write

	Rest []string  `json:"rest,omitempty"` // of a text that was cut
	Read int       `json:"read,omitempty"` // how much of it has been read
	By   string    `json:"by,omitempty"`   // the message that read on last
	To   time.Time `json:"to,omitzero"`
}

// A Book keeps people, the notices that wait for them, and what was sent to them lately.
// It is the truth over all processes. What it is given is personal.
type Book interface {
	// Follower returns what is kept of a person and its revision; nil and 0 for nothing.
	Follower(ctx context.Context, customer string) (state []byte, rev int64, err error)
	// SetFollower keeps what follows revision rev. It fails with fault.Conflict if that
	// is not the newest.
	SetFollower(ctx context.Context, customer string, rev int64, state []byte) error
	// Park keeps a notice until its person writes, once for each key.
	Park(ctx context.Context, customer, key string, body []byte, now time.Time) error
	// Tell returns the notices that go with the answer to a message: those that went
	// before, or else at most count of those that wait; and how many more wait.
	Tell(ctx context.Context, customer, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error)
	// Untell lets notices wait again.
	Untell(ctx context.Context, ids []int64) error
	// Sent keeps what is being sent under a key, once for each.
	Sent(ctx context.Context, customer, key string, body []byte, now time.Time) error
	// Unsent lets wait what was sent under a key, and reports whether there is any.
	Unsent(ctx context.Context, customer, key string) (bool, error)
}

// customer returns what is kept of a person.
func (c *Channel) customer(ctx context.Context, id string) (customer, error) {
	b, rev, err := c.opts.Book.Follower(ctx, id)
	p := customer{}
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &p)
	}
	p.id, p.rev = id, rev
	return p, fault.In("kf.Book", err)
}

// change changes what is kept of a person; fn says whether there is anything to keep, and
// may be called again.
func (c *Channel) change(ctx context.Context, id string, fn func(p *customer) (keep bool)) (customer, error) {
	for try := 1; ; try++ {
		p, err := c.customer(ctx, id)
		if err != nil || !fn(&p) {
			return p, err
		}
		b, err := json.Marshal(p)
		if err == nil {
			err = c.opts.Book.SetFollower(ctx, id, p.rev, b)
		}
		if err == nil {
			p.rev++
			return p, nil
		}
		if !fault.Is(err, fault.Conflict) || try == casMax {
			return p, fault.In("kf.Book", err)
		}
	}
}

// allowed is how many messages a person may be sent now.
func (p customer) allowed(now time.Time) int {
	if p.Gone || !now.Before(p.Until) {
		return 0
	}
	return p.Left
}

// hear enters that the person has written, once for each message.
func (p *customer) hear(in incoming) {
	if !in.message || p.Heard == in.id {
		return
	}
	left := messageCount
	if !p.Spent.Before(in.sent.Add(time.Second)) { // of several at once: what was sent since has been counted
		left = max(p.Left, 1)
	}
	p.Heard, p.Gone = in.id, false
	p.Left, p.Until = left, in.sent.Add(messageWindow)
}

// take takes n messages from what the person may be sent.
func (p *customer) take(n int, now time.Time) { p.Left, p.Spent = p.Left-n, now }

// led reports whether a person of ours led the conversation at a time.
func (p customer) led(at time.Time) bool {
	return !p.LedFrom.IsZero() && !at.Before(p.LedFrom) && at.Before(p.LedTo)
}

// spend takes one message to a person, if one is allowed.
func (c *Channel) spend(ctx context.Context, id string) (ok bool, err error) {
	now := c.opts.Now()
	_, err = c.change(ctx, id, func(p *customer) bool {
		if ok = p.allowed(now) > 0; ok {
			p.take(1, now)
		}
		return ok
	})
	return ok && err == nil, err
}

// giveBack takes back that a message was spent.
func (c *Channel) giveBack(ctx context.Context, id string) {
	now := c.opts.Now()
	_, err := c.change(ctx, id, func(p *customer) bool {
		if !now.Before(p.Until) || p.Left >= messageCount {
			return false
		}
		p.Left++
		return true
	})
	if err != nil {
		c.log.Warn("what a person may be sent is not kept", "error", err)
	}
}

// shut enters that a person must write before we may; gone, that they want to hear nothing.
func (c *Channel) shut(ctx context.Context, id string, gone bool) error {
	_, err := c.change(ctx, id, func(p *customer) bool {
		p.Left, p.Gone = 0, p.Gone || gone
		return true
	})
	return err
}

// led enters that a person of ours leads a conversation.
func (c *Channel) led(ctx context.Context, id string, at time.Time) error {
	_, err := c.change(ctx, id, func(p *customer) bool {
		if !p.led(at) {
			p.LedFrom = at
		}
		p.LedTo = at.Add(ledMax)
		return true
	})
	return err
}

// left enters that nobody of ours does any more.
func (c *Channel) left(ctx context.Context, id string, at time.Time) error {
	_, err := c.change(ctx, id, func(p *customer) bool {
		if !p.led(at) {
			return false
		}
		p.LedTo = at
		return true
	})
	return err
}

// brought keeps who brought a person that we have not spoken with.
func (c *Channel) brought(ctx context.Context, id string, e *platform.Event) error {
	via := inviter(e)
	if via == "" {
		return nil
	}
	_, err := c.change(ctx, id, func(p *customer) bool {
		if p.Heard != "" || p.Via == via {
			return false
		}
		p.Via = via
		return true
	})
	return err
}

// undelivered lets wait what WeCom could not deliver.
func (c *Channel) undelivered(ctx context.Context, id string, e *platform.Event) error {
	switch e.FailType {
	case platform.FailedWindow, platform.FailedSession, platform.FailedQuota:
		if err := c.shut(ctx, id, false); err != nil {
			return err
		}
	case platform.FailedRejected:
		if err := c.shut(ctx, id, true); err != nil {
			return err
		}
	default:
		c.log.Error("WeCom could not deliver a message; look at the account in its console", "fail_type", e.FailType)
	}
	found, err := c.opts.Book.Unsent(ctx, id, sentKey(e.FailedID))
	if found {
		c.opts.Count("notice", "undelivered")
	}
	return fault.In("kf.Unsent", err)
}

// sentKey is where what was sent under a key is kept.
func sentKey(key string) string { return "kf/sent/" + key }
