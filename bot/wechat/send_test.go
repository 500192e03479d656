package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/bot/plaintext"
	"fanli/bot/wechat"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/fault"
)

// marks is a Marks in memory, of all processes.
type marks map[string]string

func (m marks) Mark(_ context.Context, name string) (string, error) { return m[name], nil }
func (m marks) SetMark(_ context.Context, name, value string, _ int64) error {
	m[name] = value
	return nil
}

func echo(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: "re " + m.Text} }

// TestNotices: what people are told unasked goes as the account and their window allow,
// and nothing is lost.
func TestNotices(t *testing.T) {
	t.Parallel()
	clock := bottest.NewClock(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	kept := marks{}
	set := func(o *wechat.Options) {
		o.Marks = kept
		o.Forms = map[string]platform.Template{"rebate.ready": {ID: "T1", Fields: map[string]string{"thing1": "{title}", "amount2": "{amount}", "time3": "{time}"}}}
	}
	cfg := wechatfake.Config{Now: clock.Now}
	w := open(t, cfg, set)
	w.run(t, echo)
	ctx := t.Context()
	n := 0
	tell := func(want string) {
		t.Helper()
		n++
		before := len(w.fake.Lines(ann))
		if err := w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: fmt.Sprint("notice ", n)}); err != nil {
			t.Fatalf("notice %d: %v", n, err)
		}
		if got := strings.Join(w.fake.Lines(ann)[before:], "|"); got != want {
			t.Errorf("notice %d shows %q, want %q", n, got, want)
		}
	}
	last := func(want string) {
		t.Helper()
		if all := w.fake.Lines(ann); all[len(all)-1] != want {
			t.Errorf("ann reads %q, want %q", all[len(all)-1], want)
		}
	}

	if err := w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "anybody?"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger is told: %v", err)
	}
	w.fake.Click(ctx, ann, "余额") // three within a minute
	for i := range 3 {
		tell(fmt.Sprint("notice ", i+1))
	}
	tell("")
	w.fake.Say(ctx, ann, "hello") // five within two days
	last("re hello\n\n—— 1 new messages ——\n\nnotice 4")
	clock.Move(47 * time.Hour)
	tell("notice 5")
	clock.Move(2 * time.Hour)
	tell("")
	w.fake.Unfollow(ctx, ann)
	if err := w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "come back"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody who has gone is told: %v", err)
	}
	w.fake.Follow(ctx, ann, "")
	last("re /start\n\n—— 1 new messages ——\n\nnotice 6")
	tell("notice 7")

	w.fake.SetProfile(wechatfake.Personal) // its verification has run out
	tell("")
	w.fake.SetProfile(wechatfake.Service)
	tell("") // and that is not tried again for a while
	w.join(t, cfg, set)
	rights, err := wechat.RightsOf(ctx, kept, w.fake.AppID(), wechat.Service, clock.Now())
	if err != nil || rights[0].Refused.IsZero() || w.counts.of("downgrade/customer") != 1 {
		t.Errorf("operators are shown %+v, %v; it was noticed %d times", rights, err, w.counts.of("downgrade/customer"))
	}
	clock.Move(wechat.DowngradeFor + time.Minute)
	w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(w.channel))
	w.run(t, echo)
	w.fake.Say(ctx, ann, "again")
	last("re again\n\n—— 2 new messages ——\n\nnotice 8\n\nnotice 9")
	tell("notice 10")
}

