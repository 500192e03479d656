package bot

import (
	"strings"
	"unicode/utf8"
)

// slips are the slips in short command words that are known: what sounds or looks alike,
// and what fingers swap. Only what is no name of goods is in it: two characters of which
// one is another are mostly a word of their own ("苹果" is not "结果"), so that short words
// are held for a command only if they are here.
func slips() map[string]string {
	out := map[string]string{}
	for name, words := range map[string]string{
		"withdraw":  "体现 提线 题现 提显 提先 体线 提县 替现 提限 题线 替限 梯现 提款 取现 withdarw",
		"balance":   "余而 余鹅 余俄 余饿 余恶 余鄂 鱼额 于额 雨额 与额 佘额 我得钱 我的前 我地钱",
		"orders":    "定单 钉单 丁单 顶单 订丹 订但 订担 丁丹 oder oders ordes",
		"statement": "名细 明系 明西 明戏 明喜 明隙 帐单 仗单 丈单",
		"coupon":    "查卷 查劵 察券 查圈 差券 查卡券 领卷 领劵 优惠卷 优惠劵 优惠圈 优会券 优慧券 cuopon",
		"claim":     "找会 照回 着回 找灰 招回 找回来 丢但 补但",
		"why":       "为神马 为什莫 为什吗 为什嘛 为甚么 为甚麽 为神么 为深么 为撒 为傻 围啥",
		"payee":     "手款 守款 受款 收宽 支付保 支副宝 致付宝 知付宝",
		"checkin":   "千到 前到 签道 签倒 牵到 迁到",
		"level":     "会元 汇员 回员 会圆 惠员",
		"invite":    "要请 约请 邀清 邀情 摇请 邀晴 妖请 要请码 邀情码 邀清码",
		"link":      "关连 管联 官联 关莲 关链",
		"unlink":    "解帮 解榜 解棒 解邦",
		"guide":     "教成 叫程 较程 教呈 怎吗用 怎摸用 咋么用 咋用",
		"cancel":    "取销 取肖 娶消",
		"help":      "帮住 帮组 帮主 帮注 帮柱 帮猪 邦助 绑助 梆助 菜但 hlep hepl pelh",
		"more":      "更朵 跟多 更度 下一业",
		"appeal":    "申述 伸诉 申素 审诉 伸述",
		"support":   "客付 客复 客伏 课服 刻服 客福 人功 人公客服",
	} {
		for _, w := range strings.Fields(words) {
			out[fold(w)] = name
		}
	}
	return out
}

// A guess finds the command that a text was meant to be.
type guess func(s string) (name, args string, ok bool)

// sure guesses what is hardly anything but a slip: a known one, a missing space before
// a number, a slip in a long word. It comes before a search.
func sure(s string) (name, args string, ok bool) {
	if c, digits, ok := glued(s); ok {
		return c.name, digits, true
	}
	head, digits := numbered(s)
	if name, ok := slips()[fold(head)]; ok {
		return name, digits, true
	}
	return near(s, command.surely)
}

// perhaps guesses what may be a slip, for texts that turned out to be nothing else.
func perhaps(s string) (name, args string, ok bool) { return near(s, command.missed) }

// Lengths of words, in characters, in which one slip leaves enough of the word.
const (
	nearRunesMin    = 4 // may
	sureRunesMin    = 6 // surely does
	wrongRunesMin   = 7 // surely does, also if the slip is a wrong letter ("starch" is not "search")
	nearRunesMinHan = 3
	sureRunesMinHan = 4
)

// missed reports whether a word may be one of the command's with one slip. Of words of
// two characters only the one that people hear of counts, and nobody misses the first
// letter.
func (c command) missed(word []rune) bool {
	for i, w := range c.words() {
		other := []rune(fold(w))
		least := nearRunesMin
		switch {
		case han(other) && i == 0:
			least = nearRunesMinHan - 1
		case han(other):
			least = nearRunesMinHan
		}
		if len(word) >= least && len(other) >= least && (han(other) || word[0] == other[0]) && oneSlip(word, other) {
			return true
		}
	}
	return false
}

// surely reports whether a word is one of the command's with one slip, and hardly
// anything else.
func (c command) surely(word []rune) bool {
	for _, w := range c.words() {
		other := []rune(fold(w))
		switch {
		case !oneSlip(word, other):
		case han(other):
			if len(other) >= sureRunesMinHan && len(word) >= sureRunesMinHan-1 {
				return true
			}
		case len(other) < sureRunesMin || word[0] != other[0] || string(word) == string(other)+"s":
		case len(word) != len(other) || len(other) >= wrongRunesMin || swapped(word, other):
			return true
		}
	}
	return false
}

// han reports whether a word is written in Chinese characters.
func han(word []rune) bool { return len(word) > 0 && word[0] >= utf8.RuneSelf }

// swapped reports whether two words that are one slip apart have the same letters.
func swapped(a, b []rune) bool {
	left := map[rune]int{}
	for i := range a {
		left[a[i]]++
		left[b[i]]--
	}
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}
