package bot

import (
	"context"
	"strconv"
	"strings"

	"fanli/bot/locale"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/link"
)

// An ActivityKind says for what people go to a page.
type ActivityKind string

// The kinds.
const (
	Food  ActivityKind = "food"  // to eat
	Venue ActivityKind = "venue" // to buy in a sale
)

// An Activity is a page without goods to which people are led by a link of their own.
type Activity struct {
	Kind    ActivityKind
	Page    link.Page
	English string // its name; "" for that of the page
}

// activities are those of a kind at networks that are on.
func (t *turn) activities(kind ActivityKind) (out []Activity) {
	on := map[string]bool{}
	for _, n := range t.bot.networks() {
		on[n] = true
	}
	for _, a := range t.bot.Activities {
		if a.Kind == kind && on[a.Page.Network] {
			out = append(out, a)
		}
	}
	return out
}

// food leads to pages where food is ordered: to the only one at once, else to the one that
// args counts.
func (t *turn) food(ctx context.Context, args string) (Reply, error) {
	all := t.activities(Food)
	if len(all) == 0 {
		r := t.say("food.none")
		r.Buttons = []Button{t.next("search"), t.next("campaigns")}
		return r, nil
	}
	if len(all) == 1 {
		args = "1"
	}
	if r, ok, err := t.lead(ctx, "food", all, args); ok || err != nil {
		return r, err
	}
	return Reply{Cards: []Card{t.pages("food", t.T("food.title"), all)}}, nil
}

// pages lists pages, each with what the command has to be sent with.
func (t *turn) pages(command, title string, all []Activity) Card {
	c := Card{Title: title}
	for i, a := range all {
		c.Rows = append(c.Rows, Row{Label: count(i+1) + ". " + t.activity(a), Value: t.network(a.Page.Network)})
		c.Buttons = append(c.Buttons, t.next(command, count(i+1)))
	}
	return c
}

func (t *turn) activity(a Activity) string {
	if t.words.Tag() == locale.English && a.English != "" {
		return clean(a.English, titleRunesMax)
	}
	return clean(a.Page.Name, titleRunesMax)
}

// lead makes the link to the page that args counts. ok is false if it counts none.
func (t *turn) lead(ctx context.Context, command string, all []Activity, args string) (r Reply, ok bool, err error) {
	n, err := strconv.Atoi(strings.TrimSpace(args))
	if err != nil || n < 1 || n > len(all) {
		return Reply{}, false, nil //nolint:nilerr // it is no number, which is an answer
	}
	a := all[n-1]
	if r, stop, err := t.stopped(ctx, control.ReadOnly, control.Network(a.Page.Network)); stop || err != nil {
		return r, true, err
	}
	l, err := t.bot.Links.Promote(ctx, t.user.ID, a.Page)
	switch {
	case fault.Retryable(err):
		return t.say("food.stalled", "network", t.network(a.Page.Network), "word", t.next(command, count(n)).Action, "trace", t.trace(ctx, err)), true, nil
	case expected(err):
		t.trace(ctx, err) // whoever configured the page can do something about it
		r := t.say("food.gone", "name", t.activity(a))
		r.Buttons = []Button{t.next("search"), t.next("support")}
		return r, true, nil
	case err != nil:
		return Reply{}, true, fault.In("bot.Promote", err)
	}
	return t.led(a, l), true, nil
}

// led is a link to a page, with how an order that comes of it is recognised.
func (t *turn) led(a Activity, l link.Link) Reply {
	c := Card{Title: t.activity(a), Rows: []Row{{Label: t.T("offer.shop"), Value: t.network(l.Network)}}, Buttons: t.ways(l)}
	if l.Mark.Slot == "" {
		c.Notes = []string{t.T("food.yours")}
	} else {
		c.Notes = []string{t.T("food.claim", "word", commandWord(t.words.Tag(), "claim"))}
	}
	c.Notes = append(c.Notes, t.T("food.share", "word", commandWord(t.words.Tag(), "rules")))
	if !l.Made.Expires.IsZero() {
		c.Notes = append(c.Notes, t.T("offer.expires", "at", t.moment(l.Made.Expires)))
	}
	return Reply{Cards: []Card{c}, Buttons: []Button{t.next("orders")}}
}
