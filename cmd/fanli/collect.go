package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/wechatpay"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/collect"
	"fanli/core/money"
	"fanli/core/user"
)

// chargePath is below which collectors call back: /pay/charge/alipay.
const chargePath = "/pay/charge/"

// collectors makes who takes money for us: none where nobody is asked for any.
func collectors(cfg configs.Config, s surroundings) ([]collect.Collector, error) {
	switch cfg.Collect.Collector {
	case "":
		return nil, nil
	case alipay.Name:
		c, err := alipay.New(cfg.Alipay, s.client(alipay.Name), s.now)
		if err != nil {
			return nil, err
		}
		return []collect.Collector{c.Collector()}, nil
	case wechatpay.Name:
		c, err := wechatpay.New(cfg.Wechatpay, s.client(wechatpay.Name), s.now)
		if err != nil {
			return nil, err
		}
		return []collect.Collector{c.Collector()}, nil
	default:
		return nil, fmt.Errorf("collect.collector: there is none called %q", cfg.Collect.Collector)
	}
}

// wireCollections puts the desk that asks for money over its store.
func (a *app) wireCollections(s surroundings) error {
	cs, err := collectors(a.cfg, s)
	if err != nil {
		return err
	}
	a.dues = &collect.Desk{
		Store: a.db.Charges(), Collectors: cs, Prefix: a.cfg.Withdraw.Prefix, Lasts: a.cfg.Collect.Lasts, Now: a.now, Alarm: a.chargeAlarm,
	}
	a.ask.charges = a.dues
	return nil
}

// chargeAlarm says loudly what staff has to know of a charge.
func (a *app) chargeAlarm(ctx context.Context, c collect.Concern, d collect.Due) {
	try := map[collect.Concern]string{
		collect.WrongAmount: "see what it is, then `fanli collections refund`",
		collect.Late:        "nothing: it is given back by itself",
		collect.Stuck:       "look at the collector's console; it is tried again all the same",
	}[c]
	a.log.ErrorContext(ctx, "a charge needs a person", "concern", string(c), "charge", d.ID, "number", d.Number, "collector", d.Collector,
		"amount", d.Amount.String(), "paid", d.Paid.String(), "try", try)
}

// members sells levels, for the bot.
type members struct{ a *app }

// Offers implements bot.Memberships.
func (m members) Offers() []bot.Membership {
	sold := m.a.conf().Collect.Memberships
	out := make([]bot.Membership, len(sold))
	for i, o := range sold {
		out[i] = bot.Membership{Level: o.Level, Days: o.Days, Price: money.Fen(o.Price)}
	}
	return out
}

// Level implements bot.Memberships.
func (m members) Level(ctx context.Context, id int64) (int, time.Time, error) {
	return m.a.ask.users.Level(ctx, id)
}

// Buy implements bot.Memberships.
func (m members) Buy(ctx context.Context, id int64, o bot.Membership, key string) (bot.Payable, error) {
	d, err := m.a.ask.charges.Ask(ctx, collect.Request{
		Key: key, Purpose: collect.Membership, User: id, What: user.What(o.Level, o.Days), Amount: o.Price,
		Subject: fmt.Sprintf("会员 %d 级 %d 天", o.Level, o.Days),
	})
	if err != nil {
		return bot.Payable{}, err
	}
	return m.a.payable(d), nil
}

// payable says where a charge is paid: at its code, if that is an address, and
// otherwise on our page that shows it.
func (a *app) payable(d collect.Due) bot.Payable {
	p := bot.Payable{Link: d.Code, Until: d.Expires}
	if a.codes == nil {
		return p
	}
	if !strings.HasPrefix(d.Code, "https://") && !strings.HasPrefix(d.Code, "http://") {
		p.Link = a.codes.link(d.ID)
	}
	if strings.HasPrefix(a.codes.base, "https://") { // what channels show
		p.Image = a.codes.picture(d.ID)
	}
	return p
}

// The jobs that ask about payouts and about charges.
const (
	payoutsJob = "payment/payouts"
	chargesJob = "payment/charges"
)
