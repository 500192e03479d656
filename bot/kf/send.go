package kf

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"fanli/bot"
	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/core/fault"
	"fanli/core/user"
)

// busyWait is how long WeCom is left alone that says that we call too often.
const busyWait = time.Minute

// Send implements bot.Channel.
func (c *Channel) Send(ctx context.Context, to user.Identity, r bot.Reply) error {
	return mail.Carry(ctx, c, mail.Parcel{Key: "kf/send/" + rand.Text(), Channel: Name, Chat: to.External, To: to, Reply: r})
}

// Carry implements mail.Carrier. What may not be sent now is handed over to the book, from
// which it is told with the next answer.
func (c *Channel) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	if p.To.Channel != Name {
		return fault.Newf(fault.NotFound, "", "kf does not reach people of other channels")
	}
	if len(p.Data) == 0 {
		return c.notice(ctx, p, progress)
	}
	var e envelope
	if err := json.Unmarshal(p.Data, &e); err != nil {
		return fault.New(fault.Invalid, "mail.unreadable")
	}
	for i := range e.Parts {
		err := progress.Do(ctx, i, func(ctx context.Context, again bool) (string, error) {
			if e.Welcome != "" {
				return "", c.greet(ctx, p, e)
			}
			return "", c.post(ctx, p, e.Parts, i, again)
		})
		switch {
		case errors.Is(err, errShut) && e.Parts[i].Copy: // what it says has been said
			return nil
		case errors.Is(err, errShut):
			return c.park(ctx, p.To.External, p.Key, remains(p.Reply, e.Parts, e.Parts[i:]))
		case err != nil:
			return err
		}
	}
	return nil
}

// remains is what is to be told later of some messages of an answer: all of it, or what
// they say.
func remains(r bot.Reply, all, some []platform.Part) bot.Reply {
	if len(some) == len(all) {
		return r
	}
	var texts []string
	for _, p := range some {
		if !p.Extra() {
			texts = append(texts, p.Text)
		}
	}
	return bot.Reply{Text: strings.Join(texts, "\n")}
}

// notice tells a person something unasked: one message, if one is allowed.
func (c *Channel) notice(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	who := p.To.External
	known, err := c.customer(ctx, who)
	switch {
	case err != nil:
		return err
	case known.rev == 0 || known.Gone:
		return fault.Newf(fault.NotFound, "", "the person has never written, or wants to hear nothing")
	}
	parts, rest := fit(p.Reply, 1)
	err = progress.Do(ctx, 0, func(ctx context.Context, again bool) (string, error) {
		if !again { // what an earlier try has taken need not be taken again
			if ok, err := c.spend(ctx, who); err != nil {
				return "", err
			} else if !ok {
				return "", errShut
			}
		}
		if err := c.offer(ctx, who, rest); err != nil {
			return "", err
		}
		err := c.post(ctx, p, parts, 0, again)
		if fault.Is(err, fault.Limited) || fault.Is(err, fault.Denied) && !errors.Is(err, errShut) {
			c.giveBack(ctx, who) // it was refused, and the next try takes one again
		}
		return "", err
	})
	if errors.Is(err, errShut) {
		return c.park(ctx, who, p.Key, p.Reply)
	}
	if err == nil {
		c.opts.Count("notice", "sent")
	}
	return err
}

// offer keeps the rest of a text, if there is one.
func (c *Channel) offer(ctx context.Context, id string, rest []string) error {
	if len(rest) == 0 {
		return nil
	}
	_, err := c.change(ctx, id, func(p *customer) bool {
		p.Rest, p.Read, p.By, p.To = rest, 0, "", c.opts.Now().Add(restTTL)
		return true
	})
	return err
}

// errShut says that the person must write first. It is sure that they have seen nothing.
var errShut = fault.New(fault.Denied, mail.Parked)

// post sends one message of a parcel, for which something was taken from what the person
// may be sent.
func (c *Channel) post(ctx context.Context, p mail.Parcel, parts []platform.Part, i int, again bool) error {
	who, key := p.To.External, keyOf(p, i)
	if !parts[i].Extra() { // one that does not arrive is not missed
		b, err := json.Marshal(remains(p.Reply, parts, parts[i:i+1]))
		if err == nil {
			err = c.opts.Book.Sent(ctx, who, sentKey(key), b, c.opts.Now())
		}
		if err != nil {
			return fault.In("kf.Sent", err)
		}
	}
	var err error
	if card := parts[i].Card; card != nil {
		err = c.card(ctx, who, key, *card)
	} else {
		err = c.opts.Platform.Post(ctx, who, key, parts[i])
	}
	switch code := platform.CodeOf(err); {
	case err == nil:
		return nil
	case again && platform.KeyUsed(err): // any other refusal says nothing of the try before
		c.opts.Count("notice", "known_key") // which has arrived
		return nil
	case code == 0:
		return fault.In("kf.Post", err)
	case parts[i].Copy && fault.Is(err, fault.Invalid):
		c.giveBack(ctx, who)
		return nil
	}
	return c.refused(ctx, who, err)
}

// refused says what follows from a refusal.
func (c *Channel) refused(ctx context.Context, who string, err error) error {
	switch fault.ReasonOf(err) {
	case platform.QuotaUsed, platform.WindowClosed, platform.SessionClosed:
		c.opts.Count("quota", "used_up")
		if err := c.shut(ctx, who, false); err != nil {
			return err
		}
		return errShut
	case platform.NotCustomer:
		if err := c.shut(ctx, who, true); err != nil {
			return err
		}
		return fault.In("kf.Post", err)
	}
	if fault.Is(err, fault.Limited) {
		err = fault.After(err, busyWait)
	}
	return fault.In("kf.Post", err)
}

// greet answers an event. One that can't be answered any more need not be: the person is
// greeted when they write.
func (c *Channel) greet(ctx context.Context, p mail.Parcel, e envelope) error {
	if !c.opts.Now().Before(e.Until) {
		c.opts.Count("answered", "too_late")
		return nil
	}
	err := c.opts.Platform.Greet(ctx, e.Welcome, keyOf(p, 0), e.Parts[0])
	if platform.CodeOf(err) != 0 && !fault.Retryable(err) {
		c.opts.Count("answered", "too_late")
		c.log.Info("a greeting is refused", "error", err)
		return nil
	}
	return fault.In("kf.Greet", err)
}

// keyOf is the key of one message of a parcel, as long as WeCom takes it.
func keyOf(p mail.Parcel, i int) string {
	sum := sha256.Sum256([]byte(p.PartKey(i)))
	return hex.EncodeToString(sum[:])[:platform.KeyMax]
}

// park keeps something until its person writes.
func (c *Channel) park(ctx context.Context, who, key string, r bot.Reply) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = c.opts.Book.Park(ctx, who, key, b, c.opts.Now())
	}
	if err == nil {
		c.opts.Count("notice", "parked")
	}
	return fault.In("kf.Park", err)
}
