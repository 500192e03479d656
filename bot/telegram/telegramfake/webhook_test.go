package telegramfake_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot/telegram/telegramfake"
)

// A site is the bot's side of a webhook.
type site struct {
	mu      sync.Mutex
	heard   []string // texts, as they were accepted
	answers []func(w http.ResponseWriter)
	slow    time.Duration
	now     int // deliveries under way
	most    int
	secrets map[string]bool
}

// ServeHTTP answers with the next answer, or accepts.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var u struct {
		Message struct {
			Text string `json:"text"`
		} `json:"message"`
	}
	_ = json.Unmarshal(body, &u)
	s.mu.Lock()
	if s.secrets == nil {
		s.secrets = map[string]bool{}
	}
	s.secrets[r.Header.Get("X-Telegram-Bot-Api-Secret-Token")] = true
	s.now++
	s.most = max(s.most, s.now)
	var say func(w http.ResponseWriter)
	if len(s.answers) > 0 {
		say, s.answers = s.answers[0], s.answers[1:]
	}
	s.mu.Unlock()
	time.Sleep(s.slow) // the bubble's
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	if say != nil {
		say(w)
		return
	}
	s.heard = append(s.heard, u.Message.Text)
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// hooked plays a story in which a site is the webhook of a bot.
func hooked(t *testing.T, name string, cfg telegramfake.Config, story func(t *testing.T, s *telegramfake.Server, to *site)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			to := &site{}
			cfg.HookClient = telegramfake.Wire(to)
			s := telegramfake.New(cfg)
			defer s.Close()
			story(t, s, to)
		})
	})
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	set := func(t *testing.T, s *telegramfake.Server, more ...string) {
		t.Helper()
		if r := call(t, s, "setWebhook", append([]string{"url", "https://bot.example/hook"}, more...)...); !r.OK || r.Description != "Webhook was set" {
			t.Fatalf("setWebhook: %+v", r)
		}
	}
	hooked(t, "GetsTheSecretAndWhatWasWaiting", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		s.Say(ann, "before")
		set(t, s, "secret_token", "S3cret_-")
		s.Say(ann, "after")
		synctest.Wait()
		if fmt.Sprint(to.heard) != "[before after]" || !to.secrets["S3cret_-"] || s.Queued() != 0 {
			t.Errorf("heard %q with the secrets %v, %d are left", to.heard, to.secrets, s.Queued())
		}
	})
	hooked(t, "GetsOneChatInOrderAndOthersBeside", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		to.slow = time.Second
		set(t, s, "max_connections", "3")
		began := time.Now()
		for i := range int64(6) {
			s.Say(2000+i, "x")
		}
		for i := range 3 {
			s.Say(ann, fmt.Sprint(i))
		}
		if err := s.WaitQueued(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(to.heard, ""); to.most != 3 || strings.ReplaceAll(got, "x", "") != "012" || time.Since(began) > 5*time.Second {
			t.Errorf("heard %q, %d at once, in %v", got, to.most, time.Since(began))
		}
	})
	hooked(t, "IsTriedAgainOnALadder", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		for range 9 {
			to.answers = append(to.answers, status(500))
		}
		set(t, s)
		s.Say(ann, "x")
		all, err := s.WaitDeliveries(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		var gaps []string
		for i := range all[1:] {
			gaps = append(gaps, all[i+1].At.Sub(all[i].At).String())
		}
		if got := strings.Join(gaps[:7], " "); got != "0s 2s 4s 8s 16s 32s 1m0s" && got != "0s 2s 4s 8s 16s 32s 1m4s" || len(to.heard) != 1 {
			t.Errorf("tried after %s; heard %q", gaps, to.heard)
		}
		info := call(t, s, "getWebhookInfo")
		if !strings.Contains(string(info.Result), `"last_error_message":"Wrong response from the webhook: 500 Internal Server Error"`) {
			t.Errorf("the info is %s", info.Result)
		}
	})
	hooked(t, "MayAskToBeLeftAlone", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		to.answers = append(to.answers, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(503)
		})
		set(t, s)
		s.Say(ann, "x")
		all, err := s.WaitDeliveries(t.Context(), 2)
		if err != nil || all[1].At.Sub(all[0].At) != 30*time.Second {
			t.Errorf("%v, %v", all, err)
		}
	})
	hooked(t, "ThatIsGoneForADayIsRemoved", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		for range 2000 {
			to.answers = append(to.answers, status(410))
		}
		set(t, s)
		s.Say(ann, "x")
		began := time.Now()
		if err := s.WaitHook(t.Context(), ""); err != nil || time.Since(began) < 23*time.Hour {
			t.Errorf("removed after %v, %v", time.Since(began), err)
		}
	})
	hooked(t, "AnswerCanBeACall", telegramfake.Config{}, func(t *testing.T, s *telegramfake.Server, to *site) {
		for _, body := range []string{`{"method":"sendMessage","chat_id":1001,"text":"hi"}`, `{"method":"getMe"}`, `{`} {
			to.answers = append(to.answers, func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, body)
			})
			s.Say(ann, "x")
		}
		set(t, s)
		synctest.Wait()
		if all := s.Sent(ann); len(all) != 1 || all[0].Text != "hi" || s.Queued() != 0 {
			t.Errorf("ann is told %+v", all)
		}
	})
}

