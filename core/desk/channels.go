package desk

import (
	"context"
	"time"

	"fanli/core/post"
)

// Channels are the part of the bot target's station that knows what people write and are
// sent.
type Channels struct {
	// Depths returns how much waits and is dead on each side of each channel.
	Depths func(ctx context.Context) ([]post.Depth, error)
	// Troubles returns what channels have noticed of their platforms; optional.
	Troubles func(ctx context.Context) ([]Trouble, error)
}

// A Trouble is something that a platform does not do for us.
type Trouble struct {
	Key     string // unique
	What    Stable
	Of      Label // what it is about
	ID      string
	Said    string // by the platform, without secrets
	Waiting int64  // messages that wait there
	Since   time.Time
	Until   time.Time // when it is tried again
}

// Handlers are its acts.
func (c Channels) Handlers() map[string]Handler {
	return map[string]Handler{"todo": c.todo, AlertsAct: c.alerts}
}

// dead are the sides on which something came to nothing.
func (c Channels) dead(ctx context.Context) (out []post.Depth, err error) {
	all, err := c.Depths(ctx)
	for _, d := range all {
		if d.Dead > 0 {
			out = append(out, d)
		}
	}
	return out, err
}

func mailItem(d post.Depth) Item {
	return Item{Title: LMail, ID: d.Channel, Wrong: true, Fields: []Field{word(LState, string(d.Side)), count(LDead, d.Dead)}}
}

func (t Trouble) item() Item {
	i := Item{Title: t.Of, ID: t.ID, Wrong: true}
	if !t.Since.IsZero() {
		i.Fields = append(i.Fields, moment(LSince, t.Since))
	}
	if t.Said != "" {
		i.Fields = append(i.Fields, text(LReason, t.Said))
	}
	if t.Waiting > 0 {
		i.Fields = append(i.Fields, count(LWaiting, t.Waiting))
	}
	if !t.Until.IsZero() {
		i.Fields = append(i.Fields, moment(LUntil, t.Until))
	}
	return i
}

func (c Channels) troubles(ctx context.Context) ([]Trouble, error) {
	if c.Troubles == nil {
		return nil, nil
	}
	return c.Troubles(ctx)
}

func (c Channels) todo(ctx context.Context, _ Act) (out Answer, err error) {
	dead, err := c.dead(ctx)
	if err != nil {
		return out, err
	}
	for _, d := range dead {
		out.Items = append(out.Items, mailItem(d))
	}
	ts, err := c.troubles(ctx)
	for _, t := range ts {
		out.Items = append(out.Items, t.item())
	}
	return out, err
}

func (c Channels) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	dead, err := c.dead(ctx)
	if err != nil {
		return out, err
	}
	for _, d := range dead {
		out.Items = append(out.Items, alertItem("mail/"+d.Channel+"/"+string(d.Side), MailDead, mailItem(d)))
	}
	ts, err := c.troubles(ctx)
	for _, t := range ts {
		out.Items = append(out.Items, alertItem(t.Key, t.What, t.item()))
	}
	return out, err
}
