package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// canned answers every ref with the same link or error.
type canned struct {
	bot.Links
	link link.Link
	err  error
}

func (c canned) Make(context.Context, int64, link.Ref) (link.Link, error) { return c.link, c.err }

func (c canned) Search(context.Context, int64, string, int, int) ([]link.Quote, error) {
	return nil, c.err
}

// answer is what a text is answered with where links are canned.
func answer(t *testing.T, c canned, text string) bot.Reply {
	t.Helper()
	f := bottest.New(t)
	f.Bot.Links = c
	f.Handle(t.Context(), says("", "余额"))
	return f.Handle(t.Context(), says("", text))
}

// Channels that do not open the shop's address find ours beside it.
func TestOfferHasOurPageToo(t *testing.T) {
	t.Parallel()
	l := link.Link{ID: 7, Offer: link.Offer{Network: link.Taobao, Title: "Kettle"}, Made: link.Made{URL: "https://s.click.example/1", Token: "￥abc￥"}}
	f := bottest.New(t)
	f.Bot.Links = canned{link: l}
	f.Bot.Landing = func(l link.Link) string { return "https://fanli.example/l/" + l.Made.Token }
	f.Handle(t.Context(), says("", "余额"))
	r := f.Handle(t.Context(), says("", "https://item.taobao.com/item.htm?id=600000000001"))
	if len(r.Cards) != 1 || len(r.Cards[0].Buttons) != 2 {
		t.Fatalf("answered %+v", r)
	}
	if b := r.Cards[0].Buttons[0]; b.URL != l.Made.URL || b.Page != "https://fanli.example/l/￥abc￥" {
		t.Errorf("the button is %+v", b)
	}
}

func TestOfferCard(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC)
	base := link.Offer{Network: link.JD, Title: "Kettle", Price: 99_00, Final: 99_00}
	tests := []struct {
		name   string
		change func(*link.Link)
		has    []string
		hasNot []string
	}{
		{"WithoutCouponNoPriceAfterIt", func(*link.Link) {}, []string{"优惠券  暂时没有", "返利后  ¥99.00"}, []string{"券后价"}},
		{"ACouponOfTheFuture", func(l *link.Link) {
			l.Offer.Coupon = link.CouponOffer{Amount: 10_00, Threshold: 50_00, Starts: at, Ends: at.AddDate(0, 0, 3)}
		}, []string{"满 ¥50.00 减 ¥10.00，3月5日至3月8日有效"}, nil},
		{"ACouponWithoutDates", func(l *link.Link) { l.Offer.Coupon.Amount = 5_00 }, []string{"优惠券  减 ¥5.00\n"}, nil},
		{"AnotherYearIsNamed", func(l *link.Link) {
			l.Offer.Coupon = link.CouponOffer{Amount: 5_00, Ends: at.AddDate(1, 0, 0)}
		}, []string{"2027年3月5日前有效"}, nil},
		{"ALinkThatExpires", func(l *link.Link) { l.Made.Expires = at }, []string{"链接 3月5日 10:00 前有效"}, nil},
		{"CaveatsInWordsAndUnknownOnesNotAtAll", func(l *link.Link) { l.Offer.Caveats = []string{"offer.plus_rate_lower", "offer.moon"} },
			[]string{"PLUS 会员"}, []string{"moon"}},
		{"ARebateSaysWhenItComes", func(l *link.Link) { l.Promise = link.Promise{Rebate: 3_00, Terms: `{"hold_days":15}`} },
			[]string{"预计返利  ¥3.00", "返利后  ¥96.00", "再过 15 天"}, nil},
		{"WithoutHoldItSaysSo", func(l *link.Link) { l.Promise.Rebate = 3_00 }, []string{"结算之后就可以提现"}, nil},
		{"ATitleOfManyLinesIsOne", func(l *link.Link) { l.Offer.Title = "A\n\x1b[31mB\u202e " + strings.Repeat("长", 100) },
			[]string{"A [31mB 长"}, []string{"\x1b", "\u202e", strings.Repeat("长", 60)}},
		{"APriceThatIsNotKnownIsNotShown", func(l *link.Link) { l.Offer.Price = 0 }, nil, []string{"价格"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := link.Link{Network: link.JD, Item: "1", Offer: base, Made: link.Made{URL: "https://jd.example/1"}}
			tt.change(&l)
			text := bot.RenderText(answer(t, canned{link: l}, kettle))
			wantHas(t, text, tt.has...)
			for _, h := range tt.hasNot {
				if strings.Contains(text, h) {
					t.Errorf("%q is in\n%s", h, text)
				}
			}
		})
	}
	t.Run("OnlyASecureImageIsShown", func(t *testing.T) {
		t.Parallel()
		for image, want := range map[string]string{"https://i.example/1.jpg": "https://i.example/1.jpg", "http://i.example/1.jpg": "", "javascript:1": ""} {
			l := link.Link{Offer: base}
			l.Offer.Image = image
			if got := answer(t, canned{link: l}, kettle).Cards[0].Image; got != want {
				t.Errorf("%s became %q", image, got)
			}
		}
	})
}

func TestLinksThatFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		has  []string
	}{
		{"NetworkOff", fault.New(fault.NotFound, "link.network_off"), []string{"我现在会查"}},
		{"NotInProgramme", fault.New(fault.NotFound, "offer.off_shelf"), []string{"已经下架"}},
		{"NotFoundWithoutReason", fault.New(fault.NotFound, ""), []string{"没有参加返利"}},
		{"Unreadable", fault.New(fault.Invalid, "link.token_expired"), []string{"口令已经过期"}},
		{"InvalidWithoutReason", fault.New(fault.Invalid, "something.new"), []string{"不是商品页"}},
		{"Limited", fault.New(fault.Limited, ""), []string{"还在等京东", "编号", "› 重发"}},
		{"DeadlinePassed", context.DeadlineExceeded, []string{"这个链接我已记下"}},
		{"Denied", fault.New(fault.Denied, ""), []string{"编号"}},
		{"Internal", fault.New(fault.Internal, ""), []string{"出了点问题", "编号"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := answer(t, canned{err: tt.err}, kettle)
			bottest.Check(t, r)
			wantHas(t, bot.RenderText(r), tt.has...)
		})
	}
	t.Run("AnErrorOfSearchIsAnsweredToo", func(t *testing.T) {
		t.Parallel()
		wantHas(t, bot.RenderText(answer(t, canned{err: fault.New(fault.NotFound, "link.no_search")}, "搜 水壶")), "不能按名字搜索")
		wantHas(t, bot.RenderText(answer(t, canned{err: fault.New(fault.Internal, "")}, "搜 水壶")), "编号")
	})
}

func TestForeignTextWithBracesIsNotFilledIn(t *testing.T) {
	t.Parallel()
	r := answer(t, canned{}, "搜 {words}{n} {trace}")
	wantHas(t, r.Text, "“{words}{n} {trace}”")
}

func TestSearchTextIsAChoice(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.SearchText = false
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "保温杯"))), "没看懂")
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "搜 保温杯"))), "找到这些")
}

// TestAMannerChangesWhilePeopleTalk: what counts is the newest, and the fields are it
// at first.
func TestAMannerChangesWhilePeopleTalk(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "保温杯"))), "找到这些")
	f.Bot.Change(bot.Manner{Limits: f.Bot.Limits})
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "保温杯"))), "没看懂")
	l := f.Bot.Limits
	l.Cooling = 72 * time.Hour
	f.Bot.Change(bot.Manner{Limits: l, SearchText: true})
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "保温杯"))), "找到这些")
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "收款 13800000001 张三"))), "3 天")
}

func TestOptionalFields(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.ShopURL = "http://127.0.0.1:9/shop"
	f.Bot.Networks = []string{"jd", "moon"}
	f.Bot.PrivateURL = func(channel, word string) string { return "https://chat.example/" + channel + "?start=" + word }
	f.Bot.Zone = time.UTC
	f.Bot.Limits.Cooling, f.Bot.PaidWithin = 0, 0
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "教程"))), f.Bot.ShopURL)
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "开始"))), f.Bot.ShopURL)
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "https://a.example/1"))), "京东、moon")
	m := says("", "余额")
	m.Group = true
	wantHas(t, bot.RenderText(f.Handle(t.Context(), m)), "https://chat.example/test")
	for _, step := range [][]string{{"earn", "robot"}} {
		if err := f.World().Directives[step[0]](step[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	f.Handle(t.Context(), says("", "收款 13812340000 张三"))
	f.Clock.Move(48 * time.Hour)
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "提现 "+money.Fen(20_00).String()))), "随后打款")
}

func TestRenderText(t *testing.T) {
	t.Parallel()
	r := bot.Reply{
		Text: "one\ntwo\x1b[2J\u202e",
		Cards: []bot.Card{{
			Title: "T", Image: "https://i.example/1.jpg", Rows: []bot.Row{{Label: "a", Value: "1", Strong: true}, {Label: "b", Value: "2"}},
			Notes: []string{"n"}, Buttons: []bot.Button{{Label: "Open", URL: "https://x.example"}, {Label: "Copy", Copy: "￥c￥"}},
		}},
		Buttons: []bot.Button{{Label: "余额", Action: "余额"}, {Label: "Yes", Action: "确认 1"}},
	}
	const want = "one\ntwo[2J\n\nT\na  1\nb  2\n· n\nOpen  https://x.example\nCopy  ￥c￥\n\n› 余额\n› 确认 1  (Yes)"
	if got := bot.RenderText(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := bot.RenderText(bot.Reply{}); got != "" {
		t.Errorf("nothing became %q", got)
	}
}
