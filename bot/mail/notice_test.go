package mail_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/notify"
	"fanli/core/user"
)

// web is a channel that delivers by itself.
type web struct{ told []string }

func (*web) Name() string { return "web" }

func (*web) Run(context.Context, bot.Handler) error { return nil }

func (w *web) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	w.told = append(w.told, to.External)
	return nil
}

// known is a person on three channels.
type known struct{ bot.Users }

func (known) User(context.Context, int64) (user.User, error) {
	return user.User{ID: 7, Locale: "en"}, nil
}

func (known) Identities(context.Context, int64) ([]user.Identity, error) {
	return []user.Identity{ann, {Channel: "c", External: "annie"}, {Channel: "web", External: "ann of the web"}}, nil
}

// TestANoticeFindsItsPerson goes from the office to the last channel that is left.
func TestANoticeFindsItsPerson(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users = known{f.Bot.Users}
	w, page := open(t), &web{}
	d := &bot.Deliverer{Bot: f.Bot, Channels: []bot.Channel{page}, Outbox: w.Engine}
	w.Elsewhere = d.Elsewhere
	data, err := json.Marshal(credit.Change{Title: "Kettle", Now: 280})
	must(t, err)
	tell := func(key string) {
		t.Helper()
		m := notify.Message{Key: key, User: 7, Kind: notify.RebateReady, Data: data}
		for range 2 { // the office was not sure that it had told
			must(t, d.Send(t.Context(), m))
		}
		w.settle()
	}
	tell("n1")
	if len(w.chats.shown["ann"]) != 1 || len(page.told) != 0 {
		t.Errorf("they are told %v, and on the page %v", w.chats.shown, page.told)
	}
	w.chats.fail("ann", fault.New(fault.NotFound, "c.blocked"))
	tell("n2")
	if len(w.chats.shown["ann"]) != 1 || len(w.chats.shown["annie"]) != 1 || len(page.told) != 0 {
		t.Errorf("they are told %v, and on the page %v", w.chats.shown, page.told)
	}
	w.chats.fail("annie", fault.New(fault.NotFound, "c.blocked"))
	tell("n3")
	if len(w.chats.shown["annie"]) != 1 || len(page.told) != 1 || page.told[0] != "ann of the web" {
		t.Errorf("they are told %v, and on the page %v", w.chats.shown, page.told)
	}
}

// TestANoticeIsToldAsItsPersonWishes when it is carried, whatever was so when it was written.
// The hours are those of the bot's clock, which is another one than the platforms'.
func TestANoticeIsToldAsItsPersonWishes(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Users = known{f.Bot.Users}
	w := open(t)
	d := &bot.Deliverer{Bot: f.Bot, Outbox: w.Engine}
	w.Wanted = d.Wanted
	data, err := json.Marshal(credit.Change{Title: "Kettle", Now: 280})
	must(t, err)
	tell := func(key string, kind notify.Kind) {
		t.Helper()
		must(t, d.Send(t.Context(), notify.Message{Key: key, User: 7, Kind: kind, Data: data}))
	}
	wish := func(c user.NoticesChange) {
		t.Helper()
		_, err := f.Bot.Users.ChangeNotices(t.Context(), 7, c)
		must(t, err)
		w.settle()
	}
	wants := func(what string, n int) {
		t.Helper()
		if got := len(w.chats.shown["ann"]); got != n {
			t.Errorf("%s: they are told %q, want %d", what, w.chats.shown["ann"], n)
		}
	}
	tell("n1", notify.RebateReady)
	wish(user.NoticesChange{Off: []user.Topic{user.TopicOrders}})
	wants("turned off after it was written", 0)
	tell("n2", notify.RebateReady)
	tell("n3", notify.RebateClawed)
	wish(user.NoticesChange{On: user.Topics(), Quiet: &user.Quiet{From: 11 * 60, To: 13 * 60}}) // it is noon
	wants("in quiet hours", 1)
	f.Clock.Move(time.Hour)
	w.at = w.at.Add(roomLook)
	w.settle()
	wants("after them", 2)
}
