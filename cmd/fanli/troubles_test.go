package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
	"fanli/configs"
	"fanli/core/desk"
)

// TestARefusedTokenIsATrouble: what Telegram refuses to the channel, staff are told.
func TestARefusedTokenIsATrouble(t *testing.T) {
	t.Parallel()
	fake := telegramfake.New(telegramfake.Config{})
	s := httptest.NewServer(fake)
	t.Cleanup(func() { fake.Close(); s.Close() })
	fake.Revoke()
	w := newLittle(t)
	w.tune = func(c *configs.Config) {
		c.Telegram.Token, c.Telegram.Endpoint = telegram.Secret(fake.Token()), s.URL
	}
	w.mustOpen()
	if got, err := w.app.troubles(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("before anything is tried: %+v, %v", got, err)
	}
	c, err := telegram.New(w.app.cfg.Telegram, w.app.mail, w.app.db.Memory(), w.app.log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, func(context.Context, bot.Message) bot.Reply { return bot.Reply{} }) }()
	var got []desk.Trouble
	for end := time.Now().Add(patience); len(got) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		if got, err = w.app.troubles(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if len(got) != 1 || got[0].What != desk.TokenBad || got[0].Since.IsZero() {
		t.Errorf("the troubles are %+v", got)
	}
}
