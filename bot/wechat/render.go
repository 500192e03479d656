package wechat

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"fanli/bot"
	"fanli/bot/plaintext"
	"fanli/bot/wechat/platform"
)

// The limits of what is shown.
const (
	textBytesMax = 2048 // of one text
	newsRunesMax = 120  // of what stands below an article's picture
	newsTitleMax = 64   // characters of its title; in messages WeChat names no limit, so this is that of published ones
	newsURLMax   = 1024 // bytes of an address of it
	digitMax     = 9
)

// A rendering is a reply as WeChat shows it.
type rendering struct {
	text    string
	article *platform.Article // instead of text
	menu    []choice
}

// A painter renders one reply.
type painter struct {
	c       *Channel
	english bool
	typed   bool // a digit may mean something else: the answer to a question, or a line of a list
	menu    []choice
}

// render writes a reply for WeChat: a text without markup, or an article where there is
// a picture and little to say.
func (c *Channel) render(r bot.Reply) rendering {
	if a := c.painter(r).news(r); a != nil {
		return rendering{article: a}
	}
	return c.renderText(r, false)
}

func (c *Channel) painter(r bot.Reply) *painter {
	return &painter{c: c, english: plaintext.English(plaintext.Words(r)), typed: asks(r) || listLine.MatchString(r.Text)}
}

// renderText writes a reply as a text. typed has its next steps typed as words, where
// it is not the newest thing that a digit could mean.
func (c *Channel) renderText(r bot.Reply, typed bool) rendering {
	p := c.painter(r)
	p.typed = p.typed || typed
	var blocks []string
	if t := plaintext.Clean(r.Text); t != "" {
		blocks = append(blocks, t)
	}
	for _, card := range r.Cards {
		if t := p.card(card); t != "" {
			blocks = append(blocks, t)
		}
	}
	if lines := p.buttons(r.Buttons); len(lines) > 0 {
		blocks = append(blocks, strings.Join(lines, "\n"))
	}
	return rendering{text: strings.Join(blocks, "\n\n"), menu: p.menu}
}

// listLine is a line of a numbered list: its digits are the bot's.
var listLine = regexp.MustCompile(`(?m)^[1-9][.、)] `)

// asks reports whether a reply waits for something that is typed, money above all: a
// digit must not be taken for a choice then.
func asks(r bot.Reply) bool {
	for _, b := range r.Buttons {
		switch word, _, _ := strings.Cut(b.Action, " "); word {
		case "取消", "cancel", "确认", "confirm":
			return true
		}
	}
	return false
}

// card writes one card.
func (p *painter) card(c bot.Card) string {
	var lines []string
	if t := plaintext.Clean(c.Title); t != "" {
		lines = append(lines, t)
	}
	lines = append(lines, plaintext.Rows(c)...)
	return strings.Join(append(lines, p.buttons(c.Buttons)...), "\n")
}

// buttons writes what can be done next. A 口令 stands on a line of its own.
func (p *painter) buttons(bs []bot.Button) (lines []string) {
	copies := false
	for _, b := range bs {
		copies = copies || b.Copy != ""
	}
	for _, b := range bs {
		switch {
		case b.URL != "":
			lines = append(lines, p.link(b, copies)...)
		case b.Copy != "":
			lines = append(lines, plaintext.Clean(b.Label)+plaintext.Colon(p.english), plaintext.Clean(b.Copy))
		case b.Action != "":
			lines = append(lines, p.choice(b))
		}
	}
	return lines
}

// link writes an address. One that WeChat does not open is replaced by our page for it;
// beside a 口令 it is not missed.
func (p *painter) link(b bot.Button, copies bool) []string {
	address, label := b.URL, plaintext.Clean(b.Label)
	if plaintext.Blocked(address) {
		if address = b.Page; address != "" {
			label = plaintext.OpenPage(p.english)
		}
	}
	switch {
	case address != "":
		return []string{anchor(address, label)}
	case copies:
		return nil
	default:
		return []string{label + plaintext.Colon(p.english), plaintext.Clean(b.URL)}
	}
}

// anchor is a line that opens a page.
func anchor(address, label string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return label + "  " + plaintext.Clean(address)
	}
	return `<a href="` + strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", " ", "%20").Replace(u.String()) + `">` + label + "</a>"
}

// choice writes one next step: by its digit, or by its words where a digit could be
// mistaken.
func (p *painter) choice(b bot.Button) string {
	action, label := plaintext.Clean(b.Action), plaintext.Clean(b.Label)
	d := len(p.menu) + 1
	if p.typed || d > digitMax {
		return plaintext.Step(p.english, action, label)
	}
	p.menu = append(p.menu, choice{d, b.Action})
	n := strconv.Itoa(d)
	if p.c.opts.MenuLinks {
		return n + ". " + `<a href="weixin://bizmsgmenu?msgmenucontent=` + url.QueryEscape(b.Action) + `&msgmenuid=` + n + `">` + label + "</a>"
	}
	return plaintext.Reply(p.english) + " " + n + " " + label
}

// news returns the article that says all of a reply; nil if none does.
func (p *painter) news(r bot.Reply) *platform.Article {
	if r.Text != "" || len(r.Cards) != 1 || len(r.Buttons) > 0 {
		return nil
	}
	c := r.Cards[0]
	if !strings.HasPrefix(c.Image, "https://") || len(c.Buttons) != 1 || c.Buttons[0].URL == "" || c.Title == "" {
		return nil
	}
	address := c.Buttons[0].URL
	if plaintext.Blocked(address) {
		if address = c.Buttons[0].Page; address == "" {
			return nil
		}
	}
	title, text := plaintext.Clean(c.Title), strings.Join(plaintext.Rows(c), "\n")
	if utf8.RuneCountInString(title) > newsTitleMax || utf8.RuneCountInString(text) > newsRunesMax || max(len(address), len(c.Image)) > newsURLMax {
		return nil
	}
	return &platform.Article{Title: title, Text: text, Image: c.Image, URL: address}
}

func trim(s string) string { return strings.TrimSpace(s) }
