package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"path/filepath"
	"time"

	"fanli/adapters/sandbox"
	"fanli/adapters/taobao"
	"fanli/bot/binding"
	"fanli/configs"
	"fanli/core/link"
)

// memberLasts is how long somebody has to bind the account of a shop.
const memberLasts = 15 * time.Minute

// bindsTaobao reports whether people can bind their Taobao account.
func bindsTaobao(c configs.Config) bool {
	return c.Networks.Taobao.AppKey != "" && c.Networks.Taobao.Member.On()
}

// memberPage returns the page on which people bind their Taobao account, or nil where
// that is not offered.
func (a *app) memberPage(s surroundings) (*binding.Page, error) {
	if !bindsTaobao(a.cfg) || s.stands != nil {
		return nil, nil
	}
	shop, err := taobao.New(a.cfg.Networks.Taobao, s.client("taobao"), s.now)
	if err != nil {
		return nil, err
	}
	seal, err := a.sealKey(filepath.Dir(databasePath(a.cfg)))
	if err != nil {
		return nil, err
	}
	key := hmac.New(sha256.New, seal)
	key.Write([]byte("pages that bind accounts of shops"))
	return binding.New(binding.Options{
		Key: key.Sum(nil), Base: a.cfg.Networks.Taobao.Member.URL, TTL: memberLasts, Network: link.Taobao,
		Shop: shop, Book: a.ask.orders, Now: a.now, Log: a.log,
	})
}

// wireMember offers the binding to people, where it is configured.
func (a *app) wireMember(s surroundings) (err error) {
	if a.member, err = a.memberPage(s); err == nil && a.member != nil {
		a.bot.MemberURL = a.member.URL
	}
	return err
}

// withMembers returns cfg with the binding of accounts at the Taobao of w, where fanli is
// reached at base.
func withMembers(cfg configs.Config, w *sandbox.World, base string) configs.Config {
	at := w.Endpoints()[link.Taobao]
	cfg.Networks.Taobao.Member = taobao.MemberConfig{InviteCode: at.Invite, URL: base, Authorize: at.Allow}
	return cfg
}
