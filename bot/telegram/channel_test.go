package telegram_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

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

func subject(t *testing.T, mode string) channeltest.Subject {
	t.Helper()
	fake := telegramfake.New(telegramfake.Config{Token: sharedToken, Local: true})
	server, door := httptest.NewServer(fake), &front{}
	site := httptest.NewServer(door)
	t.Cleanup(func() { fake.Close(); site.Close(); server.Close() })
	l := &logs{}
	cfg := telegram.Config{Token: sharedToken, Endpoint: server.URL, Mode: mode, WebhookURL: site.URL + telegram.HookPath, SecretToken: hookSecret}
	c, err := telegram.New(cfg, engineOf(&mailtest.Store{}, l.logger()), newMarks(), l.logger(), telegram.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	door.add(c)
	people := []int64{ann, bob}
	fake.Block(cat)
	return channeltest.Subject{
		Channel: c, People: []user.Identity{identity(ann), identity(bob)}, Unreachable: identity(cat),
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
		Redelivers: true, Logs: l.String, Secrets: []string{tokenSecret, hookSecret},
	}
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
