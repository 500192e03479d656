package wechat

import "fanli/bot/plaintext"

// phrase is what the channel itself says, beside what all channels of plain text say.
type phrase = plaintext.Phrase

var (
	sayVoice = phrase{ZH: "这条语音没有听清，请打字，或直接粘贴商品链接。",
		EN: "I didn't catch that. Please type it, or paste the product's link."}
	saySoon = phrase{ZH: "正在查询，稍后回复“1”看结果。", EN: "Still looking. Reply “1” in a moment for the result."}
)
