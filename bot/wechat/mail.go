package wechat

import (
	"context"
	"encoding/json"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/plaintext"
	"fanli/core/fault"
	"fanli/core/user"
)

// An Office is Mail over a mail.Engine, and the carrier of the channel's parcels there.
// Make it with NewOffice, before the channel, and Open it with that.
type Office struct {
	engine  *mail.Engine
	now     func() time.Time
	channel *Channel
}

// NewOffice returns the office of a channel that is made next.
func NewOffice(e *mail.Engine, now func() time.Time) *Office { return &Office{engine: e, now: now} }

// Open makes o the carrier of c, whose Options have it as Mail.
func (o *Office) Open(c *Channel) {
	o.channel = c
	o.engine.Register(o)
}

// Serve answers what was kept and carries what was posted until ctx ends.
func (o *Office) Serve(ctx context.Context, handle bot.Handler) error {
	return o.engine.Serve(ctx, Name, mail.Service{Answer: func(ctx context.Context, l mail.Letter) ([]mail.Parcel, error) {
		var m bot.Message
		if err := json.Unmarshal(l.Payload, &m); err != nil {
			return nil, fault.New(fault.Invalid, "mail.unreadable")
		}
		r := handle(ctx, m)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if plaintext.Empty(r) {
			return nil, nil
		}
		return []mail.Parcel{{Key: lateKey(m.ID), Channel: Name, Chat: m.Chat, To: m.From, Reply: r, At: l.At}}, nil
	}})
}

// Keep implements Mail.
func (o *Office) Keep(ctx context.Context, m bot.Message, at time.Time) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fault.Wrap(fault.Invalid, "wechat.Keep", err)
	}
	got, err := o.engine.Receive(ctx, mail.Letter{Channel: Name, ID: m.ID, Chat: m.Chat, Payload: b, At: at})
	if err == nil && got == mail.Full {
		err = fault.New(fault.Limited, "message.too_many")
	}
	return fault.In("wechat.Keep", err)
}

// A schedule says from when on a parcel may be carried.
type schedule struct {
	From time.Time `json:"from"`
}

// Post implements Mail.
func (o *Office) Post(ctx context.Context, key string, to user.Identity, r bot.Reply, from time.Time) error {
	data, err := json.Marshal(schedule{from})
	if err != nil {
		return fault.Wrap(fault.Invalid, "wechat.Post", err)
	}
	return fault.In("wechat.Post", o.engine.Post(ctx, mail.Parcel{Key: key, Channel: Name, Chat: to.External, To: to, Reply: r, Data: data}))
}

// Name implements mail.Carrier.
func (*Office) Name() string { return Name }

// Carry implements mail.Carrier. What may not be sent now is handed over to the book,
// from which it is told with the next answer.
func (o *Office) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	var when schedule
	if len(p.Data) > 0 {
		if err := json.Unmarshal(p.Data, &when); err != nil {
			return fault.New(fault.Invalid, "mail.unreadable")
		}
	}
	if wait := when.From.Sub(o.now()); wait > 0 {
		return fault.After(fault.New(fault.Limited, "wechat.follows"), wait)
	}
	if p.Notice == nil {
		return o.channel.late(ctx, p, progress)
	}
	return progress.Do(ctx, 0, func(ctx context.Context, _ bool) (string, error) {
		return "", o.channel.Notice(ctx, p.To, p.Key, *p.Notice)
	})
}
