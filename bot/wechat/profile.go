package wechat

import (
	"context"
	"sync"
	"time"

	"fanli/core/fault"
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
	Customer     Right = "customer"     // to write to people unasked, within their windows
	Template     Right = "template"     // to send them template messages
	Once         Right = "once"         // and what they have agreed to once
	Subscribable Right = "subscription" // and what they have subscribed to
	Codes        Right = "codes"        // to make codes with a scene, by which friends come
)

// Rights returns all of them.
func Rights() []Right { return []Right{Customer, Template, Once, Subscribable, Codes} }

// has reports whether accounts of a profile have a right.
func (p Profile) has(r Right) bool {
	switch p {
	case Service:
		return true
	case Sandbox:
		return r == Customer || r == Template || r == Codes
	case Subscription:
		return r == Customer || r == Once
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

// markOf names the mark of a refused right of an account.
func markOf(appID string, r Right) string { return "wechat/" + appID + "/refused/" + string(r) }

// markedUntil returns until when a right is not used, as all processes know it.
func markedUntil(ctx context.Context, m Marks, appID string, r Right) (time.Time, error) {
	text, err := m.Mark(ctx, markOf(appID, r))
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // of another version: it is as if it were not there
	}
	return t, nil
}

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
	marked, err := markedUntil(ctx, c.opts.Marks, c.opts.AppID, r)
	if err != nil {
		return until
	}
	if marked.After(until) {
		until = marked
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
	if err := c.opts.Marks.SetMark(ctx, markOf(c.opts.AppID, r), until.UTC().Format(time.RFC3339), 0); err != nil {
		c.log.WarnContext(ctx, "a refused right is not remembered", "error", err)
	}
}

// A RightState is what operators are shown of a right.
type RightState struct {
	Right   Right
	Has     bool      // by its profile
	Refused time.Time // until when it is not used; zero if it is
}

// RightsOf says what an account may do, for operators.
func RightsOf(ctx context.Context, m Marks, appID string, p Profile, now time.Time) ([]RightState, error) {
	var out []RightState
	for _, r := range Rights() {
		s := RightState{Right: r, Has: p.has(r)}
		until, err := markedUntil(ctx, m, appID, r)
		if err != nil {
			return nil, fault.In("wechat.Rights", err)
		}
		if now.Before(until) {
			s.Refused = until
		}
		out = append(out, s)
	}
	return out, nil
}
