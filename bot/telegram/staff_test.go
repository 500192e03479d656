package telegram_test

import (
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
)

// In the group of staff anybody presses, also under what was said unasked: who may do
// what is package bot's to know.
func TestStaffPressWhatTheyAreTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.admins = wonderland
		w.fake.Group(wonderland, "Wonderland")
		w.fake.Meet(telegramfake.Person{ID: bob, Name: "Bob", Language: "en"})
		var in inbox
		w.run(offer(&in))
		c := w.channel()
		look := bot.Reply{Text: "look", Buttons: []bot.Button{{Label: "More", Action: "approve 7"}}}
		ps, err := c.ToStaff(w.ctx, "alert/1", look, []byte("\x89PNG\r\n\x1a\n"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second process says the same
			if err := w.engine.Post(w.ctx, ps...); err != nil {
				t.Fatal(err)
			}
		}
		w.fake.Press(bob, wonderland, w.wait(wonderland, 2)[1].ID, 0)
		said := w.wait(wonderland, 3)[2]
		w.fake.Press(ann, wonderland, said.ID, 1)
		w.wait(wonderland, 4)
		got := in.messages()
		if len(got) != 2 || got[0].From != identity(bob) || got[0].Text != "approve 7" || got[1].From != identity(ann) {
			t.Fatalf("handed %+v, want bob's press and ann's", got)
		}
		for _, m := range got {
			if !c.InStaffGroup(w.ctx, m) {
				t.Errorf("%+v is said not to be in the group of staff", m)
			}
		}
		if private := (bot.Message{From: identity(ann), Chat: itoa(ann)}); c.InStaffGroup(w.ctx, private) {
			t.Error("a private chat is said to be the group of staff")
		}
		unheard := func() bool {
			deaf, err := telegram.StaffUnheard(w.ctx, w.marks, telegram.Config{Token: telegram.Secret(w.fake.Token()), AdminChatID: wonderland})
			if err != nil {
				t.Error(err)
			}
			return deaf
		}
		if !unheard() {
			t.Error("nobody says that words in the group do not reach the bot")
		}
		w.fake.Promote(wonderland, 110201543) // the bot
		time.Sleep(6 * time.Minute)
		if unheard() {
			t.Error("an administrator is said not to hear")
		}
		w.admins = 0
		if _, err := w.channel().ToStaff(w.ctx, "alert/2", look, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("without a group: %v", err)
		}
	})
}
