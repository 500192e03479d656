package wechat

import (
	"context"
	"time"

	"fanli/bot"
	"fanli/bot/wechat/platform"
	"fanli/core/fault"
)

// How long the code of an invitation lasts, which is as long as the platform keeps one,
// and how much of that is left at least when it is shown: whoever passes it on must not
// pass on one that ends tomorrow.
const (
	codeLife = 30 * 24 * time.Hour
	codeLeft = 7 * 24 * time.Hour
)

// codeTime bounds the call that makes a code: the answer waits for it, and can do
// without it.
const codeTime = 1500 * time.Millisecond

// A friendsCode is the code by which a person's friends come, as it is kept with the
// person: for all processes, until it has run out.
type friendsCode struct {
	Scene  string    `json:"scene"`
	Ticket string    `json:"ticket"`
	Until  time.Time `json:"until"`
}

// good reports whether the code can be shown for a scene.
func (k friendsCode) good(scene string, now time.Time) bool {
	return k.Ticket != "" && k.Scene == scene && k.Until.Sub(now) >= codeLeft
}

// InvitePicture returns the picture of the code that a person's friends scan, which comes
// back as the scene of who follows by it. ok is false where the account may not make one,
// or it could not be made now. Whoever follows it is credited to the scene's code, as
// incoming understands it.
func (c *Channel) InvitePicture(ctx context.Context, openid, scene string) (p bot.Picture, ok bool) {
	if !c.opts.Profile.has(Codes) || c.opts.Platform == nil || bot.InvitedBy(scene) == "" {
		return bot.Picture{}, false
	}
	got, err, _ := c.coding.Do(openid+"/"+scene, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), codeTime) // others wait for the same
		defer cancel()
		return c.friendsCode(ctx, openid, scene)
	})
	if err != nil {
		c.count("code", "failed")
		c.log.WarnContext(ctx, "an invitation goes without its code", "code", string(fault.CodeOf(err)), "reason", fault.ReasonOf(err))
		return bot.Picture{}, false
	}
	k, ok := got.(friendsCode)
	if !ok || k.Ticket == "" {
		return bot.Picture{}, false
	}
	return bot.Picture{URL: c.opts.Platform.PictureURL(platform.Code{Ticket: k.Ticket}), Until: k.Until}, true
}

// friendsCode returns the code that is kept of a person, or a new one; none where the
// account is refused the right.
func (c *Channel) friendsCode(ctx context.Context, openid, scene string) (friendsCode, error) {
	f, err := c.follower(ctx, openid)
	if err != nil || f.Code.good(scene, c.opts.Now()) {
		return f.Code, err
	}
	if !c.may(ctx, Codes) {
		return friendsCode{}, nil
	}
	made, err := c.opts.Platform.QR(ctx, scene, codeLife)
	if fault.ReasonOf(err) == platform.NoRight {
		c.downgrade(ctx, Codes)
		return friendsCode{}, nil
	}
	if err != nil {
		return friendsCode{}, fault.In("wechat.InvitePicture", err)
	}
	c.count("code", "made")
	k := friendsCode{Scene: scene, Ticket: made.Ticket, Until: made.Until}
	if _, err := c.change(ctx, openid, func(f *follower) bool { f.Code = k; return true }); err != nil {
		c.log.WarnContext(ctx, "the code of an invitation is not kept", "error", err)
	}
	return k, nil
}
