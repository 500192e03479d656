// Package terminal is a channel over a terminal or a pipe: one line is one
// message, of one person.
//
// At a terminal it prompts. In a pipe it reads a line, writes its answer and a
// blank line, and goes on; at the end of the input it is done. In a line, the two
// characters \n stand for a line feed.
//
// # Guarantees
//
//   - Answers and notices never mix within each other, and a prompt stands only where
//     the person types: a notice that comes while an answer is made brings none.
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
	"slices"
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

	mu   sync.Mutex // of Out
	busy bool       // an answer is being made: no prompt stands there; guarded by mu
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
			c.taken()
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
	c.mu.Lock()
	defer c.mu.Unlock()
	text := show(r)
	if c.Interactive && !c.busy { // below the prompt, which is then repeated
		text = "\n" + text + prompt
	}
	c.write(text)
	return nil
}

// ask prompts.
func (c *Channel) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
	if c.Interactive {
		c.write(prompt)
	}
}

// taken notes that what the person typed is being answered.
func (c *Channel) taken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = true
}

func (c *Channel) print(r bot.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(show(r))
}

// write writes in one piece; Out is locked. There is nobody to tell if nobody reads.
func (c *Channel) write(s string) { _, _ = io.WriteString(c.Out, s) }

// show is a reply with a blank line behind it; "" for one that says nothing.
func show(r bot.Reply) string {
	r.Buttons = typed(r.Buttons)
	r.Cards = slices.Clone(r.Cards)
	for i, c := range r.Cards {
		r.Cards[i].Buttons = typed(c.Buttons)
	}
	text := bot.RenderText(r)
	if text == "" {
		return ""
	}
	return text + "\n\n"
}

// typed takes the label from a button that sends its label and more: here the person
// reads what is sent, and would read the same word twice.
func typed(buttons []bot.Button) []bot.Button {
	out := slices.Clone(buttons)
	for i, b := range out {
		if strings.HasPrefix(b.Action, b.Label+" ") {
			out[i].Label = ""
		}
	}
	return out
}
