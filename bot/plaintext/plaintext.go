// Package plaintext writes for chat networks that show text and nothing else, as WeChat
// does: texts without markup, cut to a length in bytes, and which pages open there.
package plaintext

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean keeps a text from being anything but text: WeChat takes <a …> for a link
// wherever it stands.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == '\u007f' || r == utf8.RuneError || r >= 0xFFFE && r <= 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return anchors.ReplaceAllString(s, "＜$1")
}

var anchors = regexp.MustCompile(`(?i)<(/?a[\s>/])`)

// Split cuts a text into pieces of at most size bytes: between paragraphs if it can,
// else between lines, else before a word. What is taken as a whole stays whole.
func Split(s string, size int) (out []string) {
	for len(s) > size {
		at := cutAt(s, size)
		out = append(out, strings.TrimRight(s[:at], "\n "))
		s = strings.TrimLeft(s[at:], "\n ")
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}

// cutAt is where to cut a text so that at most size bytes stand before.
func cutAt(s string, size int) int {
	for _, by := range []string{"\n\n", "\n"} {
		if i := strings.LastIndex(s[:size], by); i > size/4 {
			return i
		}
	}
	i := size
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	for _, w := range whole.FindAllStringIndex(s, -1) {
		if w[0] > 0 && w[0] < i && i < w[1] && w[1]-w[0] <= size {
			return w[0]
		}
	}
	return i
}

// whole is what nobody can use a half of: links, addresses, 口令, and words and numbers.
var whole = regexp.MustCompile(`<a [^>]*>[^<]*</a>|https?://[^\s<>"]+|[￥¥₴€][0-9A-Za-z]+[￥¥₴€]|[!-~]+`)

// blockedHosts open no page inside WeChat.
func blockedHosts() []string {
	return []string{"taobao.com", "tmall.com", "tmall.hk", "tb.cn", "alipay.com", "1688.com", "fliggy.com", "douyin.com", "jinritemai.com", "kuaishou.com"}
}

// Blocked reports whether WeChat refuses to open an address.
func Blocked(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range blockedHosts() {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

// English reports whether a text has no Chinese in it: what we say around it is
// English then, too.
func English(s string) bool {
	letters := false
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return false
		}
		letters = letters || unicode.IsLetter(r)
	}
	return letters
}
