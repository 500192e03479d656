package telegram

import "strings"

// A phrase is one of the few things that the channel itself says.
type phrase struct{ zh, en string }

var (
	pressForeign = phrase{"这个按钮是给别人的，请自己发送链接或命令。", "This button is for someone else. Please send your own message."}
	broken       = phrase{"出错了，请稍后再试。", "Something went wrong. Please try again later."}
)

// say chooses the language: Chinese unless the person's app speaks another.
func say(language string, p phrase) string {
	if language == "" || strings.HasPrefix(strings.ToLower(language), "zh") {
		return p.zh
	}
	return p.en
}
