package bot

import (
	"strings"
	"unicode"
)

// tidy makes a message readable for the router: full-width forms become
// half-width, what cannot be seen goes, and so do the marks that people put
// around a command: a leading / or #, 【】 and 「」, punctuation at the end.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r >= '\uFF01' && r <= '\uFF5E':
			return r - '\uFF01' + '!'
		case hidden(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	slash := strings.HasPrefix(s, "/")
	bare := strings.TrimLeft(s, "/# 【「『[")
	bare = strings.TrimRight(bare, "】」』] .!?~,、;:。…")
	switch {
	case bare == "" && strings.Contains(s, "?"): // "???" is a question
		return "?"
	case bare == "":
		return s
	}
	if slash {
		bare = withoutName(bare)
	}
	for _, close := range []string{"】", "」", "』"} { // "【搜】牛奶", "「提现」 20"
		if i := strings.Index(bare, close); i > 0 && i <= headBytesMax {
			bare = strings.TrimSpace(bare[:i] + " " + bare[i+len(close):])
			break
		}
	}
	return bare
}

// headBytesMax is how far into a message a command word can reach.
const headBytesMax = 48

// withoutName takes the bot's name out of "orders@fanli_bot 2".
func withoutName(s string) string {
	head, args, _ := strings.Cut(s, " ")
	if name, _, ok := strings.Cut(head, "@"); ok && name != "" {
		return strings.TrimSpace(name + " " + args)
	}
	return s
}

// fold makes words comparable: case and traditional forms do not matter.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if simple, ok := simplified[r]; ok {
			return simple
		}
		return unicode.ToLower(r)
	}, s)
}

// simplified has the traditional forms of the characters in our command words and in
// what follows them.
var simplified = pairs("幫帮單单訂订詢询餘余額额錢钱積积細细帳账賬账變变動动現现領领狀状態态進进結结嗎吗銷销綁绑寶宝語语換换頁页發发沒没關关鍵键詞词優优買买為为爲为麼么補补認认確确開开戶户尋寻號号點点說说明明誰谁還还這这誌志轉转導导體体臺台會会員员獎奖勵励擾扰靜静請请" +
	"價价眾众務务辦办復复團团對对歸归報报權权滾滚紅红級级絕绝網网聯联繫系係系薦荐見见規规計计設设試试訴诉詳详資资過过閉闭問问題题閱阅餓饿賣卖則则刪删嘍喽個个審审屬属斷断準准簽签東东")

func pairs(s string) map[rune]rune {
	r := []rune(s)
	m := make(map[rune]rune, len(r)/2)
	for i := 0; i+1 < len(r); i += 2 {
		m[r[i]] = r[i+1]
	}
	return m
}

// separators may stand between a command word and what follows.
const separators = " :,、"

// split returns the ways to read s as a command word with arguments, the longest
// word first.
func split(s string) (ways [][2]string) {
	for i, r := range s {
		if i > headBytesMax {
			break
		}
		if i > 0 && strings.ContainsRune(separators, r) {
			ways = append([][2]string{{s[:i], strings.Trim(s[i:], separators)}}, ways...)
		}
	}
	return ways
}
