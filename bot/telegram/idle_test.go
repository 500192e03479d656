package telegram_test

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

// looking is what people see who wait.
const looking = "正在查询…"

// slowly answers after a time, with a card for "card".
func slowly(takes time.Duration) bot.Handler {
	return func(ctx context.Context, m bot.Message) bot.Reply {
		select {
		case <-time.After(takes): // the bubble's
		case <-ctx.Done():
		}
		if m.Text == "card" {
			return bot.Reply{Cards: []bot.Card{kettle}}
		}
		return bot.Reply{Text: m.Text, Buttons: []bot.Button{{Label: "帮助", Action: "help"}}}
	}
}

// TestWaiting: typing at once; who waits longer sees so, and then the answer in its place.
func TestWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fake.Group(wonderland, "Wonderland")
		w.run(slowly(10 * time.Second))
		if err := w.fake.WaitParked(w.ctx); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w.fake.Say(ann, "slow")
		w.fake.Say(bob, "/help", telegramfake.In(wonderland))
		calls, err := w.fake.WaitCalls(w.ctx, "sendChatAction", 2)
		if err != nil || !calls[1].At.Equal(began) {
			t.Errorf("typing is shown after %v, %v", calls[1].At.Sub(began), err)
		}
		first := w.wait(ann, 1)
		if took := time.Since(began); first[0].Text != looking || took < 1500*time.Millisecond || took > 2*time.Second {
			t.Errorf("after %v ann sees %+v", took, first)
		}
		w.settle()
		all := w.fake.Sent(ann)
		if len(all) != 1 || all[0].ID != first[0].ID || all[0].Text != "slow" || len(all[0].Flat()) != 1 {
			t.Errorf("at last ann sees %+v, want the answer in the place of %d", all, first[0].ID)
		}
		if group := w.fake.Sent(wonderland); len(group) != 1 || group[0].Edited {
			t.Errorf("the group sees %+v, want nothing but the answer", group)
		}
	})
}

// TestWaitingInTrouble: whatever goes wrong, ann has the answer once in the end, and
// nothing says that she has to wait.
func TestWaitingInTrouble(t *testing.T) {
	broken, lost := telegramfake.Fault{HangUp: true}, telegramfake.Fault{HangUp: true, Late: true}
	limited := telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 7", RetryAfter: 7}
	says := func(text string) telegramfake.Fault {
		return telegramfake.Fault{Code: 400, Text: "Bad Request: " + text}
	}
	for _, tt := range []struct {
		name, text, method string
		f                  telegramfake.Fault
		left               bool // what nobody can take away stays
	}{
		{"Nothing", "card", "getMe", telegramfake.Fault{}, false},
		{"NotTold", "slow", "sendMessage", broken, false},
		{"NotToldBecauseOfALimit", "slow", "sendMessage", limited, false},
		{"ToldWithoutAnAnswer", "slow", "sendMessage", lost, true},
		{"EditRefusedForAWhile", "slow", "editMessageText", limited, false},
		{"EditBroken", "slow", "editMessageText", broken, false},
		{"EditLost", "slow", "editMessageText", lost, false}, // the next try is told that it is not modified
		{"EditOf502", "slow", "editMessageText", telegramfake.Fault{Body: "<html>"}, false},
		{"CannotBeEdited", "slow", "editMessageText", says("message can't be edited"), false},
		{"MarkupRefused", "slow", "editMessageText", says(`can't parse entities: Unsupported start tag "x" at byte offset 3`), false},
		{"DeleteBroken", "card", "deleteMessage", broken, false},
		{"DeleteLimited", "card", "deleteMessage", limited, false},
		{"DeleteLost", "card", "deleteMessage", lost, false},
		{"CannotBeDeleted", "card", "deleteMessage", says("message can't be deleted"), true},
		{"PhotoRefused", "card", "sendPhoto", says("wrong type of the web page content"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.run(slowly(5 * time.Second))
				w.fake.Fail(tt.method, 1, tt.f)
				w.fake.Say(ann, tt.text)
				w.settle()
				answers, idle := shownTo(w, ann)
				if answers != 1 && (answers != 0 || tt.left) || idle > 0 && !tt.left {
					t.Errorf("ann sees %q: %d answers\n%s", texts(w.fake.Sent(ann)), answers, w.logs)
				}
			})
		})
	}
	t.Run("WhenTheAnswerIsThereFirst", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(slowly(5 * time.Second))
			w.fake.Fail("sendMessage", 2, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 120", RetryAfter: 120})
			w.fake.Say(ann, "1") // its answer waits, and what belongs to 2 behind it
			w.fake.Say(ann, "2")
			w.settle()
			wantTexts(t, w.fake.Sent(ann), "1", "2")
			if n := len(w.fake.Calls("editMessageText")); n != 0 {
				t.Errorf("%d messages said that she has to wait, who was long over it", n)
			}
		})
	})
	t.Run("WhenNobodyAnswers", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.ctx = t.Context() // longer than patience
			w.run(func(context.Context, bot.Message) bot.Reply {
				time.Sleep(2 * time.Minute) // it does not hear that its time is up
				return bot.Reply{Text: "never"}
			})
			w.fake.Say(ann, "slow")
			w.wait(ann, 1)
			time.Sleep(3 * time.Hour)
			if all := w.fake.Sent(ann); len(all) != 1 || all[0].Text == looking {
				t.Errorf("ann sees %q", texts(all))
			}
		})
	})
	t.Run("DeletedByThePerson", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(slowly(5 * time.Second))
			w.fake.Say(ann, "slow")
			w.fake.Remove(ann, w.wait(ann, 1)[0].ID)
			w.settle()
			wantTexts(t, w.fake.Sent(ann), "slow")
		})
	})
}

