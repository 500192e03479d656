package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"fanli/adapters/grouprobot"
	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/telegram"
	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/post"
	"fanli/core/user"
)

// A telegramSink tells staff in their group, with buttons.
type telegramSink struct {
	a *app
	t *telegram.Channel
}

func (telegramSink) Name() string { return telegram.Name }

func (s telegramSink) Wrap(ctx context.Context, n desk.News) ([]post.Parcel, error) {
	ps, err := s.t.ToStaff(ctx, n.Key, s.a.bot.News(n, s.a.cfg.Staff.Language), reportPicture(n))
	if err != nil {
		return nil, err
	}
	return s.a.pack(ps...)
}

func (s telegramSink) Wake(ctx context.Context) { s.a.mail.Wake(ctx, telegram.Name) }

// pack makes of parcels what is kept.
func (a *app) pack(ps ...mail.Parcel) (out []post.Parcel, err error) {
	for _, p := range ps {
		kept, err := a.mail.Pack(p)
		if err != nil {
			return nil, err
		}
		out = append(out, kept)
	}
	return out, nil
}

// robotName is the group robot's as a channel, and the one chat that it has.
const robotName = "robot"

// openRobot lets staff be told by a group robot, if there is one.
func (a *app) openRobot(s surroundings) {
	url := a.cfg.Staff.Robot.URL
	if url == "" {
		return
	}
	client := s.http
	if client == nil {
		client = &http.Client{}
	}
	r, err := grouprobot.New(url, client, time.Now)
	if err != nil {
		return // it was checked with the configuration
	}
	a.house.robot = &robotChannel{a, r}
	a.mail.Register(a.house.robot)
	a.house.alarm.Sinks = append(a.house.alarm.Sinks, a.house.robot)
}

// robots are the channels of which nothing comes back: one or none.
func (a *app) robots() []bot.Channel {
	if a.house.robot == nil {
		return nil
	}
	return []bot.Channel{a.house.robot}
}

// A robotChannel tells staff by a robot, which takes no answers: without buttons.
type robotChannel struct {
	a *app
	r *grouprobot.Robot
}

var (
	_ bot.Channel  = (*robotChannel)(nil)
	_ desk.Sink    = (*robotChannel)(nil)
	_ mail.Carrier = (*robotChannel)(nil)
)

// Name implements bot.Channel, desk.Sink and mail.Carrier.
func (*robotChannel) Name() string { return robotName }

// Run implements bot.Channel: it delivers what is kept.
func (c *robotChannel) Run(ctx context.Context, _ bot.Handler) error {
	return c.a.mail.Serve(ctx, robotName, mail.Service{})
}

// Send implements bot.Channel: a robot reaches no person.
func (*robotChannel) Send(context.Context, user.Identity, bot.Reply) error {
	return fault.Newf(fault.NotFound, "", "a group robot reaches no person")
}

// Wrap implements desk.Sink.
func (c *robotChannel) Wrap(_ context.Context, n desk.News) ([]post.Parcel, error) {
	r := c.a.bot.News(n, c.a.cfg.Staff.Language)
	for i := range r.Cards {
		r.Cards[i].Buttons = nil
	}
	p := mail.Parcel{Key: n.Key, Channel: robotName, Chat: robotName, Reply: r, Quiet: true}
	png := reportPicture(n)
	if png == nil {
		return c.a.pack(p)
	}
	data, err := json.Marshal(png)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "robot.Wrap", err)
	}
	return c.a.pack(p, mail.Parcel{Key: n.Key + "/picture", Channel: robotName, Chat: robotName, Data: data, Quiet: true})
}

// Wake implements desk.Sink.
func (c *robotChannel) Wake(ctx context.Context) { c.a.mail.Wake(ctx, robotName) }

// Carry implements mail.Carrier. WeCom has no key by which it would know a message again:
// one of which nobody knows whether it arrived is sent twice.
func (c *robotChannel) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	if len(p.Data) > 0 {
		var png []byte
		if json.Unmarshal(p.Data, &png) != nil {
			return fault.New(fault.Invalid, "robot.picture")
		}
		return progress.Do(ctx, 0, func(ctx context.Context, _ bool) (string, error) { return "", c.r.Image(ctx, png) })
	}
	for i, page := range grouprobot.Pages(bot.RenderText(p.Reply)) {
		if err := progress.Do(ctx, i, func(ctx context.Context, _ bool) (string, error) { return "", c.r.Text(ctx, page) }); err != nil {
			return err
		}
	}
	return nil
}
