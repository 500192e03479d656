package telegram_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/mail/mailtest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
)

// stopMax is how long Run may take to end.
const stopMax = 2 * time.Second

func wantStop(t *testing.T, r *running) {
	t.Helper()
	took, err := r.stop()
	if err != nil || took > stopMax {
		t.Errorf("Run ended after %v with %v, want nil within %v", took, err, stopMax)
	}
}

func TestStop(t *testing.T) {
	t.Run("WhileAPollIsParked", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			r := w.run(echo)
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			wantStop(t, r)
		})
	})
	t.Run("WhileTelegramIsAway", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Fail("getMe", 1000, telegramfake.Fault{HangUp: true})
			r := w.run(echo)
			if _, err := w.fake.WaitCalls(w.ctx, "getMe", 5); err != nil {
				t.Fatal(err)
			}
			wantStop(t, r)
		})
	})
	t.Run("LetsAnAnswerFinish", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			asked, release := make(chan struct{}), make(chan struct{})
			r := w.run(func(context.Context, bot.Message) bot.Reply {
				close(asked) // a second message would close it again
				<-release
				return bot.Reply{Text: "just in time"}
			})
			w.fake.Say(ann, "hello")
			w.fake.Say(ann, "for the next run")
			<-asked
			synctest.Wait()
			time.AfterFunc(time.Second, func() { close(release) })
			wantStop(t, r)
			var second inbox
			w.run(second.handle)
			wantTexts(t, w.wait(ann, 2), "just in time", "ok")
			if got := second.messages(); len(got) != 1 || got[0].Text != "for the next run" {
				t.Errorf("%+v was handed to the next run, want what was not begun", got)
			}
		})
	})
	t.Run("CutsOffAHandlerAndSendsNothingOfIt", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			r := w.run(func(ctx context.Context, m bot.Message) bot.Reply {
				<-ctx.Done()
				return bot.Reply{Text: "something failed"}
			})
			w.fake.Say(ann, "hello")
			w.fake.Say(ann, "never begun")
			synctest.Wait()
			wantStop(t, r)
			w.run(echo)
			wantTexts(t, w.wait(ann, 2), "hello", "never begun")
		})
	})
	t.Run("CutsOffAHandlerThatSaysNothingThen", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			r := w.run(func(ctx context.Context, _ bot.Message) bot.Reply {
				<-ctx.Done()
				return bot.Reply{}
			})
			w.fake.Say(ann, "hello")
			synctest.Wait()
			wantStop(t, r)
			w.run(echo)
			wantTexts(t, w.wait(ann, 1), "hello")
		})
	})
	t.Run("DoesNotWaitForAHandlerThatDoesNotListen", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			release := make(chan struct{})
			r := w.run(func(context.Context, bot.Message) bot.Reply {
				<-release
				return bot.Reply{Text: "too late"}
			})
			w.fake.Say(ann, "hello")
			synctest.Wait()
			wantStop(t, r)
			wantLog(t, w.logs, "does not stop")
			close(release)
			synctest.Wait()
			wantTexts(t, w.fake.Sent(ann))
		})
	})
	t.Run("AndRunAgain", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.channel()
			for i := range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- c.Run(ctx, echo) }()
				w.fake.Say(ann, "hello")
				w.wait(ann, i+1)
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("run %d: %v", i, err)
				}
			}
		})
	})
}

