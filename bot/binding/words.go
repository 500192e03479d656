package binding

import "fanli/bot/webpage"

// words are the texts of the page in one language. They stand here and not in bot/locale
// because the page is no conversation.
type words struct {
	Tag, Name  string          // Name is how the language calls itself
	Go, Inside string          // to the shop
	Mine       string          // the warning about addresses of others
	Account    string          // what is bound
	Says       map[string]said // by state
}

// said is what the page says in one state.
type said struct{ Title, Text string }

// all are the languages, the usual one first.
func all() []words {
	return []words{
		{
			Tag: "zh-CN", Name: "中文", Go: "去淘宝授权", Account: "淘宝会员编号",
			Inside: "微信里打不开淘宝：点右上角 ···，选“在浏览器打开”，再点授权。",
			Mine:   "只在你自己刚刚在聊天里要了这个链接时才授权。别人发给你的，请直接关掉：授权后，你的淘宝订单会记到那个人名下。",
			Says: map[string]said{
				stateAsk:     {"绑定淘宝", "授权后，你用这个淘宝账号、经我们的链接下的单，都认得是你的，不再靠时间和商品去猜。\n我们只得到一个会员编号：看不到密码、地址，也动不了你的淘宝账号。"},
				stateDone:    {"绑定好了", "以后用这个淘宝账号下的单会自动归到你名下。之前没找到主人的，也已经再找了一遍。可以回到聊天了。"},
				stateTaken:   {"这个淘宝账号已经绑定了别的用户", "它没有改动。如果那也是你，回到聊天发“关联”，把两个账号合到一起；如果不是，客服已经收到提醒，会来看。"},
				stateRefused: {"你没有授权", "什么都没有变。不绑定也能照常返利；想绑定时，回到聊天再发一次“绑定淘宝”。"},
				stateSpent:   {"这个链接用过了", "如果刚才已经成功，就不用再做什么。回到聊天发“绑定淘宝”，能看到现在的状态，也能拿到新链接。"},
				stateStale:   {"这次授权没有成功", "淘宝给的凭证过期了，或者已经用过。回到聊天再发一次“绑定淘宝”，拿新链接重来就好。"},
				stateGone:    {"这个链接已经失效", "回到聊天再发一次“绑定淘宝”，马上有新的链接。"},
				stateLater:   {"现在绑不了", "淘宝或我们这边暂时没有回应，什么都没有变。过一会儿回到聊天再发一次“绑定淘宝”。"},
			},
		},
		{
			Tag: "en", Name: "English", Go: "Allow it at Taobao", Account: "Taobao member",
			Inside: "WeChat does not open Taobao: press ··· above, then Open in Browser, and allow it there.",
			Mine:   "Allow it only if you have just asked for this link in the chat yourself. If somebody sent it to you, close it: your Taobao orders would be counted as theirs.",
			Says: map[string]said{
				stateAsk:     {"Bind Taobao", "Once you allow it, whatever you buy with this Taobao account through our links is known to be yours, without guessing from time and goods.\nAll we get is a member number: no password, no address, and nothing in your Taobao account can be changed."},
				stateDone:    {"It is bound", "What you buy with this Taobao account from now on is yours by itself, and orders from before that were nobody's have been looked at again. You can go back to the chat."},
				stateTaken:   {"This Taobao account is bound to another user", "It stays as it is. If that is you, too, send “link” in the chat to bring your two accounts together; if not, our staff have been told and will look."},
				stateRefused: {"You did not allow it", "Nothing has changed. You get rebates without it as before; to bind it, send “bind taobao” in the chat again."},
				stateSpent:   {"This link was used", "If it worked a moment ago, there is nothing left to do. Send “bind taobao” in the chat to see how it is, and for a new link."},
				stateStale:   {"It did not work this time", "What Taobao sent along has expired or was used before. Send “bind taobao” in the chat for a new link."},
				stateGone:    {"This link no longer works", "Send “bind taobao” in the chat for a new one."},
				stateLater:   {"It can't be bound now", "Taobao or we did not answer, and nothing has changed. Send “bind taobao” in the chat again in a while."},
			},
		},
	}
}

// choose returns the words of the wanted language, or else of the one that a browser asks
// for; the first where it asks for none of ours.
func choose(wanted, accept string) words {
	ws := all()
	tags := make([]string, len(ws))
	for i, w := range ws {
		tags[i] = w.Tag
	}
	return ws[webpage.Choose(tags, wanted, accept)]
}
