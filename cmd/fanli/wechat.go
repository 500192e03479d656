package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"fanli/bot"
	"fanli/bot/wechat/platform"
	"fanli/configs"
	"fanli/core/audit"
	"fanli/core/fault"
)

// wechatName is how WeChat is called in metrics.
const wechatName = "wechat"

// officialAccount makes the client of the configured account, which finds the token of
// other processes where there is a Redis.
func (a *app) officialAccount(c *http.Client) (*platform.Client, error) {
	o := platform.Options{HTTP: a.obs.Client(wechatName, c)}
	if a.kept.redis != nil {
		o.Cache = a.kept.redis
	}
	return account(a.cfg, o)
}

// account is officialAccount without an app.
func account(cfg configs.Config, o platform.Options) (*platform.Client, error) {
	switch {
	case !cfg.Wechat.Enabled():
		return nil, exitError{exitUsage, errors.New("wechat.app_id is not configured: see docs/wechat.md")}
	case !cfg.Wechat.Calls():
		return nil, exitError{exitUsage, errors.New("wechat.app_secret is not configured, and without it WeChat takes no calls; a personal account sets its menu in the console")}
	}
	return platform.New(cfg.Wechat, o)
}

// menus are those that the account shall have.
func menus(cfg configs.Config) (all platform.Menu, tagged map[string]platform.Menu) {
	return cfg.Wechat.Own(platform.Standard(bot.Commands("zh", commandsOff(cfg)...)))
}

// Acts of staff on the account.
const (
	menuPublished = "wechat.menu.publish"
	menuDeleted   = "wechat.menu.delete"
)

// publishMenu publishes the menus that the account shall have, as an act of staff.
func (a *app) publishMenu(ctx context.Context, by, reason string) error {
	p, err := a.officialAccount(&http.Client{})
	if err != nil {
		return err
	}
	all, tagged := menus(a.cfg)
	if err := p.Publish(ctx, all, tagged); err != nil {
		return err
	}
	return a.recordMenu(ctx, menuPublished, by, reason, all.String())
}

// deleteMenu takes all menus away, as an act of staff.
func (a *app) deleteMenu(ctx context.Context, by, reason string) error {
	p, err := a.officialAccount(&http.Client{})
	if err != nil {
		return err
	}
	if err := p.DeleteMenu(ctx); err != nil {
		return err
	}
	return a.recordMenu(ctx, menuDeleted, by, reason, "")
}

func (a *app) recordMenu(ctx context.Context, what, by, reason, after string) error {
	now := a.now()
	e, err := audit.Say(fmt.Sprintf("%s/%d", what, now.UnixNano()), now, audit.Act{
		Actor: by, What: what, On: "wechat/" + a.cfg.Wechat.AppID, Reason: reason, After: after,
	})
	if err != nil {
		return err
	}
	return a.staffActed(ctx, e)
}

func wechatCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "wechat", Short: "The official account: its menu, tags, and whether WeChat takes our calls", Args: noArgs,
		Long: "What is configured under wechat: and how an account is set up stands in docs/wechat.md.",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(wechatCheck(std, f), wechatRights(std, f), wechatMenu(std, f), wechatTag(std, f, true), wechatTag(std, f, false))
	return cmd
}

func wechatCheck(std stdio, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Ask WeChat for a token, and say what is wrong if it gives none", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccount(std, f, func(cfg configs.Config, p *platform.Client) error {
				if _, err := p.Tokens().GetAccessTokenContext(cmd.Context()); err != nil {
					return inWechatWords(err)
				}
				_, err := fmt.Fprintf(std.out, "WeChat takes our calls; in the console the address is https://HOST%s, the mode %s\n", cfg.Wechat.Callback(), cfg.Wechat.Mode)
				return err
			})
		},
	}
}

