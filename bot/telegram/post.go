package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/core/fault"
)

// envelope is what is kept of where a parcel goes, beside its chat.
type envelope struct {
	Thread  int64 `json:"thread,omitempty"`
	ReplyTo int64 `json:"reply_to,omitempty"`
	Group   bool  `json:"group,omitempty"`
	Spent   int64 `json:"spent,omitempty"` // a message whose buttons are used up

	Turns int64  `json:"turns,omitempty"` // the message with the list of which it is another page
	Idle  bool   `json:"idle,omitempty"`  // it says only that the answer takes a while
	Stead string `json:"stead,omitempty"` // the key of such a parcel, whose message it takes the place of

	Staff   bool   `json:"staff,omitempty"`   // it is for the group of staff
	Picture []byte `json:"picture,omitempty"` // of ours, sent instead of a reply
}

// envelopeOf says where an envelope goes.
func envelopeOf(to target) envelope {
	return envelope{Thread: to.thread, ReplyTo: to.replyTo, Group: to.group}
}

// envelope says where the answer goes.
func (in incoming) envelope() envelope {
	e := envelopeOf(in.to)
	if in.mayWait() {
		e.Stead = keyOf(in.waitKey())
	}
	return e
}

// receive has an update kept, if it is for us: from then on it need not come again. It
// returns what became of it. It fails if the update has to come again.
func (c *Channel) receive(ctx context.Context, r reader, raw json.RawMessage) (what string, err error) {
	var u update
	if err := json.Unmarshal(raw, &u); err != nil {
		c.log.Error("an update of an unknown form is skipped", "bytes", len(raw))
		return "odd", nil //nolint:nilerr // it will not be better the next time
	}
	if err := c.note(ctx, u); err != nil {
		return "", fault.In("telegram.note", err)
	}
	in, ok := r.understand(u)
	if !ok {
		return "ignored", nil
	}
	receipt, err := c.mail.Receive(ctx, mail.Letter{Channel: Name, ID: in.msg.ID, Chat: strconv.FormatInt(in.to.chat, 10), Payload: raw})
	if fault.Is(err, fault.Invalid) { // it will not be better the next time
		c.log.Error("an update cannot be kept", "bytes", len(raw), "error", err)
		return "odd", nil
	}
	return string(receipt), fault.In("telegram.receive", err)
}

// open reads a letter.
func (r reader) open(l mail.Letter) (incoming, error) {
	var u update
	if err := json.Unmarshal(l.Payload, &u); err != nil {
		return incoming{}, fault.New(fault.Invalid, "telegram.letter") // without the cause: it may quote the text
	}
	in, ok := r.understand(u)
	if !ok {
		return incoming{}, fault.New(fault.Invalid, "telegram.letter")
	}
	return in, nil
}

// replies answers letters.
func (c *Channel) replies(r reader, handle bot.Handler) mail.Service {
	return mail.Service{
		Answer: func(ctx context.Context, l mail.Letter) ([]mail.Parcel, error) {
			in, err := r.open(l)
			if err != nil {
				return nil, err
			}
			return c.reply(ctx, in, handle)
		},
		Warn: func(l mail.Letter) (mail.Parcel, bool) {
			in, err := r.open(l)
			if err != nil || in.to.group {
				return mail.Parcel{}, false
			}
			return parcel("full/"+in.msg.ID, in.to, envelopeOf(in.to), bot.TooMany(in.msg.Locale)), true
		},
		Wait: func(l mail.Letter) (mail.Parcel, bool) {
			in, err := r.open(l)
			if err != nil || !in.mayWait() {
				return mail.Parcel{}, false
			}
			e := envelopeOf(in.to)
			e.Idle = true
			return parcel(in.waitKey(), in.to, e, bot.Looking(in.msg.Locale)), true
		},
		Sorry: func(l mail.Letter) (mail.Parcel, bool) {
			in, err := r.open(l)
			if err != nil || in.refused != "" {
				return mail.Parcel{}, false
			}
			return parcel("sorry/"+in.msg.ID, in.to, in.envelope(), bot.Reply{Text: say(in.msg.Locale, broken)}), true
		},
	}
}

