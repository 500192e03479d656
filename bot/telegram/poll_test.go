package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/telegram/telegramfake"
)

func TestAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(echo)
		w.fake.Say(ann, "你好")
		wantTexts(t, w.wait(ann, 1), "你好")
		w.settle()
	})
}

func TestWhatWasWrittenWhileAwayIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Say(ann, "1")
		w.fake.Say(bob, "2")
		w.run(echo)
		wantTexts(t, w.wait(ann, 1), "1")
		wantTexts(t, w.wait(bob, 1), "2")
	})
}

func TestCrash(t *testing.T) {
	t.Run("WhileAnsweringHasTheNextRunAnswer", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var first, second inbox
			dying := w.run(func(ctx context.Context, m bot.Message) bot.Reply {
				first.handle(ctx, m)
				<-ctx.Done()
				return bot.Reply{Text: "cut short"}
			})
			w.fake.Say(ann, "one")
			w.fake.Say(bob, "two")
			synctest.Wait()
			dying.kill()
			w.run(second.handle)
			wantTexts(t, w.wait(ann, 1), "ok")
			wantTexts(t, w.wait(bob, 1), "ok")
			a, b := first.messages(), second.messages()
			if len(a) != 2 || len(b) != 2 || !slices.Contains(b, a[0]) || a[0].ID == "" {
				t.Errorf("handed %+v, after the crash %+v, want the same messages with IDs", a, b)
			}
		})
	})
	t.Run("BetweenAnsweringAndSendingAsksNobodyAgain", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Fail("sendMessage", 1, telegramfake.Fault{Stall: true}) // answered, and then it dies
			var first, second inbox
			dying := w.run(first.handle)
			w.fake.Say(ann, "one")
			if _, err := w.fake.WaitCalls(w.ctx, "sendMessage", 1); err != nil {
				t.Fatal(err)
			}
			dying.kill()
			w.run(second.handle)
			wantTexts(t, w.wait(ann, 1), "ok")
			w.settle()
			if len(first.messages()) != 1 || len(second.messages()) != 0 || len(w.fake.Sent(ann)) != 1 {
				t.Errorf("handed %+v, after the crash %+v", first.messages(), second.messages())
			}
		})
	})
	t.Run("AfterSendingRepeatsNothing", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var first, second inbox
			p := w.run(first.handle)
			w.fake.Say(ann, "one")
			w.wait(ann, 1)
			w.settle()
			p.kill()
			w.run(second.handle)
			w.fake.Say(ann, "two")
			w.wait(ann, 2)
			if got := second.messages(); len(got) != 1 || got[0].Text != "two" {
				t.Errorf("after the restart %+v was handed, want two only", got)
			}
		})
	})
}

func TestRestartGoesOnAtTheKeptOffset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run(echo)
		for i := range 3 {
			w.fake.Say(ann, fmt.Sprint(i))
		}
		w.wait(ann, 3)
		p.kill()
		kept := w.marks.all()
		if len(kept) != 1 {
			t.Fatalf("kept %v, want one offset", kept)
		}
		before := len(w.fake.Calls("getUpdates"))
		w.run(echo)
		calls, err := w.fake.WaitCalls(w.ctx, "getUpdates", before+1)
		if err != nil {
			t.Fatal(err)
		}
		for _, offset := range kept {
			if got := calls[before].Params["offset"]; got != offset {
				t.Errorf("the first poll asks for %s, want the kept offset %s", got, offset)
			}
		}
	})
}

