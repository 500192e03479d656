package bot

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/user"
)

// pageSize is how many goods, orders or entries one answer lists: digits reach
// all of them and a phone shows them without scrolling.
const pageSize = 5

// wordsRunesMax bounds what is searched for.
const wordsRunesMax = 60

// listTitleRunesMax is how much of a title a list shows.
const listTitleRunesMax = 24

// coupon looks for offers by words or by a bare item number.
func (t *turn) coupon(ctx context.Context, args string) (Reply, error) {
	for _, r := range link.Recognise(args) {
		if r.Kind == link.Item {
			return t.paste(ctx, []link.Ref{r}, 1)
		}
	}
	return t.search(ctx, args)
}

// search looks for goods by words, and asks for the words if there are none.
func (t *turn) search(ctx context.Context, args string) (Reply, error) {
	if args == "" {
		t.wait(ask{Step: askWords})
		return t.say("search.ask"), nil
	}
	return t.find(ctx, args, 1)
}

// searchPage is how many goods a page of a search has: an equal part of one, two
// and three networks'.
const searchPage = 6

// find shows one page of goods.
func (t *turn) find(ctx context.Context, words string, page int) (Reply, error) {
	words = clean(words, wordsRunesMax)
	if utf8.RuneCountInString(words) < wordsRunesMin {
		return t.say("search.short"), nil
	}
	if t.searchOff() {
		return t.say("search.paused"), nil
	}
	shown, err := t.page(ctx, words, page)
	l := list{Kind: listSearch, Words: words, Page: page, Quotes: shown, More: len(shown) > 1}
	switch {
	case fault.Is(err, fault.NotFound):
		return Reply{Text: t.T("search.off"), Nothing: true}, nil
	case fault.Retryable(err):
		t.retry = commandWord(t.words.Tag(), "search") + " " + words
		return Reply{Text: t.T("search.stalled", "trace", t.trace(ctx, err)), Buttons: []Button{t.next("last")}}, nil
	case err != nil:
		return Reply{}, err
	case len(shown) == 0 && page > 1:
		return t.say("list.end"), nil
	case len(shown) == 0:
		return Reply{Text: t.T("search.none", "words", words), Buttons: []Button{t.next("help")}, Nothing: true}, nil
	}
	var b strings.Builder
	b.WriteString(t.T("search.head", "words", words))
	for i, q := range shown {
		fmt.Fprintf(&b, "\n%d. %s\n   %s", i+1, clean(q.Offer.Title, listTitleRunesMax), t.found(q))
	}
	b.WriteString("\n" + t.T("search.pick"))
	return Reply{Text: b.String(), Buttons: t.show(l)}, nil
}

// found is what a list says of goods.
func (t *turn) found(q link.Quote) string {
	if q.Promise.Late() {
		return t.T("search.line_late", "network", t.network(q.Offer.Network), "final", q.Offer.Final.Yuan())
	}
	return t.T("search.line", "network", t.network(q.Offer.Network), "final", q.Offer.Final.Yuan(),
		"rebate", q.Promise.Rebate.Yuan(), "net", q.Net().Yuan())
}

// page returns one page of goods, from the list shown last if it is that one.
func (t *turn) page(ctx context.Context, words string, page int) ([]link.Quote, error) {
	if l, _ := t.shown(); l != nil && l.Kind == listSearch && l.Words == words && l.Page == page {
		return l.Quotes, nil
	}
	return t.bot.Links.Search(ctx, t.user.ID, words, page, searchPage)
}

// show makes l what digits and paging refer to, and returns the buttons to page.
func (t *turn) show(l list) (paging []Button) {
	l.Chat, l.Until = t.chat(), t.now.Add(listTTL)
	t.state.List, t.state.Offered = &l, nil
	if l.More {
		paging = append(paging, t.next("more"))
	}
	if l.Page > 1 {
		paging = append(paging, t.next("back"))
	}
	return paging
}

// shown returns the list that digits and paging refer to in this chat. late says
// that there was one.
func (t *turn) shown() (l *list, late bool) {
	l = t.state.List
	if l == nil || l.Chat != t.chat() {
		return nil, false
	}
	if t.now.After(l.Until) {
		return nil, true
	}
	return l, false
}

