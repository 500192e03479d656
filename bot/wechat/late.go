package wechat

import (
	"context"
	"strconv"
	"strings"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/plaintext"
)

// waits is noted of a message of a late answer that was not allowed any more: what was
// left of the answer waits for its person to write.
const waits = "waits"

// late sends the answer to a message that was acknowledged before, in as many customer
// messages as it needs and are allowed, partsMax at most. Where these are too few the last
// one ends with the hint that "更多" shows the rest. What is not allowed waits, for "1" or
// whatever the person writes.
func (c *Channel) late(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	f, err := c.reach(ctx, p.To)
	if err != nil {
		return err
	}
	if message, ok := strings.CutPrefix(p.Key, lateKey("")); ok && progress.Arrived() == 0 && c.wasShown(ctx, message) {
		return nil
	}
	count := c.allowedNow(ctx, f)
	if n := progress.Arrived(); n > 0 { // it has begun, in another process perhaps
		if progress.Note(n-1) == waits {
			return nil
		}
		count, _ = strconv.Atoi(progress.Note(0))
	}
	pages := c.pages(p.Reply, count)
	if last := &pages[len(pages)-1]; len(p.Data) > 0 && len(last.talk.Rest) == 0 {
		last.talk = nil // it follows an answer, which has said what can be chosen
	}
	for i := progress.Arrived(); i < len(pages); i++ {
		err := progress.Do(ctx, i, func(ctx context.Context, _ bool) (string, error) {
			if sent, err := c.message(ctx, f, pages[i]); sent || err != nil {
				return strconv.Itoa(count), err
			}
			if i == 0 {
				return waits, c.park(ctx, f.openid, p.Key, p.Reply)
			}
			return waits, c.park(ctx, f.openid, p.Key, bot.Reply{Text: pages[i].left})
		})
		if err != nil || progress.Note(i) == waits {
			return err
		}
	}
	return c.copyLate(ctx, p, progress, len(pages))
}

// lateKey is the key of the parcel that answers a message.
func lateKey(message string) string { return Name + "/" + message }

// What is kept of a message whose answer "1" shows: which of the two has brought it.
const (
	byOne  = "one"
	byLate = "late"
)

// shown enters that "1" shows the answer to a message, so that it need not be sent; or,
// where that has begun and may be waiting any moment, told.
func (c *Channel) shown(ctx context.Context, message string) {
	by, err := c.opts.Book.Decide(ctx, message+"/by", byOne, c.opts.Now())
	if err == nil && by != byOne {
		_, err = c.opts.Book.Decide(ctx, message+"/seen", byOne, c.opts.Now())
	}
	if err != nil {
		c.log.Warn("an answer that was asked for comes twice", "error", err)
	}
}

// isSeen reports whether something that has waited is an answer that "1" has shown.
func (c *Channel) isSeen(ctx context.Context, key string) bool {
	message, ok := strings.CutPrefix(key, lateKey(""))
	if !ok {
		return false
	}
	by, err := c.opts.Book.Decide(ctx, message+"/seen", byLate, c.opts.Now())
	return err == nil && by == byOne
}

// wasShown reports whether "1" has shown the answer to a message already. What cannot be
// known was not: it is seen twice rather than never.
func (c *Channel) wasShown(ctx context.Context, message string) bool {
	w, err := c.opts.Book.Decide(ctx, message, string(wayLater), c.opts.Now())
	if err != nil || way(w) != wayStub {
		return false
	}
	by, err := c.opts.Book.Decide(ctx, message+"/by", byLate, c.opts.Now())
	return err == nil && by == byOne
}

// allowedNow is how many customer messages may go to one answer.
func (c *Channel) allowedNow(ctx context.Context, f follower) int {
	if !c.may(ctx, Customer) {
		return 0
	}
	return min(f.allowed(c.opts.Now()), partsMax)
}

// pages writes a reply as at most count messages, and at least one.
func (c *Channel) pages(r bot.Reply, count int) []page {
	out := c.render(r)
	next := talkState{Menu: out.menu}
	if out.article != nil {
		return []page{{article: out.article, talk: &next}}
	}
	var pages []page
	rest := out.text
	for len(rest) > textBytesMax && len(pages)+1 < count {
		first := plaintext.Split(rest, textBytesMax)[0]
		pages = append(pages, page{text: first, left: rest})
		rest = strings.TrimLeft(rest[len(first):], "\n ")
	}
	last := page{text: rest, talk: &next, left: rest}
	if len(rest) > textBytesMax {
		last.text, _, next = cutText(rest, next)
	}
	return append(pages, last)
}
