package bot

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
)

// A Membership is a level that is on sale.
type Membership struct {
	Level int
	Days  int
	Price money.Fen
}

// A Payable is what somebody has to pay, and how.
type Payable struct {
	Link  string // where it is paid, or where its code is shown
	Image string // the code, as a picture; "" for none
	Until time.Time
}

// Memberships sells levels.
type Memberships interface {
	// Offers are what is on sale; none where nothing is.
	Offers() []Membership
	// Level returns somebody's level and until when; a zero time for good.
	Level(ctx context.Context, user int64) (level int, until time.Time, err error)
	// Buy asks somebody to pay. The same key is the same charge.
	Buy(ctx context.Context, user int64, m Membership, key string) (Payable, error)
}

// level says which level somebody has and which are on sale, or asks for the money
// of the one that args names.
func (t *turn) level(ctx context.Context, args string) (Reply, error) {
	sold := t.bot.manner().Memberships
	if sold == nil {
		return t.say("level.off"), nil
	}
	offers := sold.Offers()
	if n, err := strconv.Atoi(strings.TrimSpace(args)); err == nil && n >= 1 && n <= len(offers) {
		return t.buy(ctx, sold, offers[n-1])
	}
	level, until, err := sold.Level(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Level", err)
	}
	r := Reply{Text: t.levelWords(level, until)}
	if len(offers) == 0 {
		r.Buttons = []Button{t.next("balance")}
		return r, nil
	}
	c := Card{Title: t.T("level.title"), Notes: []string{t.T("level.note")}}
	for i, m := range offers {
		c.Rows = append(c.Rows, Row{Label: t.T("level.offer", "n", count(i+1), "level", count(m.Level), "days", count(m.Days)), Value: m.Price.Yuan()})
		c.Buttons = append(c.Buttons, t.next("level", count(i+1)))
	}
	r.Cards = []Card{c}
	return r, nil
}

func (v voice) levelWords(level int, until time.Time) string {
	switch {
	case level == 0:
		return v.T("level.none")
	case until.IsZero():
		return v.T("level.forever", "level", count(level))
	default:
		return v.T("level.until", "level", count(level), "until", v.moment(until))
	}
}

// buy shows what has to be paid. Nothing changes before it is.
func (t *turn) buy(ctx context.Context, sold Memberships, m Membership) (Reply, error) {
	key := "membership/" + strconv.FormatInt(t.user.ID, 10) + "/" + t.m.From.Channel + "/" + t.m.ID
	if t.m.ID == "" {
		key += strconv.FormatInt(t.now.UnixNano(), 36)
	}
	p, err := sold.Buy(ctx, t.user.ID, m, key)
	if err != nil {
		if text, ok := t.refusal(err); ok {
			return Reply{Text: text, Buttons: []Button{t.next("level")}}, nil
		}
		return Reply{}, fault.In("bot.Buy", err)
	}
	c := Card{
		Title: t.T("level.pay", "level", count(m.Level), "days", count(m.Days)), Image: p.Image,
		Rows:    []Row{{Label: t.T("level.amount"), Value: m.Price.Yuan(), Strong: true}},
		Notes:   []string{t.T("level.pay_until", "until", t.moment(p.Until))},
		Buttons: []Button{{Label: t.T("button.pay"), URL: p.Link}},
	}
	return Reply{Cards: []Card{c}}, nil
}

// membershipNews tells that a membership has begun or ended.
func (v voice) membershipNews(c user.MembershipChanged) Reply {
	r := v.say("notice.membership.ended")
	if c.Days > 0 {
		r = v.say("notice.membership.began", "days", count(c.Days))
	}
	r.Text += v.levelWords(c.Level, c.Until)
	r.Buttons = []Button{v.next("level")}
	return r
}

// chargeNews tells what became of money that we could not keep.
func (v voice) chargeNews(c collect.Changed) Reply {
	r := v.say("notice.charge."+string(c.Stage), "paid", c.Paid.Yuan(), "amount", c.Amount.Yuan())
	if text := v.because(c.Reason); text != "" && c.Stage == collect.Refunding {
		r.Text += "\n" + text
	}
	r.Buttons = []Button{v.next("level")}
	return r
}
