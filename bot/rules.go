package bot

import (
	"context"
	"slices"
	"strings"

	"fanli/bot/locale"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/rebate"
)

// A topic is a part of the rules that is told for itself.
type topic string

const (
	topicMoney topic = "money" // withdrawing
	topicVoid  topic = "void"  // what brings nothing
	topicWhen  topic = "when"  // when the money comes
)

// topicOf finds the topic that a person asks for.
func topicOf(s string) (topic, bool) {
	switch fold(s) {
	case "提现", "手续费", "最低提现", "withdraw", "withdrawal", "withdrawals", "fee":
		return topicMoney, true
	case "没有返利", "无效", "不返", "失效", "排除", "exclusions", "void", "no rebate":
		return topicVoid, true
	case "到账", "结算", "时间", "多久", "when", "settlement", "dates":
		return topicWhen, true
	default:
		return "", false
	}
}

// networkNamed finds the network that a person means, by any of its names in any
// language.
func (b *Bot) networkNamed(s string) (string, bool) {
	for _, n := range b.networks() {
		for _, name := range append(namesOf(n), n) {
			if fold(name) == fold(s) {
				return n, true
			}
		}
	}
	return "", false
}

// namesOf are the names of a network in all languages: "淘宝/天猫" is two.
func namesOf(network string) (out []string) {
	for _, tag := range locale.Tags() {
		out = append(out, strings.Split(voiceOf(tag).network(network), "/")...)
	}
	return out
}

// rules says what the rules in force are for whoever asks: all of it in short, or one
// network or topic.
func (t *turn) rules(ctx context.Context, args string) (Reply, error) {
	switch which, ok := topicOf(args); {
	case ok && which == topicMoney:
		return t.moneyRules(), nil
	case ok && which == topicVoid:
		return t.voidRules(), nil
	}
	asked := t.bot.networks()
	one, ok := t.bot.networkNamed(args)
	if ok {
		asked = []string{one}
	}
	s, err := t.bot.Rebates.Standing(ctx, t.user.ID, asked)
	if err != nil {
		return Reply{}, fault.In("bot.Standing", err)
	}
	switch which, _ := topicOf(args); {
	case ok && len(s.Networks) == 1:
		return t.networkRules(s, s.Networks[0]), nil
	case which == topicWhen:
		return t.whenRules(s), nil
	default:
		return t.allRules(s), nil
	}
}

// allRules is the short form.
func (t *turn) allRules(s rebate.Standing) Reply {
	c := Card{Title: t.edition(s)}
	for _, r := range s.Networks {
		value := t.T("rules.share", "share", r.Share.String())
		if r.Varies {
			value += t.T("rules.some_differ")
		}
		c.Rows = append(c.Rows, Row{Label: t.network(r.Network), Value: value, Strong: true})
		c.Buttons = append(c.Buttons, t.next("rules", t.shortName(r.Network)))
	}
	c.Notes = append(t.shared(s), t.T("rules.quote"), t.T("rules.when", "word", commandWord(t.words.Tag(), "rules")+" "+t.T("rules.word_when")),
		t.T("rules.payout", "min", t.bot.manner().Limits.Minimum.Yuan()))
	return Reply{Cards: []Card{c}, Buttons: []Button{t.next("rules", t.T("rules.word_money")), t.next("rules", t.T("rules.word_void"))}}
}

// edition names the version.
func (t *turn) edition(s rebate.Standing) string {
	version := count(int(s.Version))
	if s.Since.IsZero() {
		return t.T("rules.title", "version", version)
	}
	return t.T("rules.title_since", "version", version, "date", t.date(s.Since))
}

// shared says how a share becomes a sum, with what bounds it.
func (t *turn) shared(s rebate.Standing) (notes []string) {
	if s.Fee > 0 {
		notes = append(notes, t.T("rules.fee", "fee", s.Fee.String()))
	}
	if s.Cap > 0 {
		notes = append(notes, t.T("rules.cap", "cap", s.Cap.Yuan()))
	}
	return notes
}

// shortName is the first name of a network, for buttons.
func (t *turn) shortName(network string) string {
	name, _, _ := strings.Cut(t.network(network), "/")
	return name
}

// ruleExample is the commission by which a share is made clear.
const ruleExample money.Fen = 10_00

