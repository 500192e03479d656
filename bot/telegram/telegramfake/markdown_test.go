package telegramfake_test

import (
	"fmt"
	"testing"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"fanli/bot/telegram/telegramfake"
)

// shown is what is marked in a message.
func shown(s telegramfake.Sent) string {
	var out []string
	for _, e := range s.Entities {
		out = append(out, fmt.Sprintf("{%s %d %d %s}", e.Type, e.Offset, e.Length, e.URL+e.Language))
	}
	return fmt.Sprint(out)
}

// TestMarkdown: what the three modes of markup leave, and how they are refused, in the
// words of the server.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Say(ann, "/start")
	send := func(mode, in string) (result, telegramfake.Sent) {
		r := call(t, s, "sendMessage", "chat_id", "1001", "parse_mode", mode, "text", in)
		all := s.Sent(ann)
		if len(all) == 0 {
			return r, telegramfake.Sent{}
		}
		return r, all[len(all)-1]
	}
	for _, tt := range []struct{ mode, in, text, marks string }{
		{"MarkdownV2", `*b* _i_ __u__ ~s~ ||p|| \*x\_`, "b i u s p *x_", "[{bold 0 1 } {italic 2 1 } {underline 4 1 } {strikethrough 6 1 } {spoiler 8 1 }]"},
		{"markdownv2", "😀*x*", "😀x", "[{bold 2 1 }]"},
		{"MarkdownV2", "*a _b_*", "a b", "[{bold 0 3 } {italic 2 1 }]"},
		{"MarkdownV2", "_a __b___ __c__", "a b c", "[{italic 0 3 } {underline 2 1 } {underline 4 1 }]"},
		{"MarkdownV2", "[a\\]b](https://x.example/?a=1&b=\\)2)", "a]b", "[{text_link 0 3 https://x.example/?a=1&b=)2}]"},
		{"MarkdownV2", "[https://x\\.example/](https://y.example/)", "https://x.example/", "[{text_link 0 18 https://y.example/}]"},
		{"MarkdownV2", "[a](nonsense)", "a", "[]"},
		{"MarkdownV2", "`a.b*` ```go\nx.y()\n```", "a.b* x.y()", "[{code 0 4 } {pre 5 5 go}]"},
		{"MarkdownV2", "```\nx\\`\\\\\n```", "x`\\", "[{pre 0 3 }]"},
		{"MarkdownV2", ">q\n>r *s*\nt", "q\nr s\nt", "[{blockquote 0 5 } {bold 4 1 }]"},
		{"MarkdownV2", "!\\[x", "", ""},
		{"MarkdownV2", "a ![👍](tg://emoji?id=5368324170671202286)", "a 👍", "[{custom_emoji 2 2 }]"},
		{"MarkdownV2", " *  b*  ", "b", "[{bold 0 1 }]"},
		{"Markdown", `*b* _i_ \_x [l](https://x.example/) 1.5`, "b i _x l 1.5", "[{bold 0 1 } {italic 2 1 } {text_link 7 1 https://x.example/}]"},
		{"Markdown", "`a` ```py\nb```", "a b", "[{code 0 1 } {pre 2 1 py}]"},
	} {
		got, last := send(tt.mode, tt.in)
		if tt.text == "" {
			wantFailure(t, got, 400, `Bad Request: can't parse entities: Character '!' is reserved and must be escaped with the preceding '\'`)
			continue
		}
		if marks := shown(last); !got.OK || last.Text != tt.text || marks != tt.marks {
			t.Errorf("%s %q is seen as %q with %s, want %q with %s; %s", tt.mode, tt.in, last.Text, marks, tt.text, tt.marks, got.Description)
		}
	}
	for _, tt := range []struct{ mode, in, text string }{
		{"MarkdownV2", "1.5", `Character '.' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "a | b", `Character '|' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "a > b", `Character '>' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "abcd *x", "Can't find end of Bold entity at byte offset 5"},
		{"MarkdownV2", "返利 _x", "Can't find end of Italic entity at byte offset 7"},
		{"MarkdownV2", "__x_", "Can't find end of Italic entity at byte offset 3"},
		{"MarkdownV2", "```x``", "Can't find end of Pre entity at byte offset 0"},
		{"MarkdownV2", "[a](http://x", "Can't find end of a URL at byte offset 4"},
		{"MarkdownV2", "![a]", "Custom emoji entity must contain a tg://emoji URL"},
		{"MarkdownV2", ">*a\nb", "Can't find end of Bold entity at byte offset 1"},
		{"Markdown", "ab *x", "Can't find end of the entity starting at byte offset 3"},
	} {
		got, _ := send(tt.mode, tt.in)
		wantFailure(t, got, 400, "Bad Request: can't parse entities: "+tt.text)
	}
	for _, in := range []string{"_*[]()~`>#+-=|{}.! \\", "返利 ¥2.80 (约3%) #1 😀"} {
		escaped := ""
		for _, r := range in { // the library forgets the backslash
			if escaped += tgbotapi.EscapeText(tgbotapi.ModeMarkdownV2, string(r)); r == '\\' {
				escaped += `\`
			}
		}
		if got, last := send("MarkdownV2", escaped); !got.OK || last.Text != in || len(last.Entities) != 0 {
			t.Errorf("%q escaped is seen as %q: %s", in, last.Text, got.Description)
		}
	}
}
