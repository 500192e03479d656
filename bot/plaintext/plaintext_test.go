package plaintext_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"fanli/bot/plaintext"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"返利 🧧\nline": "返利 🧧\nline", "a\x00b\x7f\r": "ab", "\xff": "", `<a href="x">y</a>`: `＜a href="x">y＜/a>`, "<b>1 < 2</b>": "<b>1 < 2</b>", "<A>": "＜A>",
	} {
		if got := plaintext.Clean(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestSplit: pieces are short enough, whole characters, and together the text; they end
// where a paragraph or a line does if they can, and no link is cut.
func TestSplit(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("长", 10)
	for name, tt := range map[string]struct {
		text string
		size int
		want []string
	}{
		"short":      {"ab", 2, []string{"ab"}},
		"nothing":    {"", 2, nil},
		"paragraphs": {line + "\n\n" + line + "\nx", 60, []string{line, line + "\nx"}},
		"lines":      {line + "\n" + line, 50, []string{line, line}},
		"characters": {line, 7, []string{"长长", "长长", "长长", "长长", "长长"}},
		"an address": {line + " https://example.com/1 x", 40, []string{line, "https://example.com/1 x"}},
		"a 口令":       {line + "￥CZ0001abcde￥", 42, []string{line, "￥CZ0001abcde￥"}},
		"a link":     {line + `<a href="https://x">y</a>`, 40, []string{line, `<a href="https://x">y</a>`}},
	} {
		got := plaintext.Split(tt.text, tt.size)
		if strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		for _, p := range got {
			if len(p) > tt.size || !utf8.ValidString(p) {
				t.Errorf("%s: a piece of %d bytes: %q", name, len(p), p)
			}
		}
	}
}

func TestBlockedAndEnglish(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{"https://item.taobao.com/1": true, "https://tb.cn": true, "https://notaobao.com": false, "https://item.jd.com/1": false, ":": false} {
		if plaintext.Blocked(address) != want {
			t.Errorf("%s blocked: %v", address, !want)
		}
	}
	for text, want := range map[string]bool{"hello": true, "hello 返利": false, "¥1.00": false, "": false} {
		if plaintext.English(text) != want {
			t.Errorf("%q English: %v", text, !want)
		}
	}
}
