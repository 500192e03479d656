package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
	"fanli/core/user"
)

// told sends a reply to ann and returns what she sees.
func told(t *testing.T, r bot.Reply, faults ...func(f *telegramfake.Server)) []telegramfake.Sent {
	t.Helper()
	w := newWorld(t)
	w.fake.Say(ann, "/start")
	for _, f := range faults {
		f(w.fake)
	}
	if err := w.channel().Send(t.Context(), identity(ann), r); err != nil {
		t.Fatalf("Send: %v\n%s", err, w.logs)
	}
	return w.fake.Sent(ann)
}

// marked returns the parts of a message that have a style, as "bold:¥69.00".
func marked(s telegramfake.Sent) []string {
	var out []string
	r := []rune(s.Text) // the texts of these tests have no character beyond 16 bits
	for _, e := range s.Entities {
		out = append(out, e.Type+":"+string(r[e.Offset:e.Offset+e.Length]))
	}
	return out
}

var kettle = bot.Card{
	Title: "Kettle <1.7L> & lid",
	Image: "https://img.example.com/kettle.jpg",
	Rows:  []bot.Row{{Label: "券后价", Value: "¥69.00", Strong: true}, {Label: "返利", Value: "¥2.84"}},
	Notes: []string{"以结算为准"},
	Buttons: []bot.Button{
		{Label: "去购买", URL: "https://u.jd.com/abc"},
		{Label: "复制口令", Copy: "￥CZ0001 abc￥"},
		{Label: "更多", Action: "more 1"},
	},
}

func TestCard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Text: "找到了", Cards: []bot.Card{kettle}})
		if len(all) != 1 {
			t.Fatalf("%d messages, want one", len(all))
		}
		s := all[0]
		want := "找到了\n\nKettle <1.7L> & lid\n券后价  ¥69.00\n返利  ¥2.84\n以结算为准"
		if s.Text != want || s.Photo != kettle.Image {
			t.Errorf("ann sees %q with the photo %q, want %q", s.Text, s.Photo, want)
		}
		if got := fmt.Sprint(marked(s)); got != "[bold:Kettle <1.7L> & lid bold:¥69.00 italic:以结算为准]" {
			t.Errorf("marked are %s", got)
		}
		buttons := []telegramfake.Button{
			{Text: "去购买", URL: "https://u.jd.com/abc"}, {Text: "复制口令", Copy: "￥CZ0001 abc￥"}, {Text: "更多", Data: "more 1"},
		}
		if got := s.Flat(); fmt.Sprint(got) != fmt.Sprint(buttons) {
			t.Errorf("the buttons are %+v, want %+v", got, buttons)
		}
	})
}

func TestPhotoThatTelegramDoesNotTake(t *testing.T) {
	for _, text := range []string{
		"Bad Request: wrong HTTP URL specified", "Bad Request: failed to get HTTP URL content",
		"Bad Request: wrong type of the web page content", "Bad Request: wrong file identifier/HTTP URL specified",
		"Bad Request: PHOTO_INVALID_DIMENSIONS",
	} {
		t.Run(text[len("Bad Request: "):], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				all := told(t, bot.Reply{Cards: []bot.Card{kettle}}, func(f *telegramfake.Server) {
					f.Fail("sendPhoto", 1, telegramfake.Fault{Code: 400, Text: text})
				})
				if len(all) != 1 || all[0].Photo != "" || !strings.Contains(all[0].Text, "¥69.00") || len(all[0].Flat()) != 3 {
					t.Errorf("ann sees %+v, want the card without its photo", all)
				}
			})
		})
	}
}

func TestCaptionThatIsTooLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		long := kettle
		long.Notes = []string{strings.Repeat("注", 1100)}
		all := told(t, bot.Reply{Cards: []bot.Card{long}})
		if len(all) != 1 || all[0].Photo != "" || !strings.Contains(all[0].Text, long.Notes[0]) {
			t.Errorf("ann sees %+v, want all of the text and no photo", all)
		}
	})
}

func TestManyCardsAreAList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r bot.Reply
		r.Text = "搜索结果"
		for i := range 6 {
			c := kettle
			c.Title = fmt.Sprint("Kettle ", i)
			r.Cards = append(r.Cards, c)
		}
		r.Buttons = []bot.Button{{Label: "下一页", Action: "page 2"}}
		all := told(t, r)
		if len(all) != 1 || all[0].Photo != "" {
			t.Fatalf("ann sees %d messages, want one list", len(all))
		}
		flat := all[0].Flat()
		if len(flat) != 19 || flat[3].Text != "2. 去购买" || flat[18].Text != "下一页" {
			t.Errorf("the buttons are %+v", flat)
		}
		if !strings.Contains(all[0].Text, "6. Kettle 5\n券后价") {
			t.Errorf("the list is %q", all[0].Text)
		}
	})
}

func TestCardsWithoutButtonsAreOneMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Cards: []bot.Card{
			{Title: "订单 1", Rows: []bot.Row{{Label: "返利", Value: "¥1.00"}}},
			{Title: "订单 2", Rows: []bot.Row{{Value: "¥2.00"}}},
		}})
		wantTexts(t, all, "订单 1\n返利  ¥1.00\n\n订单 2\n¥2.00")
	})
}

func TestFewCardsKeepTheirPhotos(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Text: "两个", Cards: []bot.Card{kettle, kettle}, Buttons: []bot.Button{{Label: "帮助", Action: "help"}}})
		if len(all) != 3 || all[0].Text != "两个" || all[1].Photo == "" || len(all[1].Flat()) != 3 || len(all[2].Flat()) != 4 {
			t.Errorf("ann sees %+v, want a text and two photos, the last with one more button", all)
		}
	})
}

func TestButtonsThatTelegramWouldRefuse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		long := strings.Repeat("长", 300)
		all := told(t, bot.Reply{Text: "x", Buttons: []bot.Button{
			{Label: "打开", URL: "taobao://item?id=1"},
			{Label: "口令", Copy: long},
			{Label: "太长", Action: strings.Repeat("a", 65)},
			{Label: "", Action: "nameless"},
			{Label: "刚好", Action: strings.Repeat("长", 21) + "a"},
			{Label: "空"},
		}})
		if len(all) != 1 {
			t.Fatalf("%d messages, want one", len(all))
		}
		if got := all[0].Flat(); len(got) != 1 || got[0].Text != "刚好" {
			t.Errorf("the buttons are %+v, want the one that fits", got)
		}
		if want := "x\n打开: taobao://item?id=1\n口令: " + long; all[0].Text != want {
			t.Errorf("ann sees %q, want what has no button as text", all[0].Text)
		}
		if got := fmt.Sprint(marked(all[0])); got != "[code:taobao://item?id=1 code:"+long+"]" {
			t.Errorf("marked are %s, want what can be copied", got)
		}
	})
}

func TestRowsOfButtonsAreNotWiderThanAPhone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r bot.Reply
		r.Text = "x"
		for i := range 9 {
			r.Buttons = append(r.Buttons, bot.Button{Label: fmt.Sprint("选项", i), Action: fmt.Sprint(i)})
		}
		r.Buttons = append(r.Buttons, bot.Button{Label: strings.Repeat("很长的按钮", 20), Action: "long"})
		s := told(t, r)[0]
		if len(s.Buttons) != 4 || len(s.Buttons[0]) != 4 || len(s.Flat()) != 10 {
			t.Errorf("the rows are %+v", s.Buttons)
		}
		if got := s.Flat()[9].Text; utf8.RuneCountInString(got) != 40 || !strings.HasSuffix(got, "…") {
			t.Errorf("the long label is %q", got)
		}
	})
}

func TestOnlyButtons(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Buttons: []bot.Button{{Label: "帮助", Action: "help"}}})
		if len(all) != 1 || len(all[0].Flat()) != 1 {
			t.Errorf("ann sees %+v, want the button", all)
		}
	})
}

func TestEmptyReplyIsSilent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, r := range []bot.Reply{{}, {Text: " \n "}, {Cards: []bot.Card{{}}}, {Buttons: []bot.Button{{}}}} {
			if all := told(t, r); len(all) != 0 {
				t.Errorf("%+v says %q", r, texts(all))
			}
		}
	})
}

func TestHostileTexts(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"Tags", `<b>bold</b> <a href="x">y</a> </i>`, `<b>bold</b> <a href="x">y</a> </i>`},
		{"References", `&lt;b&gt; &amp;amp; &#60; &`, `&lt;b&gt; &amp;amp; &#60; &`},
		{"OpenTag", `1 < 2 and <script`, `1 < 2 and <script`},
		{"Markdown", "*x* _y_ `z` [a](b)", "*x* _y_ `z` [a](b)"},
		{"ReversedWriting", "pay \u202egnp.exe\u202c now\u2066\u2069", "pay gnp.exe now"},
		{"ControlCharacters", "a\x00b\x07c\rd", "abcd"},
		{"BrokenCharacters", "a\xff\xfeb", "a\uFFFDb"},
		{"Surrogates", "👩‍👩‍👧 <b>", "👩‍👩‍👧 <b>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				all := told(t, bot.Reply{Text: tt.in, Cards: []bot.Card{{
					Title: tt.in + "\n" + tt.in, Rows: []bot.Row{{Label: tt.in, Value: tt.in, Strong: true}}, Notes: []string{tt.in},
				}}})
				w := tt.want
				wantTexts(t, all, w+"\n\n"+w+" "+w+"\n"+w+"  "+w+"\n"+w)
			})
		})
	}
}

