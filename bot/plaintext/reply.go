package plaintext

import (
	"slices"
	"strings"

	"fanli/bot"
)

// Empty reports whether a reply says nothing.
func Empty(r bot.Reply) bool { return r.Text == "" && len(r.Cards) == 0 && len(r.Buttons) == 0 }

// Words is what a reply says in our own words, to tell its language.
func Words(r bot.Reply) string {
	s := r.Text
	for _, c := range r.Cards {
		for _, row := range c.Rows {
			s += row.Label
		}
		s += strings.Join(c.Notes, "")
	}
	for _, b := range r.Buttons {
		s += b.Label
	}
	return s
}

// WithoutActions is a reply without what only makes sense below the newest message.
func WithoutActions(r bot.Reply) bot.Reply {
	drop := func(bs []bot.Button) []bot.Button {
		return slices.DeleteFunc(slices.Clone(bs), func(b bot.Button) bool { return b.Action != "" })
	}
	r.Buttons = drop(r.Buttons)
	r.Cards = slices.Clone(r.Cards)
	for i := range r.Cards {
		r.Cards[i].Buttons = drop(r.Cards[i].Buttons)
	}
	return r
}

// Rows are the lines of a card below its title.
func Rows(c bot.Card) (lines []string) {
	for _, r := range c.Rows {
		lines = append(lines, Row(r))
	}
	for _, n := range c.Notes {
		lines = append(lines, "· "+Clean(n))
	}
	return lines
}

// Row is one row of a card.
func Row(r bot.Row) string { return Clean(r.Label) + "  " + Clean(r.Value) }
