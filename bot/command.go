package bot

import (
	"context"
	"slices"
	"strings"
)

// A section groups commands in the help.
type section string

const (
	sectionFind   section = "find"
	sectionOrders section = "orders"
	sectionMoney  section = "money"
	sectionMore   section = "more"

	// Those of staff. Their commands are words in the staff group only, for members
	// of staff; who may use which is said by desk.Specs.
	sectionState   section = "state"
	sectionCases   section = "cases"
	sectionPayouts section = "payouts"
	sectionRules   section = "rules"
	sectionFeeds   section = "feeds"
	sectionStops   section = "stops"
	sectionFace    section = "face"
	sectionBooks   section = "books"
)

// staff reports whether a section is for staff.
func (s section) staff() bool {
	switch s {
	case sectionState, sectionCases, sectionPayouts, sectionRules, sectionFeeds, sectionStops, sectionFace, sectionBooks:
		return true
	default:
		return false
	}
}

// A command is one row of the table from which everything about commands comes:
// recognition, help, the channels' menus, docs/commands.md.
type command struct {
	name    string   // the slash command too: [a-z]{1,32}; its help is "help.<name>"
	section section  // "" for what help leaves out
	group   bool     // works where others read along
	zh      []string // the first one is what buttons say
	en      []string
	run     func(t *turn, ctx context.Context, args string) (Reply, error)
}

// commands is the table. It is a function because the help, which it lists, reads
// it.
func commands() []command { return append(peoples(), crews()...) }

// peoples are the rows of everybody.
func peoples() []command {
	return []command{
		{"coupon", sectionFind, true, []string{"查券", "查", "优惠", "优惠券", "领券"}, []string{"coupon", "coupons"}, (*turn).coupon},
		{"search", sectionFind, true, []string{"搜", "搜索", "搜寻", "找", "买"}, []string{"search", "find"}, (*turn).search},
		{"compare", sectionFind, false, []string{"比价", "对比", "全网比价"}, []string{"compare", "compare prices"}, (*turn).compare},
		{"deals", sectionFind, false, []string{"今日", "好价", "今日好价", "爆款", "推荐"}, []string{"deals", "today"}, (*turn).deals},
		{"food", sectionFind, false, []string{"外卖", "饿了么", "美团"}, []string{"food", "takeaway"}, (*turn).food},
		{"more", sectionFind, true, []string{"更多", "下一页", "下页", "+"}, []string{"more", "next"}, (*turn).more},
		{"back", sectionFind, true, []string{"上一页", "上页", "-"}, []string{"back", "previous", "prev"}, (*turn).back},
		{"last", sectionFind, true, []string{"重发", "没收到", "结果"}, []string{"last", "again", "resend"}, (*turn).resend},

		{"orders", sectionOrders, false, []string{"订单", "我的订单", "订单查询", "查单", "订单列表"}, []string{"orders", "my orders"}, (*turn).orders},
		{"order", sectionOrders, false, []string{"订单详情", "查询"}, []string{"order"}, (*turn).orders},
		{"why", sectionOrders, false, []string{"为什么", "为啥", "为啥没返利", "原因"}, []string{"why"}, (*turn).why},
		{"claim", sectionOrders, false, []string{"找回", "找回订单", "丢单", "补单", "认领", "绑定订单"}, []string{"claim"}, (*turn).claim},
		{"claims", sectionOrders, false, []string{"找回进度", "找回结果", "我的找回"}, []string{"claims", "claim status"}, (*turn).claims},
		{"appeal", "", false, []string{"申诉"}, []string{"appeal"}, (*turn).appeal},

		{"balance", sectionMoney, false, []string{"余额", "钱包", "我的钱", "我的返利", "积分"}, []string{"balance", "wallet"}, (*turn).balance},
		{"statement", sectionMoney, false, []string{"明细", "账单", "流水", "余额变动", "返利明细"}, []string{"statement", "ledger", "history"}, (*turn).statement},
		{"withdraw", sectionMoney, false, []string{"提现", "提取", "领钱"}, []string{"withdraw", "cash out"}, (*turn).withdraw},
		{"withdrawals", sectionMoney, false, []string{"提现状态", "提现进度", "提现结果", "到账了吗"}, []string{"withdrawals", "withdrawal status"}, (*turn).withdrawals},
		{"cancelwithdrawal", sectionMoney, false, []string{"取消提现", "撤销提现"}, []string{"cancel withdrawal"}, (*turn).cancelWithdrawal},
		{"autopay", sectionMoney, false, []string{"自动提现"}, []string{"autopay", "auto withdraw", "autowithdraw"}, (*turn).autopay},
		{"payee", sectionMoney, false, []string{"收款", "收款账户", "收款方式", "支付宝", "绑定支付宝"}, []string{"payee", "payout", "payout account"}, (*turn).payee},

		{"checkin", sectionMoney, false, []string{"签到", "打卡"}, []string{"check in"}, (*turn).checkIn},
		{"campaigns", sectionMore, false, []string{"活动", "任务", "红包"}, []string{"campaigns", "bonuses"}, (*turn).campaigns},
		{"level", sectionMore, false, []string{"会员", "等级", "开通会员", "升级"}, []string{"level", "membership", "upgrade"}, (*turn).level},
		{"invite", sectionMore, false, []string{"邀请", "邀请好友", "邀请码"}, []string{"invite", "invitation"}, (*turn).invite},

		{"me", sectionMore, false, []string{"我的", "个人信息", "资料", "我的资料", "我的信息"}, []string{"me", "profile", "my profile"}, (*turn).me},
		{"link", sectionMore, false, []string{"关联", "关联账号", "绑定账号", "关联码"}, []string{"link", "link account", "bind code"}, (*turn).link},
		{"unlink", sectionMore, false, []string{"解除关联", "解绑", "取消关联"}, []string{"unlink", "unlink account"}, (*turn).unlink},
		{"bindtaobao", sectionMore, false, []string{"绑定淘宝", "淘宝授权", "授权", "绑定会员"}, []string{"bind taobao"}, (*turn).bindTaobao},
		{"bind", "", false, []string{"绑定"}, []string{"bind"}, (*turn).binding},

		{"start", "", false, []string{"开始", "你好", "您好", "在吗", "嗨", "哈喽"}, []string{"start", "hello", "hi"}, (*turn).start},
		{"guide", sectionMore, false, []string{"教程", "怎么用", "新手", "使用教程"}, []string{"guide", "how"}, (*turn).guide},
		{"rules", sectionMore, false, []string{"规则", "说明", "返利规则", "常见问题"}, []string{"rules", "faq", "terms"}, (*turn).rules},
		{"language", sectionMore, false, []string{"语言", "切换语言"}, []string{"language", "lang"}, (*turn).language},
		{"support", sectionMore, true, []string{"客服", "人工", "人工客服", "转人工", "联系客服", "投诉"}, []string{"support", "customer service", "contact us"}, (*turn).support},
		{"notify", sectionMore, false, []string{"通知", "通知设置", "消息设置", "消息通知"}, []string{"notify", "notices", "notifications"}, (*turn).notices},
		{"quiet", "", false, []string{"免打扰", "勿扰"}, []string{"quiet", "quiet hours"}, (*turn).quietHours},
		{"unsubscribe", sectionMore, false, []string{"退订", "TD", "停止推送", "取消订阅", "关闭通知"}, []string{"unsubscribe", "stop", "stop notices"}, (*turn).unsubscribe},
		{"cancel", sectionMore, false, []string{"取消", "返回", "退出"}, []string{"cancel", "exit", "quit"}, (*turn).cancel},
		{"help", sectionMore, true, []string{"帮助", "菜单", "指令", "关键词", "功能", "0", "?"}, []string{"help", "menu", "commands"}, (*turn).help},
		{"confirm", "", false, []string{"确认"}, []string{"confirm"}, (*turn).confirm},
	}
}

