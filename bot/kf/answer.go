package kf

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"fanli/bot"
	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/bot/plaintext"
	"fanli/core/fault"
)

// toldMax is how many notices that have waited go with one answer.
const toldMax = 5

// welcomeTime is how long an event can be answered.
const welcomeTime = 20 * time.Second

// An envelope is what is kept of an answer beside its reply: the messages that were made
// of it, so that each try sends the same.
type envelope struct {
	Parts   []platform.Part `json:"parts"`
	Welcome string          `json:"welcome,omitempty"` // the code of the event that is answered
	Until   time.Time       `json:"until,omitzero"`    // and for how long it can be
}

// service is what is done with letters.
func (c *Channel) service(handle bot.Handler) mail.Service {
	return mail.Service{
		Answer: func(ctx context.Context, l mail.Letter) ([]mail.Parcel, error) { return c.answer(ctx, l, handle) },
		Warn: func(l mail.Letter) (mail.Parcel, bool) {
			return mail.Parcel{Key: "kf/full/" + l.ID, Channel: Name, Chat: l.Chat, To: identity(l.Chat), Reply: bot.TooMany("")}, true
		},
	}
}

// answer answers a letter.
func (c *Channel) answer(ctx context.Context, l mail.Letter, handle bot.Handler) ([]mail.Parcel, error) {
	var m platform.Message
	if err := json.Unmarshal(l.Payload, &m); err != nil {
		return nil, fault.New(fault.Invalid, "mail.unreadable") // without the cause: it may quote the text
	}
	in := understand(m)
	if in.welcome != "" && c.opts.Now().Sub(in.sent) > welcomeTime {
		c.opts.Count("answered", "too_late") // they are greeted when they write
		return nil, c.brought(ctx, in.from, m.Event)
	}
	p, more, err := c.understood(ctx, &in)
	if err != nil {
		return nil, err
	}
	if in.message && p.led(in.sent) {
		c.opts.Count("answered", "led")
		return nil, nil
	}
	r := bot.Reply{Text: more}
	switch {
	case more != "":
	case in.say != phrase{}:
		r.Text = in.say.In(false)
	default:
		r = handle(ctx, bot.Message{From: identity(in.from), Chat: in.from, ID: in.id, Text: in.text, Via: in.via})
	}
	if err := ctx.Err(); err != nil { // an answer that was cut short is no answer
		return nil, fault.Wrap(fault.Unavailable, "kf.answer", err)
	}
	if plaintext.Empty(r) {
		c.opts.Count("answered", "silent")
		return nil, nil
	}
	if in.welcome != "" {
		return c.greeting(in, r)
	}
	return c.pack(ctx, in, r)
}

// understood enters what the person did. more is the next piece of a text that was cut,
// if that is what they want.
func (c *Channel) understood(ctx context.Context, in *incoming) (p customer, more string, err error) {
	now := c.opts.Now()
	p, err = c.change(ctx, in.from, func(p *customer) bool {
		p.hear(*in)
		again := p.By == in.id && p.Read > 0
		in.reads = plaintext.WantsMore(in.text) && now.Before(p.To) && (again || p.Read < len(p.Rest))
		if in.reads && !again {
			p.Read, p.By, p.To = p.Read+1, in.id, now.Add(restTTL)
		}
		return true
	})
	if in.via == "" {
		in.via = p.Via
	}
	if err != nil || !in.reads {
		return p, "", err
	}
	more = p.Rest[p.Read-1]
	if p.Read < len(p.Rest) {
		more += "\n" + plaintext.ReadOn(plaintext.English(more))
	}
	return p, more, nil
}

// greeting packs the answer to an event: one message, which is not counted.
func (c *Channel) greeting(in incoming, r bot.Reply) ([]mail.Parcel, error) {
	parts, _ := fit(r, 1)
	c.opts.Count("answered", "greeting")
	return c.parcel(in, r, envelope{Parts: parts, Welcome: in.welcome, Until: in.sent.Add(welcomeTime)})
}

// parcel packs an answer.
func (c *Channel) parcel(in incoming, r bot.Reply, e envelope) ([]mail.Parcel, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "kf.parcel", err)
	}
	return []mail.Parcel{{Key: "kf/" + in.id, Channel: Name, Chat: in.from, To: identity(in.from), Reply: r, Data: data}}, nil
}

// pack packs the answer to a message, with the notices that have waited and what of it
// people may be sent. It takes the same from them however often it is called for one
// message.
func (c *Channel) pack(ctx context.Context, in incoming, r bot.Reply) ([]mail.Parcel, error) {
	told, waiting, err := c.tell(ctx, in)
	if err != nil {
		return nil, err
	}
	r, back := withNews(r, told, waiting)
	if len(back) > 0 {
		if err := c.opts.Book.Untell(ctx, back); err != nil {
			return nil, fault.In("kf.Untell", err)
		}
	}
	now := c.opts.Now()
	var parts []platform.Part
	_, err = c.change(ctx, in.from, func(p *customer) bool {
		room, again := p.allowed(now), p.Took == in.id
		forExtra := room
		if again {
			room, forExtra = p.Parts, roomForExtra*(p.Parts-1) // as before
		}
		if parts = nil; room == 0 {
			return false
		}
		rest := []string(nil)
		parts, rest = fit(r, room)
		if parts = c.extend(r, parts, forExtra); again {
			return false
		}
		p.take(len(parts), now)
		p.Took, p.Parts, p.Via = in.id, len(parts), ""
		if !in.reads { // there is a newer text
			p.Rest, p.Read, p.By, p.To = rest, 0, "", now.Add(restTTL)
		}
		return true
	})
	switch {
	case err != nil:
		return nil, err
	case len(parts) == 0: // it took too long
		return nil, c.park(ctx, in.from, "kf/"+in.id, r)
	}
	c.opts.Count("answered", "sent")
	return c.parcel(in, r, envelope{Parts: parts})
}

// A parked is a notice that has waited.
type parked struct {
	id    int64
	reply bot.Reply
}

// tell returns the notices that go with an answer.
func (c *Channel) tell(ctx context.Context, in incoming) (told []parked, waiting int, err error) {
	ids, bodies, waiting, err := c.opts.Book.Tell(ctx, in.from, in.id, toldMax)
	if err != nil {
		return nil, 0, fault.In("kf.Tell", err)
	}
	for i, id := range ids {
		p := parked{id: id}
		if err := json.Unmarshal(bodies[i], &p.reply); err != nil {
			continue // of another version: nobody can read it
		}
		told = append(told, p)
	}
	return told, waiting, nil
}

// newsMax bounds an answer with the news below it: two messages.
const newsMax = 2 * platform.TextMax

// withNews puts notices below an answer, as many as there is room for. back are those
// that there is none for.
func withNews(r bot.Reply, told []parked, waiting int) (with bot.Reply, back []int64) {
	if len(told)+waiting == 0 {
		return r, nil
	}
	bare := render(r, true).text
	en := plaintext.English(bare)
	body, n := "", 0
	for _, p := range told {
		next := body + "\n\n" + render(plaintext.WithoutActions(p.reply), true).text
		if n > 0 && len(bare)+len(next) > newsMax {
			break
		}
		body, n = next, n+1
	}
	for _, p := range told[n:] {
		back = append(back, p.id)
	}
	news := ""
	if n > 0 {
		news = plaintext.News(en, n) + body
	}
	if rest := len(back) + waiting; rest > 0 {
		news += "\n\n" + plaintext.Waiting(en, rest)
	}
	r.Cards = append(slices.Clone(r.Cards), bot.Card{Title: news})
	return r, back
}
