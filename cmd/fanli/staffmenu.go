package main

import (
	"context"
	"net/http"
	"strings"

	"fanli/bot/wechat/platform"
	"fanli/core/audit"
	"fanli/core/desk"
	"fanli/core/fault"
)

// staffMenus let staff publish WeChat's menu; nil where the account takes no calls.
func (a *app) staffMenus() desk.Menus {
	if !a.cfg.Wechat.Enabled() || !a.cfg.Wechat.Calls() {
		return nil
	}
	return wechatMenus{a}
}

// A wechatMenus is the configured official account, for staff.
type wechatMenus struct{ a *app }

func (m wechatMenus) client() (*platform.Client, error) { return m.a.officialAccount(&http.Client{}) }

// Menus implements desk.Menus.
func (m wechatMenus) Menus(ctx context.Context) (is, shall []string, err error) {
	p, err := m.client()
	if err != nil {
		return nil, nil, err
	}
	now, err := p.Menu(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, nil, m.said(err)
	}
	all, _ := menus(m.a.cfg)
	return menuLines(now.Default), menuLines(all), nil
}

// menuLines are the buttons of a menu, those below another one indented by a mark that
// chats do not drop.
func menuLines(m platform.Menu) (out []string) {
	for l := range strings.Lines(m.String()) {
		if rest, below := strings.CutPrefix(l, "  "); below {
			l = "└ " + rest
		}
		out = append(out, strings.TrimSpace(l))
	}
	return out
}

// Publish implements desk.Menus. Publishing again makes the same menu; the record is
// entered once, by the act's key.
func (m wechatMenus) Publish(ctx context.Context, act desk.Act) error {
	p, err := m.client()
	if err != nil {
		return err
	}
	all, tagged := menus(m.a.cfg)
	if err := p.Publish(ctx, all, tagged); err != nil {
		return m.said(err)
	}
	e, err := audit.Say(menuPublished+"/"+act.Key, m.a.now(), audit.Act{
		Actor: act.Actor(), Role: string(act.Role), What: menuPublished, On: "wechat/" + m.a.cfg.Wechat.AppID, Reason: act.Reason, After: all.String(),
	})
	if err != nil {
		return err
	}
	return m.a.db.of[botTarget].SayAct(ctx, e)
}

// said has the log say what WeChat did, with what an operator can try.
func (m wechatMenus) said(err error) error {
	m.a.log.Warn("WeChat does not take what staff want of its menu", "error", inWechatWords(err))
	return err
}
