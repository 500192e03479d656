package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
)

// A profile is the card of somebody as it is written, and what decides about next steps.
type profile struct {
	Card
	channels int
	payee    bool
}

func (p *profile) add(label, value string) { p.Rows = append(p.Rows, Row{Label: label, Value: value}) }

// me tells a person who they are to us. What a part of us would say that is away is left
// out, with a word about that: the rest is worth reading all the same.
func (t *turn) me(ctx context.Context, _ string) (Reply, error) {
	p := &profile{Card: Card{Title: t.T("me.title")}}
	p.add(t.T("me.id"), strconv.FormatInt(t.user.ID, 10))
	p.add(t.T("me.since"), t.date(t.user.Joined))
	missing := false
	for _, part := range []func(context.Context, *profile) error{t.myChannels, t.myLevel, t.myPayee, t.myAutopay, t.myCode, t.myOrders, t.myMoney} {
		err := part(ctx, p)
		if absent(err) {
			t.trace(ctx, err)
			missing = true
		} else if err != nil {
			return Reply{}, err
		}
	}
	p.add(t.T("me.language"), t.T("me.language_is"))
	if missing {
		p.Notes = append(p.Notes, t.T("me.missing"))
	}
	r := Reply{Cards: []Card{p.Card}, Buttons: []Button{t.next("balance")}}
	switch {
	case !p.payee && !missing:
		r.Buttons = append(r.Buttons, t.next("payee"))
	case p.channels == 1 && t.bot.Linking != nil:
		r.Buttons = append(r.Buttons, t.next("link"))
	default:
		r.Buttons = append(r.Buttons, t.next("orders"))
	}
	return r, nil
}

// myChannels are those on which somebody talks with us, on each only once. Who they are
// there is theirs to know.
func (t *turn) myChannels(ctx context.Context, p *profile) error {
	ids, err := t.bot.Users.Identities(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Identities", err)
	}
	var names []string
	for _, i := range ids {
		if name := t.channel(i.Channel); !i.Program() && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	p.channels = len(names)
	p.add(t.T("link.channels"), strings.Join(names, t.T("format.and")))
	return nil
}

func (t *turn) myLevel(ctx context.Context, p *profile) error {
	level, until, err := t.bot.Users.Level(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Level", err)
	}
	p.add(t.T("link.level"), t.levelValue(level, until))
	return nil
}

func (t *turn) levelValue(level int, until time.Time) string {
	switch {
	case level == 0:
		return t.T("me.level_none")
	case until.IsZero():
		return t.T("me.level_is", "level", count(level))
	default:
		return t.T("me.level_until", "level", count(level), "until", t.date(until))
	}
}

func (t *turn) myPayee(ctx context.Context, p *profile) error {
	payee, err := t.bot.Users.Payee(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Payee", err)
	}
	p.payee = !payee.IsZero()
	value := t.T("me.payee_none")
	if p.payee {
		value = t.payeeWords(payee)
	}
	p.add(t.T("me.payee"), value)
	return nil
}

func (t *turn) myAutopay(ctx context.Context, p *profile) error {
	if t.bot.Autopays == nil {
		return nil
	}
	a, err := t.bot.Autopays.Autopay(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Autopay", err)
	}
	value := t.T("me.autopay_off")
	if a.On {
		value = t.T("me.autopay_on", "amount", a.Threshold.Yuan())
	}
	p.add(t.T("me.autopay"), value)
	return nil
}

func (t *turn) myCode(ctx context.Context, p *profile) error {
	if t.bot.Invites == nil {
		return nil
	}
	code, err := t.bot.Invites.Code(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Code", err)
	}
	p.add(t.T("me.code"), code)
	return nil
}

// myOrders counts orders as a shopper does: several lines may be one. More than are
// looked at are not counted.
func (t *turn) myOrders(ctx context.Context, p *profile) error {
	ls, err := t.bot.Orders.OfUser(ctx, t.user.ID, 0, ordersLook)
	if err != nil {
		return fault.In("bot.OfUser", err)
	}
	numbers := map[string]bool{}
	for _, l := range ls {
		numbers[l.Key.Network+"/"+l.Row().Order] = true
	}
	value := count(len(numbers))
	if len(ls) == ordersLook {
		value += "+"
	}
	p.add(t.T("link.orders"), value)
	return nil
}

// myMoney says what somebody has got of us so far: what was paid, what is there or on its
// way to them, less what has to be made up for.
func (t *turn) myMoney(ctx context.Context, p *profile) error {
	w, err := t.bot.Money.Wallet(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Wallet", err)
	}
	paid, err := t.bot.Money.Paid(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Paid", err)
	}
	p.add(t.T("me.earned"), max(paid+w.Available+w.Reserved-w.Debt, 0).Yuan())
	p.add(t.T("pocket.pending"), w.Pending.Yuan())
	return nil
}