// crews are the rows of staff.
func crews() []command {
	return []command{
		{"astatus", sectionState, true, []string{"状态"}, []string{"status"}, (*turn).act},
		{"todo", sectionState, true, []string{"待办"}, []string{"todo", "to do"}, (*turn).act},
		{"report", sectionState, true, []string{"日报", "报表", "今日"}, []string{"report"}, (*turn).act},
		{"user", sectionCases, true, []string{"用户"}, []string{"user"}, (*turn).act},
		{"aorder", sectionCases, true, []string{"订单", "查单"}, []string{"order"}, (*turn).act},
		{"unmatched", sectionCases, true, []string{"未归属"}, []string{"unmatched", "unattributed"}, (*turn).act},
		{"assign", sectionCases, true, []string{"归属", "改归属"}, []string{"assign", "reassign"}, (*turn).act},
		{"payouts", sectionPayouts, true, []string{"提现列表", "待审提现"}, []string{"payouts", "withdrawals"}, (*turn).act},
		{"approve", sectionPayouts, true, []string{"通过", "批准"}, []string{"approve"}, (*turn).act},
		{"reject", sectionPayouts, true, []string{"拒绝"}, []string{"reject", "refuse"}, (*turn).act},
		{"second", sectionPayouts, true, []string{"复核"}, []string{"second"}, (*turn).second},
		{"arules", sectionRules, true, []string{"规则"}, []string{"rules"}, (*turn).act},
		{"whatif", sectionRules, true, []string{"试算", "规则试算"}, []string{"what if", "simulate"}, (*turn).act},
		{"rollback", sectionRules, true, []string{"规则回滚", "回滚"}, []string{"rollback"}, (*turn).act},
		{"sync", sectionFeeds, true, []string{"同步"}, []string{"sync"}, (*turn).act},
		{"gaps", sectionFeeds, true, []string{"缺口"}, []string{"gaps"}, (*turn).act},
		{"pause", sectionFeeds, true, []string{"暂停同步", "暂停"}, []string{"pause"}, (*turn).act},
		{"resume", sectionFeeds, true, []string{"恢复同步", "恢复"}, []string{"resume"}, (*turn).act},
		{"switches", sectionStops, true, []string{"开关"}, []string{"switches"}, (*turn).act},
		{"kill", sectionStops, true, []string{"熔断", "停"}, []string{"kill", "stop"}, (*turn).act},
		{"revive", sectionStops, true, []string{"解除熔断", "解除"}, []string{"revive"}, (*turn).act},
		{"wxmenu", sectionFace, true, []string{"公众号菜单"}, []string{"wechat menu"}, (*turn).act},
		{"wxpublish", sectionFace, true, []string{"发布菜单", "发布公众号菜单"}, []string{"publish menu"}, (*turn).act},
		{"prove", sectionBooks, true, []string{"对账账本", "账本"}, []string{"prove", "books"}, (*turn).act},
		{"audit", sectionBooks, true, []string{"审计"}, []string{"audit", "acts"}, (*turn).act},
		{"staff", sectionBooks, true, []string{"管理员", "管理员列表"}, []string{"staff"}, (*turn).act},
		{"staffadd", sectionBooks, true, []string{"加管理员"}, []string{"add staff"}, (*turn).act},
		{"staffremove", sectionBooks, true, []string{"删管理员"}, []string{"remove staff"}, (*turn).act},
	}
}

