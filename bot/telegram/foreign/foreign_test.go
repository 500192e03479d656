// Package foreign lets bot libraries of other languages talk to Telegram's fake: what
// they take for Telegram, our own channel may take for Telegram, too.
package foreign_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/bot/foreigntest"
	"fanli/bot/telegram/telegramfake"
	"fanli/core/servertest"
)

// ann writes to the bots.
const ann = int64(1001)

// patience is how long a busy machine may take to start an interpreter and play.
const patience = 2 * time.Minute

// node returns how to run the bot of grammY.
func node(t *testing.T) *exec.Cmd {
	t.Helper()
	return foreigntest.Node(t, "node/bot.cjs")
}

// python returns how to run the bot of python-telegram-bot, which is a package of
// Debian's and therefore known to Debian's python only.
func python(t *testing.T) *exec.Cmd {
	t.Helper()
	program := servertest.Need(t, "/usr/bin/python3")
	if err := exec.CommandContext(t.Context(), program, "-W", "ignore", "-c", "import telegram").Run(); err != nil {
		foreigntest.Missing(t, "python3-python-telegram-bot")
	}
	return exec.CommandContext(t.Context(), program, "python/bot.py")
}

// TestForeignClients plays one story with each library: it learns who it is, polls,
// answers with a keyboard, acknowledges a press and edits, uploads a photo and sends it
// again, sets commands, is refused, marks a text up, is told to wait, and sets and deletes a webhook.
func TestForeignClients(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(*testing.T) *exec.Cmd{"grammY": node, "PythonTelegramBot": python} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, command(t))
		})
	}
}

func play(t *testing.T, c *exec.Cmd) {
	t.Helper()
	fake := telegramfake.New(telegramfake.Config{})
	defer fake.Close()
	server := httptest.NewServer(fake)
	defer server.Close()
	const hook = "https://bot.example:8443/hook"
	var out bytes.Buffer
	c.Args = append(c.Args, server.URL, fake.Token(), hook)
	c.Stdout, c.Stderr = &out, &out
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Wait()
		cancel() // nobody need wait for what will not come
	}()
	sent := 0
	hear := func(text string, n int) []telegramfake.Sent {
		t.Helper()
		fake.Say(ann, text)
		sent += n
		all, err := fake.Wait(ctx, ann, sent)
		if err != nil {
			t.Fatalf("after %q: %v; it says:\n%s", text, <-ended, out.String())
		}
		return all[sent-n:]
	}
	shown := hear("hello", 1)[0]
	if shown.Text != "choose" || len(shown.Entities) != 1 || len(shown.Flat()) < 2 || shown.Flat()[1].URL != "https://example.com/" {
		t.Errorf("the answer is %+v", shown)
	}
	q := fake.Press(ann, ann, shown.ID, 0)
	if toast, err := fake.WaitAnswered(ctx, q); err != nil || toast != "done" {
		t.Errorf("the toast is %q, %v", toast, err)
	}
	if all, err := fake.WaitFor(ctx, ann, func(all []telegramfake.Sent) bool { return all[0].Edited }); err != nil || all[0].Text != "page two" {
		t.Errorf("edited to %+v, %v", all, err)
	}
	photos := hear("photo", 2)
	if photos[0].Text != "uploaded" || photos[1].Text != "again" || !strings.HasPrefix(photos[1].Photo, "AgAC") {
		t.Errorf("the photos are %+v", photos)
	}
	if got := hear("commands", 1)[0].Text; got != "commands: help" || len(fake.Menu(ann, "en")) != 1 {
		t.Errorf("it answers %q", got)
	}
	if got := hear("refused", 1)[0].Text; got != "Bad Request: chat not found" {
		t.Errorf("it understands %q", got)
	}
	if got := hear("markdown", 1)[0]; got.Text != "😀 bold 1.5 (x)! #2 _y_ [z] a|b" || len(got.Entities) != 1 || got.Entities[0].Length != 7 {
		t.Errorf("its markup is seen as %+v", got)
	}
	fake.Fail("sendMessage", 1, telegramfake.Fault{Code: 429, Text: "Too Many Requests: retry after 1", RetryAfter: 1})
	hear("flood", 1)
	hear("bye", 1)
	if err := <-ended; err != nil {
		t.Fatalf("it ends with %v:\n%s", err, out.String())
	}
	said := strings.Split(strings.TrimSpace(out.String()), "\n")
	if want := []string{"me fanli_bot", "file not really a picture", "429 1", "hook " + hook, "end"}; !slices.Equal(said, want) {
		t.Errorf("it says %q, want %q", said, want)
	}
	if fake.Queued() != 0 || fake.Hook() != (telegramfake.Hooking{}) {
		t.Errorf("%d updates and the webhook %+v are left", fake.Queued(), fake.Hook())
	}
}
