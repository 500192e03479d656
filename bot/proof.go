package bot

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// claimsShown bounds the list of a person's claims.
const claimsShown = 9

// paidMax bounds what somebody pays for one order: what is above it is a number
// of an order.
const paidMax money.Fen = 100_000_000

// takePaid is the answer to the question what was paid for an order. Whatever it
// is, the next question is the same. Another order number starts another claim.
func (t *turn) takePaid(ctx context.Context, s string) (Reply, error) {
	s = strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "¥￥元块"))
	paid, err := money.ParseYuan(s, money.Exact)
	if err != nil || paid <= 0 || paid > paidMax {
		if _, numbers := apart(link.Recognise(t.text)); len(numbers) > 0 {
			t.state.Ask = nil
			return t.number(ctx, numbers)
		}
		return t.wrong(t.T("claim.bad_paid")), nil
	}
	t.wait(ask{Step: askDay, Claim: t.state.Ask.Claim, Amount: &paid})
	return Reply{Text: t.T("claim.ask_day"), Buttons: []Button{t.next("cancel")}}, nil
}

// takeDay is the answer to the question when an order was placed, and hands both
// facts in.
func (t *turn) takeDay(ctx context.Context, s string) (Reply, error) {
	a := *t.state.Ask
	day, ok := dayIn(s, t.now.In(beijing))
	if !ok || a.Amount == nil {
		return t.wrong(t.T("claim.bad_day")), nil
	}
	t.state.Ask = nil
	c, err := t.bot.Orders.Prove(ctx, t.user.ID, a.Claim, order.Proof{Paid: *a.Amount, Day: day})
	if err != nil {
		return Reply{}, fault.In("bot.Prove", err)
	}
	if !c.State.Open() {
		return t.claimStands(c), nil
	}
	r := t.say("claim.noted", "number", cutNumber(c.Order), "until", t.date(c.Until))
	r.Buttons = []Button{t.next("claims"), t.next("orders")}
	return r, nil
}

// dayForm reads "2026-03-01", "2026/3/1", "3月1日", "3-1" and "3.1号".
var dayForm = regexp.MustCompile(`^(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})[日号]?$`)

// dayIn reads a day that is not after now. One without a year is the latest such.
func dayIn(s string, now time.Time) (string, bool) {
	switch s = fold(strings.TrimSpace(s)); s {
	case "今天", "today":
		return now.Format(time.DateOnly), true
	case "昨天", "yesterday":
		return now.AddDate(0, 0, -1).Format(time.DateOnly), true
	case "前天":
		return now.AddDate(0, 0, -2).Format(time.DateOnly), true
	}
	m := dayForm.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	year, month, day := digitsOf(m[1]), digitsOf(m[2]), digitsOf(m[3])
	if m[1] == "" {
		year = now.Year()
	}
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, now.Location())
	if int(d.Month()) != month || d.Day() != day {
		return "", false
	}
	if m[1] == "" && d.After(now) {
		d = time.Date(year-1, time.Month(month), day, 0, 0, 0, 0, now.Location())
	}
	return d.Format(time.DateOnly), !d.After(now)
}

// digitsOf reads digits that a pattern has found.
func digitsOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// claimStands says how a claim stands that is not simply waiting.
func (t *turn) claimStands(c order.Claim) Reply {
	r := Reply{Text: t.claimLine(c), Buttons: []Button{t.next("orders")}}
	if c.Appealable() {
		r.Buttons = []Button{t.next("appeal", c.Order), t.next("orders")}
	}
	return r
}

// claimLine is one claim in words.
func (t *turn) claimLine(c order.Claim) string {
	s := t.T("claim.state."+string(c.State), "number", cutNumber(c.Order), "network", t.network(c.Network), "until", t.date(c.Until))
	if text := t.because(c.Note); text != "" && c.State == order.ClaimRefused {
		s += " " + text
	}
	return s
}

// claims lists a person's claims.
func (t *turn) claims(ctx context.Context, _ string) (Reply, error) {
	cs, err := t.bot.Orders.Claims(ctx, t.user.ID, 0, claimsShown)
	if err != nil {
		return Reply{}, fault.In("bot.Claims", err)
	}
	if len(cs) == 0 {
		r := t.say("claims.none")
		r.Buttons = []Button{t.next("claim"), t.next("orders")}
		return r, nil
	}
	lines := []string{t.T("claims.head")}
	for _, c := range cs {
		lines = append(lines, "· "+t.claimLine(c))
	}
	return Reply{Text: strings.Join(lines, "\n"), Buttons: []Button{t.next("claim"), t.next("orders")}}, nil
}

// appeal asks for a person to look at a claim again: the number, and why.
func (t *turn) appeal(ctx context.Context, args string) (Reply, error) {
	number, words, _ := strings.Cut(strings.TrimSpace(args), " ")
	if number == "" {
		r := t.say("appeal.how")
		r.Buttons = []Button{t.next("claims")}
		return r, nil
	}
	c, err := t.bot.Orders.Appeal(ctx, t.user.ID, number, words)
	if err != nil {
		return Reply{}, err
	}
	r := t.say("appeal.taken", "number", cutNumber(c.Order), "until", t.date(c.Until))
	r.Buttons = []Button{t.next("claims")}
	return r, nil
}