// reply asks the handler and packs what it says.
func (c *Channel) reply(ctx context.Context, in incoming, handle bot.Handler) ([]mail.Parcel, error) {
	if in.query != "" {
		acknowledged := c.acknowledge(ctx, in)
		defer acknowledged()
	}
	if in.refused != "" {
		return nil, nil
	}
	c.back(ctx, in.to)
	stop := c.typing(ctx, in.to)
	said := c.ask(ctx, in, handle)
	stop()
	if err := ctx.Err(); err != nil { // an answer that was cut short is no answer
		return nil, fault.Wrap(fault.Unavailable, "telegram.reply", err)
	}
	if !c.cfg.Keyboard || in.to.group {
		said.Keys = nil
	}
	e := in.envelope()
	if said.Spent {
		e.Spent = in.pressed
	}
	if said.Turned {
		e.Turns = in.pressed
	}
	if e.Spent == 0 && e.Stead == "" && len(render(said)) == 0 {
		return nil, nil
	}
	return []mail.Parcel{parcel("answer/"+in.msg.ID, in.to, e, said)}, nil
}

// keyOf is the key of a parcel.
func keyOf(key string) string { return Name + "/" + key }

// parcel packs what is said in a chat.
func parcel(key string, to target, e envelope, said bot.Reply) mail.Parcel {
	data, err := json.Marshal(e)
	if err != nil { // numbers and texts can be written
		data = nil
	}
	return mail.Parcel{Key: keyOf(key), Channel: Name, Chat: strconv.FormatInt(to.chat, 10), Reply: said, Data: data}
}

// Carry implements mail.Carrier. Telegram has no key by which it would know a message
// again: of one whose answer got lost, or during which the process died, people may see
// two. That is better than none.
func (c *Channel) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	chat, err := strconv.ParseInt(p.Chat, 10, 64)
	if err != nil || chat == 0 {
		return fault.New(fault.NotFound, "telegram.chat")
	}
	var e envelope
	if len(p.Data) > 0 && json.Unmarshal(p.Data, &e) != nil {
		return fault.New(fault.Invalid, "telegram.envelope")
	}
	to := c.follow(ctx, target{chat: chat, thread: e.Thread, replyTo: e.ReplyTo, group: e.Group || chat < 0})
	if e.Idle {
		return c.idle(ctx, to, p, progress)
	}
	if !to.group && p.Notice != nil && c.isAway(ctx, chat) {
		return fault.Wrap(fault.NotFound, "telegram.Carry", errors.New("the person has blocked the bot, and is not back yet"))
	}
	if len(e.Picture) > 0 {
		return lostStaff(e, c.carryPicture(ctx, to, p, e.Picture, progress))
	}
	if err := c.carryAll(ctx, to, e, p, progress); err != nil {
		return lostStaff(e, err)
	}
	if e.Spent != 0 {
		if err := c.pace.claim(ctx, to, p.Quiet); err != nil { // edits count, too
			return err
		}
		c.disarm(ctx, to.chat, e.Spent)
	}
	return nil
}

