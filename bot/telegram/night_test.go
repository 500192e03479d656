package telegram_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/core/user"
)

// TestNoticesMakeNoSoundAtNight where people live; answers do.
func TestNoticesMakeNoSoundAtNight(t *testing.T) {
	if underRace {
		t.Skip("skipped under the race detector: a day of polls has the goroutines of a minute; stage 2 plays it")
	}
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.ctx = t.Context() // a day is longer than patience
		berlin := time.FixedZone("UTC+1", 60*60)
		w.run(echo, telegram.WithZone(berlin))
		began := time.Now().In(berlin)
		for i, tt := range []struct {
			hour   int
			silent bool
		}{{7, true}, {8, false}, {21, false}, {22, true}, {24, true}} {
			then := time.Date(began.Year(), began.Month(), began.Day(), tt.hour, 30, 0, 0, berlin)
			time.Sleep(time.Until(then)) // the bubble's
			w.fake.Say(ann, "hello")
			w.settle()
			if err := w.engine.Notice(w.ctx, bot.Notice{Key: fmt.Sprint(i), User: 1, To: identity(ann), Reply: bot.Reply{Text: "news"}}); err != nil {
				t.Fatal(err)
			}
			w.settle()
			all := w.fake.Sent(ann)
			if answer, notice := all[len(all)-2], all[len(all)-1]; answer.Silent || notice.Silent != tt.silent {
				t.Errorf("at %d:30 the answer is silent: %v, the notice %v", tt.hour, answer.Silent, notice.Silent)
			}
		}
	})
}

// TestOwnQuietHoursComeBeforeTheNight: whoever has said when it is to be quiet hears
// notices outside of that, also at night, and within only what cannot wait, without a sound.
func TestOwnQuietHoursComeBeforeTheNight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.ctx = t.Context()
		utc := time.FixedZone("UTC", 0)
		w.wanted = func(context.Context, bot.Notice) (bot.Wish, error) {
			return bot.Wish{Hours: user.Quiet{From: 60, To: 2 * 60}}, nil
		}
		w.run(echo, telegram.WithZone(utc))
		began := time.Now().In(utc)
		for i, tt := range []struct {
			hour   int
			silent bool
		}{{0, false}, {1, true}, {2, false}} {
			then := time.Date(began.Year(), began.Month(), began.Day(), tt.hour, 30, 0, 0, utc)
			time.Sleep(time.Until(then)) // the bubble's
			w.fake.Say(ann, "hello")
			w.settle()
			if err := w.engine.Notice(w.ctx, bot.Notice{Key: fmt.Sprint(i), User: 1, To: identity(ann), Reply: bot.Reply{Text: "news"}}); err != nil {
				t.Fatal(err)
			}
			w.settle()
			all := w.fake.Sent(ann)
			if notice := all[len(all)-1]; notice.Silent != tt.silent {
				t.Errorf("at %d:30 the notice is silent: %v", tt.hour, notice.Silent)
			}
		}
	})
}
