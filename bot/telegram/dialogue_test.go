package telegram_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/user"
)

// TestDialogues plays the story of buying, getting the money and giving something back as
// people see it on Telegram. However updates come, they see the same.
func TestDialogues(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T, telegramfake.Config) *world{"Polling": newWorldOf, "Webhook": newHooked} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := open(t, telegramfake.Config{Flood: true})
				w.keys = true
				w.fake.Group(wonderland, "Wonderland")
				bottest.Play(t, "testdata/story.txt", newShow(w).scene())
			})
		})
	}
}

// The people of the staff group, besides ann.
const (
	olga  = 7001
	fritz = 7002
)

// TestStaffDialogue plays what staff do in their group: an alert with buttons, approving by
// a press and its code, what others see of it, and that a word of staff is none elsewhere.
func TestStaffDialogue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, telegramfake.Config{Flood: true})
		w.admins = wonderland
		w.fake.Group(wonderland, "Wonderland")
		for id, name := range map[int64]string{olga: "Olga", fritz: "Fritz"} {
			w.fake.Meet(telegramfake.Person{ID: id, Name: name, Language: "zh"})
		}
		w.fake.Promote(wonderland, 110201543) // the bot
		s := newShow(w)
		s.people["olga"], s.people["fritz"] = olga, fritz
		bottest.Play(t, "testdata/staff.txt", s.scene())
	})
}

// A show is a world of package bottest whose people have Telegram.
type show struct {
	*world
	f      *bottest.Fake
	people map[string]int64  // by the names that the story has
	heard  map[int64]int     // of the messages of a chat, so many were written down
	taken  map[[2]int64]bool // messages of which it was written down that they have no buttons any more
	notice int
}

func newShow(w *world) *show {
	s := &show{world: w, f: bottest.New(w.t), people: map[string]int64{"ann": ann, "bob": bob}, heard: map[int64]int{}, taken: map[[2]int64]bool{}}
	w.run(func(ctx context.Context, m bot.Message) bot.Reply {
		for name, id := range s.people {
			if m.From.External == itoa(id) {
				m.From = user.Identity{Channel: "test", External: name}
			}
		}
		if m.Group && w.admins == wonderland {
			m.Chat = "staff"
		}
		return s.f.Handle(ctx, m)
	})
	s.f.Bot.PrivateURL = func(_, word string) string { return "https://t.me/fanli_bot?start=" + word }
	return s
}

// scene is the show as bottest plays it.
func (s *show) scene() bottest.World {
	played := s.f.World()
	played.Handle, played.Told = s.say, s.tell
	return played
}

// say has somebody write, or press the button that says this, and returns what is shown
// then.
func (s *show) say(_ context.Context, m bot.Message) bot.Reply {
	person := s.people[m.From.External]
	chat, opts := person, []telegramfake.SayOption(nil)
	if m.Group {
		chat, opts = wonderland, []telegramfake.SayOption{telegramfake.In(wonderland)}
	}
	all := s.fake.Sent(chat)
	pressed := false
	for i := len(all) - 1; i >= 0 && i >= len(all)-2 && !pressed; i-- {
		for index, b := range all[i].Flat() {
			if !pressed && b.Data == m.Text {
				s.fake.Press(person, chat, all[i].ID, index)
				pressed = true
			}
		}
	}
	if !pressed {
		s.fake.Say(person, m.Text, opts...)
	}
	return s.shown(chat)
}

// shown is what a chat shows that was not written down.
func (s *show) shown(chat int64) (r bot.Reply) {
	s.settle()
	if chat == s.admins { // twenty messages a minute go to a group
		time.Sleep(10 * time.Second)
	}
	all := s.fake.Sent(chat)
	for i, m := range all {
		if k := [2]int64{chat, m.ID}; m.Edited && len(m.Flat()) == 0 && !s.taken[k] {
			s.taken[k] = true
			r.Text = "(the buttons of message " + itoa(int64(i+1)) + " are taken away)"
		}
	}
	for _, m := range all[s.heard[chat]:] {
		c := bot.Card{Title: m.Text}
		if m.Photo != "" {
			c.Title = "(photo) " + m.Text
		}
		for _, b := range m.Flat() {
			c.Buttons = append(c.Buttons, bot.Button{Label: b.Text, Action: b.Data, URL: b.URL, Copy: b.Copy})
		}
		for _, row := range m.Keys {
			c.Notes = append(c.Notes, "keys: ["+strings.Join(row, "] [")+"]")
		}
		r.Cards = append(r.Cards, c)
	}
	s.heard[chat] = len(all)
	return r
}

// tell brings people what they are told unasked.
func (s *show) tell() (out []bottest.Told) {
	for _, n := range s.f.Told() {
		s.notice++
		if n.To.External == "the staff group" {
			out = append(out, bottest.Told{To: n.To, Reply: s.toStaff(n.Reply)})
			continue
		}
		chat := s.people[n.To.External]
		err := s.engine.Notice(s.ctx, bot.Notice{Key: fmt.Sprint(s.notice), User: 1, To: identity(chat), Reply: n.Reply})
		if err != nil {
			s.t.Error(err)
		}
		out = append(out, bottest.Told{To: n.To, Reply: s.shown(chat)})
	}
	return out
}

// toStaff tells the group of staff, as any process of bot does.
func (s *show) toStaff(r bot.Reply) bot.Reply {
	ps, err := s.channel().ToStaff(s.ctx, fmt.Sprintf("alert/telegram/%d", s.notice), r, nil)
	if err == nil {
		err = s.engine.Post(s.ctx, ps...)
	}
	if err != nil {
		s.t.Error(err)
	}
	return s.shown(wonderland)
}
