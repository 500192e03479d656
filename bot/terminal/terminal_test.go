package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"fanli/bot"
	"fanli/bot/terminal"
	"fanli/core/user"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with what it got.
func echo(_ context.Context, m bot.Message) bot.Reply {
	return bot.Reply{Text: m.From.Channel + "/" + m.From.External + "/" + m.Chat + "/" + m.Locale + ": " + m.Text}
}

func run(t *testing.T, in string, interactive bool) string {
	t.Helper()
	var out bytes.Buffer
	c := &terminal.Channel{In: strings.NewReader(in), Out: &out, Person: "me", Locale: "en", Interactive: interactive}
	if err := c.Run(t.Context(), echo); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRun(t *testing.T) {
	t.Parallel()
	const me = "terminal/me/me/en: "
	long := strings.Repeat("x", 70_000)
	tests := []struct{ name, in, want string }{
		{"OneMessageALine", "a\nb\n", me + "a\n\n" + me + "b\n\n"},
		{"TheLastLineNeedsNoEnd", "a\nb", me + "a\n\n" + me + "b\n\n"},
		{"EmptyLinesAreNothing", "\n  \na\n\n", me + "a\n\n"},
		{"LineFeedsCanBeWritten", `a\nb` + "\n", me + "a\nb\n\n"},
		{"LinesOfWindows", "a\r\nb\r\n", me + "a\n\n" + me + "b\n\n"},
		{"ALongLineIsCutButAnswered", long + "\nb\n", me + long[:64<<10] + "\n\n" + me + "b\n\n"},
		{"NothingAtAll", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := run(t, tt.in, false); got != tt.want {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
	t.Run("AtATerminalItPrompts", func(t *testing.T) {
		t.Parallel()
		if got, want := run(t, "a\n", true), "> "+me+"a\n\n> "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("AnEmptyReplyWritesNothing", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		c := &terminal.Channel{In: strings.NewReader("a\n"), Out: &out}
		err := c.Run(t.Context(), func(context.Context, bot.Message) bot.Reply { return bot.Reply{} })
		if err != nil || out.Len() > 0 {
			t.Errorf("got %q, %v", out.String(), err)
		}
	})
	t.Run("AnInputThatFailsIsAnError", func(t *testing.T) {
		t.Parallel()
		torn := errors.New("torn")
		c := &terminal.Channel{In: io.MultiReader(strings.NewReader("a\n"), failing{torn}), Out: io.Discard}
		if err := c.Run(t.Context(), echo); !errors.Is(err, torn) {
			t.Errorf("got %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestSend(t *testing.T) {
	t.Parallel()
	notice := bot.Reply{Text: "news"}
	t.Run("IsWrittenBetweenAnswers", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		c := &terminal.Channel{Out: &out, Person: "me"}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := c.Send(t.Context(), user.Identity{Channel: "terminal", External: "me"}, notice); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, want := out.String(), strings.Repeat("news\n\n", 20); got != want {
			t.Errorf("got %q", got)
		}
	})
	t.Run("PromptsAgain", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		c := &terminal.Channel{Out: &out, Person: "me", Interactive: true}
		if err := c.Send(t.Context(), user.Identity{Channel: "terminal", External: "me"}, notice); err != nil {
			t.Error(err)
		}
		if got, want := out.String(), "\nnews\n\n> "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("WhileAnAnswerIsMadeThereIsNoPrompt", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		c := &terminal.Channel{In: strings.NewReader("a\n"), Out: &out, Person: "me", Interactive: true}
		err := c.Run(t.Context(), func(ctx context.Context, m bot.Message) bot.Reply {
			if err := c.Send(ctx, m.From, notice); err != nil {
				t.Error(err)
			}
			return bot.Reply{Text: "re: " + m.Text}
		})
		if got, want := out.String(), "> news\n\nre: a\n\n> "; err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "in"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	c := terminal.New(f, f, "me")
	if c.Interactive || c.Person != "me" || c.Name() != "terminal" {
		t.Errorf("got %+v", c)
	}
}
