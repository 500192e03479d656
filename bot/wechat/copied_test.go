package wechat_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/wechat/wechatfake"
)

// TestWhatIsCopiedComesByItself: a 口令 is in the answer, and follows it as a message of its
// own where that leaves enough of those that the person may be sent; once, however often
// and to whom the message is delivered.
func TestWhatIsCopiedComesByItself(t *testing.T) {
	t.Parallel()
	const code = "￥abc￥"
	offer := func(codes ...string) bot.Reply {
		c := bot.Card{Title: "水壶"}
		for _, s := range codes {
			c.Buttons = append(c.Buttons, bot.Button{Label: "复制口令", Copy: s})
		}
		return bot.Reply{Cards: []bot.Card{c}}
	}
	say := func(ctx context.Context, w *world) { w.fake.Say(ctx, ann, "x") }
	for _, tt := range []struct {
		name    string
		profile wechatfake.Profile
		reply   bot.Reply
		takes   time.Duration
		spent   int // of the messages, before it is answered
		loses   int64
		fails   int // of the calls that send
		does    func(ctx context.Context, w *world)
		alone   int
	}{
		{"after the answer", wechatfake.Service, offer(code), 0, 0, 0, 0, say, 1},
		{"the same twice", wechatfake.Service, offer(code, code), 0, 0, 0, 0, say, 1},
		{"two of them", wechatfake.Service, offer(code, "￥def￥"), 0, 0, 0, 0, say, 0},
		{"nothing", wechatfake.Service, offer(), 0, 0, 0, 0, say, 0},
		{"may only answer", wechatfake.Personal, offer(code), 0, 0, 0, 0, say, 0},
		{"after a late answer", wechatfake.Service, offer(code), 20 * time.Second, 0, 0, 0, say, 1},
		{"four are left", wechatfake.Service, offer(code), 0, 1, 0, 0, say, 1},
		{"three are left", wechatfake.Service, offer(code), 0, 2, 0, 0, say, 0},
		{"after a click", wechatfake.Service, offer(code), 0, 0, 0, 0, func(ctx context.Context, w *world) { w.fake.Click(ctx, ann, "x") }, 0},
		{"delivered to two processes", wechatfake.Service, offer(code), 0, 0, 2, 0, say, 1},
		{"refused", wechatfake.Service, offer(code), 0, 0, 0, 1, say, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := wechatfake.Config{Profile: tt.profile}
				w := open(t, cfg, nil)
				front := &lossy{loses: tt.loses}
				for i := range 2 {
					if i > 0 {
						w.join(t, cfg, nil)
					}
					front.to = append(front.to, w.channel)
					w.run(t, func(context.Context, bot.Message) bot.Reply {
						for range tt.spent {
							_ = w.channel.Send(t.Context(), identityOf(ann), bot.Reply{Text: "news"})
						}
						time.Sleep(tt.takes)
						return tt.reply
					})
				}
				w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(front))
				w.fake.Fail("/cgi-bin/message/custom/send", tt.fails, wechatfake.Fault{Code: -1, Text: "system busy"})
				tt.does(t.Context(), w)
				time.Sleep(time.Minute)
				alone, with := 0, 0
				for _, line := range w.fake.Lines(ann) {
					switch {
					case line == code:
						alone++
					case strings.Contains(line, "水壶"):
						with++
					}
				}
				if alone != tt.alone || with != 1 {
					t.Errorf("ann reads %q, want the 口令 by itself %d times", w.fake.Lines(ann), tt.alone)
				}
			})
		})
	}
}