// people are the commands of everybody, crew those of staff.
func people() []command { return sectioned(false) }

func crew() []command { return sectioned(true) }

func sectioned(staff bool) []command {
	return slices.DeleteFunc(commands(), func(c command) bool { return c.section.staff() != staff })
}

// words returns all words of a command, with its slash name.
func (c command) words() []string {
	return append(append(slices.Clone(c.zh), c.en...), c.name)
}

// in returns the words of a command in one language.
func (c command) in(tag string) []string {
	if tag == "en" {
		return c.en
	}
	return c.zh
}

// commandNamed returns a row of the table.
func commandNamed(name string) (command, bool) {
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return all[i], true
}

// commandWord is what buttons say to run a command.
func commandWord(tag, name string) string {
	c, ok := commandNamed(name)
	if !ok {
		return name
	}
	return c.in(tag)[0]
}

// match finds the command that a tidy line is, or begins with. Only whole words
// count: "提现状态" is not "提现".
func match(s string) (c command, args string, ok bool) { return matchIn(people(), s) }

func matchIn(table []command, s string) (c command, args string, ok bool) {
	if c, ok := exactIn(table, s); ok {
		return c, "", true
	}
	for _, way := range split(s) {
		if c, ok := exactIn(table, way[0]); ok {
			return c, way[1], true
		}
	}
	return command{}, "", false
}

// exact finds the command of everybody with a word.
func exact(s string) (command, bool) { return exactIn(people(), s) }

func exactIn(table []command, s string) (command, bool) {
	word := fold(s)
	for _, c := range table {
		for _, w := range c.words() {
			if fold(w) == word {
				return c, true
			}
		}
	}
	return command{}, false
}

// spoken are commands whose first words people say to each other, too: in groups they
// count with a slash only.
var spoken = []string{"me", "food", "campaigns", "rules"}

// main reports whether s, which was written as text, begins with a command's first word
// in a language. In groups only those count: people say "?" and "买" to each other, too.
func (c command) main(text, s string) bool {
	if slices.Contains(spoken, c.name) && !strings.HasPrefix(strings.TrimSpace(text), "/") {
		return false
	}
	for _, w := range []string{c.zh[0], c.en[0], c.name} {
		rest, ok := cutFold(s, w)
		if ok && (rest == "" || containsFirst(separators, rest)) {
			return true
		}
	}
	return false
}

// A Command is what channels and documents list.
type Command struct {
	Name  string   // for a slash: [a-z]{1,32}
	Words []string // what people type, in one language; the first one is usual
	Help  string   // one line
	Group bool     // works in groups; the others answer that they are private
}

// Commands returns the commands that people are told about, in the order of the
// help, in one language, without those that are named: they are switched off.
func Commands(tag string, without ...string) []Command {
	return slices.DeleteFunc(listed(people(), tag), func(c Command) bool { return slices.Contains(without, c.Name) })
}

func listed(table []command, tag string) []Command {
	v := voiceOf(tag)
	var out []Command
	for _, c := range table {
		if c.section != "" {
			out = append(out, Command{c.name, slices.Clone(c.in(v.words.Tag())), v.T("help." + c.name), c.group})
		}
	}
	return out
}
