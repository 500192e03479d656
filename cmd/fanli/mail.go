package main

import (
	"context"
	"time"

	"fanli/adapters/observe"
	"fanli/adapters/store"
	"fanli/bot/mail"
	"fanli/core/post"
)

// PostOffice keeps what people send and are sent.
func (d *stores) PostOffice() *store.PostOffice { return d.of[botTarget].PostOffice() }

// openMail makes what receives and delivers for the channels that register with it.
// Nothing runs until one is served. Its time is the real one, also in the sandbox:
// platforms count by no other, and a sandbox that is moved on by days must not make
// what waits for a moment too old to be told.
func (a *app) openMail(s surroundings) {
	a.mail = &mail.Engine{
		Store: a.db.PostOffice(), Holder: s.holder, Now: time.Now, Log: a.log, Alone: !a.cfg.Split() && a.dsn(s) == "", Elsewhere: a.tell.Elsewhere, Wanted: a.tell.Wanted,
	}
	if a.obs != nil {
		a.mail.Count = func(channel string, s post.Side, outcome string) { a.obs.Mail(channel, string(s), outcome) }
	}
	if a.kept.redis != nil && a.cfg.Split() {
		a.mail.Bell = a.kept.redis.Bell("mail")
	}
	a.tell.Outbox = a.mail
}

// readMail says what waits of what people sent and are sent.
func (a *app) readMail(ctx context.Context, say observe.Say) error {
	depths, err := a.db.PostOffice().Depths(ctx)
	for _, d := range depths {
		say(observe.MailWaiting, float64(d.Waiting), d.Channel, string(d.Side))
		say(observe.MailAge, age(d.Oldest, time.Now()), d.Channel, string(d.Side))
		say(observe.MailDead, float64(d.Dead), d.Channel, string(d.Side))
	}
	return err
}

// sweepMail forgets what people sent and were sent long ago.
func (a *app) sweepMail(ctx context.Context) (int, error) {
	return mail.Sweep(ctx, a.db.PostOffice(), time.Now())
}
