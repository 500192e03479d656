package telegram_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fanli/bot"
	"fanli/bot/mail/mailtest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

// sharedToken is a token whose secret half is easy to look for.
const (
	tokenSecret = "AAH-very_Secret-part"
	sharedToken = "987654321:" + tokenSecret
)

func wantNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{tokenSecret, "hunter2"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells a secret:\n%s", where, text)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	c := telegram.Config{Token: sharedToken, Proxy: "socks5://me:hunter2@proxy:1080", Endpoint: "x y"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		wantNoSecret(t, verb, fmt.Sprintf(verb, c.Token)+fmt.Sprintf(verb, c)+fmt.Sprintf(verb, &c)+fmt.Sprintf(verb, []any{c.Token, c}))
	}
	if got := fmt.Sprintf("%x", c.Token); strings.Contains(got, fmt.Sprintf("%x", tokenSecret)) {
		t.Errorf("%%x tells the secret: %s", got)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "config", c, "token", c.Token, "pointer", &c)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "config", c, "token", c.Token, "pointer", &c)
	wantNoSecret(t, "JSON", string(asJSON))
	wantNoSecret(t, "YAML", string(asYAML))
	wantNoSecret(t, "the log", logged.String())
	wantNoSecret(t, "Validate", fmt.Sprint(c.Validate()))
	if got := telegram.Secret("").String(); got != "" {
		t.Errorf("no secret prints %q", got)
	}
}

func TestSecretIsReadFromYAML(t *testing.T) {
	t.Parallel()
	var c telegram.Config
	in := "token: " + sharedToken + "\nendpoint: http://localhost:8081\nproxy: http://me:hunter2@proxy:3128\n"
	if err := yaml.Unmarshal([]byte(in), &c); err != nil {
		t.Fatal(err)
	}
	if string(c.Token) != sharedToken || c.Endpoint != "http://localhost:8081" || string(c.Proxy) != "http://me:hunter2@proxy:3128" || c.Validate() != nil {
		t.Errorf("read as %v, %v", c, c.Validate())
	}
}

// TestNoLogLineHasTheToken drives the channel through everything that fails and
// looks at every line.
func TestNoLogLineHasTheToken(t *testing.T) {
	const eve = int64(5_550_123_987) // as long as no wait is by accident
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, telegramfake.Config{Token: sharedToken})
		for _, method := range []string{"getMe", "getUpdates", "sendMessage", "sendPhoto", "answerCallbackQuery", "setMyCommands", "sendChatAction"} {
			w.fake.Fail(method, 1, telegramfake.Fault{HangUp: true})
			w.fake.Fail(method, 1, telegramfake.Fault{Stall: true})
			w.fake.Fail(method, 1, telegramfake.Fault{Body: "cannot reach /bot" + sharedToken + "/x"})
			w.fake.Fail(method, 1, telegramfake.Fault{Code: 500, Text: "Internal: /bot" + sharedToken + "/x"})
			w.fake.Fail(method, 1, telegramfake.Fault{Code: 500, Text: "Internal: " + sharedToken})
		}
		w.fake.Fail("getUpdates", 1, telegramfake.Fault{Code: 409, Text: "Conflict: bot" + sharedToken})
		r := w.run(func(_ ctx, m bot.Message) bot.Reply {
			time.Sleep(10 * time.Second) // the bubble's
			if m.Text == "panic" {
				panic(errors.New("in bot" + sharedToken))
			}
			return bot.Reply{Text: "你好", Cards: []bot.Card{kettle}}
		}, telegram.WithCommands(menu...))
		w.fake.Say(eve, "hello")
		w.fake.Say(eve, "panic")
		w.fake.Say(eve, "again")
		shown := w.wait(eve, 2)
		w.fake.Press(eve, eve, shown[0].ID, 2)
		w.wait(eve, 3)
		c := w.channel()
		w.fake.Heal()
		w.fake.Fail("sendMessage", 9, telegramfake.Fault{HangUp: true})
		err := c.Send(t.Context(), identity(eve), bot.Reply{Text: "x"})
		wantNoSecret(t, "an error", fmt.Sprint(err))
		w.fake.Heal()
		w.fake.Revoke()
		time.Sleep(2 * time.Minute) // the bubble's: a poll is parked for less
		_, err = r.stop()
		wantNoSecret(t, "the error of Run", fmt.Sprint(err))
		wantLog(t, w.logs, "polling fails", "cannot be reached", "the handler panics", "refuses the bot's token", "menu cannot be set")
		wantNoSecret(t, "the log", w.logs.String())
		if got := w.logs.String(); strings.Contains(got, "hello") || strings.Contains(got, itoa(eve)) {
			t.Errorf("the log tells who wrote or what:\n%s", got)
		}
	})
}

func TestErrorOfADeadNetworkHasNoToken(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"http://localhost:1", "https://telegram.invalid"} {
		l := &logs{}
		cfg := telegram.Config{Token: sharedToken, Endpoint: endpoint, Proxy: "http://me:hunter2@localhost:1"}
		c, err := telegram.New(cfg, engineOf(&mailtest.Store{}, l.logger()), newMarks(), l.logger())
		if err != nil {
			t.Fatal(err)
		}
		run, cancel := contextWithTimeout(t, 300*time.Millisecond)
		err = c.Send(run, identity(ann), bot.Reply{Text: "x"})
		if err == nil {
			t.Error("a dead network delivers")
		}
		wantNoSecret(t, "an error", fmt.Sprintf("%v %+v", err, err))
		if err := c.Run(run, echo); err != nil {
			t.Errorf("Run: %v", err)
		}
		cancel()
		wantNoSecret(t, "the log", l.String())
	}
}

// shortTripper fails with an error of its own that has the address.
type shortTripper struct{}

// RoundTrip implements http.RoundTripper.
func (shortTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("no route to %s", r.URL)
}

func TestErrorOfATransportHasNoToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOf(t, telegramfake.Config{Token: sharedToken})
		c := w.channel(telegram.WithHTTPClient(&http.Client{Transport: shortTripper{}}))
		err := c.Send(t.Context(), identity(ann), bot.Reply{Text: "x"})
		if err == nil || !strings.Contains(err.Error(), "no route") {
			t.Errorf("Send returned %v", err)
		}
		wantNoSecret(t, "an error", fmt.Sprint(err))
	})
}
