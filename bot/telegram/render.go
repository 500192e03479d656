package telegram

import (
	"strconv"
	"strings"

	"fanli/bot"
)

// Telegram's limits for texts: characters that people see.
const (
	textMax    = 4096
	captionMax = 1024
)

// cardsApart is how many cards are sent as messages of their own, which is as
// many as may be sent at once. More become one list.
const cardsApart = 3

// part is one message of a reply.
type part struct {
	lines []line
	photo string // an address; "" for none
	route route  // of the photo
	bytes []byte // of the photo, where we have fetched it
	rows  [][]button
	keys  []string // that stay below the chat, instead of rows: a message has one or the other
	plain bool     // without markup
}

// render makes messages of a reply. An empty reply makes none.
func render(r bot.Reply) []part {
	head := paragraphs(r.Text)
	var parts []part
	switch {
	case apart(r.Cards):
		for _, c := range r.Cards {
			parts = append(parts, card(c, ""))
		}
		parts = lead(head, parts)
	default:
		parts = listed(head, r.Cards)
	}
	if len(r.Keys) == 0 {
		parts = follow(parts, r.Buttons)
	}
	var fitting []part
	for _, p := range parts {
		fitting = append(fitting, p.fit()...)
	}
	return atHand(fitting, r.Keys)
}

// atHand has the last message that has no buttons show keys.
func atHand(parts []part, keys []string) []part {
	for i := len(parts) - 1; i >= 0 && len(keys) > 0; i-- {
		if len(parts[i].rows) == 0 {
			parts[i].keys = keys
			break
		}
	}
	return parts
}

// apart reports whether every card gets a message of its own: there are few, and
// they have what a list cannot have.
func apart(cards []bot.Card) bool {
	if len(cards) > cardsApart {
		return false
	}
	for _, c := range cards {
		if c.Image != "" || len(c.Buttons) > 0 {
			return true
		}
	}
	return false
}

// lead puts the text before the cards: into the message of a single card, if
// there is room.
func lead(head []line, parts []part) []part {
	if len(head) == 0 {
		return parts
	}
	if len(parts) == 1 {
		both := join(head, parts[0].lines)
		if n := size(both); n <= captionMax || parts[0].photo == "" && n <= textMax {
			parts[0].lines = both
			return parts
		}
	}
	return append([]part{{lines: head}}, parts...)
}

// listed puts cards one below the other. Where they have buttons, cards and
// buttons are numbered, so that one sees what belongs together.
func listed(head []line, cards []bot.Card) []part {
	numbered := false
	for _, c := range cards {
		numbered = numbered || len(c.Buttons) > 0
	}
	now := part{lines: head}
	var parts []part
	for i, c := range cards {
		mark := ""
		if numbered {
			mark = strconv.Itoa(i+1) + ". "
		}
		next := card(c, mark)
		both := join(now.lines, next.lines)
		if len(now.lines) > 0 && (size(both) > textMax || count(now.rows)+count(next.rows) > keyboardMax) {
			parts, now, both = append(parts, now), part{}, next.lines
		}
		now.lines, now.rows = both, append(now.rows, next.rows...)
	}
	if len(now.lines) > 0 || len(now.rows) > 0 {
		parts = append(parts, now)
	}
	return parts
}

// card makes a message of a card; mark goes before its title and its buttons.
func card(c bot.Card, mark string) part {
	var p part
	if title := single(c.Title); title != "" {
		p.lines = append(p.lines, line{{mark + title, strong}})
	}
	for _, r := range c.Rows {
		if l := row(r); l != nil {
			p.lines = append(p.lines, l)
		}
	}
	for _, n := range c.Notes {
		if n = single(n); n != "" {
			p.lines = append(p.lines, line{{n, faint}})
		}
	}
	var rest []line
	p.rows, rest = buttons(c.Buttons, mark)
	p.lines = append(p.lines, rest...)
	if strings.HasPrefix(c.Image, "https://") && addressFits(c.Image) && mark == "" {
		p.photo = c.Image
	}
	return p
}

// row is a label and its value.
func row(r bot.Row) line {
	label, value := single(r.Label), single(r.Value)
	look := plain
	if r.Strong {
		look = strong
	}
	switch {
	case label == "" && value == "":
		return nil
	case label == "":
		return line{{value, look}}
	default:
		return line{{text: label + "  "}, {value, look}}
	}
}

// follow puts the reply's own buttons under its last message.
func follow(parts []part, list []bot.Button) []part {
	rows, rest := buttons(list, "")
	if len(rows) == 0 && len(rest) == 0 {
		return parts
	}
	if len(parts) == 0 || count(parts[len(parts)-1].rows)+count(rows) > keyboardMax {
		parts = append(parts, part{})
	}
	last := &parts[len(parts)-1]
	last.lines, last.rows = append(last.lines, rest...), append(last.rows, rows...)
	return parts
}

// fit breaks a message that is too long. A photo whose caption would be too long
// is left out: the text matters. Buttons go under the last piece.
func (p part) fit() []part {
	if p.photo != "" && size(p.lines) > captionMax {
		p.photo = ""
	}
	if p.photo != "" {
		return []part{p}
	}
	pieces := split(p.lines, textMax)
	if len(pieces) == 0 {
		if len(p.rows) == 0 {
			return nil
		}
		pieces = [][]line{{{{text: "⋯"}}}} // Telegram wants a text above the buttons
	}
	var all []part
	for _, lines := range pieces {
		all = append(all, part{lines: lines})
	}
	all[len(all)-1].rows = p.rows
	return all
}

// join puts a blank line between two texts.
func join(a, b []line) []line {
	if len(a) == 0 || len(b) == 0 {
		return append(append([]line(nil), a...), b...)
	}
	both := append(append([]line(nil), a...), line{})
	return append(both, b...)
}
