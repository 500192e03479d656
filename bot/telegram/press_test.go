package telegram_test

import (
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
)

// offer answers everything with two buttons.
func offer(in *inbox) bot.Handler {
	return func(c ctx, m bot.Message) bot.Reply {
		in.handle(c, m)
		return bot.Reply{Text: "choose", Buttons: []bot.Button{
			{Label: "Site", URL: "https://example.com"},
			{Label: "More", Action: "page 2"},
		}}
	}
}

func TestPress(t *testing.T) {
	t.Run("IsTheActionOfThePerson", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var in inbox
			w.run(offer(&in))
			w.fake.Say(ann, "hello")
			shown := w.wait(ann, 1)[0]
			q := w.fake.Press(ann, ann, shown.ID, 1)
			if toast, err := w.fake.WaitAnswered(w.ctx, q); err != nil || toast != "" {
				t.Errorf("the press was acknowledged with %q, %v", toast, err)
			}
			w.wait(ann, 2)
			got := in.messages()
			if len(got) != 2 || got[1].Text != "page 2" || got[1].From != identity(ann) || got[1].Chat != itoa(ann) {
				t.Errorf("handed %+v, want ann's action", got)
			}
			if got[0].ID == got[1].ID || got[1].ID == "" {
				t.Errorf("the press has the ID %q", got[1].ID)
			}
		})
	})
	t.Run("InAGroupCountsForTheOneWhoAskedOnly", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Group(wonderland, "Wonderland")
			w.fake.Meet(telegramfake.Person{ID: bob, Name: "Bob", Language: "en"})
			var in inbox
			w.run(offer(&in))
			w.fake.Say(ann, "/help", telegramfake.In(wonderland))
			shown := w.wait(wonderland, 1)[0]
			q := w.fake.Press(bob, wonderland, shown.ID, 1)
			if toast, err := w.fake.WaitAnswered(w.ctx, q); err != nil || toast != "This button is for someone else. Please send your own message." {
				t.Errorf("bob was told %q, %v", toast, err)
			}
			w.fake.Press(ann, wonderland, shown.ID, 1)
			again := w.wait(wonderland, 2)[1]
			w.fake.Press(ann, wonderland, again.ID, 1) // the answer's buttons are ann's too
			w.wait(wonderland, 3)
			for _, m := range in.messages() {
				if m.From != identity(ann) || !m.Group {
					t.Errorf("handed %+v, want ann's in the group only", m)
				}
			}
		})
	})
	odd := []struct {
		name string
		tap  telegramfake.Tap
	}{
		{"Forged", telegramfake.Tap{By: ann, Index: 1, Data: "withdraw all"}},
		{"TooOld", telegramfake.Tap{By: ann, Index: 1, TooOld: true}},
		{"OfInlineMode", telegramfake.Tap{By: ann, Index: 1, Inline: true}},
		{"InAnothersPrivateChat", telegramfake.Tap{By: bob, Index: 1}},
	}
	for _, tt := range odd {
		t.Run(tt.name+"IsRefusedAndAcknowledged", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				var in inbox
				w.run(offer(&in))
				w.fake.Say(ann, "hello")
				tt.tap.Chat, tt.tap.Message = ann, w.wait(ann, 1)[0].ID
				q := w.fake.PressAs(tt.tap)
				if toast, err := w.fake.WaitAnswered(w.ctx, q); err != nil || toast == "" {
					t.Errorf("acknowledged with %q, %v, want a reason", toast, err)
				}
				w.settle()
				if got := in.messages(); len(got) != 1 {
					t.Errorf("handed %+v, want the first message only", got)
				}
			})
		})
	}
	t.Run("ThatCannotBeAcknowledgedIsAnswered", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var in inbox
			w.run(offer(&in))
			w.fake.Say(ann, "hello")
			shown := w.wait(ann, 1)[0]
			w.fake.Fail("answerCallbackQuery", 1, telegramfake.Fault{
				Code: 400, Text: "Bad Request: query is too old and response timeout expired or query ID is invalid",
			})
			w.fake.Press(ann, ann, shown.ID, 1)
			w.wait(ann, 2)
		})
	})
	t.Run("IsNotHandledAgainAfterACrash", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var first, second inbox
			dying := w.run(offer(&first))
			w.fake.Say(ann, "hello")
			shown := w.wait(ann, 1)[0]
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			w.fake.Fail("sendMessage", 1, telegramfake.Fault{Stall: true})
			w.fake.Press(ann, ann, shown.ID, 1)
			if _, err := w.fake.WaitCalls(w.ctx, "sendMessage", 2); err != nil {
				t.Fatal(err)
			}
			dying.kill()
			w.run(offer(&second))
			w.wait(ann, 2)
			a, b := first.messages(), second.messages()
			if len(a) != 2 || len(b) != 0 {
				t.Errorf("handed %+v, after the crash %+v", a, b)
			}
		})
	})
}

// TestPages: another page takes the place of the one before, unless something stands below
// it, or another process has shown it, which cannot know that.
func TestPages(t *testing.T) {
	pages := func() bot.Handler {
		n := 1
		return func(_ ctx, m bot.Message) bot.Reply {
			r := bot.Reply{Text: "hello", Buttons: []bot.Button{{Label: "下一页", Action: "更多"}}}
			if r.Turned = m.Text == "更多"; r.Turned {
				n++
				r.Text = "page " + itoa(int64(n))
			}
			return r
		}
	}
	for _, tt := range []struct {
		name  string
		below func(w *world, r *running) // what happens before the first list's button is pressed once more
		wants string
	}{
		{"InItsPlace", func(*world, *running) {}, "page 3"},
		{"SomethingIsBelow", func(w *world, _ *running) { w.fake.Say(ann, "hello"); w.settle() }, "page 2|hello|page 3"},
		{"AnotherProcess", func(w *world, r *running) { r.kill(); w.run(pages()) }, "page 2|page 2"},
		{"DeletedMeanwhile", func(w *world, _ *running) {
			w.fake.Fail("editMessageText", 1, telegramfake.Fault{Code: 400, Text: "Bad Request: message to edit not found"})
		}, "page 2|page 3"},
		{"EditWithoutAnAnswer", func(w *world, _ *running) {
			w.fake.Fail("editMessageText", 1, telegramfake.Fault{HangUp: true, Late: true})
		}, "page 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.run(pages())
				w.fake.Say(ann, "hello")
				shown := w.wait(ann, 1)[0]
				w.fake.Press(ann, ann, shown.ID, 0)
				w.settle()
				wantTexts(t, w.fake.Sent(ann), "page 2")
				tt.below(w, r)
				w.fake.Press(ann, ann, shown.ID, 0)
				w.settle()
				if got := strings.Join(texts(w.fake.Sent(ann)), "|"); got != tt.wants {
					t.Errorf("ann sees %s, want %s", got, tt.wants)
				}
			})
		})
	}
}
