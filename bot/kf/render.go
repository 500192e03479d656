package kf

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fanli/bot"
	"fanli/bot/kf/platform"
	"fanli/bot/plaintext"
)

// A sheet is a reply as the chat can show it: a text, and lines that can be tapped.
type sheet struct {
	text  string
	items []platform.Item
}

// A painter renders one reply.
type painter struct {
	english bool
	typed   bool // next steps are typed as words: there is no menu
	items   []platform.Item
}

// render writes a reply. typed has its next steps typed as words.
func render(r bot.Reply, typed bool) sheet {
	p := &painter{english: plaintext.English(plaintext.Words(r)), typed: typed}
	var blocks []string
	add := func(t string) {
		if t != "" {
			blocks = append(blocks, t)
		}
	}
	add(plaintext.Clean(r.Text))
	for _, card := range r.Cards {
		add(p.card(card))
	}
	add(strings.Join(p.buttons(r.Buttons), "\n"))
	return sheet{strings.Join(blocks, "\n\n"), p.items}
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

// buttons writes what can be done next: as lines of the menu where there is room, else in
// words. A 口令 stands on a line of its own.
func (p *painter) buttons(bs []bot.Button) (lines []string) {
	copies := slices.ContainsFunc(bs, func(b bot.Button) bool { return b.Copy != "" })
	for _, b := range bs {
		label := plaintext.Clean(b.Label)
		switch {
		case b.URL != "":
			lines = append(lines, p.link(b, label, copies)...)
		case b.Copy != "":
			lines = append(lines, label+plaintext.Colon(p.english), plaintext.Clean(b.Copy))
		case b.Action != "" && !p.item(platform.Item{Label: cut(label, platform.LabelMax), Action: b.Action}):
			lines = append(lines, plaintext.Step(p.english, plaintext.Clean(b.Action), label))
		}
	}
	return lines
}

// item puts a line into the menu; false if there is no room.
func (p *painter) item(i platform.Item) bool {
	if p.typed || len(p.items) == platform.ItemsMax || i.Label == "" || len(i.Action) > platform.ActionMax || len(i.URL) > platform.URLMax {
		return false
	}
	p.items = append(p.items, i)
	return true
}

// link writes an address. One that WeChat does not open is replaced by our page for it;
// beside a 口令 it is not missed.
func (p *painter) link(b bot.Button, label string, copies bool) []string {
	address := b.URL
	if plaintext.Blocked(address) {
		if address = b.Page; address != "" {
			label = plaintext.OpenPage(p.english)
		}
	}
	switch {
	case address != "" && p.item(platform.Item{Label: cut(label, platform.ViewMax), URL: address}):
		return nil
	case address == "" && copies:
		return nil
	case address == "":
		address = b.URL
	}
	return []string{label + plaintext.Colon(p.english), plaintext.Clean(address)}
}

// cut shortens a label to size bytes.
func cut(s string, size int) string {
	if len(s) <= size {
		return s
	}
	s = s[:size-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// partsMax is how many messages one answer has at most.
const partsMax = 3

// layOut makes messages of a sheet: texts, of which the last has the menu.
func (s sheet) layOut() (parts []platform.Part) {
	texts := plaintext.Split(s.text, platform.TextMax)
	if len(s.items) == 0 {
		for _, t := range texts {
			parts = append(parts, platform.Part{Text: t})
		}
		return parts
	}
	head := sayNext.In(plaintext.English(s.text))
	if n := len(texts); n > 0 {
		last := plaintext.Split(texts[n-1], platform.HeadMax)
		head, texts = last[len(last)-1], texts[:n-1]
		if before := strings.Join(last[:len(last)-1], "\n"); before != "" {
			texts = append(texts, before)
		}
	}
	for _, t := range texts {
		parts = append(parts, platform.Part{Text: t})
	}
	return append(parts, platform.Part{Text: head, Items: s.items})
}

// fit makes at most room messages of a reply, of which there is one at least. What does
// not fit is rest: "更多" shows it.
func fit(r bot.Reply, room int) (parts []platform.Part, rest []string) {
	if parts = render(r, false).layOut(); len(parts) <= min(room, partsMax) {
		return parts, nil
	}
	text := render(r, true).text
	if len(text) <= platform.TextMax {
		return []platform.Part{{Text: text}}, nil
	}
	hint := "\n" + plaintext.ReadOn(plaintext.English(text))
	pieces := plaintext.Split(text, platform.TextMax-len(hint))
	return []platform.Part{{Text: pieces[0] + hint}}, pieces[1:]
}