// digit answers a choice from the list shown last.
func (t *turn) digit(ctx context.Context, s string) (Reply, error) {
	l, late := t.shown()
	if !isDigit(s) {
		return Reply{}, nil
	}
	n := int(s[0] - '0')
	switch {
	case late:
		return t.say("list.late"), nil
	case l == nil && t.m.Group:
		return Reply{}, nil
	case l == nil:
		return t.unknown(), nil
	case n <= len(l.quotes()):
		return t.pick(ctx, l.quotes()[n-1])
	case l.Kind == listOrders && n <= len(l.Orders):
		return t.detail(ctx, l.Orders[n-1])
	case l.Kind == listWishes && n <= len(user.Topics()):
		return t.toggle(ctx, user.Topics()[n-1])
	case l.Kind == listStatement:
		return t.unknown(), nil
	default:
		return t.say("list.no_such"), nil
	}
}

// pick makes the link of goods that were found.
func (t *turn) pick(ctx context.Context, q link.Quote) (Reply, error) {
	l, err := t.bot.Links.MakeFor(ctx, t.user.ID, q)
	if fault.Retryable(err) {
		return t.say("paste.stalled_pick", "network", t.network(q.Offer.Network), "trace", t.trace(ctx, err)), nil
	}
	return t.pasteOne(ctx, answered{ref: q.Offer.Source, link: l, err: err}), nil
}

// more shows the next page of the list shown last.
func (t *turn) more(ctx context.Context, _ string) (Reply, error) {
	l, late := t.shown()
	switch {
	case late:
		return t.say("list.late"), nil
	case l == nil:
		return t.say("list.nothing"), nil
	case !l.More:
		return t.say("list.end"), nil
	case l.Kind == listSearch:
		return t.turned(l)(t.find(ctx, l.Words, l.Page+1))
	case l.Kind == listDeals:
		return t.turned(l)(t.dealPage(ctx, l.Words, l.Page+1))
	case l.Kind == listOrders:
		return t.turned(l)(t.orderPage(ctx, append(l.Starts, l.Next)))
	default:
		return t.turned(l)(t.statementPage(ctx, append(l.Starts, l.Next)))
	}
}

// turned marks a reply as another page than the one before, if it shows one.
func (t *turn) turned(before *list) func(r Reply, err error) (Reply, error) {
	return func(r Reply, err error) (Reply, error) {
		r.Turned = err == nil && t.state.List != before
		return r, err
	}
}

// back shows the page before.
func (t *turn) back(ctx context.Context, _ string) (Reply, error) {
	l, late := t.shown()
	switch {
	case late:
		return t.say("list.late"), nil
	case l == nil:
		return t.say("list.nothing"), nil
	case l.Page <= 1:
		return t.say("list.start"), nil
	case l.Kind == listSearch:
		return t.turned(l)(t.find(ctx, l.Words, l.Page-1))
	case l.Kind == listDeals:
		return t.turned(l)(t.dealPage(ctx, l.Words, l.Page-1))
	case l.Kind == listOrders:
		return t.turned(l)(t.orderPage(ctx, l.Starts[:len(l.Starts)-1]))
	default:
		return t.turned(l)(t.statementPage(ctx, l.Starts[:len(l.Starts)-1]))
	}
}

// resend repeats the last answer of this chat, or looks up again what had not
// worked. It runs nothing but that.
func (t *turn) resend(ctx context.Context, _ string) (Reply, error) {
	l := t.state.Last
	if l == nil || l.Chat != t.chat() || t.now.After(l.Until) {
		return t.say("last.nothing"), nil
	}
	if l.Retry == "" {
		t.again = true
		r := l.Reply
		r.Turned = false
		return r, nil
	}
	if c, args, ok := match(tidy(l.Retry)); ok && (c.name == "compare" || c.name == "deals") {
		t.text = l.Retry
		return c.run(t, ctx, args)
	}
	if goods, _ := apart(link.Recognise(l.Retry)); len(goods) > 0 {
		t.text = l.Retry
		return t.paste(ctx, goods, len(goods))
	}
	_, words, _ := match(tidy(l.Retry))
	return t.find(ctx, words, 1)
}
