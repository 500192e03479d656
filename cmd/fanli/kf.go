package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"fanli/adapters/cache"
	"fanli/adapters/store"
	"fanli/bot/kf"
	"fanli/bot/kf/platform"
	"fanli/configs"
	"fanli/core/fault"
)

// wecomName is how WeCom is called in metrics.
const wecomName = "wecom"

// KfBook keeps what may be sent to whom by WeCom's customer service.
func (d *stores) KfBook() *store.WechatBook { return d.of[botTarget].KfBook() }

// kfPath is where WeCom's callbacks come; "" where no account is configured.
func kfPath(cfg configs.Config) string {
	if !cfg.Wecom.Enabled() {
		return ""
	}
	return cfg.Wecom.Callback()
}

// fromWecom reports whether a path is that of WeCom's callbacks.
func (s *server) fromWecom(path string) bool { return s.kfPath != "" && path == s.kfPath }

// openKf makes the channel to the configured account of customer service. WeCom's time is
// the real one, also in the sandbox.
func (s *server) openKf(cfg configs.Config) (*kf.Channel, error) {
	a := s.app
	o := platform.Options{HTTP: a.obs.Client(wecomName, &http.Client{})}
	k := kf.Options{
		CorpID: cfg.Wecom.CorpID, Token: cfg.Wecom.Token, AESKey: cfg.Wecom.AESKey, OpenKfID: cfg.Wecom.OpenKfID, Every: cfg.Wecom.Every(),
		Book: a.db.KfBook(), Mail: a.mail, Marks: a.db.Memory(), Leases: a.talkLeases(), Holder: a.bot.Holder,
		Count: func(what, how string) { a.obs.Channel(kf.Name, what, how) }, Log: a.log, Now: time.Now,
		Cache: cache.NewMemory(time.Now), Fetch: publicPictures(),
	}
	if a.kept.redis != nil {
		o.Cache, k.Cache = a.kept.redis, a.kept.redis
	}
	client, err := platform.New(cfg.Wecom, o)
	if err != nil {
		return nil, err
	}
	k.Platform = client
	c, err := kf.New(k)
	if err != nil {
		return nil, err
	}
	others := a.bot.PrivateURL
	a.bot.PrivateURL = func(channel, word string) string {
		switch {
		case channel == kf.Name:
			return cfg.Wecom.LinkWith(word)
		case others != nil:
			return others(channel, word)
		default:
			return ""
		}
	}
	s.kf = c
	return c, nil
}

func kfCommand(std stdio, f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "kf", Short: "WeCom's customer service: its accounts, a link to the chat, and whether WeCom takes our calls", Args: noArgs,
		Long: "What is configured under wecom: and how an account is set up stands in docs/wecom.md.",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var scene string
	link := kfCall(std, f, "link", "Make a link that opens the chat: for wecom.link, a page, a poster",
		func(ctx context.Context, _ configs.Config, p *platform.Client) error {
			at, err := p.MakeLink(ctx, scene)
			if err == nil {
				_, err = fmt.Fprintln(std.out, at)
			}
			return err
		})
	link.Flags().StringVar(&scene, "scene", "fanli", "where it is used: at most 32 letters, digits, _ and -")
	cmd.AddCommand(kfCheck(std, f), kfAccounts(std, f), link)
	return cmd
}

// kfCall is a command that makes calls, and needs no database.
func kfCall(std stdio, f *flags, use, short string, fn func(context.Context, configs.Config, *platform.Client) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		cfg, err := f.load(std)
		if err != nil {
			return err
		}
		if !cfg.Wecom.Calls() {
			return exitError{exitUsage, errors.New("wecom.corp_id is not configured: see docs/wecom.md")}
		}
		p, err := platform.New(cfg.Wecom, platform.Options{})
		if err != nil {
			return err
		}
		return inWecomWords(fn(cmd.Context(), cfg, p))
	}}
}

func kfCheck(std stdio, f *flags) *cobra.Command {
	return kfCall(std, f, "check", "Ask WeCom for a token, and say what is wrong if it gives none",
		func(ctx context.Context, cfg configs.Config, p *platform.Client) error {
			if _, err := p.Tokens().GetAccessTokenContext(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintf(std.out, "WeCom takes our calls; in the console the callback's address is https://HOST%s\n", cfg.Wecom.Callback())
			return err
		})
}

func kfAccounts(std stdio, f *flags) *cobra.Command {
	return kfCall(std, f, "accounts", "List the accounts of customer service, for wecom.open_kfid",
		func(ctx context.Context, cfg configs.Config, p *platform.Client) error {
			all, err := p.Accounts(ctx)
			if err != nil {
				return err
			}
			for _, a := range all {
				note := ""
				switch {
				case !a.Manages:
					note = "  (the secret may not write for it: let the app manage it in the console)"
				case a.OpenKfID == cfg.Wecom.OpenKfID:
					note = "  (configured)"
				}
				if _, err := fmt.Fprintf(std.out, "%s  %s%s\n", a.OpenKfID, a.Name, note); err != nil {
					return err
				}
			}
			return nil
		})
}

// inWecomWords adds what an operator can do.
func inWecomWords(err error) error {
	advice := map[string]string{
		platform.Credentials: "compare wecom.corp_id and wecom.secret with the console",
		platform.IPUnlisted:  "enter this server's address, which WeCom names above, in the console as a trusted one (企业可信IP)",
		platform.NoRight:     "open customer service for the app in the console, and let it manage the account",
		platform.NoAccount:   "fanli kf accounts lists those that there are",
		platform.TooOften:    "WeCom's limit is reached; later",
	}[fault.ReasonOf(err)]
	if advice == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, advice)
}
