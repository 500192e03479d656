package plaintext

import (
	"fmt"
	"strings"
)

// The lines below are said by every channel that shows plain text. The texts of package bot
// are in bot/locale; these belong to how a network shows things, and their language is that of
// what stands around them.

// CannotRead is what is said to a picture, a film or a place, by how the network names it, and
// to anything else that is no text. ok is false for what is none of the three.
func CannotRead(kind string) (p Phrase, ok bool) {
	switch kind {
	case "image":
		return Phrase{
			ZH: "图片我还看不懂 🙈 请把商品链接、口令或标题以文字发给我。",
			EN: "I can't read pictures yet 🙈 Please send me the product's link, its share text or its title.",
		}, true
	case "video":
		return Phrase{
			ZH: "视频我还看不懂，请把商品链接或口令发给我。",
			EN: "I can't read videos yet. Please send me the product's link or its share text.",
		}, true
	case "location":
		return Phrase{
			ZH: "我用不到位置信息 🙂 请把商品链接、口令或标题发给我，回复“帮助”看我能做什么。",
			EN: "I have no use for places 🙂 Send me a product's link, its share text or its title; “help” says what I can do.",
		}, true
	}
	return Phrase{
		ZH: "这种消息我收不到内容。请在商品页点“分享”→“复制链接”，把文字发给我。",
		EN: "I can't see what is in such messages. On the product's page choose “share”, “copy link”, and paste the text here.",
	}, false
}

// ReadOn stands below a text that was cut; WantsMore understands what it asks for.
func ReadOn(english bool) string {
	return Phrase{"（还有更多，回复“更多”继续看）", "(There is more: reply “more” to read on.)"}.In(english)
}

// WantsMore reports whether a text asks for the rest of one that was cut.
func WantsMore(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "更多", "more":
		return true
	default:
		return false
	}
}

// News stands above n notices that have waited.
func News(english bool, n int) string {
	return fmt.Sprintf(Phrase{"—— 有 %d 条新消息 ——", "—— %d new messages ——"}.In(english), n)
}

// Waiting says that n notices still wait.
func Waiting(english bool, n int) string {
	return fmt.Sprintf(Phrase{"（还有 %d 条新消息，再发一条消息就能看到）", "(%d more new messages: write again to read them.)"}.In(english), n)
}

// Reply begins a line that says what can be replied.
func Reply(english bool) string { return Phrase{"回复", "Reply"}.In(english) }

// Step is a next step that is typed: the words that do it and, unless they say it themselves,
// what it is called.
func Step(english bool, action, label string) string {
	s := Reply(english) + "“" + action + "”"
	if english {
		s = Reply(english) + " “" + action + "”"
	}
	if strings.HasPrefix(action, label) {
		return s
	}
	return s + " " + label
}

// OpenPage is what our page is called that stands for one that the network does not open.
func OpenPage(english bool) string { return Phrase{"打开页面", "Open the page"}.In(english) }

// Colon stands between a label and what it is of.
func Colon(english bool) string { return Phrase{"：", ":"}.In(english) }
