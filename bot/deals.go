package bot

import (
	"context"
	"fmt"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// deals shows what is worth buying now, of everything or of what words name.
func (t *turn) deals(ctx context.Context, args string) (Reply, error) {
	return t.dealPage(ctx, clean(args, wordsRunesMax), 1)
}

// dealPage shows one page of it.
func (t *turn) dealPage(ctx context.Context, words string, page int) (Reply, error) {
	if t.searchOff() {
		return t.say("search.paused"), nil
	}
	ds, err := t.bot.Links.Deals(ctx, t.user.ID, words, page, pageSize)
	switch {
	case fault.ReasonOf(err) == "link.no_search":
		return Reply{Text: t.T("search.off"), Nothing: true}, nil
	case fault.Retryable(err):
		t.retry = strings.TrimSpace(commandWord(t.words.Tag(), "deals") + " " + words)
		return Reply{Text: t.T("deals.stalled", "trace", t.trace(ctx, err)), Buttons: []Button{t.next("last")}}, nil
	case err != nil:
		return Reply{}, err
	case len(ds.Quotes) == 0 && page > 1:
		return t.say("list.end"), nil
	case len(ds.Quotes) == 0:
		r := t.say("deals.none")
		r.Text += t.absentees(ds.Away)
		r.Buttons = []Button{t.next("search")}
		return r, nil
	}
	return t.dealt(words, page, ds), nil
}

// dealt writes one page, and makes its rows what digits refer to.
func (t *turn) dealt(words string, page int, ds link.Deals) Reply {
	var b strings.Builder
	if words == "" {
		b.WriteString(t.T("deals.head"))
	} else {
		b.WriteString(t.T("deals.head_words", "words", words))
	}
	for i, q := range ds.Quotes {
		fmt.Fprintf(&b, "\n%d. %s\n   %s", i+1, clean(q.Offer.Title, listTitleRunesMax), t.deal(q))
	}
	b.WriteString(t.absentees(ds.Away) + "\n" + t.T("search.pick"))
	l := list{Kind: listDeals, Words: words, Page: page, Quotes: ds.Quotes, More: ds.More}
	return Reply{Text: b.String(), Buttons: t.show(l)}
}

// deal is what a list says of goods that are worth buying.
func (t *turn) deal(q link.Quote) string {
	if q.Promise.Late() {
		return t.found(q)
	}
	return t.T("deals.line", "network", t.network(q.Offer.Network), "price", max(q.Offer.Price, q.Offer.Final).Yuan(),
		"net", q.Net().Yuan(), "saved", q.Saved().Yuan())
}