// TestMoreThanFits: a text that is too long is read on with "更多", each part once; what
// waits does not get lost beside it.
func TestMoreThanFits(t *testing.T) {
	t.Parallel()
	var paragraphs []string
	for i := range 40 {
		paragraphs = append(paragraphs, fmt.Sprintf("第 %02d 段 %s", i, strings.Repeat("返利", 30)))
	}
	long := func(_ context.Context, m bot.Message) bot.Reply {
		if m.Text == "all" {
			return bot.Reply{Text: strings.Join(paragraphs, "\n")}
		}
		return bot.Reply{Text: "re " + m.Text}
	}
	w := open(t, wechatfake.Config{Profile: wechatfake.Personal}, nil)
	w.run(t, long)
	ctx := t.Context()
	w.fake.Say(ctx, ann, "hello")
	if err := w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "a notice"}); err != nil {
		t.Fatal(err)
	}
	w.fake.Say(ctx, ann, "all")
	for range 4 {
		w.fake.Say(ctx, ann, "更多")
	}
	all := w.fake.Lines(ann)
	text := strings.Join(all, "\n")
	for _, p := range paragraphs {
		if strings.Count(text, p) != 1 {
			t.Errorf("%q is read %d times", p, strings.Count(text, p))
		}
	}
	if last := all[len(all)-1]; !strings.HasPrefix(last, "re 更多") || !strings.Contains(last, "a notice") {
		t.Errorf("after the end ann reads %q", last)
	}
}

// TestALongAnswerThatIsLate: it comes in as many messages as are allowed, is cut between
// paragraphs, and 更多 shows what had no room. Nothing is said twice, and nothing is lost.
func TestALongAnswerThatIsLate(t *testing.T) {
	t.Parallel()
	var paragraphs []string
	for i := range 20 { // some 240 bytes each, so that eight go into a message
		paragraphs = append(paragraphs, fmt.Sprintf("第 %02d 段\n%s\nhttps://example.com/%032d\n￥CZ%09d￥", i, strings.Repeat("返利", 25), i, i))
	}
	const more, waiting = "（还有更多，回复“更多”继续看）", "new messages: write again"
	for _, tt := range []struct {
		name    string
		profile wechatfake.Profile
		spent   int // of five messages
		length  int // of the answer, in paragraphs
		said    []string
		counts  []int  // paragraphs of each text that ann reads
		hints   string // which of them end with a hint
	}{
		{"one message", "", 0, 3, nil, []int{3}, "."},
		{"two messages", "", 0, 9, nil, []int{8, 1}, ".."},
		{"two, of which one is allowed", "", 4, 9, []string{"更多", "x"}, []int{8, 1, 0}, "m.."},
		{"three, of which two are allowed", "", 3, 17, []string{"more"}, []int{8, 8, 1}, ".m."},
		{"none is allowed", "", 5, 9, []string{"x", "x"}, []int{6, 3}, "w."},
		{"an account that may not", wechatfake.Personal, 0, 9, []string{"x", "x"}, []int{6, 3}, "w."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, wechatfake.Config{Profile: tt.profile}, nil)
			w.run(t, echo)
			ctx := t.Context()
			w.fake.Say(ctx, ann, "hello")
			for range tt.spent {
				_ = w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "news"})
			}
			before := len(w.fake.Lines(ann))
			p := mail.Parcel{Key: "late", Channel: wechat.Name, Chat: ann, To: identityOf(ann), Reply: bot.Reply{Text: strings.Join(paragraphs[:tt.length], "\n\n")}}
			if err := mail.Carry(ctx, w.office, p); err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.said {
				w.fake.Say(ctx, ann, text)
			}
			lines := w.fake.Lines(ann)[before:]
			if len(lines) != len(tt.counts) {
				t.Fatalf("ann reads %d texts, want %d: %q", len(lines), len(tt.counts), lines)
			}
			next := 0
			for i, line := range lines {
				hint := "."
				switch {
				case strings.HasSuffix(line, more):
					hint = "m"
				case strings.Contains(line[strings.LastIndex(line, "\n")+1:], waiting):
					hint = "w"
				}
				if hint != tt.hints[i:i+1] {
					t.Errorf("text %d ends with %q", i, line[len(line)-min(len(line), 60):])
				}
				for range tt.counts[i] {
					if !strings.Contains(line, paragraphs[next]) {
						t.Fatalf("text %d has no paragraph %d: %q", i, next, line)
					}
					next++
				}
			}
			if text := strings.Join(lines, "\n"); strings.Count(text, "第") != tt.length || next != tt.length {
				t.Errorf("ann reads %d paragraphs of %d", strings.Count(text, "第"), tt.length)
			}
		})
	}
}