// networkRules is all about one network.
func (t *turn) networkRules(s rebate.Standing, r rebate.Rate) Reply {
	c := Card{Title: t.T("rules.network", "network", t.network(r.Network), "edition", t.edition(s))}
	c.Rows = append(c.Rows, Row{Label: t.T("rules.yours"), Value: t.T("rules.share", "share", r.Share.String()), Strong: true})
	if slices.ContainsFunc(r.Levels, func(l rebate.LevelShare) bool { return l.Share != r.Share }) {
		for _, l := range r.Levels {
			c.Rows = append(c.Rows, Row{Label: t.levelName(l.Level), Value: t.T("rules.share", "share", l.Share.String())})
		}
	}
	base := ruleExample - ruleExample.Share(s.Fee)
	c.Notes = append(t.shared(s), t.T("rules.example", "commission", ruleExample.Yuan(), "rebate", base.Share(r.Share).Yuan()))
	if r.Varies {
		c.Notes = append(c.Notes, t.T("rules.varies"))
	}
	c.Notes = append(c.Notes, t.settles(r.Network), t.held(r))
	void := Card{Title: t.T("rules.void_head"), Notes: append(t.voids("any"), t.voids(r.Network)...)}
	return Reply{Cards: []Card{c, void}, Buttons: []Button{t.next("rules", t.T("rules.word_money")), t.next("rules")}}
}

func (t *turn) levelName(level int) string {
	if level == 0 {
		return t.T("rules.level_none")
	}
	return t.T("rules.level", "level", count(level))
}

// settles says when a network settles.
func (t *turn) settles(network string) string {
	if !t.words.Has("rules.settles." + network) {
		network = "other"
	}
	return t.T("rules.settles." + network)
}

func (t *turn) held(r rebate.Rate) string {
	if r.HoldDays == 0 {
		return t.T("rules.held_none")
	}
	return t.T("rules.held", "days", count(r.HoldDays))
}

// voids are what brings nothing at a network, line by line.
func (t *turn) voids(network string) []string {
	if !t.words.Has("rules.void." + network) {
		return nil
	}
	return strings.Split(t.T("rules.void."+network), "\n")
}

// voidRules is what brings nothing, everywhere and at each network.
func (t *turn) voidRules() Reply {
	r := Reply{Cards: []Card{{Title: t.T("rules.void_head"), Notes: t.voids("any")}}}
	for _, n := range t.bot.networks() {
		if v := t.voids(n); len(v) > 0 {
			r.Cards = append(r.Cards, Card{Title: t.network(n), Notes: v})
		}
	}
	r.Buttons = []Button{t.next("rules"), t.next("why")}
	return r
}

// whenRules is when the money comes, network by network.
func (t *turn) whenRules(s rebate.Standing) Reply {
	r := Reply{Text: t.T("rules.when_head")}
	for _, n := range s.Networks {
		r.Cards = append(r.Cards, Card{Title: t.network(n.Network), Notes: []string{t.settles(n.Network), t.held(n)}})
	}
	r.Buttons = []Button{t.next("rules", t.T("rules.word_money")), t.next("orders")}
	return r
}

// moneyRules is what withdrawing is bound to.
func (t *turn) moneyRules() Reply {
	l := t.bot.manner().Limits
	c := Card{Title: t.T("rules.money_title"), Rows: []Row{
		{Label: t.T("rules.least"), Value: l.Minimum.Yuan(), Strong: true},
		{Label: t.T("rules.most"), Value: l.Maximum.Yuan()},
		{Label: t.T("rules.charge"), Value: t.T("rules.charge_none")},
		{Label: t.T("withdraw.arrives"), Value: t.arrival(l.Auto == 0)},
	}}
	if l.UserCount > 0 {
		c.Rows = append(c.Rows, Row{Label: t.T("rules.a_day"), Value: t.T("rules.times", "n", count(l.UserCount))})
	}
	if l.UserDay > 0 {
		c.Rows = append(c.Rows, Row{Label: t.T("rules.a_day_most"), Value: l.UserDay.Yuan()})
	}
	if l.Auto > 0 && l.Auto < l.Maximum {
		c.Notes = append(c.Notes, t.T("rules.looked_at", "amount", l.Auto.Yuan()))
	}
	if l.Cooling > 0 {
		c.Notes = append(c.Notes, t.T("payee.cooling", "span", t.span(l.Cooling)))
	}
	c.Notes = append(c.Notes, t.T("rules.taken_back"))
	return Reply{Cards: []Card{c}, Buttons: []Button{t.next("withdraw"), t.next("rules")}}
}