func TestOrder(t *testing.T) {
	t.Run("OfOneChatIsKept", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			var in inbox
			w.run(in.handle)
			for i := range 40 {
				w.fake.Say([]int64{ann, bob}[i%2], fmt.Sprintf("%02d", i))
			}
			w.wait(ann, 20)
			w.wait(bob, 20)
			last := map[string]string{}
			for _, m := range in.messages() {
				if m.Text <= last[m.Chat] {
					t.Errorf("%s was handed %s after %s", m.Chat, m.Text, last[m.Chat])
				}
				last[m.Chat] = m.Text
			}
		})
	})
	t.Run("SlowChatHoldsUpNobody", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			release := make(chan struct{})
			w.run(func(_ context.Context, m bot.Message) bot.Reply {
				if m.From.External == fmt.Sprint(ann) {
					<-release
				}
				return bot.Reply{Text: m.Text}
			})
			w.fake.Say(ann, "slow")
			synctest.Wait()
			began := time.Now()
			w.fake.Say(bob, "fast")
			w.wait(bob, 1)
			if took := time.Since(began); took > time.Second {
				t.Errorf("bob waited %v for ann", took)
			}
			if got := w.fake.Sent(ann); len(got) != 0 {
				t.Errorf("ann was told %q before her handler was done", texts(got))
			}
			close(release)
			wantTexts(t, w.wait(ann, 1), "slow")
		})
	})
	t.Run("ChatWithoutEndHoldsUpNoPage", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			release := make(chan struct{})
			w.run(func(_ context.Context, m bot.Message) bot.Reply {
				if m.From.External == fmt.Sprint(ann) {
					<-release
				}
				return bot.Reply{Text: m.Text}
			})
			w.fake.Say(ann, "slow")
			for i := range int64(150) { // more than a page
				w.fake.Say(5000+i, "hello")
			}
			began := time.Now()
			for i := range int64(150) {
				w.wait(5000+i, 1)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("people behind a full page waited %v", took)
			}
			close(release)
			wantTexts(t, w.wait(ann, 1), "slow")
		})
	})
	t.Run("FloodOfOneIsBounded", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			release := make(chan struct{})
			var in inbox
			w.run(func(ctx context.Context, m bot.Message) bot.Reply {
				<-release
				return in.handle(ctx, m)
			})
			for i := range 90 {
				w.fake.Say(ann, fmt.Sprint(i))
			}
			w.fake.Say(bob, "hello")
			if _, err := w.fake.WaitCalls(w.ctx, "getUpdates", 3); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			close(release)
			w.wait(bob, 1)
			w.wait(ann, 60)
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			if n := len(in.messages()); n < 61 || n > 62 { // sixty waiting, perhaps one more, and bob's
				t.Errorf("%d messages were handed, want 61 or 62", n)
			}
			if told := strings.Join(texts(w.fake.Sent(ann)), "|"); strings.Count(told, bot.TooMany("").Text) != 1 {
				t.Errorf("ann is told %q, want once that it is too much", told)
			}
		})
	})
}

func TestPollingSurvives(t *testing.T) {
	failures := []struct {
		name string
		f    telegramfake.Fault
		wait time.Duration // at least, before it asks again
		log  string
	}{
		{"TooManyRequests", telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 7", RetryAfter: 7}, 7 * time.Second, "429"},
		{"ConflictWithAnother", telegramfake.Fault{Code: 409, Text: "Conflict: terminated by other getUpdates request"}, 3 * time.Second, "somebody else"},
		{"InternalError", telegramfake.Fault{Code: 500, Text: "Internal Server Error"}, 500 * time.Millisecond, "500"},
		{"PageOfAProxy", telegramfake.Fault{Body: "<html>502 Bad Gateway</html>"}, 500 * time.Millisecond, "status 502"},
		{"LimitOfAProxy", telegramfake.Fault{Body: "slow down", Status: 429}, 500 * time.Millisecond, "429"},
		{"TruncatedAnswer", telegramfake.Fault{Body: `{"ok":true,"resu`, Status: 200}, 500 * time.Millisecond, "status 200"},
		{"AnswerOfAnotherForm", telegramfake.Fault{Body: `{"ok":true,"result":{"a":1}}`, Status: 200}, 500 * time.Millisecond, "polling fails"},
		{"BrokenConnection", telegramfake.Fault{HangUp: true}, 500 * time.Millisecond, "connection reset"},
		{"Silence", telegramfake.Fault{Stall: true}, time.Minute, "deadline exceeded"},
	}
	for _, tt := range failures {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				const times = 4
				w.fake.Fail("getUpdates", times, tt.f)
				w.run(echo)
				w.fake.Say(ann, "still there?")
				wantTexts(t, w.wait(ann, 1), "still there?")
				calls := w.fake.Calls("getUpdates")
				for i := range times {
					if gap := calls[i+1].At.Sub(calls[i].At); gap < tt.wait {
						t.Errorf("poll %d came %v after the one before, want at least %v", i+1, gap, tt.wait)
					}
				}
				wantLog(t, w.logs, tt.log)
			})
		})
	}
}

