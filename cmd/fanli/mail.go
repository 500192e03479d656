package main

import (
	"context"

	"fanli/adapters/store"
	"fanli/bot/mail"
)

// PostOffice keeps what people send and are sent.
func (d *stores) PostOffice() *store.PostOffice { return d.of[botTarget].PostOffice() }

// openMail makes what receives and delivers for the channels that register with it.
// Nothing runs until one is served.
func (a *app) openMail(s surroundings) {
	a.mail = &mail.Engine{
		Store: a.db.PostOffice(), Holder: s.holder, Now: a.now, Log: a.log, Alone: !a.cfg.Split() && a.dsn(s) == "", Elsewhere: a.tell.Elsewhere,
	}
	if a.kept.redis != nil && a.cfg.Split() {
		a.mail.Bell = a.kept.redis.Bell("mail")
	}
	a.tell.Outbox = a.mail
}

// sweepMail forgets what people sent and were sent long ago.
func (a *app) sweepMail(ctx context.Context) (int, error) {
	return mail.Sweep(ctx, a.db.PostOffice(), a.now())
}
