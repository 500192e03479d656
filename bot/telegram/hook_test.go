package telegram_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

// knock posts to the webhook and returns the status.
func (w *world) knock(secret string, body []byte) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, telegram.HookPath, bytes.NewReader(body))
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	out := httptest.NewRecorder()
	w.front.ServeHTTP(out, r)
	return out
}

func TestWebhook(t *testing.T) {
	hooked := func(name string, story func(t *testing.T, w *world)) {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) { story(t, newHooked(t, telegramfake.Config{})) })
		})
	}
	hooked("IsSetWithItsSecretAndDelivers", func(t *testing.T, w *world) {
		w.fake.Say(ann, "before")
		w.run(echo)
		w.fake.Say(ann, "after")
		wantTexts(t, w.wait(ann, 2), "before", "after")
		set := w.fake.Calls("setWebhook")[0].Params
		if h := w.fake.Hook(); h.URL != hookURL || len(h.Secret) < 32 || strings.Contains(w.fake.Token(), h.Secret) || set["allowed_updates"] == "" {
			t.Errorf("the webhook is %+v, set with %v", h, set)
		}
		if w.count.of("fresh") != 2 || len(w.fake.Calls("getUpdates")) != 0 {
			t.Errorf("%d deliveries are counted", w.count.of("fresh"))
		}
	})
	hooked("IsSetAgainIfSomebodyChangesIt", func(t *testing.T, w *world) {
		w.run(echo)
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		resp, err := w.fake.Client().Get("http://localhost/bot" + w.fake.Token() + "/setWebhook?url=https://other.example/")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		wantLog(t, w.logs, "somebody has changed the webhook")
	})
	hooked("ThatFailsIsSaid", func(t *testing.T, w *world) {
		var full atomic.Bool
		w.store.Hook = func(string) error {
			if full.Load() {
				return errors.New("disk full")
			}
			return nil
		}
		w.run(echo)
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		full.Store(true)
		w.fake.Say(ann, "hello")
		time.Sleep(6 * time.Minute)
		if w.count.of("undelivered") != 1 || w.count.of("away") < 2 {
			t.Errorf("counted %+v", w.count.all)
		}
		wantLog(t, w.logs, "Telegram cannot deliver to the webhook", "503 Service Unavailable")
		if s := w.hook(); !s.Sick || !strings.Contains(s.Said, "503") || s.Waiting != 1 {
			t.Errorf("staff are told %+v", s)
		}
		full.Store(false)
		wantTexts(t, w.wait(ann, 1), "hello") // nothing is lost
		time.Sleep(16 * time.Minute)
		if s := w.hook(); s.Sick || s.Seen.IsZero() {
			t.Errorf("after that staff are told %+v", s)
		}
	})
	hooked("IsDeletedForPolling", func(t *testing.T, w *world) {
		w.run(echo).kill()
		front := w.front
		w.front = nil
		w.run(echo)
		w.fake.Say(ann, "hello")
		wantTexts(t, w.wait(ann, 1), "hello")
		w.front = front
		if h := w.fake.Hook(); h != (telegramfake.Hooking{}) {
			t.Errorf("there is still %+v", h)
		}
	})
	hooked("OfSeveralProcessesIsSetByOne", func(t *testing.T, w *world) {
		l := &leases{}
		for _, name := range []string{"a", "b"} {
			w.run(echo, telegram.WithLeases(l, name))
		}
		w.fake.Say(ann, "hello")
		wantTexts(t, w.wait(ann, 1), "hello")
		time.Sleep(time.Minute)
		if n := len(w.fake.Calls("setWebhook")); n != 1 {
			t.Errorf("the webhook was set %d times", n)
		}
	})
}

// TestWebhookTakesWhatIsNotForUs: an update that is none of ours is taken, or it would come
// for ever; what is no update channeltest has.
func TestWebhookTakesWhatIsNotForUs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newHooked(t, telegramfake.Config{})
		var in inbox
		w.run(in.handle)
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		for counted, body := range map[string]string{"odd": `{"update_id":7,"message":5}`, "ignored": `{"update_id":7,"poll":{}}`} {
			got := w.knock(w.fake.Hook().Secret, []byte(body))
			if got.Code != http.StatusOK || got.Body.Len() != 0 || w.count.of(counted) != 1 {
				t.Errorf("%s: answered %d %q, counted %v", counted, got.Code, got.Body, w.count.all)
			}
		}
		w.settle()
		if len(in.messages()) != 0 || len(w.fake.Calls("sendMessage")) != 0 {
			t.Errorf("handed %+v", in.messages())
		}
	})
}

func TestWebhookAtTheWrongTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newHooked(t, telegramfake.Config{})
		c := w.channel()
		w.front.add(c)
		r := w.run(echo)
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		secret := w.fake.Hook().Secret
		r.kill()
		if got := w.knock(secret, []byte(`{"update_id":7}`)); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
			t.Errorf("a process that does not run answers %d", got.Code)
		}
	})
}

// hook is what all processes know of the webhook.
func (w *world) hook() telegram.HookState {
	w.t.Helper()
	cfg := telegram.Config{Token: telegram.Secret(w.fake.Token()), Mode: telegram.Webhook}
	s, err := telegram.HookOf(w.ctx, w.marks, cfg, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
