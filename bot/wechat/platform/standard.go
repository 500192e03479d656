package platform

import (
	"slices"

	"fanli/bot"
)

// An entry is a button of the standard menu, and what it says: the first of the words
// that is a command.
type entry struct {
	name  string
	words []string
}

// A column is a button at the bottom with what is below it: first what belongs there,
// then what fills it up as long as some commands do not exist.
type column struct {
	name    string
	entries []entry
	filling []entry
}

// columns are the standard menu: goods, money, help. The first five entries of each are
// the menu as it shall be; withdrawing is never at the bottom itself.
func columns() []column {
	return []column{
		{"查券省钱", []entry{
			{"怎么用", []string{"教程"}},
			{"今日好价", []string{"今日"}},
			{"外卖红包", []string{"外卖"}},
			{"全网比价", []string{"比价"}},
			{"大促会场", []string{"活动"}},
		}, []entry{{"查优惠券", []string{"查券"}}, {"搜商品", []string{"搜索"}}, {"重看结果", []string{"重发"}}}},
		{"我的返利", []entry{
			{"我的订单", []string{"订单"}},
			{"余额提现", []string{"余额"}},
			{"找回订单", []string{"找回"}},
			{"返利明细", []string{"返利明细"}},
			{"我的资料", []string{"我的资料"}},
		}, []entry{{"提现进度", []string{"提现进度"}}}},
		{"帮助中心", []entry{
			{"邀请有礼", []string{"邀请"}},
			{"绑定淘宝", []string{"绑定淘宝"}},
			{"通知设置", []string{"通知"}},
			{"常见问题", []string{"规则", "帮助"}},
			{"联系客服", []string{"客服"}},
		}, []entry{{"会员等级", []string{"会员"}}, {"每日签到", []string{"签到"}}}},
	}
}

// Standard is the standard menu of three by five, made of commands as people type them
// in Chinese. What is no command yet is left out, and others stand in its place.
func Standard(commands []bot.Command) Menu {
	var out Menu
	for _, c := range columns() {
		b := Button{Name: c.name}
		for _, e := range append(slices.Clone(c.entries), c.filling...) {
			if w := e.word(commands); w != "" && len(b.Sub) < subMax {
				b.Sub = append(b.Sub, Button{Name: e.name, Say: w})
			}
		}
		if len(b.Sub) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// word is what an entry says; "" if none of its words is a command.
func (e entry) word(commands []bot.Command) string {
	for _, w := range e.words {
		if slices.ContainsFunc(commands, func(c bot.Command) bool { return slices.Contains(c.Words, w) }) {
			return w
		}
	}
	return ""
}
