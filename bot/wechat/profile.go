package wechat

import (
	"context"
	"sync"
	"time"
)

// A Profile is what an account may do.
type Profile string

// The profiles.
const (
	Personal     Profile = "personal"     // 个人或未认证的订阅号: answers only
	Subscription Profile = "subscription" // 认证订阅号: customer messages, too
	Service      Profile = "service"      // 认证服务号: template messages, too
	Sandbox      Profile = "sandbox"      // 测试号: as a service account
)

// A Right is something that an account may do or not.
type Right string

// The rights that the channel needs.
const (
	Customer Right = "customer" // to write to people unasked, within their windows
	Template Right = "template" // to send them template messages
)

// has reports whether accounts of a profile have a right.
func (p Profile) has(r Right) bool {
	switch p {
	case Service, Sandbox:
		return true
	case Subscription:
		return r == Customer
	default:
		return false
	}
}

// DowngradeFor is how long a right is not used after the platform has refused it.
const DowngradeFor = 24 * time.Hour

// lookEvery is how often it is looked up what other processes were refused.
const lookEvery = time.Minute

// Marks keeps small texts across restarts, for all processes.
type Marks interface {
	// Mark returns what was kept under name, "" for nothing.
	Mark(ctx context.Context, name string) (string, error)
	// SetMark keeps value under name; token is 0.
	SetMark(ctx context.Context, name, value string, token int64) error
}

// refusedRights is what this process knows of refusals. The zero value is empty.
type refusedRights struct {
	mu     sync.Mutex
	until  map[Right]time.Time
	looked map[Right]time.Time
}

// markOf names the mark of a refused right.
func (c *Channel) markOf(r Right) string { return "wechat/" + c.opts.AppID + "/refused/" + string(r) }

// may reports whether a right can be used now.
func (c *Channel) may(ctx context.Context, r Right) bool {
	if !c.opts.Profile.has(r) || c.opts.Platform == nil {
		return false
	}
	return !c.opts.Now().Before(c.refusedUntil(ctx, r))
}

// refusedUntil returns until when a right is not used.
func (c *Channel) refusedUntil(ctx context.Context, r Right) time.Time {
	now := c.opts.Now()
	k := &c.refused
	k.mu.Lock()
	until, looked := k.until[r], k.looked[r]
	k.mu.Unlock()
	if c.opts.Marks == nil || !looked.IsZero() && now.Sub(looked) < lookEvery {
		return until
	}
	text, err := c.opts.Marks.Mark(ctx, c.markOf(r))
	if err != nil {
		return until
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.After(until) {
		until = t
	}
	k.set(r, until, now)
	return until
}

func (k *refusedRights) set(r Right, until, looked time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until == nil {
		k.until, k.looked = map[Right]time.Time{}, map[Right]time.Time{}
	}
	k.until[r], k.looked[r] = until, looked
}

// downgrade enters that the platform has refused a right.
func (c *Channel) downgrade(ctx context.Context, r Right) {
	now := c.opts.Now()
	until := now.Add(DowngradeFor)
	c.refused.set(r, until, now)
	c.count("downgrade", string(r))
	c.log.WarnContext(ctx, "the platform refuses the account a right; it is not used for a while",
		"right", string(r), "profile", string(c.opts.Profile), "until", until)
	if c.opts.Marks == nil {
		return
	}
	if err := c.opts.Marks.SetMark(ctx, c.markOf(r), until.UTC().Format(time.RFC3339), 0); err != nil {
		c.log.WarnContext(ctx, "a refused right is not remembered", "error", err)
	}
}

// A RightState is what operators are shown of a right.
type RightState struct {
	Right   Right
	Has     bool      // by its profile
	Refused time.Time // until when it is not used; zero if it is
}

// Rights says what the account may do, for operators.
func (c *Channel) Rights(ctx context.Context) []RightState {
	var out []RightState
	for _, r := range []Right{Customer, Template} {
		s := RightState{Right: r, Has: c.opts.Profile.has(r)}
		if until := c.refusedUntil(ctx, r); c.opts.Now().Before(until) {
			s.Refused = until
		}
		out = append(out, s)
	}
	return out
}