func TestSetWebhook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		local  bool
		params []string
		want   string // "" for success
	}{
		{"Plain", false, []string{"url", "http://bot.example/"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{"Port", false, []string{"url", "https://bot.example:9000/"}, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		{"Local", true, []string{"url", "http://bot:9000/"}, ""},
		{"NoAddress", false, []string{"url", "x"}, "Bad Request: bad webhook: invalid webhook URL specified"},
		{"LongSecret", false, []string{"url", "https://b.example", "secret_token", strings.Repeat("a", 257)}, "Bad Request: secret token is too long"},
		{"OddSecret", false, []string{"url", "https://b.example", "secret_token", "a b"}, "Bad Request: secret token contains unallowed characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := telegramfake.New(telegramfake.Config{Local: tt.local})
			defer s.Close()
			if got := call(t, s, "setWebhook", tt.params...); got.OK != (tt.want == "") || !got.OK && got.Description != tt.want {
				t.Errorf("answered %+v, want %q", got, tt.want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := telegramfake.New(telegramfake.Config{})
		defer s.Close()
		parked := make(chan result, 1)
		go func() { parked <- call(t, s, "getUpdates", "timeout", "50") }()
		synctest.Wait()
		call(t, s, "setWebhook", "url", "https://b.example")
		wantFailure(t, <-parked, 409, "Conflict: terminated by setWebhook request")
		wantFailure(t, call(t, s, "setWebhook", "url", "https://b.example"), 429, "Too Many Requests: retry after 1")
		time.Sleep(time.Second)
		for _, tt := range [][2]string{{"https://b.example", "Webhook is already set"}, {"https://c.example", "Webhook was set"}, {"", "Webhook was deleted"}, {"", "Webhook is already deleted"}} {
			if got := call(t, s, "setWebhook", "url", tt[0]); got.Description != tt[1] {
				t.Errorf("setting %q answered %+v, want %q", tt[0], got, tt[1])
			}
			time.Sleep(time.Second)
		}
	})
}

func TestWhatPeopleReadAboutABot(t *testing.T) {
	t.Parallel()
	s := telegramfake.New(telegramfake.Config{})
	s.Group(-5, "Staff")
	s.Promote(-5, ann)
	for _, c := range [][]string{
		{"setMyDescription", "description", "all"}, {"setMyDescription", "description", "汉", "language_code", "zh"},
		{"setMyShortDescription", "short_description", "short"}, {"setChatMenuButton", "menu_button", `{"type":"commands"}`},
		{"setMyCommands", "commands", `[{"command":"status","description":"x"}]`, "scope", `{"type":"chat_administrators","chat_id":-5}`},
	} {
		if got := call(t, s, c[0], c[1:]...); !got.OK {
			t.Errorf("%s: %+v", c[0], got)
		}
	}
	if s.About("description", "zh") != "汉" || s.About("description", "en") != "all" || s.About("short_description", "en") != "short" || s.MenuButton() != "commands" {
		t.Error("people do not read what was set")
	}
	if len(s.GroupMenu(-5, true, "en")) != 1 || s.GroupMenu(-5, false, "en") != nil || s.Menu(ann, "en") != nil {
		t.Error("the menu of administrators is not theirs")
	}
	call(t, s, "setMyCommands", "commands", `[{"command":"own","description":"x"}]`, "scope", `{"type":"chat_member","chat_id":-5,"user_id":1002}`)
	if own, led := s.MemberMenu(-5, bob, "en"), s.MemberMenu(-5, ann, "en"); len(own) != 1 || own[0].Name != "own" || len(led) != 1 || led[0].Name != "status" {
		t.Errorf("one person's menu is %+v, an administrator's %+v", own, led)
	}
	if got := call(t, s, "getChatAdministrators", "chat_id", "-5"); !strings.Contains(string(got.Result), `"id":1001`) {
		t.Errorf("the administrators are %s", got.Result)
	}
	wantFailure(t, call(t, s, "setMyShortDescription", "short_description", strings.Repeat("a", 121)), 400, "Bad Request: short_description is too long")
}
