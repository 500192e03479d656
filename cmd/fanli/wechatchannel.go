package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/store"
	"fanli/adapters/wechatpay"
	"fanli/bot"
	"fanli/bot/wechat"
	"fanli/bot/wechat/platform"
	"fanli/configs"
	"fanli/core/user"
)

// WechatBook keeps what may be sent to whom on WeChat.
func (d *stores) WechatBook() *store.WechatBook { return d.of[botTarget].WechatBook() }

// wechatPath is where WeChat's callbacks come; "" where no account is configured.
func wechatPath(cfg configs.Config) string {
	if !cfg.Wechat.Enabled() {
		return ""
	}
	return cfg.Wechat.Callback()
}

// fromWechat reports whether a path is that of WeChat's callbacks.
func (s *server) fromWechat(path string) bool { return s.wechatPath != "" && path == s.wechatPath }

// openWechat makes the channel to the configured account. WeChat's time is the real
// one, also in the sandbox.
func (s *server) openWechat(cfg configs.Config) (*wechat.Channel, error) {
	a := s.app
	office := wechat.NewOffice(a.mail, time.Now)
	o := wechat.Options{
		AppID: cfg.Wechat.AppID, Token: cfg.Wechat.Token, AESKey: cfg.Wechat.AESKey, Account: cfg.Wechat.Account,
		Mode: wechat.Mode(cmp.Or(cfg.Wechat.Mode, platform.Safe)), Profile: wechat.Profile(cmp.Or(cfg.Wechat.Profile, platform.Personal)),
		Book: a.db.WechatBook(), Mail: office, Marks: a.db.Memory(), Forms: cfg.Wechat.Templates, MenuLinks: cfg.Wechat.MenuLinks,
		Count: func(what, how string) { a.obs.Channel(wechat.Name, what, how) }, Log: a.log, Now: time.Now,
	}
	if a.kept.redis != nil {
		o.Cache = a.kept.redis
	}
	if cfg.Wechat.Calls() {
		client, err := a.officialAccount(&http.Client{})
		if err != nil {
			return nil, err
		}
		o.Platform = client
	}
	c, err := wechat.New(o)
	if err != nil {
		return nil, err
	}
	office.Open(c)
	a.bot.OwnPayee = ownPayee(cfg)
	a.bot.InvitePicture = invitePicture(c)
	s.wechat = c
	return c, nil
}

// invitePicture returns what shows the code that the friends of somebody on WeChat scan.
func invitePicture(c *wechat.Channel) func(ctx context.Context, of user.Identity, word string) (bot.Picture, bool) {
	return func(ctx context.Context, of user.Identity, word string) (bot.Picture, bool) {
		if of.Channel != wechat.Name {
			return bot.Picture{}, false
		}
		return c.InvitePicture(ctx, of.External, word)
	}
}

// ownPayee returns what says to which account WeChat Pay can send money to somebody who
// writes on WeChat: WeChat Pay must know the same account's openids.
func ownPayee(cfg configs.Config) func(from user.Identity) (account string, ok bool) {
	pays := cmp.Or(cfg.Payers["wechat"], cfg.Payer) == wechatpay.Name
	if !pays || cfg.Wechatpay.AppID != cfg.Wechat.AppID {
		return nil
	}
	return func(from user.Identity) (string, bool) { return from.External, from.Channel == wechat.Name }
}

// How long what WeChat's channel keeps of a message or notice is of use.
const (
	wechatWaysKept   = 24 * time.Hour      // the platform delivers a message for a minute
	wechatToldKept   = 7 * 24 * time.Hour  // notices that were told
	wechatParkedKept = 90 * 24 * time.Hour // and those that wait for somebody who does not write
	wechatSweepMax   = 1000
)

// sweepWechat forgets what is of no use any more.
func (a *app) sweepWechat(ctx context.Context) (int, error) {
	now := time.Now()
	return a.db.WechatBook().Sweep(ctx, now.Add(-wechatWaysKept), now.Add(-wechatToldKept), now.Add(-wechatParkedKept), wechatSweepMax)
}

// wechatRights shows what the account may do, and what WeChat has refused it lately.
func wechatRights(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "rights", Short: "Show what the account may send, and what WeChat has refused it lately", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return visiting(cmd.Context(), std, f, false, func(a *app) error {
				profile := wechat.Profile(cmp.Or(a.cfg.Wechat.Profile, platform.Personal))
				all, err := wechat.RightsOf(cmd.Context(), a.db.Memory(), a.cfg.Wechat.AppID, profile, time.Now())
				if err != nil {
					return err
				}
				for _, r := range all {
					says := "no: " + string(profile)
					if r.Has {
						says = "yes"
					}
					if r.Has && !r.Refused.IsZero() {
						says = "refused by WeChat, not used until " + r.Refused.In(a.cfg.Location()).Format("2006-01-02 15:04")
					}
					_, _ = fmt.Fprintf(std.out, "%-13s %s\n", r.Right, says)
				}
				return nil
			})
		},
	}
}