// TestALongAnswerThatIsInterrupted: what has arrived does not come again, and what is not
// allowed any more waits.
func TestALongAnswerThatIsInterrupted(t *testing.T) {
	t.Parallel()
	clock := bottest.NewClock(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	w := open(t, wechatfake.Config{Now: clock.Now}, nil)
	w.run(t, echo)
	ctx := t.Context()
	w.fake.Say(ctx, ann, "hello")
	text := "a " + strings.Repeat("x", 2000) + "\n\nb " + strings.Repeat("y", 2000) + "\n\nc " + strings.Repeat("z", 1500)
	p := mail.Parcel{Key: "late", Channel: wechat.Name, Chat: ann, To: identityOf(ann), Reply: bot.Reply{Text: text}}
	progress := &mail.Progress{}
	for i, fails := range []wechatfake.Fault{{Code: -1, Text: "busy"}, {Code: 45047, Text: "used up"}} {
		w.fake.Heal()
		w.fake.Fail("/cgi-bin/message/custom/send", 1, wechatfake.Fault{}) // the first one arrives
		w.fake.Fail("/cgi-bin/message/custom/send", 1, fails)
		if err := w.office.Carry(ctx, p, progress); (err == nil) != (i == 1) {
			t.Fatal(i, err)
		}
	}
	w.fake.Heal()
	if err := w.office.Carry(ctx, p, progress); err != nil { // its end was not kept
		t.Fatal(err)
	}
	for range 4 {
		w.fake.Say(ctx, ann, "x")
	}
	all := strings.Join(w.fake.Lines(ann), "\n")
	for _, letter := range []string{"a x", "b y", "c z"} {
		if strings.Count(all, letter) != 1 {
			t.Errorf("%q is read %d times", letter, strings.Count(all, letter))
		}
	}
	if n := strings.Count(all, "z"); n != 1500 {
		t.Errorf("of the last part %d letters are read", n)
	}
}

// TestChoicesBelowALongAnswer: what follows an answer leaves its choices alone.
func TestChoicesBelowALongAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, wechatfake.Config{}, nil)
	w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
		if m.Text == "all" {
			return bot.Reply{Text: strings.Repeat("返利。\n\n", 300), Buttons: []bot.Button{{Label: "余额", Action: "余额"}}}
		}
		return bot.Reply{Text: "re " + m.Text}
	})
	w.fake.Say(t.Context(), ann, "all")
	for w.fake.Lines(ann); len(w.fake.Lines(ann)) < 2; time.Sleep(10 * time.Millisecond) {
		if t.Context().Err() != nil {
			t.Fatal("the rest never comes")
		}
	}
	w.fake.Say(t.Context(), ann, "1")
	if all := w.fake.Lines(ann); all[len(all)-1] != "re 余额" {
		t.Errorf("ann reads %q", all[len(all)-1])
	}
}

// TestWholeThingsStayWhole: no link, address or 口令 is cut in two.
func TestWholeThingsStayWhole(t *testing.T) {
	t.Parallel()
	for _, thing := range []string{"https://example.com/a?b=c&d=e", "￥CZ0001abcde￥", `<a href="https://example.com/x">打开 链接</a>`, "W20261127000001"} {
		for pad := range 40 {
			text := strings.Repeat("返", 675) + strings.Repeat("x", pad%3) + strings.Repeat("利", pad/3) + " " + thing + strings.Repeat("后", 400)
			whole := 0
			for _, piece := range plaintext.Split(text, 2048) {
				if len(piece) > 2048 {
					t.Errorf("a piece has %d bytes", len(piece))
				}
				whole += strings.Count(piece, thing)
			}
			if whole != 1 {
				t.Errorf("%s is cut after %d", thing, pad)
			}
		}
	}
}

