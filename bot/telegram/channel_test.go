package telegram_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/channeltest"
	"fanli/bot/mail/mailtest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel over real connections, however updates
// come.
func TestChannel(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{telegram.Polling, telegram.Webhook} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Subject { return subject(t, mode) })
		})
	}
}

// A stage is a Telegram with the processes of one bot on it, over real connections.
type stage struct {
	t     *testing.T
	fake  *telegramfake.Server
	front channeltest.Front
	site  *httptest.Server // what the webhook leads to
	api   *httptest.Server
	mode  string

	store  *mailtest.Store
	marks  *marks
	leases *leases
	logs   *logs
	counts counts
}

// config is what a process is configured with.
func (s *stage) config() telegram.Config {
	return telegram.Config{Token: sharedToken, Endpoint: s.api.URL, Mode: s.mode, WebhookURL: s.site.URL + telegram.HookPath, SecretToken: hookSecret}
}

// join returns the channel of one more process.
func (s *stage) join() bot.Channel {
	e := engineOf(s.store, s.logs.logger())
	c, err := telegram.New(s.config(), e, s.marks, s.logs.logger(),
		telegram.WithHTTPClient(s.api.Client()), telegram.WithCount(s.counts.add), telegram.WithLeases(s.leases, e.Holder))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.front.Behind(c)
}

func subject(t *testing.T, mode string) channeltest.Subject {
	t.Helper()
	s := &stage{t: t, mode: mode, store: &mailtest.Store{}, marks: newMarks(), leases: &leases{}, logs: &logs{}}
	s.front.Patient = true
	s.fake = telegramfake.New(telegramfake.Config{Token: sharedToken, Local: true})
	s.api, s.site = httptest.NewServer(s.fake), httptest.NewServer(&s.front)
	t.Cleanup(func() { s.fake.Close(); s.site.Close(); s.api.Close() })
	fake, people := s.fake, []int64{ann, bob}
	fake.Block(cat)
	keys := []string{"token"}
	if mode == telegram.Webhook {
		keys = append(keys, "webhook_url")
	}
	return channeltest.Subject{
		Channel: s.join(), Join: s.join, People: []user.Identity{identity(ann), identity(bob)}, Unreachable: identity(cat),
		Say: func(person int, text string) { fake.Say(people[person], text) },
		Press: func(person int, label string) {
			all := fake.Sent(people[person])
			for i := len(all) - 1; i >= 0; i-- {
				for index, b := range all[i].Flat() {
					if b.Text == label {
						fake.Press(people[person], people[person], all[i].ID, index)
						return
					}
				}
			}
			t.Errorf("there is no button %q", label)
		},
		Read: func(ctx context.Context, person int, wanted func([]channeltest.Told) bool) []channeltest.Told {
			all, err := fake.WaitFor(ctx, people[person], func(all []telegramfake.Sent) bool { return wanted(seen(all)) })
			if err != nil {
				t.Logf("waiting: %v", err)
			}
			return seen(all)
		},
		Again: func(person, copies int) func() []string {
			for _, status := range fake.Again(people[person], copies) {
				if status != http.StatusOK {
					t.Errorf("a copy is answered %d", status)
				}
			}
			return func() []string { return nil } // answers are messages of their own
		},
		Forge:   func(person int, text string) []channeltest.Forgery { return s.forgeries(people[person], text) },
		Refused: func(why string) int { return s.counts.of(why) },
		Hide: map[string]func(person int, words, address string){
			"behind words": func(person int, words, address string) {
				fake.Say(people[person], "看 "+words, telegramfake.Hiding(words, address))
			},
			"behind words of a caption": func(person int, words, address string) {
				fake.Say(people[person], "看 "+words, telegramfake.WithPhoto(), telegramfake.Hiding(words, address))
			},
			"in a preview": func(person int, words, address string) {
				fake.Say(people[person], words, telegramfake.Previewing(address))
			},
		},
		Keys: keys,
		Make: func(without ...string) error {
			cfg := s.config()
			for _, key := range without {
				*map[string]*string{"token": (*string)(&cfg.Token), "webhook_url": &cfg.WebhookURL}[key] = ""
			}
			_, err := telegram.New(cfg, engineOf(s.store, s.logs.logger()), s.marks, s.logs.logger())
			return err
		},
		Redelivers: true, Logs: s.logs.String, Secrets: []string{tokenSecret, hookSecret},
	}
}

// forgeries are deliveries to the webhook that must be refused. Where updates are polled,
// nothing is taken there, whatever secret it comes with.
func (s *stage) forgeries(person int64, text string) (all []channeltest.Forgery) {
	from := fmt.Sprintf(`{"id":%d,"first_name":"A"}`, person)
	update := fmt.Sprintf(`{"update_id":7,"message":{"message_id":1,"date":1,"text":%q,"from":%s,"chat":{"id":%d,"type":"private"}}}`, text, from, person)
	for _, f := range []struct {
		name, method, secret, body string
		status                     int
		why                        string
	}{
		{"no secret", "POST", "", update, 401, "forged"},
		{"another secret", "POST", hookSecret[1:] + "x", update, 401, "forged"},
		{"a part of the secret", "POST", hookSecret[:10], update, 401, "forged"},
		{"the token", "POST", sharedToken, update, 401, "forged"},
		{"oversized", "POST", hookSecret, `{"update_id":7,"x":"` + strings.Repeat("a", 300<<10) + `"}`, 413, "oversized"},
		{"empty", "POST", hookSecret, "", 400, "malformed"},
		{"no JSON", "POST", hookSecret, "update_id=7", 400, "malformed"},
		{"cut off", "POST", hookSecret, update[:40], 400, "malformed"},
		{"two documents", "POST", hookSecret, update + update, 400, "malformed"},
		{"an array", "POST", hookSecret, "[" + update + "]", 400, "malformed"},
		{"no number", "POST", hookSecret, `{"message":{}}`, 400, "malformed"},
		{"a number of another kind", "POST", hookSecret, `{"update_id":"7"}`, 400, "malformed"},
		{"deep", "POST", hookSecret, `{"update_id":7,"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, 400, "malformed"},
		{"not text", "POST", hookSecret, "{\"update_id\":7,\"x\":\"\xff\"}", 400, "malformed"},
		{"a look", "GET", hookSecret, "", 405, "method"},
		{"right, where updates are polled", "POST", hookSecret, update, 401, "forged"},
	} {
		if s.mode == telegram.Polling && f.status != 405 {
			f.status, f.why = 401, "forged"
		} else if s.mode == telegram.Webhook && f.body == update && f.secret == hookSecret {
			continue
		}
		all = append(all, channeltest.Forgery{Name: f.name, Status: f.status, Why: f.why, Send: func() (int, string) {
			r := httptest.NewRequestWithContext(s.t.Context(), f.method, telegram.HookPath, strings.NewReader(f.body))
			r.Header.Set("X-Telegram-Bot-Api-Secret-Token", f.secret)
			out := httptest.NewRecorder()
			s.front.ServeHTTP(out, r)
			return out.Code, out.Body.String()
		}})
	}
	return all
}

// hookSecret is a secret that is easy to look for.
const hookSecret = "Very_Secret-hook-part"

// seen is what a person sees.
func seen(all []telegramfake.Sent) []channeltest.Told {
	var out []channeltest.Told
	for _, s := range all {
		told := channeltest.Told{Text: strings.TrimSpace(s.Text)}
		for _, b := range s.Flat() {
			told.Buttons = append(told.Buttons, b.Text)
		}
		out = append(out, told)
	}
	return out
}
