package telegramfake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// tags are the elements that may be used, and what they mean.
var tags = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
	"code": "code", "pre": "pre", "a": "text_link", "tg-spoiler": "spoiler", "span": "spoiler",
	"blockquote": "blockquote", "tg-emoji": "custom_emoji", "tg-time": "date_time",
}

// markup is a text while its tags are taken out.
type markup struct {
	in   string
	at   int // byte offset in in
	out  strings.Builder
	size int // of out, in UTF-16 code units
	open []tag
	done []Entity
}

// tag is an element that has begun.
type tag struct {
	name  string
	attrs map[string]string
	from  int // in UTF-16 code units
	begin int // in bytes of the output
}

// parseHTML returns what people see of in, and what is marked in it. Its
// failures are in the server's words.
func parseHTML(in string) (string, []Entity, *failure) {
	m := &markup{in: in}
	for m.at < len(in) {
		if err := m.step(); err != nil {
			return "", nil, refuse("can't parse entities: %v", err)
		}
	}
	if n := len(m.open); n > 0 {
		return "", nil, refuse("can't parse entities: Can't find end tag corresponding to start tag %q", m.open[n-1].name)
	}
	slices.SortStableFunc(m.done, func(a, b Entity) int { return a.Offset - b.Offset })
	return m.out.String(), m.done, nil
}

// step reads a character, a reference or a tag.
func (m *markup) step() error {
	switch m.in[m.at] {
	case '&':
		r, size := reference(m.in[m.at:])
		m.write(r)
		m.at += size
		return nil
	case '<':
		if strings.HasPrefix(m.in[m.at:], "</") {
			return m.endTag()
		}
		return m.startTag()
	default:
		r, size := utf8.DecodeRuneInString(m.in[m.at:])
		m.write(r)
		m.at += size
		return nil
	}
}

func (m *markup) write(r rune) {
	m.out.WriteRune(r)
	m.size += max(1, utf16.RuneLen(r))
}

// named are the references that the server knows by name.
var named = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "quot": '"'}

// reference decodes "&lt;" and the like. What is none is a plain ampersand.
func reference(s string) (r rune, size int) {
	end := strings.IndexByte(s, ';')
	if end < 0 || end > 10 {
		return '&', 1
	}
	name := s[1:end]
	if r, ok := named[name]; ok {
		return r, end + 1
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return '&', 1
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || n > unicode.MaxRune {
		return '&', 1
	}
	return rune(n), end + 1
}

func (m *markup) startTag() error {
	begin := m.at
	m.at++
	name := strings.ToLower(m.word(">"))
	if m.at == len(m.in) {
		return fmt.Errorf("Unclosed start tag at byte offset %d", begin) //nolint:staticcheck // the server's words
	}
	if tags[name] == "" {
		return fmt.Errorf("Unsupported start tag %q at byte offset %d", name, begin) //nolint:staticcheck // the server's words
	}
	attrs := map[string]string{}
	for {
		m.space()
		if m.at == len(m.in) {
			return fmt.Errorf("Unclosed start tag at byte offset %d", begin) //nolint:staticcheck // the server's words
		}
		if m.in[m.at] == '>' {
			m.at++
			break
		}
		key, value, err := m.attribute(name, begin)
		if err != nil {
			return err
		}
		attrs[key] = value
	}
	if name == "span" && attrs["class"] != "tg-spoiler" {
		return fmt.Errorf(`Tag "span" must have class "tg-spoiler" at byte offset %d`, begin) //nolint:staticcheck // the server's words
	}
	m.open = append(m.open, tag{name: name, attrs: attrs, from: m.size, begin: m.out.Len()})
	return nil
}

// attribute reads name="value".
func (m *markup) attribute(tag string, begin int) (key, value string, err error) {
	key = strings.ToLower(m.word("=>"))
	if key == "" {
		return "", "", fmt.Errorf("Empty attribute name in the tag %q at byte offset %d", tag, begin) //nolint:staticcheck // the server's words
	}
	m.space()
	if m.at == len(m.in) || m.in[m.at] != '=' {
		return key, "", nil
	}
	m.at++
	m.space()
	if m.at < len(m.in) && (m.in[m.at] == '"' || m.in[m.at] == '\'') {
		quote := m.in[m.at]
		end := strings.IndexByte(m.in[m.at+1:], quote)
		if end < 0 {
			return "", "", fmt.Errorf("Unclosed start tag at byte offset %d", begin) //nolint:staticcheck // the server's words
		}
		value, m.at = m.in[m.at+1:m.at+1+end], m.at+end+2
		return key, unescape(value), nil
	}
	return key, m.word(">"), nil
}

func (m *markup) endTag() error {
	begin := m.at
	if len(m.open) == 0 {
		return fmt.Errorf("Unexpected end tag at byte offset %d", begin) //nolint:staticcheck // the server's words
	}
	m.at += 2
	name := strings.ToLower(m.word(">"))
	m.space()
	if m.at == len(m.in) || m.in[m.at] != '>' {
		return fmt.Errorf("Unclosed end tag at byte offset %d", begin) //nolint:staticcheck // the server's words
	}
	m.at++
	last := m.open[len(m.open)-1]
	if name != "" && name != last.name {
		return fmt.Errorf("Unmatched end tag at byte offset %d, expected %q, found %q", //nolint:staticcheck // the server's words
			begin, "</"+last.name+">", "</"+name+">")
	}
	m.open = m.open[:len(m.open)-1]
	if m.size == last.from {
		return nil
	}
	if language, ok := strings.CutPrefix(last.attrs["class"], "language-"); ok && last.name == "code" && len(m.open) > 0 {
		if outer := m.open[len(m.open)-1]; outer.name == "pre" && outer.from == last.from { // they are one
			outer.attrs["language"] = language
			return nil
		}
	}
	e := Entity{Type: tags[last.name], Offset: last.from, Length: m.size - last.from}
	if last.name == "pre" {
		e.Language = last.attrs["language"]
	}
	if last.name == "a" {
		if e.URL = last.attrs["href"]; e.URL == "" {
			e.URL = m.out.String()[last.begin:]
		}
	}
	m.done = append(m.done, e)
	return nil
}

// word reads up to a space or one of stops.
func (m *markup) word(stops string) string {
	from := m.at
	for m.at < len(m.in) && !isSpace(m.in[m.at]) && !strings.ContainsRune(stops, rune(m.in[m.at])) {
		m.at++
	}
	return m.in[from:m.at]
}

func (m *markup) space() {
	for m.at < len(m.in) && isSpace(m.in[m.at]) {
		m.at++
	}
}

func isSpace(b byte) bool { return strings.IndexByte(" \t\r\n\v\x00", b) >= 0 }

// unescape decodes the references of an attribute.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] != '&' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		r, size := reference(s)
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// trim cuts space off the ends of a text and moves its marks along.
func trim(text string, marks []Entity) (string, []Entity) {
	cut := strings.TrimLeftFunc(text, unicode.IsSpace)
	skip := units(text) - units(cut)
	cut = strings.TrimRightFunc(cut, unicode.IsSpace)
	size := units(cut)
	var kept []Entity
	for _, e := range marks {
		from, to := max(0, e.Offset-skip), min(size, e.Offset+e.Length-skip)
		if from < to {
			e.Offset, e.Length = from, to-from
			kept = append(kept, e)
		}
	}
	return cut, kept
}
