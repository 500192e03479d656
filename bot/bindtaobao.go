package bot

import (
	"context"

	"fanli/core/fault"
)

// bindTaobao tells which Taobao accounts are bound, and gives an address at which one
// can be.
func (t *turn) bindTaobao(ctx context.Context, _ string) (Reply, error) {
	if t.off("bindtaobao") {
		return t.say("bindtaobao.off"), nil
	}
	bound, err := t.bot.Orders.Members(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Members", err)
	}
	url, until := t.bot.MemberURL(t.user.ID)
	r := t.say("bindtaobao.ask", "until", t.moment(until))
	label := t.T("button.bindtaobao")
	if len(bound) > 0 {
		r = t.say("bindtaobao.bound", "n", count(len(bound)), "until", t.moment(until))
		label = t.T("button.bindtaobao_more")
		c := Card{Title: t.T("bindtaobao.title")}
		for _, m := range bound {
			c.Rows = append(c.Rows, Row{Label: t.T("bindtaobao.member", "member", m.Masked()), Value: t.date(m.At)})
		}
		r.Cards = []Card{c}
	}
	r.Buttons = []Button{{Label: label, URL: url}, t.next("orders")}
	return r, nil
}
