package desk

import (
	"context"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// Channels are the part of the bot target's station that knows what people write and are
// sent.
type Channels struct {
	// Depths returns how much waits and is dead on each side of each channel.
	Depths func(ctx context.Context) ([]post.Depth, error)
	// Troubles returns what channels have noticed of their platforms; optional.
	Troubles func(ctx context.Context) ([]Trouble, error)
	// Menus is the account whose menu staff publish; nil where there is none that can be
	// called.
	Menus Menus
}

// Menus is an account with a menu below its chats.
type Menus interface {
	// Menus returns the menu that people see and the one that they should see, line by line.
	Menus(ctx context.Context) (is, shall []string, err error)
	// Publish has people see the menu that they should see, and records who did so; the
	// same act again has one record.
	Publish(ctx context.Context, a Act) error
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
	return map[string]Handler{"todo": c.todo, AlertsAct: c.alerts, "wxmenu": c.menu, "wxpublish": c.publish}
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

// menus shows the menu that people see and, where that is another one, the one that they
// should see.
func (c Channels) menus(ctx context.Context) (out Answer, err error) {
	if c.Menus == nil {
		return out, fault.New(fault.NotFound, "desk.no_menu")
	}
	is, shall, err := c.Menus.Menus(ctx)
	if err != nil {
		return out, menuFault(err)
	}
	out.Items = []Item{menuItem(LMenuNow, is)}
	if out.Same = slices.Equal(is, shall); !out.Same {
		out.Items = append(out.Items, menuItem(LMenuThen, shall))
	}
	return out, nil
}

func menuItem(title Label, lines []string) Item {
	i := Item{Title: title}
	for _, l := range lines {
		i.Fields = append(i.Fields, text("", l))
	}
	if len(lines) == 0 {
		i.Fields = []Field{word(LState, string(WNone))}
	}
	return i
}

// menuFault is what staff read of a call that came to nothing: what does not heal by
// itself is refused.
func menuFault(err error) error {
	if fault.Retryable(err) {
		return err
	}
	return fault.Wrap(fault.Invalid, "", fault.Newf(fault.Invalid, "desk.menu_refused", "%v", err))
}

func (c Channels) menu(ctx context.Context, _ Act) (Answer, error) {
	out, err := c.menus(ctx)
	out.Same = false // to look changes nothing
	return out, err
}

func (c Channels) publish(ctx context.Context, a Act) (Answer, error) {
	out, err := c.menus(ctx)
	if err != nil || a.Dry {
		out.Same = false // menus of people with a tag may differ
		return out, err
	}
	out.Same = false
	if err := c.Menus.Publish(ctx, a); err != nil {
		return out, menuFault(err)
	}
	return out, nil
}