func TestLongTexts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var paragraphs []string
		for i := range 120 {
			paragraphs = append(paragraphs, fmt.Sprintf("%03d %s", i, strings.Repeat("返利", 40)))
		}
		all := told(t, bot.Reply{Text: strings.Join(paragraphs, "\n"), Buttons: []bot.Button{{Label: "ok", Action: "ok"}}})
		if len(all) != 3 || len(all[0].Flat())+len(all[1].Flat()) != 0 || len(all[2].Flat()) != 1 {
			t.Fatalf("%d messages, want three and the button under the last", len(all))
		}
		if got := strings.Join(texts(all), "\n"); got != strings.Join(paragraphs, "\n") {
			t.Error("the paragraphs do not arrive whole and in order")
		}
	})
}

func TestTextsAtTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name     string
		text     string
		messages int
	}{
		{"Full", strings.Repeat("长", 4096), 1},
		{"OneMore", strings.Repeat("长", 4097), 2},
		{"EmojiCountOnce", strings.Repeat("😀", 4096), 1},
		{"ReferencesCountOnce", strings.Repeat("&", 4096), 1},
		{"TwoParagraphsThatFit", strings.Repeat("a", 2047) + "\n" + strings.Repeat("b", 2048), 1},
		{"LineFeedTooMany", strings.Repeat("a", 2048) + "\n" + strings.Repeat("b", 2048), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				all := told(t, bot.Reply{Text: tt.text})
				if len(all) != tt.messages {
					t.Errorf("%d messages, want %d", len(all), tt.messages)
				}
				if got := strings.Join(texts(all), ""); words(got) != words(tt.text) {
					t.Error("the text does not arrive whole")
				}
			})
		})
	}
}

// TestAnyReplyArrives draws replies: all of their words arrive, and Telegram
// takes every message at the first try.
func TestAnyReplyArrives(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(
		rapid.StringN(0, 30, -1), rapid.StringMatching(`[<>&"'a-z/ ]{0,20}`),
		rapid.Map(rapid.IntRange(1, 3000), func(n int) string { return strings.Repeat("长a ", n) }),
	)
	button := rapid.Custom(func(t *rapid.T) bot.Button {
		return bot.Button{
			Label: word.Draw(t, "label"), Action: rapid.StringN(0, 30, 80).Draw(t, "action"),
			URL:  rapid.SampledFrom([]string{"", "https://a.example/x?y=1&z=2", "jd://x", "http://", "://"}).Draw(t, "url"),
			Copy: rapid.SampledFrom([]string{"", "￥abc￥", strings.Repeat("😀", 129)}).Draw(t, "copy"),
		}
	})
	buttons := rapid.SliceOfN(button, 0, 6)
	card := rapid.Custom(func(t *rapid.T) bot.Card {
		return bot.Card{
			Title: word.Draw(t, "title"), Notes: rapid.SliceOfN(word, 0, 3).Draw(t, "notes"), Buttons: buttons.Draw(t, "buttons"),
			Image: rapid.SampledFrom([]string{"", "https://i.example/a.jpg", "http://i.example/a.jpg", "data:x"}).Draw(t, "image"),
			Rows:  []bot.Row{{Label: word.Draw(t, "row"), Value: word.Draw(t, "value"), Strong: rapid.Bool().Draw(t, "strong")}},
		}
	})
	drawn := 0
	rapid.Check(t, func(rt *rapid.T) {
		if drawn++; underRace && drawn > 25 {
			return // the same goroutines with other words
		}
		r := bot.Reply{
			Text: word.Draw(rt, "text"), Cards: rapid.SliceOfN(card, 0, 8).Draw(rt, "cards"), Buttons: buttons.Draw(rt, "last"),
		}
		complaint := ""
		synctest.Test(t, func(t *testing.T) { complaint = arrives(t, r) })
		if complaint != "" {
			rt.Fatal(complaint)
		}
	})
}

// arrives says what is wrong with how ann is told r; "" for nothing.
func arrives(t *testing.T, r bot.Reply) string {
	w := newWorld(t)
	w.run(func(ctx, bot.Message) bot.Reply { return r })
	w.fake.Say(ann, "/start")
	w.settle()
	if strings.Contains(w.logs.String(), "does not") || strings.Contains(w.logs.String(), "cannot") {
		return "Telegram did not take it as it was:\n" + w.logs.String()
	}
	seen := words(strings.Join(texts(w.fake.Sent(ann)), ""))
	for _, part := range append([]string{r.Text}, cardWords(r.Cards)...) {
		if !strings.Contains(seen, words(part)) {
			return fmt.Sprintf("%.60q is not seen", part)
		}
	}
	return ""
}

