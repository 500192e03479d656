package telegram_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

func TestFace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Group(old, "Staff")
		w.fake.Promote(old, ann)
		groups := menu[:1]
		admins := []telegram.Command{{Name: "status", Zh: "状态", En: "Status"}}
		start := func() *running {
			t.Helper()
			r := w.run(echo, telegram.WithCommands(menu...), telegram.WithGroupCommands(groups...), telegram.WithAdminCommands(func() []telegram.Command { return admins }),
				telegram.WithAbout(telegram.About{Description: "返利", Short: "返"}, telegram.About{Description: "Rebates", Short: "R"}))
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return r
		}
		w.admins = old
		start().kill()
		set := len(w.fake.Calls("setMyCommands"))
		if set != 9 || len(w.fake.Menu(ann, "zh")) != 2 || w.fake.MenuButton() != "commands" {
			t.Errorf("%d menus are set, ann's is %+v with the button %q", set, w.fake.Menu(ann, "zh"), w.fake.MenuButton())
		}
		for _, g := range []struct {
			group int64
			admin bool
			want  string
		}{{wonderland, false, menu[0].Name}, {old, false, menu[0].Name}, {old, true, "status"}} {
			if got := w.fake.GroupMenu(g.group, g.admin, "en"); len(got) != 1 || got[0].Name != g.want {
				t.Errorf("in %d people see %+v, want %s", g.group, got, g.want)
			}
		}
		for language, want := range map[string]string{"zh": "返利 返", "en": "Rebates R", "fr": "Rebates R"} {
			if got := w.fake.About("description", language) + " " + w.fake.About("short_description", language); got != want {
				t.Errorf("in %s people read %q, want %q", language, got, want)
			}
		}
		start().kill()
		if n := len(w.fake.Calls("setMyCommands")); n != set {
			t.Errorf("%d menus are set again though nothing has changed", n-set)
		}
		admins[0].En = "How it is"
		start().kill()
		if got := w.fake.GroupMenu(old, true, "en"); len(got) != 1 || got[0].Description != "How it is" {
			t.Errorf("the changed menu is %+v", got)
		}
		groups = nil
		start().kill()
		if got := w.fake.GroupMenu(wonderland, false, "en"); len(got) != 0 {
			t.Errorf("groups still have the menu %+v", got)
		}
	})
}

// memo is a cache.
type memo struct{ kept sync.Map }

// Get implements cache.Cache.
func (m *memo) Get(_ context.Context, key string) ([]byte, bool) {
	v, ok := m.kept.Load(key)
	b, _ := v.([]byte)
	return b, ok
}

// Set implements cache.Cache.
func (m *memo) Set(_ context.Context, key string, value []byte, _ time.Duration) {
	m.kept.Store(key, value)
}

// jpeg begins as a JPEG does.
var jpeg = []byte("\xff\xd8\xff\xe0\x00\x10JFIF and so on")

func TestPhotos(t *testing.T) {
	for _, tt := range []struct {
		name   string
		refuse int // calls of sendPhoto
		fetch  func(context.Context, string) ([]byte, error)
		want   []string // photos of two cards with the same picture; "" for a text
	}{
		{"AreSentByTheirID", 0, nil, []string{kettle.Image, "AgAC"}},
		{"AreUploadedWhereTelegramCannotFetchThem", 1, func(context.Context, string) ([]byte, error) { return jpeg, nil }, []string{"attach://photo", "AgAC"}},
		{"AreLeftOutWhereNobodyCan", 2, func(context.Context, string) ([]byte, error) { return nil, errors.New("no route") }, []string{"", ""}},
		{"AreLeftOutIfTheyAreNone", 2, func(context.Context, string) ([]byte, error) { return []byte("<html>"), nil }, []string{"", ""}},
		{"AreLeftOutIfTelegramTakesNone", 3, func(context.Context, string) ([]byte, error) { return jpeg, nil }, []string{"", "attach://photo"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fake.Say(ann, "/start")
				w.fake.Fail("sendPhoto", tt.refuse, telegramfake.Fault{Code: 400, Text: "Bad Request: wrong type of the web page content"})
				c := w.channel(telegram.WithCache(&memo{}), telegram.WithPictures(tt.fetch))
				for range tt.want {
					if err := c.Send(t.Context(), identity(ann), bot.Reply{Cards: []bot.Card{kettle}}); err != nil {
						t.Fatal(err)
					}
				}
				for i, s := range w.fake.Sent(ann) {
					if s.Photo != tt.want[i] && (tt.want[i] != "AgAC" || !strings.HasPrefix(s.Photo, "AgAC")) || !strings.Contains(s.Text, "¥69.00") || len(s.Flat()) != 3 {
						t.Errorf("card %d is %+v, want the photo %q", i, s, tt.want[i])
					}
				}
			})
		})
	}
}

// TestPhotoThatTelegramHasForgotten is sent by its address again.
func TestPhotoThatTelegramHasForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Say(ann, "/start")
		c := w.channel(telegram.WithCache(&memo{}))
		for i := range 2 {
			if i == 1 {
				w.fake.Fail("sendPhoto", 1, telegramfake.Fault{Code: 400, Text: "Bad Request: wrong file identifier/HTTP URL specified"})
			}
			if err := c.Send(t.Context(), identity(ann), bot.Reply{Cards: []bot.Card{kettle}}); err != nil {
				t.Fatal(err)
			}
		}
		if all := w.fake.Sent(ann); len(all) != 2 || all[1].Photo != kettle.Image {
			t.Errorf("ann sees %+v", all)
		}
	})
}
