package telegram_test

import (
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

// TestCarrier holds the channel to what package mail wants of one.
func TestCarrier(t *testing.T) {
	t.Parallel()
	mailtest.Carrier(t, func(t *testing.T) mailtest.Subject {
		w := newWorldOf(t, telegramfake.Config{Token: sharedToken})
		var hours atomic.Int64 // Telegram's limits are those of its own clock
		c := w.channel(telegram.WithClock(func() time.Time { return time.Now().Add(time.Duration(hours.Load()) * time.Hour) }))
		w.fake.Say(ann, "/start")
		troubles := map[mailtest.Trouble]telegramfake.Fault{
			mailtest.Busy:    {Code: 429, Text: "Too Many Requests: retry after 30", RetryAfter: 30},
			mailtest.Down:    {HangUp: true},
			mailtest.Blocked: {Code: 403, Text: "Forbidden: bot was blocked by the user"},
		}
		return mailtest.Subject{
			Carrier: c, Address: mail.Parcel{Channel: telegram.Name, Chat: itoa(ann), To: identity(ann)},
			Long: bot.Reply{Cards: []bot.Card{
				{Title: "one", Buttons: []bot.Button{{Label: "x", Action: "x"}}}, {Title: "two"}, {Title: "three"},
			}},
			Read: func() []string { return texts(w.fake.Sent(ann)) },
			Trouble: func(what mailtest.Trouble, after int) {
				hours.Add(1)
				w.fake.Heal()
				if what != "" {
					w.fake.Fail("sendMessage", after, telegramfake.Fault{})
					w.fake.Fail("sendMessage", 100, troubles[what])
				}
			},
			Secrets: []string{tokenSecret},
		}
	})
}