func TestEmptyAnswersDoNotSpin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		const times = 20
		w.fake.Fail("getUpdates", times, telegramfake.Fault{Body: `{"ok":true,"result":[]}`, Status: 200})
		w.run(echo)
		calls, err := w.fake.WaitCalls(w.ctx, "getUpdates", times+1)
		if err != nil {
			t.Fatal(err)
		}
		if took := calls[times].At.Sub(calls[0].At); took < times*250*time.Millisecond {
			t.Errorf("%d polls of a server that does not park took %v", times, took)
		}
	})
}

func TestServerThatForgetsConfirmations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		again := `{"ok":true,"result":[{"update_id":5,"message":{"message_id":77,"date":1,"text":"hi",` +
			`"from":{"id":1001,"first_name":"A"},"chat":{"id":1001,"type":"private"}}}]}`
		w.fake.Say(ann, "first")
		w.run(echo)
		w.wait(ann, 1)
		const times = 10
		w.fake.Fail("getUpdates", times, telegramfake.Fault{Body: again, Status: 200})
		before := len(w.fake.Calls("getUpdates"))
		calls, err := w.fake.WaitCalls(w.ctx, "getUpdates", before+times+1)
		if err != nil {
			t.Fatal(err)
		}
		wantTexts(t, w.wait(ann, 2), "first", "hi") // once, however often it comes
		if took := calls[before+times].At.Sub(calls[before+1].At); took < 4*time.Second {
			t.Errorf("the same update %d times took %v: that is spinning", times, took)
		}
	})
}

func TestNumbersStartAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(echo)
		w.fake.Say(ann, "before")
		w.wait(ann, 1)
		if err := w.fake.WaitParked(w.ctx); err != nil {
			t.Fatal(err)
		}
		w.fake.JumpUpdates(17) // after a quiet week
		w.fake.Say(ann, "after")
		w.fake.Say(ann, "and again")
		wantTexts(t, w.wait(ann, 3), "before", "after", "and again")
		w.settle()
	})
}

func TestOddUpdatesAreSkipped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(echo)
		for _, odd := range []map[string]any{
			{},
			{"message": "a text"},
			{"message": map[string]any{"message_id": "x"}},
			{"message": map[string]any{"message_id": 5}},
			{"message": map[string]any{"message_id": 5, "from": map[string]any{"id": 5}, "text": "no chat"}},
			{"poll_answer": map[string]any{"poll_id": "1"}},
			{"callback_query": map[string]any{"id": "7"}},
		} {
			w.fake.PushUpdate(odd)
		}
		w.fake.Say(ann, "hello")
		wantTexts(t, w.wait(ann, 1), "hello")
		w.settle()
	})
}

func TestDatabaseTrouble(t *testing.T) {
	t.Run("AtTheStartIsWaitedFor", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.marks.fail(errors.New("database is locked"))
			w.run(echo)
			w.fake.Say(ann, "hello")
			time.Sleep(20 * time.Second) // the bubble's
			w.marks.fail(nil)
			wantTexts(t, w.wait(ann, 1), "hello")
			wantLog(t, w.logs, "database is locked")
		})
	})
	t.Run("LaterCostsNoAnswers", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(echo)
			w.fake.Say(ann, "one")
			w.wait(ann, 1)
			w.marks.fail(errors.New("disk is full"))
			w.fake.Say(ann, "two")
			w.fake.Say(ann, "three")
			wantTexts(t, w.wait(ann, 3), "one", "two", "three")
			if n := strings.Count(w.logs.String(), "disk is full"); n != 1 {
				t.Errorf("the log has the same trouble %d times, want once", n)
			}
		})
	})
	t.Run("NonsenseIsStartedOver", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			if err := w.marks.SetMark(t.Context(), fmt.Sprintf("telegram.offset.%d", w.fake.BotID()), "abc", 0); err != nil {
				t.Fatal(err)
			}
			w.fake.Say(ann, "hello")
			w.run(echo)
			wantTexts(t, w.wait(ann, 1), "hello")
		})
	})
}
