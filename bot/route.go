package bot

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"fanli/bot/locale"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/ladder"
	"fanli/core/link"
)

func voiceOf(tag string) voice { return voice{words: locale.For(tag)} }

// route decides what a message is. The order matters and is a promise: an answer
// that we wait for, a link, a command, an order number, a digit of a list, words
// to search for. A text that is none of them is answered with the short help. A slip in a
// command is asked about, before the search only if it is surely one.
func (t *turn) route(ctx context.Context) (Reply, error) {
	s := tidy(t.text)
	refs := link.Recognise(t.text)
	goods, numbers := apart(refs)
	c, args, isCommand := match(s)
	if t.m.Group {
		isCommand = isCommand && c.main(t.text, s)
	}
	if !isCommand && (len(goods) == 0 || t.compares()) {
		if r, ok, err := t.reply(ctx, s); ok {
			return r, err
		}
	}
	switch {
	case isCommand && c.name == "compare" && len(goods) <= 1: // several links are answered one by one
		return t.command(ctx, c, args)
	case len(goods) > 0:
		t.state.Ask = nil
		if r, stop, err := t.stopped(ctx, scopesOfRefs(goods)...); stop || err != nil {
			return r, err
		}
		return t.paste(ctx, goods, len(refs))
	case isCommand:
		return t.command(ctx, c, args)
	case t.m.Group:
		return t.digit(ctx, s)
	case len(numbers) > 0:
		return t.number(ctx, numbers)
	case isDigit(s):
		return t.digit(ctx, s)
	case foreign(s):
		return t.shops(), nil
	}
	return t.plainly(ctx, s)
}

// plainly answers a text that is nothing we know at sight. What can be goods is
// searched for, unless it is surely a slip; what may be one is asked about if there is
// nothing else to say.
func (t *turn) plainly(ctx context.Context, s string) (Reply, error) {
	if r, ok := t.suggest(s, sure); ok {
		return r, nil
	}
	if t.bot.manner().SearchText && searchable(t.text, s) {
		r, err := t.find(ctx, s, 1)
		if also, ok := t.suggest(s, perhaps); ok && err == nil && r.Nothing {
			r.Text += "\n" + also.Text
			r.Buttons = append(also.Buttons, t.next("help"))
		}
		return r, err
	}
	if r, ok := t.suggest(s, perhaps); ok {
		return r, nil
	}
	return t.unknown(), nil
}

// apart takes apart what a message points at: what can be looked up, and bare
// numbers, of which one cannot be sure.
func apart(refs []link.Ref) (goods, numbers []link.Ref) {
	for _, r := range refs {
		if r.Bare() {
			numbers = append(numbers, r)
		} else {
			goods = append(goods, r)
		}
	}
	return goods, numbers
}

// concerned reports whether a message in a group is for us at all.
func (t *turn) concerned() bool {
	s := tidy(t.m.Text)
	goods, _ := apart(link.Recognise(t.m.Text))
	for _, r := range goods {
		if r.Kind != link.Other {
			return true
		}
	}
	c, _, ok := match(s)
	return ok && c.main(t.m.Text, s) || isDigit(s) || t.forStaff(s)
}

// command runs a command, where it may be run.
func (t *turn) command(ctx context.Context, c command, args string) (Reply, error) {
	if t.m.Group && !c.group {
		return t.private(c, args), nil
	}
	if c.name != "cancel" && c.name != "last" {
		t.state.Ask = nil
	}
	t.doing = c.name
	if c.name == "withdraw" && t.degraded(ladder.Payouts, "payment") {
		return t.away(ctx, fault.New(fault.Unavailable, fault.Down)), nil
	}
	if r, wait, err := t.merging(ctx, c); wait || err != nil {
		return r, err
	}
	if scopes := scopesOf(c.name); scopes != nil {
		if r, stop, err := t.stopped(ctx, scopes...); stop || err != nil {
			return r, err
		}
	}
	return c.run(t, ctx, args)
}

// reply takes the answer that we wait for. ok is false if s is none.
func (t *turn) reply(ctx context.Context, s string) (r Reply, ok bool, err error) {
	if c := t.state.Confirm; c != nil && !t.m.Group && s == c.Code {
		t.doing = "confirm"
		if r, stop, err := t.stopped(ctx, control.ReadOnly); stop || err != nil {
			return r, true, err
		}
		r, err = t.confirm(ctx, s)
		return r, true, err
	}
	a := t.state.Ask
	if a == nil || a.Chat != t.chat() || t.m.Group {
		return Reply{}, false, nil
	}
	if t.now.After(a.Until) {
		t.state.Ask = nil
		if t.now.After(a.Until.Add(askGrace)) {
			return Reply{}, false, nil
		}
		r := t.say("ask.late")
		r.Buttons = []Button{t.next(a.Step.command())}
		return r, true, nil
	}
	t.doing = a.Step.command()
	if r, stop, err := t.stopped(ctx, scopesOf(a.Step.command())...); stop || err != nil {
		return r, true, err
	}
	switch a.Step {
	case askAccount:
		r, err = t.takeAccount(s)
	case askName:
		r, err = t.takeName(ctx, s)
	case askNumber:
		r, err = t.takeNumber(ctx, s)
	case askPaid:
		r, err = t.takePaid(ctx, s)
	case askDay:
		r, err = t.takeDay(ctx, s)
	case askWords:
		t.state.Ask = nil
		r, err = t.find(ctx, s, 1)
	case askCompare:
		t.state.Ask = nil
		r, err = t.compare(ctx, s)
	default: // of another version
		t.state.Ask = nil
		return Reply{}, false, nil
	}
	return r, true, err
}

// command is what starts the dialogue of a step again.
func (s step) command() string {
	switch s {
	case askNumber, askPaid, askDay:
		return "claim"
	case askWords:
		return "search"
	case askCompare:
		return "compare"
	default:
		return "payee"
	}
}

// wait makes the next message the answer to a question.
func (t *turn) wait(a ask) {
	a.Chat, a.Until = t.chat(), t.now.Add(askTTL)
	t.state.Ask, t.asks = &a, true
}

// wrong asks once more after a wrong answer, or ends the dialogue.
func (t *turn) wrong(text string) Reply {
	a := t.state.Ask
	if a.Tries++; a.Tries >= askTriesMax {
		t.state.Ask = nil
		return Reply{Text: text + "\n" + t.T("ask.enough"), Buttons: []Button{t.next(a.Step.command())}}
	}
	a.Until = t.now.Add(askTTL)
	return Reply{Text: text, Buttons: []Button{t.next("cancel")}}
}

func isDigit(s string) bool { return len(s) == 1 && s[0] >= '1' && s[0] <= '9' }

// foreign reports whether a text has a link of nobody we know.
func foreign(s string) bool {
	low := strings.ToLower(s)
	return strings.Contains(low, "http://") || strings.Contains(low, "https://")
}

// searchable reports whether a bare text can be the name of goods. A slash
// command that we do not have is none, nor are a number and a mail address:
// whoever sends those had something else in mind, and networks need not know.
func searchable(text, s string) bool {
	return utf8.RuneCountInString(s) >= wordsRunesMin && strings.ContainsFunc(s, unicode.IsLetter) &&
		!strings.Contains(s, "@") && !strings.HasPrefix(strings.TrimSpace(text), "/")
}

// wordsRunesMin is the least that is searched for.
const wordsRunesMin = 2
