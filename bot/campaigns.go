package bot

import (
	"context"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/rebate"
)

// A Daily is what a check-in brings, and which budget pays it.
type Daily struct {
	Amount money.Fen // 0: there are none
	Budget string
}

// campaigns says what is given at the moment, on which terms, until when, and whether
// there is something left of it; and which sales there are, or leads to the one that args
// counts.
func (t *turn) campaigns(ctx context.Context, args string) (Reply, error) {
	venues := t.activities(Venue)
	if r, ok, err := t.lead(ctx, "campaigns", venues, args); ok || err != nil {
		return r, err
	}
	lines, err := t.given(ctx)
	if err != nil {
		return Reply{}, err
	}
	s, err := t.bot.Rebates.Standing(ctx, t.user.ID, nil)
	if err != nil {
		return Reply{}, fault.In("bot.Standing", err)
	}
	for _, c := range s.Campaigns {
		lines = append(lines, t.campaign(c))
	}
	r := t.say("campaigns.none")
	if len(lines) > 0 {
		r.Text = strings.Join(append([]string{t.T("campaigns.head")}, lines...), "\n")
	}
	if len(venues) > 0 {
		r.Cards = []Card{t.pages("campaigns", t.T("campaigns.venues"), venues)}
	}
	if t.bot.manner().CheckIn.Amount > 0 {
		r.Buttons = append(r.Buttons, t.next("checkin"))
	}
	r.Buttons = append(r.Buttons, t.next("invite"))
	return r, nil
}

// given is what is given for coming: a check-in, and bringing friends.
func (t *turn) given(ctx context.Context) (lines []string, err error) {
	if t.bot.Gifts == nil {
		return nil, nil
	}
	if d := t.bot.manner().CheckIn; d.Amount > 0 {
		dry, err := t.bot.Gifts.Dry(ctx, d.Budget)
		if err != nil {
			return nil, fault.In("bot.Dry", err)
		}
		lines = append(lines, t.T("campaigns.checkin", "amount", d.Amount.Yuan())+t.left(d.Budget, dry))
	}
	i, err := t.bot.Gifts.Promised(ctx)
	if err != nil {
		return nil, fault.In("bot.Promised", err)
	}
	if i.Inviter > 0 {
		lines = append(lines, t.T("campaigns.inviter", "amount", i.Inviter.Yuan())+t.left(i.Budget, false))
	}
	if i.Invited > 0 {
		lines = append(lines, t.T("campaigns.invited", "amount", i.Invited.Yuan())+t.left(i.Budget, false))
	}
	return lines, nil
}

// left says whether there is something left of a budget; nothing where none pays.
func (t *turn) left(budget string, dry bool) string {
	switch {
	case budget == "":
		return ""
	case dry:
		return t.T("campaigns.dry")
	default:
		return t.T("campaigns.left")
	}
}

// campaign is one line.
func (t *turn) campaign(c rebate.Campaign) string {
	terms := []string{t.gives(c)}
	if len(c.Networks) > 0 {
		var names []string
		for _, n := range c.Networks {
			names = append(names, t.network(n))
		}
		terms = append(terms, t.T("campaigns.networks", "networks", strings.Join(names, t.T("format.and"))))
	}
	if c.Some {
		terms = append(terms, t.T("campaigns.some"))
	}
	if c.Cap > 0 {
		terms = append(terms, t.T("campaigns.cap", "amount", c.Cap.Yuan()))
	}
	if c.UserCap > 0 {
		terms = append(terms, t.T("campaigns.user_cap", "amount", c.UserCap.Yuan()))
	}
	terms = append(terms, t.T("campaigns.until", "until", t.lastDay(c.Until)))
	return t.T("campaigns.line", "name", clean(c.Name, listTitleRunesMax), "terms", strings.Join(terms, t.T("campaigns.and"))) + t.left(c.Budget, c.Dry)
}

// gives says what a campaign gives.
func (t *turn) gives(c rebate.Campaign) string {
	g := c.Give
	switch {
	case g.Rebate != 0:
		return t.T("campaigns.of_rebate", "share", g.Rebate.String())
	case g.Price != 0:
		return t.T("campaigns.of_price", "share", g.Price.String())
	case g.Fixed != 0 && c.Mode == rebate.Bonus:
		return t.T("campaigns.bonus", "amount", g.Fixed.Yuan())
	case g.Fixed != 0:
		return t.T("campaigns.fixed", "amount", g.Fixed.Yuan())
	case len(g.Tiers) > 0:
		return t.T("campaigns.tiers", "share", g.Tiers[len(g.Tiers)-1].Share.String())
	case c.Mode == rebate.Base:
		return t.T("campaigns.base", "share", g.Commission.String())
	default:
		return t.T("campaigns.more", "share", g.Commission.String())
	}
}

// lastDay writes when something ends that does so with until: the last day, if that is
// the end of one.
func (t *turn) lastDay(until time.Time) string {
	local := until.In(t.zone)
	if y, m, d := local.Date(); local.Equal(time.Date(y, m, d, 0, 0, 0, 0, t.zone)) {
		return t.date(until.Add(-time.Second))
	}
	return t.moment(until)
}