func cardWords(cards []bot.Card) []string {
	var all []string
	for _, c := range cards {
		all = append(append(all, c.Title, c.Rows[0].Label, c.Rows[0].Value), c.Notes...)
	}
	return all
}

// words is a text without its spaces, and without what the channel drops.
func words(s string) string {
	s = strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), "")
}

// printable drops what the channel drops.
func printable(r rune) rune {
	switch {
	case r == '\t' || r == '\n':
		return ' '
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return -1
	case r == 0x61c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
		return -1
	}
	return r
}

func TestMarkupThatIsRefusedIsSentPlain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Cards: []bot.Card{{Title: "a <b> & c"}}}, func(f *telegramfake.Server) {
			f.Fail("sendMessage", 1, telegramfake.Fault{Code: 400, Text: `Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 3`})
		})
		wantTexts(t, all, "a <b> & c")
		if all[0].ParseMode != "" || len(all[0].Entities) != 0 {
			t.Errorf("sent %+v, want it plain", all[0])
		}
	})
}

func TestButtonsThatAreRefusedAreLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := told(t, bot.Reply{Text: "hello", Buttons: []bot.Button{{Label: "x", Action: "y"}}}, func(f *telegramfake.Server) {
			f.Fail("sendMessage", 1, telegramfake.Fault{Code: 400, Text: "Bad Request: BUTTON_URL_INVALID"})
		})
		wantTexts(t, all, "hello")
	})
}

func TestSend(t *testing.T) {
	t.Run("SaysWhoIsOutOfReach", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Block(ann)
			w.fake.Say(bob, "hi")
			w.fake.Delete(bob)
			w.fake.Meet(telegramfake.Person{ID: cat, Name: "never started"})
			c := w.channel()
			for _, to := range []user.Identity{
				identity(ann), identity(bob), identity(cat), identity(999), {Channel: "web", External: "1001"},
				{Channel: "telegram", External: "x"}, {Channel: "telegram", External: "-5"}, {Channel: "telegram"},
			} {
				if err := c.Send(t.Context(), to, bot.Reply{Text: "news"}); !fault.Is(err, fault.NotFound) {
					t.Errorf("Send to %+v returned %v, want not found", to, err)
				}
			}
			calls := len(w.fake.Calls("sendMessage"))
			if err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); !fault.Is(err, fault.NotFound) || len(w.fake.Calls("sendMessage")) != calls {
				t.Errorf("somebody who is known to be away is called: %v", err)
			}
			w.fake.Unblock(ann)
			w.run(echo)
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); err != nil {
				t.Errorf("after ann came back: %v", err)
			}
		})
	})
	t.Run("SaysWhenLaterMayHelp", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			for _, tt := range []struct {
				f    telegramfake.Fault
				want fault.Code
			}{
				{telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 300", RetryAfter: 300}, fault.Limited},
				{telegramfake.Fault{Code: 500, Text: "Internal Server Error"}, fault.Unavailable},
				{telegramfake.Fault{HangUp: true}, fault.Unavailable},
				{telegramfake.Fault{Stall: true}, fault.Unavailable},
				{telegramfake.Fault{Code: 401, Text: "Unauthorized"}, fault.Denied},
				{telegramfake.Fault{Code: 400, Text: "Bad Request: something new"}, fault.Invalid},
			} {
				w := newWorld(t)
				w.fake.Say(ann, "/start")
				w.fake.Fail("sendMessage", 100, tt.f)
				began := time.Now()
				if err := w.channel().Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); !fault.Is(err, tt.want) {
					t.Errorf("%+v: Send returned %v, want %s", tt.f, err, tt.want)
				}
				if took := time.Since(began); took > 21*time.Second {
					t.Errorf("%+v: Send took %v", tt.f, took)
				}
			}
		})
	})
	t.Run("TriesAgain", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			all := told(t, bot.Reply{Text: "news"}, func(f *telegramfake.Server) {
				f.Fail("sendMessage", 1, telegramfake.Fault{Code: 502, Text: "Bad Gateway"})
				f.Fail("sendMessage", 1, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 5", RetryAfter: 5})
			})
			wantTexts(t, all, "news")
		})
	})
}

func TestAnswerOutlivesTrouble(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Fail("sendMessage", 5, telegramfake.Fault{HangUp: true})
		w.fake.Fail("sendMessage", 1, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 120", RetryAfter: 120})
		w.run(echo)
		w.fake.Say(ann, "hello")
		wantTexts(t, w.wait(ann, 1), "hello")
	})
}
