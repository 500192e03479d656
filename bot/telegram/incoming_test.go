package telegram_test

import (
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/user"
)

// wonderland and old are groups.
const (
	wonderland = int64(-1_001_234_567_890)
	old        = int64(-4242)
)

func identity(id int64) user.Identity {
	return user.Identity{Channel: "telegram", External: itoa(id)}
}

// hear says something and returns what the handler was handed; nil for nothing.
func hear(t *testing.T, cfg telegramfake.Config, say func(f *telegramfake.Server)) []bot.Message {
	t.Helper()
	w := newWorldOf(t, cfg)
	w.fake.Group(wonderland, "Wonderland")
	w.fake.Group(old, "Old")
	var in inbox
	r := w.run(in.handle)
	say(w.fake)
	w.settle()
	r.kill()
	return in.messages()
}

func TestTextThatIsRead(t *testing.T) {
	const jd = "https://item.jd.com/100012043978.html"
	type options = []telegramfake.SayOption
	tests := []struct {
		name string
		text string
		opts options
		want string
	}{
		{"Text", "看看这个 " + jd, nil, "看看这个 " + jd},
		{"Caption", "好物 " + jd, options{telegramfake.WithPhoto()}, "好物 " + jd},
		{"LinkBehindWordsOfACaption", "😀😀 buy", options{telegramfake.WithPhoto(), telegramfake.Hiding("buy", jd)}, "😀😀 buy\n" + jd},
		{"LinkBehindItself", jd, options{telegramfake.Hiding(jd, jd)}, jd},
		{"LinkThatBeginsLikeAnother", jd + "?a=12 x", options{telegramfake.Hiding("x", jd+"?a=1")}, jd + "?a=12 x\n" + jd + "?a=1"},
		{"PreviewOfALinkInTheText", jd, options{telegramfake.Previewing(jd + "/")}, jd},
		{"LinkOnlyInThePreviewOfAPhoto", "", options{telegramfake.WithPhoto(), telegramfake.Previewing(jd)}, jd},
		{"ForwardOfAPerson", jd, options{telegramfake.Forwarded("user")}, jd},
		{"ForwardOfSomebodyHidden", jd, options{telegramfake.Forwarded("hidden_user")}, jd},
		{"ForwardOfAGroup", jd, options{telegramfake.Forwarded("chat")}, jd},
		{"ForwardOfAChannel", jd, options{telegramfake.Forwarded("channel")}, jd},
		{"Start", "/start", nil, "/start"},
		{"DeepLink", "/start r_A1b2", nil, "/start r_A1b2"},
		{"CommandWithOurName", "/balance@fanli_bot", nil, "/balance"},
		{"CommandWithOurNameInCapitals", "/balance@Fanli_Bot now", nil, "/balance now"},
		{"CommandGluedToAWord", "/bind淘宝123", nil, "/bind 淘宝123"},
		{"CommandInTheMiddle", "try /help@other_bot", nil, "try /help@other_bot"},
		{"EmojiBeforeOurName", "👩‍👩‍👧 @fanli_bot 余额", nil, "👩‍👩‍👧 余额"},
		{"NameOfAnother", "@other_bot hi", nil, "@other_bot hi"},
		{"Sticker", "", options{telegramfake.With("sticker", map[string]any{"file_id": "x", "width": 1})}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				got := hear(t, telegramfake.Config{}, func(f *telegramfake.Server) { f.Say(ann, tt.text, tt.opts...) })
				if len(got) != 1 || got[0].Text != tt.want {
					t.Fatalf("handed %+v, want the text %q", got, tt.want)
				}
				if m := got[0]; m.From != identity(ann) || m.Chat != itoa(ann) || m.Group || m.ID == "" {
					t.Errorf("handed %+v, want it from ann in private, with an ID", m)
				}
			})
		})
	}
}

