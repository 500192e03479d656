package telegramfake

import (
	"strings"
	"unicode/utf8"
)

// oldKinds are the marks of the first Markdown, which know no nesting.
var oldKinds = map[byte]string{'_': "italic", '*': "bold", '`': "code", '[': "text_link"}

// parseOldMarkdown is parseMarkdown for the mode that is only kept for old bots.
func parseOldMarkdown(in string) (string, []Entity, *failure) {
	m := &markdown{markup: markup{in: in}}
	for m.at < len(in) {
		if in[m.at] == '\\' && m.at+1 < len(in) && oldKinds[in[m.at+1]] != "" {
			m.write(rune(in[m.at+1]))
			m.at += 2
			continue
		}
		if oldKinds[in[m.at]] == "" {
			m.copy()
			continue
		}
		if from := m.at; !m.oldMark() {
			return "", nil, refuse("can't parse entities: Can't find end of the entity starting at byte offset %d", from)
		}
	}
	return m.out.String(), m.done, nil
}

// copy writes the next character as it is.
func (m *markdown) copy() {
	r, size := utf8.DecodeRuneInString(m.in[m.at:])
	m.write(r)
	m.at += size
}

// oldMark reads a mark up to its end; it reports false if there is none.
func (m *markdown) oldMark() bool {
	e := Entity{Type: oldKinds[m.in[m.at]], Offset: m.size}
	closer := m.in[m.at : m.at+1]
	switch {
	case m.next("```"):
		m.at, closer, e.Type = m.at+3, "```", "pre"
		e.Language = m.language()
	case closer == "[":
		m.at, closer = m.at+1, "]"
	default:
		m.at++
	}
	begin := m.out.Len()
	for m.at < len(m.in) && !m.next(closer) {
		m.copy()
	}
	if m.at == len(m.in) {
		return false
	}
	m.at += len(closer)
	e.Length = m.size - e.Offset
	if e.Type == "text_link" {
		e.URL = m.out.String()[begin:]
		if end := strings.IndexByte(m.in[m.at:], ')'); m.next("(") && end > 0 {
			e.URL = m.in[m.at+1 : m.at+end]
			m.at += end + 1
		}
		if !addressAllowed(e.URL) {
			return true
		}
	}
	if e.Length > 0 {
		m.done = append(m.done, e)
	}
	return true
}