// TestWhatIsShown: how replies look where WeChat has its ways.
func TestWhatIsShown(t *testing.T) {
	t.Parallel()
	card := func(image string, buttons ...bot.Button) bot.Reply {
		return bot.Reply{Cards: []bot.Card{{Title: "水壶", Image: image, Rows: []bot.Row{{Label: "返利", Value: "¥2.80"}}, Buttons: buttons}}}
	}
	titled := func(title string, button bot.Button) bot.Reply {
		r := card("https://img.example/1.jpg", button)
		r.Cards[0].Title = title
		return r
	}
	open1 := bot.Button{Label: "打开链接", URL: "https://jd.example/1?a=1&b=2"}
	taobao := bot.Button{Label: "打开链接", URL: "https://s.click.taobao.com/abc"}
	token := bot.Button{Label: "复制口令", Copy: "￥abc￥"}
	paged := taobao
	paged.Page = "https://fanli.example/l/1"
	for _, tt := range []struct {
		name   string
		reply  bot.Reply
		change func(o *wechat.Options)
		want   string
	}{
		{"a link", card("", open1), nil, "水壶\n返利  ¥2.80\n" + `<a href="https://jd.example/1?a=1&b=2">打开链接</a>`},
		{"a picture and little else", card("https://img.example/1.jpg", open1), nil, "[水壶 | 返利  ¥2.80 | https://jd.example/1?a=1&b=2]"},
		{"a title that an article has no room for", titled(strings.Repeat("长", 65), open1), nil, strings.Repeat("长", 65) + "\n返利  ¥2.80\n" + `<a href="https://jd.example/1?a=1&b=2">打开链接</a>`},
		{"a picture that is not safe", card("http://img.example/1.jpg", open1), nil, "水壶\n返利  ¥2.80\n" + `<a href="https://jd.example/1?a=1&b=2">打开链接</a>`},
		{"what WeChat blocks, with a 口令", card("https://img.example/1.jpg", taobao, token), nil, "水壶\n返利  ¥2.80\n复制口令：\n￥abc￥"},
		{"with our page", card("", paged, token), nil, "水壶\n返利  ¥2.80\n" + `<a href="https://fanli.example/l/1">打开页面</a>` + "\n复制口令：\n￥abc￥"},
		{"with neither", card("", taobao), nil, "水壶\n返利  ¥2.80\n打开链接：\nhttps://s.click.taobao.com/abc"},
		{"choices", bot.Reply{Text: "好", Buttons: []bot.Button{{Label: "余额", Action: "余额"}, {Label: "详情", Action: "订单 1"}}}, nil,
			"好\n\n回复 1 余额\n回复 2 详情"},
		{"choices as links", bot.Reply{Text: "好", Buttons: []bot.Button{{Label: "余额", Action: "余额"}}}, func(o *wechat.Options) { o.MenuLinks = true },
			"好\n\n1. " + `<a href="weixin://bizmsgmenu?msgmenucontent=%E4%BD%99%E9%A2%9D&msgmenuid=1">余额</a>`},
		{"below a list", bot.Reply{Text: "1. 水壶\n2. 杯子", Buttons: []bot.Button{{Label: "更多", Action: "更多"}}}, nil, "1. 水壶\n2. 杯子\n\n回复“更多”"},
		{"while money waits", bot.Reply{Text: "核对", Buttons: []bot.Button{{Label: "确认提现", Action: "确认 1234"}, {Label: "取消", Action: "取消"}}}, nil,
			"核对\n\n回复“确认 1234” 确认提现\n回复“取消”"},
		{"in English", bot.Reply{Text: "Well", Buttons: []bot.Button{{Label: "balance", Action: "balance"}}}, nil, "Well\n\nReply 1 balance"},
		{"markup of others", bot.Reply{Text: `a <A href="https://evil.example">x</a> <b> ]]> &`}, nil, `a ＜A href="https://evil.example">x＜/a> <b> ]]> &`},
		{"an address that is none", card("", bot.Button{Label: "打开", URL: `javascript:alert("1")`}), nil, "水壶\n返利  ¥2.80\n打开  javascript:alert(\"1\")"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer := func(context.Context, bot.Message) bot.Reply { return tt.reply }
			w := open(t, wechatfake.Config{}, tt.change)
			w.run(t, answer)
			o := w.fake.Say(t.Context(), ann, "x")
			if got := o.Seen.String(); got != tt.want {
				t.Errorf("it shows %q, %s, want %q", got, o.Why, tt.want)
			}
		})
	}
}

