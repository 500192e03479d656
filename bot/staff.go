package bot

import (
	"context"
	"slices"
	"strings"

	"fanli/core/desk"
	"fanli/core/fault"
)

// A Staff is where members of staff speak: in their group, and nowhere else. There and
// for them the words of the table's staff sections are commands; for everybody else,
// and everywhere else, they are words like any other.
type Staff struct {
	// Group reports whether a message was written in the staff group.
	Group func(m Message) bool
	Front *desk.Front
}

// StaffCommands returns the commands of staff, in the order of the help, in one
// language: what a channel lists for the administrators of the staff group.
func StaffCommands(tag string) []Command { return listed(crew(), tag) }

// StaffRights returns, for each command of staff, which roles may use it, and whether
// it asks for a code.
func StaffRights(name string) (roles []desk.Role, code bool) {
	spec, ok := desk.SpecOf(name)
	for _, r := range desk.Roles() {
		if !ok || r.May(spec.Right) { // what has no right of its own is decided by what it is about
			roles = append(roles, r)
		}
	}
	return roles, spec.Changes
}

// forStaff reports whether a message in the staff group may be for us: only the table
// is asked, not who speaks.
func (t *turn) forStaff(s string) bool {
	if t.bot.Staff == nil || !t.m.Group || !t.bot.Staff.Group(t.m) {
		return false
	}
	_, _, ok := matchIn(crew(), s)
	if c, _, is := match(s); is && slices.Contains([]string{"confirm", "cancel", "help"}, c.name) {
		return true
	}
	return ok || isCode(s)
}

// serve answers a member of staff. served is false for a message that is none of their
// words, and for everybody else.
func (t *turn) serve(ctx context.Context) (r Reply, served bool, err error) {
	s := tidy(t.text)
	if !t.forStaff(s) {
		return Reply{}, false, nil
	}
	m, err := t.bot.Staff.Front.Who(ctx, t.m.From)
	if fault.Is(err, fault.NotFound) {
		return Reply{}, false, nil
	}
	if err != nil {
		return Reply{}, true, fault.In("bot.Staff", err)
	}
	t.member = &m
	t.again = true // what staff are told is nothing to repeat on a word
	if isCode(s) {
		r, err = t.code(ctx, s)
		return r, true, err
	}
	if c, args, ok := match(s); ok {
		switch c.name {
		case "confirm":
			r, err = t.code(ctx, args)
			return r, true, err
		case "help":
			return t.staffHelp(args), true, nil
		case "cancel":
			return t.giveUp(ctx)
		}
	}
	c, args, ok := matchIn(crew(), s)
	if !ok {
		return Reply{}, false, nil
	}
	t.doing = c.name
	r, err = c.run(t, ctx, args)
	return r, true, err
}

// isCode reports whether s is four digits.
func isCode(s string) bool {
	return len(s) == 4 && strings.Trim(s, "0123456789") == ""
}

// place is where codes count.
func (t *turn) place() string { return t.chat() }

// act asks for the act that has the command's name.
func (t *turn) act(ctx context.Context, args string) (Reply, error) {
	if t.member == nil { // no way leads here
		return t.unknown(), nil
	}
	if t.doing == "reject" && len(strings.Fields(args)) == 1 {
		return t.whyReject(args)
	}
	key := t.m.From.Channel + "/" + t.m.ID
	if t.m.ID == "" {
		key = t.bot.traceID(ctx) + "/" + t.bot.traceID(ctx)
	}
	a, p, err := t.bot.Staff.Front.Ask(ctx, *t.member, t.place(), key, t.doing, args)
	switch reason := fault.ReasonOf(err); {
	case reason == "desk.usage" || reason == "desk.reason":
		text, _ := t.sentence(reason)
		return Reply{Text: text + "\n" + t.T("help."+t.doing)}, nil
	case err != nil:
		if reason == "desk.denied" {
			t.bot.Log.WarnContext(ctx, "a member of staff has tried what their role may not do", "staff", t.member.ID, "role", string(t.member.Role), "act", t.doing)
		}
		return Reply{}, err
	case p == nil:
		return t.answered(a), nil
	case a.Same:
		r := t.answered(a)
		r.Text = t.T("desk.same")
		return r, nil
	default:
		return t.proposed(*p, t.doing), nil
	}
}

