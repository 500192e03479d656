package wechat

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fanli/bot"
	"fanli/bot/plaintext"
	"fanli/bot/wechat/platform"
	"fanli/core/fault"
)

// form tells a notice by the form that is configured for its kind. sent is false if
// there is none, or this person does not take it.
func (c *Channel) form(ctx context.Context, openid, key string, n bot.Notice) (sent bool, err error) {
	t, ok := c.opts.Forms[n.Kind]
	right := rightOf(t.Way)
	if !ok || !c.may(ctx, right) {
		return false, nil
	}
	fields := map[string]string{}
	for name, what := range t.Fields {
		fields[name] = cutRunes(c.filled(what, n), fieldMax(name))
	}
	notice := platform.Notice{Template: t.ID, URL: t.URL, Key: short(key), Fields: fields}
	switch t.Way {
	case platform.ByOnce:
		err = c.opts.Platform.SendOnce(ctx, openid, platform.Once{
			Template: t.ID, Scene: t.Scene, Title: cutRunes(t.Title, onceTitleMax), Text: cutRunes(plaintext.Clean(n.Reply.Text), onceTextMax), URL: t.URL,
		})
	case platform.BySubscription:
		err = c.opts.Platform.SendSubscription(ctx, openid, notice)
	default:
		var id int64
		if id, err = c.opts.Platform.SendTemplate(ctx, openid, notice); err == nil {
			err = c.formKept(ctx, openid, strconv.FormatInt(id, 10), n.Reply)
		}
	}
	return c.formEnded(ctx, openid, n.Kind, right, err)
}

// rightOf is what a way of forms needs.
func rightOf(way string) Right {
	switch way {
	case platform.ByOnce:
		return Once
	case platform.BySubscription:
		return Subscribable
	default:
		return Template
	}
}

// formEnded says what became of a form.
func (c *Channel) formEnded(ctx context.Context, openid, kind string, right Right, err error) (sent bool, _ error) {
	switch fault.ReasonOf(err) {
	case platform.NoRight:
		c.downgrade(ctx, right)
		return false, nil
	case platform.NotFollower:
		return false, c.lost(ctx, openid)
	case platform.NoConsent:
		return false, nil
	case platform.BadTemplate, platform.TooLong:
		c.log.Error("a form is refused; look at wechat.templates", "kind", kind, "reason", fault.ReasonOf(err))
		return false, nil
	}
	return err == nil, fault.In("wechat.Form", patient(err))
}

// The limits of what is agreed to once.
const (
	onceTitleMax = 15
	onceTextMax  = 200
)

// keyMax bounds a key by which a template message is sent once.
const keyMax = 32

// short is a key of the length that the platform takes.
func short(key string) string { return digest(key)[:keyMax] }

// fieldMax is how many characters a field of a form takes, by its name.
func fieldMax(name string) int {
	for prefix, n := range map[string]int{
		"thing": 20, "phrase": 5, "character_string": 32, "const": 20, "short_thing": 5, "name": 10, "number": 32, "letter": 32,
	} {
		if strings.HasPrefix(name, prefix) {
			return n
		}
	}
	return onceTextMax
}

var sum = regexp.MustCompile(`¥[0-9]+\.[0-9]{2}`)

// filled puts what a notice says into the text of a field.
func (c *Channel) filled(what string, n bot.Notice) string {
	text := plaintext.Clean(n.Reply.Text)
	first, _, _ := strings.Cut(text, "\n")
	title := plaintext.Clean(n.Title)
	if title == "" {
		title = first
	}
	return strings.NewReplacer("{text}", first, "{title}", title, "{amount}", sum.FindString(text),
		"{time}", c.opts.Now().In(beijing()).Format("2006-01-02 15:04")).Replace(what)
}

// cutRunes shortens a text to max characters.
func cutRunes(s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	return string([]rune(s)[:max-1]) + "…"
}

// beijing is where the platform is.
func beijing() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }
