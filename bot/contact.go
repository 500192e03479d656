package bot

import (
	"context"
	"strings"
)

// contactRunesMax bounds what is said of how to reach a person.
const contactRunesMax = 200

// support says how to reach a person, if the operator has said so, and what leads to one
// in any case: appeals are read.
func (t *turn) support(context.Context, string) (Reply, error) {
	word := func(name string) string { return commandWord(t.words.Tag(), name) }
	how := t.T("support.how", "last", word("last"), "claim", word("claim"), "appeal", word("appeal"))
	contact := clean(t.bot.manner().Contact, contactRunesMax)
	switch {
	case contact == "":
		return Reply{Text: t.T("support.none") + "\n" + how, Buttons: []Button{t.next("claim"), t.next("appeal")}}, nil
	case strings.HasPrefix(contact, "https://"):
		return Reply{Text: how, Buttons: []Button{{Label: t.T("button.support"), URL: contact}, t.next("claim")}}, nil
	default:
		return Reply{Text: t.T("support.contact", "contact", contact) + "\n" + how, Buttons: []Button{t.next("claim"), t.next("appeal")}}, nil
	}
}

// binding asks what is to be bound: money goes to an account, accounts are linked.
func (t *turn) binding(ctx context.Context, _ string) (Reply, error) {
	payee, _ := commandNamed("payee")
	if t.bot.Linking == nil {
		return t.command(ctx, payee, "")
	}
	r := t.say("bind.which", "payee", commandWord(t.words.Tag(), "payee"), "link", commandWord(t.words.Tag(), "link"))
	r.Buttons = []Button{t.next("payee"), t.next("link")}
	return r, nil
}