// proposed shows what will happen and asks for its code.
func (t *turn) proposed(p desk.Pending, name string) Reply {
	r := t.answered(p.Preview)
	r.Text = t.T("desk.will", "name", clean(t.member.Name, listTitleRunesMax), "act", commandWord(t.words.Tag(), name))
	if p.Act.Reason != "" && len(r.Cards) > 0 && name != "reject" {
		r.Cards[0].Notes = append(r.Cards[0].Notes, t.T("desk.because", "reason", clean(p.Act.Reason, valueRunesMax)))
	}
	foot := t.T("desk.code", "code", p.Code)
	if p.Four && p.First == 0 || p.Preview.Second {
		foot = t.T("desk.four") + "\n" + foot
	}
	r.Cards = append(r.Cards, Card{Title: foot})
	r.Buttons = []Button{t.next("confirm", p.Code), t.next("cancel")}
	return r
}

// whyReject asks for the reason that the user reads.
func (t *turn) whyReject(args string) (Reply, error) {
	if _, _, err := desk.Parse(*t.member, "reject", args+" ?"); err != nil {
		return Reply{}, err
	}
	c := Card{Title: t.T("desk.why_reject")}
	for _, reason := range desk.Refusals() {
		text, _ := t.reason(reason)
		c.Buttons = append(c.Buttons, Button{
			Label: cut(text, labelRunesMax), Action: cutBytes(commandWord(t.words.Tag(), "reject")+" "+args+" "+reason, actionBytesMax),
		})
	}
	return Reply{Cards: []Card{c}}, nil
}

// code takes a code.
func (t *turn) code(ctx context.Context, code string) (Reply, error) {
	a, p, err := t.bot.Staff.Front.Confirm(ctx, *t.member, t.place(), strings.TrimSpace(code))
	if err != nil {
		return Reply{}, err
	}
	r := t.answered(a)
	who := clean(t.member.Name, listTitleRunesMax)
	switch {
	case p.Stage == desk.Half:
		r.Text = t.T("desk.half", "name", who, "id", count(int(p.ID)))
		r.Buttons = []Button{t.next("second", count(int(p.ID)))}
	case a.Second:
		r.Text = t.T("desk.first", "name", who)
	case a.Same:
		r.Text = t.T("desk.same")
	default:
		r.Text = t.T("desk.done", "name", who, "act", commandWord(t.words.Tag(), p.Act.Name))
	}
	return r, nil
}

// second gives a second member the code for what another one has confirmed.
func (t *turn) second(ctx context.Context, args string) (Reply, error) {
	id, ok := numberOf(args)
	if !ok || t.member == nil {
		text, _ := t.sentence("desk.usage")
		return Reply{Text: text + "\n" + t.T("help.second")}, nil
	}
	p, err := t.bot.Staff.Front.Second(ctx, *t.member, t.place(), id)
	if err != nil {
		return Reply{}, err
	}
	return t.proposed(p, p.Act.Name), nil
}

// giveUp drops what waits for a code.
func (t *turn) giveUp(ctx context.Context) (Reply, bool, error) {
	dropped, err := t.bot.Staff.Front.Drop(ctx, *t.member, t.place())
	switch {
	case err != nil:
		return Reply{}, true, err
	case !dropped:
		return t.say("cancel.nothing"), true, nil
	}
	return t.say("desk.dropped"), true, nil
}

// staffHelp lists the commands that the member may use, or explains one.
func (t *turn) staffHelp(args string) Reply {
	if c, ok := exactIn(crew(), args); ok {
		return t.say("help.one", "word", c.in(t.words.Tag())[0], "help", t.T("help."+c.name), "words", strings.Join(c.in(t.words.Tag()), " · "))
	}
	role := string(t.member.Role)
	var b strings.Builder
	b.WriteString(t.T("desk.help", "name", clean(t.member.Name, listTitleRunesMax), "role", t.word(role)))
	var at section
	for _, c := range crew() {
		if roles, _ := StaffRights(c.name); !slices.Contains(roles, t.member.Role) {
			continue
		}
		if c.section != at {
			at = c.section
			b.WriteString("\n\n" + t.T("section."+string(at)))
		}
		b.WriteString("\n" + t.T("help.line", "word", c.in(t.words.Tag())[0], "help", t.T("help."+c.name)))
	}
	return Reply{Text: b.String()}
}
