package telegram_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"fanli/bot/mail"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/fault"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	const token = telegram.Secret(telegramfake.DefaultToken)
	tests := []struct {
		name string
		cfg  telegram.Config
		want []string // keys that are named; none means valid
	}{
		{"Token", telegram.Config{Token: token}, nil},
		{"NotConfigured", telegram.Config{}, []string{"token: is missing"}},
		{"TokenWithSpaces", telegram.Config{Token: " " + token}, []string{"token: is not one"}},
		{"TokenWithoutSecret", telegram.Config{Token: "123456:"}, []string{"token: is not one"}},
		{"TokenTooLong", telegram.Config{Token: token + telegram.Secret(strings.Repeat("a", 80))}, []string{"token: is not one"}},
		{"HTTPS", telegram.Config{Token: token, Endpoint: "https://tg.example.com/api/"}, nil},
		{"Loopback", telegram.Config{Token: token, Endpoint: "http://127.0.0.1:8081"}, nil},
		{"Container", telegram.Config{Token: token, Endpoint: "http://telegram-bot-api:8081"}, nil},
		{"PlainHTTP", telegram.Config{Token: token, Endpoint: "http://tg.example.com"}, []string{"endpoint:"}},
		{"PlainHTTPToAnAddress", telegram.Config{Token: token, Endpoint: "http://10.0.0.1"}, []string{"endpoint:"}},
		{"Verbs", telegram.Config{Token: token, Endpoint: "https://tg.example.com/%s"}, []string{"endpoint:"}},
		{"Query", telegram.Config{Token: token, Endpoint: "https://tg.example.com/?a=b"}, []string{"endpoint:"}},
		{"Proxies", telegram.Config{Token: token, Proxy: "socks5://u:p@127.0.0.1:1080"}, nil},
		{"ProxyOfAnotherKind", telegram.Config{Token: token, Proxy: "vmess://x"}, []string{"proxy:"}},
		{"Webhook", telegram.Config{Token: token, Mode: "webhook", WebhookURL: "https://b.example:8443/x/channel/telegram", SecretToken: "0123456789abcde_", AdminChatID: -5}, nil},
		{"OwnServer", telegram.Config{Token: token, Mode: "webhook", WebhookURL: "http://fanli:9000/channel/telegram", Endpoint: "http://tg:8081"}, nil},
		{"WebhookOfNobody", telegram.Config{Token: token, Mode: "webhook"}, []string{"webhook_url: is missing"}},
		{"WebhookOfAnotherKind", telegram.Config{Token: token, Mode: "push", WebhookURL: "https://b.example/"}, []string{"mode:", "webhook_url:"}},
		{"WebhookPlain", telegram.Config{Token: token, WebhookURL: "http://fanli/channel/telegram"}, []string{"webhook_url:"}},
		{"WebhookPort", telegram.Config{Token: token, WebhookURL: "https://b.example:9000/channel/telegram"}, []string{"webhook_url:"}},
		{"SecretThatIsShort", telegram.Config{Token: token, SecretToken: "abc"}, []string{"secret_token:"}},
		{"SecretWithSpaces", telegram.Config{Token: token, SecretToken: "0123456789 abcdef"}, []string{"secret_token:"}},
		{"AdminsInPrivate", telegram.Config{Token: token, AdminChatID: 5}, []string{"admin_chat_id:"}},
		{"AllAtOnce", telegram.Config{Endpoint: "ftp://x", Proxy: "x"}, []string{"token:", "endpoint:", "proxy:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.cfg.Validate()
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("Validate() = %v, want mistakes in %v", err, tt.want)
			}
			for _, key := range tt.want {
				if !strings.Contains(err.Error(), "telegram: "+key) {
					t.Errorf("Validate() = %v, want it to name %s", err, key)
				}
			}
			_, err = telegram.New(tt.cfg, &mail.Engine{}, newMarks(), nil)
			if (err == nil) != (len(tt.want) == 0) || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("New returned %v", err)
			}
		})
	}
	if (telegram.Config{}).Enabled() || !(telegram.Config{Token: token}).Enabled() {
		t.Error("Enabled does not say whether there is a token")
	}
}

var menu = []telegram.Command{
	{Name: "help", Zh: "怎么用", En: "How it works"},
	{Name: "balance", Zh: "余额", En: "Balance"},
}

func TestMenu(t *testing.T) {
	t.Run("IsShownInTheLanguageOfTheApp", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.run(echo, telegram.WithCommands(menu...))
			if _, err := w.fake.WaitCalls(w.ctx, "setMyCommands", 3); err != nil {
				t.Fatal(err)
			}
			if err := w.fake.WaitParked(w.ctx); err != nil {
				t.Fatal(err)
			}
			for language, want := range map[string]string{"zh": "余额", "en": "Balance", "fr": "余额 · Balance"} {
				got := w.fake.Menu(ann, language)
				if len(got) != 2 || got[1].Name != "balance" || got[1].Description != want {
					t.Errorf("in %s the menu is %+v, want %s", language, got, want)
				}
			}
		})
	})
	t.Run("ThatIsRefusedStopsNothing", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fake.Fail("setMyCommands", 1, telegramfake.Fault{Code: 400, Text: ""})
			w.fake.Fail("setMyCommands", 2, telegramfake.Fault{HangUp: true})
			w.run(echo, telegram.WithCommands(menu...))
			w.fake.Say(ann, "hello")
			wantTexts(t, w.wait(ann, 1), "hello")
			if _, err := w.fake.WaitCalls(w.ctx, "setMyCommands", 3); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := strings.Count(w.logs.String(), "menu cannot be set"); n != 3 {
				t.Errorf("the log has %d failures, want 3:\n%s", n, w.logs)
			}
		})
	})
	t.Run("ThatCannotBeIsRefusedAtTheStart", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []telegram.Command{
			{Name: "余额", Zh: "余额", En: "Balance"}, {Name: "Help", Zh: "x", En: "x"}, {Name: "", Zh: "x", En: "x"},
			{Name: "help", Zh: "", En: "x"}, {Name: "help", Zh: "x", En: strings.Repeat("x", 121)},
		} {
			_, err := telegram.New(telegram.Config{Token: telegramfake.DefaultToken}, &mail.Engine{}, newMarks(), nil, telegram.WithCommands(menu[0], bad))
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: New returned %v, want invalid", bad, err)
			}
		}
	})
}
