package webchat

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"fanli/bot"
	"fanli/core/fault"
)

// Who said something.
const (
	fromUser = "user"
	fromBot  = "bot"
)

// An entry is one thing that was said: what the log keeps, and, without the
// action, what the page is sent.
type entry struct {
	Seq    int64      `json:"seq,omitempty"` // set on the way out only
	From   string     `json:"from"`
	ID     string     `json:"id,omitempty"` // of a user's message, made by the page
	To     string     `json:"to,omitempty"` // the ID that an answer answers; "" if nobody asked
	At     time.Time  `json:"at"`
	Text   string     `json:"text,omitempty"`   // what the user typed, or the label of the button
	Action string     `json:"action,omitempty"` // what the button sends, where it is not Text
	Lang   string     `json:"lang,omitempty"`   // what the page was in
	Reply  *bot.Reply `json:"reply,omitempty"`

	key string // by which the log knows a notice again; "" for any other entry
}

// silent reports whether e is an answer that says nothing: there is one, and nothing to
// show.
func (e entry) silent() bool {
	r := e.Reply
	return r != nil && r.Text == "" && len(r.Cards) == 0 && len(r.Buttons) == 0
}

// append keeps e and wakes the streams of its room, which is locked, and those of
// other processes. It is not fresh if it was kept before.
func (c *Chat) append(ctx context.Context, rm *room, e entry) (fresh bool, err error) {
	e.At = c.opts.Now()
	body, err := json.Marshal(e)
	if err != nil {
		return false, fault.Wrap(fault.Internal, "webchat.append", err)
	}
	asked := e.ID
	if e.From == fromBot {
		asked = cmp.Or(e.To, e.key)
	}
	if _, fresh, err = c.opts.Log.Append(ctx, rm.chat, asked, e.From == fromBot, body, e.At); err != nil {
		return false, err
	}
	rm.wake()
	if o := c.opts.Others; o != nil && o.Bell != nil && fresh {
		o.Bell.Ring(ctx, rm.chat)
	}
	return fresh, nil
}

// read returns the entries after a number, at most count. An entry that cannot
// be read is passed over: it must not hide the others.
func (c *Chat) read(ctx context.Context, chat string, after int64, count int) (es []entry, last int64, err error) {
	seqs, bodies, err := c.opts.Log.Since(ctx, chat, after, count)
	if err != nil {
		return nil, after, err
	}
	last = after
	for i, body := range bodies {
		last = seqs[i]
		var e entry
		if err := json.Unmarshal(body, &e); err != nil {
			c.opts.Logger.Error("unreadable chat entry", "seq", last, "error", err)
			continue
		}
		e.Seq = last
		es = append(es, e)
	}
	return es, last, nil
}

// public returns e as the page may see it.
func (c *Chat) public(e entry) entry {
	e.Action, e.Lang = "", ""
	if e.Reply == nil || c.opts.Image == nil {
		return e
	}
	r := *e.Reply
	r.Cards = append([]bot.Card(nil), r.Cards...)
	for i := range r.Cards {
		if r.Cards[i].Image != "" {
			r.Cards[i].Image = c.opts.Image(r.Cards[i].Image)
		}
	}
	e.Reply = &r
	return e
}
