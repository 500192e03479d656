package telegramfake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The characters that MarkdownV2 gives a meaning, and those that keep it within code.
const (
	reserved       = "_*[]()~`>#+-=|{}.!\n"
	reservedInCode = "`"
)

// kinds are what the server calls the marks of MarkdownV2 in its failures.
var kinds = map[string]string{
	"bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough", "spoiler": "Spoiler",
	"code": "Code", "pre": "Pre", "text_link": "TextUrl", "custom_emoji": "CustomEmoji", "blockquote": "BlockQuote",
}

// A markdown is a text while its MarkdownV2 is taken out.
type markdown struct {
	markup
	marks  []mark
	quote  int  // where the quotation began, in UTF-16 code units; -1 outside of one
	starts bool // a quotation may begin here
}

// mark is one that has begun.
type mark struct {
	kind     string
	language string // of pre
	from     int    // in UTF-16 code units
	begin    int    // in bytes of the output
	offset   int    // in bytes of the input
}

// parseMarkdown returns what people see of in, and what is marked in it, as parseHTML.
func parseMarkdown(in string) (string, []Entity, *failure) {
	m := &markdown{markup: markup{in: in}, quote: -1, starts: true}
	for m.at < len(in) {
		if err := m.step(); err != nil {
			return "", nil, refuse("can't parse entities: %v", err)
		}
	}
	if n := len(m.marks); n > 0 {
		last := m.marks[n-1]
		return "", nil, refuse("can't parse entities: Can't find end of %s entity at byte offset %d", kinds[last.kind], last.offset)
	}
	m.unquote()
	slices.SortStableFunc(m.done, func(a, b Entity) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
	return m.out.String(), m.done, nil
}

// next reports whether the input goes on with s.
func (m *markdown) next(s string) bool { return strings.HasPrefix(m.in[m.at:], s) }

// inside is the kind of the innermost mark that has begun; "" for none.
func (m *markdown) inside() string {
	if len(m.marks) == 0 {
		return ""
	}
	return m.marks[len(m.marks)-1].kind
}

// step reads a character or a mark.
func (m *markdown) step() error {
	r, size := utf8.DecodeRuneInString(m.in[m.at:])
	begins := m.starts
	m.starts = false
	if r == '\\' && m.at+1 < len(m.in) && m.in[m.at+1] > 0 && m.in[m.at+1] <= 126 {
		m.write(rune(m.in[m.at+1]))
		m.at += 2
		return nil
	}
	special := reserved
	if k := m.inside(); k == "code" || k == "pre" {
		special = reservedInCode
	}
	switch {
	case !strings.ContainsRune(special, r):
		m.write(r)
		m.at += size
		return nil
	case r == '\n':
		return m.feed()
	case m.ends():
		return m.end()
	case r == '>' && begins:
		if m.quote < 0 {
			m.quote = m.size
		}
		m.at++
		m.starts = false
		return nil
	default:
		return m.begin()
	}
}

// feed reads a line feed, which ends a quotation that the next line does not go on with.
func (m *markdown) feed() error {
	m.at++
	if m.quote >= 0 && !m.next(">") {
		if k := m.inside(); k != "" {
			last := m.marks[len(m.marks)-1]
			return fmt.Errorf("Can't find end of %s entity at byte offset %d", kinds[k], last.offset) //nolint:staticcheck // the server's words
		}
		m.unquote()
	}
	m.write('\n')
	m.starts = true
	return nil
}

// unquote ends the quotation, if there is one.
func (m *markdown) unquote() {
	if m.quote >= 0 && m.size > m.quote {
		m.done = append(m.done, Entity{Type: "blockquote", Offset: m.quote, Length: m.size - m.quote})
	}
	m.quote = -1
}

// closers end the marks.
var closers = map[string]string{
	"bold": "*", "italic": "_", "underline": "__", "strikethrough": "~", "spoiler": "||", "code": "`", "pre": "```", "text_link": "]", "custom_emoji": "]",
}

// ends reports whether the innermost mark ends here. Two underscores are always those of
// an underline.
func (m *markdown) ends() bool {
	k := m.inside()
	return k != "" && m.next(closers[k]) && (k != "italic" || !m.next("__"))
}

// openers begin marks, the longer ones first.
var openers = []struct{ text, kind string }{
	{"```", "pre"}, {"__", "underline"}, {"||", "spoiler"}, {"![", "custom_emoji"},
	{"*", "bold"}, {"_", "italic"}, {"~", "strikethrough"}, {"`", "code"}, {"[", "text_link"},
}

func (m *markdown) begin() error {
	for _, o := range openers {
		if !m.next(o.text) {
			continue
		}
		b := mark{kind: o.kind, offset: m.at, from: m.size, begin: m.out.Len()}
		if m.at += len(o.text); o.kind == "pre" {
			b.language = m.language()
		}
		m.marks = append(m.marks, b)
		return nil
	}
	return fmt.Errorf(`Character '%c' is reserved and must be escaped with the preceding '\'`, m.in[m.at]) //nolint:staticcheck // the server's words
}

// language reads the name of a language and the line feed after it.
func (m *markdown) language() string {
	from := m.at
	for m.at < len(m.in) && !isSpace(m.in[m.at]) && m.in[m.at] != '`' {
		m.at++
	}
	name := m.in[from:m.at]
	if m.at == len(m.in) || m.in[m.at] == '`' { // it was the text
		m.at, name = from, ""
	}
	switch {
	case m.next("\r\n"), m.next("\n\r"):
		m.at += 2
	case m.next("\n"), m.next("\r"):
		m.at++
	}
	return name
}

// end reads the end of the innermost mark.
func (m *markdown) end() error {
	last := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	m.at += len(closers[last.kind])
	e := Entity{Type: last.kind, Offset: last.from, Length: m.size - last.from, Language: last.language}
	switch last.kind {
	case "text_link":
		e.URL = m.out.String()[last.begin:]
		if m.next("(") {
			address, err := m.address("a URL")
			if err != nil {
				return err
			}
			e.URL = address
		}
		if !addressAllowed(e.URL) {
			return nil
		}
	case "custom_emoji":
		if !m.next("(") {
			return errors.New("Custom emoji entity must contain a tg://emoji URL") //nolint:staticcheck // the server's words
		}
		if _, err := m.address("a custom emoji URL"); err != nil {
			return err
		}
	}
	if e.Length > 0 {
		m.done = append(m.done, e)
	}
	return nil
}

// address reads what is in parentheses.
func (m *markdown) address(what string) (string, error) {
	m.at++
	from := m.at
	var b strings.Builder
	for m.at < len(m.in) && m.in[m.at] != ')' {
		if m.in[m.at] == '\\' && m.at+1 < len(m.in) && m.in[m.at+1] > 0 && m.in[m.at+1] <= 126 {
			m.at++
		}
		b.WriteByte(m.in[m.at])
		m.at++
	}
	if m.at == len(m.in) {
		return "", fmt.Errorf("Can't find end of %s at byte offset %d", what, from) //nolint:staticcheck // the server's words
	}
	m.at++
	return b.String(), nil
}
