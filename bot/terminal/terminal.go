// Package terminal is a channel over a terminal or a pipe: one line is one
// message, of one person.
//
// At a terminal it prompts. In a pipe it reads a line, writes its answer and a
// blank line, and goes on; at the end of the input it is done. In a line, the two
// characters \n stand for a line feed.
//
// # Guarantees
//
//   - Answers and notices never mix within each other.
//   - A line of any length is answered; what is beyond [lineBytesMax] is not kept
//     in memory.
package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/mattn/go-isatty"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/user"
)

// Name is the channel's.
const Name = "terminal"

// lineBytesMax bounds how much of a line is read. It is above what the bot reads
// of a message, so that the bot says that it is too long.
const lineBytesMax = 64 << 10

// prompt stands before what a person types.
const prompt = "> "

// A Channel is one person at a terminal or behind a pipe.
type Channel struct {
	In  io.Reader
	Out io.Writer
	// Interactive prompts.
	Interactive bool
	// Person is the external id of who types.
	Person string
	// Locale is a hint of their language; optional.
	Locale string

	mu sync.Mutex // of Out
}

var _ bot.Channel = (*Channel)(nil)

// New returns the channel of a person, which prompts if both files are a
// terminal.
func New(in, out *os.File, person string) *Channel {
	return &Channel{In: in, Out: out, Person: person, Interactive: isatty.IsTerminal(in.Fd()) && isatty.IsTerminal(out.Fd())}
}

// Name is stored with every identity.
func (*Channel) Name() string { return Name }

// Run answers line after line until the input or ctx ends. A read that waits for
// a person cannot be interrupted; it is left behind when ctx ends.
func (c *Channel) Run(ctx context.Context, handle bot.Handler) error {
	lines, failed := make(chan string), make(chan error, 1)
	go func() { failed <- c.read(ctx, lines) }()
	for {
		c.ask()
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case text := <-lines:
			if strings.TrimSpace(text) == "" {
				continue
			}
			c.print(handle(ctx, bot.Message{
				From: user.Identity{Channel: Name, External: c.Person}, Chat: c.Person,
				Text: strings.ReplaceAll(text, `\n`, "\n"), Locale: c.Locale,
			}))
		}
	}
}

// read hands over lines until the input ends.
func (c *Channel) read(ctx context.Context, lines chan<- string) error {
	in := bufio.NewReader(c.In)
	for {
		text, err := line(in)
		if text != "" || err == nil {
			select {
			case lines <- text:
			case <-ctx.Done():
				return nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("terminal: %w", err)
		}
	}
}

// line reads one line without its end, and lineBytesMax of it at most.
func line(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, more, err := in.ReadLine()
		if room := lineBytesMax - b.Len(); room > 0 {
			b.Write(part[:min(len(part), room)])
		}
		if err != nil || !more {
			return b.String(), err
		}
	}
}

// Send writes a notice. It fails with fault.NotFound for anybody else than who
// sits here.
func (c *Channel) Send(_ context.Context, to user.Identity, r bot.Reply) error {
	if to.Channel != Name || to.External != c.Person {
		return fault.Newf(fault.NotFound, "", "%s/%s is not at this terminal", to.Channel, to.External)
	}
	if c.Interactive {
		c.write("\n" + bot.RenderText(r) + "\n\n" + prompt)
		return nil
	}
	c.print(r)
	return nil
}

func (c *Channel) ask() {
	if c.Interactive {
		c.write(prompt)
	}
}

func (c *Channel) print(r bot.Reply) {
	if text := bot.RenderText(r); text != "" {
		c.write(text + "\n\n")
	}
}

// write writes in one piece. There is nobody to tell if nobody reads.
func (c *Channel) write(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.Out, s)
}
