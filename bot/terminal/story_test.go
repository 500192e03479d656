package terminal_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/terminal"
	"fanli/core/user"
)

// TestStory plays the whole story through a reader and a writer. In a pipe and at a
// terminal people read the same; at a terminal they are asked in between.
func TestStory(t *testing.T) {
	t.Parallel()
	for _, interactive := range []bool{false, true} {
		for file, locale := range map[string]string{"story.txt": "", "story_en.txt": "en"} {
			t.Run(fmt.Sprintf("%s/AtATerminal=%t", file, interactive), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					bottest.Play(t, "testdata/"+file, newShow(t, interactive, locale).scene())
				})
			})
		}
	}
}

// A show is a world of package bottest with one person in it, who types.
type show struct {
	t       *testing.T
	f       *bottest.Fake
	channel *terminal.Channel
	keys    io.Writer
	screen  *screen
}

// A screen is what was written and not read.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// read waits until nothing more comes, and returns what is new.
func (s *screen) read() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

func newShow(t *testing.T, interactive bool, locale string) *show {
	t.Helper()
	in, keys := io.Pipe()
	s := &show{t: t, f: bottest.New(t), keys: keys, screen: &screen{}}
	s.channel = &terminal.Channel{In: in, Out: s.screen, Person: "ann", Locale: locale, Interactive: interactive}
	done := make(chan error, 1)
	go func() {
		done <- s.channel.Run(context.WithoutCancel(t.Context()), func(ctx context.Context, m bot.Message) bot.Reply {
			m.From.Channel = s.f.World().Channel // whose people are on a channel of its own
			return s.f.Handle(ctx, m)
		})
	}()
	t.Cleanup(func() {
		_ = keys.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if got, want := s.screen.read(), s.prompt(); got != want {
		t.Errorf("it begins with %q, want %q", got, want)
	}
	return s
}

// prompt is what stands where the person types.
func (s *show) prompt() string {
	if s.channel.Interactive {
		return "> "
	}
	return ""
}

// scene is the show as bottest plays it.
func (s *show) scene() bottest.World {
	played := s.f.World()
	played.Handle, played.Told = s.say, s.tell
	return played
}

// say has the person type a line, and returns what the terminal shows then.
func (s *show) say(_ context.Context, m bot.Message) bot.Reply {
	if _, err := io.WriteString(s.keys, m.Text+"\n"); err != nil {
		s.t.Fatal(err)
	}
	return s.shown("")
}

// shown is what was written between a beginning, and the blank line and prompt at the
// end.
func (s *show) shown(begin string) bot.Reply {
	s.t.Helper()
	all := s.screen.read()
	text, begins := strings.CutPrefix(all, begin)
	text, ends := strings.CutSuffix(text, "\n\n"+s.prompt())
	if !begins || !ends || strings.HasPrefix(text, "\n") || strings.HasSuffix(text, "\n") {
		s.t.Errorf("%q does not begin with %q and end with one blank line and the prompt %q", all, begin, s.prompt())
	}
	return bot.Reply{Text: text}
}

// tell brings the person what they are told unasked. At a terminal it begins on a line of
// its own.
func (s *show) tell() (out []bottest.Told) {
	begin := ""
	if s.channel.Interactive {
		begin = "\n"
	}
	for _, n := range s.f.Told() {
		err := s.channel.Send(s.t.Context(), user.Identity{Channel: terminal.Name, External: n.To.External}, n.Reply)
		if err != nil {
			s.t.Error(err)
		}
		out = append(out, bottest.Told{To: n.To, Reply: s.shown(begin)})
	}
	return out
}
