package telegram

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A style is how a part of a line looks. Every style can be read without it.
type style int

const (
	plain  style = iota
	strong       // what matters
	faint        // caveats
	code         // a touch copies it
)

// elements are the tags of the styles.
var elements = map[style]string{strong: "b", faint: "i", code: "code"}

// span is a part of a line in one style.
type span struct {
	text  string
	style style
}

// line is a paragraph: a text without line feeds.
type line []span

// escaper escapes what HTML gives a meaning. Telegram knows no more.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// html writes lines as Telegram's HTML.
func html(lines []line) string {
	return write(lines, func(s span) string {
		text := escaper.Replace(s.text)
		if e := elements[s.style]; e != "" && s.text != "" {
			return "<" + e + ">" + text + "</" + e + ">"
		}
		return text
	})
}

// bare writes lines without any markup.
func bare(lines []line) string {
	return write(lines, func(s span) string { return s.text })
}

func write(lines []line, show func(span) string) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, s := range l {
			b.WriteString(show(s))
		}
	}
	return b.String()
}

// size counts the characters of a line as Telegram's limits do.
func (l line) size() int {
	n := 0
	for _, s := range l {
		n += utf8.RuneCountInString(s.text)
	}
	return n
}

// size counts the characters of lines with their line feeds.
func size(lines []line) int {
	n := max(0, len(lines)-1)
	for _, l := range lines {
		n += l.size()
	}
	return n
}

// paragraphs makes lines of a text. Line feeds at its ends are dropped, because
// Telegram does so too.
func paragraphs(text string) []line {
	text = strings.TrimSpace(clean(text))
	if text == "" {
		return nil
	}
	var lines []line
	for s := range strings.SplitSeq(text, "\n") {
		lines = append(lines, line{{text: strings.TrimRightFunc(s, unicode.IsSpace)}})
	}
	return lines
}

// clean takes out what is not text: broken characters, control characters other
// than line feeds, and those that turn the direction of writing around, with
// which a title can pretend to be something else.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		default:
			return r
		}
	}, s)
}

// single is clean for texts that belong on one line.
func single(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// split breaks lines into pieces of at most limit characters, between paragraphs
// where it can.
func split(lines []line, limit int) [][]line {
	var pieces [][]line
	var piece []line
	used := 0
	for _, whole := range lines {
		for _, l := range whole.broken(limit) {
			n := l.size()
			if len(piece) > 0 && used+1+n > limit {
				pieces, piece, used = append(pieces, piece), nil, 0
			}
			if len(piece) > 0 {
				used++
			} else if n == 0 {
				continue // a blank line between two messages
			}
			piece, used = append(piece, l), used+n
		}
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// broken breaks a line that is longer than limit, after spaces and punctuation
// where it can.
func (l line) broken(limit int) []line {
	var all []line
	for l.size() > limit {
		var head line
		head, l = l.cut(limit)
		all = append(all, head)
	}
	return append(all, l)
}

// cut takes at most limit characters off a line.
func (l line) cut(limit int) (head, tail line) {
	left := limit
	for i, s := range l {
		n := utf8.RuneCountInString(s.text)
		if n <= left {
			left -= n
			continue
		}
		at := breakAt(s.text, left)
		head = append(head, l[:i]...)
		if at > 0 {
			head = append(head, span{s.text[:at], s.style})
		}
		return head, append(line{{s.text[at:], s.style}}, l[i+1:]...)
	}
	return l, nil
}

// breakAt returns the byte after which a text is best broken, so that at most
// limit characters are before it.
func breakAt(text string, limit int) int {
	count, end, best := 0, 0, 0
	for i, r := range text {
		if count == limit {
			end = i
			break
		}
		count++
		if count > limit-limit/4 && (unicode.IsSpace(r) || unicode.IsPunct(r)) {
			best = i + utf8.RuneLen(r)
		}
	}
	if best > 0 {
		return best
	}
	return end
}
