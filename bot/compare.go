package bot

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"fanli/core/alike"
	"fanli/core/fault"
	"fanli/core/link"
)

// becauseMax is how many reasons stand behind a verdict.
const becauseMax = 2

// compare compares goods over the shops: those behind a link, of the list shown last, of
// the offer just shown, or that words name. It asks for them if there are none.
func (t *turn) compare(ctx context.Context, args string) (Reply, error) {
	if ref, ok := goodsIn(args); ok {
		return t.compareRef(ctx, args, ref)
	}
	l, late := t.shown()
	o := t.state.Offered
	switch {
	case foreign(args):
		return t.shops(), nil
	case isDigit(args) && late:
		return t.say("list.late"), nil
	case isDigit(args) && l == nil:
		return t.say("list.nothing"), nil
	case isDigit(args):
		n := int(args[0] - '0')
		if qs := l.quotes(); n <= len(qs) {
			return t.compareOffer(ctx, qs[n-1].Offer)
		}
		return t.say("list.no_such"), nil
	case args != "":
		return t.compareWords(ctx, args)
	case o != nil && o.Chat == t.chat() && !t.now.After(o.Until):
		return t.compareOffer(ctx, o.Offer)
	case l != nil && len(l.quotes()) > 0:
		return t.say("compare.which", "word", commandWord(t.words.Tag(), "compare")), nil
	}
	t.wait(ask{Step: askCompare})
	return t.say("compare.ask"), nil
}

// compares reports whether the next message is what to compare, be it a link.
func (t *turn) compares() bool {
	a := t.state.Ask
	return a != nil && a.Step == askCompare && a.Chat == t.chat() && !t.now.After(a.Until)
}

// goodsIn finds the goods that a text points at, by link, 口令 or number.
func goodsIn(s string) (link.Ref, bool) {
	goods, numbers := apart(link.Recognise(s))
	for _, r := range append(goods, numbers...) {
		if r.Kind != link.Order {
			return r, true
		}
	}
	return link.Ref{}, false
}

func (t *turn) compareRef(ctx context.Context, args string, ref link.Ref) (Reply, error) {
	if ref.Kind == link.Other {
		return t.miss(ctx, answered{ref: ref, err: fault.New(fault.Invalid, "")}), nil
	}
	return t.comparing(ctx, ref.Key(), args, link.Basis{Ref: ref})
}

func (t *turn) compareOffer(ctx context.Context, o link.Offer) (Reply, error) {
	return t.comparing(ctx, o.Network+"/"+o.ItemKey(), clean(o.Title, wordsRunesMax), link.Basis{Offer: o})
}

func (t *turn) compareWords(ctx context.Context, args string) (Reply, error) {
	words := clean(args, wordsRunesMax)
	if utf8.RuneCountInString(words) < wordsRunesMin {
		return t.say("search.short"), nil
	}
	return t.comparing(ctx, words, words, link.Basis{Words: words})
}

// comparing answers with a comparison, from the list shown last if it is that one. what
// names it, and again is what to send to have it again.
func (t *turn) comparing(ctx context.Context, what, again string, b link.Basis) (Reply, error) {
	if t.searchOff() {
		return t.say("search.paused"), nil
	}
	if l, _ := t.shown(); l != nil && l.Kind == listCompare && l.Words == what && len(l.Comparison.Away) == 0 {
		return t.compared(what, *l.Comparison), nil
	}
	c, err := t.bot.Links.Compare(ctx, t.user.ID, b)
	again = commandWord(t.words.Tag(), "compare") + " " + again
	switch {
	case err != nil && b.Ref.Kind != "" && expectedMiss(err):
		t.retry = again
		return t.miss(ctx, answered{ref: b.Ref, err: err}), nil
	case fault.ReasonOf(err) == "link.no_search":
		return Reply{Text: t.T("search.off"), Nothing: true}, nil
	case fault.Retryable(err):
		t.retry = again
		return Reply{Text: t.T("search.stalled", "trace", t.trace(ctx, err)), Buttons: []Button{t.next("last")}}, nil
	case err != nil:
		return Reply{}, err
	case len(c.Rows) == 0:
		r := t.say("search.none", "words", clean(what, wordsRunesMax))
		r.Text += t.absentees(c.Away)
		r.Buttons = []Button{t.next("help")}
		return r, nil
	}
	return t.compared(what, c), nil
}

// expectedMiss reports whether an error is about the goods that were asked for or their
// network, so that it is answered as it is where they are pasted.
func expectedMiss(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || fault.Retryable(err)
}

// compared writes a comparison, and makes its rows what digits refer to.
func (t *turn) compared(what string, c link.Comparison) Reply {
	var b strings.Builder
	b.WriteString(t.T("compare.head", "title", clean(c.Title, listTitleRunesMax)))
	for i, row := range c.Rows {
		b.WriteString(t.comparedRow(i+1, row))
	}
	if len(c.Rows) == 1 {
		b.WriteString("\n" + t.T("compare.alone"))
	}
	if len(c.Similar) > 0 {
		b.WriteString("\n" + t.T("compare.similar"))
	}
	for i, row := range c.Similar {
		b.WriteString(t.comparedRow(len(c.Rows)+i+1, row))
	}
	b.WriteString("\n" + t.T("compare.asked", "networks", t.networks(c.Asked)) + t.absentees(c.Away))
	b.WriteString("\n" + t.T("search.pick"))
	t.show(list{Kind: listCompare, Words: what, Page: 1, Comparison: &c})
	return Reply{Text: b.String()}
}

// comparedRow is one row: what people pay in the end and how sure it is that these are
// the same goods, the title, and what the sum is made of.
func (t *turn) comparedRow(n int, c link.Compared) string {
	o, coupon := c.Quote.Offer, t.T("compare.no_coupon")
	if off := o.Price - o.Final; off > 0 {
		coupon = t.T("compare.coupon", "amount", off.Yuan())
	}
	net, rebate := c.Quote.Net().Yuan(), t.T("compare.rebate", "amount", c.Quote.Promise.Rebate.Yuan())
	if c.Quote.Promise.Late() {
		rebate = t.T("compare.rebate_late")
	}
	price := max(o.Price, o.Final).Yuan()
	return fmt.Sprintf("\n%d. %s\n   %s\n   %s", n, t.T("compare.line", "network", t.network(o.Network), "net", net, "sure", t.sure(c)),
		clean(o.Title, listTitleRunesMax), t.T("compare.sum", "price", price, "coupon", coupon, "rebate", rebate))
}

// sure says how sure it is that goods are the same, and why.
func (t *turn) sure(c link.Compared) string {
	if c.Basis {
		return t.T("compare.basis")
	}
	var why []string
	for _, r := range c.Alike.Because[:min(len(c.Alike.Because), becauseMax)] {
		why = append(why, t.T("alike.because."+string(r)))
	}
	verdict := c.Alike.Verdict
	if verdict == alike.Different {
		verdict = alike.Similar
	}
	return t.T("compare.sure", "verdict", t.T("alike."+string(verdict)), "why", strings.Join(why, t.T("format.and")))
}

// networks names several.
func (t *turn) networks(names []string) string {
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = t.network(n)
	}
	return strings.Join(shown, t.T("format.and"))
}

// absentees names those who did not answer, if there are any.
func (t *turn) absentees(away []string) string {
	if len(away) == 0 {
		return ""
	}
	return "\n" + t.T("compare.away", "networks", t.networks(away))
}
