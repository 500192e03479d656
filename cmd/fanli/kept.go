package main

import (
	"fmt"
	"time"

	"fanli/adapters/cache"
	"fanli/adapters/store"
	"fanli/bot/telegram"
	"fanli/bot/webchat"
	role "fanli/core/cache"
	"fanli/core/lock"
)

// kept is what processes share and what may be forgotten at any moment: caches, limits,
// and what wakes chats.
type kept struct {
	redis  *cache.Redis // nil: each process has its own, in memory
	limits role.Limits
}

// openKept opens what is configured. Nothing is connected yet.
func (a *app) openKept() error {
	a.kept.limits = cache.NewMemory(time.Now)
	r := a.cfg.Redis
	if r.URL == "" {
		return nil
	}
	var err error
	if a.kept.redis, err = cache.Open(cache.Config{URL: r.URL, Prefix: r.Prefix, Log: a.log}); err != nil {
		return fmt.Errorf("redis.url: %w", err)
	}
	a.kept.limits = a.kept.redis
	a.cfg.Guard.Cache, a.cfg.Guard.Limits = a.kept.redis, a.kept.redis
	return nil
}

func (k kept) close() error {
	if k.redis == nil {
		return nil
	}
	return k.redis.Close()
}

// memory is what the bot remembers, behind a cache where there is one.
func (a *app) memory() *store.Recall {
	if a.kept.redis == nil {
		return a.db.Memory()
	}
	return a.db.Memory().Cached(a.kept.redis)
}

// talkLeases are those by which processes take turns with people; nil where only this
// one talks with them.
func (a *app) talkLeases() lock.Leases {
	if !a.cfg.Split() {
		return nil
	}
	return a.db.Leases(botTarget)
}

// shareChats lets several processes serve the same chats.
func (a *app) shareChats(o *webchat.Options) {
	if a.kept.redis != nil {
		o.Limits = a.kept.redis
	}
	if !a.cfg.Split() {
		return
	}
	o.Others = &webchat.Others{Log: a.db.Memory()}
	if a.kept.redis != nil {
		o.Others.Bell = a.kept.redis.Bell("chat")
	}
}

// telegramLeases lets one of several processes poll Telegram.
func (a *app) telegramLeases() telegram.Option {
	return telegram.WithLeases(a.talkLeases(), a.bot.Holder)
}
