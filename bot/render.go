package bot

import "strings"

// RenderText writes a reply for a channel that knows nothing but text. What a
// person can send next stands on a line of its own behind "›".
func RenderText(r Reply) string {
	var blocks []string
	if r.Text != "" {
		blocks = append(blocks, r.Text)
	}
	for _, c := range r.Cards {
		blocks = append(blocks, cardText(c))
	}
	if lines := buttonLines(r.Buttons); len(lines) > 0 {
		blocks = append(blocks, strings.Join(lines, "\n"))
	}
	return plain(strings.Join(blocks, "\n\n"))
}

func cardText(c Card) string {
	var lines []string
	if c.Title != "" {
		lines = append(lines, c.Title)
	}
	for _, row := range c.Rows {
		lines = append(lines, row.Label+"  "+row.Value)
	}
	for _, n := range c.Notes {
		lines = append(lines, "· "+n)
	}
	return strings.Join(append(lines, buttonLines(c.Buttons)...), "\n")
}

func buttonLines(bs []Button) (lines []string) {
	for _, b := range bs {
		switch {
		case b.URL != "":
			lines = append(lines, b.Label+"  "+b.URL)
		case b.Copy != "":
			lines = append(lines, b.Label+"  "+b.Copy)
		case b.Action == b.Label || b.Label == "":
			lines = append(lines, "› "+b.Action)
		default:
			lines = append(lines, "› "+b.Action+"  ("+b.Label+")")
		}
	}
	return lines
}

// plain keeps anything but text and line feeds from reaching a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
