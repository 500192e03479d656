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

// binding asks what is to be bound: money goes to an account, accounts are linked, and
// the one at a shop is made known. "/bind taobao" says which.
func (t *turn) binding(ctx context.Context, args string) (Reply, error) {
	if shop := fold(args); shop == "taobao" || shop == "淘宝" {
		return t.bindTaobao(ctx, "")
	}
	word := func(name string) string { return commandWord(t.words.Tag(), name) }
	shop, linking := !t.off("bindtaobao"), t.bot.Linking != nil
	var r Reply
	switch {
	case shop && linking:
		r = t.say("bind.which_of_all", "payee", word("payee"), "taobao", word("bindtaobao"), "link", word("link"))
		r.Buttons = []Button{t.next("payee"), t.next("bindtaobao")}
	case shop:
		r = t.say("bind.which_shop", "payee", word("payee"), "taobao", word("bindtaobao"))
		r.Buttons = []Button{t.next("payee"), t.next("bindtaobao")}
	case linking:
		r = t.say("bind.which", "payee", word("payee"), "link", word("link"))
		r.Buttons = []Button{t.next("payee"), t.next("link")}
	default:
		payee, _ := commandNamed("payee")
		return t.command(ctx, payee, "")
	}
	return r, nil
}
