package kf_test

import (
	"context"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/channeltest"
	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/user"
)

// TestChannel plays the stories of every channel.
func TestChannel(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		w := open(t, kffake.Config{PageSize: 2}, nil)
		people := []string{ann, bob}
		return channeltest.Subject{
			Channel: w.channel, People: []user.Identity{identity(ann), identity(bob)}, Unreachable: identity(cat),
			Say: func(person int, text string) { w.fake.Say(t.Context(), people[person], text) },
			Press: func(person int, label string) {
				if _, ok := w.fake.Tap(t.Context(), people[person], label); !ok {
					t.Errorf("nobody was offered %q: %q", label, w.fake.Lines(people[person]))
				}
			},
			More: func(person int) { w.fake.Say(t.Context(), people[person], "更多") },
			Read: func(ctx context.Context, person int, wanted func([]channeltest.Told) bool) []channeltest.Told {
				for {
					all := seen(w.fake.Seen(people[person]))
					if wanted(all) || ctx.Err() != nil {
						return all
					}
					select { // the fake tells nobody that something has come
					case <-time.After(time.Millisecond):
					case <-ctx.Done():
					}
				}
			},
			Redelivers: true, Logs: w.logs.String,
			Secrets: []string{w.fake.Token(), w.fake.AESKey(), w.fake.Secret(), ann, bob},
		}
	})
}

// seen is what a person sees.
func seen(all []kffake.Seen) (out []channeltest.Told) {
	for _, s := range all {
		told := channeltest.Told{Text: s.Text}
		for _, i := range s.Items {
			told.Buttons = append(told.Buttons, i.Text)
		}
		out = append(out, told)
	}
	return out
}

// TestCarrier holds the channel to what package mail wants of one.
func TestCarrier(t *testing.T) {
	t.Parallel()
	mailtest.Carrier(t, func(t *testing.T) mailtest.Subject {
		w := open(t, kffake.Config{}, nil)
		stop := w.run(t, func(context.Context, bot.Message) bot.Reply { return bot.Reply{} })
		w.fake.Say(t.Context(), ann, "hello")
		until(t, "the message is read", func() bool { return w.counts.of("answered/silent") == 1 })
		stop()
		troubles := map[mailtest.Trouble]kffake.Fault{
			mailtest.Busy:    {Code: 45009, Text: "api freq out of limit"},
			mailtest.Down:    {HangUp: true},
			mailtest.Blocked: {Code: 40096, Text: "invalid external userid"},
		}
		return mailtest.Subject{
			Carrier: w.channel, Address: mail.Parcel{Channel: kf.Name, Chat: ann, To: identity(ann)},
			Read: func() []string { return w.fake.Lines(ann) },
			Trouble: func(what mailtest.Trouble, after int) {
				w.fake.Heal()
				if what != "" {
					w.fake.Fail("/cgi-bin/kf/send_msg", after, kffake.Fault{})
					w.fake.Fail("/cgi-bin/kf/send_msg", 100, troubles[what])
				}
			},
			Secrets: []string{w.fake.Secret(), ann},
		}
	})
}