// carryAll takes the steps of a parcel that were not taken before: its messages, of which
// the first takes the place of the one that says that the answer takes a while, or has
// it deleted. Another page takes the place of the one before while nothing stands below it.
func (c *Channel) carryAll(ctx context.Context, to target, e envelope, p mail.Parcel, progress *mail.Progress) error {
	idle, err := c.standIn(ctx, e, progress)
	if err != nil {
		return err
	}
	to.silent = c.silent(p.Notice)
	if to.instead = idle; idle == 0 && e.Turns != 0 && c.pace.last(to) == e.Turns {
		to.instead = e.Turns
	}
	clearing := -1
	var steps []func(ctx context.Context, again bool) (note string, err error)
	for i, part := range render(p.Reply) {
		steps = append(steps, func(ctx context.Context, again bool) (string, error) {
			if i == 0 && again && to.instead == 0 {
				to.instead = e.Turns // the try before may have put it there, and then nothing happens
			}
			return c.once(ctx, &to, part)
		})
	}
	if idle != 0 {
		clearing = min(1, len(steps))
		steps = slices.Insert(steps, clearing, func(ctx context.Context, _ bool) (string, error) { return "", c.clear(ctx, to, idle, progress.Note(0)) })
	}
	for i, step := range steps {
		if i < progress.Arrived() {
			continue
		}
		if i > 0 {
			to.instead = 0
		}
		if i != clearing { // which is no message
			if err := c.pace.claim(ctx, to, p.Quiet); err != nil {
				return err
			}
		}
		if err := progress.Do(ctx, i, step); err != nil {
			c.unreachable(ctx, to, err)
			return err
		}
	}
	return nil
}

// once sends one message, in another form if Telegram does not take it, and returns its
// id. How long Telegram wants to be left alone goes along with the error.
func (c *Channel) once(ctx context.Context, to *target, p part) (id string, err error) {
	for {
		message, err := c.post(ctx, *to, &p)
		if err == nil {
			c.pace.sent(*to, message)
			return strconv.FormatInt(message, 10), nil
		}
		if c.remedy(ctx, err, to, &p) {
			continue
		}
		if d := retryAfter(err); d > 0 {
			c.pace.hold(*to, d)
			return "", fault.After(err, d)
		}
		return "", err
	}
}

// unreachable keeps that a person cannot be reached, if that is what an error says.
func (c *Channel) unreachable(ctx context.Context, to target, err error) {
	if to.group || !fault.Is(err, fault.NotFound) {
		return
	}
	if err := c.setAway(ctx, to.chat, true); err != nil {
		c.log.Warn("it cannot be kept that somebody is out of reach", "error", err)
	}
}

// serve receives, answers and delivers until ctx ends or Telegram refuses the token.
// Of several processes one polls, or keeps the webhook as it should be; all answer.
func (c *Channel) serve(ctx context.Context, me int64, handle bot.Handler) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := reader{me: me, username: *c.username.Load(), clock: c.now, staff: func() int64 { return c.AdminChat(ctx) }}
	c.hearing.Store(&r)
	defer c.hearing.Store(nil)
	var sharing sync.WaitGroup
	sharing.Go(func() { c.shareOut(ctx, me) })
	refused := make(chan error, 1)
	go func() {
		defer stop()
		refused <- c.watch(ctx, r)
	}()
	err := c.mail.Serve(ctx, Name, c.replies(r, handle))
	stop()
	err = errors.Join(err, <-refused)
	sharing.Wait()
	return err
}

// watch has updates come while this process is the one that sees to it.
func (c *Channel) watch(ctx context.Context, r reader) error {
	for ctx.Err() == nil {
		w, err := c.keepWatch(ctx, r.me)
		if err != nil {
			return nil //nolint:nilerr // only the end of ctx does that
		}
		err = c.collect(w, r)
		w.end()
		if fault.Is(err, fault.Denied) {
			return err
		}
	}
	return nil
}

// collect has updates come until the watch ends or the token is refused.
func (c *Channel) collect(w watch, r reader) error {
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		c.setFace(w.held)
		c.listenToStaff(w.held, r.me)
	}()
	defer func() { <-shown }()
	c.log.Info("the channel is open", "bot", r.username, "mode", c.cfg.Mode)
	if c.cfg.Mode == Webhook {
		return c.keepHook(w.held)
	}
	if err := c.persist(w.held, "the webhook cannot be deleted", func() error { return c.dropHook(w.held) }); err != nil {
		return err
	}
	o := offset{Channel: c, name: offsetMark(r.me), token: w.token}
	err := c.persist(w.held, "the offset cannot be read", func() (err error) {
		o.saved, err = c.restore(w.held, o.name)
		return err
	})
	if err != nil {
		return err
	}
	return c.gather(w.held, r, &o)
}
