package telegram_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
)

// TestKeysStay: keys come with the answer that has some, whatever becomes of it, and stay
// when others follow. Groups have none, nor does anybody where they are switched off.
func TestKeysStay(t *testing.T) {
	hello := bot.Reply{Text: "hello", Keys: []string{"查券", "帮助"}, Buttons: []bot.Button{{Label: "教程", Action: "教程"}}}
	for _, tt := range []struct {
		name    string
		off     bool
		chat    int64
		takes   time.Duration
		f       telegramfake.Fault // of the first message that is sent
		keys    string
		buttons int
	}{
		{"AtOnce", false, ann, 0, telegramfake.Fault{}, "[[查券 帮助]]", 0},
		{"AfterWaiting", false, ann, 5 * time.Second, telegramfake.Fault{}, "[[查券 帮助]]", 0},
		{"Refused", false, ann, 0, telegramfake.Fault{Code: 400, Text: `Bad Request: can't parse keyboard button: Can't find field "text"`}, "[]", 0},
		{"InAGroup", false, wonderland, 0, telegramfake.Fault{}, "[]", 1},
		{"SwitchedOff", true, ann, 0, telegramfake.Fault{}, "[]", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.keys = !tt.off
				w.fake.Group(wonderland, "Wonderland")
				w.run(func(_ context.Context, m bot.Message) bot.Reply {
					if m.Text != "/start" {
						return bot.Reply{Text: "re " + m.Text}
					}
					time.Sleep(tt.takes) // the bubble's
					return hello
				})
				if tt.f.Code != 0 {
					w.fake.Fail("sendMessage", 1, tt.f)
				}
				var where []telegramfake.SayOption
				if tt.chat != ann {
					where = append(where, telegramfake.In(tt.chat))
				}
				w.fake.Say(ann, "/start", where...)
				w.settle()
				all := w.fake.Sent(tt.chat)
				if len(all) != 1 || all[0].Text != "hello" || len(all[0].Flat()) != tt.buttons {
					t.Fatalf("people see %+v", all)
				}
				w.fake.Say(ann, "/balance", where...)
				w.settle()
				if got := fmt.Sprint(w.fake.Keys(tt.chat)); got != tt.keys || len(w.fake.Sent(tt.chat)) != 2 {
					t.Errorf("the keys are %s, want %s", got, tt.keys)
				}
			})
		})
	}
}
