package kf

import "fanli/bot/plaintext"

// phrase is what the channel itself says.
type phrase = plaintext.Phrase

var (
	sayImage = phrase{ZH: "图片我还看不懂 🙈 请把商品链接、口令或标题以文字发给我。",
		EN: "I can't read pictures yet 🙈 Please send me the product's link, its share text or its title."}
	sayVoice = phrase{ZH: "语音我还听不懂，请打字，或直接粘贴商品链接。",
		EN: "I can't listen yet. Please type it, or paste the product's link."}
	sayVideo = phrase{ZH: "视频我还看不懂，请把商品链接或口令发给我。",
		EN: "I can't read videos yet. Please send me the product's link or its share text."}
	sayLocation = phrase{ZH: "我用不到位置信息 🙂 请把商品链接、口令或标题发给我，回复“帮助”看我能做什么。",
		EN: "I have no use for places 🙂 Send me a product's link, its share text or its title; “help” says what I can do."}
	sayUnsupported = phrase{ZH: "这种消息我看不到内容。请在商品页点“分享”→“复制链接”，把文字发给我。",
		EN: "I can't see what is in such messages. On the product's page choose “share”, “copy link”, and paste the text here."}

	sayNext = phrase{ZH: "可以点这里：", EN: "You can tap:"}
	sayMore = phrase{ZH: "（还有更多，回复“更多”继续看）", EN: "(There is more: reply “more” to read on.)"}
	sayNews = phrase{ZH: "—— 有 %d 条新消息 ——", EN: "—— %d new messages ——"}
	sayRest = phrase{ZH: "（还有 %d 条新消息，再发一条消息就能看到）", EN: "(%d more new messages: write again to read them.)"}
	sayDo   = phrase{ZH: "回复", EN: "Reply"}
	sayPage = phrase{ZH: "打开页面", EN: "Open the page"}
)
