package telegram_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
)

func TestWhoIsBackIsReached(t *testing.T) {
	for name, back := range map[string]func(w *world, r *running){
		"ByUnblocking": func(w *world, _ *running) { w.fake.Unblock(ann) },
		"ByWriting":    func(w *world, _ *running) { w.fake.Unblock(ann); w.fake.Say(ann, "hello") },
		"InTime":       func(_ *world, r *running) { r.kill(); time.Sleep(31 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				var in inbox
				r := w.run(in.handle)
				w.fake.Block(ann)
				if err := w.fake.WaitParked(w.ctx); err != nil {
					t.Fatal(err)
				}
				c := w.channel()
				if err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); !fault.Is(err, fault.NotFound) || len(w.fake.Calls("sendMessage")) != 0 {
					t.Errorf("to whom has blocked us: %v", err)
				}
				back(w, r)
				w.settle()
				err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"})
				if tried := len(w.fake.Calls("sendMessage")) > 0; !tried || name != "InTime" && err != nil {
					t.Errorf("to whom is back: %v", err)
				}
			})
		})
	}
}

// TestWhoWritesIsReached also where the news got lost that they have unblocked us.
func TestWhoWritesIsReached(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(echo)
		w.fake.Say(ann, "hello")
		w.settle()
		c := w.channel()
		w.fake.Fail("sendMessage", 1, telegramfake.Fault{Code: 403, Text: "Forbidden: bot was blocked by the user"})
		for range 2 {
			if err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("to whom has blocked us: %v", err)
			}
		}
		w.fake.Say(ann, "hello again")
		w.settle()
		if err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "news"}); err != nil {
			t.Errorf("to whom has written: %v", err)
		}
	})
}

func TestMovedGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Group(old, "Staff")
		cfg := telegram.Config{Token: telegram.Secret(w.fake.Token()), Endpoint: "http://localhost", AdminChatID: old}
		mail := engineOf(w.store, w.logs.logger())
		c, err := telegram.New(cfg, mail, w.marks, w.logs.logger(), telegram.WithHTTPClient(w.fake.Client()))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.AdminChat(t.Context()); got != old {
			t.Errorf("the staff are in %d", got)
		}
		waits, err := c.ToStaff(t.Context(), "alert", bot.Reply{Text: "look"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.run(echo)
		now := w.fake.Migrate(old)
		w.settle()
		if got := c.AdminChat(t.Context()); got != now {
			t.Errorf("the staff are in %d, want %d", got, now)
		}
		if err := mail.Post(t.Context(), waits...); err != nil {
			t.Fatal(err)
		}
		w.settle()
		wantTexts(t, w.fake.Sent(now), "look")
		if n := len(w.fake.Calls("sendMessage")); n != 1 {
			t.Errorf("what was for the old group takes %d calls", n)
		}

		// Where the news of it got lost, Telegram says it once more as it refuses a message.
		id, _, _ := strings.Cut(w.fake.Token(), ":")
		if err := w.marks.SetMark(t.Context(), fmt.Sprintf("telegram.moved.%s.%d", id, old), "", 0); err != nil {
			t.Fatal(err)
		}
		if waits, err = c.ToStaff(t.Context(), "another", bot.Reply{Text: "again"}, nil); err != nil || waits[0].Chat != strconv.FormatInt(old, 10) {
			t.Fatalf("it is still known that the group has moved: %v", err)
		}
		if err := mail.Post(t.Context(), waits...); err != nil {
			t.Fatal(err)
		}
		w.settle()
		wantTexts(t, w.fake.Sent(now), "look", "again")
		if got := c.AdminChat(t.Context()); got != now {
			t.Errorf("after a refusal the staff are in %d, want %d", got, now)
		}
	})
}

func TestPressesAndAge(t *testing.T) {
	offer := func(action string, spent bool) bot.Handler {
		return func(_ ctx, m bot.Message) bot.Reply {
			if m.Text == action {
				return bot.Reply{Text: "done", Spent: spent}
			}
			return bot.Reply{Text: "choose", Buttons: []bot.Button{{Label: "x", Action: action}}}
		}
	}
	for _, tt := range []struct {
		name, action string
		after        time.Duration
		spent        bool
		toast        string
		left         int // buttons of the first message
	}{
		{"MoneyConfirmedOnce", "确认 1234", time.Minute, true, "", 0},
		{"MoneyNotConfirmed", "确认 1234", time.Minute, false, "", 1},
		{"MoneyTooLate", "确认 1234", 3 * time.Minute, true, "已过期，请发 /提现", 1},
		{"PageTooLate", "更多", 10 * time.Minute, false, "已过期，请发 /订单，或重新搜索", 1},
		{"CommandLater", "余额", 40 * time.Minute, false, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.run(offer(tt.action, tt.spent))
				w.fake.Say(ann, "hello")
				shown := w.wait(ann, 1)[0]
				time.Sleep(tt.after) // the bubble's
				q := w.fake.Press(ann, ann, shown.ID, 0)
				if toast, err := w.fake.WaitAnswered(w.ctx, q); err != nil || toast != tt.toast {
					t.Errorf("the toast is %q, %v, want %q", toast, err, tt.toast)
				}
				w.settle()
				all := w.fake.Sent(ann)
				if len(all[0].Flat()) != tt.left || (len(all) == 2) != (tt.toast == "") {
					t.Errorf("ann sees %+v", all)
				}
			})
		})
	}
}
