package kf

import "fanli/bot/plaintext"

// phrase is what the channel itself says, beside what all channels of plain text say.
type phrase = plaintext.Phrase

var (
	sayVoice = phrase{ZH: "语音我还听不懂，请打字，或直接粘贴商品链接。",
		EN: "I can't listen yet. Please type it, or paste the product's link."}
	sayNext = phrase{ZH: "可以点这里：", EN: "You can tap:"}
)