func TestRunTwiceAtOnceIsAConflict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.channel()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, echo) }()
		if err := w.fake.WaitParked(w.ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Run(ctx, echo); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second Run returned %v, want a conflict", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestOfflineAtTheStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Fail("getMe", 6, telegramfake.Fault{HangUp: true})
		c := w.channel()
		if got := c.PrivateURL(""); got != "" {
			t.Errorf("PrivateURL() = %q before the name is known", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, echo) }()
		w.fake.Say(ann, "anybody?")
		wantTexts(t, w.wait(ann, 1), "anybody?")
		if got := c.PrivateURL(""); got != "https://t.me/fanli_bot" {
			t.Errorf("PrivateURL() = %q", got)
		}
		calls := w.fake.Calls("getMe")
		if took := calls[6].At.Sub(calls[0].At); took < 10*time.Second {
			t.Errorf("seven tries within %v: that is hammering", took)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestRefusedToken: a token that Telegram refuses is said once, known to all processes, and
// tried again until Telegram takes it.
func TestRefusedToken(t *testing.T) {
	for name, tt := range map[string]struct {
		hooked bool
		before func(w *world) // the channel runs
		later  func(w *world)
	}{
		"FromTheStart": {before: func(w *world) { w.fake.Revoke() }},
		"NotFound": {before: func(w *world) {
			w.fake.Fail("getMe", 2, telegramfake.Fault{Code: 404, Text: "Not Found"})
		}},
		"TheWebhook": {hooked: true, before: func(w *world) {
			w.fake.Fail("setWebhook", 1, telegramfake.Fault{Code: 401, Text: "Unauthorized"})
		}},
		"Later": {before: func(*world) {}, later: func(w *world) {
			w.fake.Say(ann, "hello")
			w.wait(ann, 1)
			w.fake.Revoke()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				if tt.hooked {
					w = newHooked(t, telegramfake.Config{})
				}
				tt.before(w)
				r := w.run(echo)
				if tt.later != nil {
					tt.later(w)
				}
				refused := func() bool {
					s, err := telegram.TokenOf(w.ctx, w.marks, telegram.Config{Token: telegram.Secret(w.fake.Token())}, time.Now())
					if err != nil {
						t.Fatal(err)
					}
					return s.Refused
				}
				time.Sleep(time.Minute) // the bubble's
				if !refused() {
					t.Error("nobody knows that the token is refused")
				}
				known := len(w.fake.Calls("getMe"))
				time.Sleep(10 * time.Minute)
				if n := len(w.fake.Calls("getMe")) - known; n > 4 {
					t.Errorf("%d tries in ten minutes: that is hammering", n)
				}
				w.fake.Restore()
				n := len(w.fake.Sent(ann))
				w.fake.Say(ann, "again")
				w.wait(ann, n+1)
				if refused() {
					t.Error("it is still said that the token is refused")
				}
				if _, err := r.stop(); err != nil {
					t.Errorf("Run returned %v", err)
				}
				if n := strings.Count(w.logs.String(), "refuses the bot's token"); n != 1 {
					t.Errorf("the log says %d times that the token is refused", n)
				}
			})
		})
	}
}

// TestOnTheWire runs against a real connection, where stopping means to break it.
func TestOnTheWire(t *testing.T) {
	t.Parallel()
	fake := telegramfake.New(telegramfake.Config{})
	server := httptest.NewServer(fake)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := telegram.New(telegram.Config{Token: telegram.Secret(fake.Token()), Endpoint: server.URL + "/"}, engineOf(&mailtest.Store{}, (&logs{}).logger()), newMarks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(run, echo) }()
	fake.Say(ann, "over the wire & back")
	all, err := fake.Wait(ctx, ann, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, all, "over the wire & back")
	if err := fake.WaitParked(ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second { // the call itself would last longer; how long it may take say those in bubbles
		t.Errorf("stopping took %v", took)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/bot/here", http.StatusTemporaryRedirect))
	defer server.Close()
	c, err := telegram.New(telegram.Config{Token: telegramfake.DefaultToken, Endpoint: server.URL}, engineOf(&mailtest.Store{}, (&logs{}).logger()), newMarks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := c.Send(ctx, identity(ann), bot.Reply{Text: "secret"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Send returned %v, want unavailable", err)
	}
	if len(asked) != 0 {
		t.Errorf("a call went elsewhere: %s", <-asked)
	}
	if err := c.Run(ctx, echo); err != nil { // closes connections
		t.Error(err)
	}
}