// shownTo counts answers and messages that only say that there will be one.
func shownTo(w *world, person int64) (answers, idle int) {
	for _, s := range w.fake.Sent(person) {
		if s.Text == looking {
			idle++
		} else {
			answers++
		}
	}
	return answers, idle
}

// TestTwoProcessesWait: either edits what the other has sent; one of them is killed on the
// way.
func TestTwoProcessesWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newHooked(t, telegramfake.Config{})
		a := w.run(slowly(6 * time.Second))
		w.run(slowly(6 * time.Second))
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		for person := range int64(20) {
			w.fake.Say(2000+person, "slow")
		}
		for person := range int64(20) {
			w.wait(2000+person, 1)
		}
		a.kill()
		w.settle()
		for person := range int64(20) {
			wantTexts(t, w.fake.Sent(2000+person), "slow")
		}
	})
}

// A mortal process dies at one of its points: before or after a transaction or a call,
// with which updates are received and confirmed, too. Being dead it reaches nothing.
type mortal struct {
	http.RoundTripper
	at int

	mu     sync.Mutex
	points []string
}

var errDead = errors.New("the process has died")

func (m *mortal) reach(point string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.points) < m.at {
		m.points = append(m.points, point)
	}
	if len(m.points) == m.at {
		return errDead
	}
	return nil
}

// died is where it has; "" for nowhere.
func (m *mortal) died() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.points) < m.at {
		return ""
	}
	return m.points[m.at-1]
}

// RoundTrip implements http.RoundTripper.
func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	method := path.Base(r.URL.Path)
	if method == "sendChatAction" {
		return m.RoundTripper.RoundTrip(r)
	}
	if err := m.reach(method + ".begin"); err != nil {
		return nil, err
	}
	resp, err := m.RoundTripper.RoundTrip(r)
	if err == nil {
		err = m.reach(method + ".committed")
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// TestNoCrashLeavesAnybodyWaiting: the process dies at each of its points while somebody
// waits, and the next one takes over. No message is lost, nobody waits for ever, and an answer that takes
// the place of a message is seen once. Telegram has no key for what is sent anew: where
// the process dies between sending and keeping that, it stays, or comes twice.
func TestNoCrashLeavesAnybodyWaiting(t *testing.T) {
	t.Parallel()
	for text, repeats := range map[string][]string{"slow": nil, "card": {"sendPhoto.committed", "begin.begin"}} {
		t.Run(text, func(t *testing.T) {
			for n := 1; ; n++ {
				died := ""
				bubbleNow(t, func(t *testing.T) { died = dieAt(t, n, text, repeats) })
				if died == "" {
					if n < 20 {
						t.Errorf("there are only %d points", n-1)
					}
					return
				}
			}
		})
	}
}

func dieAt(t *testing.T, n int, text string, repeats []string) (died string) {
	t.Helper()
	w := newWorld(t)
	m := &mortal{RoundTripper: w.fake.Client().Transport, at: n}
	w.store.Hook = func(point string) error {
		if strings.HasPrefix(point, "renew") {
			return nil
		}
		return m.reach(point)
	}
	w.marks.works = func() {
		if err := m.reach("mark"); err != nil {
			w.marks.fail(err)
		}
	}
	p := w.run(slowly(3*time.Second), telegram.WithHTTPClient(&http.Client{Transport: m}))
	w.fake.Say(ann, text)
	time.Sleep(10 * time.Second)
	died = m.died()
	p.kill()
	w.store.Hook, w.marks.works = nil, nil
	w.marks.fail(nil)
	w.run(slowly(3 * time.Second))
	time.Sleep(time.Minute)
	w.settle()
	answers, idle := shownTo(w, ann)
	if answers != 1 && (!slices.Contains(repeats, died) || answers != 2) {
		t.Errorf("after a death at point %d, %s, ann sees %q", n, died, texts(w.fake.Sent(ann)))
	}
	if unkept := died == "sendMessage.committed" || died == "settle.begin"; idle > 0 && !unkept {
		t.Errorf("after a death at point %d, %s, she still waits", n, died)
	}
	return died
}