func TestWhatIsNotForUs(t *testing.T) {
	in := telegramfake.In(wonderland)
	tests := []struct {
		name string
		say  func(f *telegramfake.Server)
	}{
		{"CommandToAnotherBot", func(f *telegramfake.Server) { f.Say(ann, "/help@other_bot") }},
		{"AnonymousAdministrator", func(f *telegramfake.Server) { f.Say(ann, "/balance", in, telegramfake.Anonymously()) }},
		{"ForwardOfALinkedChannel", func(f *telegramfake.Server) { f.Say(777000, "https://a.example/1", in) }},
		{"PersonInTheNameOfAChannel", func(f *telegramfake.Server) { f.Say(136817688, "/balance", in) }},
		{"PersonInTheNameOfAGroup", func(f *telegramfake.Server) {
			f.Say(ann, "/balance", in, telegramfake.With("sender_chat", map[string]any{"id": -77, "type": "channel"}))
		}},
		{"NewMember", func(f *telegramfake.Server) {
			f.Say(ann, "", in, telegramfake.With("new_chat_members", []map[string]any{{"id": 5, "first_name": "N"}}))
		}},
		{"PinInPrivate", func(f *telegramfake.Server) {
			f.Say(ann, "", telegramfake.With("message_auto_delete_timer_changed", map[string]any{"message_auto_delete_time": 5}))
		}},
		{"StickerInAGroup", func(f *telegramfake.Server) {
			f.Say(ann, "", in, telegramfake.With("sticker", map[string]any{"file_id": "x"}))
		}},
		{"AnotherBot", func(f *telegramfake.Server) {
			f.PushUpdate(map[string]any{"message": map[string]any{
				"message_id": 1, "date": 1, "text": "spam", "chat": map[string]any{"id": 9, "type": "private"},
				"from": map[string]any{"id": 9, "is_bot": true, "first_name": "B"},
			}})
		}},
		{"ChannelPost", func(f *telegramfake.Server) {
			f.PushUpdate(map[string]any{"channel_post": map[string]any{
				"message_id": 1, "date": 1, "text": "news", "chat": map[string]any{"id": -100, "type": "channel"},
			}})
		}},
		{"BlockAndUnblock", func(f *telegramfake.Server) { f.Block(ann); f.Unblock(ann) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				if got := hear(t, telegramfake.Config{ReadsGroups: true}, tt.say); len(got) != 0 {
					t.Errorf("handed %+v, want nothing", got)
				}
			})
		})
	}
}

func TestGroup(t *testing.T) {
	t.Run("MessagesSaySo", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			got := hear(t, telegramfake.Config{}, func(f *telegramfake.Server) {
				f.Say(ann, "/help@fanli_bot", telegramfake.In(wonderland))
				f.Say(bob, "talk among people", telegramfake.In(wonderland)) // privacy mode hides it
			})
			if len(got) != 1 || !got[0].Group || got[0].Chat != itoa(wonderland) || got[0].From != identity(ann) || got[0].Text != "/help" {
				t.Errorf("handed %+v, want ann's command in the group", got)
			}
		})
	})
	t.Run("AnswersNameTheMessageAndStayInTheTopic", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Group(wonderland, "Wonderland")
			w.run(echo)
			id := w.fake.Say(ann, "/help", telegramfake.In(wonderland), telegramfake.Topic(12))
			sent := w.wait(wonderland, 1)[0]
			if sent.ReplyTo != id || sent.Thread != 12 {
				t.Errorf("sent %+v, want a reply to %d in topic 12", sent, id)
			}
		})
	})
	t.Run("TopicThatWasClosedIsLeft", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Group(wonderland, "Wonderland")
			w.fake.Fail("sendMessage", 1, telegramfake.Fault{Code: 400, Text: "Bad Request: message thread not found"})
			w.run(echo)
			w.fake.Say(ann, "/help", telegramfake.In(wonderland), telegramfake.Topic(12))
			if sent := w.wait(wonderland, 1)[0]; sent.Thread != 0 || sent.Text != "/help" {
				t.Errorf("sent %+v, want the answer outside of the topic", sent)
			}
		})
	})
	t.Run("ThatBecameASupergroupIsFollowed", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Group(old, "Old")
			moved := make(chan int64, 1)
			w.run(func(ctx ctx, m bot.Message) bot.Reply {
				moved <- w.fake.Migrate(old)
				return bot.Reply{Text: m.Text}
			})
			w.fake.Say(ann, "/help", telegramfake.In(old))
			wantTexts(t, w.wait(<-moved, 1), "/help")
			if got := w.fake.Sent(old); len(got) != 0 {
				t.Errorf("the old group was told %q", texts(got))
			}
		})
	})
	t.Run("ThatThrewUsOutIsForgotten", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Group(wonderland, "Wonderland")
			w.run(func(_ ctx, m bot.Message) bot.Reply {
				w.fake.ThrowOut(wonderland)
				return bot.Reply{Text: m.Text}
			})
			w.fake.Say(ann, "/help", telegramfake.In(wonderland))
			w.settle()
			if n := len(w.fake.Calls("sendMessage")); n != 1 {
				t.Errorf("%d tries to write there, want 1", n)
			}
		})
	})
}

