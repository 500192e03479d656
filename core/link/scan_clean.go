package link

import (
	"bytes"
	"strings"
)

// entities are the escaped characters that chat networks leave in a text which
// they carry inside XML or JSON, and what they stand for.
var entities = [...]struct {
	from string
	to   byte
}{
	{"&amp;", '&'},
	{"&lt;", '<'},
	{"&gt;", '>'},
	{"&quot;", '"'},
	{"&nbsp;", ' '},
	{`\/`, '/'},
	{`\u0026`, '&'},
}

// isEscape says whether t has one of the entities at i, where it has & or \.
func isEscape(t []byte, i int) bool {
	if i+1 == len(t) {
		return false
	}
	switch t[i+1] {
	case '/':
		return t[i] == '\\'
	case 'u':
		return hasMark(t, i, `\u0026`)
	case 'a':
		return hasMark(t, i, "&amp;")
	case 'l':
		return hasMark(t, i, "&lt;")
	case 'g':
		return hasMark(t, i, "&gt;")
	case 'q':
		return hasMark(t, i, "&quot;")
	case 'n':
		return hasMark(t, i, "&nbsp;")
	}
	return false
}

// hasEscape says whether a link has one of the entities. They end with a
// semicolon, which links seldom have.
func hasEscape(link []byte) bool {
	for i := 0; ; i++ {
		k := bytes.IndexByte(link[i:], ';')
		if k < 0 {
			return false
		}
		i += k
		for n := len("&lt"); n <= len("&quot") && n <= i; n++ {
			if link[i-n] == '&' && isEscape(link, i-n) {
				return true
			}
		}
	}
}

// clean takes invisible characters and escapes out of t, makes full-width letters
// and digits plain ones, and returns the new length. What people see stays as it
// is otherwise: Chinese punctuation ends a link and must not become ASCII.
func clean(t []byte) int {
	out := 0
	for i := 0; i < len(t); {
		b, n := t[i], 1
		switch c := class[b]; {
		case c&lead != 0:
			b, n = visible(t, i, t[:out])
		case c&escape != 0:
			b, n = unescape(t, i)
		}
		if n > 0 {
			t[out] = b
			out++
		}
		i += max(n, -n)
	}
	return out
}

// unescape returns the character that text has at i and its length there. What
// was escaped twice ("&amp;amp;") is unescaped twice.
func unescape(text []byte, i int) (b byte, n int) {
	for _, e := range entities {
		if !hasMark(text, i, e.from) {
			continue
		}
		n = len(e.from)
		for e.to == '&' && hasMark(text, i+n, "amp;") {
			n += len("amp;")
		}
		return e.to, n
	}
	return text[i], 1
}

// visible returns the byte that stands for the character at i, and its length:
// negative if it stands for nothing, 1 if its bytes stand for themselves. Before
// is the clean text so far.
func visible(text []byte, i int, before []byte) (b byte, n int) {
	if n := invisible(text[i:]); n > 0 {
		return 0, -n
	}
	b, n = narrow(text, i)
	if n == 1 || class[b]&alnum != 0 {
		return b, n
	}
	// Full-width punctuation is narrowed only where more that is full-width follows,
	// or "//": elsewhere it ends a link.
	next, width := narrow(text, i+n)
	linked := len(before) > 0 && class[before[len(before)-1]]&inURL != 0 && class[next]&inURL != 0
	if linked && strings.IndexByte("./-_=%&?#:", b) >= 0 && (width > 1 || b == ':' && next == '/') {
		return b, n
	}
	return text[i], 1
}

// narrow returns the ASCII form of the character at i and its length; a byte
// that has none stands for itself.
func narrow(text []byte, i int) (b byte, n int) {
	if i >= len(text) {
		return 0, 1
	}
	if len(text)-i < 3 || text[i] != 0xEF {
		return text[i], 1
	}
	switch last := text[i+2]; {
	case text[i+1] == 0xBC && 0x81 <= last && last <= 0xBF: // ！ to ＿
		return last - 0x80 + ' ', 3
	case text[i+1] == 0xBD && 0x81 <= last && last <= 0x9E: // ａ to ～
		return last - 0x80 + '`', 3
	}
	return text[i], 1
}

// invisible returns the length of the invisible character that t begins with, 0 if
// it is none: soft hyphen, zero-width and direction marks, joiners, the byte
// order mark and variation selectors.
func invisible(t []byte) int {
	if len(t) >= 2 && t[0] == 0xC2 && t[1] == 0xAD {
		return 2
	}
	if len(t) < 3 {
		return 0
	}
	b, c := t[1], t[2]
	switch t[0] {
	case 0xE2:
		if b == 0x80 && (0x8B <= c && c <= 0x8F || 0xAA <= c && c <= 0xAE) || b == 0x81 && 0xA0 <= c && c <= 0xAF {
			return 3
		}
	case 0xEF:
		if b == 0xBB && c == 0xBF || b == 0xB8 && 0x80 <= c && c <= 0x8F {
			return 3
		}
	}
	return 0
}

// isWide says whether t begins with a full-width letter or digit.
func isWide(t []byte) bool {
	if len(t) < 3 || t[0] != 0xEF {
		return false
	}
	switch c := t[2]; t[1] {
	case 0xBC: // ０ to ９, Ａ to Ｚ
		return 0x90 <= c && c <= 0x99 || 0xA1 <= c && c <= 0xBA
	case 0xBD: // ａ to ｚ
		return 0x81 <= c && c <= 0x9A
	}
	return false
}
