package platform

import (
	"slices"

	"fanli/bot"
)

// An entry is a button of the standard menu, and the command that it says.
type entry struct{ name, say string }

// A column is a button at the bottom with what is below it: first what belongs there,
// then what fills it up where some of that is switched off.
type column struct {
	name    string
	entries []entry
	filling []entry
}

// columns are the standard menu: goods, one's own money, help. The first
// five entries of each are the menu as it shall be; withdrawing is never at the bottom
// itself.
func columns() []column {
	return []column{
		{
			"查券省钱", []entry{{"怎么用", "教程"}, {"今日好价", "今日"}, {"外卖红包", "外卖"}, {"全网比价", "比价"}, {"大促会场", "活动"}},
			[]entry{{"查优惠券", "查券"}, {"搜商品", "搜索"}, {"重看结果", "重发"}},
		},
		{
			"我的返利", []entry{{"我的订单", "订单"}, {"余额提现", "余额"}, {"找回订单", "找回"}, {"返利明细", "明细"}, {"我的资料", "我的"}},
			[]entry{{"提现进度", "提现进度"}},
		},
		{
			"帮助中心", []entry{{"邀请有礼", "邀请"}, {"绑定淘宝", "绑定淘宝"}, {"通知设置", "通知"}, {"常见问题", "规则"}, {"联系客服", "客服"}},
			[]entry{{"会员等级", "会员"}, {"每日签到", "签到"}, {"全部指令", "帮助"}, {"关联账号", "关联"}},
		},
	}
}

// Standard is the standard menu of three by five, made of commands as people type them
// in Chinese. What is no command, or is switched off, is left out, and others stand in its
// place.
func Standard(commands []bot.Command) Menu {
	var out Menu
	for _, c := range columns() {
		b := Button{Name: c.name}
		for _, e := range append(slices.Clone(c.entries), c.filling...) {
			known := slices.ContainsFunc(commands, func(c bot.Command) bool { return slices.Contains(c.Words, e.say) })
			if known && len(b.Sub) < subMax {
				b.Sub = append(b.Sub, Button{Name: e.name, Say: e.say})
			}
		}
		if len(b.Sub) > 0 {
			out = append(out, b)
		}
	}
	return out
}