func TestIDs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var all []bot.Message
		for _, token := range []string{"111:first-bot", "222:second-bot"} {
			all = append(all, hear(t, telegramfake.Config{Token: token}, func(f *telegramfake.Server) {
				f.Say(ann, "1")
				f.Say(ann, "2")
				f.Say(bob, "1")
				f.Say(ann, "/a", telegramfake.In(wonderland))
			})...)
		}
		seen := map[string]bool{}
		for _, m := range all {
			if seen[m.ID] || len(m.ID) > 64 || strings.ContainsAny(m.ID, " \n") {
				t.Errorf("the ID %q is there twice or odd", m.ID)
			}
			seen[m.ID] = true
		}
		if len(seen) != 8 {
			t.Errorf("%d different IDs of 8 messages", len(seen))
		}
	})
}

func TestEditSaysOfWhat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := hear(t, telegramfake.Config{}, func(f *telegramfake.Server) {
			id := f.Say(ann, "look at this")
			f.Say(ann, "look at that", telegramfake.Edit(id))
		})
		if len(got) != 2 || got[1].Text != "look at that" || got[1].Edits != got[0].ID || got[1].ID == got[0].ID || got[0].Edits != "" {
			t.Errorf("handed %+v, want a message and its edit", got)
		}
	})
}

func TestLanguageIsPassedOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := hear(t, telegramfake.Config{}, func(f *telegramfake.Server) {
			f.Meet(telegramfake.Person{ID: ann, Name: "Ann", Language: "zh-hans"})
			f.Say(ann, "hi")
		})
		if len(got) != 1 || got[0].Locale != "zh-hans" {
			t.Errorf("handed %+v, want the language of ann's app", got)
		}
	})
}

func TestTyping(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(func(_ ctx, m bot.Message) bot.Reply {
			if m.Text == "slow" {
				time.Sleep(10 * time.Second) // the bubble's
			}
			return bot.Reply{Text: m.Text}
		})
		w.fake.Say(ann, "slow")
		w.settle()
		if got := strings.Join(w.fake.Actions(ann), " "); got != "typing typing typing" {
			t.Errorf("while a handler worked for ten seconds, ann saw %q", got)
		}
		for range 20 {
			w.fake.Say(ann, "fast")
		}
		w.settle()
		if got := len(w.fake.Actions(ann)); got > 4 {
			t.Errorf("of twenty messages at once %d were announced, one is enough", got-3)
		}
	})
}

func TestPanicOfAHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(func(_ ctx, m bot.Message) bot.Reply {
			if m.Text == "boom" {
				panic("it broke: " + w.fake.Token())
			}
			return bot.Reply{Text: m.Text}
		})
		w.fake.Say(ann, "boom")
		w.fake.Say(ann, "fine")
		if got := texts(w.wait(ann, 2)); got[0] == "" || got[1] != "fine" {
			t.Errorf("ann was told %q, want an apology and an answer", got)
		}
		wantLog(t, w.logs, "the handler panics")
	})
}
