package main

import (
	"cmp"
	"context"
	"time"

	"fanli/adapters/observe"
	"fanli/bot/telegram"
	"fanli/bot/wechat"
	"fanli/bot/wechat/platform"
	"fanli/core/desk"
	"fanli/core/user"
)

// channelDesk is what staff are told of channels.
func (a *app) channelDesk() desk.Channels {
	return desk.Channels{Depths: a.db.PostOffice().Depths, Troubles: a.troubles, Menus: a.staffMenus()}
}

// troubles are what platforms do not do for us: all processes of bot say the same. Their
// time is the real one, also in the sandbox.
func (a *app) troubles(ctx context.Context) (out []desk.Trouble, err error) {
	out, err = a.telegramTroubles(ctx)
	if err != nil || !a.cfg.Wechat.Enabled() {
		return out, err
	}
	profile := wechat.Profile(cmp.Or(a.cfg.Wechat.Profile, platform.Personal))
	rights, err := wechat.RightsOf(ctx, a.db.Memory(), a.cfg.Wechat.AppID, profile, time.Now())
	for _, r := range rights {
		if r.Has && !r.Refused.IsZero() {
			out = append(out, desk.Trouble{
				Key: "right/" + wechat.Name + "/" + string(r.Right), What: desk.Downgraded, Of: desk.LRight, ID: wechat.Name + " " + string(r.Right), Until: r.Refused,
			})
		}
	}
	return out, err
}

// telegramTroubles are those of Telegram.
func (a *app) telegramTroubles(ctx context.Context) (out []desk.Trouble, err error) {
	if a.cfg.Telegram.Token == "" {
		return nil, nil
	}
	token, err := telegram.TokenOf(ctx, a.db.Memory(), a.cfg.Telegram, time.Now())
	if err != nil {
		return nil, err
	}
	if token.Refused {
		out = append(out, desk.Trouble{Key: "token/" + telegram.Name, What: desk.TokenBad, Of: desk.LChannel, ID: telegram.Name, Since: token.Since})
	}
	s, err := telegram.HookOf(ctx, a.db.Memory(), a.cfg.Telegram, time.Now())
	if err != nil {
		return nil, err
	}
	if s.Sick {
		out = append(out, desk.Trouble{
			Key: "hook/" + telegram.Name, What: desk.HookSick, Of: desk.LHook, ID: telegram.Name, Said: s.Said, Waiting: int64(s.Waiting), Since: s.Since,
		})
	}
	unheard, err := telegram.StaffUnheard(ctx, a.db.Memory(), a.cfg.Telegram)
	if err != nil {
		return nil, err
	}
	if unheard {
		out = append(out, desk.Trouble{Key: "deaf/" + telegram.Name, What: desk.GroupDeaf, Of: desk.LChannel, ID: telegram.Name})
	}
	return out, nil
}

// mergesMax bounds the stuck merges that are counted.
const mergesMax = 1000

// readMerges counts the merges that are stuck.
func (a *app) readMerges(ctx context.Context, say observe.Say) error {
	ms, err := a.db.Merges().StuckMerges(ctx, a.now().Add(-user.MergeStuckAfter), mergesMax)
	if err == nil {
		say(observe.MergesStuck, float64(len(ms)))
	}
	return err
}
