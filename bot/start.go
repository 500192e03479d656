package bot

import (
	"context"
	"slices"
	"strings"

	"fanli/bot/locale"
)

// start greets. A payload is the code of who brought this person (/start CODE, or
// r_CODE as links have it), or what was asked for in a group (/start p_orders).
func (t *turn) start(ctx context.Context, payload string) (Reply, error) {
	if r, ok, err := t.reopen(ctx, payload); ok {
		return r, err
	}
	r := Reply{Text: t.T("start.text")}
	if payload != "" {
		text, err := t.bind(ctx, payload)
		if err != nil {
			return Reply{}, err
		}
		r.Text = strings.TrimSpace(r.Text + "\n" + text)
	}
	if t.bot.ShopURL != "" {
		r.Text += "\n" + t.T("start.sandbox", "url", t.bot.ShopURL)
	}
	r.Buttons, r.Keys = []Button{t.next("guide"), t.next("help")}, t.keys()
	return r, nil
}

// welcome puts a line of greeting before the first answer to a person.
func (t *turn) welcome(r Reply) Reply {
	hello := t.T("start.hello")
	if strings.HasPrefix(r.Text, hello) {
		return r
	}
	r.Text = strings.TrimSpace(hello + "\n\n" + r.Text)
	return r
}

// guide explains in four steps.
func (t *turn) guide(context.Context, string) (Reply, error) {
	r := Reply{Text: t.T("guide.text")}
	if t.bot.ShopURL != "" {
		r.Text += "\n" + t.T("start.sandbox", "url", t.bot.ShopURL)
	}
	r.Buttons = []Button{t.next("help")}
	return r, nil
}

// help lists the commands, or explains the one that args names.
func (t *turn) help(_ context.Context, args string) (Reply, error) {
	if c, ok := exact(args); ok && c.section != "" && (c.group || !t.m.Group) {
		return t.say("help.one", "word", c.in(t.words.Tag())[0], "help", t.T("help."+c.name),
			"words", strings.Join(c.in(t.words.Tag()), " · ")), nil
	}
	var b strings.Builder
	b.WriteString(t.T("help.head"))
	var at section
	for _, c := range people() {
		if c.section == "" || t.m.Group && !c.group || t.off(c.name) {
			continue
		}
		if c.section != at {
			at = c.section
			b.WriteString("\n\n" + t.T("section."+string(at)))
		}
		b.WriteString("\n" + t.T("help.line", "word", c.in(t.words.Tag())[0], "help", t.T("help."+c.name)))
	}
	r := Reply{Text: b.String()}
	if t.m.Group {
		r.Text += "\n\n" + t.T("group.rest")
	} else {
		r.Buttons, r.Keys = []Button{t.next("guide")}, t.keys()
	}
	return r, nil
}

// off reports whether a command is switched off: it says so, and help leaves it out.
func (t *turn) off(name string) bool {
	m := t.bot.manner()
	return slices.Contains(m.Off, name) || name == "level" && m.Memberships == nil || name == "bindtaobao" && t.bot.MemberURL == nil
}

// unknown is the answer to a text that is nothing.
func (t *turn) unknown() Reply {
	r := t.say("message.unknown")
	r.Nothing = true
	r.Buttons = []Button{t.next("guide"), t.next("help")}
	return r
}

// suggest asks whether s is a command with a slip in it.
func (t *turn) suggest(s string, g guess) (Reply, bool) {
	name, args, ok := g(s)
	if !ok {
		return Reply{}, false
	}
	b := t.next(name)
	if args != "" {
		b = t.next(name, args)
	}
	return Reply{Text: t.T("message.suggest", "word", b.Action), Buttons: []Button{b}}, true
}

// language changes the language, or asks which.
func (t *turn) language(ctx context.Context, args string) (Reply, error) {
	tag, ok := tagOf(args)
	if !ok {
		return Reply{Text: t.T("language.which"), Buttons: []Button{
			{Label: "中文", Action: "语言 中文"},
			{Label: "English", Action: "language English"},
		}}, nil
	}
	if err := t.bot.Users.SetLocale(ctx, t.user.ID, tag); err != nil {
		return Reply{}, err
	}
	t.voice = t.bot.voice(tag)
	r := t.say("language.set")
	r.Buttons = []Button{t.next("help")}
	return r, nil
}

func tagOf(s string) (tag string, ok bool) {
	switch fold(s) {
	case "zh", "cn", "中文", "汉语", "简体中文", "chinese":
		return locale.Chinese, true
	case "en", "英文", "英语", "english":
		return locale.English, true
	default:
		return "", false
	}
}

// cancel ends whatever waits for an answer.
func (t *turn) cancel(context.Context, string) (Reply, error) {
	open := t.state.Confirm
	waiting := t.state.Ask != nil && !t.now.After(t.state.Ask.Until) || open != nil && !open.Done && !t.now.After(open.Until)
	t.state.Ask, t.state.Confirm = nil, nil
	if !waiting {
		r := t.say("cancel.nothing")
		r.Spent = true
		r.Buttons = []Button{t.next("help")}
		return r, nil
	}
	r := t.say("cancel.done")
	r.Spent = true
	return r, nil
}
