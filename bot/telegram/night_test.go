package telegram_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
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
