package link_test

import (
	"fmt"
	"strings"
)

// A shape is a kind of message that is meant to cost time.
type shape struct {
	name string
	unit string // repeated
	head string // stands in front once
}

// shapes are the worst messages that we could think of, for each part of the
// scanner.
var shapes = []shape{
	{name: "nul", unit: "\x00"},
	{name: "letters", unit: "a"},
	{name: "words", unit: "hello "},
	{name: "chinese", unit: "返利多少"},
	{name: "lead bytes", unit: "\xe4"},
	{name: "mark bytes", unit: "\xef"},
	{name: "bracket bytes", unit: "\xe3\x80"},
	{name: "dots", unit: "."},
	{name: "labels", unit: "a."},
	{name: "short labels and a digit", unit: "a.1."},
	{name: "numbered labels", unit: "1.a.", head: "1."},
	{name: "mail", unit: "a@"},
	{name: "at", unit: "@"},
	{name: "hyphens", unit: "a-"},
	{name: "slashes", unit: "/"},
	{name: "colons", unit: "://"},
	{name: "schemes", unit: "https://"},
	{name: "app schemes", unit: "tbopen://a "},
	{name: "foreign links", unit: "http://a.co/b "},
	{name: "glued links", unit: "https://a.co/b"},
	{name: "long foreign link", unit: "x://", head: "https://a.co/"},
	{name: "bare hosts", unit: "jd.com "},
	{name: "equal links", unit: "3.cn/abcd "},
	{name: "long path", unit: "d", head: "https://x.tmall.com/"},
	{name: "parameters", unit: "to=a&", head: "https://h5.m.jd.com/x?"},
	{name: "named parameters", unit: "id=a&", head: "https://item.taobao.com/item.htm?"},
	{name: "links as parameters", unit: "to=a/&", head: "https://h5.m.jd.com/x?"},
	{name: "semicolons", unit: "&;", head: "https://h5.m.jd.com/x?"},
	{name: "ampersands", unit: "&a"},
	{name: "entities", unit: "&amp;"},
	{name: "twice escaped entities", unit: "amp;", head: "&"},
	{name: "backslashes", unit: `\`},
	{name: "escaped percents", unit: "%25"},
	{name: "wrapped percents", unit: "%25", head: "https://plogin.m.jd.com/x?returnurl="},
	{name: "wrapped links", unit: "https://plogin.m.jd.com/?returnurl=https%253A%252F%252Fm.jd.com%252F%253Fto%253Da/ "},
	{name: "short wrapped links", unit: "jd.com/?to=a/ "},
	{name: "app links", unit: `jdmobile://a?params={"url":"a"} `},
	{name: "long app link", unit: `"url":`, head: "openapp.jdmobile://virtual?params={"},
	{name: "yen", unit: "￥"},
	{name: "yen and codes", unit: "￥AbCdEfGhIj1"},
	{name: "equal codes", unit: "￥AbCdEfGhIj1￥ "},
	{name: "codes without marks", unit: "AbCdEfGhIj1 "},
	{name: "codes and blanks", unit: "AbCdEfGhIj1        "},
	{name: "brackets and codes", unit: "(AbCdEfGhIj1 "},
	{name: "routing codes", unit: "CZ00011 "},
	{name: "twins", unit: "#AbCdEfGhIj1# "},
	{name: "symbols and codes", unit: "₿AbCdEfGhIj1₿"},
	{name: "hints", unit: "京快抖得唯美苏考小长打手淘天", head: "💰AbCdEfGhIj💰"},
	{name: "quotation marks", unit: "「"},
	{name: "quotations", unit: "「a」"},
	{name: "labels in brackets", unit: "【淘宝】"},
	{name: "titles in brackets", unit: "【一二三四五】"},
	{name: "digits", unit: "1"},
	{name: "phone numbers", unit: "13800138000 "},
	{name: "parcels", unit: "快递290123456789"},
	{name: "named numbers", unit: "抽签号290123456789"},
	{name: "order numbers", unit: "1707359271433894971 "},
	{name: "cards", unit: "6217001234567890122 "},
	{name: "identity cards", unit: "110105199003071239 "},
	{name: "orders of Pinduoduo", unit: "123456-123456789012345 "},
	{name: "blanks", unit: " "},
	{name: "wide blanks", unit: "\u3000"},
	{name: "digits and blanks", unit: "1234567890\u3000\u3000\u3000"},
	{name: "invisible", unit: "\u200b"},
	{name: "invisible at the end", unit: "https://a.co/b "},
	{name: "full width", unit: "１"},
	{name: "full-width punctuation", unit: "，。"},
	{name: "full-width links", unit: "ａ．", head: "１"},
}

// text returns the message of about n bytes.
func (s shape) text(n int) string {
	t := s.head + strings.Repeat(s.unit, max(1, (n-len(s.head))/len(s.unit)))
	if s.name == "invisible at the end" {
		t += "\u200b"
	}
	return t
}

// distinct returns a message of about n bytes with as many different links as fit.
func distinct(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "3.cn/%05d ", i)
	}
	return b.String()
}