// TestForms: where no message may be sent, the form of a notice's kind is, cut as the
// platform wants it; and what it refuses waits.
func TestForms(t *testing.T) {
	t.Parallel()
	answer := echo
	w := open(t, wechatfake.Config{}, func(o *wechat.Options) {
		o.Forms = map[string]platform.Template{"rebate.ready": {
			ID: "T1", URL: "https://fanli.example/", Fields: map[string]string{"thing1": "{title}", "amount2": "{amount}"},
		}}
	})
	w.run(t, answer)
	ctx := t.Context()
	w.fake.View(ctx, ann, "https://fanli.example/") // she is there, and nothing may be sent
	w.fake.Follow(ctx, ann, "")
	for range 3 {
		_ = w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "news"}) // what the follow allows
	}
	n := bot.Notice{Kind: "rebate.ready", Title: strings.Repeat("长", 30), Reply: bot.Reply{Text: "返利到账 ¥2.80：长，可以提现了。"}}
	if err := w.channel.Notice(ctx, identityOf(ann), "k1", n); err != nil {
		t.Fatal(err)
	}
	all := w.fake.Seen(ann)
	last := all[len(all)-1]
	if last.Scheme != "T1" || !strings.Contains(last.Text, strings.Repeat("长", 19)+"…") || strings.Contains(last.Text, strings.Repeat("长", 20)) || !strings.Contains(last.Text, "2.80") {
		t.Errorf("ann reads %+v", last)
	}
	if err := w.channel.Notice(ctx, identityOf(ann), "k2", bot.Notice{Kind: "order.seen", Reply: bot.Reply{Text: "订单"}}); err != nil {
		t.Fatal(err)
	}
	w.fake.Say(ctx, ann, "hi")
	if all := w.fake.Lines(ann); !strings.Contains(all[len(all)-1], "订单") {
		t.Errorf("ann reads %q", all[len(all)-1])
	}
}

// TestCarrier holds the channel's carrier to the promises of package mail.
func TestCarrier(t *testing.T) {
	t.Parallel()
	mailtest.Carrier(t, func(t *testing.T) mailtest.Subject {
		w := open(t, wechatfake.Config{}, nil)
		w.run(t, echo)
		w.fake.Say(t.Context(), ann, "hello")
		return mailtest.Subject{
			Carrier: w.office, Address: mail.Parcel{Channel: wechat.Name, Chat: ann, To: identityOf(ann)},
			Long: bot.Reply{Text: strings.Repeat("a", 2000) + "\n\n" + strings.Repeat("b", 2000)},
			Read: func() []string { return w.fake.Lines(ann)[1:] },
			Trouble: func(what mailtest.Trouble, after int) {
				w.fake.Heal()
				w.fake.Fail("/cgi-bin/message/custom/send", after, wechatfake.Fault{}) // none
				code := map[mailtest.Trouble]int{mailtest.Busy: 45011, mailtest.Down: -1, mailtest.Blocked: 43004}[what]
				if code != 0 {
					w.fake.Fail("/cgi-bin/message/custom/send", 1000, wechatfake.Fault{Code: code, Text: "no"})
				}
			},
			Secrets: []string{w.fake.Secret(), w.fake.Token(), w.fake.AESKey(), ann},
		}
	})
}
