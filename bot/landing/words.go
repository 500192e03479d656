package landing

import "fanli/bot/webpage"

// words are the texts of the page in one language. They stand here and not in
// bot/locale because the page is no conversation, and speaks one language more.
type words struct {
	Tag, Name                        string // Name is how the language calls itself
	Title                            string
	Price, Coupon, Final, Shop, Ends string
	Over                             string // of a coupon from a price on: "…满%s"
	CopyWords, CopyLink              string
	Copied, ByHand                   string
	HowWords, HowLink, HowBrowser    string // %s is the shop
	Open                             string // %s is the shop
	Code, Until                      string
	Gone, GoneHow, Later, LaterHow   string
	Shops                            map[string]string // by network
	AnyShop                          string
}

// shop is how people call a network.
func (w words) shop(network string) string {
	if s, ok := w.Shops[network]; ok {
		return s
	}
	return w.AnyShop
}

// all are the languages, the usual one first.
func all() []words {
	return []words{
		{
			Tag: "zh-CN", Name: "简体", Title: "优惠已就绪",
			Price: "原价", Coupon: "优惠券", Final: "券后价", Shop: "店铺", Ends: "券有效期至", Over: "满",
			CopyWords: "复制口令", CopyLink: "复制链接", Copied: "已复制，打开%s App 就会弹出", ByHand: "没能自动复制：长按上面的文字，选“复制”",
			HowWords: "1. 点“复制口令”\n2. 打开%s App，会自动弹出这件商品", HowLink: "复制链接，到浏览器或%s App 里打开",
			HowBrowser: "微信里打不开这家店：点右上角 ···，选“在浏览器打开”，或者复制链接",
			Open:       "打开%s", Code: "在电脑上看？用手机%s App 扫码", Until: "本页有效期至",
			Gone: "这个链接已经失效", GoneHow: "优惠会变。回到聊天，把商品再发一次，马上有新的链接。",
			Later: "现在打不开", LaterHow: "过一会儿再打开，链接为你留着。",
			Shops: map[string]string{"taobao": "淘宝", "jd": "京东", "pdd": "拼多多", "vip": "唯品会", "douyin": "抖音"}, AnyShop: "购物",
		},
		{
			Tag: "zh-TW", Name: "繁體", Title: "優惠已就緒",
			Price: "原價", Coupon: "優惠券", Final: "券後價", Shop: "店鋪", Ends: "券有效期至", Over: "滿",
			CopyWords: "複製口令", CopyLink: "複製連結", Copied: "已複製，打開%s App 就會彈出", ByHand: "未能自動複製：長按上面的文字，選「複製」",
			HowWords: "1. 點「複製口令」\n2. 打開%s App，會自動彈出這件商品", HowLink: "複製連結，到瀏覽器或%s App 裡打開",
			HowBrowser: "微信裡打不開這家店：點右上角 ···，選「在瀏覽器打開」，或者複製連結",
			Open:       "打開%s", Code: "在電腦上看？用手機%s App 掃碼", Until: "本頁有效期至",
			Gone: "這個連結已經失效", GoneHow: "優惠會變。回到聊天，把商品再傳一次，馬上有新的連結。",
			Later: "現在打不開", LaterHow: "過一會兒再打開，連結為你留著。",
			Shops: map[string]string{"taobao": "淘寶", "jd": "京東", "pdd": "拼多多", "vip": "唯品會", "douyin": "抖音"}, AnyShop: "購物",
		},
		{
			Tag: "en", Name: "English", Title: "Your offer is ready",
			Price: "Price", Coupon: "Coupon", Final: "With coupon", Shop: "Shop", Ends: "Coupon until", Over: "from ",
			CopyWords: "Copy the code", CopyLink: "Copy the link", Copied: "Copied. Open the %s app and it shows the item", ByHand: "It could not be copied: press the text above for long and choose Copy",
			HowWords: "1. Press “Copy the code”\n2. Open the %s app: it shows the item by itself", HowLink: "Copy the link and open it in a browser or in the %s app",
			HowBrowser: "WeChat does not open this shop: press ··· above, then Open in Browser, or copy the link",
			Open:       "Open %s", Code: "On a computer? Scan this with the %s app", Until: "This page ends at",
			Gone: "This link no longer works", GoneHow: "Offers change. Send the item to the chat again for a new link.",
			Later: "It can't be opened now", LaterHow: "Open it again in a while; the link is kept for you.",
			Shops: map[string]string{"taobao": "Taobao", "jd": "JD", "pdd": "Pinduoduo", "vip": "Vipshop", "douyin": "Douyin"}, AnyShop: "shop",
		},
	}
}

// choose returns the words of the wanted language, or else of the one that a
// browser asks for; the first where it asks for none of ours.
func choose(wanted, accept string) words {
	ws := all()
	tags := make([]string, len(ws))
	for i, w := range ws {
		tags[i] = w.Tag
	}
	return ws[webpage.Choose(tags, wanted, accept)]
}
