package telegram_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
)

func TestPaceKeepsBelowTelegramsLimits(t *testing.T) {
	t.Run("InOneChat", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorldOf(t, telegramfake.Config{Flood: true})
			w.run(echo)
			for i := range 30 {
				w.fake.Say(ann, fmt.Sprint(i))
			}
			w.wait(ann, 30)
			wantNoRefusal(t, w, 30)
		})
	})
	t.Run("InAGroup", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorldOf(t, telegramfake.Config{Flood: true})
			w.fake.Group(wonderland, "Wonderland")
			w.run(echo)
			for range 50 {
				w.fake.Say(ann, "/help", telegramfake.In(wonderland))
			}
			w.wait(wonderland, 50)
			wantNoRefusal(t, w, 50)
		})
	})
	t.Run("ByTwoProcesses", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, l := newWorldOf(t, telegramfake.Config{Flood: true}), &leases{}
			w.fake.Group(wonderland, "Wonderland")
			for _, holder := range []string{"a", "b"} {
				w.run(echo, telegram.WithLeases(l, holder))
			}
			time.Sleep(10 * time.Second) // the bubble's: they know of each other
			for range 50 {
				w.fake.Say(ann, "/help", telegramfake.In(wonderland))
			}
			for i := range int64(200) {
				w.fake.Say(7000+i, "hello")
			}
			w.wait(wonderland, 50)
			for i := range int64(200) {
				w.wait(7000+i, 1)
			}
			wantNoRefusal(t, w, 250)
		})
	})
	t.Run("InAllChats", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorldOf(t, telegramfake.Config{Flood: true})
			for i := range int64(200) {
				w.fake.Say(7000+i, "hello")
			}
			began := time.Now()
			w.run(echo)
			for i := range int64(200) {
				w.wait(7000+i, 1)
			}
			wantNoRefusal(t, w, 200)
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("200 answers took %v: that is too careful", took)
			}
		})
	})
}

func wantNoRefusal(t *testing.T, w *world, calls int) {
	t.Helper()
	if n := len(w.fake.Calls("sendMessage")); n != calls {
		t.Errorf("%d messages took %d calls: Telegram had to refuse some", calls, n)
	}
}

func TestAnswersGoBeforeNotices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, telegramfake.Config{Flood: true})
		c := w.channel()
		run, stop := contextWithCancel(t)
		ended := make(chan error, 1)
		go func() { ended <- c.Run(run, echo) }()
		var sending sync.WaitGroup
		for i := range int64(200) {
			w.fake.Say(8000+i, "/start")
		}
		for i := range int64(200) {
			w.wait(8000+i, 1)
		}
		time.Sleep(time.Minute) // the bubble's: all buckets are full again
		for i := range int64(200) {
			sending.Go(func() {
				if err := c.Send(t.Context(), identity(8000+i), bot.Reply{Text: "news"}); err != nil && !fault.Is(err, fault.Limited) {
					t.Errorf("Send: %v", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		w.fake.Say(ann, "hello")
		w.wait(ann, 1)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("an answer waited %v for notices", took)
		}
		sending.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestTooManyRequests(t *testing.T) {
	t.Run("KeepsOneChatSilent", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(echo)
			w.fake.Fail("sendMessage", 1, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 30", RetryAfter: 30})
			began := time.Now()
			w.fake.Say(ann, "limited")
			if _, err := w.fake.WaitCalls(w.ctx, "sendMessage", 1); err != nil {
				t.Fatal(err)
			}
			w.fake.Say(bob, "free")
			w.wait(bob, 1)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("bob waited %v for ann's limit", took)
			}
			wantTexts(t, w.wait(ann, 1), "limited")
			if took := time.Since(began); took < 30*time.Second || took > 32*time.Second {
				t.Errorf("ann was told after %v, want just after 30s", took)
			}
		})
	})
	t.Run("InSeveralChatsKeepsAllSilent", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(echo)
			w.fake.Fail("sendMessage", 2, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 30", RetryAfter: 30})
			began := time.Now()
			w.fake.Say(ann, "limited")
			w.fake.Say(bob, "limited")
			if _, err := w.fake.WaitCalls(w.ctx, "sendMessage", 2); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.fake.Say(cat, "later")
			w.wait(cat, 1)
			if took := time.Since(began); took < 30*time.Second {
				t.Errorf("cat was told after %v although everybody is limited", took)
			}
			w.wait(ann, 1)
			w.wait(bob, 1)
		})
	})
}