// withAccount runs fn with the account and without an app: what only looks at WeChat
// needs no database.
func withAccount(std stdio, f *flags, fn func(configs.Config, *platform.Client) error) error {
	cfg, err := f.load(std)
	if err != nil {
		return err
	}
	p, err := account(cfg, platform.Options{})
	if err != nil {
		return err
	}
	return fn(cfg, p)
}

// inWechatWords adds what an operator can do.
func inWechatWords(err error) error {
	advice := map[string]string{
		platform.Credentials: "compare wechat.app_id and wechat.app_secret with the console",
		platform.IPUnlisted:  "enter this server's address, which WeChat names above, in the console under 基本配置, IP白名单",
		platform.NoRight:     "this kind of account may not do that: see the table in docs/wechat.md",
		platform.TooOften:    "WeChat's limit for the day or the minute is reached; later",
		platform.NoMenu:      "there is no menu: fanli wechat menu publish",
	}[fault.ReasonOf(err)]
	if advice == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, advice)
}

func wechatMenu(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "menu", Short: "Show, publish or delete the menu below the chat", Args: noArgs,
		Long: `The menu is the standard one, made of the bot's commands, or what wechat.menu says;
people with a tag see that of wechat.tagged_menus. WeChat shows a new menu to somebody
who opens the chat more than five minutes after they last saw the old one.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show", Short: "Show the menu at WeChat, and what publish would make of it", Args: noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withAccount(std, f, func(cfg configs.Config, p *platform.Client) error { return showMenu(cmd.Context(), std, cfg, p) })
			},
		},
		menuAct(std, f, "publish", "Publish the menus", "the menu is published", (*app).publishMenu),
		menuAct(std, f, "delete", "Take all menus away, those for tags, too", "there is no menu any more", (*app).deleteMenu),
	)
	return cmd
}

func menuAct(std stdio, f *flags, use, short, done string, do func(*app, context.Context, string, string) error) *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return visiting(cmd.Context(), std, f, false, func(a *app) error {
				err := do(a, cmd.Context(), actorNamed(as), reason)
				if err == nil {
					_, err = fmt.Fprintln(std.out, done)
				}
				return inWechatWords(err)
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name, for the record")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

// showMenu prints the menus.
func showMenu(ctx context.Context, std stdio, cfg configs.Config, p *platform.Client) error {
	is, err := p.Menu(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return inWechatWords(err)
	}
	if err != nil {
		_, _ = fmt.Fprintln(std.out, "there is no menu")
	}
	_, _ = fmt.Fprint(std.out, is.Default)
	for _, c := range is.Conditional {
		_, _ = fmt.Fprintf(std.out, "\nfor those with tag %d%s:\n%s", c.Match.Tag, map[bool]string{true: ", on " + c.Match.Platform}[c.Match.Platform != ""], c.Menu)
	}
	if all, _ := menus(cfg); all.String() != is.Default.String() {
		_, _ = fmt.Fprintf(std.out, "\nfanli wechat menu publish would make of it:\n%s", all)
	}
	return nil
}

func wechatTag(std stdio, f *flags, on bool) *cobra.Command {
	use, short := "tag", "Put a tag on followers, so that they see its menu"
	if !on {
		use, short = "untag", "Take a tag off followers"
	}
	return &cobra.Command{
		Use: use + " NAME OPENID…", Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 || strings.TrimSpace(args[0]) == "" {
				return exitError{exitUsage, fmt.Errorf("%s needs the name of a tag and at least one openid", use)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccount(std, f, func(_ configs.Config, p *platform.Client) error {
				id, err := p.TagNamed(cmd.Context(), args[0])
				switch {
				case err != nil:
				case on:
					err = p.Tag(cmd.Context(), id, args[1:]...)
				default:
					err = p.Untag(cmd.Context(), id, args[1:]...)
				}
				if err == nil {
					_, err = fmt.Fprintf(std.out, "tag %d %s: %d people\n", id, args[0], len(args)-1)
				}
				return inWechatWords(err)
			})
		},
	}
}
