package confirm

import "strings"

// words are the texts of the page in one language. They stand here and not in
// bot/locale because this page is no conversation and no adapter knows the bot.
type words struct {
	Tag                                       string
	Title, Payee, Until                       string
	Button, How, Asking, Again, Unsure        string
	Outside, OutsideHow                       string
	Open, Busy, Paid, Over, OverHow, PaidHow  string
	Gone, GoneHow, Later, LaterHow, NeedsUpto string
}

var zh = words{
	Tag: "zh-CN", Title: "确认收款", Payee: "收款账户", Until: "请在此时间前确认",
	Button: "去微信确认收款", How: "点下面的按钮，在微信里确认后钱就到零钱。", Asking: "正在核对…", Again: "还没有确认，可以再点一次。",
	Unsure: "还没有等到结果，过一会儿刷新看看。", Outside: "请在微信里打开", OutsideHow: "把这个链接发到微信（比如文件传输助手），在微信里点开就能确认收款。",
	Open: "等你确认", Busy: "正在处理，过一会儿刷新看看。", Paid: "已到账", PaidHow: "钱已经在微信零钱里。",
	Over: "这笔不用确认了", OverHow: "它已经结束。没有收到的钱会退回余额，可以再提一次。",
	Gone: "这个链接打不开了", GoneHow: "它可能已经过期。回到聊天里发“提现记录”，会有新的链接。",
	Later: "现在查不到", LaterHow: "过一会儿再打开，钱为你保留着。", NeedsUpto: "请把微信更新到最新版本再试。",
}

var en = words{
	Tag: "en", Title: "Confirm your payment", Payee: "Paid to", Until: "Confirm before",
	Button: "Confirm in WeChat", How: "Press the button and confirm in WeChat; the money is in your balance then.", Asking: "Looking it up…",
	Again: "Not confirmed yet; you can press again.", Unsure: "No result yet. Reload the page in a while.",
	Outside: "Open this page in WeChat", OutsideHow: "Send the link to yourself in WeChat and open it there to confirm.",
	Open: "Waiting for you", Busy: "It is being worked on. Reload the page in a while.", Paid: "It has arrived", PaidHow: "The money is in your WeChat balance.",
	Over: "Nothing to confirm any more", OverHow: "This payment has ended. Money that you did not get goes back to your balance; you can withdraw it again.",
	Gone: "This link no longer works", GoneHow: "It may have ended. Ask for your withdrawals in the chat to get a new one.",
	Later: "We can't look it up now", LaterHow: "Open it again in a while; the money stays yours.", NeedsUpto: "Update WeChat, then try again.",
}

// language chooses by what a browser asks for first; Chinese where it asks for
// neither.
func language(accept string) words {
	for part := range strings.SplitSeq(strings.ToLower(accept), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch main, _, _ := strings.Cut(tag, "-"); main {
		case "zh":
			return zh
		case "en":
			return en
		}
	}
	return zh
}
