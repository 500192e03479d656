package telegram_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"fanli/bot/channeltest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel over real connections.
func TestChannel(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		fake := telegramfake.New(telegramfake.Config{Token: sharedToken})
		server := httptest.NewServer(fake)
		t.Cleanup(server.Close)
		l := &logs{}
		c, err := telegram.New(telegram.Config{Token: sharedToken, Endpoint: server.URL}, newMarks(), l.logger(), telegram.WithHTTPClient(server.Client()))
		if err != nil {
			t.Fatal(err)
		}
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
			Redelivers: true, Logs: l.String, Secrets: []string{tokenSecret},
		}
	})
}

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
